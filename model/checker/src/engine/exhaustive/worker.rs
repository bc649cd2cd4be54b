//! One worker of a search: depth-first through the states behind its path.

use super::by_points::ByPoints;
use super::exact::Exact;
use super::graph::{Choice, Edges};
use super::live::Dead;
use super::options::{Go, Progress};
use super::preemptions::Preemptions;
use super::repair::{Again, Reliances};
use super::rounds::Passing;
use super::shared::{Job, Open, Remedy, Shared, Told};
use super::sleep::{self, Sleep};
use super::visited::{Fresh, StateId};
use crate::engine::automaton::Automaton;
use crate::engine::effects::Effect;
use crate::engine::footprints::{Claimed, Claims, Flow, Footprints, Known, Relied};
use crate::engine::lock_order::LockOrder;
use crate::engine::marks::Watch;
use crate::engine::schedule::Turn;
use crate::engine::walk::{Alive, Place, Walk};
use crate::engine::weak::Live;
use crate::event::TaskId;
use crate::model::Model;
use crate::outcome::{DataRace, Final};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Steps without a choice after which a state is kept all the same: a task may loop. Under weak memory it
/// may each time around add stores that others have not seen.
const MAX_FORCED: u64 = 10_000;
const MAX_FORCED_WEAK: u64 = 100;

/// Where several search, each counts its states when there are so many: not to be in each other's way.
const UNCOUNTED: u64 = 64;

/// Where something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    /// In this state.
    State(StateId),
    /// Behind this choice of the state, before the next; before the first state if there is none.
    Choice(Option<StateId>, u32),
}

/// A state with a choice, on the current path.
struct Frame {
    state: StateId,
    place: Place,
    /// The number of the first of its choices that are this worker's.
    first: usize,
    /// Where these begin in [`Worker::choices`], and their targets in [`Worker::successors`]; the
    /// one to try next; and where they end.
    begin: usize,
    next: usize,
    end: usize,
    /// How much of the trail leads to it, and how many steps.
    depth: usize,
    steps: u64,
    /// There is more than one turn, taken or not.
    is_choice: bool,
    /// The run that came here has not gone on yet.
    is_fresh: bool,
    /// The part of all that each of the choices stands for.
    share: f64,
    preemptions: Preemptions,
    /// Who sleeps there, with those that were let go from there.
    asleep: u64,
}

/// What one worker has found.
pub(super) struct Found<O> {
    pub(super) edges: Vec<Edges>,
    pub(super) finals: BTreeMap<Final<O>, Vec<StateId>>,
    pub(super) data_races: BTreeMap<DataRace, Vec<At>>,
    pub(super) executions: u64,
    pub(super) reached: BTreeSet<&'static str>,
    pub(super) lock_order: LockOrder,
    /// The part of the tree of choices that is done.
    pub(super) done: f64,
}

