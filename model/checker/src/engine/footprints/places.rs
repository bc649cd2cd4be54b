//! Sets of states, by number.

/// A state by its number; or the start, before the first.
pub(crate) type Place = u32;

/// A set of places.
#[derive(Default)]
pub(crate) struct Places {
    /// A bit for each state.
    bits: Vec<u64>,
    /// The start is one of them.
    has_start: bool,
}

/// The place before the first state.
pub(crate) const START: Place = Place::MAX;

impl Places {
    fn add(&mut self, place: Place) {
        if place == START {
            self.has_start = true;
            return;
        }
        let word = place as usize / 64;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (place % 64);
    }

    /// Adds all of another.
    pub(crate) fn unite(&mut self, other: Self) {
        let mut bits = other.bits;
        if bits.len() < self.bits.len() {
            std::mem::swap(&mut bits, &mut self.bits);
        }
        bits.iter_mut().zip(&self.bits).for_each(|(a, b)| *a |= b);
        self.bits = bits;
        self.has_start |= other.has_start;
    }

    #[inline]
    pub(crate) fn contains(&self, place: Place) -> bool {
        let word = self.bits.get(place as usize / 64);
        word.map_or(self.has_start && place == START, |w| {
            w >> (place % 64) & 1 != 0
        })
    }

    /// How many states there are.
    pub(crate) fn count(&self) -> u64 {
        let ones = self.bits.iter().map(|word| u64::from(word.count_ones()));
        ones.sum()
    }

    /// The states in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Place> {
        let places = 0..self.bits.len() as u32 * 64;
        places.filter(|place| self.contains(*place))
    }
}

impl Extend<Place> for Places {
    fn extend<I: IntoIterator<Item = Place>>(&mut self, places: I) {
        places.into_iter().for_each(|place| self.add(place));
    }
}
