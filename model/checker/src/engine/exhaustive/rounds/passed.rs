//! What happens on the way from one state to the next.

use super::slots::Slots;
use crate::engine::machine::record::Op;
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::layout::{CellId, LockId};
use crate::model::{Entry, Model};
use std::collections::BTreeSet;

/// Tasks by their slot: those from 127 on are one.
pub(super) type Tasks = u128;

pub(super) fn bit(slot: u32) -> Tasks {
    1 << slot.min(127)
}

/// What a task steps on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    Cell(CellId),
    Lock(LockId),
}

/// What has happened on the way from one state to the next.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    /// Who went.
    pub(super) goes: Tasks,
    /// Who could have gone somewhere on it.
    pub(super) can: Tasks,
    /// Who could have gone all the time.
    pub(super) always: Tasks,
    pub(super) on: BTreeSet<Object>,
    /// Who could have gone: the slot, and what runs there.
    pub(super) who: BTreeSet<(u32, Entry)>,
}

/// A run on its way from one state to the next.
#[derive(Clone, Debug)]
pub(in super::super) struct Passing {
    pub(super) slots: Slots,
    pub(super) passed: Passed,
    /// Who went wherever more than one could.
    pub(super) choices: Vec<TaskId>,
}

impl Passing {
    /// A run that sets out.
    pub(super) fn new(slots: Slots) -> Self {
        Self {
            slots,
            passed: Passed {
                goes: 0,
                can: 0,
                always: Tasks::MAX,
                on: BTreeSet::new(),
                who: BTreeSet::new(),
            },
            choices: vec![],
        }
    }

    /// A task is about to go, of those that can.
    pub(in super::super) fn add<M: Model>(
        &mut self,
        walk: &Walk<M>,
        task: TaskId,
        enabled: &[TaskId],
    ) {
        self.slots.follow(walk);
        let passed = &mut self.passed;
        let mut can = 0;
        for task in enabled {
            let slot = self.slots.of(*task);
            can |= bit(slot);
            passed.who.insert((slot, walk.key(*task).entry));
        }
        passed.goes |= bit(self.slots.of(task));
        passed.can |= can;
        passed.always &= can;
        passed.on.extend(stepped_on(walk, task));
        if enabled.len() > 1 {
            self.choices.push(task);
        }
    }
}

/// What the next step of a task is on.
fn stepped_on<M: Model>(walk: &Walk<M>, task: TaskId) -> Option<Object> {
    match walk.node(task).op {
        Op::Load { cell, .. }
        | Op::Store { cell, .. }
        | Op::Rmw { cell, .. }
        | Op::Release { cell, .. }
        | Op::Compound { first: cell, .. } => Some(Object::Cell(cell)),
        Op::Wait { condition, .. } => Some(Object::Cell(condition.cell)),
        Op::Lock { lock, .. } | Op::TryLock { lock } | Op::Unlock { lock, .. } => {
            Some(Object::Lock(lock))
        }
        Op::Start | Op::Ghost { .. } | Op::Spawn { .. } | Op::Ended => None,
    }
}
