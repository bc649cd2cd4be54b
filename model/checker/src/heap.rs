//! Objects with a lifetime.
//!
//! The slots of each kind of object are laid out beforehand, a few for each owner, so that what
//! an object is called does not depend on who allocated first. A handle carries the slot and
//! its generation: after a free, old handles are stale, and using one is a finding.

use crate::backend::current;
use crate::layout::{CellId, CellKind, Layout};
use crate::sync::{Ghost, Shared};
use crate::task::{limit, note};
use crate::word::Word;

/// Pointer to an object: which of its owner's slots, and which use of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    /// The slot among those of the owner.
    pub slot: u8,
    /// How often the slot had been freed before.
    pub generation: u32,
}

impl Word for Handle {
    fn to_word(self) -> u64 {
        (u64::from(self.slot) << 32) | u64::from(self.generation)
    }
    fn from_word(word: u64) -> Self {
        Self {
            slot: (word >> 32) as u8,
            generation: word as u32,
        }
    }
}

/// A field that holds a pointer to an object of a [`Heap`].
pub type Pointer = Shared<Option<Handle>>;

/// Use of an object after its free.
pub const USE_AFTER_FREE: u64 = 1;
/// Second free of an object.
pub const DOUBLE_FREE: u64 = 2;

/// The slots that one owner can have objects in.
///
/// A slot's cell holds twice the number of its frees, plus one while it is in use. Allocation,
/// free and each check are one atomic step on all slots of the owner.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    first: CellId,
    faults: Ghost<u64>,
    what: &'static str,
}

fn is_live(slots: &[u64], handle: Handle) -> bool {
    slots[handle.slot as usize] == (u64::from(handle.generation) << 1) | 1
}

impl Heap {
    /// Lays out `slots` slots. `what` names the kind of object in findings.
    pub fn new(layout: &mut Layout, owner: &str, what: &'static str, slots: usize) -> Self {
        Self {
            first: layout.range(owner, what, CellKind::Shared, &vec![0; slots]),
            faults: Ghost::new(layout, owner, "faults", 0),
            what,
        }
    }

    /// Allocates the lowest free slot. Too few slots are a limit of the model.
    pub fn alloc(&self) -> Handle {
        let word = current().compound(self.first, true, &mut |slots| {
            let free = slots.iter().position(|s| s & 1 == 0);
            let Some(slot) = free else { return u64::MAX };
            slots[slot] += 1;
            Handle {
                slot: slot as u8,
                generation: (slots[slot] >> 1) as u32,
            }
            .to_word()
        });
        if word == u64::MAX {
            limit(&format!(
                "the model has too few slots for objects of kind {} of one owner",
                self.what
            ));
        }
        Handle::from_word(word)
    }

    /// Frees an object.
    pub fn free(&self, handle: Handle) {
        let freed = current().compound(self.first, true, &mut |slots| {
            let live = is_live(slots, handle);
            if live {
                slots[handle.slot as usize] += 1;
            }
            u64::from(live)
        });
        if freed == 0 {
            self.faults.or(DOUBLE_FREE);
            note("BUG", || format!("double free of {}", self.what));
        }
    }

    /// To be called before each access through a handle: whether the object still lives.
    pub fn check(&self, handle: Handle) -> bool {
        let live = current().compound(self.first, false, &mut |slots| {
            u64::from(is_live(slots, handle))
        });
        if live == 0 {
            self.faults.or(USE_AFTER_FREE);
            note("BUG", || format!("use after free of {}", self.what));
        }
        live != 0
    }

    /// Whether an object lives, for [`crate::model::Model::outcome`].
    pub fn is_live(&self, handle: Handle) -> bool {
        current().compound(self.first, false, &mut |slots| {
            u64::from(is_live(slots, handle))
        }) != 0
    }

    /// How many objects live, for [`crate::model::Model::outcome`].
    pub fn live(&self) -> u64 {
        current().compound(self.first, false, &mut |slots| {
            slots.iter().map(|s| s & 1).sum()
        })
    }

    /// [`USE_AFTER_FREE`] and [`DOUBLE_FREE`] as they have been found.
    pub fn faults(&self) -> u64 {
        self.faults.peek()
    }
}
