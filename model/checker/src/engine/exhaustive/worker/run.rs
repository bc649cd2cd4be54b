//! The run of a worker: where it is, and how it goes on and back.

use super::Worker;
use crate::engine::exhaustive::preemptions::Preemptions;
use crate::engine::schedule::Turn;
use crate::engine::walk::Place;
use crate::model::Model;

/// Steps without a choice after which a state is kept all the same: a task may loop. Under weak memory it
/// may each time around add stores that others have not seen.
const MAX_FORCED: u64 = 10_000;
const MAX_FORCED_WEAK: u64 = 100;

impl<M: Model> Worker<'_, M> {
    /// As [`Worker::go_back`], without a look at who can go.
    pub(super) fn take_back(&mut self, place: Place, depth: usize, steps: u64) {
        self.walk.go_back(place);
        self.trail.truncate(depth);
        self.steps = steps;
    }

    /// Takes the run back to where only so much of the trail was gone, by so many steps.
    pub(crate) fn go_back(&mut self, place: Place, depth: usize, steps: u64) {
        self.take_back(place, depth, steps);
        self.walk.enabled(&mut self.enabled);
    }

    /// Takes the run back to where it began.
    pub(crate) fn begin(&mut self) {
        self.walk.go_to_start();
        self.preemptions = Preemptions::new(self.shared.options.preemption_bound);
        self.sleep_again(0);
        self.trail.clear();
        self.steps = 0;
        self.walk.enabled(&mut self.enabled);
    }

    /// The turn that is taken at once, where there is no choice and the state is not kept; so many
    /// such states have been passed in a row.
    pub(crate) fn passes_by(&mut self, passed: u64) -> Option<Turn> {
        let [only] = self.let_go[..] else {
            return None;
        };
        let most = if self.walk.is_weak() {
            MAX_FORCED_WEAK
        } else {
            MAX_FORCED
        };
        let is_kept = passed == most || self.is_kept_on_the_way();
        (!is_kept).then_some(only)
    }

    /// Lets tasks go while there is no choice; `enabled` are those that can go. Leaves the choices,
    /// if any, in `let_go`; says if the only one sleeps.
    pub(crate) fn forced(&mut self, mut look: impl FnMut(&mut Self)) -> bool {
        self.choose();
        let mut passed = 0;
        while let Some(only) = self.passes_by(passed) {
            if self.enabled.len() > 1 {
                look(self);
            }
            if self.sleeps(only.task) {
                return true;
            }
            self.reliances.pass();
            self.step(only);
            if self.walk.limit().is_some() {
                return false;
            }
            self.choose();
            passed += 1;
        }
        false
    }

    /// Whether there is more than one turn where the run is, taken or not.
    pub(crate) fn has_choice(&self) -> bool {
        match self.enabled[..] {
            [] => false,
            [only] => self.walk.is_weak() && self.walk.alternatives(only) > 1,
            _ => true,
        }
    }

    /// Lets a task take a step; `enabled` are those that can go before and after it.
    pub(crate) fn step(&mut self, turn: Turn) {
        if let Some(passing) = &mut self.passing {
            passing.add(&self.walk, turn.task, &self.enabled);
        }
        self.preemptions.look(&self.enabled);
        self.step_from(turn, self.has_choice());
    }

    /// Lets a task take a step, where there is a choice or not; `enabled` are those that can go
    /// after it.
    pub(super) fn step_from(&mut self, turn: Turn, is_choice: bool) {
        if is_choice {
            self.trail.push(turn);
        }
        self.steps += 1;
        self.stale += u32::from(turn.pick > 0);
        self.counts_preemption(turn.task);
        self.let_sleep(turn.task);
        self.walk.step(turn);
        self.walk.enabled(&mut self.enabled);
        // With persistent sets, that nobody else can go here does not say that it is so in all
        // the runs that this one stands for.
        if self.enabled != [turn.task] || self.footprints.is_some() {
            self.walk.interrupted(turn.task);
        }
    }

    /// The fingerprint of the current state.
    pub(crate) fn fingerprint(&mut self) -> u128 {
        self.forget();
        let bits = self.shared.options.fingerprint_bits;
        let fingerprint = self.walk.fingerprint() ^ self.preemptions_fingerprint();
        fingerprint & (u128::MAX >> (u128::BITS - bits))
    }

    /// Comes to a state that is kept; gives its fingerprint. The order of its choices goes by it alone, so
    /// under weak memory they are made when it has been forgotten what no task will see.
    pub(crate) fn settle(&mut self) -> u128 {
        let fingerprint = self.fingerprint();
        if self.walk.is_weak() {
            self.choose();
        }
        fingerprint
    }
}
