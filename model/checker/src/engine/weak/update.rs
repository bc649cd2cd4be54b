//! Atomic read-modify-writes.

use super::Fence;
use super::memory::WeakMemory;
use crate::backend::{Order, Rmw};
use crate::event::TaskId;
use crate::layout::CellId;

/// What an atomic read-modify-write orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Nothing: atomic_add(), set_bit().
    Relaxed,
    /// What is before it: what dropping a lock does.
    Release,
    /// What is before it and what is after it, each on its side: an update under a lock that is
    /// not modelled.
    AcquireRelease,
    /// Everything: xchg(), atomic_fetch_add(), a cmpxchg() that succeeds.
    Full,
}

impl Strength {
    fn of(returns: bool) -> Self {
        if returns {
            Strength::Full
        } else {
            Strength::Relaxed
        }
    }
}

impl WeakMemory {
    /// The stores that an update may read, newest first: (place, whether it writes).
    fn update_reads(
        &self,
        task: TaskId,
        cell: CellId,
        op: Rmw,
        strength: Strength,
    ) -> impl Iterator<Item = (u32, bool)> {
        let cpu = self.cpu(task);
        let fails = move |place: u32| match op {
            Rmw::CmpXchg(expected, _) => self.value(cell, place) != expected,
            _ => false,
        };
        let history = self.histories.get(cell);
        let is_open = move |place| history.is_none_or(|h| h.is_open_after(place));
        let floor = match strength {
            Strength::Relaxed => cpu.write.at(cell),
            Strength::Release | Strength::AcquireRelease => cpu.seen.at(cell),
            Strength::Full => cpu.seen.at(cell).max(self.fences.at(cell)),
        };
        (0..self.len(cell))
            .rev()
            .map(move |place| (place, !fails(place)))
            .filter(move |(place, writes)| {
                if *writes {
                    *place >= floor && is_open(*place)
                } else {
                    *place >= cpu.read.at(cell)
                }
            })
    }

    /// How many stores an update may read. It writes right after the one that it reads.
    pub fn rmw_choices(&self, task: TaskId, cell: CellId, op: Rmw, returns: bool) -> u32 {
        self.update_choices(task, cell, op, Strength::of(returns))
    }

    /// As [`WeakMemory::rmw_choices`], for an update of any strength.
    pub fn update_choices(&self, task: TaskId, cell: CellId, op: Rmw, strength: Strength) -> u32 {
        self.update_reads(task, cell, op, strength).count() as u32
    }

    /// An atomic read-modify-write; gives the content before. With `returns` it is fully ordered
    /// (xchg(), atomic_fetch_add()), else relaxed (atomic_add(), set_bit()). A cmpxchg() that
    /// fails is a relaxed load, and may read what is stale.
    pub fn rmw(&mut self, task: TaskId, cell: CellId, op: Rmw, returns: bool, choice: u32) -> u64 {
        self.update(task, cell, op, Strength::of(returns), choice)
    }

    /// As [`WeakMemory::rmw`], of any strength.
    pub fn update(
        &mut self,
        task: TaskId,
        cell: CellId,
        op: Rmw,
        strength: Strength,
        choice: u32,
    ) -> u64 {
        let is_full = strength == Strength::Full;
        let chosen = self
            .update_reads(task, cell, op, strength)
            .nth(choice as usize);
        let (place, writes) = chosen.expect("a store to be read");
        if !writes {
            return self.read(task, cell, Order::Relaxed, place);
        }
        // The store that is read, counted from the newest: a fence may forget older ones.
        let from_newest = self.len(cell) - place;
        if is_full {
            self.fence(task, Fence::Mb);
        }
        let place = self.len(cell) - from_newest;
        let read = self.at(cell, place);
        let cpu = self.cpu_mut(task);
        cpu.has_read(cell, place, &read.view, is_full);
        if strength == Strength::AcquireRelease {
            cpu.acquire(&read.view);
        }
        // A release sequence goes on through it (`rmw-sequence`).
        let mut view = cpu
            .carries(matches!(
                strength,
                Strength::Release | Strength::AcquireRelease
            ))
            .clone();
        view.join(&read.view);
        self.put(task, cell, op.apply(read.value), place, view, true);
        if is_full {
            self.fence(task, Fence::Mb);
        }
        read.value
    }
}
