//! The search.

use super::stretches::{Labels, Stretches};
use super::{Answer, Bounds, Dead, Found, Log, Run, Standing};
use crate::engine::machine::{Granularity, Machine, Snapshot};
use crate::engine::marks::{Marks, Watch};
use crate::engine::replay::{Trace, finish};
use crate::engine::schedule::Schedule;
use crate::event::TaskId;
use crate::model::Model;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// States of the path that are kept; between them the way is gone again.
const KEPT: usize = 64;

/// A way to go on.
#[derive(Clone)]
pub(super) struct Way<L> {
    /// Who goes, if anybody.
    pub(super) goes: Option<TaskId>,
    /// The log thereafter.
    pub(super) log: L,
    /// The log cannot be explained any more on this way. It is gone on with only to learn what
    /// tasks do that show nothing.
    pub(super) is_dead: bool,
}

/// A state with more than one way to go on.
struct Node<L> {
    /// The state, and the place in the log.
    key: u128,
    /// The log there.
    log: L,
    ways: Vec<Way<L>>,
    tried: usize,
    /// How many moves led here.
    moves: usize,
    snapshot: Option<Snapshot>,
}

/// A step of a run.
#[derive(Clone, Copy)]
struct Move {
    task: TaskId,
    /// Whether somebody else could have gone.
    was_choice: bool,
}

/// The farthest place so far.
#[derive(Default)]
struct Farthest {
    position: usize,
    moves: Vec<Move>,
    instead: BTreeSet<(String, String)>,
}

pub(super) struct Search<'a, M: Model, L: Log> {
    model: &'a Arc<M>,
    pub(super) machine: Box<Machine<M>>,
    bounds: Bounds,
    pub(super) stretches: Stretches,
    pub(super) labels: Labels<L::Label>,
    pub(super) stage: Stage,
    visited: HashSet<u128>,
    path: Vec<Node<L>>,
    /// The keys of the path.
    on_path: HashSet<u128>,
    /// A run has come back to a state that it has been in: then no task may be left out.
    is_endless: bool,
    /// Some task went alone in this round, since nothing that others do conflicts with its step.
    pub(super) went_alone: bool,
    moves: Vec<Move>,
    spare: Vec<Snapshot>,
    states: u64,
    farthest: Farthest,
    /// Why not all was looked at.
    stopped: Option<Stop>,
}

/// How the search goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// All tasks are let go, and a way on which the log cannot be explained any more is left at
    /// once. That may find a schedule, but shows nothing if it does not: who knows what tasks
    /// would have done on the ways that were left?
    Quick,
    /// All tasks are let go.
    AllOrders,
    /// Those tasks are let go that are enough.
    Reduced,
}

/// Why not all was looked at.
#[derive(Clone)]
enum Stop {
    /// That is enough of [`Stage::Quick`].
    Quick,
    /// A bound, or a limit of the model.
    Bound(String),
}

/// How one way ended.
enum End {
    /// The log is over.
    Over,
    /// Nobody can go on as the log has it.
    Stuck,
}

/// Looks for a schedule that shows what is in the log.
pub fn search<M: Model, L: Log>(model: &Arc<M>, log: &L, bounds: Bounds) -> Found<M::Outcome> {
    let machine = Machine::new(model.clone(), false);
    let watch = Watch::optimistic(model.layout());
    machine.configure(Granularity::Steps, watch, true);
    machine.announce_calls();
    let mut search = Search {
        model,
        machine,
        bounds,
        stretches: Stretches::default(),
        labels: Labels::default(),
        stage: Stage::Quick,
        visited: HashSet::new(),
        path: vec![],
        on_path: HashSet::new(),
        is_endless: false,
        went_alone: false,
        moves: vec![],
        spare: vec![],
        states: 0,
        farthest: Farthest::default(),
        stopped: None,
    };
    let thorough = if bounds.all_orders {
        Stage::AllOrders
    } else {
        Stage::Reduced
    };
    if bounds.quick_states == 0 {
        search.stage = thorough;
    }
    let mut rounds = 0;
    let answer = loop {
        rounds += 1;
        let marks = search.machine.marks();
        if search.round(log) {
            let run = search.record(&marks, &search.moves, true);
            break Answer::Accepted(Box::new(run));
        }
        let farthest = |search: &Search<'_, M, L>| {
            Box::new(Dead {
                position: search.farthest.position,
                instead: search.farthest.instead.clone(),
                run: search.record(&marks, &search.farthest.moves, false),
            })
        };
        let stopped = search.stopped.take();
        if let Some(Stop::Bound(why)) = stopped {
            let farthest = farthest(&search);
            break Answer::Undecided { why, farthest };
        }
        let is_endless = std::mem::take(&mut search.is_endless);
        let has_learnt = stopped.is_some() || search.has_learnt();
        search.stage = match search.stage {
            Stage::Quick if stopped.is_none() && has_learnt => Stage::Quick,
            Stage::Quick => thorough,
            Stage::Reduced if is_endless => Stage::AllOrders,
            _ if !has_learnt => break Answer::Rejected(farthest(&search)),
            same => same,
        };
        search.forget();
    };
    Found {
        answer,
        states: search.states,
        rounds,
    }
}

