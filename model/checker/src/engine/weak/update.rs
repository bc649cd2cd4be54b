//! Atomic read-modify-writes.

use super::Fence;
use super::memory::WeakMemory;
use crate::backend::{Order, Rmw};
use crate::event::TaskId;
use crate::layout::CellId;

impl WeakMemory {
    /// The stores that an update may read, newest first: (place, whether it writes).
    fn rmw_reads(&self, task: TaskId, cell: CellId, op: Rmw, returns: bool) -> Vec<(u32, bool)> {
        let cpu = self.cpu(task);
        let fails = |place: u32| match op {
            Rmw::CmpXchg(expected, _) => self.value(cell, place) != expected,
            _ => false,
        };
        let is_open = |place| {
            self.histories
                .get(&cell)
                .is_none_or(|h| h.is_open_after(place))
        };
        let mut floor = cpu.write.at(cell);
        if returns {
            floor = cpu.seen.at(cell).max(self.fences.at(cell));
        }
        (0..self.len(cell))
            .rev()
            .map(|place| (place, !fails(place)))
            .filter(|(place, writes)| {
                if *writes {
                    *place >= floor && is_open(*place)
                } else {
                    *place >= cpu.read.at(cell)
                }
            })
            .collect()
    }

    /// How many stores an update may read. It writes right after the one that it reads.
    pub fn rmw_choices(&self, task: TaskId, cell: CellId, op: Rmw, returns: bool) -> u32 {
        self.rmw_reads(task, cell, op, returns).len() as u32
    }

    /// An atomic read-modify-write; gives the content before. With `returns` it is fully ordered
    /// (xchg(), atomic_fetch_add()), else relaxed (atomic_add(), set_bit()). A cmpxchg() that
    /// fails is a relaxed load, and may read what is stale.
    pub fn rmw(&mut self, task: TaskId, cell: CellId, op: Rmw, returns: bool, choice: u32) -> u64 {
        let (place, writes) = self.rmw_reads(task, cell, op, returns)[choice as usize];
        if !writes {
            return self.read(task, cell, Order::Relaxed, place);
        }
        // The store that is read, counted from the newest: a fence may forget older ones.
        let from_newest = self.len(cell) - place;
        if returns {
            self.fence(task, Fence::Mb);
        }
        let place = self.len(cell) - from_newest;
        let read = self.at(cell, place);
        let cpu = self.cpu_mut(task);
        cpu.has_read(cell, place, &read.view, returns);
        // A release sequence goes on through it (`rmw-sequence`).
        let mut view = cpu.carries(false).clone();
        view.join(&read.view);
        self.put(task, cell, op.apply(read.value), place, view, true);
        if returns {
            self.fence(task, Fence::Mb);
        }
        read.value
    }
}
