//! Sleep sets: tasks that need not be let go at a state since that was done before, on a way that
//! differs in the order of independent steps alone (Godefroid, "Partial-order methods for the
//! verification of concurrent systems", 1996, chapter 5).
//!
//! A task that was let go at a state sleeps when its siblings are let go, until somebody takes a
//! step that touches what its own next step touches. Where states are merged, each keeps those of
//! its choices that slept whenever it was come to; if it is come to again and one of them does not
//! sleep, that one is tried then.
//!
//! Whether two steps touch the same is known as far as it was learnt ([`Footprints`]). What was
//! relied on is kept, and looked at again when the round is over.
//!
//! What does not lead anywhere new is no longer an edge of the graph. All outcomes stay, with a way
//! to each. Not so the number of schedules, the ways to go round, and states in which two tasks are
//! about to access the same plain field: of the orders of independent steps only some are seen.

use super::visited::StateId;
use super::worker::Worker;
use crate::engine::footprints::{Asleep, Footprints, Known};
use crate::engine::schedule::Turn;
use crate::event::TaskId;
use crate::model::Model;

/// Tasks, or choices of a state, by number: from 64 on none sleeps.
type Bits = u64;

fn bit(number: usize) -> Bits {
    if number < 64 { 1 << number } else { 0 }
}

/// Who sleeps in one worker's run.
#[derive(Default)]
pub(super) struct Sleep {
    /// The tasks that sleep where the run is.
    pub(super) now: Bits,
    /// By state: the choices that slept whenever it was come to.
    choices: Vec<Bits>,
    /// At the state that was come to last: the choices to be tried, with their numbers.
    tries: Vec<(usize, Turn)>,
    /// What was relied on.
    pub(super) claimed: Asleep,
}

impl Sleep {
    /// A task is about to go: whoever does not depend on that sleeps on. `known` by the task's number.
    fn step(&mut self, task: TaskId, footprints: &Footprints, known: impl Fn(usize) -> Known) {
        self.now &= !bit(task.index());
        let mut left = self.now;
        while left != 0 {
            let other = left.trailing_zeros() as usize;
            left &= left - 1;
            let steps = (known(task.index()), known(other));
            if footprints.steps_conflict(steps.0, steps.1) {
                self.now &= !bit(other);
            } else {
                self.claimed.note(steps.0, steps.1);
            }
        }
    }

    /// Comes to a state: `in_order` are the tasks that can go there, of whom these are let go.
    /// Says whether any of them is to be tried.
    ///
    /// Where the state was met before, all that slept then and do not now are tried, let go there
    /// or not: those that were tried before were so while they slept.
    fn arrive(&mut self, state: StateId, is_new: bool, in_order: &[Turn], let_go: &[Turn]) -> bool {
        let choices = |is_one: &dyn Fn(&Turn) -> bool| {
            let all = in_order.iter().enumerate().filter(|(_, turn)| is_one(turn));
            all.fold(0, |all, (choice, _)| all | bit(choice))
        };
        let asleep = choices(&|turn| self.now & bit(turn.task.index()) != 0);
        let at = state.0 as usize;
        let slept = if is_new {
            self.choices.resize(self.choices.len().max(at + 1), 0);
            Bits::MAX
        } else {
            self.choices[at]
        };
        let both = slept & asleep;
        self.choices[at] = both;
        self.tries.clear();
        for (choice, turn) in in_order.iter().enumerate() {
            let is_tried = if is_new {
                let_go.contains(turn) && asleep & bit(choice) == 0
            } else {
                slept & !asleep & bit(choice) != 0
            };
            if is_tried {
                self.tries.push((choice, *turn));
            }
            if both & bit(choice) == 0 {
                self.now &= !bit(turn.task.index());
            }
        }
        !self.tries.is_empty()
    }

    /// The choices to be tried at the state that was come to last, with their numbers.
    pub(super) fn take_choices(&self, numbers: &mut Vec<usize>, choices: &mut Vec<Turn>) {
        numbers.extend(self.tries.iter().map(|(number, _)| number));
        choices.extend(self.tries.iter().map(|(_, turn)| turn));
    }
}

impl<M: Model> Worker<'_, M> {
    /// A task is about to go.
    pub(super) fn let_sleep(&mut self, task: TaskId) {
        let (Some(sleep), Some(footprints)) = (&mut self.sleep, &self.footprints) else {
            return;
        };
        if sleep.now == 0 {
            return;
        }
        let (nodes, known) = (self.walk.nodes(), &self.known);
        sleep.step(task, footprints, |task| known[nodes[task].index()]);
    }

    /// Whether a task sleeps.
    pub(super) fn sleeps(&self, task: TaskId) -> bool {
        let now = self.sleep.as_ref().map_or(0, |sleep| sleep.now);
        now & bit(task.index()) != 0
    }

    /// Comes to a state with a choice; says whether one of its choices is to be tried.
    pub(super) fn awake(&mut self, state: StateId, is_new: bool) -> bool {
        match &mut self.sleep {
            Some(sleep) => sleep.arrive(state, is_new, &self.in_order, &self.let_go),
            None => is_new,
        }
    }

    /// The choice of that number at the state where the run is.
    pub(super) fn choice(&self, number: usize) -> Option<Turn> {
        let all = match self.sleep {
            Some(_) => &self.in_order,
            None => &self.let_go,
        };
        all.get(number).copied()
    }

    /// Who sleeps where the run is.
    pub(super) fn asleep(&self) -> Bits {
        self.sleep.as_ref().map_or(0, |sleep| sleep.now)
    }

    /// The run is taken back to where these slept.
    pub(super) fn sleep_again(&mut self, asleep: Bits) {
        if let Some(sleep) = &mut self.sleep {
            sleep.now = asleep;
        }
    }
}

/// These, and a task that is let go: when its siblings are, it sleeps.
pub(super) fn with(asleep: Bits, task: TaskId) -> Bits {
    asleep | bit(task.index())
}