impl<M: Model, L: Log> Search<'_, M, L> {
    /// Whether the last round has shown something that the next has to go by.
    fn has_learnt(&mut self) -> bool {
        let has_more_steps = self.machine.take_changed_marks();
        let watch = self.machine.watch();
        let went_alone = self.went_alone;
        let has_news = self.stretches.take_news(&watch, went_alone);
        let has_news = self.stage == Stage::Reduced && has_news;
        has_more_steps || has_news
    }

    /// Forgets where the last round has been.
    fn forget(&mut self) {
        self.machine.take_changed_marks();
        let watch = self.machine.watch();
        self.stretches.sum_up(&watch);
        self.stretches.take_news(&watch, true);
        drop(watch);
        self.went_alone = false;
        self.visited.clear();
        self.farthest = Farthest::default();
    }

    /// Searches with the steps that are known. Gives whether a schedule was found: the moves.
    fn round(&mut self, log: &L) -> bool {
        self.machine.reset();
        self.path.clear();
        self.on_path.clear();
        self.moves.clear();
        let mut from = Way {
            goes: None,
            log: log.clone(),
            is_dead: false,
        };
        loop {
            match self.advance(from) {
                End::Over => return true,
                End::Stuck => {}
            }
            if self.stopped.is_some() {
                return false;
            }
            match self.go_back() {
                Some(other) => from = other,
                None => return false,
            }
        }
    }

    /// Goes on from the current state, which a way has led to, always the first way, to the end of
    /// the log or to where nobody can go on.
    fn advance(&mut self, from: Way<L>) -> End {
        let Way {
            mut log,
            mut is_dead,
            ..
        } = from;
        loop {
            if log.is_over() {
                return if is_dead { End::Stuck } else { End::Over };
            }
            if let Some(limit) = self.machine.limit() {
                self.stopped.get_or_insert(Stop::Bound(limit));
                return End::Stuck;
            }
            let ways = self.ways(&log, is_dead);
            let Some(first) = ways.first().cloned() else {
                if !is_dead {
                    self.stuck(&log);
                }
                return End::Stuck;
            };
            if ways.len() > 1 {
                let key = self.key(&log, first.is_dead);
                if !self.visit(key) {
                    if !is_dead {
                        self.note_farthest(&log);
                    }
                    return End::Stuck;
                }
                self.push(key, log.clone(), ways);
            }
            self.take(&log, &first);
            log = first.log;
            is_dead = first.is_dead;
        }
    }

    /// Takes a way. `log` is what it was before.
    fn take(&mut self, log: &L, way: &Way<L>) {
        let Some(task) = way.goes else { return };
        let mut enabled = vec![];
        self.machine.enabled(&mut enabled);
        self.moves.push(Move {
            task,
            was_choice: enabled.len() > 1,
        });
        if self.stage == Stage::Reduced {
            self.step_seen(log, task, &way.log);
        } else {
            self.machine.step(task);
        }
    }

    /// Tells states with their places in the log apart.
    fn key(&self, log: &L, is_dead: bool) -> u128 {
        let tasks = standings(&self.machine);
        self.machine
            .fingerprint()
            .wrapping_add(u128::from(is_dead))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .wrapping_add(log.digest(&tasks, !is_dead))
    }

    /// Whether the state is new. It is known from now on.
    fn visit(&mut self, key: u128) -> bool {
        if !self.visited.insert(key) {
            self.is_endless |= self.on_path.contains(&key);
            return false;
        }
        self.states += 1;
        if self.states >= self.bounds.max_states {
            let most = self.bounds.max_states;
            let why = format!("stopped at the bound of {most} states");
            self.stopped = Some(Stop::Bound(why));
        } else if self.stage == Stage::Quick && self.states >= self.bounds.quick_states {
            self.stopped = Some(Stop::Quick);
        }
        true
    }

    fn push(&mut self, key: u128, log: L, ways: Vec<Way<L>>) {
        let kept = self.path.iter().filter(|n| n.snapshot.is_some()).count();
        if kept >= KEPT {
            self.thin_out();
        }
        self.on_path.insert(key);
        let old = self.spare.pop().unwrap_or_default();
        let snapshot = Some(self.machine.snapshot(old));
        self.path.push(Node {
            key,
            log,
            ways,
            tried: 0,
            moves: self.moves.len(),
            snapshot,
        });
    }

    /// Forgets every other state that is kept.
    fn thin_out(&mut self) {
        let mut forget = false;
        for node in &mut self.path {
            if node.snapshot.is_some() {
                if forget {
                    self.spare.extend(node.snapshot.take());
                }
                forget = !forget;
            }
        }
    }

    /// Back to the last state with a way that was not tried, and on that way.
    fn go_back(&mut self) -> Option<Way<L>> {
        loop {
            let node = self.path.last_mut()?;
            node.tried += 1;
            if node.tried < node.ways.len() {
                break;
            }
            let node = self.path.pop()?;
            self.on_path.remove(&node.key);
            self.spare.extend(node.snapshot);
        }
        self.put_back();
        let node = self.path.last()?;
        let way = node.ways[node.tried].clone();
        let log = node.log.clone();
        self.moves.truncate(node.moves);
        self.take(&log, &way);
        Some(way)
    }

    /// Brings the machine to the last state of the path.
    fn put_back(&mut self) {
        let kept = self.path.iter().rev().find_map(|node| {
            let snapshot = node.snapshot.as_ref()?;
            Some((snapshot, node.moves))
        });
        let from = if let Some((snapshot, moves)) = kept {
            self.machine.restore(snapshot);
            moves
        } else {
            self.machine.reset();
            0
        };
        let to = self.path.last().map_or(0, |n| n.moves);
        for at in from..to {
            self.machine.step(self.moves[at].task);
        }
        // The way is gone again for many states at a time, then: keep this one.
        let last = self.path.len() - 1;
        if self.path[last].snapshot.is_none() {
            let old = self.spare.pop().unwrap_or_default();
            self.path[last].snapshot = Some(self.machine.snapshot(old));
        }
    }

    /// Nobody can go on.
    pub(super) fn stuck(&mut self, log: &L) {
        self.note_farthest(log);
        if log.position() < self.farthest.position {
            return;
        }
        let mut enabled = vec![];
        self.machine.enabled(&mut enabled);
        let names = self.machine.task_names();
        for task in enabled {
            let Some(what) = self.machine.announced(task) else {
                continue;
            };
            if let Some(shown) = self.machine.peek(|| log.shows(task, &what)) {
                let name = names[task.index()].clone();
                self.farthest.instead.insert((name, shown));
            }
        }
    }

    fn note_farthest(&mut self, log: &L) {
        if log.position() > self.farthest.position || self.farthest.moves.is_empty() {
            self.farthest = Farthest {
                position: log.position(),
                moves: self.moves.clone(),
                instead: BTreeSet::new(),
            };
        }
    }

    /// Goes these ways once more, to the end of the run, and records all of it.
    fn record(&self, marks: &Marks, moves: &[Move], is_over: bool) -> Run<M::Outcome> {
        let machine = Machine::new(self.model.clone(), true);
        let watch = Watch::fixed(self.model.layout(), marks.clone());
        machine.configure(Granularity::Steps, watch, true);
        machine.announce_calls();
        machine.reset();
        for made in moves {
            machine.step(made.task);
        }
        let explained = machine.events();
        let mut schedule: Vec<TaskId> = moves
            .iter()
            .filter(|m| m.was_choice)
            .map(|m| m.task)
            .collect();
        let mut enabled = vec![];
        loop {
            machine.enabled(&mut enabled);
            let Some(next) = enabled.iter().min_by_key(|t| machine.turn(**t)) else {
                break;
            };
            if is_over && enabled.len() > 1 {
                schedule.push(*next);
            }
            machine.step(*next);
        }
        let trace: Trace<M::Outcome> = finish(&machine, None);
        Run {
            schedule: schedule.into_iter().collect::<Schedule>(),
            trace,
            explained,
        }
    }
}

pub(super) fn standings<M: Model>(machine: &Machine<M>) -> Vec<Standing> {
    let tasks = machine.standings().into_iter();
    tasks
        .map(|(key, ended)| Standing {
            entry: key.entry,
            nth: key.nth,
            ended,
        })
        .collect()
}
