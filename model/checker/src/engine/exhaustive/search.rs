//! The search itself: depth-first, by one or more workers.
//!
//! A search is made of rounds. In each it goes by certain steps; when it sees that more operations
//! have to be steps, it starts again. Early on it does so at once. A round that has come far is
//! finished first, so that what it has seen depends on its steps alone and not on the order in
//! which several workers went.

use super::graph::{Edges, Graph, Shortest};
use super::options::{Go, Options, Progress};
use super::shared::{Job, Shared, StopOnPanic};
use super::visited::StateId;
use crate::engine::automaton::{Automaton, NodeId};
use crate::engine::footprints::{Footprints, Known};
use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::Schedule;
use crate::engine::walk::{Place, Walk};
use crate::event::TaskId;
use crate::model::Model;
use crate::outcome::{Complete, DataRace, Final, Interleavings, Report};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a worker looks around, in states.
const LOOK: u64 = 4096;

/// Explores all interleavings of a model.
pub(super) fn explore<M: Model>(
    model: &Arc<M>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Report<M::Outcome> {
    let layout = model.layout();
    let watch = if options.lock_aware {
        Watch::optimistic(layout)
    } else {
        Watch::fixed(layout, Marks::all(layout))
    };
    let machine = Box::new(Machine::new(model.clone(), false));
    machine.configure(Granularity::Steps, watch, options.checkpoints);
    let mut walk = Walk::new(model, machine);
    let mut footprints = options.persistent_sets.then(Arc::<Footprints>::default);
    for restarts in 0.. {
        let mut tell = |now: Progress| progress(Progress { restarts, ..now });
        let footprints_now = footprints.clone();
        match round(model, walk, footprints_now, options, &mut tell) {
            Round::Over(report) => return *report,
            Round::MoreSteps(machine, seen) => {
                machine.configure(Granularity::Steps, *seen, options.checkpoints);
                walk = Walk::new(model, machine);
            }
            Round::MoreFootprints(again, seen) => {
                walk = *again;
                footprints = seen;
            }
        }
    }
    unreachable!("each round adds steps or footprints, of which there are finitely many")
}

/// How a round ends.
enum Round<M: Model> {
    Over(Box<Report<M::Outcome>>),
    /// More operations turned out to be steps.
    MoreSteps(Box<Machine<M>>, Box<Watch>),
    /// Tasks touch more than was known; or it is better to do without that.
    MoreFootprints(Box<Walk<M>>, Option<Arc<Footprints>>),
}

fn round<M: Model>(
    model: &Arc<M>,
    walk: Walk<M>,
    footprints: Option<Arc<Footprints>>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Round<M> {
    let shared = Shared::new(options);
    let watch = walk.machine().watch().clone();
    let (first, others) = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..options.workers)
            .map(|_| {
                let (shared, mut watch, footprints) = (&shared, watch.clone(), footprints.clone());
                scope.spawn(move || {
                    let _guard = StopOnPanic(shared);
                    watch.wait_for_settle();
                    let first_job = shared.take()?;
                    let machine = Box::new(Machine::new(model.clone(), false));
                    machine.configure(Granularity::Steps, watch, shared.options.checkpoints);
                    let mut worker = Worker::new(Walk::new(model, machine), footprints, shared);
                    worker.help(first_job);
                    Some(worker.found())
                })
            })
            .collect();
        let _guard = StopOnPanic(&shared);
        let mut worker = Worker::new(walk, footprints, &shared);
        worker.lead(progress);
        let found = helpers.into_iter().map(|h| {
            h.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let found: Vec<_> = found.flatten().collect();
        (worker, found)
    });
    if shared.why().is_some() {
        return Round::Over(Box::new(first.report(others)));
    }
    first.judge(others)
}

/// A state with a choice, on the current path.
struct Frame {
    state: StateId,
    place: Place,
    /// Where its choices begin in [`Worker::choices`], and their targets in
    /// [`Worker::successors`].
    base: usize,
    /// The choices that are this worker's, and the one to try next.
    choices: std::ops::Range<usize>,
    next: usize,
}

/// What one worker has found.
struct Found<O> {
    edges: Edges,
    finals: BTreeMap<Final<O>, Vec<StateId>>,
    data_races: BTreeMap<DataRace, Vec<StateId>>,
    executions: u64,
    watch: Watch,
    automaton: Automaton,
    reached: std::collections::BTreeSet<&'static str>,
}

struct Worker<'a, M: Model> {
    shared: &'a Shared<'a>,
    walk: Walk<M>,
    /// What tasks touch, unless the search does without.
    footprints: Option<Arc<Footprints>>,
    /// What is known of the points, by number, as far as it was asked for.
    known: Vec<Known>,
    /// How many points there were when the footprints were made.
    known_points: usize,
    /// The footprints that the round began with, unless they have been replaced since.
    used: Option<Arc<Footprints>>,
    /// Where the run began.
    start: Place,
    root: Option<StateId>,
    /// The way to the first frame: for a job of another worker.
    prefix: Vec<u16>,
    path: Vec<Frame>,
    choices: Vec<TaskId>,
    successors: Vec<StateId>,
    enabled: Vec<TaskId>,
    races: Vec<DataRace>,
    edges: Edges,
    finals: BTreeMap<Final<M::Outcome>, Vec<StateId>>,
    data_races: BTreeMap<DataRace, Vec<StateId>>,
    executions: u64,
    /// This round is finished before more operations become steps.
    is_far: bool,
    since_look: u64,
    /// Bytes of its edges that the shared count knows of.
    edge_bytes: u64,
}

