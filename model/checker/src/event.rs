//! What a recorded run consists of, step by step: the raw material of logs and witnesses.

use crate::layout::{CellId, LockId};

/// Number of a task within one run, in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u32);

impl TaskId {
    /// As an index into the tasks of a run.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who did it.
    pub task: TaskId,
    /// How many calls the task was deep in.
    pub depth: u32,
    /// What it was.
    pub what: What,
}

/// The kinds of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A kernel function was entered.
    Enter {
        /// The kernel function's name.
        function: &'static str,
        /// What it works on, as the model named it; empty if nothing.
        object: String,
    },
    /// The innermost function returned.
    Exit {
        /// The kernel function's name.
        function: &'static str,
        /// Return value as text; empty for void.
        ret: String,
    },
    /// A cell was read.
    Read {
        /// The cell.
        cell: CellId,
        /// What the task saw.
        value: u64,
    },
    /// A cell was written, or updated atomically.
    Write {
        /// The cell.
        cell: CellId,
        /// Content before.
        old: u64,
        /// Content after.
        new: u64,
    },
    /// A cell was read, but not the newest store of it: only under weak memory.
    StaleRead {
        /// The cell.
        cell: CellId,
        /// What the task saw.
        value: u64,
        /// What it would have seen under sequential consistency.
        newest: u64,
    },
    /// A cell was written, and stays as it was: the store comes before the newest one in coherence
    /// order. Only under weak memory.
    WriteBefore {
        /// The cell.
        cell: CellId,
        /// What the task wrote.
        new: u64,
        /// The content, before and after.
        newest: u64,
    },
    /// A lock was taken.
    Lock(LockId),
    /// A lock was dropped.
    Unlock(LockId),
    /// A task was created.
    Spawn(TaskId),
    /// The task waits: for a condition that does not hold, or for a lock that another has.
    Wait,
    /// Something that the model wants to be seen: a log line, a WARN.
    Note {
        /// The kind of note, in the model's own words (`printk`, `WARN`).
        kind: &'static str,
        /// The text.
        text: String,
    },
    /// The task died in an oops, with its locks held.
    Oops(String),
}
