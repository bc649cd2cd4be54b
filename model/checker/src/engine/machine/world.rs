//! The world's content: cells and locks, and how to take changes of them back.

use super::memory::Weak;
use super::record::Op;
use crate::backend::{Condition, Mode};
use crate::event::TaskId;
use crate::hash::element;
use crate::layout::{CellId, Layout, LockId};

/// Who holds a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LockState {
    pub(crate) owner: Option<TaskId>,
    /// How many hold it shared.
    pub(crate) readers: u32,
}

impl LockState {
    pub(crate) fn is_free(self, mode: Mode) -> bool {
        self.owner.is_none() && (mode == Mode::Shared || self.readers == 0)
    }
}

/// A change, to be taken back: what was there before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Undo {
    /// A cell's content.
    Cell(CellId, u64),
    /// A lock.
    Lock(LockId, LockState),
}

/// All cells and locks.
#[derive(Debug)]
pub(crate) struct World {
    pub(super) cells: Vec<u64>,
    /// Sum of the hashes of all cells.
    pub(super) cells_hash: u128,
    pub(super) locks: Vec<LockState>,
    /// The changes, if they are kept.
    undo: Option<Vec<Undo>>,
    /// What tasks see that need not see the newest; `None` under sequential consistency.
    pub(super) weak: Option<Weak>,
}

impl World {
    pub(super) fn new(layout: &Layout) -> Self {
        let cells = layout.initial();
        let cells_hash = cells
            .iter()
            .enumerate()
            .fold(0u128, |h, (i, v)| h.wrapping_add(element(i as u64, *v)));
        Self {
            cells,
            cells_hash,
            locks: vec![LockState::default(); layout.locks().len()],
            undo: None,
            weak: None,
        }
    }

    /// A cell's content.
    #[inline]
    pub(crate) fn cell(&self, cell: CellId) -> u64 {
        self.cells[cell.index()]
    }

    /// Consecutive cells.
    #[inline]
    pub(crate) fn span(&self, first: CellId, cells: usize) -> &[u64] {
        &self.cells[first.index()..first.index() + cells]
    }

    /// Changes a cell.
    #[inline]
    pub(crate) fn set(&mut self, cell: CellId, value: u64) {
        let i = cell.index();
        let old = std::mem::replace(&mut self.cells[i], value);
        if old != value {
            if let Some(undo) = &mut self.undo {
                undo.push(Undo::Cell(cell, old));
            }
            self.rehash(i, old, value);
        }
    }

    #[inline]
    fn rehash(&mut self, i: usize, old: u64, new: u64) {
        self.cells_hash = self
            .cells_hash
            .wrapping_sub(element(i as u64, old))
            .wrapping_add(element(i as u64, new));
    }

    /// A lock that is about to be changed.
    #[inline]
    pub(crate) fn lock_to_change(&mut self, lock: LockId) -> &mut LockState {
        let slot = &mut self.locks[lock.index()];
        if let Some(undo) = &mut self.undo {
            undo.push(Undo::Lock(lock, *slot));
        }
        slot
    }

    /// Whether a lock can be taken.
    #[inline]
    pub(crate) fn is_free(&self, lock: LockId, mode: Mode) -> bool {
        self.locks[lock.index()].is_free(mode)
    }

    /// Whether a condition holds.
    #[inline]
    pub(crate) fn holds(&self, condition: Condition) -> bool {
        condition.holds(self.cells[condition.cell.index()])
    }

    /// Whether a task that is suspended before `op` can go on.
    #[inline]
    pub(crate) fn enables(&self, op: &Op) -> bool {
        match *op {
            Op::Lock { lock, mode } => self.is_free(lock, mode),
            Op::Wait { condition, .. } => self.holds(condition),
            Op::Ended => false,
            _ => true,
        }
    }

    /// The sum of the hashes of all cells.
    #[inline]
    pub(crate) fn hash(&self) -> u128 {
        self.cells_hash
    }

    /// Keeps changes from now on.
    pub(crate) fn keep_changes(&mut self) {
        self.undo = Some(vec![]);
    }

    /// Number of changes kept so far.
    #[inline]
    pub(crate) fn changes(&self) -> usize {
        self.undo.as_ref().map_or(0, Vec::len)
    }

    /// Takes changes back until so many are left.
    pub(crate) fn take_back(&mut self, left: usize) {
        while self.changes() > left {
            match self.undo.as_mut().and_then(Vec::pop) {
                Some(Undo::Cell(cell, old)) => {
                    let i = cell.index();
                    let new = std::mem::replace(&mut self.cells[i], old);
                    self.rehash(i, new, old);
                }
                Some(Undo::Lock(lock, old)) => self.locks[lock.index()] = old,
                None => return,
            }
        }
    }
}