impl<'a, M: Model> Worker<'a, M> {
    fn new(mut walk: Walk<M>, footprints: Option<Arc<Footprints>>, shared: &'a Shared<'a>) -> Self {
        walk.go_back(Place::default());
        Self {
            shared,
            start: walk.place(),
            used: footprints.clone(),
            footprints,
            known: vec![],
            known_points: walk.automaton().len(),
            walk,
            root: None,
            prefix: vec![],
            path: vec![],
            choices: vec![],
            successors: vec![],
            enabled: vec![],
            races: vec![],
            edges: Edges::default(),
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            executions: 0,
            is_far: false,
            since_look: 0,
            edge_bytes: 0,
        }
    }

    /// Searches from the start; then helps the others.
    fn lead(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        if self.shared.options.share_after == 0 {
            self.is_far = true;
            self.walk.machine().watch().wait_for_settle();
        }
        self.executions += 1;
        let root = self.arrive();
        self.root = root;
        self.search(progress);
        self.work(progress);
    }

    /// Helps another worker, who leads.
    fn help(&mut self, first: Job) {
        self.is_far = true;
        let mut nobody = |_: Progress| Go::On;
        self.take_on(first);
        self.search(&mut nobody);
        self.work(&mut nobody);
    }

    fn work(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        while let Some(job) = self.shared.take() {
            self.take_on(job);
            self.search(progress);
        }
    }

    /// Goes to the state of a job.
    fn take_on(&mut self, job: Job) {
        self.walk.go_back(self.start);
        self.executions += 1;
        for choice in &job.prefix {
            self.forced();
            let task = self.canonical()[usize::from(*choice)];
            self.step(task);
        }
        self.forced();
        let base = self.choices.len();
        let choices = self.canonical();
        self.choices.extend_from_slice(&choices);
        self.successors.resize(self.choices.len(), job.state);
        self.prefix = job.prefix;
        self.path.push(Frame {
            state: job.state,
            place: self.walk.place(),
            base,
            next: job.choices.start,
            choices: job.choices,
        });
    }

    /// Goes through everything behind the states of the path.
    fn search(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        while let Some(frame) = self.path.last_mut() {
            if self.shared.is_over() {
                self.leave_all();
                return;
            }
            if frame.next == frame.choices.end {
                self.leave();
                continue;
            }
            let at = frame.base + frame.next;
            if frame.next > frame.choices.start {
                self.executions += 1;
            }
            frame.next += 1;
            let place = frame.place;
            self.walk.go_back(place);
            self.step(self.choices[at]);
            if let Some(state) = self.arrive() {
                self.successors[at] = state;
            } else {
                let frame = self.path.last_mut().expect("the frame is still there");
                frame.next -= 1;
            }
            self.look(progress);
        }
    }

