//! Tasks by numbers that they keep wherever a run goes round.
//!
//! The numbers under which tasks were created do not do for that: states are merged whichever of
//! several tasks of one entry stands where, and a task that is created anew each time round has
//! another number each time.

use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;

/// A slot for each task that has not ended. It keeps it until it ends; then the slot is free for a
/// task that is created later. A slot in which two tasks have been is one whose task has gone, since
/// it has ended: so what is fair to slots is fair to tasks, and the other way round.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    tasks: Vec<Option<TaskId>>,
    /// Tasks below this number have been given a slot.
    created: u32,
}

/// The points where tasks stand, by slot, as their parts of the state's fingerprint; 0 where none is.
pub(super) type Standing = Vec<u128>;

impl Slots {
    /// Those of the tasks that are there, in the order in which they were created.
    pub(super) fn new<M: Model>(walk: &Walk<M>) -> Self {
        let mut slots = Self::default();
        slots.follow(walk);
        slots
    }

    /// Takes in who has ended and who was created.
    pub(super) fn follow<M: Model>(&mut self, walk: &Walk<M>) {
        for slot in &mut self.tasks {
            slot.take_if(|task| walk.has_ended(*task));
        }
        let all = walk.nodes().len() as u32;
        for task in (self.created..all).map(TaskId) {
            if walk.has_ended(task) {
                continue;
            }
            match self.tasks.iter_mut().find(|slot| slot.is_none()) {
                Some(free) => *free = Some(task),
                None => self.tasks.push(Some(task)),
            }
        }
        self.created = all;
    }

    /// Where the tasks stand.
    pub(super) fn standing<M: Model>(&self, walk: &Walk<M>) -> Standing {
        let slots = self.tasks.iter();
        slots
            .map(|slot| slot.map_or(0, |task| walk.node(task).fingerprint))
            .collect()
    }

    /// Those with which tasks stand like this, in a run that has come to the same state. Of tasks that
    /// stand alike any may be in any of their slots.
    pub(super) fn at<M: Model>(walk: &Walk<M>, standing: &Standing) -> Self {
        let created = walk.nodes().len() as u32;
        let mut alive: Vec<TaskId> = (0..created).map(TaskId).collect();
        alive.retain(|task| !walk.has_ended(*task));
        let mut take = |part: u128| {
            let at = alive
                .iter()
                .position(|t| walk.node(*t).fingerprint == part)?;
            Some(alive.remove(at))
        };
        Self {
            tasks: standing.iter().map(|part| take(*part)).collect(),
            created,
        }
    }

    /// The slot of a task that has not ended.
    pub(super) fn of(&self, task: TaskId) -> u32 {
        let slot = self.tasks.iter().position(|t| *t == Some(task));
        slot.expect("the task has not ended") as u32
    }

    /// The task in a slot.
    pub(super) fn task(&self, slot: u32) -> TaskId {
        self.tasks[slot as usize].expect("a task that can go is there")
    }
}
