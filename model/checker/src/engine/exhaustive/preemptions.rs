//! A bound on how often a task is preempted on a schedule: interrupted where it could have gone on.
//!
//! What can be done with few preemptions is far less than what can be done, and shows most bugs
//! (Musuvathi & Qadeer, "Iterative context bounding for systematic testing of multithreaded programs",
//! 2007). Who went last and how often a task has been preempted are then a part of the state. Of
//! the tasks that can go all are let go, or only the one that went last: persistent sets take
//! away schedules for which another stands that may have more preemptions.
//!
//! A preemption is counted where the search has a choice. Under weak memory what a step sees counts for
//! nothing: a bound of no preemptions at all leaves all stale reads to be had.

use super::worker::Worker;
use crate::event::TaskId;
use crate::hash::Rolling;
use crate::model::Model;

/// Of the states without a choice one in so many is kept: ways from one choice to the next are long
/// where there is a bound, and many come together.
const KEPT: u128 = 4;

/// How the run has come to where it is; nothing is kept of it where there is no bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preemptions {
    /// Who went last.
    last: Option<TaskId>,
    /// That task could go on, when it was last looked.
    can_go_on: bool,
    /// How often a task may still be preempted; `None` is no bound.
    left: Option<u64>,
}

impl Preemptions {
    /// At the start, with a bound or without.
    pub(super) fn new(bound: Option<u64>) -> Self {
        Self {
            last: None,
            can_go_on: false,
            left: bound,
        }
    }

    pub(super) fn are_bounded(&self) -> bool {
        self.left.is_some()
    }

    /// Looks at who can go now.
    #[inline]
    pub(super) fn look(&mut self, enabled: &[TaskId]) {
        if self.are_bounded() {
            self.can_go_on = self.last.is_some_and(|last| enabled.contains(&last));
        }
    }

    /// A task goes, of those that were looked at.
    #[inline]
    fn go(&mut self, task: TaskId) {
        let Some(left) = &mut self.left else { return };
        if self.can_go_on && self.last != Some(task) {
            *left = left.saturating_sub(1);
        }
        self.last = Some(task);
    }

    /// The only one that may go, if it can and no other may preempt it.
    fn only(&self) -> Option<TaskId> {
        self.last.filter(|_| self.can_go_on && self.left == Some(0))
    }

    /// What tells apart states that are the same but for this; tasks by where they stand, `of` which this
    /// is the fingerprint: their numbers go by the order in which they were created.
    fn fingerprint(&self, of: impl Fn(TaskId) -> u128) -> u128 {
        let Some(left) = self.left else { return 0 };
        let last = self.last.filter(|_| self.can_go_on).map_or(0, of);
        let mut hash = Rolling::default();
        hash.push_hash(last);
        hash.push(left);
        hash.finish()
    }
}

impl<M: Model> Worker<'_, M> {
    /// Lets only the task go that went last, if it can and no other may preempt it.
    pub(super) fn keep_to_preemptions(&mut self) {
        self.preemptions.look(&self.enabled);
        if let Some(only) = self.preemptions.only() {
            self.let_go.retain(|turn| turn.task == only);
            self.shared.leaves_out();
        }
    }

    /// A task is about to go, which may preempt another. One that only begins preempts nobody: what
    /// it does up to its first step is seen by nobody, and who created it goes on.
    pub(super) fn counts_preemption(&mut self, task: TaskId) {
        if self.preemptions.are_bounded() && !self.walk.begins(task) {
            self.preemptions.go(task);
        }
    }

    /// Whether a state without a choice is one of those that are kept: which, goes by the state alone.
    pub(super) fn is_kept_on_the_way(&mut self) -> bool {
        self.preemptions.are_bounded()
            && self.enabled.len() > 1
            && self.fingerprint().is_multiple_of(KEPT)
    }

    /// What tells apart states that are the same but for preemptions; at an end these make no difference.
    pub(super) fn preemptions_fingerprint(&mut self) -> u128 {
        if self.enabled.is_empty() {
            return 0;
        }
        self.preemptions.look(&self.enabled);
        let walk = &self.walk;
        self.preemptions.fingerprint(|task| walk.standing(task))
    }
}
