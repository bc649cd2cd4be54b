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

mod saved;

use crate::backend::Mode;
use crate::layout::{CellId, Layout, LockId, LockKind};
use crate::model::Entry;
use petgraph::algo::{has_path_connecting, tarjan_scc};
use petgraph::graphmap::DiGraphMap;
use std::collections::BTreeSet;

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

/// Who touches something: a task, told apart from all others across runs and workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// What it runs.
    pub entry: Entry,
    /// How many tasks of that entry were created before it in the same run.
    pub nth: u32,
}

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

impl Who {
    fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Who::Nobody, who) | (who, Who::Nobody) => who,
            (Who::One(a), Who::One(b)) if a == b => self,
            _ => Who::Many,
        }
    }
}

impl CellWatch {
    fn merge(&mut self, other: &Self) {
        self.who = self.who.merge(other.who);
        self.written |= other.written;
        match (&mut self.common, &other.common) {
            (Some(mine), Some(theirs)) => mine.retain(|l| theirs.contains(l)),
            (None, Some(theirs)) => self.common = Some(theirs.clone()),
            (_, None) => {}
        }
    }
}

impl LockWatch {
    fn merge(&mut self, other: &Self) {
        self.who = self.who.merge(other.who);
        self.guards |= other.guards;
        self.interrupted |= other.interrupted;
        self.cyclic |= other.cyclic;
        self.exclusive |= other.exclusive;
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
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Watch {
    /// The marks that the search goes by.
    marks: Marks,
    /// The marks that are called for by what has been seen.
    wanted: Marks,
    cells: Vec<CellWatch>,
    locks: Vec<LockWatch>,
    /// The lock order: an edge to each lock that somebody took while holding another.
    order: DiGraphMap<LockId, ()>,
    changed: bool,
    fixed: bool,
    /// Which locks guard is judged with each access; otherwise only by [`Watch::settle`].
    eager: bool,
    /// Under weak memory: see [`Watch::weak`].
    is_weak: bool,
    /// Under weak memory, who does an smp_mb(), and the cells that are updated with one.
    mb: (Who, BTreeSet<CellId>),
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
            wanted: marks.clone(),
            marks,
            cells: vec![CellWatch::default(); layout.cells().len()],
            locks: locks.collect(),
            order: DiGraphMap::new(),
            changed: false,
            fixed,
            eager: true,
            is_weak: false,
            mb: <_>::default(),
        }
    }

    /// Starts with marks that are known to be called for.
    pub fn beginning_with(layout: &Layout, marks: Marks) -> Self {
        Self::with(layout, marks, false)
    }

    /// For weak memory, where a task sees what was done before a lock was dropped that it takes, whether
    /// the lock guards that or not. So who comes first counts, and taking a lock is a step if anybody
    /// else takes it. So is an update with an smp_mb() if anybody else does one, whoever touches the
    /// cell: an smp_mb() sees what those before it have seen, of whatever cell.
    #[must_use]
    pub fn weak(self) -> Self {
        Self {
            is_weak: true,
            ..self
        }
    }

    /// Whether it is for weak memory.
    pub(crate) fn is_weak(&self) -> bool {
        self.is_weak
    }

    /// The marks that the search goes by.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Whether more marks are called for than the search goes by.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// Lets the search go by all marks that are called for.
    pub fn activate(&mut self) {
        self.marks.clone_from(&self.wanted);
        self.changed = false;
    }

    /// Takes in what another has seen in the same search.
    pub fn merge(&mut self, other: &Watch) {
        for i in 0..self.cells.len() {
            self.cells[i].merge(&other.cells[i]);
            self.judge_cell(CellId(i as u32));
        }
        self.mb.0 = self.mb.0.merge(other.mb.0);
        self.mb.1.extend(&other.mb.1);
        self.judge_mb();
        for (outer, inner, ()) in other.order.all_edges() {
            self.order(outer, inner);
        }
        for i in 0..self.locks.len() {
            self.locks[i].merge(&other.locks[i]);
            self.wanted.tried[i] |= other.wanted.tried[i];
            self.judge(LockId(i as u32));
        }
        self.changed |= self.wanted != self.marks;
    }

