//! Every interleaving by running every step of every task: the search that the exhaustive one is
//! checked against, and the only one without state merging.
//!
//! Depth-first over the choices of a run. To branch, a snapshot of the state is put back or, with
//! the switch off, the schedule is replayed from the start.

use crate::engine::exhaustive::{Go, Options, Progress};
use crate::engine::lock_order::LockOrder;
use crate::engine::machine::{Granularity, Machine, Snapshot};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::Schedule;
use crate::event::TaskId;
use crate::hash::Words;
use crate::model::Model;
use crate::outcome::{Complete, Interleavings, Report};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

/// How many schedules lead from each visited state to the end, or [`OPEN`].
type Visited = HashMap<u128, u128, BuildHasherDefault<Words>>;

/// The state is on the current path: to come back to it is to go round.
const OPEN: u128 = u128::MAX;

/// More schedules than this are not told apart.
const MANY: u128 = OPEN - 1;

/// A state with a choice: who could go, and which of them has been tried.
struct Node {
    choices: Vec<TaskId>,
    tried: usize,
    fingerprint: u128,
    /// Schedules from here to the end, by the choices tried so far.
    schedules: u128,
    /// The state, if it is kept.
    snapshot: Option<Snapshot>,
}

struct Search<'a, M: Model> {
    machine: &'a Machine<M>,
    options: &'a Options,
    progress: &'a mut dyn FnMut(Progress) -> Go,
    visited: Visited,
    path: Vec<Node>,
    /// Snapshots that are no longer needed, for their memory.
    spare: Vec<Snapshot>,
    /// Schedules from the start to the end, as far as they are counted.
    schedules: u128,
    /// Some schedule comes back to a state that it has been in.
    goes_round: bool,
    report: Report<M::Outcome>,
    restarts: u64,
    /// How the current search ends, if not by having seen everything.
    stopped: Option<Complete>,
}

