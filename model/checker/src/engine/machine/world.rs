//! The world's content: cells and locks, and how to take changes of them back.

use super::memory::Weak;
use super::record::Op;
use crate::backend::{Condition, Mode, Rmw};
use crate::engine::effects::{Change, Effect};
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

/// Number of a set of dead cells, see [`World::add_dead`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeadId(u32);

/// Where a world can be taken back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WorldPlace {
    changes: usize,
    effects: usize,
    dead: DeadId,
    hash: u128,
}

impl WorldPlace {
    /// About how many bytes it takes to keep the changes up to here.
    pub(crate) fn bytes(&self) -> usize {
        self.changes * size_of::<Undo>() + self.effects * size_of::<Effect>()
    }
}

/// All cells and locks.
#[derive(Debug)]
pub(crate) struct World {
    pub(super) cells: Vec<u64>,
    /// Sum of the hashes of all cells that are not dead.
    pub(super) cells_hash: u128,
    /// The cells that no task will read any more, as bits.
    dead: Box<[u64]>,
    /// Which of the sets that is.
    dead_id: DeadId,
    /// All sets of dead cells that there have been, nothing first.
    dead_sets: Vec<Box<[u64]>>,
    /// What has become of dead cells, in order.
    effects: Vec<Effect>,
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
        let nothing: Box<[u64]> = vec![0; cells.len().div_ceil(64)].into();
        Self {
            cells,
            cells_hash,
            dead: nothing.clone(),
            dead_id: DeadId::default(),
            dead_sets: vec![nothing],
            effects: vec![],
            locks: vec![LockState::default(); layout.locks().len()],
            undo: None,
            weak: None,
        }
    }

    /// Begins anew with these contents, whose hash is known; nothing is dead.
    pub(super) fn reset(&mut self, cells: &[u64], hash: u128) {
        self.cells.copy_from_slice(cells);
        self.cells_hash = hash;
        self.locks.fill(LockState::default());
        self.set_dead(DeadId::default());
        self.dead_sets.truncate(1);
        self.effects.clear();
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
        self.update(cell, Rmw::Xchg(value));
    }

    /// Changes a cell without a look at what it was.
    #[inline]
    pub(crate) fn update(&mut self, cell: CellId, op: Rmw) {
        let i = cell.index();
        let old = self.cells[i];
        let new = op.apply(old);
        let is_dead = self.is_dead(cell);
        if is_dead {
            self.effects.push((cell, Change::new(op, new)));
        }
        if old != new {
            self.cells[i] = new;
            if let Some(undo) = &mut self.undo {
                undo.push(Undo::Cell(cell, old));
            }
            if !is_dead {
                let less = self.cells_hash.wrapping_sub(element(i as u64, old));
                self.cells_hash = less.wrapping_add(element(i as u64, new));
            }
        }
    }

    /// Whether no task will read a cell any more, as far as is known.
    #[inline]
    pub(crate) fn is_dead(&self, cell: CellId) -> bool {
        self.dead[cell.index() / 64] >> (cell.index() % 64) & 1 != 0
    }

    /// Gives a set of cells a number, to let them die.
    pub(crate) fn add_dead(&mut self, cells: Box<[u64]>) -> DeadId {
        self.dead_sets.push(cells);
        DeadId(self.dead_sets.len() as u32 - 1)
    }

    /// From now on these cells are dead and no others. They leave the hash.
    pub(crate) fn let_die(&mut self, id: DeadId) {
        if id == self.dead_id {
            return;
        }
        for word in 0..self.dead.len() {
            let now = self.dead_sets[id.0 as usize][word];
            let mut changed = now ^ self.dead[word];
            while changed != 0 {
                let bit = changed.trailing_zeros();
                changed &= changed - 1;
                self.turn(64 * word + bit as usize, now >> bit & 1 != 0);
            }
        }
        self.set_dead(id);
    }

    /// A cell dies, or is looked at again: which happens only where it was too early to say.
    fn turn(&mut self, i: usize, dies: bool) {
        let content = self.cells[i];
        let part = element(i as u64, content);
        if dies {
            self.cells_hash = self.cells_hash.wrapping_sub(part);
            self.effects.push((CellId(i as u32), Change::Is(content)));
        } else {
            self.cells_hash = self.cells_hash.wrapping_add(part);
            self.effects.push((CellId(i as u32), Change::Lives));
        }
    }

    fn set_dead(&mut self, id: DeadId) {
        if id != self.dead_id {
            self.dead_id = id;
            self.dead.copy_from_slice(&self.dead_sets[id.0 as usize]);
        }
    }

    /// What has become of dead cells since the last call.
    pub(crate) fn take_effects(&mut self, into: &mut Vec<Effect>) {
        into.clear();
        into.append(&mut self.effects);
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

    /// The sum of the hashes of all cells that are not dead.
    #[inline]
    pub(crate) fn hash(&self) -> u128 {
        self.cells_hash
    }

    /// Keeps changes from now on.
    pub(crate) fn keep_changes(&mut self) {
        self.undo = Some(vec![]);
    }

    /// Where the world is.
    #[inline]
    pub(crate) fn place(&self) -> WorldPlace {
        WorldPlace {
            changes: self.undo.as_ref().map_or(0, Vec::len),
            effects: self.effects.len(),
            dead: self.dead_id,
            hash: self.cells_hash,
        }
    }

    /// Takes the world back to where it was since it keeps its changes.
    pub(crate) fn take_back(&mut self, place: WorldPlace) {
        if let Some(undo) = &mut self.undo {
            for change in undo.drain(place.changes..).rev() {
                match change {
                    Undo::Cell(cell, old) => self.cells[cell.index()] = old,
                    Undo::Lock(lock, old) => self.locks[lock.index()] = old,
                }
            }
        }
        self.effects.truncate(place.effects);
        self.set_dead(place.dead);
        self.cells_hash = place.hash;
    }
}