impl<O: Ord> Found<O> {
    pub(super) fn new() -> Self {
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
    pub(super) fn extend(&mut self, other: Self) {
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
pub(super) struct Helper<O> {
    found: Found<O>,
    watch: Watch,
    claimed: Claimed,
    relied: Option<Relied>,
    automaton: Automaton,
}

/// What a helper begins with.
pub(super) enum First<'a> {
    Job(Job),
    Again(&'a Again),
}

/// What a step has led to.
enum Arrival {
    /// A state.
    At(Choice),
    /// Where the only one that is let go sleeps.
    Asleep,
    /// The search is over.
    Over,
}

/// Where a choice leads that was not tried.
fn nowhere(state: StateId) -> Choice {
    Choice {
        to: state,
        effects: 0,
        stale: 0,
    }
}

pub(super) struct Worker<'a, M: Model> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) walk: Walk<M>,
    /// What tasks touch, unless the search does without.
    pub(super) footprints: Option<Arc<Footprints>>,
    /// All that was seen of the tasks up to when this worker began.
    pub(super) flow: Arc<Flow>,
    /// How many points have been seen, with those of this worker's automaton.
    pub(super) points: usize,
    /// How many there were when the footprints were made.
    pub(super) known_points: usize,
    /// How many points of the automaton have been counted.
    pub(super) counted: usize,
    /// What is known of the points, by number, as far as it was asked for.
    pub(super) known: Vec<Known>,
    pub(super) dead: Dead,
    /// What is forgotten under weak memory, unless nothing is.
    pub(super) live: Option<Live>,
    effects: Vec<Effect>,
    pub(super) root: Option<StateId>,
    /// Who went on the way to where the run is, wherever more than one could.
    pub(super) trail: Vec<Turn>,
    /// Steps on that way.
    pub(super) steps: u64,
    /// Turns on the way from the last choice that took something but the newest, that one's included.
    stale: u32,
    path: Vec<Frame>,
    choices: Vec<Turn>,
    /// Where the choices lead, as far as they were tried.
    successors: Vec<Choice>,
    /// The choices' numbers, where there are sleep sets.
    numbers: Vec<usize>,
    pub(super) sleep: Option<Sleep>,
    pub(super) enabled: Vec<TaskId>,
    /// The turns that are taken: all those of the tasks that are let go.
    pub(super) let_go: Vec<Turn>,
    /// All that can be taken, in the same order, where there are sleep sets.
    pub(super) in_order: Vec<Turn>,
    /// For the choice of turns.
    pub(super) turns: Vec<Turn>,
    /// For the choice of a persistent set.
    pub(super) alive: Alive,
    /// What this worker's choices rely on, and those of the others who have ended.
    pub(super) claims: Claims,
    pub(super) claimed: Claimed,
    pub(super) reliances: Reliances,
    pub(super) by_points: ByPoints,
    pub(super) races: Vec<DataRace>,
    pub(super) found: Found<M::Outcome>,
    /// This round is finished before more operations become steps.
    pub(super) is_far: bool,
    /// On the way to where the run is.
    pub(super) preemptions: Preemptions,
    /// For the states that this worker finds first.
    pub(super) fresh: Fresh,
    /// New states that the others have not been told of.
    uncounted: u64,
    /// New states since the last look that counted them.
    since_look: u64,
    /// Choices since the clock was read.
    since_clock: u32,
    /// When it was last told how far the search is.
    looked: Instant,
    told: Told,
    exact: Option<&'a Exact>,
    /// What happens on the way to the next state, where somebody wants to know.
    pub(super) passing: Option<Passing>,
}

impl<'a, M: Model> Worker<'a, M> {
    pub(super) fn new(mut walk: Walk<M>, flow: Arc<Flow>, shared: &'a Shared<'a>) -> Self {
        walk.go_to_start();
        let footprints = shared.footprints();
        let sleep_sets = shared.options.sleep_sets && footprints.is_some() && !walk.is_weak();
        Self {
            dead: Dead::default(),
            live: shared.behind.clone().map(Live::new),
            effects: vec![],
            footprints,
            points: flow.len(),
            known_points: flow.len(),
            flow,
            counted: 0,
            known: vec![],
            walk,
            root: None,
            trail: vec![],
            steps: 0,
            stale: 0,
            path: vec![],
            choices: vec![],
            successors: vec![],
            numbers: vec![],
            sleep: sleep_sets.then(Sleep::default),
            enabled: vec![],
            let_go: vec![],
            in_order: vec![],
            turns: vec![],
            alive: Alive::default(),
            claims: Claims::default(),
            claimed: Claimed::default(),
            reliances: Reliances::new(shared.most_reliances()),
            by_points: ByPoints::default(),
            races: vec![],
            found: Found::new(),
            is_far: false,
            preemptions: Preemptions::new(shared.options.preemption_bound),
            fresh: Fresh::default(),
            uncounted: 0,
            since_look: 0,
            since_clock: 0,
            looked: shared.began,
            told: Told::default(),
            exact: shared.exact.as_ref(),
            passing: None,
            shared,
        }
    }

    /// Searches from the start, if it has not, or where it has to go again; then helps the others.
    pub(super) fn lead(&mut self, again: Option<&Again>, progress: &mut dyn FnMut(Progress) -> Go) {
        if self.root.is_none() {
            if self.shared.options.share_after == 0 {
                self.get_far();
            }
            self.found.executions += 1;
            self.walk.enabled(&mut self.enabled);
            if let Arrival::At(root) = self.arrive(1.0) {
                self.root = Some(root.to);
            }
            self.search(progress);
        }
        if let Some(again) = again {
            self.go_again(again, progress);
        }
        self.work(progress);
    }

    /// Helps another worker, who leads.
    pub(super) fn help(&mut self, first: First<'_>) {
        self.is_far = true;
        self.shared.has_help();
        let mut nobody = |_: Progress| Go::On;
        match first {
            First::Job(job) => {
                self.take_on(&job);
                self.search(&mut nobody);
            }
            First::Again(again) => self.go_again(again, &mut nobody),
        }
        self.work(&mut nobody);
    }

    /// From now on the round is finished.
    pub(super) fn get_far(&mut self) {
        self.is_far = true;
        self.walk.machine().watch().wait_for_settle();
    }

    fn work(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        while let Some(job) = self.shared.take() {
            self.take_on(&job);
            self.search(progress);
        }
    }

    /// Goes to the states of a job.
    fn take_on(&mut self, job: &Job) {
        let fits = self.follow(job, &mut |worker, here| {
            worker.go_on_at(here);
            Some(())
        });
        fits.expect("a job leads over its states");
    }

    /// Puts the current state on the path, with the choices that are left.
    pub(super) fn go_on_at(&mut self, open: &Open) {
        // Under weak memory it was done on the way.
        if !self.walk.is_weak() {
            self.forget();
        }
        self.take_effects();
        self.preemptions.look(&self.enabled);
        let begin = self.choices.len();
        self.choices.extend_from_slice(&open.turns);
        self.successors
            .resize(self.choices.len(), nowhere(open.state));
        self.path.push(Frame {
            state: open.state,
            place: self.walk.place(),
            first: open.first,
            begin,
            next: begin,
            end: self.choices.len(),
            depth: self.trail.len(),
            steps: self.steps,
            is_choice: self.has_choice(),
            is_fresh: open.is_fresh,
            share: open.share,
            preemptions: self.preemptions,
            asleep: 0,
        });
    }

    /// Goes through everything behind the states of the path.
    pub(super) fn search(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        loop {
            if self.shared.is_over() {
                self.put_by();
                return;
            }
            let Some(frame) = self.path.last_mut() else {
                self.count();
                return;
            };
            if frame.next == frame.end {
                self.leave();
                continue;
            }
            let (at, share) = (frame.next, frame.share);
            let (place, depth, steps) = (frame.place, frame.depth, frame.steps);
            self.preemptions = frame.preemptions;
            let (asleep, turn, is_choice) = (frame.asleep, self.choices[at], frame.is_choice);
            frame.asleep = sleep::with(asleep, turn.task);
            if !std::mem::take(&mut frame.is_fresh) {
                self.found.executions += 1;
            }
            frame.next += 1;
            self.take_back(place, depth, steps);
            self.sleep_again(asleep);
            self.stale = 0;
            self.step_from(turn, is_choice);
            match self.arrive(share) {
                Arrival::At(to) => self.successors[at] = to,
                Arrival::Asleep => self.successors[at] = Choice::NONE,
                Arrival::Over => {
                    if let Some(frame) = self.path.last_mut() {
                        frame.next -= 1;
                    }
                }
            }
            self.look(progress);
        }
    }

    /// Leaves the last state of the path.
    fn leave(&mut self) {
        if let Some(frame) = self.path.pop() {
            let tried = frame.begin..frame.next;
            if self.sleep.is_some() {
                for at in tried {
                    let choice = &self.successors[at..=at];
                    self.found.edges[0].push(frame.state, self.numbers[at], choice);
                }
                self.numbers.truncate(frame.begin);
            } else if frame.next > frame.begin {
                let tried = &self.successors[tried];
                self.found.edges[0].push(frame.state, frame.first, tried);
            }
            self.choices.truncate(frame.begin);
            self.successors.truncate(frame.begin);
        }
    }

    /// Leaves all states of the path; their untried choices become a job.
    fn put_by(&mut self) {
        let is_untried = |frame: &Frame| frame.next < frame.end;
        if let Some(last) = self.path.iter().rposition(is_untried) {
            let way = self.trail[..self.path[last].depth].to_vec();
            let untried = (0..=last).filter(|at| is_untried(&self.path[*at]));
            let open = untried
                .map(|at| self.open(at, self.path[at].next))
                .collect();
            self.shared.leave(Job { way, open });
        }
        while !self.path.is_empty() {
            self.leave();
        }
        self.count();
        self.tell();
    }

    /// The choices of a state of the path from `from` on.
    fn open(&self, at: usize, from: usize) -> Open {
        let frame = &self.path[at];
        Open {
            steps: frame.steps,
            state: frame.state,
            first: frame.first + (from - frame.begin),
            turns: self.choices[from..frame.end].to_vec(),
            is_fresh: frame.is_fresh,
            share: frame.share,
        }
    }

    /// As [`Worker::go_back`], without a look at who can go.
    fn take_back(&mut self, place: Place, depth: usize, steps: u64) {
        self.walk.go_back(place);
        self.trail.truncate(depth);
        self.steps = steps;
    }

    /// Takes the run back to where only so much of the trail was gone, by so many steps.
    pub(super) fn go_back(&mut self, place: Place, depth: usize, steps: u64) {
        self.take_back(place, depth, steps);
        self.walk.enabled(&mut self.enabled);
    }

    /// Takes the run back to where it began.
    pub(super) fn begin(&mut self) {
        self.walk.go_to_start();
        self.preemptions = Preemptions::new(self.shared.options.preemption_bound);
        self.sleep_again(0);
        self.trail.clear();
        self.steps = 0;
        self.walk.enabled(&mut self.enabled);
    }

    /// The turn that is taken at once, where there is no choice and the state is not kept; so many
    /// such states have been passed in a row.
    pub(super) fn passes_by(&mut self, passed: u64) -> Option<Turn> {
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
    pub(super) fn forced(&mut self, mut look: impl FnMut(&mut Self)) -> bool {
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
    pub(super) fn has_choice(&self) -> bool {
        match self.enabled[..] {
            [] => false,
            [only] => self.walk.is_weak() && self.walk.alternatives(only) > 1,
            _ => true,
        }
    }

    /// Lets a task take a step; `enabled` are those that can go before and after it.
    pub(super) fn step(&mut self, turn: Turn) {
        if let Some(passing) = &mut self.passing {
            passing.add(&self.walk, turn.task, &self.enabled);
        }
        self.preemptions.look(&self.enabled);
        self.step_from(turn, self.has_choice());
    }

    /// Lets a task take a step, where there is a choice or not; `enabled` are those that can go
    /// after it.
    fn step_from(&mut self, turn: Turn, is_choice: bool) {
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
    pub(super) fn fingerprint(&mut self) -> u128 {
        self.forget();
        let bits = self.shared.options.fingerprint_bits;
        let fingerprint = self.walk.fingerprint() ^ self.preemptions_fingerprint();
        fingerprint & (u128::MAX >> (u128::BITS - bits))
    }

    /// Comes to a state that is kept; gives its fingerprint. The order of its choices goes by it alone, so
    /// under weak memory they are made when it has been forgotten what no task will see.
    pub(super) fn settle(&mut self) -> u128 {
        let fingerprint = self.fingerprint();
        if self.walk.is_weak() {
            self.choose();
        }
        fingerprint
    }

    /// Lets tasks go while there is no choice, and enters the state, which stands for `share` of
    /// all. A state with a choice that is to be tried becomes the last of the path.
    fn arrive(&mut self, share: f64) -> Arrival {
        self.reliances
            .set_out(self.path.last().map(|frame| frame.state));
        let sleeps = self.forced(Self::look_for_races_on_the_way);
        if let Some(limit) = self.walk.limit() {
            let limit = limit.to_owned();
            self.shared.stop_at_bound(limit, Remedy::Nothing);
            return Arrival::Over;
        }
        let has_news = self.walk.take_news() && !self.is_far;
        if has_news && (self.walk.machine().watch().has_changed() || self.has_learnt_much()) {
            self.shared.break_off();
            return Arrival::Over;
        }
        debug_assert!(
            self.walk.surprise().is_none() || self.walk.machine().watch().has_changed(),
            "who touches a cell within a step sees the newest alone"
        );
        if sleeps {
            self.found.done += share;
            return Arrival::Asleep;
        }
        let fingerprint = self.settle();
        if let Some(exact) = self.exact {
            exact.compare(fingerprint, &self.walk.content());
        }
        let effects = self.take_effects();
        let (state, is_new) = self.shared.visited.insert(&mut self.fresh, fingerprint);
        self.reliances.arrive(state, is_new);
        let stale = self.stale;
        let choice = Choice {
            to: state,
            effects,
            stale,
        };
        if !self.enabled.is_empty() {
            let is_awake = self.awake(state, is_new);
            if is_awake || is_new {
                self.enter(state, is_new, share);
            }
            if is_awake {
                return Arrival::At(choice);
            }
        } else if is_new {
            let end = self.walk.finish();
            self.found.finals.entry(end).or_default().push(state);
        }
        self.found.done += share;
        Arrival::At(choice)
    }

    /// What has become of dead cells since the last call, by number.
    fn take_effects(&mut self) -> u32 {
        let mut world = self.walk.machine().world();
        world.take_effects(&mut self.effects);
        self.found.edges[0].number(&self.effects)
    }

    /// Looks for data races in a state that is passed without a choice.
    fn look_for_races_on_the_way(&mut self) {
        let frame = self.path.last();
        let number = |f: &Frame| match self.sleep {
            Some(_) => self.numbers[f.next - 1],
            None => f.first + f.next - 1 - f.begin,
        };
        let choice = frame.map_or(0, |f| number(f) as u32);
        self.look_for_races(At::Choice(frame.map(|f| f.state), choice));
    }

    fn look_for_races(&mut self, at: At) {
        self.walk.data_races(&mut self.races);
        for race in self.races.drain(..) {
            let places = self.found.data_races.entry(race).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }

    /// A state that is new, or has choices that are to be tried.
    fn enter(&mut self, state: StateId, is_new: bool, share: f64) {
        self.look_for_races(At::State(state));
        let begin = self.choices.len();
        match &self.sleep {
            Some(sleep) => sleep.take_choices(&mut self.numbers, &mut self.choices),
            None => self.choices.extend_from_slice(&self.let_go),
        }
        let count = self.choices.len() - begin;
        self.successors.resize(self.choices.len(), nowhere(state));
        self.path.push(Frame {
            state,
            place: self.walk.place(),
            first: 0,
            begin,
            next: begin,
            end: self.choices.len(),
            depth: self.trail.len(),
            steps: self.steps,
            is_choice: self.has_choice(),
            is_fresh: true,
            share: share / f64::from(count.max(1) as u32),
            preemptions: self.preemptions,
            asleep: self.asleep(),
        });
        if !is_new {
            return;
        }
        self.uncounted += 1;
        if self.uncounted == UNCOUNTED || !self.shared.had_help() {
            self.count();
        }
        let bound = self.shared.options.max_depth;
        if self.depth() >= bound {
            let why = format!("stopped at the bound of {bound} choices in one schedule");
            self.shared.stop_at_bound(why, Remedy::RaiseBound);
        }
        self.since_look += 1;
    }

    /// Counts the states that this worker has found.
    fn count(&mut self) {
        if self.uncounted == 0 {
            return;
        }
        let states = self.shared.count(std::mem::take(&mut self.uncounted));
        let bound = self.shared.options.max_states;
        if states >= bound {
            let why = format!("stopped at the bound of {bound} states");
            self.shared.stop_at_bound(why, Remedy::RaiseBound);
        }
    }

    /// Choices on the current path.
    fn depth(&self) -> u64 {
        self.trail.len() as u64
    }

    /// Whether it goes by what has been seen of the tasks.
    pub(super) fn goes_by_flow(&self) -> bool {
        self.footprints.is_some() || self.live.is_some()
    }

    /// Bytes that it takes to take back the way to where the run is, under weak memory.
    fn way_bytes(&self) -> u64 {
        if self.walk.is_weak() {
            self.walk.way_bytes()
        } else {
            0
        }
    }

    /// Tells the others how far this worker is.
    fn tell(&mut self) {
        let now = Told {
            edges: self.found.edges.iter().map(Edges::bytes).sum(),
            untried: self.path.iter().map(|f| (f.end - f.next) as u64).sum(),
            relied: self.reliances.bytes(),
            way: self.way_bytes(),
            done: self.found.done,
        };
        self.shared.tell(&mut self.told, now);
    }

    /// Leaves work to others; now and then tells how far the search has come.
    fn look(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        if self.is_far && self.shared.is_wanted() {
            self.share();
        }
        // Only the looks that are counted may change what the search does: the others come when
        // they come.
        let is_counted = self.since_look >= self.shared.options.look;
        if !is_counted && !self.is_time_to_look() {
            return;
        }
        self.looked = Instant::now();
        self.tell();
        let (states, memory) = (self.shared.states(), self.shared.memory());
        if is_counted {
            self.since_look = 0;
            if !self.is_far && states >= self.shared.options.share_after {
                self.get_far();
            }
        }
        // Under weak memory a few states may take much.
        if is_counted || self.walk.is_weak() {
            self.keep_to_memory(memory);
        }
        self.keep_to_time();
        if self.shared.is_due() {
            self.shared.pause();
        }
        let now = Progress {
            states,
            depth: self.depth(),
            memory,
            schedules_log10: None,
            restarts: 0,
            outcomes: self.found.finals.len(),
            untried: self.shared.untried(),
            done: self.shared.done(),
        };
        if progress(now) == Go::Stop {
            let why = format!("interrupted after {states} states");
            self.shared.stop_early(why, Remedy::GoOn);
        }
    }

    /// Whether nobody has been told for a while: where steps take long, states are few.
    fn is_time_to_look(&mut self) -> bool {
        /// So many choices are tried before the clock is read again.
        const CHOICES: u32 = 64;
        const WHILE: Duration = Duration::from_millis(100);
        self.since_clock += 1;
        if self.since_clock < CHOICES {
            return false;
        }
        self.since_clock = 0;
        self.looked.elapsed() >= WHILE
    }

    /// Stops the search at the bound of memory.
    fn keep_to_memory(&self, memory: u64) {
        let bound = self.shared.options.max_memory;
        if memory > bound {
            let why = format!("stopped at the bound of {} MiB of memory", bound >> 20);
            self.shared.stop_early(why, Remedy::RaiseBound);
        }
    }

    /// Stops the search at the bound of time.
    fn keep_to_time(&self) {
        if let Some(bound) = self.shared.options.max_seconds
            && self.shared.is_too_late()
        {
            let why = format!("stopped at the bound of {bound} seconds");
            self.shared.stop_early(why, Remedy::RaiseBound);
        }
    }

    /// Leaves half of the untried choices of the shallowest state that has some to another worker.
    fn share(&mut self) {
        let shallowest = self.path.iter().position(|f| f.next < f.end);
        let Some(at) = shallowest else { return };
        let untried = self.path[at].end - self.path[at].next;
        if at + 1 == self.path.len() && untried < 2 {
            return;
        }
        let from = self.path[at].next + untried / 2;
        let open = Open {
            is_fresh: false,
            ..self.open(at, from)
        };
        self.path[at].end = from;
        let way = self.trail[..self.path[at].depth].to_vec();
        self.shared.leave(Job {
            way,
            open: vec![open],
        });
    }

    /// What the worker has found and learnt, when it is no longer needed.
    pub(super) fn into_found(mut self) -> Helper<M::Outcome> {
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
    pub(super) fn take_in(&mut self, helper: Helper<M::Outcome>) {
        self.found.extend(helper.found);
        self.walk.machine().watch().merge(&helper.watch);
        if self.goes_by_flow() {
            Arc::make_mut(&mut self.flow).add(&helper.automaton);
            self.claimed.extend(helper.claimed);
            self.reliances.others.push(helper.relied);
        }
        self.tell();
    }
}
