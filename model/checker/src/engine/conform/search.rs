//! The search.

use super::{Answer, Bounds, Dead, Found, Log, Next, Run, Says, Standing};
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
struct Choice<L> {
    /// Who goes, if anybody.
    goes: Option<TaskId>,
    /// The log thereafter.
    log: L,
}

/// A state with more than one way to go on.
struct Node<L> {
    choices: Vec<Choice<L>>,
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

struct Search<'a, M: Model, L> {
    model: &'a Arc<M>,
    machine: Machine<M>,
    bounds: Bounds,
    visited: HashSet<u128>,
    path: Vec<Node<L>>,
    moves: Vec<Move>,
    spare: Vec<Snapshot>,
    states: u64,
    farthest: Farthest,
    /// Why not all was looked at.
    stopped: Option<String>,
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
        visited: HashSet::new(),
        path: vec![],
        moves: vec![],
        spare: vec![],
        states: 0,
        farthest: Farthest::default(),
        stopped: None,
    };
    let mut rounds = 1;
    let answer = loop {
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
        if let Some(why) = search.stopped.clone() {
            let farthest = farthest(&search);
            break Answer::Undecided { why, farthest };
        }
        if !search.machine.take_changed_marks() {
            break Answer::Rejected(farthest(&search));
        }
        rounds += 1;
        search.visited.clear();
        search.farthest = Farthest::default();
    };
    Found {
        answer,
        states: search.states,
        rounds,
    }
}

impl<M: Model, L: Log> Search<'_, M, L> {
    /// Searches with the steps that are known. Gives whether a schedule was found: the moves.
    fn round(&mut self, log: &L) -> bool {
        self.machine.reset();
        self.path.clear();
        self.moves.clear();
        let mut log = log.clone();
        loop {
            match self.advance(log) {
                End::Over => return true,
                End::Stuck => {}
            }
            if self.stopped.is_some() {
                return false;
            }
            match self.go_back() {
                Some(other) => log = other,
                None => return false,
            }
        }
    }

    /// Goes on from the current state, always the first way, to the end of the log or to where
    /// nobody can go on.
    fn advance(&mut self, mut log: L) -> End {
        loop {
            if log.is_over() {
                return End::Over;
            }
            if let Some(limit) = self.machine.limit() {
                self.stopped.get_or_insert(limit);
                return End::Stuck;
            }
            let choices = self.choices(&log);
            let choice = match choices.len() {
                0 => {
                    self.stuck(&log);
                    return End::Stuck;
                }
                1 => choices.into_iter().next().expect("there is one"),
                _ => {
                    if !self.visit(&log) {
                        self.note_farthest(&log);
                        return End::Stuck;
                    }
                    let first = choices[0].clone();
                    self.push(choices);
                    first
                }
            };
            self.take(&choice, false);
            log = choice.log;
        }
    }

    /// Takes a way.
    fn take(&mut self, choice: &Choice<L>, again: bool) {
        let Some(task) = choice.goes else { return };
        if !again {
            let mut enabled = vec![];
            self.machine.enabled(&mut enabled);
            self.moves.push(Move {
                task,
                was_choice: enabled.len() > 1,
            });
        }
        self.machine.step(task);
    }

    /// The ways to go on, the likeliest first.
    fn choices(&self, log: &L) -> Vec<Choice<L>> {
        let mut enabled = vec![];
        self.machine.enabled(&mut enabled);
        let tasks = standings(&self.machine);
        let mut ranked: Vec<(u32, Choice<L>)> = vec![];
        let mut sure = None;
        for task in enabled {
            let Some(what) = self.machine.announced(task) else {
                let goes = Some(task);
                let log_then = log.clone();
                let rank = 2 * log.rank(&tasks, task) + 2;
                ranked.push((
                    rank,
                    Choice {
                        goes,
                        log: log_then,
                    },
                ));
                continue;
            };
            let says = self.machine.peek(|| log.ask(&tasks, task, &what));
            let Says::Next(all) = says else {
                return vec![];
            };
            for next in all {
                let Next { log, goes, at_once } = next;
                let goes = goes.then_some(task);
                let choice = Choice { goes, log };
                if at_once {
                    sure.get_or_insert(choice);
                } else {
                    ranked.push((0, choice));
                }
            }
        }
        if let Some(choice) = sure {
            return vec![choice];
        }
        if let Some(log) = log.skip() {
            ranked.push((3, Choice { goes: None, log }));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, choice)| choice).collect()
    }

    /// Whether the state is new. It is known from now on.
    fn visit(&mut self, log: &L) -> bool {
        let tasks = standings(&self.machine);
        let key = self
            .machine
            .fingerprint()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .wrapping_add(log.digest(&tasks));
        if !self.visited.insert(key) {
            return false;
        }
        self.states += 1;
        if self.states >= self.bounds.max_states {
            let most = self.bounds.max_states;
            self.stopped = Some(format!("stopped at the bound of {most} states"));
        }
        true
    }

    fn push(&mut self, choices: Vec<Choice<L>>) {
        let kept = self.path.iter().filter(|n| n.snapshot.is_some()).count();
        if kept >= KEPT {
            self.thin_out();
        }
        let old = self.spare.pop().unwrap_or_default();
        let snapshot = Some(self.machine.snapshot(old));
        self.path.push(Node {
            choices,
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
    fn go_back(&mut self) -> Option<L> {
        loop {
            let node = self.path.last_mut()?;
            node.tried += 1;
            if node.tried < node.choices.len() {
                break;
            }
            let node = self.path.pop()?;
            self.spare.extend(node.snapshot);
        }
        self.put_back();
        let node = self.path.last()?;
        let choice = node.choices[node.tried].clone();
        self.moves.truncate(node.moves);
        self.take(&choice, false);
        Some(choice.log)
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
    fn stuck(&mut self, log: &L) {
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
        let explained = machine.events_so_far();
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

fn standings<M: Model>(machine: &Machine<M>) -> Vec<Standing> {
    let tasks = machine.standings().into_iter();
    tasks
        .map(|(key, ended)| Standing {
            entry: key.entry,
            nth: key.nth,
            ended,
        })
        .collect()
}
