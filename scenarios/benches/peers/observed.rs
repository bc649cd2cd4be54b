//! A model that prints each outcome when it is first seen, whichever thread has seen it; or
//! whenever it is seen, for an engine that comes to each about once, as SPIN does, of which nobody
//! keeps those that were printed either.
//!
//! Engines that use several threads must not wait for each other here, so the outcomes that were
//! seen are kept in parts with a lock each, and each thread gathers lines by itself before they are
//! written. SPIN gathers its lines too.

use checker::layout::{CellId, Layout};
use checker::model::{Entry, Model};
use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a child says how many executions there were.
const SAYS: Duration = Duration::from_millis(200);

/// The time is looked at after so many executions.
const LOOKS: u64 = 64;

/// Parts of what was seen.
const PARTS: usize = 64;

/// Bytes of lines that a thread gathers.
const GATHERED: usize = 1 << 13;

/// The model, and what was seen of it.
pub(crate) struct Observed<M: Model> {
    model: M,
    /// What was printed, in parts; none of which nothing is kept.
    seen: Vec<Mutex<BTreeSet<M::Outcome>>>,
    threads: Vec<Thread>,
    said: Mutex<Instant>,
}

/// What one thread has to say, in cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Thread {
    executions: AtomicU64,
    lines: Mutex<String>,
}

thread_local! {
    /// The number of this thread, in the order in which they come here.
    static NUMBER: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed)
    };
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints whole lines.
fn print(lines: &mut String) {
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(lines.as_bytes());
    printed
        .and_then(|()| out.flush())
        .expect("the parent reads what is printed");
    lines.clear();
}

impl Thread {
    fn add(&self, outcome: &impl Display) {
        let mut lines = locked(&self.lines);
        writeln!(lines, "outcome {outcome}").expect("a string takes what it is given");
        if lines.len() >= GATHERED {
            print(&mut lines);
        }
    }
}

impl<M: Model> Observed<M> {
    /// Of which an engine comes to each outcome again and again, or does not.
    pub(crate) fn new(model: M, comes_again: bool) -> Self {
        let parts = if comes_again { PARTS } else { 0 };
        Self {
            model,
            seen: (0..parts).map(|_| Mutex::default()).collect(),
            threads: (0..PARTS).map(|_| Thread::default()).collect(),
            said: Mutex::new(Instant::now()),
        }
    }

    /// Prints what was gathered.
    pub(crate) fn flush(&self) {
        for thread in &self.threads {
            print(&mut locked(&thread.lines));
        }
    }

    fn thread(&self) -> &Thread {
        &self.threads[NUMBER.with(|n| n % PARTS)]
    }

    fn count(&self) {
        let before = self.thread().executions.fetch_add(1, Ordering::Relaxed);
        if !(before + 1).is_multiple_of(LOOKS) {
            return;
        }
        let mut said = locked(&self.said);
        if said.elapsed() > SAYS {
            *said = Instant::now();
            self.flush();
            let all = self.threads.iter();
            let all: u64 = all.map(|t| t.executions.load(Ordering::Relaxed)).sum();
            print(&mut format!("executions {all}\n"));
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
            self.thread().add(&outcome);
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
