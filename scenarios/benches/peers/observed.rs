//! A model that prints each outcome when it is first seen, whichever thread has seen it; or
//! whenever it is seen, for an engine that comes to each about once, as SPIN does, of which nobody
//! keeps those that were printed either.
//!
//! Engines that use several threads must not wait for each other here, so the outcomes that were
//! seen are kept in parts with a lock each, and lines are gathered before they are written. SPIN
//! gathers its lines too.

use checker::layout::{CellId, Layout};
use checker::model::{Entry, Model};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::io::{BufWriter, Stdout, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a child says how many executions there were.
const SAYS: Duration = Duration::from_millis(200);

/// The time is looked at after so many executions.
const LOOKS: u64 = 64;

/// Parts of what was seen.
const PARTS: usize = 64;

/// The model, and what was seen of it.
pub(crate) struct Observed<M: Model> {
    model: M,
    /// What was printed, in parts; none of which nothing is kept.
    seen: Vec<Mutex<BTreeSet<M::Outcome>>>,
    executions: AtomicU64,
    lines: Mutex<Lines>,
}

struct Lines {
    out: BufWriter<Stdout>,
    said: Instant,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lines {
    fn add(&mut self, line: &str) {
        writeln!(self.out, "{line}").expect("the parent reads what is printed");
    }

    fn flush(&mut self) {
        self.out.flush().expect("the parent reads what is printed");
    }
}

impl<M: Model> Observed<M> {
    /// Of which an engine comes to each outcome again and again, or does not.
    pub(crate) fn new(model: M, comes_again: bool) -> Self {
        let parts = if comes_again { PARTS } else { 0 };
        Self {
            model,
            seen: (0..parts).map(|_| Mutex::default()).collect(),
            executions: AtomicU64::new(0),
            lines: Mutex::new(Lines {
                out: BufWriter::new(std::io::stdout()),
                said: Instant::now(),
            }),
        }
    }

    /// Prints what was gathered.
    pub(crate) fn flush(&self) {
        locked(&self.lines).flush();
    }

    fn count(&self) {
        let executions = self.executions.fetch_add(1, Ordering::Relaxed) + 1;
        if !executions.is_multiple_of(LOOKS) {
            return;
        }
        let mut lines = locked(&self.lines);
        if lines.said.elapsed() > SAYS {
            lines.said = Instant::now();
            lines.add(&format!("executions {executions}"));
            lines.flush();
        }
    }
}

impl<M: Model<Outcome: Display + Hash>> Observed<M> {
    /// Whether it is to be printed.
    fn is_news(&self, outcome: &M::Outcome) -> bool {
        if self.seen.is_empty() {
            return true;
        }
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let part = hasher.hash_one(outcome) as usize % PARTS;
        let mut seen = locked(&self.seen[part]);
        !seen.contains(outcome) && seen.insert(outcome.clone())
    }
}

impl<M: Model<Outcome: Display + Hash>> Model for Observed<M> {
    type Outcome = M::Outcome;

    fn layout(&self) -> &Layout {
        self.model.layout()
    }

    fn set_up(&self) {
        self.model.set_up();
    }

    fn run(&self, entry: Entry) {
        self.model.run(entry);
    }

    fn outcome(&self) -> M::Outcome {
        let outcome = self.model.outcome();
        if self.is_news(&outcome) {
            let line = format!("outcome {outcome}");
            locked(&self.lines).add(&line);
        }
        self.count();
        outcome
    }

    fn task_name(&self, entry: Entry) -> String {
        self.model.task_name(entry)
    }

    fn turn(&self, entry: Entry) -> u32 {
        self.model.turn(entry)
    }

    fn show(&self, cell: CellId, value: u64) -> String {
        self.model.show(cell, value)
    }
}
