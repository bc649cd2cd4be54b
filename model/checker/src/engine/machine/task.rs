//! A task of a run: what it is about to do, where it is, and what it holds.

use super::record::Op;
use crate::backend::{Condition, Mode, Waiting};
use crate::engine::marks::TaskKey;
use crate::event::What;
use crate::hash::Rolling;
use crate::layout::{CellId, LockId};
use crate::model::Entry;
use corosensei::Yielder;
use std::ptr;

/// What a suspended task is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// It has not begun.
    Start,
    /// An access of a cell.
    Access { cell: CellId, writes: bool },
    /// Taking a lock.
    Lock { lock: LockId, mode: Mode },
    /// Trying to take a lock, or dropping one: always possible.
    Always,
    /// Waiting for a condition.
    Wait {
        condition: Condition,
        waiting: Waiting,
    },
    /// Nothing any more: it has ended, or died with its locks held.
    Ended,
}

impl Pending {
    /// For the fingerprint.
    pub(super) fn code(self) -> u64 {
        match self {
            Pending::Start => 1,
            Pending::Access { cell, writes } => {
                2 + (u64::from(cell.0) << 8) + (u64::from(writes) << 7)
            }
            Pending::Lock { lock, mode } => {
                3 + (u64::from(lock.0) << 8) + (u64::from(mode == Mode::Shared) << 7)
            }
            Pending::Always => 4,
            Pending::Wait { condition, .. } => 5 + (u64::from(condition.cell.0) << 8),
            Pending::Ended => 6,
        }
    }
}

/// A call that a task is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) function: &'static str,
    pub(super) object: u64,
    /// A part of the function above it, not a call.
    pub(super) is_part: bool,
}

/// A task of a run.
pub(super) struct Task {
    pub(super) entry: Entry,
    pub(super) key: TaskKey,
    /// Number of the stack that it runs on.
    pub(super) slot: u32,
    pub(super) pending: Pending,
    /// The operation that it began last.
    pub(super) op: Op,
    pub(super) died: bool,
    /// What it has done and observed.
    pub(super) past: Rolling,
    /// Nothing has been recorded since its past began.
    pub(super) begins_anew: bool,
    /// What it has done since then that its past does not tell: changes of monitor state.
    pub(super) unseen: u64,
    pub(super) frames: Vec<Frame>,
    pub(super) held: Vec<(LockId, Mode)>,
    /// The functions that took them.
    pub(super) sites: Vec<&'static str>,
    pub(super) yielder: *const Yielder<(), ()>,
    /// The call, return or note that it is about to make, if those are announced.
    pub(super) announced: Option<What>,
    /// Where it stands in the code if those are announced: see [`super::announce::Stand::place`].
    pub(super) place: u128,
    /// Address of a local of [`super::Machine::suspend`] on the task's stack, while it is suspended.
    pub(super) local: usize,
}

/// By hand, since a copy of a state goes where an older one was: `clone_from` keeps the memory.
impl Clone for Task {
    fn clone(&self) -> Self {
        let frames = self.frames.clone();
        let held = self.held.clone();
        let sites = self.sites.clone();
        let announced = self.announced.clone();
        Self {
            frames,
            held,
            sites,
            announced,
            ..*self
        }
    }

    fn clone_from(&mut self, from: &Self) {
        let mut frames = std::mem::take(&mut self.frames);
        let mut held = std::mem::take(&mut self.held);
        frames.clone_from(&from.frames);
        held.clone_from(&from.held);
        let mut sites = std::mem::take(&mut self.sites);
        sites.clone_from(&from.sites);
        let announced = from.announced.clone();
        *self = Self {
            frames,
            held,
            sites,
            announced,
            ..*from
        };
    }
}

impl Task {
    /// A task that has not begun.
    pub(super) fn new(key: TaskKey, slot: u32) -> Self {
        Self {
            entry: key.entry,
            key,
            slot,
            pending: Pending::Start,
            op: Op::Start,
            died: false,
            past: Rolling::default(),
            begins_anew: true,
            unseen: 0,
            frames: vec![],
            held: vec![],
            sites: vec![],
            yielder: ptr::null(),
            announced: None,
            place: 0,
            local: 0,
        }
    }

    /// The innermost function that it is in.
    pub(super) fn function(&self) -> &'static str {
        let calls = self.frames.iter().rev().find(|f| !f.is_part);
        calls.map_or("?", |f| f.function)
    }

    /// It has a lock.
    pub(super) fn hold(&mut self, lock: LockId, mode: Mode) {
        let site = self.function();
        self.held.push((lock, mode));
        self.sites.push(site);
    }

    /// It lets go of a lock that it has.
    pub(super) fn let_go(&mut self, lock: LockId, mode: Mode) {
        let at = self.held.iter().rposition(|h| *h == (lock, mode));
        let at = at.expect("what is held is listed");
        self.held.remove(at);
        self.sites.remove(at);
    }

    /// Its part of the state's fingerprint, when it is about to do `pending`: none once it has
    /// ended without a lock.
    pub(super) fn fingerprint(&self, pending: Pending) -> u128 {
        if pending == Pending::Ended && self.held.is_empty() {
            return 0;
        }
        let mut hash = self.past;
        hash.push(u64::from(self.entry.kind));
        hash.push(self.entry.arg);
        hash.push(pending.code());
        for (lock, mode) in &self.held {
            hash.push((u64::from(lock.0) << 1) | u64::from(*mode == Mode::Shared));
        }
        hash.finish()
    }
}