/// Explores all interleavings of a model.
pub(crate) fn explore<M: Model>(
    model: &Arc<M>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Report<M::Outcome> {
    let machine = Machine::new(model.clone(), false);
    let layout = model.layout();
    let watch = if options.lock_aware {
        Watch::optimistic(layout)
    } else {
        Watch::fixed(layout, Marks::all(layout))
    };
    machine.configure(Granularity::Steps, watch, options.checkpoints);
    let mut search = Search {
        machine: &machine,
        options,
        progress,
        visited: Visited::default(),
        path: vec![],
        spare: vec![],
        schedules: 0,
        goes_round: false,
        report: empty_report(machine.marks()),
        restarts: 0,
        stopped: None,
    };
    while search.run() == Round::Restart {
        search.visited.clear();
        search.path.clear();
        search.schedules = 0;
        search.goes_round = false;
        search.restarts += 1;
        search.report = Report {
            executions: search.report.executions,
            ..empty_report(machine.marks())
        };
    }
    search.report.marks = machine.marks();
    search.report.reached = machine.reached();
    search.report.lock_order = machine.lock_order();
    search.report.interleavings = search.interleavings();
    if let Some(complete) = search.stopped {
        search.report.complete = complete;
    }
    search.report
}

fn empty_report<O: Ord>(marks: Marks) -> Report<O> {
    Report {
        finals: BTreeMap::new(),
        data_races: BTreeMap::new(),
        rounds: std::collections::BTreeMap::new(),
        reached: BTreeSet::new(),
        lock_order: LockOrder::default(),
        interleavings: Interleavings::AtLeast(0),
        states: 0,
        executions: 0,
        depth: 0,
        complete: Complete::Yes,
        can_go_on: false,
        marks,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Everything has been seen, or the search was stopped.
    Over,
    /// More operations turned out to be steps.
    Restart,
}

impl<M: Model> Search<'_, M> {
    fn run(&mut self) -> Round {
        loop {
            self.go_back();
            self.advance();
            if self.stopped.is_some() {
                return Round::Over;
            }
            if self.machine.take_changed_marks() {
                return Round::Restart;
            }
            loop {
                let Some(node) = self.path.last_mut() else {
                    return Round::Over;
                };
                node.tried += 1;
                if node.tried < node.choices.len() {
                    break;
                }
                self.leave();
            }
        }
    }

    /// The last state of the path has no choice left that was not tried.
    fn leave(&mut self) {
        let node = self.path.pop().expect("there is a path");
        self.spare.extend(node.snapshot);
        if self.options.merge {
            self.visited.insert(node.fingerprint, node.schedules);
        }
        self.count(node.schedules);
    }

    /// The choice that is being tried leads to the end in so many ways.
    fn count(&mut self, schedules: u128) {
        let sum = self
            .path
            .last_mut()
            .map_or(&mut self.schedules, |node| &mut node.schedules);
        *sum = sum.saturating_add(schedules).min(MANY);
    }

    fn interleavings(&self) -> Interleavings {
        let open = self.path.iter().map(|node| node.schedules);
        let counted = open.fold(self.schedules, u128::saturating_add).min(MANY);
        match () {
            () if self.goes_round => Interleavings::Endless,
            () if self.stopped.is_some() || counted == MANY => Interleavings::AtLeast(counted),
            () => Interleavings::Exactly(counted),
        }
    }

    /// Whether the state was visited before; if not, it is now.
    fn was_visited(&mut self, fingerprint: u128) -> bool {
        if !self.options.merge {
            return false;
        }
        match self.visited.insert(fingerprint, OPEN) {
            None => false,
            Some(OPEN) => {
                self.goes_round = true;
                true
            }
            Some(schedules) => {
                self.visited.insert(fingerprint, schedules);
                self.count(schedules);
                true
            }
        }
    }

    /// Brings the machine to the state after the choices of the path.
    fn go_back(&mut self) {
        self.report.executions += 1;
        if let Some(Node {
            choices,
            tried,
            snapshot: Some(snapshot),
            ..
        }) = self.path.last()
        {
            self.machine.restore(snapshot);
            self.machine.step(choices[*tried]);
            return;
        }
        self.machine.reset();
        let mut enabled = vec![];
        for node in &self.path {
            self.forced(&mut enabled);
            self.machine.step(node.choices[node.tried]);
        }
    }

    /// Lets tasks go while there is no choice. Leaves the choices, if any, in `enabled`.
    fn forced(&self, enabled: &mut Vec<TaskId>) {
        loop {
            self.machine.enabled(enabled);
            let [only] = enabled[..] else { return };
            self.machine.step(only);
        }
    }

    /// Goes on from the current state, always taking the first choice, to a state at rest or
    /// one that was visited before.
    fn advance(&mut self) {
        let mut enabled = vec![];
        loop {
            self.forced(&mut enabled);
            if let Some(limit) = self.machine.limit() {
                self.stopped = Some(Complete::No(limit));
                return;
            }
            if enabled.is_empty() {
                let schedule = self.schedule();
                self.report
                    .finals
                    .entry(self.machine.finish())
                    .or_insert(schedule);
                self.count(1);
                return;
            }
            for race in self.machine.data_races() {
                let schedule = self.schedule();
                self.report.data_races.entry(race).or_insert(schedule);
            }
            let fingerprint = self.machine.fingerprint();
            if self.was_visited(fingerprint) {
                return;
            }
            self.report.states += 1;
            self.report.depth = self.report.depth.max(self.path.len() as u64 + 1);
            if self.out_of_bounds() {
                return;
            }
            let spare = || self.spare.pop().unwrap_or_default();
            let snapshot = self
                .options
                .snapshots
                .then(spare)
                .map(|old| self.machine.snapshot(old));
            self.path.push(Node {
                choices: enabled.clone(),
                tried: 0,
                fingerprint,
                schedules: 0,
                snapshot,
            });
            self.machine.step(enabled[0]);
        }
    }

    fn schedule(&self) -> Schedule {
        self.path.iter().map(|n| n.choices[n.tried]).collect()
    }

    /// Looks at the bounds, and now and then reports progress.
    fn out_of_bounds(&mut self) -> bool {
        let states = self.report.states;
        let depth = self.path.len() as u64;
        if states >= self.options.max_states {
            self.stopped = Some(Complete::No(format!(
                "stopped at the bound of {states} states"
            )));
        } else if depth >= self.options.max_depth {
            self.stopped = Some(Complete::No(format!(
                "stopped at the bound of {depth} choices in one schedule"
            )));
        } else if states.is_multiple_of(4096) {
            let outcomes = self.report.finals.len();
            let progress = Progress {
                states,
                depth,
                memory: 0,
                schedules_log10: None,
                restarts: self.restarts,
                outcomes,
                untried: 0,
                done: 0.0,
            };
            if (self.progress)(progress) == Go::Stop {
                self.stopped = Some(Complete::No(format!("interrupted after {states} states")));
            }
        }
        self.stopped.is_some()
    }
}
