//! A model as shuttle threads: samples of what is too large to be explored, and a depth-first
//! search without any reduction, as an oracle for what is tiny.
//!
//! Always sequentially consistent. The same options give the same report, whatever the machine.

use crate::backend::{Order, Rmw};
use crate::engine::marks::Marks;
use crate::engine::threads::{Library, World, rmw_like_std};
use crate::model::Model;
use crate::outcome::{Complete, Report};
use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Schedule, Scheduler as Choices, Task, TaskId,
};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, Once, PoisonError};

/// Bytes of a thread's stack.
const STACK_BYTES: usize = 256 * 1024;

/// Who goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Anybody, by chance.
    Random {
        /// How many executions.
        iterations: usize,
        /// Where chance starts.
        seed: u64,
    },
    /// By priorities that change `depth - 1` times in each execution. Burckhardt et al., "A
    /// randomized scheduler with probabilistic guarantees of finding bugs" (2010).
    Pct {
        /// How many executions.
        iterations: usize,
        /// How many ordering constraints a bug may need to be found.
        depth: usize,
        /// Where chance starts.
        seed: u64,
    },
    /// Everybody in turn: all interleavings.
    Dfs {
        /// Most executions; `None` is no bound.
        max_iterations: Option<usize>,
    },
}

/// How shuttle explores.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is a scheduling point. As found by the exhaustive engine.
    pub marks: Marks,
    /// Who goes next.
    pub scheduler: Scheduler,
}

/// Explores a model with shuttle. The report has outcomes and deadlocks without schedules, the
/// number of executions, and `complete yes` only if a depth-first search came to its end.
pub fn explore<M: Model>(model: &Arc<M>, options: &Options) -> Report<M::Outcome> {
    let world = World::<M, Shuttle>::new(model, &options.marks, true, None);
    let ended = world.explore(|| {
        let steps = Arc::new(Mutex::new(Steps::default()));
        let (judge, world) = (world.clone(), world.clone());
        let must_stop = Box::new(move || judge.has_hit_limit());
        let points = Points::new(options.scheduler, steps.clone(), must_stop);
        Runner::new(points, config()).run(move || world.run());
        *steps.lock().unwrap_or_else(PoisonError::into_inner)
    });
    let steps = ended.unwrap_or_else(|panic| resume_unwind(panic));
    let complete = completeness(
        options.scheduler,
        steps,
        world.executions(),
        world.most_tasks(),
    );
    world.report(complete)
}

fn completeness(scheduler: Scheduler, steps: Steps, executions: u64, n: usize) -> Complete {
    if steps.exhausted {
        return Complete::Yes;
    }
    let k = steps.most;
    Complete::No(match scheduler {
        Scheduler::Random { .. } => format!("{executions} executions with random choices"),
        Scheduler::Pct { depth, .. } => format!(
            "{executions} executions by PCT; each finds an outcome that needs {depth} ordering \
             constraints with a probability of at least 1/(n*k^(d-1)) = 1/({n}*{k}^{}), n tasks, \
             k choices",
            depth - 1
        ),
        Scheduler::Dfs { .. } => format!("stopped at the bound of {executions} executions"),
    })
}

/// How shuttle runs threads.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Installs shuttle's panic hook, once.
///
/// That hook reports every panic, also those by which loom's threads end. Loom's own hook hides
/// them, but only if it comes later.
pub(super) fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        Runner::new(RandomScheduler::new_from_seed(0, 1), config()).run(|| {});
    });
}

/// How a series of executions went.
#[derive(Clone, Copy, Debug, Default)]
struct Steps {
    /// Most choices in one execution.
    most: u64,
    /// There is no other execution.
    exhausted: bool,
}

/// Asks a scheduler of shuttle's wherever there is a choice that somebody can tell.
///
/// Nothing is asked while the main thread can go (the tasks are being created, or are at
/// rest), when a task begins, and when the task that goes is not before an operation on
/// something that is marked. Spurious wake-ups are left out: all waits look again.
struct Points {
    inner: Option<Box<dyn Choices>>,
    /// Most executions, where the inner scheduler is not to say.
    bound: Option<usize>,
    /// The inner scheduler ends when there is no other execution.
    ends_when_exhausted: bool,
    must_stop: Box<dyn Fn() -> bool>,
    steps: Arc<Mutex<Steps>>,
    executions: usize,
    choices: u64,
    begun: Vec<TaskId>,
}

