//! Every interleaving under weak memory, and every choice of what is read and where stores go.
//!
//! Depth-first, states merged. A transition is a task and an alternative of the first operation of
//! its step; steps are those of the lock-aware reduction, every taking of a lock that another task
//! takes too, and every smp_mb(). What tasks do is learnt as under sequential consistency, since a task is a
//! function of what it observes, whoever says what that is.
//!
//! What no task will see any more is forgotten, see [`super::live`]; of the tasks so many are let go at
//! a state as are enough, see [`super::persistent`]. No workers.

use super::graph::{Graph, StateId};
use super::learnt::{Asked, Learnt};
use crate::engine::exhaustive::{self, Go, Options, Progress};
use crate::engine::footprints::Flow;
use crate::engine::machine::memory::Weak;
use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::Turn;
use crate::engine::walk::{Place, Walk};
use crate::model::Model;
use crate::outcome::{Complete, DataRace, Final, Report};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Steps without a choice after which a state is kept all the same: a task may loop, and each time around
/// may add stores that others have not seen.
const MAX_FORCED: u64 = 100;

/// How often the search looks around, in states.
const LOOK: u64 = 4096;

/// Explores all interleavings of a model under weak memory.
pub(super) fn explore<M: Model>(
    model: &Arc<M>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Report<M::Outcome> {
    let began = Instant::now();
    let layout = model.layout();
    let mut watch = if options.lock_aware {
        // What has to be a step under sequential consistency has to be one here too, and is soon
        // found there.
        let sequential = exhaustive::explore_with(model, options, progress);
        Watch::weak(layout, sequential.marks)
    } else {
        Watch::fixed(layout, Marks::all(layout))
    };
    let mut machine = Box::new(Machine::new(model.clone(), false));
    let mut flow = Flow::default();
    let mut asked = Asked {
        live_variables: options.live_variables,
        persistent_sets: options.persistent_sets,
        sampled: options.sampled,
    };
    for restarts in 0.. {
        machine.configure(Granularity::Steps, watch, options.checkpoints);
        let mut walk = Walk::weak(model, machine);
        let learnt = Learnt::new(flow, &mut walk, asked);
        let mut search = Search::new(walk, learnt, options, (began, restarts), progress);
        search.run();
        let more = search.learnt.outgrown(&search.walk);
        let has_more_steps = search.walk.machine().watch().has_changed();
        if search.stopped.is_some() {
            if more.is_some() {
                search.leave_out_doubtful();
            }
            return search.report();
        }
        let goes_round_with_sets = search.goes_round_with_sets();
        if !has_more_steps && more.is_none() && !goes_round_with_sets {
            return search.report();
        }
        // They need runs that end.
        asked.persistent_sets &= !goes_round_with_sets;
        watch = search.walk.machine().watch().clone();
        if has_more_steps {
            watch.activate();
        }
        // What is known of tasks is known of their steps.
        flow = more.filter(|_| !has_more_steps).unwrap_or_default();
        machine = search.walk.into_machine();
    }
    unreachable!("each round adds steps, or something that a task touches: both come to an end")
}

/// A state with a choice, on the current path.
struct Frame {
    state: StateId,
    place: Place,
    seen: Option<Weak>,
    turns: Vec<Turn>,
    next: usize,
    /// Schedules from here to an end, by the choices tried so far.
    schedules: u128,
    /// About how many bytes takes what is seen up to here.
    bytes: u64,
}

struct Search<'a, M: Model> {
    walk: Walk<M>,
    learnt: Learnt,
    options: &'a Options,
    began: Instant,
    progress: &'a mut dyn FnMut(Progress) -> Go,
    restarts: u64,
    visited: HashMap<u128, StateId>,
    graph: Graph,
    path: Vec<Frame>,
    turns: Vec<Turn>,
    /// Those that were taken since the last state where others could be, but need not.
    passed: Vec<Turn>,
    races: Vec<DataRace>,
    finals: BTreeMap<Final<M::Outcome>, Vec<StateId>>,
    data_races: BTreeMap<DataRace, Vec<StateId>>,
    executions: u64,
    depth: u64,
    /// Why the search is not complete, if so.
    stopped: Option<String>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(
        walk: Walk<M>,
        learnt: Learnt,
        options: &'a Options,
        (began, restarts): (Instant, u64),
        progress: &'a mut dyn FnMut(Progress) -> Go,
    ) -> Self {
        Self {
            walk,
            learnt,
            options,
            began,
            progress,
            restarts,
            visited: HashMap::new(),
            graph: Graph::default(),
            path: vec![],
            turns: vec![],
            passed: vec![],
            races: vec![],
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            executions: 1,
            depth: 0,
            stopped: None,
        }
    }

    /// Goes through everything, until more operations turn out to be steps.
    fn run(&mut self) {
        self.arrive(None);
        while !self.is_over()
            && let Some(frame) = self.path.last_mut()
        {
            let Some(turn) = frame.turns.get(frame.next).copied() else {
                self.leave();
                continue;
            };
            self.executions += u64::from(frame.next > 0);
            frame.next += 1;
            let from = frame.state;
            self.walk.go_back_to(frame.place, frame.seen.clone());
            self.walk.take_turn(turn);
            self.arrive(Some((from, turn)));
        }
    }

    /// Whether nothing more can come of it: it was stopped, or went by what is not so.
    fn is_over(&mut self) -> bool {
        self.stopped.is_some()
            || self.walk.machine().watch().has_changed()
            || self.goes_round_with_sets()
            || (self.is_time_to_look_back() && self.learnt.outgrown(&self.walk).is_some())
    }

    fn is_time_to_look_back(&mut self) -> bool {
        let states = self.visited.len() as u64;
        self.learnt.is_time_to_look_back(states)
    }

    /// Whether a schedule comes back to where it was, and tasks were left out.
    fn goes_round_with_sets(&self) -> bool {
        self.graph.goes_round() && self.learnt.has_sets()
    }

    /// Leaves out what was found after the search had forgotten too much.
    fn leave_out_doubtful(&mut self) {
        let is_sure = |states: &mut Vec<StateId>| {
            states.retain(|state| self.learnt.is_sure(*state));
            !states.is_empty()
        };
        self.finals.retain(|_, states| is_sure(states));
        self.data_races.retain(|_, states| is_sure(states));
    }

    fn leave(&mut self) {
        let Some(frame) = self.path.pop() else { return };
        self.graph.leave(frame.state, frame.schedules);
        if let Some(parent) = self.path.last_mut() {
            parent.schedules = parent.schedules.saturating_add(frame.schedules);
        }
    }

    /// Goes on while there is no choice, and enters the state if it is new.
    fn arrive(&mut self, by: Option<(StateId, Turn)>) {
        self.passed.clear();
        let mut is_choice = self.choose();
        let mut taken = 0;
        while let [only] = self.turns[..]
            && taken < MAX_FORCED
        {
            if is_choice {
                self.passed.push(only);
            }
            self.walk.take_turn(only);
            if self.walk.limit().is_some() {
                break;
            }
            is_choice = self.choose();
            taken += 1;
        }
        if let Some(limit) = self.walk.limit() {
            self.stopped = Some(limit.to_owned());
            return;
        }
        let has_changed = self.walk.machine().watch().has_changed();
        if has_changed {
            return;
        }
        debug_assert_eq!(
            self.walk.seen().and_then(|s| s.surprise()),
            None,
            "who touches a cell within a step sees the newest alone"
        );
        let fresh = self.visited.len() as StateId;
        self.learnt.arrive(&mut self.walk, fresh);
        let fingerprint = self.walk.weak_fingerprint();
        let state = *self.visited.entry(fingerprint).or_insert(fresh);
        if let Some((from, turn)) = by {
            self.graph.choice(from, turn, &self.passed, state);
        } else {
            self.graph.begin(&self.passed);
        }
        if state == fresh {
            self.enter(state);
        } else {
            let known = self.graph.schedules(state);
            self.count(known);
        }
    }

    /// Looks for the turns that are to be taken next; gives whether there is a choice, be there no need of
    /// it. Who is let go alone is about to do nothing that races with anybody.
    fn choose(&mut self) -> bool {
        self.walk.turns(&mut self.turns);
        let is_choice = self.turns.len() > 1;
        self.learnt.choose(&self.walk, &mut self.turns);
        is_choice
    }

    fn count(&mut self, schedules: u128) {
        if let Some(frame) = self.path.last_mut() {
            frame.schedules = frame.schedules.saturating_add(schedules);
        }
    }

    /// A new state.
    fn enter(&mut self, state: StateId) {
        self.graph.enter();
        self.depth = self.depth.max(self.path.len() as u64);
        self.look();
        if self.turns.is_empty() {
            let end = self.walk.finish();
            self.finals.entry(end).or_default().push(state);
            self.graph.leave(state, 1);
            self.count(1);
            return;
        }
        self.walk.data_races(&mut self.races);
        for race in self.races.drain(..) {
            self.data_races.entry(race).or_default().push(state);
        }
        let seen = self.walk.seen();
        let before = self.path.last().map_or(0, |frame| frame.bytes);
        self.path.push(Frame {
            state,
            place: self.walk.place(),
            turns: self.turns.clone(),
            next: 0,
            schedules: 0,
            bytes: before + seen.as_ref().map_or(0, Weak::bytes),
            seen,
        });
    }

    /// About how many bytes the path takes.
    fn path_bytes(&self) -> u64 {
        let bytes = |frame: &Frame| frame.bytes + frame.place.bytes();
        self.path.last().map_or(0, bytes)
    }

    /// Looks at the bounds and, now and then, tells how far the search has come.
    fn look(&mut self) {
        /// What a state takes in the set of those visited, in bytes.
        const STATE: u64 = 40;
        let states = self.visited.len() as u64;
        let depth = self.path.len() as u64;
        let memory = self.graph.bytes() + states * STATE + self.path_bytes();
        let o = self.options;
        if states >= o.max_states {
            let bound = o.max_states;
            self.stopped = Some(format!("stopped at the bound of {bound} states"));
        } else if depth >= o.max_depth {
            let bound = o.max_depth;
            self.stopped = Some(format!(
                "stopped at the bound of {bound} choices in one schedule"
            ));
        } else if memory > o.max_memory {
            let bound = o.max_memory >> 20;
            self.stopped = Some(format!(
                "stopped at the bound of {bound} MiB of memory, after {states} states"
            ));
        } else if let Some(bound) = o.max_seconds
            && self.began.elapsed().as_secs() >= bound
        {
            let why = "stopped at the bound of";
            self.stopped = Some(format!("{why} {bound} seconds, after {states} states"));
        } else if states.is_multiple_of(LOOK) {
            let now = Progress {
                states,
                depth,
                memory,
                schedules_log10: None,
                restarts: self.restarts,
                outcomes: self.finals.len(),
                untried: 0,
                done: 0.0,
            };
            if (self.progress)(now) == Go::Stop {
                self.stopped = Some(format!("interrupted after {states} states"));
            }
        }
    }

    fn report(mut self) -> Report<M::Outcome> {
        if self.visited.is_empty() {
            self.graph.enter();
        }
        // Those that were come to the end of; where the search was stopped, of the states on the path too.
        let on_path = self.path.iter().map(|frame| frame.schedules);
        let on_path = on_path.fold(0u128, u128::saturating_add);
        let mut interleavings = self.graph.interleavings(on_path);
        if self.stopped.is_some() {
            interleavings = interleavings.at_least();
        }
        let shortest = self.graph.shortest();
        let finals = self.finals.into_iter();
        let data_races = self.data_races.into_iter();
        Report {
            rounds: BTreeMap::new(),
            finals: finals
                .map(|(end, states)| (end, shortest.to_nearest(&states)))
                .collect(),
            data_races: data_races
                .map(|(race, states)| (race, shortest.to_nearest(&states)))
                .collect(),
            reached: self.walk.machine().reached(),
            lock_order: self.walk.machine().lock_order(),
            states: self.visited.len() as u64,
            executions: self.executions,
            interleavings,
            depth: self.depth,
            complete: self.stopped.map_or(Complete::Yes, Complete::No),
            can_go_on: false,
            marks: self.walk.machine().marks(),
        }
    }
}
