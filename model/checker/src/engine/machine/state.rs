//! The state of a run, and who can go.

use super::Granularity;
use super::naming::Begun;
use super::record::Record;
use super::task::{Pending, Task};
use super::world::World;
use crate::backend::{Mode, Waiting};
use crate::engine::cycle::CycleDetection;
use crate::engine::lock_order::{Acquisition, Edge, LockOrder};
use crate::engine::marks::{TaskKey, Watch};
use crate::event::{Event, TaskId, What};
use crate::layout::{CellId, LockId};
use crate::model::Entry;
use std::collections::{HashMap, HashSet};

/// Stands for the set-up, which is no task.
const SET_UP: TaskId = TaskId(u32::MAX);

/// Stands for it where a task has a key.
pub(super) const SET_UP_KEY: TaskKey = TaskKey {
    entry: Entry {
        kind: u32::MAX,
        arg: 0,
    },
    nth: 0,
};

/// All that what follows depends on where a task forgets its past and is not interrupted: that past, the
/// world, and how many tasks there are.
type Checkpoint = (u128, u128, usize);

/// Where a run is, and what all runs have shown.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct State {
    pub(super) world: World,
    pub(super) tasks: Vec<Task>,
    pub(super) current: Option<TaskId>,
    pub(super) watch: Watch,
    /// The stack of each task: always the same for the same task.
    pub(super) slots: HashMap<TaskKey, u32>,
    pub(super) granularity: Granularity,
    pub(super) checkpoints: bool,
    /// Outside of tasks: reads are seen by nobody.
    pub(super) peeking: bool,
    /// The cells that any outcome has been read off, as bits.
    pub(super) peeked: Vec<bool>,
    /// The cells that the last look outside of tasks has read.
    pub(super) looked_at: Vec<CellId>,
    /// So far in this run only one task has done anything.
    pub(super) was_alone: bool,
    pub(super) events: Option<Vec<Event>>,
    /// Tasks are suspended before each call, return and note.
    pub(super) announces: bool,
    pub(super) limit: Option<String>,
    pub(super) operations: u64,
    /// Where the task that is resumed has forgotten its past since.
    pub(super) checkpoints_passed: CycleDetection<Checkpoint>,
    /// Functions that any run has entered.
    pub(super) reached: HashSet<&'static str>,
    /// The lock order of all runs.
    pub(super) lock_order: LockOrder,
    /// The set-up, as if it were a task: its calls and its locks.
    pub(super) set_up: Task,
    /// The step under way, if it is recorded.
    pub(super) record: Option<Record>,
    /// The operations that began, if they are noted.
    pub(super) begun: Option<Vec<Begun>>,
}

impl State {
    pub(super) fn create(&mut self, entry: Entry) -> TaskId {
        let nth = self.tasks.iter().filter(|t| t.entry == entry).count() as u32;
        let task = self.new_task(TaskKey { entry, nth });
        self.tasks.push(task);
        TaskId(self.tasks.len() as u32 - 1)
    }

    pub(super) fn new_task(&mut self, key: TaskKey) -> Task {
        let fresh = self.slots.len() as u32;
        let slot = *self.slots.entry(key).or_insert(fresh);
        Task::new(key, slot)
    }

    pub(super) fn is_enabled(&self, id: TaskId) -> bool {
        match self.tasks[id.index()].pending {
            Pending::Start | Pending::Access { .. } | Pending::Always => true,
            Pending::Lock { lock, mode } => self.world.is_free(lock, mode),
            Pending::Wait { condition, .. } => self.world.holds(condition),
            Pending::Ended => false,
        }
    }

    fn another_enabled(&self, current: TaskId) -> bool {
        (0..self.tasks.len() as u32)
            .map(TaskId)
            .any(|id| id != current && self.is_enabled(id))
    }

    /// Whether nobody but the current task has done anything in this run so far, or can: what it
    /// does comes before whatever the others will do, since it is who creates or wakes them.
    pub(super) fn is_alone(&mut self, current: TaskId) -> bool {
        match self.granularity {
            Granularity::Blocking => return true,
            Granularity::EachStep => return false,
            Granularity::Steps => {}
        }
        self.was_alone &= (0..self.tasks.len() as u32).map(TaskId).all(|id| {
            let is_idle = matches!(
                self.tasks[id.index()].pending,
                Pending::Wait {
                    waiting: Waiting::Idle,
                    ..
                }
            );
            id == current || (is_idle && !self.is_enabled(id))
        });
        self.was_alone
    }

    /// Whether to suspend the current task before a step.
    pub(super) fn may_suspend(&self, current: TaskId) -> bool {
        self.granularity == Granularity::EachStep || self.another_enabled(current)
    }

    /// The current task; the set-up, which is none, has a number of its own.
    pub(super) fn me(&self) -> TaskId {
        self.current.unwrap_or(SET_UP)
    }

    pub(super) fn task(&mut self) -> Option<&mut Task> {
        self.current.map(|id| &mut self.tasks[id.index()])
    }

    /// The current task, or the set-up.
    pub(super) fn doer(&mut self) -> &mut Task {
        match self.current {
            Some(id) => &mut self.tasks[id.index()],
            None => &mut self.set_up,
        }
    }

    /// The current task, or the set-up, is about to take a lock that it will wait for.
    pub(super) fn note_lock_order(&mut self, lock: LockId, mode: Mode) {
        let by = self.current.map(|id| self.tasks[id.index()].entry);
        let task = match self.current {
            Some(id) => &self.tasks[id.index()],
            None => &self.set_up,
        };
        let inner = Acquisition {
            lock,
            mode,
            function: task.function(),
        };
        for ((lock, mode), function) in task.held.iter().zip(&task.sites) {
            let outer = Acquisition {
                lock: *lock,
                mode: *mode,
                function,
            };
            let calls = task.frames.iter().filter(|f| !f.is_part);
            let calls = calls.map(|f| f.function);
            self.lock_order.note(Edge { outer, inner }, calls, by);
        }
    }

    pub(super) fn push_event(&mut self, what: What) {
        let (task, depth) = match self.current {
            Some(id) => (id, self.tasks[id.index()].frames.len() as u32),
            None => (SET_UP, 0),
        };
        if let Some(events) = &mut self.events {
            events.push(Event { task, depth, what });
        }
    }
}
