//! What a scheduler that looks ahead learns of the tasks: the operation that each stands before,
//! and what the operations did.

use crate::backend::{Condition, Mode};
use crate::engine::schedule::Schedule;
use crate::layout::{CellId, LockId};
use std::sync::{Arc, Mutex};

/// An operation that is a step: a task is interrupted before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Operation {
    /// A load, a store or an atomic update.
    Access { cell: CellId, writes: bool },
    /// Takes a lock, waiting for it.
    Lock { lock: LockId, mode: Mode },
    /// Takes a lock for oneself alone, if that is possible at once.
    TryLock(LockId),
    /// Drops a lock that somebody tries.
    Unlock { lock: LockId, mode: Mode },
    /// Waits for a condition.
    Wait(Condition),
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Effect {
    /// A cell was written.
    Wrote { cell: CellId, old: u64, new: u64 },
    /// A lock was taken.
    Took { lock: LockId, mode: Mode },
    /// A lock was dropped.
    Dropped { lock: LockId, mode: Mode },
    /// The task of this number was created.
    Created(usize),
}

/// An operation that a task stands before, and where.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Pending {
    pub(in crate::engine) operation: Operation,
    /// The innermost function that the task is in.
    pub(in crate::engine) function: &'static str,
}

/// One run, as far as it has come.
#[derive(Debug, Default)]
pub(in crate::engine) struct Log {
    /// By task: the operation that it stands before; `None` while it is on its way to one.
    pub(in crate::engine) pending: Vec<Option<Pending>>,
    /// What has been done since somebody took these out.
    pub(in crate::engine) effects: Vec<Effect>,
    /// The choices so far, as the scheduler has made them.
    pub(in crate::engine) schedule: Schedule,
    /// By task: the functions that it is in.
    frames: Vec<Vec<&'static str>>,
}

/// A log that a world writes and a scheduler reads.
pub(in crate::engine) type SharedLog = Arc<Mutex<Log>>;

impl Log {
    /// A task is created; it has not begun.
    pub(super) fn create(&mut self, task: usize) {
        self.pending.push(None);
        self.frames.push(vec![]);
        self.effects.push(Effect::Created(task));
    }

    /// A task stands before an operation.
    pub(super) fn announce(&mut self, task: usize, operation: Operation) {
        let function = self.frames[task].last().copied().unwrap_or("?");
        self.pending[task] = Some(Pending {
            operation,
            function,
        });
    }

    /// A task enters a function.
    pub(super) fn enter(&mut self, task: usize, function: &'static str) {
        self.frames[task].push(function);
    }

    /// A task returns from its innermost function.
    pub(super) fn exit(&mut self, task: usize) {
        self.frames[task].pop();
    }
}