    /// For each cell: whether several tasks touch it and somebody writes it.
    pub(crate) fn shared_cells(&self) -> impl Iterator<Item = bool> + '_ {
        let marks = self.wanted.cells.iter().zip(&self.marks.cells);
        let watches = self.cells.iter().zip(marks);
        watches.map(|(w, (m, a))| *m || *a || (w.who == Who::Many && w.written))
    }

    /// For each lock: whether somebody may find it taken. A lock that nobody is interrupted under
    /// is always free when a task is suspended: what it guards tells who conflicts. Under weak memory
    /// it counts all the same who is the first to take it.
    pub(crate) fn contended_locks(&self) -> impl Iterator<Item = bool> + '_ {
        let marks = self.wanted.tried.iter().zip(&self.marks.locks);
        let watches = self.locks.iter().zip(marks);
        watches.map(|(w, (tried, active))| {
            let is_shared = w.who == Who::Many && w.exclusive;
            let is_told_apart = self.is_weak || w.interrupted || w.cyclic || *tried;
            (self.fixed && *active) || (is_shared && is_told_apart)
        })
    }

    /// Whether somebody tries a lock.
    pub(crate) fn is_tried(&self, lock: LockId) -> bool {
        self.wanted.tried[lock.index()]
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
        if self.fixed || self.wanted.cells[i] {
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
        self.judge_cell(cell);
        self.marks.cells[i]
    }

    /// A task is about to update a cell with an smp_mb() before and after it.
    pub fn mb(&mut self, cell: CellId, task: TaskKey) {
        if self.is_weak {
            self.mb.0 = self.mb.0.and(task);
            self.mb.1.insert(cell);
            self.judge_mb();
        }
    }

    fn judge_mb(&mut self) {
        if self.mb.0 != Who::Many {
            return;
        }
        for cell in &self.mb.1 {
            self.changed |= !std::mem::replace(&mut self.wanted.cells[cell.index()], true);
        }
    }

    fn judge_cell(&mut self, cell: CellId) {
        let i = cell.index();
        let watch = &mut self.cells[i];
        if watch.who != Who::Many || !watch.written || self.wanted.cells[i] {
            return;
        }
        let common = watch.common.take().unwrap_or_default();
        if common.is_empty() {
            self.wanted.cells[i] = true;
            self.changed = true;
        }
        if self.eager {
            self.guard(&common);
        }
        self.cells[i].common = Some(common);
    }

    fn guard(&mut self, common: &[LockId]) {
        for lock in common {
            self.locks[lock.index()].guards = true;
            self.judge(*lock);
        }
    }

    /// From now on which locks guard is judged only by [`Watch::settle`]: the fewer accesses are
    /// known, the more locks seem to, so that it would depend on the order of the search.
    pub fn wait_for_settle(&mut self) {
        self.eager = false;
    }

    /// Judges which locks guard, when all accesses of the search are known.
    pub fn settle(&mut self) {
        for i in 0..self.cells.len() {
            let watch = &self.cells[i];
            if watch.who == Who::Many && watch.written {
                let common = watch.common.clone().unwrap_or_default();
                self.guard(&common);
            }
        }
        self.changed |= self.wanted != self.marks;
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
        if !self.fixed && !std::mem::replace(&mut self.wanted.tried[lock.index()], true) {
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
            && (self.is_weak
                || watch.guards
                || watch.interrupted
                || watch.cyclic
                || self.wanted.tried[lock.index()]);
        if is_step && !self.fixed && !self.wanted.locks[lock.index()] {
            self.wanted.locks[lock.index()] = true;
            self.changed = true;
        }
    }
}
