//! Going to the states of a job.

use super::shared::{Job, Open};
use super::worker::Worker;
use crate::model::Model;
use std::cmp::Ordering;

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
        while let Some(next) = open.peek() {
            match self.steps.cmp(&next.steps) {
                Ordering::Less => {}
                Ordering::Equal => {
                    at(self, next)?;
                    open.next();
                    continue;
                }
                Ordering::Greater => return None,
            }
            let turn = match self.enabled[..] {
                [only] => only.into(),
                _ => *job.way.get(self.trail.len())?,
            };
            self.enabled.contains(&turn.task).then(|| self.step(turn))?;
        }
        (self.trail.len() == job.way.len()).then_some(())
    }

    /// As [`Worker::follow`], under weak memory: over the same states as the search, at each of which it
    /// has forgotten what no task will see any more.
    fn follow_and_forget(
        &mut self,
        job: &Job,
        at: &mut dyn FnMut(&mut Self, &Open) -> Option<()>,
    ) -> Option<()> {
        let mut open = job.open.iter().peekable();
        loop {
            self.forced(|_| ());
            let here = self.settle();
            if let Some(open) = open.next_if(|open| open.steps == self.steps) {
                if here != self.shared.visited.fingerprint(open.state) {
                    return None;
                }
                at(self, open)?;
            }
            match open.peek() {
                None => return (self.trail.len() == job.way.len()).then_some(()),
                Some(next) if next.steps <= self.steps => return None,
                Some(_) => {}
            }
            let next = if self.has_choice() {
                job.way.get(self.trail.len())
            } else {
                self.let_go.first()
            };
            let turn = *next.filter(|turn| self.let_go.contains(turn))?;
            self.step(turn);
        }
    }
}
