//! Source-DPOR: one execution for each class of executions that differ only in the order of
//! independent operations; stateless, with sleep sets.
//!
//! Abdulla, Aronsson, Jonsson & Sagonas, "Optimal dynamic partial order reduction" (POPL 2014),
//! algorithm 1. An oracle for the exhaustive engine: it merges no states, and its reduction rests
//! on which operations depend on each other and not on fingerprints. The tasks run as shuttle
//! threads ([`crate::engine::shuttle`]), so it shares no world with the exhaustive engine either.
//! With [`Marks::all`] it does not rest on the marks; with those that the exhaustive engine has
//! found it has the same steps, and is faster.
//!
//! # Events
//!
//! An event is a step and whatever its task does after it up to its next one. What it depends on
//! is the step alone. The rest of it are operations that are no steps, which by
//! [`crate::engine::marks`] are of two kinds. Accesses of what is not marked commute with all that
//! the others can do meanwhile, so they make no two events depend on each other. Dropping a lock
//! that nobody tries, and `WaitGroup::done`, only let others go on: they come before the step that
//! they make possible (`dpor/execution.rs`), but no order of the two can be reversed.
//!
//! # Operations that disable each other
//!
//! The algorithm of the paper assumes that an operation which is possible stays so until it is
//! done. Taking a lock and waiting do not. So races are looked for when an execution is over, with
//! the operations that tasks still wait for among them, and a race is reversed only if the later
//! operation is possible before the earlier one; see `dpor/execution.rs`.

mod execution;
mod search;

use crate::engine::marks::Marks;
use crate::engine::shuttle::{Shuttle, config};
use crate::engine::threads::log::SharedLog;
use crate::engine::threads::{World, locked};
use crate::layout::CellKind;
use crate::model::Model;
use crate::outcome::{Complete, DataRace, Interleavings, Report};
use search::{Next, Search};
use shuttle::Runner;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

/// How to explore.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is a step.
    pub marks: Marks,
    /// Most executions, those that a sleep set cuts short included; `None` is no bound.
    pub max_executions: Option<u64>,
}

impl Options {
    /// Explores everything with these steps.
    pub fn new(marks: Marks) -> Self {
        Self {
            marks,
            max_executions: None,
        }
    }
}

/// What source-DPOR has found.
#[derive(Clone, Debug)]
pub struct Exploration<O> {
    /// Outcomes and data races with their schedules. `executions` are those that came to their
    /// end, `depth` is in choices. There are no states, and functions reached are not collected.
    pub report: Report<O>,
    /// Executions that were cut short since all that they could have come to had been seen.
    pub sleep_set_blocked: u64,
}

/// Explores a model by source-DPOR.
pub fn explore<M: Model>(model: &Arc<M>, options: &Options) -> Exploration<M::Outcome> {
    let log = SharedLog::default();
    let world = World::<M, Shuttle>::new(model, &options.marks, true, Some(log.clone()));
    let search = Arc::new(Mutex::new(Search::new(world.base().to_vec())));
    let ended = world.explore(|| {
        let chooser = Chooser {
            world: world.clone(),
            log,
            search: search.clone(),
            most: options.max_executions,
            drains: false,
        };
        let world = world.clone();
        Runner::new(chooser, config()).run(move || world.run());
    });
    ended.unwrap_or_else(|panic| resume_unwind(panic));
    let search = locked(&search);
    let runs = search.runs;
    let complete = if search.is_over {
        Complete::Yes
    } else {
        Complete::No(format!("stopped at the bound of {runs} executions"))
    };
    let executions = runs - search.sleep_set_blocked;
    let layout = model.layout();
    let plain = search
        .conflicts
        .iter()
        .filter_map(|((cell, sites), schedule)| {
            let field = layout.cell_name(*cell);
            let sites = sites.clone();
            let is_plain = layout.cells()[cell.index()].kind == CellKind::Plain;
            is_plain.then(|| (DataRace { field, sites }, schedule.clone()))
        });
    let report = Report {
        data_races: plain.collect(),
        executions,
        interleavings: Interleavings::AtLeast(u128::from(executions)),
        depth: search.depth,
        ..world.report(complete)
    };
    Exploration {
        report,
        sleep_set_blocked: search.sleep_set_blocked,
    }
}

/// The scheduler: lets every task run up to its next step, and then asks the search.
struct Chooser<M: Model> {
    world: Arc<World<M, Shuttle>>,
    log: SharedLog,
    search: Arc<Mutex<Search>>,
    most: Option<u64>,
    /// The execution is over: whoever is left is let go until he waits or is unwound.
    drains: bool,
}

/// Shuttle's number of a task: its main thread is the first.
fn thread_of(task: usize) -> TaskId {
    TaskId::from(task + 1)
}

impl<M: Model> Chooser<M> {
    /// Which of the tasks goes next; each stands before a step, or `is_on_its_way` to one.
    fn choose(&mut self, awake: &[usize], current: Option<usize>) -> usize {
        let mut log = locked(&self.log);
        let is_on_its_way = |task: &&usize| log.pending[**task].is_none();
        // Nobody can tell when a task gets to its next step.
        let going = awake.iter().find(|task| Some(**task) == current);
        let next = going
            .filter(is_on_its_way)
            .or(awake.iter().find(is_on_its_way));
        if let Some(next) = next {
            return *next;
        }
        self.drains |= self.world.is_ending();
        if !self.drains {
            match locked(&self.search).next(&mut log) {
                Next::Task(task) => return task,
                Next::Nobody => {}
                Next::Asleep => self.world.cut(),
            }
            self.drains = true;
        }
        awake[0]
    }
}

impl<M: Model> Scheduler for Chooser<M> {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut search = locked(&self.search);
        let schedule = &locked(&self.log).schedule;
        if self.world.has_hit_limit() || !search.begin(schedule) || self.most == Some(search.runs) {
            return None;
        }
        search.runs += 1;
        self.drains = false;
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, all: &[&Task], current: Option<TaskId>, _: bool) -> Option<TaskId> {
        let awake = all.iter().filter(|t| t.runnable()).map(|t| t.id());
        let main = TaskId::from(0);
        let number = |thread: TaskId| usize::from(thread).checked_sub(1);
        let awake: Option<Vec<usize>> = awake.map(number).collect();
        // The main thread goes first: tasks are being created, or are at rest.
        let Some(awake) = awake else {
            return Some(main);
        };
        Some(thread_of(self.choose(&awake, current.and_then(number))))
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
