//! Values that fit one cell of the world.

/// A value that is stored in a 64-bit cell. `from_word(to_word(x)) == x` for every `x`.
pub trait Word: Copy {
    /// The cell's content for this value.
    fn to_word(self) -> u64;
    /// The value that a cell's content stands for.
    fn from_word(word: u64) -> Self;
}

macro_rules! unsigned {
    ($($t:ty),*) => {$(
        impl Word for $t {
            fn to_word(self) -> u64 {
                self.into()
            }
            fn from_word(word: u64) -> Self {
                <$t>::try_from(word).expect("a cell holds only values of its own type")
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64);

impl Word for bool {
    fn to_word(self) -> u64 {
        u64::from(self)
    }
    fn from_word(word: u64) -> Self {
        word != 0
    }
}

impl Word for i32 {
    fn to_word(self) -> u64 {
        u64::from(self.cast_unsigned())
    }
    fn from_word(word: u64) -> Self {
        (word as u32).cast_signed()
    }
}

/// `None` is 0 and `Some(x)` is one more than `x`, so that a pointer that is not set is a zero cell.
impl<T: Word> Word for Option<T> {
    fn to_word(self) -> u64 {
        self.map_or(0, |x| x.to_word() + 1)
    }
    fn from_word(word: u64) -> Self {
        word.checked_sub(1).map(T::from_word)
    }
}

/// Declares a newtype over an unsigned integer that is a [`Word`].
#[macro_export]
macro_rules! word_id {
    ($(#[$doc:meta])* $vis:vis struct $name:ident($inner:ty);) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(pub $inner);

        impl $crate::word::Word for $name {
            fn to_word(self) -> u64 {
                u64::from(self.0)
            }
            fn from_word(word: u64) -> Self {
                Self($crate::word::Word::from_word(word))
            }
        }

        impl $name {
            /// The number as an index.
            $vis fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// Declares an enum without fields that is a [`Word`]: its first variant is 0, and so on.
#[macro_export]
macro_rules! word_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vdoc])* $variant),* }

        impl $crate::word::Word for $name {
            fn to_word(self) -> u64 {
                self as u64
            }
            fn from_word(word: u64) -> Self {
                const ALL: &[$name] = &[$($name::$variant),*];
                ALL[usize::try_from(word).expect("a cell holds only values of its own type")]
            }
        }
    };
}
