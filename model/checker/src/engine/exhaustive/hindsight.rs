//! What a round has seen of the tasks by its end, and whether what it went by was so.

use super::worker::Worker;
use crate::engine::footprints::{Claims, Flow, Footprints, Known};
use crate::engine::weak::Live;
use crate::model::Model;

/// What is known when all workers have ended.
pub(super) struct Hindsight {
    /// All that the tasks have been seen to do.
    pub(super) flow: Flow,
    /// What they touch by that, and what the round took to be known of each point, by number; `None` if
    /// the round was broken off, or cells were read that it took for dead, or it did without.
    pub(super) seen: Option<(Footprints, Vec<Known>)>,
    /// All that the round went by is so.
    pub(super) is_right: bool,
}

impl Hindsight {
    /// What is taken to be known if the round is begun again or repaired, which went by what it had
    /// `used`.
    pub(super) fn grown(&self, used: &Footprints) -> Option<Footprints> {
        let (seen, taken) = self.seen.as_ref()?;
        used.grown(taken, seen, &self.flow)
    }
}

impl<M: Model> Worker<'_, M> {
    /// Looks back on a round; `None` if it went by nothing, or more operations turned out to be steps.
    pub(super) fn hindsight(&mut self) -> Option<Hindsight> {
        if !self.goes_by_flow() || self.has_more_steps() {
            return None;
        }
        let mut flow = Flow::clone(&self.flow);
        flow.add(self.walk.automaton());
        self.claimed.add(&self.claims, self.walk.automaton());
        self.claims = Claims::default();
        let is_whole = !self.shared.was_broken_off();
        let used = self.footprints.as_ref().filter(|_| is_whole);
        let seen = used.and_then(|used| {
            let seen = self.walk.footprints(&flow);
            let taken = used.guesses(&flow)?;
            // Under weak memory no cell is taken for dead.
            let has_dead = self.shared.options.live_variables && !self.walk.is_weak();
            let are_live = !has_dead || used.are_all(&taken, &seen, &flow);
            are_live.then_some((seen, taken))
        });
        let holds = |(seen, taken): &(Footprints, Vec<Known>)| {
            let mut asleep = self.sleep.iter().map(|sleep| &sleep.claimed);
            asleep.all(|asleep| asleep.holds(taken, seen, &flow))
                && self.claimed.holds(taken, seen, &flow)
        };
        let are_enough = self.footprints.is_none() || seen.as_ref().is_some_and(holds);
        let is_outgrown = |live: &Live| live.behind().is_outgrown(&flow, &self.walk);
        let has_forgotten_too_much = self.live.as_ref().is_some_and(is_outgrown);
        Some(Hindsight {
            is_right: is_whole && are_enough && !has_forgotten_too_much,
            flow,
            seen,
        })
    }

    /// Whether more operations turned out to be steps.
    pub(super) fn has_more_steps(&self) -> bool {
        let mut watch = self.walk.machine().watch();
        if self.is_far {
            watch.settle();
        }
        watch.has_changed()
    }
}