    /// Leaves the last state of the path.
    fn leave(&mut self) {
        if let Some(frame) = self.path.pop() {
            let tried = frame.base + frame.choices.start..frame.base + frame.next;
            self.edges
                .push(frame.state, frame.choices.start, &self.successors[tried]);
            self.choices.truncate(frame.base);
            self.successors.truncate(frame.base);
        }
    }

    fn leave_all(&mut self) {
        while !self.path.is_empty() {
            self.leave();
        }
    }

    /// The tasks that are let go, in an order that depends on the state alone and not on how it was
    /// come to.
    fn canonical(&mut self) -> Vec<TaskId> {
        let mut tasks = self.enabled.clone();
        self.sort(&mut tasks);
        match self.footprints.clone() {
            Some(footprints) => self.persistent(&footprints, &tasks),
            None => tasks,
        }
    }

    /// The smallest persistent set that is found by beginning with one of the tasks that can go:
    /// those of it that can.
    fn persistent(&mut self, footprints: &Footprints, enabled: &[TaskId]) -> Vec<TaskId> {
        while self.known.len() < self.walk.automaton().len() {
            let node = NodeId::new(self.known.len());
            let known = footprints.of(&self.walk.automaton().point(node).identity);
            self.known.push(known);
        }
        let mut best = enabled.to_vec();
        for first in enabled {
            if best.len() == 1 {
                break;
            }
            let set = self.closure(footprints, *first, enabled);
            let able: Vec<TaskId> = enabled.iter().copied().filter(|t| set[t.index()]).collect();
            if able.len() < best.len() {
                best = able;
            }
        }
        best
    }

    /// The least persistent set with this task.
    fn closure(&self, footprints: &Footprints, first: TaskId, enabled: &[TaskId]) -> Vec<bool> {
        let nodes = self.walk.nodes();
        let mut set = vec![false; nodes.len()];
        let mut work = vec![first];
        set[first.index()] = true;
        while let Some(task) = work.pop() {
            let step = self.known[nodes[task.index()].index()];
            let is_blocked = !enabled.contains(&task);
            for other in (0..nodes.len()).filter(|o| !set[*o]).collect::<Vec<_>>() {
                let id = TaskId(other as u32);
                let adds = match is_blocked
                    .then(|| self.walk.keeps_waiting(task, id))
                    .flatten()
                {
                    Some(keeps) => keeps,
                    None => footprints.conflict(step, self.known[nodes[other].index()]),
                };
                if adds {
                    set[other] = true;
                    work.push(id);
                }
            }
        }
        set
    }

    /// Takes in what the tasks have been seen to do, once that has become more.
    fn learn_footprints(&mut self) {
        let points = self.walk.automaton().len();
        if self.footprints.is_none() || points < self.known_points + self.known_points / 8 + 16 {
            return;
        }
        self.known_points = points;
        let footprints = Footprints::new(&[self.walk.automaton()], &self.walk.machine().watch());
        self.footprints = Some(Arc::new(footprints));
        self.known.clear();
    }

    fn sort(&self, tasks: &mut [TaskId]) {
        let nodes = self.walk.nodes();
        tasks.sort_unstable_by_key(|t| {
            let node = self.walk.automaton().node(nodes[t.index()]);
            (self.walk.key(*t).entry, node.fingerprint)
        });
    }

    /// Lets tasks go while there is no choice. Leaves the choices, if any, in `enabled`.
    fn forced(&mut self) {
        self.walk.enabled(&mut self.enabled);
        while let [only] = self.enabled[..] {
            self.step(only);
            if self.walk.limit().is_some() {
                return;
            }
        }
    }

    fn step(&mut self, task: TaskId) {
        self.walk.step(task);
        self.walk.enabled(&mut self.enabled);
        // With persistent sets, that nobody else can go here does not say that it is so in all
        // the runs that this one stands for.
        if self.enabled != [task] || self.footprints.is_some() {
            self.walk.interrupted(task);
        }
    }

