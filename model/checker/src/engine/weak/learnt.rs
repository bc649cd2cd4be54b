//! What a search under weak memory goes by that it has learnt of the tasks, and whether that was so.
//!
//! It is learnt from random schedules, and from what the search sees. When tasks have been seen to
//! touch more than was known, in a way that matters, the search begins again with that.

use super::graph::StateId;
use super::live::Live;
use super::persistent::PersistentSets;
use super::sampling::sample;
use crate::engine::footprints::Flow;
use crate::engine::schedule::Turn;
use crate::engine::walk::Walk;
use crate::model::Model;

/// After so many states, and whenever there are twice as many, it is looked whether tasks have been
/// seen to touch more than was known.
const FIRST_LOOK_BACK: u64 = 1024;

/// What a search asks for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) live_variables: bool,
    pub(super) persistent_sets: bool,
    /// Random schedules are looked at first.
    pub(super) sampled: bool,
}

/// What has been learnt, as far as it was seen when a search began.
pub(super) struct Learnt {
    flow: Flow,
    /// What no task will see any more, unless nothing is forgotten.
    live: Option<Live>,
    /// Which tasks are let go, unless all are.
    sets: Option<PersistentSets>,
    /// When to look back next, in states.
    look_back: u64,
    /// The first state before which tasks have done something new since it was last looked back.
    doubtful: Option<StateId>,
}

impl Learnt {
    /// From random schedules, and what was seen before.
    pub(super) fn new<M: Model>(mut flow: Flow, walk: &mut Walk<M>, asked: Asked) -> Self {
        if asked.live_variables || asked.persistent_sets {
            if asked.sampled {
                sample(walk);
            }
            flow.add(walk.automaton());
        }
        Self {
            live: asked.live_variables.then(|| Live::new(&flow, walk)),
            sets: asked
                .persistent_sets
                .then(|| PersistentSets::new(&flow, walk)),
            flow,
            look_back: FIRST_LOOK_BACK,
            doubtful: None,
        }
    }

    /// Of the turns at a state, leaves those of the tasks that are let go.
    pub(super) fn choose<M: Model>(&mut self, walk: &Walk<M>, turns: &mut Vec<Turn>) {
        if let Some(sets) = &mut self.sets {
            sets.choose(walk, turns);
        }
    }

    /// The walk comes to a state, new if that has this number: forgets what no task will see there.
    pub(super) fn arrive<M: Model>(&mut self, walk: &mut Walk<M>, fresh: StateId) {
        if let Some(live) = &mut self.live {
            live.forget(walk);
        }
        if walk.take_news() {
            self.doubtful.get_or_insert(fresh);
        }
    }

    /// Whether tasks are left out at some states.
    pub(super) fn has_sets(&self) -> bool {
        self.sets.is_some()
    }

    /// Whether it is time to look back on what tasks have been seen to touch.
    pub(super) fn is_time_to_look_back(&mut self, states: u64) -> bool {
        let is_time = states >= self.look_back;
        if is_time {
            self.look_back = states * 2;
        }
        is_time
    }

    /// Whether what was found at a state is so, even if what was forgotten since was too much.
    pub(super) fn is_sure(&self, state: StateId) -> bool {
        self.live.is_none() || self.doubtful.is_none_or(|doubtful| state < doubtful)
    }

    /// What is known by now, if that is more in a way that matters.
    pub(super) fn outgrown<M: Model>(&mut self, walk: &Walk<M>) -> Option<Flow> {
        self.doubtful?;
        let mut flow = self.flow.clone();
        flow.add(walk.automaton());
        let has_forgotten = |live: &Live| live.is_outgrown(&flow, walk);
        let has_left_out = |sets: &PersistentSets| !sets.hold(&flow, walk);
        let is_outgrown = self.live.as_ref().is_some_and(has_forgotten)
            || self.sets.as_ref().is_some_and(has_left_out);
        if !is_outgrown {
            self.doubtful = None;
        }
        is_outgrown.then_some(flow)
    }
}
