//! Tasks that are suspended before each call, return and note, so that whoever lets them go can
//! hold those against a log. What is announced touches nothing of the world: where it stands
//! among the steps of other tasks is a matter of the log alone.

use super::record::{Op, Record};
use super::{Machine, Pending, State, Task};
use crate::backend::with;
use crate::engine::marks::TaskKey;
use crate::event::{TaskId, What};
use crate::hash::Rolling;
use crate::layout::{CellId, LockId};
use crate::model::Model;

/// Where a task stands that has not ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    /// The place in the code: what it runs, the calls that it is in, with what they work on, and
    /// what it is about to do. What it has observed on the way makes no difference.
    pub(crate) place: u128,
    /// What it is about to do to the world; `None` if it is about to call, return or note.
    pub(crate) op: Option<Op>,
    /// Whether it can go.
    pub(crate) is_able: bool,
}

impl Task {
    /// See [`Stand::place`].
    pub(super) fn where_it_is(&self) -> u128 {
        let mut place = Rolling::default();
        place.push(u64::from(self.entry.kind));
        place.push(self.entry.arg);
        for frame in &self.frames {
            place.push_str(frame.function);
            place.push(frame.object);
        }
        match &self.announced {
            Some(what) => push_event(&mut place, what),
            None => place.push(self.op.pending().code()),
        }
        place.finish()
    }
}

/// Adds an event that is told to a hash.
fn push_event(hash: &mut Rolling, what: &What) {
    let (first, second): (&str, &str) = match what {
        What::Enter { function, object } => (function, object),
        What::Exit { function, ret } => (function, ret),
        What::Note { kind, text } => (kind, text),
        _ => return,
    };
    hash.push_str(first);
    hash.push_str(second);
}

impl<M: Model> Machine<M> {
    /// From now on calls, returns and notes are announced.
    pub(crate) fn announce_calls(&self) {
        self.state.borrow_mut().announces = true;
    }

    /// What a task is about to call, return from or note, if it is suspended before that.
    pub(crate) fn announced(&self, task: TaskId) -> Option<What> {
        self.state.borrow().tasks[task.index()].announced.clone()
    }

    /// The tasks so far, in order of their creation, with whether each has ended.
    pub(crate) fn standings(&self) -> Vec<(TaskKey, bool)> {
        let state = self.state.borrow();
        let tasks = state.tasks.iter();
        tasks
            .map(|t| (t.key, t.pending == Pending::Ended))
            .collect()
    }

    /// Lets `look` read the world as it is, seen by nobody.
    pub(crate) fn peek<R>(&self, look: impl FnOnce() -> R) -> R {
        {
            let mut state = self.state.borrow_mut();
            state.peeking = true;
            state.looked_at.clear();
        }
        let seen = with(self, look);
        self.state.borrow_mut().peeking = false;
        seen
    }

    /// As [`Machine::peek`], of what a task that is about to call, return or note is to show: as
    /// far as steps are concerned it is the task that reads. Gives the cells too.
    pub(crate) fn peek_for<R>(&self, task: TaskId, look: impl FnOnce() -> R) -> (R, Vec<CellId>) {
        let seen = self.peek(look);
        let mut state = self.state.borrow_mut();
        let State {
            looked_at,
            watch,
            tasks,
            ..
        } = &mut *state;
        let task = &tasks[task.index()];
        for cell in &*looked_at {
            watch.access(*cell, false, task.key, &task.held);
        }
        (seen, looked_at.clone())
    }

    /// Where a task stands, unless it has ended.
    pub(crate) fn stand(&self, id: TaskId) -> Option<Stand> {
        let state = self.state.borrow();
        let task = &state.tasks[id.index()];
        if task.pending == Pending::Ended {
            return None;
        }
        Some(Stand {
            place: match task.pending {
                Pending::Start => task.where_it_is(),
                _ => task.place,
            },
            op: task.announced.is_none().then_some(task.op),
            is_able: state.is_enabled(id),
        })
    }

    /// How many tasks there are so far.
    pub(crate) fn task_count(&self) -> usize {
        self.state.borrow().tasks.len()
    }

    /// The tasks that hold a lock.
    pub(crate) fn holders(&self, lock: LockId) -> Vec<TaskId> {
        let state = self.state.borrow();
        let tasks = (0..).map(TaskId).zip(&state.tasks);
        let holds = tasks.filter(|(_, t)| t.held.iter().any(|(held, _)| *held == lock));
        holds.map(|(id, _)| id).collect()
    }

    /// Lets one task go on, as [`Machine::step`]; gives the operations that it has done.
    pub(crate) fn step_seen(&self, task: TaskId) -> Vec<Op> {
        let first = {
            let mut state = self.state.borrow_mut();
            state.record = Some(Record::default());
            let task = &state.tasks[task.index()];
            task.announced.is_none().then_some(task.op)
        };
        self.step(task);
        let mut state = self.state.borrow_mut();
        let begun = state.record.take().unwrap_or_default().points;
        let mut done: Vec<Op> = first.into_iter().collect();
        done.extend(begun.iter().map(|point| point.op));
        // Before a call nothing has been begun that is not done.
        if state.tasks[task.index()].announced.is_none() {
            done.pop();
        }
        done
    }

    /// Suspends the current task before this event if such events are announced. Gives the event
    /// back, to be recorded. While the task is suspended the machine keeps it: a suspended task
    /// owns no heap memory.
    pub(super) fn announce(&self, what: What) -> Option<What> {
        let suspends = {
            let state = self.state.borrow();
            let is_told = matches!(
                what,
                What::Enter { .. } | What::Exit { .. } | What::Note { .. }
            );
            state.announces && is_told && state.current.is_some()
        };
        if !suspends {
            return Some(what);
        }
        {
            let mut state = self.state.borrow_mut();
            let task = state.task()?;
            // Two points of a task between which it does nothing to the world are two states.
            push_event(&mut task.past, &what);
            task.announced = Some(what);
        }
        self.suspend(Pending::Always);
        self.state.borrow_mut().task()?.announced.take()
    }
}
