//! Single steps of single tasks, from a copy of the task and whatever the world is now.

use super::memory::turns;
use super::record::{Op, Point, Record};
use super::stacks::Saved;
use super::world::World;
use super::{Granularity, Machine, Pending, Task};
use crate::engine::marks::{TaskKey, Watch};
use crate::engine::schedule::Turn;
use crate::event::TaskId;
use crate::layout::CellId;
use crate::model::Model;
use crate::outcome::{DataRace, Final};
use std::cell::RefMut;

/// Copy of a suspended task.
pub(crate) struct Suspended {
    task: Task,
    stack: Option<Saved>,
}

/// What came of one step.
pub(crate) struct Stepped {
    /// The points that the task went through.
    pub(crate) record: Record,
    /// The task as it is now; `None` if it has ended.
    pub(crate) suspended: Option<Suspended>,
}

impl<M: Model> Machine<M> {
    /// The world as it is.
    pub(crate) fn world(&self) -> RefMut<'_, World> {
        RefMut::map(self.state.borrow_mut(), |state| &mut state.world)
    }

    /// What the accesses say about the steps.
    pub(crate) fn watch(&self) -> RefMut<'_, Watch> {
        RefMut::map(self.state.borrow_mut(), |state| &mut state.watch)
    }

    /// The tasks so far, in order of their creation.
    pub(crate) fn tasks(&self) -> Vec<TaskKey> {
        self.state.borrow().tasks.iter().map(|t| t.key).collect()
    }

    /// From now on tasks are suspended before each step.
    pub(crate) fn suspend_at_each_step(&self) {
        self.state.borrow_mut().granularity = Granularity::EachStep;
    }

    /// From now on, right after [`Machine::reset`], tasks are suspended before each step, and need
    /// not see the newest. What one does that is alone goes before: what creates or wakes the
    /// others orders it.
    pub(crate) fn be_weak(&self) {
        let mut enabled = vec![];
        loop {
            self.enabled(&mut enabled);
            let [only] = enabled[..] else { break };
            if !self.state.borrow_mut().is_alone(only) {
                break;
            }
            self.step(only);
        }
        self.suspend_at_each_step();
        let locks = self.model.layout().locks().iter().map(|l| l.kind);
        let locks: Vec<_> = locks.collect();
        let tasks = self.tasks().len();
        let ended = self.ended();
        // What is no step commutes with whatever others do: they come before it or after it.
        let marks = self.marks();
        let cells = (0..self.kinds.len() as u32).map(CellId);
        let plain = cells.map(|cell| !marks.cell(cell)).collect();
        let mut world = self.world();
        world.be_weak(&locks, plain, tasks);
        for task in ended {
            world.end_task(task);
        }
    }

    fn ended(&self) -> Vec<TaskId> {
        let state = self.state.borrow();
        let tasks = (0..state.tasks.len() as u32).map(TaskId);
        tasks
            .filter(|t| state.tasks[t.index()].pending == Pending::Ended)
            .collect()
    }

    /// All choices under weak memory, in order of the tasks.
    pub(crate) fn turns(&self, into: &mut Vec<Turn>) {
        let state = self.state.borrow();
        turns(&state.world, state.tasks.iter().map(|t| &t.op), into);
    }

    /// Lets one task take a step under weak memory, or wait on.
    pub(crate) fn take_turn(&self, turn: Turn) {
        let goes = {
            let mut state = self.state.borrow_mut();
            let op = state.tasks[turn.task.index()].op;
            state.world.begin_turn(turn, &op)
        };
        if goes {
            self.step(turn.task);
        }
    }

    /// Where a task stands, with a copy of it if it has begun and not ended.
    pub(crate) fn standing(&self, task: TaskId) -> (Point, Option<Suspended>) {
        let state = self.state.borrow();
        let it = &state.tasks[task.index()];
        let is_under_way = !matches!(it.op, Op::Start | Op::Ended);
        let suspended = is_under_way.then(|| self.suspended(it));
        (it.point(), suspended)
    }

    fn suspended(&self, task: &Task) -> Suspended {
        let slot = task.slot as usize;
        Suspended {
            task: task.clone(),
            stack: self.stacks.borrow().save(slot, task.local, None),
        }
    }

    /// Lets task number `index` of `tasks` go on from where it was copied, or begin.
    pub(crate) fn step_from(
        &self,
        tasks: &[TaskKey],
        index: TaskId,
        from: Option<&Suspended>,
    ) -> Stepped {
        {
            let mut state = self.state.borrow_mut();
            state.tasks.clear();
            for key in tasks {
                let task = state.new_task(*key);
                state.tasks.push(task);
            }
            let task = &mut state.tasks[index.index()];
            if let Some(from) = from {
                task.clone_from(&from.task);
            }
            let stack = from.and_then(|f| f.stack.as_ref());
            self.stacks.borrow_mut().restore(task.slot as usize, stack);
            state.operations = 0;
            state.record = Some(Record::default());
        }
        self.step(index);
        let mut state = self.state.borrow_mut();
        let record = state.record.take().unwrap_or_default();
        let task = &state.tasks[index.index()];
        let is_over = matches!(task.op, Op::Ended);
        let suspended = (!is_over).then(|| self.suspended(task));
        Stepped { record, suspended }
    }

    /// The first point of a task.
    pub(crate) fn start(&self, key: TaskKey) -> Point {
        self.state.borrow_mut().new_task(key).point()
    }

    /// The outcome of a world in which nobody can go on, with the tasks at these points.
    pub(crate) fn finish_at(&self, points: &[&Point]) -> Final<M::Outcome> {
        {
            let mut state = self.state.borrow_mut();
            state.tasks.clear();
            for point in points {
                let mut task = state.new_task(point.identity.task);
                task.pending = point.op.pending();
                task.died = point.died;
                task.held.clone_from(&point.held);
                state.tasks.push(task);
            }
        }
        self.finish()
    }

    /// The data race between two tasks that are both about to do this, if it is one.
    pub(crate) fn data_race(&self, first: &Point, second: &Point) -> Option<DataRace> {
        let (cell, writes) = first.access()?;
        let (other, also_writes) = second.access()?;
        let conflicts = cell == other && (writes || also_writes) && self.is_plain(cell);
        conflicts.then(|| {
            self.race(
                cell,
                [(first.function, writes), (second.function, also_writes)],
            )
        })
    }
}

impl Point {
    /// The cell that the operation accesses if it is a step, and whether it writes it.
    fn access(&self) -> Option<(crate::layout::CellId, bool)> {
        match self.op.pending() {
            super::Pending::Access { cell, writes } => Some((cell, writes)),
            _ => None,
        }
    }
}
