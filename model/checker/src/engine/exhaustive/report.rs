//! What a round says when it is over.

use super::checkpoint::CheckpointError;
use super::ends::Settled;
use super::graph::{Graph, Shortest};
use super::order::Order;
use super::repair::Counts;
use super::shared::{Remedy, Why};
use super::together::both;
use super::visited::StateId;
use super::worker::{At, Found, Worker};
use crate::engine::schedule::Schedule;
use crate::engine::walk::Walk;
use crate::model::Model;
use crate::outcome::{Complete, DataRace, Final, Interleavings, Report};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// The ways through a graph, and what is behind them.
pub(super) struct Ways<'a> {
    pub(super) order: Arc<Order>,
    pub(super) shortest: Shortest<'a>,
    interleavings: Interleavings,
    /// If the round was repaired.
    counts: Option<Counts>,
}

/// What all workers have found, with the numbers that states have in the graph.
pub(super) struct Whole<O> {
    pub(super) graph: Graph,
    pub(super) root: StateId,
    finals: BTreeMap<Final<O>, Vec<StateId>>,
    data_races: BTreeMap<DataRace, Vec<At>>,
}

impl<O> Whole<O> {
    /// The states in which nobody can go on.
    pub(super) fn ends(&self) -> impl Iterator<Item = StateId> {
        self.finals.values().flatten().copied()
    }
}

impl<O: Ord> Found<O> {
    /// Puts the graph together, whose numbers of states are below `end` so far, by so many workers.
    fn graph(&mut self, root: StateId, end: u32, workers: usize) -> Whole<O> {
        let edges = std::mem::take(&mut self.edges);
        let (graph, numbers) = Graph::new(root, end, &edges, workers);
        let mut finals = std::mem::take(&mut self.finals);
        for state in finals.values_mut().flatten() {
            *state = numbers.of(*state);
        }
        let mut data_races = std::mem::take(&mut self.data_races);
        for at in data_races.values_mut().flatten() {
            match at {
                At::State(state) | At::Choice(Some(state), _) => *state = numbers.of(*state),
                At::Choice(None, _) => {}
            }
        }
        Whole {
            graph,
            root: numbers.of(root),
            finals,
            data_races,
        }
    }
}

