//! Going to the states of a job.

use super::shared::{Job, Open};
use super::worker::Worker;
use crate::model::Model;

impl<M: Model> Worker<'_, M> {
    /// Goes the way of a job from the start, and calls `at` at each of its states with untried choices.
    /// `None` if the way does not lead over them, or `at` says so.
    pub(super) fn follow(
        &mut self,
        job: &Job,
        at: &mut dyn FnMut(&mut Self, &Open) -> Option<()>,
    ) -> Option<()> {
        self.begin();
        if self.walk.is_weak() {
            return self.follow_and_forget(job, at);
        }
        let mut open = job.open.iter().peekable();
        for depth in 0..=job.way.len() {
            self.sole();
            if let Some(here) = open.next_if(|o| o.depth == depth) {
                at(self, here)?;
            }
            if let Some(turn) = job.way.get(depth) {
                self.enabled
                    .contains(&turn.task)
                    .then(|| self.step(*turn))?;
            }
        }
        open.peek().is_none().then_some(())
    }

    /// As [`Worker::follow`], under weak memory: over the same states as the search, at each of which it
    /// has forgotten what no task will see any more.
    fn follow_and_forget(
        &mut self,
        job: &Job,
        at: &mut dyn FnMut(&mut Self, &Open) -> Option<()>,
    ) -> Option<()> {
        let mut open = job.open.iter().peekable();
        // A way comes to each state once.
        for _ in 0..=self.shared.states() {
            self.forced(|_| ());
            let here = (self.trail.len(), self.settle());
            let fingerprint = |open: &Open| self.shared.visited.fingerprint(open.state);
            if let Some(open) = open.next_if(|o| (o.depth, fingerprint(o)) == here) {
                at(self, open)?;
            }
            if open.peek().is_none() {
                return (self.trail.len() == job.way.len()).then_some(());
            }
            let next = if self.has_choice() {
                job.way.get(self.trail.len())
            } else {
                self.let_go.first()
            };
            let turn = *next.filter(|turn| self.let_go.contains(turn))?;
            self.step(turn);
        }
        None
    }
}
