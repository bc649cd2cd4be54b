//! One worker of a search: depth-first through the states behind its path.

mod found;
mod jobs;
mod look;
mod run;

pub(super) use found::{At, Found};

use super::by_points::ByPoints;
use super::exact::Exact;
use super::graph::Choice;
use super::live::Dead;
use super::options::{Go, Progress};
use super::preemptions::Preemptions;
use super::repair::{Again, Reliances};
use super::rounds::Passing;
use super::shared::{Job, Remedy, Shared, Told};
use super::sleep::{self, Sleep};
use super::visited::{Fresh, StateId};
use crate::engine::effects::Effect;
use crate::engine::footprints::{Claimed, Claims, Flow, Footprints, Known};
use crate::engine::schedule::Turn;
use crate::engine::walk::{Alive, Place, Walk};
use crate::engine::weak::Live;
use crate::event::TaskId;
use crate::model::Model;
use crate::outcome::DataRace;
use std::sync::Arc;
use std::time::Instant;

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

    /// A state that is new, or has choices that are to be tried.
    fn enter(&mut self, state: StateId, is_new: bool, share: f64) {
        self.look_for_races(At::State(state));
        let begin = self.choices.len();
        match &self.sleep {
            Some(sleep) => sleep.take_choices(&mut self.numbers, &mut self.choices),
            None => self.choices.extend_from_slice(&self.let_go),
        }
        let count = self.choices.len() - begin;
        let frame = Frame {
            share: share / f64::from(count.max(1) as u32),
            ..self.frame(state, begin)
        };
        self.path.push(frame);
        if !is_new {
            return;
        }
        self.has_one_more();
        let bound = self.shared.options.max_depth;
        if self.depth() >= bound {
            let why = format!("stopped at the bound of {bound} choices in one schedule");
            self.shared.stop_at_bound(why, Remedy::RaiseBound);
        }
        self.since_look += 1;
    }

    /// The current state, with all its choices: those from `begin` on, which stand for nothing yet.
    fn frame(&mut self, state: StateId, begin: usize) -> Frame {
        let end = self.choices.len();
        self.successors.resize(end, nowhere(state));
        Frame {
            state,
            place: self.walk.place(),
            first: 0,
            begin,
            next: begin,
            end,
            depth: self.trail.len(),
            steps: self.steps,
            is_choice: self.has_choice(),
            is_fresh: true,
            share: 0.0,
            preemptions: self.preemptions,
            asleep: self.asleep(),
        }
    }

    /// Whether it goes by what has been seen of the tasks.
    pub(super) fn goes_by_flow(&self) -> bool {
        self.footprints.is_some() || self.live.is_some()
    }
}