impl<M: Model> Worker<'_, M> {
    /// Puts together what all workers have found; gives the run back too.
    pub(super) fn report(
        mut self,
        why: Option<Why>,
        saved: Option<Result<(), CheckpointError>>,
    ) -> (Report<M::Outcome>, Walk<M>) {
        self.found.reached.extend(self.walk.machine().reached());
        let lock_order = self.walk.machine().lock_order();
        self.found.lock_order.extend(&lock_order);
        let mut report = Report {
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            rounds: BTreeMap::new(),
            reached: std::mem::take(&mut self.found.reached),
            lock_order: std::mem::take(&mut self.found.lock_order),
            interleavings: Interleavings::AtLeast(0),
            states: self.shared.states(),
            executions: self.found.executions,
            depth: 0,
            marks: self.walk.machine().marks(),
            complete: Complete::Yes,
            can_go_on: matches!(saved, Some(Ok(()))),
        };
        let (end, workers) = (self.shared.visited.end(), self.shared.options.workers);
        let found = self.root.map(|root| self.found.graph(root, end, workers));
        let is_complete = why.is_none();
        let through = found.as_ref().map(|found| {
            let (ways, settled) = self.walk_through(found, is_complete);
            (found, ways, settled)
        });
        report.depth = through
            .as_ref()
            .map_or(0, |(_, ways, _)| ways.shortest.depth);
        if let Some(why) = why {
            report.complete = self.incomplete(&why, report.depth, saved);
        }
        if let Some((found, ways, settled)) = through {
            self.read_off_graph(found, &ways, settled, is_complete, &mut report);
        }
        if is_complete && self.shared.has_left_out() {
            let bound = self.shared.options.preemption_bound.unwrap_or(0);
            let why =
                format!("preemptions on a schedule: {bound} at most; others were not explored");
            report.complete = Complete::No(why);
            report.interleavings = report.interleavings.at_least();
        }
        (report, self.walk)
    }

    /// Goes through the graph. Gives what dead cells can hold too, unless there are none or it is not
    /// the last round.
    fn walk_through<'f>(
        &mut self,
        found: &'f Whole<M::Outcome>,
        is_complete: bool,
    ) -> (Ways<'f>, Option<Settled<'f>>) {
        let (graph, root) = (&found.graph, found.root);
        let is_repaired = is_complete && self.reliances.is_repaired();
        let (tell, told) = channel::<Arc<Order>>();
        let workers = self.shared.options.workers;
        // Both own their end, so that neither waits for one who has panicked.
        let settle = move || {
            let order = Arc::new(Order::new(graph, root));
            let _ = tell.send(order.clone());
            let is_last = !self.is_again(&order, is_complete);
            (is_last && graph.has_effects()).then(|| self.settled(found, &order))
        };
        let count = move || {
            let shortest = graph.shortest(root);
            let order = told.recv().expect("the order is sent");
            let interleavings = order.interleavings(graph);
            let counts = is_repaired.then(|| Counts::new(graph, &order));
            Ways {
                order,
                shortest,
                interleavings,
                counts,
            }
        };
        let (settled, ways) = both(workers, settle, count);
        (ways, settled)
    }

    /// Whether the round is begun again, since it has a way round and went by what tasks touch.
    fn is_again(&self, order: &Order, is_complete: bool) -> bool {
        order.is_endless && is_complete && self.footprints.is_some()
    }

    /// Reads off the graph what it says.
    fn read_off_graph(
        &mut self,
        found: &Whole<M::Outcome>,
        ways: &Ways<'_>,
        settled: Option<Settled<'_>>,
        is_complete: bool,
        report: &mut Report<M::Outcome>,
    ) {
        let (graph, shortest) = (&found.graph, &ways.shortest);
        report.interleavings = if is_complete {
            ways.interleavings
        } else {
            ways.interleavings.at_least()
        };
        if self.is_again(&ways.order, is_complete) {
            return;
        }
        if ways.order.is_endless && self.footprints.is_none() && !self.walk.is_weak() {
            // Who is let go is then all who can.
            report.rounds = self.rounds(graph, shortest);
        }
        if let Some(counts) = &ways.counts {
            (report.states, report.executions) = (counts.states, counts.executions);
        }
        report.finals = match settled {
            None => self.ends(&found.finals, shortest, is_complete),
            Some(settled) => self.settled_ends(settled, found, ways, is_complete),
        };
        report.data_races = self.races(&found.data_races, shortest);
    }

    /// Why the search is incomplete, what it has covered, and how to get on.
    fn incomplete(
        &self,
        why: &Why,
        depth: u64,
        saved: Option<Result<(), CheckpointError>>,
    ) -> Complete {
        let text = &why.text;
        if why.remedy == Remedy::Nothing {
            return Complete::No(text.clone());
        }
        let (states, untried) = (self.shared.states(), self.shared.untried());
        let is_saved = matches!(saved, Some(Ok(())));
        let advice = match (why.remedy, is_saved) {
            (Remedy::RaiseBound, true) => "; go on from the checkpoint with a higher bound",
            (Remedy::RaiseBound, false) => "; raise the bound to get further",
            (_, true) => "; go on from the checkpoint",
            (_, false) => "",
        };
        let problem = match saved {
            Some(Err(error)) => format!("; there is no checkpoint: {}", error.problem),
            _ => String::new(),
        };
        Complete::No(format!(
            "{text}; states: {states}, depth: {depth}, untried choices: {untried}{advice}{problem}"
        ))
    }

    /// For each outcome the shortest schedule, if schedules are wanted.
    fn ends(
        &mut self,
        finals: &BTreeMap<Final<M::Outcome>, Vec<StateId>>,
        shortest: &Shortest<'_>,
        is_complete: bool,
    ) -> BTreeMap<Final<M::Outcome>, Schedule> {
        let schedules = self.shared.options.schedules;
        finals
            .iter()
            .filter_map(|(end, states)| {
                if !schedules {
                    let is_there = states.iter().any(|state| shortest.contains(*state));
                    return is_there.then(|| (end.clone(), Schedule::default()));
                }
                let way = |state: &StateId| Some((shortest.stale_to(*state), shortest.to(*state)?));
                let way = nearest(states.iter().filter_map(way))?;
                let schedule = self.go_to(&way, None);
                let leads_there = self.leads_to(end, is_complete);
                leads_there.then(|| (end.clone(), schedule))
            })
            .collect()
    }

    /// Whether the run has come to this end. Under weak memory that may not be so if the search was
    /// stopped: it may have forgotten too much.
    fn leads_to(&self, end: &Final<M::Outcome>, is_complete: bool) -> bool {
        let leads_there = !self.walk.is_weak() || self.walk.finish() == *end;
        assert!(leads_there || !is_complete, "no way leads to {end:?}");
        leads_there
    }

    /// For each data race the shortest schedule to where both accesses are about to happen.
    fn races(
        &mut self,
        races: &BTreeMap<DataRace, Vec<At>>,
        shortest: &Shortest<'_>,
    ) -> BTreeMap<DataRace, Schedule> {
        let to = |state: StateId| Some((shortest.stale_to(state), shortest.to(state)?));
        let way = |at: At| match at {
            At::State(state) => to(state),
            At::Choice(None, _) => Some((0, vec![])),
            At::Choice(Some(state), choice) => {
                let mut way = to(state)?;
                way.1.push(choice as usize);
                Some(way)
            }
        };
        races
            .iter()
            .filter_map(|(race, places)| {
                let way = nearest(places.iter().copied().filter_map(way))?;
                let schedule = self.go_to(&way, Some(race));
                Some((race.clone(), schedule))
            })
            .collect()
    }

    /// Goes from the start over these choices, and on while there is none; gives the schedule: who
    /// goes wherever more than one could. With a race, goes no further than to where it is.
    pub(super) fn go_to(&mut self, choices: &[usize], race: Option<&DataRace>) -> Schedule {
        self.begin();
        let mut schedule = vec![];
        let mut choices = choices.iter();
        let mut passed = 0;
        loop {
            self.choose();
            self.walk.data_races(&mut self.races);
            if choices.len() == 0 && race.is_some_and(|r| self.races.contains(r)) {
                break;
            }
            let only = self.passes_by(passed);
            if only.is_none() && self.walk.is_weak() {
                self.settle();
            }
            passed = if only.is_some() { passed + 1 } else { 0 };
            let chosen = || choices.next().and_then(|c| self.choice(*c));
            let Some(turn) = only.or_else(chosen) else {
                break;
            };
            let has_picks = self.walk.is_weak() && self.has_choice();
            self.preemptions.look(&self.enabled);
            self.counts_preemption(turn.task);
            let enabled = &mut self.enabled;
            self.walk.step_in_parts(turn, |walk| {
                walk.enabled(enabled);
                if has_picks || enabled.len() > 1 {
                    schedule.push(turn);
                }
            });
            self.walk.enabled(&mut self.enabled);
        }
        Schedule(schedule)
    }
}

/// Of ways with how often something but the newest is taken on each, the shortest of those on which
/// that is least; of those equally long, the one whose choices come first.
fn nearest(ways: impl Iterator<Item = (u32, Vec<usize>)>) -> Option<Vec<usize>> {
    let best = ways.min_by(|a, b| (a.0, a.1.len(), &a.1).cmp(&(b.0, b.1.len(), &b.1)));
    best.map(|(_, way)| way)
}
