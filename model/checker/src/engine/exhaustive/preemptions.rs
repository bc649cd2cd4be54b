//! A bound on how often a task is preempted on a schedule: interrupted where it could have gone on.
//!
//! What can be done with few preemptions is far less than what can be done, and shows most bugs
//! (Musuvathi & Qadeer, "Iterative context bounding for systematic testing of multithreaded programs",
//! 2007). Who went last and how often a task has been preempted are then a part of the state. Of
//! the tasks that can go all are let go, or only the one that went last: persistent sets take
//! away schedules for which another stands that may have more preemptions.
//!
//! A preemption is counted where the search has a choice. Where a step is more than one
//! operation, a schedule that preempts a task within it stands for one that does so before or after it.

use crate::event::TaskId;
use crate::hash::Rolling;

/// How the run has come to where it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Preemptions {
    /// Who went last.
    last: Option<TaskId>,
    /// That task could go on, when it was last looked.
    can_go_on: bool,
    /// How often a task has been preempted.
    count: u64,
}

impl Preemptions {
    /// Looks at who can go now.
    #[inline]
    pub(super) fn look(&mut self, enabled: &[TaskId]) {
        self.can_go_on = self.last.is_some_and(|last| enabled.contains(&last));
    }

    /// A task goes, of those that were looked at.
    #[inline]
    pub(super) fn go(&mut self, task: TaskId) {
        self.count += u64::from(self.can_go_on && self.last != Some(task));
        self.last = Some(task);
    }

    /// The only one that may go, if no more preemptions are allowed than `bound`.
    pub(super) fn only(&self, bound: u64) -> Option<TaskId> {
        self.last.filter(|_| self.can_go_on && self.count >= bound)
    }

    /// What tells apart states that are the same but for this.
    pub(super) fn fingerprint(&self) -> u128 {
        let last = self.last.filter(|_| self.can_go_on);
        let mut hash = Rolling::default();
        hash.push(last.map_or(0, |task| u64::from(task.0) + 1));
        hash.push(self.count);
        hash.finish()
    }
}
