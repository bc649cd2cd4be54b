//! Which operations are steps of their own: the lock-aware reduction.
//!
//! A task need not be interrupted before an operation that commutes with whatever the other
//! tasks can do meanwhile. A field that only one task touches, or that nobody writes, or that
//! is always touched under one common lock, is of that kind; so is taking a lock that guards
//! nothing of what tasks share, that nobody is ever interrupted under, and that lies on no cycle
//! of the lock order. Which these are is
//! not known beforehand: the search assumes the best, watches every access, and starts again
//! with more steps when an access breaks the assumption.
//!
//! Flanagan & Qadeer, "Transactions for software model checking" (2003); Stoller & Cohen,
//! "Optimistic synchronization-based state-space reduction" (2003); the lockset refinement is
//! that of Eraser (Savage et al., 1997). Its exemption of an initialising task holds here only
//! while nobody else has done anything or can, and is then exact: what creates or wakes the
//! others comes before them.

use crate::backend::Mode;
use crate::layout::{CellId, Layout, LockId, LockKind};
use petgraph::algo::{has_path_connecting, tarjan_scc};
use petgraph::graphmap::DiGraphMap;

/// Fields and locks whose operations are steps of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    cells: Vec<bool>,
    locks: Vec<bool>,
    /// Somebody tries it: then being held is seen by itself, and dropping it is a step too.
    tried: Vec<bool>,
}

impl Marks {
    /// No marks yet.
    pub fn none(layout: &Layout) -> Self {
        Self {
            cells: vec![false; layout.cells().len()],
            locks: vec![false; layout.locks().len()],
            tried: vec![false; layout.locks().len()],
        }
    }

    /// Every operation is a step.
    pub fn all(layout: &Layout) -> Self {
        Self {
            cells: vec![true; layout.cells().len()],
            locks: vec![true; layout.locks().len()],
            tried: vec![true; layout.locks().len()],
        }
    }

    /// Whether accesses of this cell are steps.
    pub fn cell(&self, cell: CellId) -> bool {
        self.cells[cell.index()]
    }

    /// Whether taking this lock is a step.
    pub fn lock(&self, lock: LockId) -> bool {
        self.locks[lock.index()]
    }

    /// Whether dropping this lock is a step: only where somebody tries it.
    pub fn unlock(&self, lock: LockId) -> bool {
        self.tried[lock.index()] && self.locks[lock.index()]
    }

    /// The marked cells.
    pub fn marked_cells(&self) -> impl Iterator<Item = CellId> + '_ {
        (0..self.cells.len() as u32)
            .map(CellId)
            .filter(|c| self.cell(*c))
    }

    /// The marked locks.
    pub fn marked_locks(&self) -> impl Iterator<Item = LockId> + '_ {
        (0..self.locks.len() as u32)
            .map(LockId)
            .filter(|l| self.lock(*l))
    }
}

/// Who touches something: a task, told apart from all others across runs.
pub type TaskKey = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Who {
    #[default]
    Nobody,
    One(TaskKey),
    Many,
}

