//! Tasks that are suspended before each call, return and note, so that whoever lets them go can
//! hold those against a log. What is announced touches nothing of the world: where it stands
//! among the steps of other tasks is a matter of the log alone.

use super::{Machine, Pending};
use crate::backend::with;
use crate::engine::marks::TaskKey;
use crate::event::{TaskId, What};
use crate::model::Model;

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

    /// How many events have been recorded.
    pub(crate) fn events_so_far(&self) -> usize {
        self.state.borrow().events.as_ref().map_or(0, Vec::len)
    }

    /// Lets `look` read the world as it is, seen by nobody.
    pub(crate) fn peek<R>(&self, look: impl FnOnce() -> R) -> R {
        self.state.borrow_mut().peeking = true;
        let seen = with(self, look);
        self.state.borrow_mut().peeking = false;
        seen
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
            match &what {
                What::Enter { function, object } => {
                    task.past.push_str(function);
                    task.past.push_str(object);
                }
                What::Exit { function, ret } => {
                    task.past.push_str(function);
                    task.past.push_str(ret);
                }
                What::Note { kind, text } => {
                    task.past.push_str(kind);
                    task.past.push_str(text);
                }
                _ => {}
            }
            task.announced = Some(what);
        }
        self.suspend(Pending::Always);
        self.state.borrow_mut().task()?.announced.take()
    }
}
