//! What a round says when it is over.

use super::checkpoint::CheckpointError;
use super::graph::{Graph, Shortest};
use super::shared::{Remedy, Why};
use super::visited::StateId;
use super::worker::Worker;
use crate::engine::schedule::Schedule;
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;
use crate::outcome::{Complete, Interleavings, Report};
use std::collections::BTreeMap;

impl<M: Model> Worker<'_, M> {
    /// Puts together what all workers have found; gives the run back too.
    pub(super) fn report(
        mut self,
        why: Option<Why>,
        saved: Option<Result<(), CheckpointError>>,
    ) -> (Report<M::Outcome>, Walk<M>) {
        self.found.reached.extend(self.walk.machine().reached());
        let graph = Graph::new(
            self.shared.visited.end(),
            std::mem::take(&mut self.found.edges),
        );
        let finals = std::mem::take(&mut self.found.finals);
        let data_races = std::mem::take(&mut self.found.data_races);
        let root = self.root;
        let mut report = Report {
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            reached: std::mem::take(&mut self.found.reached),
            interleavings: Interleavings::AtLeast(0),
            states: self.shared.states(),
            executions: self.found.executions,
            depth: 0,
            marks: self.walk.machine().marks(),
            complete: Complete::Yes,
        };
        let shortest = root.map(|root| graph.shortest(root));
        report.depth = shortest.as_ref().map_or(0, |s| s.depth);
        if let Some(why) = why {
            report.complete = self.incomplete(&why, report.depth, saved);
        }
        if let (Some(root), Some(shortest)) = (root, shortest) {
            report.interleavings = match graph.interleavings(root) {
                Interleavings::Exactly(n) if report.complete != Complete::Yes => {
                    Interleavings::AtLeast(n)
                }
                counted => counted,
            };
            report.finals = self.schedules(finals, &graph, &shortest, root);
            report.data_races = self.schedules(data_races, &graph, &shortest, root);
        }
        (report, self.walk)
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

    /// The shortest schedule to the nearest of the states of each.
    fn schedules<K: Ord>(
        &mut self,
        all: BTreeMap<K, Vec<StateId>>,
        graph: &Graph,
        shortest: &Shortest<'_>,
        root: StateId,
    ) -> BTreeMap<K, Schedule> {
        all.into_iter()
            .filter_map(|(key, states)| {
                let ways = states.into_iter().filter_map(|s| shortest.to(s));
                let way = ways.min_by(|a, b| a.len().cmp(&b.len()).then(a.cmp(b)))?;
                let schedule = self.go_to(graph, root, &way);
                Some((key, schedule.expect("the way was gone before")))
            })
            .collect()
    }

    /// Goes from the start over these choices; gives the schedule. `None` if the states on the way
    /// are not those of the graph.
    pub(super) fn go_to(
        &mut self,
        graph: &Graph,
        root: StateId,
        choices: &[usize],
    ) -> Option<Schedule> {
        self.walk.go_back(self.start);
        self.forced();
        let mut state = root;
        let mut schedule = vec![];
        for choice in choices {
            let next = *graph.successors(state.0).get(*choice)?;
            state = StateId(next);
            schedule.push(self.step_to(state, *choice)?);
        }
        Some(Schedule(schedule))
    }

    /// Takes a step that leads to a state, and all that are forced behind it; gives whose it is.
    fn step_to(&mut self, state: StateId, choice: usize) -> Option<TaskId> {
        let place = self.walk.place();
        let expected = self.shared.visited.fingerprint(state);
        // The choices were numbered when less of the footprints was known perhaps. So what is the
        // number's by now is only tried first.
        let numbered = self.canonical().get(choice).copied();
        let mut others = self.enabled.clone();
        self.sort(&mut others);
        for task in numbered.into_iter().chain(others) {
            self.walk.go_back(place);
            self.step(task);
            self.forced();
            if self.fingerprint() == expected {
                return Some(task);
            }
        }
        None
    }
}
