//! What a worker has found, and what it hands over when it is no longer needed.

use super::{Frame, Worker};
use crate::engine::automaton::Automaton;
use crate::engine::exhaustive::graph::Edges;
use crate::engine::exhaustive::shared::Told;
use crate::engine::exhaustive::visited::StateId;
use crate::engine::footprints::{Claimed, Relied};
use crate::engine::lock_order::LockOrder;
use crate::engine::marks::Watch;
use crate::model::Model;
use crate::outcome::{DataRace, Final};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    /// In this state.
    State(StateId),
    /// Behind this choice of the state, before the next; before the first state if there is none.
    Choice(Option<StateId>, u32),
}

/// What one worker has found.
pub(crate) struct Found<O> {
    pub(crate) edges: Vec<Edges>,
    pub(crate) finals: BTreeMap<Final<O>, Vec<StateId>>,
    pub(crate) data_races: BTreeMap<DataRace, Vec<At>>,
    pub(crate) executions: u64,
    pub(crate) reached: BTreeSet<&'static str>,
    pub(crate) lock_order: LockOrder,
    /// The part of the tree of choices that is done.
    pub(crate) done: f64,
}

impl<O: Ord> Found<O> {
    pub(crate) fn new() -> Self {
        Self {
            edges: vec![Edges::default()],
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            executions: 0,
            reached: BTreeSet::new(),
            lock_order: LockOrder::default(),
            done: 0.0,
        }
    }

    /// Takes in what another has found.
    pub(crate) fn extend(&mut self, other: Self) {
        self.edges.extend(other.edges);
        for (end, states) in other.finals {
            self.finals.entry(end).or_default().extend(states);
        }
        for (race, states) in other.data_races {
            self.data_races.entry(race).or_default().extend(states);
        }
        self.executions += other.executions;
        self.reached.extend(other.reached);
        self.lock_order.extend(&other.lock_order);
        self.done += other.done;
    }
}

/// What a worker who is no longer needed has found and learnt.
pub(crate) struct Helper<O> {
    found: Found<O>,
    watch: Watch,
    claimed: Claimed,
    relied: Option<Relied>,
    automaton: Automaton,
}

impl<M: Model> Worker<'_, M> {
    /// What the worker has found and learnt, when it is no longer needed.
    pub(crate) fn into_found(mut self) -> Helper<M::Outcome> {
        self.claimed.add(&self.claims, self.walk.automaton());
        let watch = self.walk.machine().watch().clone();
        self.found.reached = self.walk.machine().reached();
        self.found.lock_order = self.walk.machine().lock_order();
        self.shared.tell(&mut self.told, Told::default());
        Helper {
            found: self.found,
            watch,
            claimed: self.claimed,
            relied: self.reliances.own,
            automaton: self.walk.into_automaton(),
        }
    }

    /// Takes in what a helper has found and learnt.
    pub(crate) fn take_in(&mut self, helper: Helper<M::Outcome>) {
        self.found.extend(helper.found);
        self.walk.machine().watch().merge(&helper.watch);
        if self.goes_by_flow() {
            Arc::make_mut(&mut self.flow).add(&helper.automaton);
            self.claimed.extend(helper.claimed);
            self.reliances.others.push(helper.relied);
        }
        self.tell();
    }

    /// Looks for data races in a state that is passed without a choice.
    pub(super) fn look_for_races_on_the_way(&mut self) {
        let frame = self.path.last();
        let number = |f: &Frame| match self.sleep {
            Some(_) => self.numbers[f.next - 1],
            None => f.first + f.next - 1 - f.begin,
        };
        let choice = frame.map_or(0, |f| number(f) as u32);
        self.look_for_races(At::Choice(frame.map(|f| f.state), choice));
    }

    pub(super) fn look_for_races(&mut self, at: At) {
        self.walk.data_races(&mut self.races);
        for race in self.races.drain(..) {
            let places = self.found.data_races.entry(race).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }
}