    /// Lets tasks go while there is no choice, and enters the state; gives its number unless the
    /// search is over. A new state with a choice becomes the last of the path.
    fn arrive(&mut self) -> Option<StateId> {
        self.forced();
        if let Some(limit) = self.walk.limit() {
            self.shared.stop(Some(limit.to_owned()));
            return None;
        }
        if self.walk.take_news() && !self.is_far {
            if self.walk.machine().watch().has_changed() {
                self.shared.stop(None);
                return None;
            }
            self.learn_footprints();
        }
        let (state, is_new) = self.shared.visited.insert(self.walk.fingerprint());
        if !is_new {
            return Some(state);
        }
        if self.enabled.is_empty() {
            let end = self.walk.finish();
            self.finals.entry(end).or_default().push(state);
            return Some(state);
        }
        self.enter(state);
        Some(state)
    }

    /// A new state with a choice.
    fn enter(&mut self, state: StateId) {
        self.walk.data_races(&mut self.races);
        for race in self.races.drain(..) {
            self.data_races.entry(race).or_default().push(state);
        }
        let base = self.choices.len();
        let choices = self.canonical();
        self.choices.extend_from_slice(&choices);
        self.successors.resize(self.choices.len(), state);
        let choices = 0..self.choices.len() - base;
        self.path.push(Frame {
            state,
            place: self.walk.place(),
            base,
            choices,
            next: 0,
        });
        let states = self.shared.count();
        let options = self.shared.options;
        if states >= options.max_states {
            let bound = options.max_states;
            self.shared
                .stop(Some(format!("stopped at the bound of {bound} states")));
        }
        if (self.prefix.len() + self.path.len()) as u64 >= options.max_depth {
            let bound = options.max_depth;
            self.shared.stop(Some(format!(
                "stopped at the bound of {bound} choices in one schedule"
            )));
        }
        self.since_look += 1;
    }

    /// Now and then: leaves work to others, and tells how far the search has come.
    fn look(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        if self.is_far && self.shared.is_wanted() {
            self.share();
        }
        if self.since_look < LOOK {
            return;
        }
        self.since_look = 0;
        let states = self.shared.states();
        let edges = self.edges.bytes();
        let memory = self.shared.memory(edges - self.edge_bytes);
        self.edge_bytes = edges;
        if memory > self.shared.options.max_memory {
            let bound = self.shared.options.max_memory >> 20;
            self.shared.stop(Some(format!(
                "stopped at the bound of {bound} MiB of memory, after {states} states"
            )));
        }
        if !self.is_far && states >= self.shared.options.share_after {
            self.is_far = true;
            self.walk.machine().watch().wait_for_settle();
        }
        let now = Progress {
            states,
            depth: (self.prefix.len() + self.path.len()) as u64,
            memory,
            restarts: 0,
            outcomes: self.finals.len(),
        };
        if progress(now) == Go::Stop {
            self.shared
                .stop(Some(format!("interrupted after {states} states")));
        }
    }

    /// Leaves half of the untried choices of the shallowest state that has some to another worker.
    fn share(&mut self) {
        let shallowest = self.path.iter().position(|f| f.next < f.choices.end);
        let Some(at) = shallowest else { return };
        if at + 1 == self.path.len() && self.path[at].choices.end - self.path[at].next < 2 {
            return;
        }
        let way = self.path[..at].iter().map(|f| (f.next - 1) as u16);
        let prefix = self.prefix.iter().copied().chain(way).collect();
        let frame = &mut self.path[at];
        let keep = (frame.choices.end - frame.next) / 2;
        let choices = frame.next + keep..frame.choices.end;
        frame.choices.end = choices.start;
        self.shared.leave(Job {
            prefix,
            state: frame.state,
            choices,
        });
    }

    fn found(self) -> Found<M::Outcome> {
        let watch = self.walk.machine().watch().clone();
        Found {
            edges: self.edges,
            finals: self.finals,
            data_races: self.data_races,
            executions: self.executions,
            watch,
            reached: self.walk.machine().reached(),
            automaton: self.walk.into_automaton(),
        }
    }

