//! Work that workers leave to each other.

use super::{Frame, Worker};
use crate::engine::exhaustive::options::{Go, Progress};
use crate::engine::exhaustive::shared::{Job, Open};
use crate::model::Model;

impl<M: Model> Worker<'_, M> {
    pub(super) fn work(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        while let Some(job) = self.shared.take() {
            self.take_on(&job);
            self.search(progress);
        }
    }

    /// Goes to the states of a job.
    pub(super) fn take_on(&mut self, job: &Job) {
        let fits = self.follow(job, &mut |worker, here| {
            worker.go_on_at(here);
            Some(())
        });
        fits.expect("a job leads over its states");
    }

    /// Puts the current state on the path, with the choices that are left.
    pub(crate) fn go_on_at(&mut self, open: &Open) {
        // Under weak memory it was done on the way.
        if !self.walk.is_weak() {
            self.forget();
        }
        self.take_effects();
        self.preemptions.look(&self.enabled);
        let begin = self.choices.len();
        self.choices.extend_from_slice(&open.turns);
        let frame = Frame {
            first: open.first,
            is_fresh: open.is_fresh,
            share: open.share,
            ..self.frame(open.state, begin)
        };
        self.path.push(frame);
    }

    /// Leaves all states of the path; their untried choices become a job.
    pub(super) fn put_by(&mut self) {
        let is_untried = |frame: &Frame| frame.next < frame.end;
        if let Some(last) = self.path.iter().rposition(is_untried) {
            let way = self.trail[..self.path[last].depth].to_vec();
            let untried = (0..=last).filter(|at| is_untried(&self.path[*at]));
            let open = untried
                .map(|at| self.open(at, self.path[at].next))
                .collect();
            self.shared.leave(Job { way, open });
        }
        while !self.path.is_empty() {
            self.leave();
        }
        self.count();
        self.tell();
    }

    /// The choices of a state of the path from `from` on.
    fn open(&self, at: usize, from: usize) -> Open {
        let frame = &self.path[at];
        Open {
            steps: frame.steps,
            state: frame.state,
            first: frame.first + (from - frame.begin),
            turns: self.choices[from..frame.end].to_vec(),
            is_fresh: frame.is_fresh,
            share: frame.share,
        }
    }

    /// Leaves half of the untried choices of the shallowest state that has some to another worker.
    pub(super) fn share(&mut self) {
        let shallowest = self.path.iter().position(|f| f.next < f.end);
        let Some(at) = shallowest else { return };
        let untried = self.path[at].end - self.path[at].next;
        if at + 1 == self.path.len() && untried < 2 {
            return;
        }
        let from = self.path[at].next + untried / 2;
        let open = Open {
            is_fresh: false,
            ..self.open(at, from)
        };
        self.path[at].end = from;
        let way = self.trail[..self.path[at].depth].to_vec();
        self.shared.leave(Job {
            way,
            open: vec![open],
        });
    }
}
