//! What tasks are about to do, for schedules that name it.

use super::record::Op;
use super::{Machine, Pending, State};
use crate::event::TaskId;
use crate::model::Model;

/// An operation that a task has begun: it is about to do it, or has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    /// Who.
    pub(crate) task: TaskId,
    /// The innermost function.
    pub(crate) function: &'static str,
    /// What.
    pub(crate) op: Op,
}

impl State {
    /// The current task begins an operation.
    #[cold]
    pub(super) fn note_begun(&mut self, op: Op) {
        let Some(task) = self.current else { return };
        let function = self.tasks[task.index()].function();
        let begun = Begun { task, function, op };
        self.begun.get_or_insert_default().push(begun);
    }
}

impl<M: Model> Machine<M> {
    /// From now on each operation that begins is noted.
    pub(crate) fn note_begun(&self) {
        self.state.borrow_mut().begun = Some(vec![]);
    }

    /// What has begun since this was asked for last.
    pub(crate) fn take_begun(&self, into: &mut Vec<Begun>) {
        into.clear();
        if let Some(begun) = &mut self.state.borrow_mut().begun {
            into.append(begun);
        }
    }

    /// Whether a task has begun, if it is only to be let begin.
    pub(crate) fn has_begun(&self, task: TaskId) -> bool {
        self.state.borrow().tasks[task.index()].pending != Pending::Start
    }

    /// Whether a task has ended or died.
    pub(crate) fn has_ended(&self, task: TaskId) -> bool {
        self.state.borrow().tasks[task.index()].pending == Pending::Ended
    }

    /// Who has the lock that a task is about to take.
    pub(crate) fn holder(&self, task: TaskId) -> Option<TaskId> {
        let state = self.state.borrow();
        let Pending::Lock { lock, .. } = state.tasks[task.index()].pending else {
            return None;
        };
        let holds = |t: &super::Task| t.held.iter().any(|(held, _)| *held == lock);
        let holder = state.tasks.iter().position(holds)?;
        Some(TaskId(holder as u32))
    }
}
