//! Every interleaving, states merged.
//!
//! Depth-first over the choices of a run. To branch, a snapshot of the state is put back or, with
//! the switch off, the schedule is replayed from the start. Two states are one if their
//! fingerprints are equal: all cells, the locks that tasks hold, and of each task what it is about
//! to do and a hash of what it has observed, of which the task is a deterministic function. With
//! 128 bits, the chance that any two of n different states are taken for one is below n² / 2¹²⁹
//! (10⁹ states: 1.5·10⁻²¹).
//!
//! Each reduction has its switch in [`Options`]: state merging, the lock-aware steps of
//! [`crate::engine::marks`], checkpoints; and so have snapshots, which are no reduction.

use crate::engine::machine::{Granularity, Machine, Snapshot};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::Schedule;
use crate::event::{Event, TaskId};
use crate::model::Model;
use crate::outcome::{Complete, Final, Interleavings, Report};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// How to search.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Options {
    /// Merge states with equal fingerprints.
    pub merge: bool,
    /// Only operations that tasks could tell apart are steps; otherwise all are.
    pub lock_aware: bool,
    /// Let a task forget its past where it says so.
    pub checkpoints: bool,
    /// Go back to a state by a snapshot of it, not by a replay of the schedule.
    pub snapshots: bool,
    /// Stop after this many states; the report then says `complete no`.
    pub max_states: u64,
    /// Stop when a schedule gets longer than this many choices.
    pub max_depth: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            merge: true,
            lock_aware: true,
            checkpoints: true,
            snapshots: true,
            max_states: 20_000_000,
            max_depth: 1_000_000,
        }
    }
}

/// How far a search has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// States visited since the last restart.
    pub states: u64,
    /// Choices open on the current path.
    pub depth: u64,
    /// How often the search has started again with more steps.
    pub restarts: u64,
    /// Outcomes so far.
    pub outcomes: usize,
}

/// What the caller of [`explore`] wants after a look at the progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// End here; the report says so.
    Stop,
}

/// A fingerprint is a hash already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only fingerprints are hashed");
    }
    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

/// How many schedules lead from each visited state to the end, or [`OPEN`].
type Visited = HashMap<u128, u128, BuildHasherDefault<Identity>>;

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

/// Runs a model's set-up alone; says why it does not come to its end, if so: it waits, dies in an
/// oops, or hits a limit of the model. To explore such a model panics.
pub fn try_set_up<M: Model>(model: &Arc<M>) -> Result<(), String> {
    Machine::try_new(model.clone(), false).map(|_| ())
}

/// Explores all interleavings of a model.
pub fn explore<M: Model>(model: &Arc<M>, options: &Options) -> Report<M::Outcome> {
    explore_with(model, options, &mut |_| Go::On)
}

/// As [`explore`], calling `progress` every few thousand states.
pub fn explore_with<M: Model>(
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
        reached: BTreeSet::new(),
        interleavings: Interleavings::AtLeast(0),
        states: 0,
        executions: 0,
        depth: 0,
        complete: Complete::Yes,
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
        Schedule(self.path.iter().map(|n| n.choices[n.tried]).collect())
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
                restarts: self.restarts,
                outcomes,
            };
            if (self.progress)(progress) == Go::Stop {
                self.stopped = Some(Complete::No(format!("interrupted after {states} states")));
            }
        }
        self.stopped.is_some()
    }
}

/// One recorded run.
#[derive(Clone, Debug)]
pub struct Trace<O> {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How it ended.
    pub end: Final<O>,
    /// The limit of the model that ended it early, if any.
    pub limit: Option<String>,
    /// Names of the tasks, by number.
    pub tasks: Vec<String>,
    /// Where the schedule did not fit the model, if it did not: at which choice, and why.
    pub divergence: Option<String>,
}

/// Runs one schedule with the steps of `marks` and records it. Beyond the end of the schedule
/// the first task that can go goes.
pub fn replay<M: Model>(model: &Arc<M>, marks: &Marks, schedule: &Schedule) -> Trace<M::Outcome> {
    let machine = Machine::new(model.clone(), true);
    machine.configure(
        Granularity::Steps,
        Watch::fixed(model.layout(), marks.clone()),
        true,
    );
    let mut choices = schedule.0.iter().enumerate();
    let mut divergence = None;
    let trace = run(&machine, |_, enabled| {
        let Some((at, wanted)) = choices.next() else {
            return enabled[0];
        };
        if enabled.contains(wanted) {
            return *wanted;
        }
        let can: Vec<String> = enabled.iter().map(|t| t.0.to_string()).collect();
        divergence.get_or_insert_with(|| {
            format!(
                "choice {} is task {}, but only {} can go",
                at + 1,
                wanted.0,
                can.join(", ")
            )
        });
        enabled[0]
    });
    let left = choices.len();
    if left > 0 {
        let made = schedule.0.len() - left;
        divergence.get_or_insert_with(|| {
            format!("the run is over after {made} choices, {left} before the end of the schedule")
        });
    }
    Trace {
        divergence,
        ..trace
    }
}

/// Runs the default schedule and records it: a task goes on until it must wait, and then the
/// task that comes first by [`Model::turn`] is next, the oldest among equals.
pub fn run_default<M: Model>(model: &Arc<M>) -> Trace<M::Outcome> {
    let machine = Machine::new(model.clone(), true);
    machine.configure(
        Granularity::Blocking,
        Watch::fixed(model.layout(), Marks::none(model.layout())),
        true,
    );
    run(&machine, |machine, enabled| {
        *enabled
            .iter()
            .min_by_key(|t| machine.turn(**t))
            .expect("somebody can go")
    })
}

fn run<M: Model>(
    machine: &Machine<M>,
    mut choose: impl FnMut(&Machine<M>, &[TaskId]) -> TaskId,
) -> Trace<M::Outcome> {
    machine.reset();
    let mut enabled = vec![];
    loop {
        machine.enabled(&mut enabled);
        let next = match enabled[..] {
            [] => break,
            [only] => only,
            _ => choose(machine, &enabled),
        };
        machine.step(next);
    }
    let tasks = machine.task_names();
    let limit = machine.limit();
    let end = machine.finish();
    Trace {
        events: machine.take_events(),
        end,
        limit,
        tasks,
        divergence: None,
    }
}
