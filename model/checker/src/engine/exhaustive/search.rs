//! The search itself: depth-first, by one or more workers.
//!
//! A search is made of rounds. In each it goes by certain steps; when it sees that more operations
//! have to be steps, it starts again. Early on it does so at once. A round that has come far is
//! finished first, so that what it has seen depends on its steps alone and not on the order in
//! which several workers went.

use super::graph::{Edges, Graph, Shortest};
use super::options::{Go, Options, Progress};
use super::sampling::sample;
use super::shared::{Job, Shared, StopOnPanic};
use super::visited::StateId;
use crate::engine::automaton::{Automaton, NodeId};
use crate::engine::footprints::{Claims, Footprints, Known, Standing};
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

/// Steps without a choice after which a state is kept all the same: a task may loop.
const MAX_FORCED: u64 = 10_000;

/// Where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// In this state.
    State(StateId),
    /// Behind this choice of the state, before the next; before the first state if there is none.
    Choice(Option<StateId>, u16),
}

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
    let new_walk = |machine| {
        let mut walk = Walk::new(model, machine);
        walk.transactions = options.transactions;
        walk
    };
    let mut walk = new_walk(machine);
    let mut footprints = options.persistent_sets.then(Arc::<Footprints>::default);
    let mut is_new = true;
    for restarts in 0.. {
        let mut tell = |now: Progress| progress(Progress { restarts, ..now });
        if options.persistent_sets && std::mem::take(&mut is_new) {
            sample(&mut walk);
            let seen = Footprints::new(
                &[walk.automaton()],
                &walk.machine().watch(),
                walk.transaction_kinds(),
            );
            footprints = footprints.map(|_| Arc::new(seen));
            if walk.machine().watch().has_changed() {
                let mut watch = walk.machine().watch().clone();
                watch.activate();
                let machine = walk.into_machine();
                machine.configure(Granularity::Steps, watch, options.checkpoints);
                walk = new_walk(machine);
                is_new = true;
                continue;
            }
        }
        let footprints_now = footprints.clone();
        match round(model, walk, footprints_now, options, &mut tell) {
            Round::Over(report) => return *report,
            Round::MoreSteps(machine, seen) => {
                machine.configure(Granularity::Steps, *seen, options.checkpoints);
                walk = new_walk(machine);
                is_new = true;
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
    /// Tasks touch more than was known; or the search has to do without that.
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
                    let mut walk = Walk::new(model, machine);
                    walk.transactions = shared.options.transactions;
                    let mut worker = Worker::new(walk, footprints, shared);
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
    data_races: BTreeMap<DataRace, Vec<At>>,
    executions: u64,
    watch: Watch,
    automaton: Automaton,
    known: Vec<Known>,
    claims: Claims,
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
    /// Of those, the ones that are let go.
    let_go: Vec<TaskId>,
    /// For the choice of a persistent set: the tasks that have not ended, what is known of them,
    /// and which of them to begin with.
    alive: Vec<TaskId>,
    standings: Vec<Standing>,
    seeds: Vec<usize>,
    /// What the choices so far rely on.
    claims: Claims,
    races: Vec<DataRace>,
    edges: Edges,
    finals: BTreeMap<Final<M::Outcome>, Vec<StateId>>,
    data_races: BTreeMap<DataRace, Vec<At>>,
    executions: u64,
    /// This round is finished before more operations become steps.
    is_far: bool,
    since_look: u64,
    /// How many states there were when something was last learnt of the tasks.
    last_news: u64,
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
            let_go: vec![],
            alive: vec![],
            standings: vec![],
            seeds: vec![],
            claims: Claims::default(),
            races: vec![],
            edges: Edges::default(),
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            executions: 0,
            is_far: false,
            since_look: 0,
            last_news: 0,
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
            self.forced(|_| ());
            self.step(self.let_go[usize::from(*choice)]);
        }
        self.forced(|_| ());
        let base = self.choices.len();
        self.choices.extend_from_slice(&self.let_go);
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

    /// Of the tasks that can go, those that are let go, in `let_go`: in an order that depends on the
    /// state alone and not on how it was come to.
    fn choose(&mut self) {
        self.let_go.clone_from(&self.enabled);
        if self.let_go.len() < 2 {
            return;
        }
        let (walk, automaton) = (&self.walk, self.walk.automaton());
        self.let_go.sort_unstable_by_key(|t| {
            let node = automaton.node(walk.nodes()[t.index()]);
            (walk.key(*t).entry, node.fingerprint)
        });
        let Some(footprints) = &self.footprints else {
            return;
        };
        for i in self.known.len()..automaton.len() {
            let identity = &automaton.point(NodeId::new(i)).identity;
            self.known.push(footprints.of(identity));
        }
        walk.standings(&self.known, &mut self.alive, &mut self.standings);
        if self.alive.len() > 64 {
            return;
        }
        let alive = &self.alive;
        let number = |task: &TaskId| alive.iter().position(|t| t == task);
        self.seeds.clear();
        self.seeds.extend(self.let_go.iter().filter_map(number));
        let set = footprints.persistent(&self.standings, &self.seeds);
        self.claims.note(&self.standings, set);
        let is_in = |task: &TaskId| number(task).is_none_or(|i| set >> i & 1 != 0);
        self.let_go.retain(is_in);
    }

    /// Takes in what the tasks have been seen to do, once that has become more.
    fn learn_footprints(&mut self) {
        let points = self.walk.automaton().len();
        if self.footprints.is_none() || points < self.known_points + self.known_points / 8 + 16 {
            return;
        }
        self.known_points = points;
        let footprints = Footprints::new(
            &[self.walk.automaton()],
            &self.walk.machine().watch(),
            self.walk.transaction_kinds(),
        );
        self.footprints = Some(Arc::new(footprints));
        self.known.clear();
    }

    /// Lets tasks go while there is no choice. Leaves the choices, if any, in `let_go`.
    fn forced(&mut self, mut look: impl FnMut(&mut Self)) {
        self.walk.enabled(&mut self.enabled);
        self.choose();
        for _ in 0..MAX_FORCED {
            let [only] = self.let_go[..] else { return };
            if self.enabled.len() > 1 {
                look(self);
            }
            self.step(only);
            if self.walk.limit().is_some() {
                return;
            }
            self.choose();
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
        self.forced(Self::look_for_races_on_the_way);
        if let Some(limit) = self.walk.limit() {
            self.shared.stop(Some(limit.to_owned()));
            return None;
        }
        if self.walk.take_news() && !self.is_far {
            if self.walk.machine().watch().has_changed() {
                self.shared.stop(None);
                return None;
            }
            self.last_news = self.shared.states();
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

    /// Looks for data races in a state that is passed without a choice.
    fn look_for_races_on_the_way(&mut self) {
        let frame = self.path.last();
        let choice = frame.map_or(0, |f| (f.next - 1) as u16);
        self.look_for_races(At::Choice(frame.map(|f| f.state), choice));
    }

    fn look_for_races(&mut self, at: At) {
        self.walk.data_races(&mut self.races);
        for race in self.races.drain(..) {
            let places = self.data_races.entry(race).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }

    /// A new state with a choice.
    fn enter(&mut self, state: StateId) {
        self.look_for_races(At::State(state));
        let base = self.choices.len();
        self.choices.extend_from_slice(&self.let_go);
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
        if !self.is_far && states >= self.last_news + self.shared.options.share_after {
            self.go_far();
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

    /// For long nothing new has been seen of the tasks. If it was not all known from the start, the
    /// round is begun again with what is known now; else it is finished before more operations
    /// become steps.
    fn go_far(&mut self) {
        if !self.knew_all() {
            self.shared.stop(None);
            return;
        }
        self.is_far = true;
        self.walk.machine().watch().wait_for_settle();
    }

    /// Whether the round went by the same footprints all the time.
    fn knew_all(&self) -> bool {
        match (&self.used, &self.footprints) {
            (Some(used), Some(now)) => Arc::ptr_eq(used, now),
            _ => true,
        }
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
            known: self.known,
            claims: self.claims,
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
        if self.used.is_none() {
            return Round::Over(Box::new(self.report(others)));
        }
        let others_automata = others.iter().map(|o| &o.automaton);
        let automata: Vec<_> = std::iter::once(self.walk.automaton())
            .chain(others_automata)
            .collect();
        let seen = Footprints::new(
            &automata,
            &self.walk.machine().watch(),
            self.walk.transaction_kinds(),
        );
        let others_hold = |o: &Found<_>| seen.hold(&o.claims, &o.automaton, &o.known);
        let all_hold = self.knew_all()
            && seen.hold(&self.claims, self.walk.automaton(), &self.known)
            && others.iter().all(others_hold);
        if !all_hold {
            return Round::MoreFootprints(Box::new(self.walk), Some(Arc::new(seen)));
        }
        let (report, walk) = self.report_and_walk(others);
        if report.interleavings == Interleavings::Endless {
            return Round::MoreFootprints(Box::new(walk), None);
        }
        Round::Over(Box::new(report))
    }

    /// The schedule of these choices, from the start: who goes wherever more than one could.
    fn schedule(&mut self, choices: &[usize], race: Option<&DataRace>) -> Schedule {
        self.walk.go_back(self.start);
        let mut schedule = vec![];
        let mut choices = choices.iter();
        let mut passed = 0;
        loop {
            self.walk.enabled(&mut self.enabled);
            self.choose();
            self.walk.data_races(&mut self.races);
            if choices.len() == 0 && race.is_some_and(|r| self.races.contains(r)) {
                break;
            }
            let task = match self.let_go[..] {
                [] => break,
                [only] if passed < MAX_FORCED => only,
                _ => match choices.next() {
                    Some(choice) => {
                        passed = 0;
                        self.let_go[*choice]
                    }
                    None => break,
                },
            };
            passed += 1;
            for _ in 0..self.walk.parts(task) {
                self.walk.enabled(&mut self.enabled);
                if self.enabled.len() > 1 {
                    schedule.push(task);
                }
                self.walk.part(task);
            }
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
            finals: self.ends(finals, &shortest),
            data_races: self.races(data_races, &shortest),
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

    /// For each outcome the shortest schedule.
    fn ends(
        &mut self,
        finals: BTreeMap<Final<M::Outcome>, Vec<StateId>>,
        shortest: &Shortest<'_>,
    ) -> BTreeMap<Final<M::Outcome>, Schedule> {
        finals
            .into_iter()
            .filter_map(|(end, states)| {
                let ways = states.into_iter().filter_map(|s| shortest.to(s));
                let way = nearest(ways)?;
                Some((end, self.schedule(&way, None)))
            })
            .collect()
    }

    /// For each data race the shortest schedule to where both accesses are about to happen.
    fn races(
        &mut self,
        races: BTreeMap<DataRace, Vec<At>>,
        shortest: &Shortest<'_>,
    ) -> BTreeMap<DataRace, Schedule> {
        let way = |at: At| match at {
            At::State(state) => shortest.to(state),
            At::Choice(None, _) => Some(vec![]),
            At::Choice(Some(state), choice) => {
                let mut way = shortest.to(state)?;
                way.push(usize::from(choice));
                Some(way)
            }
        };
        races
            .into_iter()
            .filter_map(|(race, places)| {
                let way = nearest(places.into_iter().filter_map(way))?;
                let schedule = self.schedule(&way, Some(&race));
                Some((race, schedule))
            })
            .collect()
    }
}

/// The shortest way; of those equally long, the one whose choices come first.
fn nearest(ways: impl Iterator<Item = Vec<usize>>) -> Option<Vec<usize>> {
    ways.min_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
}
