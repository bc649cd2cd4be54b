//! The record of one step of one task: its operations and what each of them observed.
//!
//! Of such records the exhaustive search builds the [`crate::engine::automaton`] of each task.

use super::{Pending, State, Task};
use crate::backend::{Condition, Mode, Order, Rmw, Waiting};
use crate::engine::marks::TaskKey;
use crate::engine::weak::Strength;
use crate::hash::Rolling;
use crate::layout::{CellId, LockId};
use crate::model::Entry;

/// An operation of a task, with all that decides what it does to the world beside the world.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// The task has not begun.
    Start,
    /// A read.
    Load { cell: CellId, order: Order },
    /// A write.
    Store {
        cell: CellId,
        value: u64,
        order: Order,
    },
    /// An atomic update.
    Rmw {
        cell: CellId,
        op: Rmw,
        strength: Strength,
    },
    /// An update that can only let others go on.
    Release { cell: CellId, op: Rmw },
    /// A step on all cells of an object.
    Compound { first: CellId, writes: bool },
    /// A change of monitor state.
    Ghost { cell: CellId, op: Rmw },
    /// Taking a lock.
    Lock { lock: LockId, mode: Mode },
    /// Trying to take a lock.
    TryLock { lock: LockId },
    /// Dropping a lock.
    Unlock { lock: LockId, mode: Mode },
    /// Waiting for a condition.
    Wait {
        condition: Condition,
        waiting: Waiting,
        order: Order,
    },
    /// Creating a task.
    Spawn { entry: Entry },
    /// Nothing any more: the task has ended, or died with its locks held.
    Ended,
}

impl Op {
    /// What a task is about to do that is suspended before it.
    pub(super) fn pending(self) -> Pending {
        match self {
            Op::Start => Pending::Start,
            Op::Load { cell, .. } => Pending::Access {
                cell,
                writes: false,
            },
            Op::Store { cell, .. } | Op::Rmw { cell, .. } => Pending::Access { cell, writes: true },
            Op::Compound { first, writes } => Pending::Access {
                cell: first,
                writes,
            },
            Op::Lock { lock, mode } => Pending::Lock { lock, mode },
            Op::Wait {
                condition, waiting, ..
            } => Pending::Wait { condition, waiting },
            Op::Ended => Pending::Ended,
            Op::TryLock { .. }
            | Op::Unlock { .. }
            | Op::Release { .. }
            | Op::Ghost { .. }
            | Op::Spawn { .. } => Pending::Always,
        }
    }

    /// Whether `other` is the same operation, as far as that can be told: functions that update a
    /// cell cannot be compared.
    pub(crate) fn is_like(&self, other: &Op) -> bool {
        match (self, other) {
            (Op::Load { cell: a, .. }, Op::Load { cell: b, .. })
            | (Op::Release { cell: a, .. }, Op::Release { cell: b, .. })
            | (Op::Ghost { cell: a, .. }, Op::Ghost { cell: b, .. })
            | (Op::Rmw { cell: a, .. }, Op::Rmw { cell: b, .. })
            | (Op::Compound { first: a, .. }, Op::Compound { first: b, .. }) => a == b,
            (
                Op::Store {
                    cell: a, value: v, ..
                },
                Op::Store {
                    cell: b, value: w, ..
                },
            ) => a == b && v == w,
            (Op::Lock { lock: a, mode: m }, Op::Lock { lock: b, mode: n })
            | (Op::Unlock { lock: a, mode: m }, Op::Unlock { lock: b, mode: n }) => {
                a == b && m == n
            }
            (Op::TryLock { lock: a }, Op::TryLock { lock: b }) => a == b,
            (Op::Wait { condition: a, .. }, Op::Wait { condition: b, .. }) => a == b,
            (Op::Spawn { entry: a }, Op::Spawn { entry: b }) => a == b,
            (Op::Start, Op::Start) | (Op::Ended, Op::Ended) => true,
            _ => false,
        }
    }
}