impl Points {
    fn new(
        scheduler: Scheduler,
        steps: Arc<Mutex<Steps>>,
        must_stop: Box<dyn Fn() -> bool>,
    ) -> Self {
        let (inner, bound): (Box<dyn Choices>, _) = match scheduler {
            Scheduler::Random { iterations, seed } => (
                Box::new(RandomScheduler::new_from_seed(seed, iterations)),
                None,
            ),
            Scheduler::Pct {
                iterations,
                depth,
                seed,
            } => (
                Box::new(PctScheduler::new_from_seed(seed, depth, iterations)),
                None,
            ),
            Scheduler::Dfs { max_iterations } => {
                (Box::new(DfsScheduler::new(None, false)), max_iterations)
            }
        };
        let ends_when_exhausted = matches!(scheduler, Scheduler::Dfs { .. });
        Self {
            inner: Some(inner),
            bound,
            ends_when_exhausted,
            must_stop,
            steps,
            executions: 0,
            choices: 0,
            begun: vec![],
        }
    }
}

impl Choices for Points {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.most = steps.most.max(self.choices);
        let had_no_choice = self.executions > 0 && steps.most == 0;
        steps.exhausted = had_no_choice;
        if had_no_choice || (self.must_stop)() {
            // A random scheduler that is dropped before its end prints its seed as a failing one.
            std::mem::forget(self.inner.take());
            return None;
        }
        let next = self.inner.as_mut()?.new_execution();
        if next.is_none() {
            steps.exhausted = self.ends_when_exhausted;
        }
        if self.bound == Some(self.executions) {
            return None;
        }
        self.executions += 1;
        self.choices = 0;
        self.begun.clear();
        next
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let is_choice = BEFORE_OPERATION.take();
        let awake: Vec<&Task> = runnable.iter().copied().filter(|t| t.runnable()).collect();
        let main = TaskId::from(0);
        if awake.iter().any(|t| t.id() == main) {
            return Some(main);
        }
        if let Some(new) = awake
            .iter()
            .map(|t| t.id())
            .find(|id| !self.begun.contains(id))
        {
            self.begun.push(new);
            return Some(new);
        }
        match &awake[..] {
            [only] => return Some(only.id()),
            _ if is_choice => {}
            all => {
                if let Some(going) = all.iter().map(|t| t.id()).find(|id| Some(*id) == current) {
                    return Some(going);
                }
            }
        }
        self.choices += 1;
        self.inner.as_mut()?.next_task(&awake, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.as_mut().map_or(0, |inner| inner.next_u64())
    }
}

/// Shuttle as a library of threads.
pub(super) struct Shuttle;

thread_local! {
    /// Whether the task that asks is before an operation on something that is marked. Anywhere
    /// else it goes on: nobody can tell.
    static BEFORE_OPERATION: Cell<bool> = const { Cell::new(false) };
}

fn before_operation<R>(f: impl FnOnce() -> R) -> R {
    BEFORE_OPERATION.set(true);
    f()
}

impl Library for Shuttle {
    type Atomic = AtomicU64;
    type Thread = shuttle::thread::Thread;
    type Handle = shuttle::thread::JoinHandle<()>;

    const NAME: &'static str = "shuttle";
    const MOST_TASKS: usize = 1024;

    fn atomic(value: u64) -> AtomicU64 {
        AtomicU64::new(value)
    }

    fn load(atomic: &AtomicU64, _order: Order) -> u64 {
        before_operation(|| atomic.load(Ordering::SeqCst))
    }

    fn store(atomic: &AtomicU64, value: u64, _order: Order) {
        before_operation(|| atomic.store(value, Ordering::SeqCst));
    }

    fn rmw(atomic: &AtomicU64, op: Rmw, _order: Order) -> u64 {
        let ordering = Ordering::SeqCst;
        before_operation(|| rmw_like_std!(atomic, op, ordering, ordering))
    }

    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
        shuttle::thread::spawn(body)
    }

    fn join(handle: Self::Handle) {
        handle.join().expect("a thread of a world does not panic");
    }

    fn current() -> shuttle::thread::Thread {
        shuttle::thread::current()
    }

    fn park() {
        shuttle::thread::park();
    }

    fn unpark(thread: &shuttle::thread::Thread) {
        thread.unpark();
    }

    fn stop_exploring() {}
}