    /// Says how the round ends, in which nothing has stopped the search but perhaps that more
    /// operations turned out to be steps.
    fn judge(self, others: Vec<Found<M::Outcome>>) -> Round<M> {
        let more_steps = {
            let mut watch = self.walk.machine().watch();
            for other in &others {
                watch.merge(&other.watch);
            }
            if self.is_far {
                watch.settle();
            }
            watch.has_changed().then(|| {
                watch.activate();
                watch.clone()
            })
        };
        if let Some(watch) = more_steps {
            return Round::MoreSteps(self.walk.into_machine(), Box::new(watch));
        }
        let Some(used) = self.used.clone() else {
            return Round::Over(Box::new(self.report(others)));
        };
        let others_automata = others.iter().map(|o| &o.automaton);
        let automata: Vec<_> = std::iter::once(self.walk.automaton())
            .chain(others_automata)
            .collect();
        let seen = Footprints::new(&automata, &self.walk.machine().watch());
        if !seen.is_like(&used) {
            return Round::MoreFootprints(Box::new(self.walk), Some(Arc::new(seen)));
        }
        let (report, walk) = self.report_and_walk(others);
        if report.interleavings == Interleavings::Endless {
            return Round::MoreFootprints(Box::new(walk), None);
        }
        Round::Over(Box::new(report))
    }

    /// The schedule of these choices, from the start.
    fn schedule(&mut self, choices: &[usize]) -> Schedule {
        self.walk.go_back(self.start);
        let mut schedule = vec![];
        for choice in choices {
            self.forced();
            let task = self.canonical()[*choice];
            self.step(task);
            schedule.push(task.into());
        }
        Schedule(schedule)
    }

    fn report(self, others: Vec<Found<M::Outcome>>) -> Report<M::Outcome> {
        self.report_and_walk(others).0
    }

    /// Puts together what all workers have found; gives the run back too.
    fn report_and_walk(mut self, others: Vec<Found<M::Outcome>>) -> (Report<M::Outcome>, Walk<M>) {
        let mut reached = self.walk.machine().reached();
        let mut all_edges = vec![std::mem::take(&mut self.edges)];
        let mut finals = std::mem::take(&mut self.finals);
        let mut data_races = std::mem::take(&mut self.data_races);
        let mut executions = self.executions;
        for other in others {
            reached.extend(other.reached);
            all_edges.push(other.edges);
            executions += other.executions;
            for (end, states) in other.finals {
                finals.entry(end).or_default().extend(states);
            }
            for (race, states) in other.data_races {
                data_races.entry(race).or_default().extend(states);
            }
        }
        let why = self.shared.why();
        let graph = Graph::new(self.shared.visited.end(), all_edges);
        let Some(root) = self.root else {
            return (self.nothing(reached, why), self.walk);
        };
        let shortest = graph.shortest(root);
        let depth = shortest.depth;
        let interleavings = match graph.interleavings(root) {
            Interleavings::Exactly(n) if why.is_some() => Interleavings::AtLeast(n),
            counted => counted,
        };
        let report = Report {
            finals: self.schedules(finals, &shortest),
            data_races: self.schedules(data_races, &shortest),
            reached,
            interleavings,
            states: self.shared.states(),
            executions,
            depth,
            complete: why.map_or(Complete::Yes, Complete::No),
            marks: self.walk.machine().marks(),
        };
        (report, self.walk)
    }

    /// The report of a search that did not come to its first state.
    fn nothing(
        &self,
        reached: std::collections::BTreeSet<&'static str>,
        why: Option<String>,
    ) -> Report<M::Outcome> {
        Report {
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            reached,
            interleavings: Interleavings::AtLeast(0),
            states: 0,
            executions: self.executions,
            depth: 0,
            complete: why.map_or(Complete::Yes, Complete::No),
            marks: self.walk.machine().marks(),
        }
    }

    /// The shortest schedule to the nearest of the states of each.
    fn schedules<K: Ord>(
        &mut self,
        all: BTreeMap<K, Vec<StateId>>,
        shortest: &Shortest<'_>,
    ) -> BTreeMap<K, Schedule> {
        all.into_iter()
            .filter_map(|(key, states)| {
                let ways = states.into_iter().filter_map(|s| shortest.to(s));
                let way = ways.min_by(|a, b| a.len().cmp(&b.len()).then(a.cmp(b)))?;
                Some((key, self.schedule(&way)))
            })
            .collect()
    }
}