/// What an operation observed of the world.
#[derive(Clone, Debug)]
pub(crate) enum Observed {
    /// Nothing: what comes next does not depend on the world.
    Nothing,
    /// A cell's content, or whether a lock was free.
    Value(u64),
    /// The cells of an object, and what was made of them.
    Content { before: Vec<u64>, after: Vec<u64> },
}

/// What tells a task's points apart: two points with the same identity go on alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    /// The task.
    pub(crate) task: TaskKey,
    /// Hash of its past, of the locks that it holds, and of what no fingerprint knows of.
    pub(crate) hash: u128,
}

/// What tells points apart by what comes behind them: tasks of the same entry with the same past go
/// on alike, whichever of them it is. Tasks that stand at points that are alike have the same part of the
/// state's fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Likeness {
    /// What the task runs.
    pub(crate) entry: Entry,
    /// See [`Identity`].
    pub(crate) hash: u128,
}

impl Identity {
    /// What the point has in common with those of other tasks.
    pub(crate) fn likeness(&self) -> Likeness {
        Likeness {
            entry: self.task.entry,
            hash: self.hash,
        }
    }
}

/// A point of a task: right before an operation.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Which point it is.
    pub(crate) identity: Identity,
    /// The operation.
    pub(crate) op: Op,
    /// The innermost function.
    pub(crate) function: &'static str,
    /// Whether the task died in an oops.
    pub(crate) died: bool,
    /// The task's past begins here: nothing before it decides how the task goes on.
    pub(crate) begins_anew: bool,
    /// The locks held.
    pub(crate) held: Vec<(LockId, Mode)>,
    /// What the operation observed. Of the last point of a step: nothing yet.
    pub(crate) observed: Observed,
    /// The task's part of the state's fingerprint.
    pub(crate) fingerprint: u128,
}

/// The points that a task has gone through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// In order. What the first point's operation observed is in `resumed` if the task was
    /// suspended there.
    pub(crate) points: Vec<Point>,
    /// What the operation observed before which the step began.
    pub(crate) resumed: Option<Observed>,
}

impl Record {
    /// What the operation that was begun last has observed.
    pub(super) fn observed(&mut self, what: Observed) {
        match self.points.last_mut() {
            Some(point) => point.observed = what,
            None => self.resumed = Some(what),
        }
    }
}

impl State {
    /// Adds a point to the record, if one is made.
    pub(super) fn begin(&mut self, op: Op) {
        let Some(task) = self.task() else { return };
        task.op = op;
        let begins_anew = std::mem::take(&mut task.begins_anew);
        if self.begun.is_some() {
            self.note_begun(op);
        }
        if self.record.is_none() {
            return;
        }
        let point = self.task().map(|task| Point {
            begins_anew,
            ..task.point()
        });
        if let (Some(point), Some(record)) = (point, &mut self.record) {
            record.points.push(point);
        }
    }

    /// The current task has done something that its past does not tell.
    pub(super) fn unseen(&mut self, what: u64) {
        if let Some(task) = self.task() {
            let mut hash = Rolling::default();
            hash.push(task.unseen);
            hash.push(what);
            task.unseen = hash.finish() as u64;
        }
    }
}

impl Task {
    /// The task's point before the operation that it began last.
    pub(super) fn point(&self) -> Point {
        let op = self.op;
        let mut identity = self.past;
        for (lock, mode) in &self.held {
            identity.push((u64::from(lock.0) << 1) | u64::from(*mode == Mode::Shared));
        }
        identity.push(self.unseen);
        identity.push(u64::from(self.died));
        identity.push(match op {
            Op::Start => 1,
            Op::Ended => 2,
            _ => 0,
        });
        Point {
            identity: Identity {
                task: self.key,
                hash: identity.finish(),
            },
            op,
            function: self.frames.last().map_or("?", |f| f.function),
            died: self.died,
            begins_anew: self.begins_anew,
            held: self.held.clone(),
            observed: Observed::Nothing,
            fingerprint: self.fingerprint(op.pending()),
        }
    }
}
