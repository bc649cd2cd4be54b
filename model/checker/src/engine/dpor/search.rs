//! The tree of executions, of which one path is kept: for each state on it, who is to go, and who
//! need not.

use super::execution::{Execution, Race, depend};
use crate::engine::schedule::Schedule;
use crate::engine::threads::log::{Log, Operation, Pending};
use crate::event::TaskId;
use crate::layout::CellId;
use std::collections::{BTreeMap, BTreeSet};

/// A state on the path, before an event.
#[derive(Debug)]
struct Node {
    /// Who is to go from here. Grows to a source set.
    backtrack: BTreeSet<usize>,
    /// Whose going first has been explored, here or elsewhere, with the operations.
    sleep: BTreeMap<usize, Operation>,
    /// Who goes on the path, and with which operation.
    chosen: usize,
    operation: Operation,
}

impl Node {
    /// Where the task goes that goes on the path.
    fn sleep_after(&self) -> BTreeMap<usize, Operation> {
        let sleep = self.sleep.iter();
        let stays = |(_, operation): &(&usize, &Operation)| !depend(operation, &self.operation);
        sleep.filter(stays).map(|(t, o)| (*t, *o)).collect()
    }
}

/// Who goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This task.
    Task(usize),
    /// Nobody can: the execution is over.
    Nobody,
    /// Whoever can is asleep: all that can come now has been seen.
    Asleep,
}

/// Two accesses of a cell that nothing orders: the cell, and both sites.
pub(super) type Conflict = (CellId, [String; 2]);

/// The search for one execution of each class.
#[derive(Debug, Default)]
pub(super) struct Search {
    path: Vec<Node>,
    execution: Execution,
    /// For each event, how many choices there were up to it.
    choices: Vec<usize>,
    /// What the tasks stood before when they were asked last.
    pending: Vec<Option<Pending>>,
    /// The events from here on are new in this execution.
    fresh: usize,
    /// Executions that were begun.
    pub(super) runs: u64,
    pub(super) sleep_set_blocked: u64,
    /// Longest schedule, in choices.
    pub(super) depth: u64,
    /// There is no other execution.
    pub(super) is_over: bool,
    /// Conflicting accesses, with a schedule up to the later of the two.
    pub(super) conflicts: BTreeMap<Conflict, Schedule>,
}

impl Search {
    pub(super) fn new(base: Vec<u64>) -> Self {
        Self {
            execution: Execution::new(base),
            ..Self::default()
        }
    }

    /// To be called before each execution, with the schedule of the one before it. `false` if
    /// there is no other.
    pub(super) fn begin(&mut self, schedule: &Schedule) -> bool {
        if self.runs > 0 {
            self.depth = self.depth.max(schedule.0.len() as u64);
            self.note_conflicts(schedule);
            self.look_for_races();
            self.is_over = !self.backtrack();
        }
        self.execution.reset();
        self.choices.clear();
        self.pending.clear();
        !self.is_over
    }

    /// Goes back to the last state where somebody is left who is to go.
    fn backtrack(&mut self) -> bool {
        while let Some(node) = self.path.last_mut() {
            node.sleep.insert(node.chosen, node.operation);
            let left = node.backtrack.iter().find(|t| !node.sleep.contains_key(t));
            if let Some(task) = left {
                node.chosen = *task;
                self.fresh = self.path.len() - 1;
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Reverses the races of the new events, and of what tasks wait for at the end.
    fn look_for_races(&mut self) {
        for at in self.fresh..self.execution.events.len() {
            let races = self.execution.races_of(at);
            self.reverse(races);
        }
        let pending = self.pending.iter().enumerate();
        let pending = pending.filter_map(|(task, p)| Some((task, (*p)?.operation)));
        let blocked = pending.filter(|(_, operation)| !self.execution.is_possible(operation));
        for (task, operation) in blocked.collect::<Vec<_>>() {
            let races = self.execution.races_of_pending(task, &operation);
            self.reverse(races);
        }
    }

    /// Sees to it that some execution goes where these races are reversed.
    fn reverse(&mut self, races: Vec<Race>) {
        for race in races {
            let node = &mut self.path[race.event];
            let covered = |t: &usize| node.backtrack.contains(t) || node.sleep.contains_key(t);
            if !race.initials.iter().any(covered) {
                node.backtrack.insert(race.first);
            }
        }
    }

    fn note_conflicts(&mut self, schedule: &Schedule) {
        for at in self.fresh..self.execution.events.len() {
            for conflict in self.execution.conflicts_of(at) {
                let prefix = &schedule.0[..self.choices[at]];
                let entry = self.conflicts.entry(conflict);
                entry.or_insert_with(|| Schedule(prefix.to_vec()));
            }
        }
    }

    /// Who goes next, if every task that has not ended stands before a step.
    pub(super) fn next(&mut self, log: &mut Log) -> Next {
        self.execution.settle(&mut log.effects);
        self.pending.clone_from(&log.pending);
        let can_go = |(task, pending): (usize, &Option<Pending>)| {
            let operation = (*pending)?.operation;
            self.execution.is_possible(&operation).then_some(task)
        };
        let enabled: Vec<usize> = log.pending.iter().enumerate().filter_map(can_go).collect();
        let at = self.execution.events.len();
        if at == self.path.len() {
            match self.enter(&enabled) {
                Next::Task(_) => {}
                end => return end,
            }
        }
        let node = &mut self.path[at];
        let task = node.chosen;
        let step = log.pending[task].take().expect("who is to go can go");
        node.operation = step.operation;
        if enabled.len() > 1 {
            log.schedule.0.push(TaskId(task as u32).into());
        }
        self.choices.push(log.schedule.0.len());
        self.execution.push(task, step);
        Next::Task(task)
    }

    /// Comes to a state that is new on the path, in which these tasks can go.
    fn enter(&mut self, enabled: &[usize]) -> Next {
        if enabled.is_empty() {
            return Next::Nobody;
        }
        let sleep = self
            .path
            .last()
            .map_or_else(BTreeMap::new, Node::sleep_after);
        let Some(task) = enabled.iter().find(|t| !sleep.contains_key(t)) else {
            self.sleep_set_blocked += 1;
            return Next::Asleep;
        };
        let step = self.pending[*task].expect("who can go stands before a step");
        self.path.push(Node {
            backtrack: BTreeSet::from([*task]),
            sleep,
            chosen: *task,
            operation: step.operation,
        });
        Next::Task(*task)
    }
}
