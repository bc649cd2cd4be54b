//! The stores of one cell, in coherence order.

use super::part::{Append, Content};
use super::view::View;

/// One store ("message" in Kang et al.).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Store {
    pub(super) value: u64,
    /// Itself, and the stores that propagate to every CPU before it does (`cumul-fence`).
    pub(super) view: View,
    /// It is the write of a read-modify-write that read the store right before it: nothing is
    /// ever put between the two (axiom `atomic` of linux-kernel.cat).
    pub(super) atomic: bool,
}

/// The stores of one cell that somebody may still read or put something after, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct History {
    pub(super) stores: Vec<Store>,
}

impl History {
    /// Of a cell of which all that matters is its content.
    pub(super) fn of(value: u64) -> Self {
        let view = View::default();
        Self {
            stores: vec![Store {
                value,
                view,
                atomic: false,
            }],
        }
    }

    /// Whether there is more to know than the newest store.
    pub(super) fn is_needed(&self) -> bool {
        self.len() > 1 || !self.stores[0].view.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.stores.len() as u32
    }

    /// Whether a store may be put right after this place.
    pub(super) fn is_open_after(&self, place: u32) -> bool {
        let next = self.stores.get(place as usize + 1);
        next.is_none_or(|s| !s.atomic)
    }

    /// The places from `floor` on after which a store may be put, newest first.
    pub(super) fn open_from(&self, floor: u32) -> impl Iterator<Item = u32> + '_ {
        (floor..self.len()).rev().filter(|p| self.is_open_after(*p))
    }

    /// Drops the `count` oldest.
    pub(super) fn drop_oldest(&mut self, count: u32) {
        self.stores.drain(..count as usize);
        // What it was atomic with is gone, and nothing can be put before the oldest anyway.
        self.stores[0].atomic = false;
    }
}

impl Content for History {
    fn append(&self, into: &mut impl Append) {
        into.push(u64::from(self.len()));
        for store in &self.stores {
            into.push(store.value);
            into.push(u64::from(store.atomic));
            store.view.append(into);
        }
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        self.stores.iter().map(|store| &store.view)
    }

    fn each_view(&mut self, change: &mut dyn FnMut(&mut View)) {
        let stores = self.stores.iter_mut();
        stores.for_each(|store| change(&mut store.view));
    }
}
