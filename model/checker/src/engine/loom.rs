//! A model as loom threads: an independent check of the exhaustive engine, and a look at what
//! weak memory adds.
//!
//! Loom explores by dynamic partial order reduction, and with [`Loads::Load`] under a part of
//! the C11 memory model: relaxed loads may be stale. Each outcome that it finds with
//! [`Loads::ReadModifyWrite`] is one of sequential consistency.
//!
//! That loom has come to its end is *not* a proof, even where the report says `complete yes`:
//!
//! - it keeps one last access for each atomic, so that a task which first loads and then
//!   writes hides an earlier load of another task, and outcomes are lost (loom issue 392).
//!   [`Loads::ReadModifyWrite`] avoids this one;
//! - its loads are never from the future (no load buffering), and its SeqCst accesses are no
//!   stronger than acquire and release;
//! - it keeps the last seven stores of each atomic;
//! - which fields and locks are atomics is taken from the marks of a sequentially consistent
//!   search. Where weak memory leads a task into code that it cannot reach there, accesses
//!   may be plain that should not be;
//! - a list or heap is one atomic step of plain memory, and waking up from a wait or from a
//!   lock brings all that the waker had seen: nothing stale is read there.
//!
//! Loom's own failing try_lock (never explored) and its first deadlock (the end of the run) are
//! no limits here, since locks are made of atomics and deadlocks are seen before loom sees them.
//!
//! `tests/loom_holes.rs` pins loom's own.

use crate::backend::{Order, Rmw};
use crate::engine::marks::Marks;
use crate::engine::shuttle;
use crate::engine::threads::{Library, Stopped, World, panic_text, rmw_like_std};
use crate::model::Model;
use crate::outcome::{Complete, Report};
use loom::sync::atomic::{AtomicU64, Ordering};
use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Words of a thread's stack.
const STACK_WORDS: usize = 8 * 1024;

/// What a load is to loom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loads {
    /// A load, relaxed or acquire: it may be stale.
    Load,
    /// A read-modify-write, and so is a store: sequential consistency.
    #[default]
    ReadModifyWrite,
}

/// How loom explores.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is an atomic for loom; all else is plain memory. As found by the exhaustive engine.
    pub marks: Marks,
    /// What a load is.
    pub loads: Loads,
    /// Most times that a task is interrupted in one execution; `None` is no bound.
    pub preemption_bound: Option<usize>,
    /// Most executions; `None` is no bound.
    pub max_executions: Option<u64>,
    /// No execution begins after this time; `None` is no bound.
    pub max_duration: Option<Duration>,
    /// Most scheduling points of one execution.
    pub max_branches: usize,
}

impl Options {
    /// Sequential consistency, no bounds.
    pub fn new(marks: Marks) -> Self {
        Self {
            marks,
            loads: Loads::default(),
            preemption_bound: None,
            max_executions: None,
            max_duration: None,
            max_branches: 10_000,
        }
    }
}

/// Why loom cannot explore a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoomError {
    /// A run of the model has more tasks than loom has threads.
    TooManyTasks {
        /// Most tasks: one less than loom's threads, since its main thread counts.
        most: usize,
    },
    /// An assertion of the model or of loom itself failed, with this text.
    Panicked(String),
}

impl fmt::Display for LoomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoomError::TooManyTasks { most } => write!(
                f,
                "loom: this model has more than {most} tasks; loom has {} threads, and its main \
                 thread is one of them",
                most + 1
            ),
            LoomError::Panicked(text) => write!(f, "loom: {text}"),
        }
    }
}

impl std::error::Error for LoomError {}

struct Loom;

fn ordering(order: Order, ordered: Ordering) -> Ordering {
    match order {
        Order::Relaxed => Ordering::Relaxed,
        Order::AcquireRelease => ordered,
    }
}

impl Library for Loom {
    type Atomic = AtomicU64;
    type Thread = loom::thread::Thread;
    type Handle = ();

    const NAME: &'static str = "loom";
    const MOST_TASKS: usize = loom::MAX_THREADS - 1;

    fn atomic(value: u64) -> AtomicU64 {
        AtomicU64::new(value)
    }

    fn load(atomic: &AtomicU64, order: Order) -> u64 {
        atomic.load(ordering(order, Ordering::Acquire))
    }

    fn store(atomic: &AtomicU64, value: u64, order: Order) {
        atomic.store(value, ordering(order, Ordering::Release));
    }

    fn rmw(atomic: &AtomicU64, op: Rmw, order: Order) -> u64 {
        let (success, failure) = (
            ordering(order, Ordering::AcqRel),
            ordering(order, Ordering::Acquire),
        );
        rmw_like_std!(atomic, op, success, failure)
    }

    fn spawn(body: impl FnOnce() + Send + 'static) {
        let builder = loom::thread::Builder::new().stack_size(STACK_WORDS);
        builder
            .spawn(body)
            .expect("the system gives a stack to each thread");
    }

    /// Loom waits for all threads by itself.
    fn join((): ()) {}

    fn current() -> loom::thread::Thread {
        loom::thread::current()
    }

    fn park() {
        loom::thread::park();
    }

    fn unpark(thread: &loom::thread::Thread) {
        thread.unpark();
    }

    fn stop_exploring() {
        loom::skip_branch();
    }
}

/// Explores a model with loom. The report has outcomes and deadlocks without schedules, and
/// the number of executions.
///
/// # Errors
///
/// The model has too many tasks, or an assertion failed.
pub fn explore<M: Model>(
    model: &Arc<M>,
    options: &Options,
) -> Result<Report<M::Outcome>, LoomError> {
    shuttle::install_panic_hook();
    let world = World::<M, Loom>::new(
        model,
        &options.marks,
        options.loads == Loads::ReadModifyWrite,
        None,
    );
    let ended = if world.had_too_many_tasks() {
        Ok(())
    } else {
        world.explore(|| check(&world, options))
    };
    if world.had_too_many_tasks() {
        return Err(LoomError::TooManyTasks {
            most: Loom::MOST_TASKS,
        });
    }
    let bound = options
        .preemption_bound
        .map(|n| format!("loom interrupted tasks at most {n} times in each execution"));
    let complete = match ended {
        Ok(()) => bound.map_or(Complete::Yes, Complete::No),
        Err(panic) if panic.is::<Stopped>() => Complete::No(format!(
            "loom was stopped after {} executions",
            world.executions()
        )),
        Err(panic) => return Err(LoomError::Panicked(panic_text(&*panic))),
    };
    Ok(world.report(complete))
}

fn check<M: Model>(world: &Arc<World<M, Loom>>, options: &Options) {
    let mut builder = loom::model::Builder::new();
    builder.max_threads = loom::MAX_THREADS;
    builder.max_branches = options.max_branches;
    builder.preemption_bound = options.preemption_bound;
    // Bounds are looked at by the model itself, so that it is known whether one was hit.
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    let max_executions = options.max_executions.unwrap_or(u64::MAX);
    let max_duration = options.max_duration.unwrap_or(Duration::MAX);
    let start = Instant::now();
    let world = world.clone();
    builder.check(move || {
        let over = world.executions() >= max_executions || start.elapsed() >= max_duration;
        if over || world.has_hit_limit() {
            resume_unwind(Box::new(Stopped));
        }
        world.run();
    });
}
