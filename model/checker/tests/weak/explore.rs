//! Every schedule and every choice of a litmus test, states merged.

use super::{Litmus, Op, Value};
use checker::backend::Mode;
use checker::engine::weak::WeakMemory;
use checker::event::TaskId;
use checker::layout::CellId;
use std::collections::{BTreeSet, HashSet};

pub const REGISTERS: usize = 6;

/// The registers of each task, and the cells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    pub registers: Vec<[u64; REGISTERS]>,
    pub cells: Vec<u64>,
}

#[derive(Clone)]
struct State {
    memory: WeakMemory,
    at: Vec<usize>,
    registers: Vec<[u64; REGISTERS]>,
    /// Of each lock: whether somebody has it exclusively, and how many have it shared.
    held: Vec<(bool, u32)>,
}

/// What is left to a choice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Choices {
    All,
    /// Choice 0 alone.
    Newest,
}

impl Litmus {
    /// All outcomes. A task that waits for a lock for ever has none.
    pub fn outcomes(&self) -> BTreeSet<Outcome> {
        self.outcomes_with(Choices::All, true)
    }

    pub fn outcomes_with(&self, choices: Choices, merge: bool) -> BTreeSet<Outcome> {
        let kinds: Vec<_> = self.locks.iter().map(|(_, kind)| *kind).collect();
        let mut memory = WeakMemory::new(&vec![0; self.cells.len()], &kinds);
        for task in 0..self.tasks.len() {
            memory.spawn(None, TaskId(task as u32));
        }
        let mut outcomes = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut todo = vec![State {
            memory,
            at: vec![0; self.tasks.len()],
            registers: vec![[0; REGISTERS]; self.tasks.len()],
            held: vec![(false, 0); kinds.len()],
        }];
        while let Some(state) = todo.pop() {
            if (0..self.tasks.len()).all(|t| state.at[t] == self.tasks[t].len()) {
                assert!(
                    state.memory.is_quiet(),
                    "nobody is left to read what is stale"
                );
                outcomes.insert(self.outcome(state));
                continue;
            }
            for task in 0..self.tasks.len() {
                self.step(&state, task, choices, &mut |next| {
                    let key = (
                        next.at.clone(),
                        next.registers.clone(),
                        next.memory.fingerprint(),
                    );
                    if !merge || seen.insert(key) {
                        todo.push(next);
                    }
                });
            }
        }
        outcomes
    }

    fn outcome(&self, state: State) -> Outcome {
        let cells = (0..self.cells.len()).map(|c| state.memory.newest(CellId(c as u32)));
        Outcome {
            cells: cells.collect(),
            registers: state.registers,
        }
    }

    fn step(&self, state: &State, task: usize, choices: Choices, next: &mut impl FnMut(State)) {
        let Some(op) = self.tasks[task].get(state.at[task]).copied() else {
            return;
        };
        if let Op::Lock(lock, mode) = op {
            let (exclusive, shared) = state.held[lock.index()];
            if exclusive || (mode == Mode::Exclusive && shared > 0) {
                return;
            }
        }
        let all = state.choices(TaskId(task as u32), op);
        for choice in 0..if choices == Choices::All {
            all
        } else {
            all.min(1)
        } {
            let mut state = state.clone();
            state.at[task] += 1;
            state.run(task, op, choice);
            if state.at[task] == self.tasks[task].len() {
                state.memory.end(TaskId(task as u32));
            }
            next(state);
        }
    }

    /// Whether an outcome is as the condition says.
    pub fn holds(&self, condition: &str, outcome: &Outcome) -> bool {
        condition.split_whitespace().all(|term| {
            let (what, value) = term.split_once('=').unwrap();
            let is = match what.split_once(":r") {
                Some((task, r)) => {
                    let (task, r): (usize, usize) = (task.parse().unwrap(), r.parse().unwrap());
                    outcome.registers[task][r]
                }
                None => outcome.cells[self.cells.iter().position(|c| c == what).expect(what)],
            };
            is == value.parse::<u64>().unwrap()
        })
    }

    /// Whether some outcome is as the condition says.
    pub fn is_sometimes(&self, condition: &str) -> bool {
        self.outcomes().iter().any(|o| self.holds(condition, o))
    }
}

impl State {
    fn choices(&self, id: TaskId, op: Op) -> u32 {
        match op {
            Op::Load(_, cell, _) => self.memory.readable(id, cell),
            Op::Store(cell, _, order) => self.memory.store_places(id, cell, order),
            Op::Update(r, cell, rmw) => self.memory.rmw_choices(id, cell, rmw, r.is_some()),
            _ => 1,
        }
    }

    fn run(&mut self, task: usize, op: Op, choice: u32) {
        let (id, memory) = (TaskId(task as u32), &mut self.memory);
        let registers = &mut self.registers[task];
        match op {
            Op::Load(r, cell, order) => registers[r] = memory.load(id, cell, order, choice),
            Op::Store(cell, value, order) => {
                let value = match value {
                    Value::Number(n) => n,
                    Value::Register(r) => registers[r],
                };
                memory.store(id, cell, value, order, choice);
            }
            Op::Update(None, cell, rmw) => {
                memory.rmw(id, cell, rmw, false, choice);
            }
            Op::Update(Some(r), cell, rmw) => {
                registers[r] = memory.rmw(id, cell, rmw, true, choice);
            }
            Op::Fence(fence) => memory.fence(id, fence),
            Op::Lock(lock, mode) => {
                memory.lock(id, lock, mode);
                self.take(lock.index(), mode, true);
            }
            Op::Unlock(lock, mode) => {
                memory.unlock(id, lock, mode);
                self.take(lock.index(), mode, false);
            }
            Op::Unless(r, value, to) => {
                if registers[r] != value {
                    self.at[task] = to;
                }
            }
        }
    }

    fn take(&mut self, lock: usize, mode: Mode, takes: bool) {
        let (exclusive, shared) = &mut self.held[lock];
        match mode {
            Mode::Exclusive => *exclusive = takes,
            Mode::Shared if takes => *shared += 1,
            Mode::Shared => *shared -= 1,
        }
    }
}