impl Who {
    fn and(self, task: TaskKey) -> Self {
        match self {
            Who::Nobody => Who::One(task),
            Who::One(other) if other == task => self,
            _ => Who::Many,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct CellWatch {
    who: Who,
    written: bool,
    /// Locks held at every access so far; `None` before the first.
    common: Option<Vec<LockId>>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default)]
struct LockWatch {
    who: Who,
    /// It is the common lock of a cell that several tasks share and somebody writes.
    guards: bool,
    /// Somebody was interrupted while holding it.
    interrupted: bool,
    /// It lies on a cycle of the lock order: then a task can be stuck between two of them.
    cyclic: bool,
    /// Somebody took it for himself alone: readers alone never wait for each other.
    exclusive: bool,
}

/// Watches the accesses of a whole search, and marks.
#[derive(Clone, Debug)]
pub struct Watch {
    marks: Marks,
    cells: Vec<CellWatch>,
    locks: Vec<LockWatch>,
    /// The lock order: an edge to each lock that somebody took while holding another.
    order: DiGraphMap<LockId, ()>,
    changed: bool,
    fixed: bool,
}

impl Watch {
    /// Starts with the best assumption.
    pub fn optimistic(layout: &Layout) -> Self {
        Self::with(layout, Marks::none(layout), false)
    }

    /// Keeps to the given marks whatever happens.
    pub fn fixed(layout: &Layout, marks: Marks) -> Self {
        Self::with(layout, marks, true)
    }

    fn with(layout: &Layout, marks: Marks, fixed: bool) -> Self {
        let is_rwsem = |i: &crate::layout::LockInfo| i.kind == LockKind::RwSem;
        let locks = layout.locks().iter().map(|i| LockWatch {
            exclusive: !is_rwsem(i),
            ..LockWatch::default()
        });
        Self {
            marks,
            cells: vec![CellWatch::default(); layout.cells().len()],
            locks: locks.collect(),
            order: DiGraphMap::new(),
            changed: false,
            fixed,
        }
    }

    /// The marks so far.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Whether marks were added since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// An access of a cell; gives whether it is a step.
    pub fn access(
        &mut self,
        cell: CellId,
        writes: bool,
        task: TaskKey,
        held: &[(LockId, Mode)],
    ) -> bool {
        let i = cell.index();
        if self.fixed || self.marks.cells[i] {
            return self.marks.cells[i];
        }
        let watch = &mut self.cells[i];
        watch.who = watch.who.and(task);
        watch.written |= writes;
        let protects = |mode: Mode| !writes || mode == Mode::Exclusive;
        match &mut watch.common {
            None => {
                watch.common = Some(
                    held.iter()
                        .filter(|(_, m)| protects(*m))
                        .map(|(l, _)| *l)
                        .collect(),
                );
            }
            Some(common) if common.is_empty() => {}
            Some(common) => common.retain(|l| held.iter().any(|(h, m)| h == l && protects(*m))),
        }
        if watch.who == Who::Many && watch.written {
            let common = watch.common.take().unwrap_or_default();
            if common.is_empty() {
                self.marks.cells[i] = true;
                self.changed = true;
            }
            for lock in &common {
                self.locks[lock.index()].guards = true;
                self.judge(*lock);
            }
            self.cells[i].common = Some(common);
        }
        self.marks.cells[i]
    }

    /// Taking a lock while holding others; gives whether it is a step.
    pub fn lock(
        &mut self,
        lock: LockId,
        mode: Mode,
        task: TaskKey,
        held: &[(LockId, Mode)],
    ) -> bool {
        for (outer, _) in held {
            self.order(*outer, lock);
        }
        let watch = &mut self.locks[lock.index()];
        watch.who = watch.who.and(task);
        watch.exclusive |= mode == Mode::Exclusive;
        self.judge(lock);
        self.marks.locks[lock.index()]
    }

    /// Somebody tries a lock.
    pub fn tried(&mut self, lock: LockId, task: TaskKey) {
        let watch = &mut self.locks[lock.index()];
        watch.who = watch.who.and(task);
        if !self.fixed && !std::mem::replace(&mut self.marks.tried[lock.index()], true) {
            self.changed = true;
        }
        self.judge(lock);
    }

    /// Whether dropping a lock is a step: only where somebody tries it.
    pub fn unlock_is_step(&self, lock: LockId) -> bool {
        self.marks.unlock(lock)
    }

    /// A task is interrupted while holding these locks.
    pub fn interrupted(&mut self, held: &[(LockId, Mode)]) {
        for (lock, _) in held {
            self.locks[lock.index()].interrupted = true;
            self.judge(*lock);
        }
    }

    /// Notes that `inner` is taken under `outer`.
    fn order(&mut self, outer: LockId, inner: LockId) {
        if self.order.contains_edge(outer, inner) {
            return;
        }
        self.order.add_edge(outer, inner, ());
        if !has_path_connecting(&self.order, inner, outer, None) {
            return;
        }
        let components = tarjan_scc(&self.order);
        for lock in components
            .into_iter()
            .filter(|c| c.contains(&outer))
            .flatten()
        {
            self.locks[lock.index()].cyclic = true;
            self.judge(lock);
        }
    }

    fn judge(&mut self, lock: LockId) {
        let watch = &self.locks[lock.index()];
        let is_step = watch.who == Who::Many
            && watch.exclusive
            && (watch.guards
                || watch.interrupted
                || watch.cyclic
                || self.marks.tried[lock.index()]);
        if is_step && !self.fixed && !self.marks.locks[lock.index()] {
            self.marks.locks[lock.index()] = true;
            self.changed = true;
        }
    }
}
