//! A model as the threads of a library that explores threads: what loom and shuttle share.
//!
//! Only what [`Marks`] marks is handed to the library: each marked cell and each marked lock is
//! one atomic of the library, and an operation on it is one scheduling point. Everything else
//! is plain memory, since by the marks nobody can tell when it happens. All threads of such a
//! library are coroutines on one system thread, so that between two scheduling points nobody
//! else runs.
//!
//! Who waits parks his thread, and whoever makes the wait end unparks it. So the world knows
//! who waits for what, and sees a deadlock before the library does: the run is recorded with
//! its wait-for cycle, all threads are unwound, and the exploration goes on. (The libraries
//! themselves end at their first deadlock.)
//!
//! Locks are made of an atomic and of parking rather than of the library's own mutex: that
//! needs no guards, a task can die with its locks held, a reader-writer lock is the same
//! thing, and a failing attempt at a lock is explored.

pub(super) mod log;
mod operations;

use crate::backend::{Condition, Mode, Order, Rmw, Waiting, with};
use crate::engine::deadlock::{Blocked, Standing, deadlock};
use crate::engine::lock_order::LockOrder;
use crate::engine::marks::Marks;
use crate::engine::schedule::Schedule;
use crate::layout::{CellId, LockId};
use crate::model::{Entry, Model};
use crate::outcome::{Complete, Final, Interleavings, Report};
use log::{Log, SharedLog};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Operations of one run after which it is taken for endless.
const MAX_OPERATIONS: u64 = 1_000_000;

/// A read-modify-write on an atomic with the methods of those of `std`.
macro_rules! rmw_like_std {
    ($atomic:expr, $op:expr, $ordering:expr, $failure:expr) => {
        match $op {
            Rmw::Add(n) => $atomic.fetch_add(n, $ordering),
            Rmw::Or(bits) => $atomic.fetch_or(bits, $ordering),
            Rmw::And(bits) => $atomic.fetch_and(bits, $ordering),
            Rmw::Xchg(new) => $atomic.swap(new, $ordering),
            Rmw::Update(f) => {
                let seen = $atomic.fetch_update($ordering, $failure, |old| Some(f(old)));
                seen.unwrap_or_else(|old| old)
            }
            Rmw::CmpXchg(expected, new) => {
                let seen = $atomic.compare_exchange(expected, new, $ordering, $failure);
                seen.unwrap_or_else(|old| old)
            }
        }
    };
}
pub(super) use rmw_like_std;

/// A library that explores the interleavings of threads.
pub(super) trait Library: Sized + 'static {
    /// An atomic of 64 bits. Each operation on it is a scheduling point, before its effect.
    type Atomic: Send + Sync;
    /// A thread that can be unparked.
    type Thread: Clone + Send;
    /// A thread that can be joined.
    type Handle: Send;

    /// Its name in texts.
    const NAME: &'static str;
    /// Most tasks in one run.
    const MOST_TASKS: usize;

    fn atomic(value: u64) -> Self::Atomic;
    fn load(atomic: &Self::Atomic, order: Order) -> u64;
    fn store(atomic: &Self::Atomic, value: u64, order: Order);
    fn rmw(atomic: &Self::Atomic, op: Rmw, order: Order) -> u64;
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle;
    fn join(handle: Self::Handle);
    fn current() -> Self::Thread;
    fn park();
    fn unpark(thread: &Self::Thread);
    /// From here on, the run only ends: there is nothing to explore in it.
    fn stop_exploring();
}

/// The panic that unwinds a task which is not to go on.
struct Gone;

/// The panic that ends an exploration at the beginning of a run.
pub(super) struct Stopped;

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Runs,
    Locks(LockId),
    Waits(Condition, Waiting),
    Ended,
    Died,
}

struct Task<L: Library> {
    entry: Entry,
    doing: Doing,
    /// Known once it has begun.
    thread: Option<L::Thread>,
}

#[derive(Clone, Debug, Default)]
struct LockState {
    owner: Option<usize>,
    readers: Vec<usize>,
}

impl LockState {
    /// Takes the lock if that is possible.
    fn take(&mut self, mode: Mode, task: usize) -> bool {
        match mode {
            _ if self.owner.is_some() => return false,
            Mode::Exclusive if !self.readers.is_empty() => return false,
            Mode::Exclusive => self.owner = Some(task),
            Mode::Shared => self.readers.push(task),
        }
        true
    }

    fn drop(&mut self, mode: Mode, task: usize) {
        match mode {
            Mode::Exclusive => {
                assert!(
                    self.owner.take() == Some(task),
                    "a lock is dropped by its owner"
                );
            }
            Mode::Shared => {
                let at = self.readers.iter().position(|r| *r == task);
                self.readers
                    .swap_remove(at.expect("a lock is dropped by one of its readers"));
            }
        }
    }

    fn is_held_by(&self, task: usize) -> bool {
        self.owner == Some(task) || self.readers.contains(&task)
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Set-up, or reading the outcome: nobody else is there, and the library is not asked.
    Alone,
    /// The tasks run.
    Tasks,
    /// Whoever still runs is unwound at its next operation.
    Ending,
}

struct State<L: Library> {
    phase: Phase,
    /// What was written last to each cell. Locks and unmarked cells are here and nowhere else.
    cells: Vec<u64>,
    locks: Vec<LockState>,
    cell_atomics: Vec<Option<Arc<L::Atomic>>>,
    lock_atomics: Vec<Option<Arc<L::Atomic>>>,
    tasks: Vec<Task<L>>,
    handles: Vec<L::Handle>,
    running: usize,
    main: Option<L::Thread>,
    operations: u64,
    limit: Option<String>,
    too_many_tasks: bool,
}

/// A world of a model whose tasks are threads of a library.
pub(super) struct World<M: Model, L: Library> {
    this: Weak<Self>,
    model: Arc<M>,
    marks: Marks,
    /// Every access is a read-modify-write, and so there is one order of all of them.
    sequential: bool,
    /// For a scheduler that wants to know what the tasks do.
    log: Option<SharedLog>,
    /// The world and the tasks after the set-up.
    base: (Vec<u64>, Vec<Entry>),
    state: Mutex<State<L>>,
    found: Mutex<Found<M::Outcome>>,
}

/// What the runs so far have given.
struct Found<O> {
    finals: BTreeMap<Final<O>, Schedule>,
    executions: u64,
    depth: u64,
    most_tasks: usize,
}

impl<O> Default for Found<O> {
    fn default() -> Self {
        Self {
            finals: BTreeMap::new(),
            executions: 0,
            depth: 0,
            most_tasks: 0,
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<M: Model, L: Library> World<M, L> {
    /// Lays the world out and runs the model's set-up.
    pub(super) fn new(
        model: &Arc<M>,
        marks: &Marks,
        sequential: bool,
        log: Option<SharedLog>,
    ) -> Arc<Self> {
        let layout = model.layout();
        let state = State {
            phase: Phase::Alone,
            cells: layout.initial(),
            locks: vec![],
            cell_atomics: vec![],
            lock_atomics: vec![],
            tasks: vec![],
            handles: vec![],
            running: 0,
            main: None,
            operations: 0,
            limit: None,
            too_many_tasks: false,
        };
        let mut world = Self {
            this: Weak::new(),
            model: model.clone(),
            marks: marks.clone(),
            sequential,
            log: None,
            base: (vec![], vec![]),
            state: Mutex::new(state),
            found: Mutex::new(Found::default()),
        };
        with(&world, || model.set_up());
        let state = world
            .state
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let entries: Vec<Entry> = state.tasks.drain(..).map(|t| t.entry).collect();
        state.too_many_tasks = entries.len() > L::MOST_TASKS;
        world.base = (state.cells.clone(), entries);
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            log,
            ..world
        })
    }

    /// Explores with `library`, which calls [`World::run`] once for each execution. Gives what
    /// it gives, or its panic.
    pub(super) fn explore<R>(&self, library: impl FnOnce() -> R) -> std::thread::Result<R> {
        with(self, || catch_unwind(AssertUnwindSafe(library)))
    }

    /// The cells after the set-up.
    pub(super) fn base(&self) -> &[u64] {
        &self.base.0
    }

    /// Writes to the log, if there is one.
    fn log(&self, write: impl FnOnce(&mut Log)) {
        if let Some(log) = &self.log {
            write(&mut locked(log));
        }
    }

    /// Whether the run is about to end: whoever goes on is unwound.
    pub(super) fn is_ending(&self) -> bool {
        locked(&self.state).phase == Phase::Ending
    }

    /// Ends the run without an outcome: whoever goes on is unwound.
    pub(super) fn cut(&self) {
        locked(&self.state).phase = Phase::Ending;
    }

    /// Whether a limit of the model was hit, so that no other run is to begin.
    pub(super) fn has_hit_limit(&self) -> bool {
        locked(&self.state).limit.is_some()
    }

    /// Whether a run had more tasks than the library can have.
    pub(super) fn had_too_many_tasks(&self) -> bool {
        locked(&self.state).too_many_tasks
    }

    /// How many runs there were.
    pub(super) fn executions(&self) -> u64 {
        locked(&self.found).executions
    }

    /// Most tasks in one run.
    pub(super) fn most_tasks(&self) -> usize {
        locked(&self.found).most_tasks
    }

    /// What came out; `complete` unless the model hit a limit of its own.
    pub(super) fn report(&self, complete: Complete) -> Report<M::Outcome> {
        let found = std::mem::take(&mut *locked(&self.found));
        let limit = locked(&self.state).limit.clone();
        Report {
            finals: found.finals,
            data_races: BTreeMap::new(),
            rounds: std::collections::BTreeMap::new(),
            reached: BTreeSet::new(),
            lock_order: LockOrder::default(),
            interleavings: Interleavings::AtLeast(u128::from(found.executions)),
            states: 0,
            executions: found.executions,
            depth: found.depth,
            complete: limit.map_or(complete, Complete::No),
            can_go_on: false,
            marks: self.marks.clone(),
        }
    }

    /// One execution, on the library's main thread.
    pub(super) fn run(&self) {
        self.begin();
        for entry in &self.base.1 {
            self.start(*entry);
        }
        self.until_nobody_runs();
        self.finish();
        self.end();
    }

    fn begin(&self) {
        let atomics = |marked: &mut dyn Iterator<Item = (bool, u64)>| {
            marked
                .map(|(is_marked, value)| is_marked.then(|| Arc::new(L::atomic(value))))
                .collect()
        };
        let cells = &self.base.0;
        let cell_atomics: Vec<_> = atomics(
            &mut (0u32..)
                .zip(cells)
                .map(|(i, value)| (self.marks.cell(CellId(i)), *value)),
        );
        let locks = self.model.layout().locks().len();
        let lock_atomics: Vec<_> =
            atomics(&mut (0..locks as u32).map(|i| (self.marks.lock(LockId(i)), 0)));
        let mut state = locked(&self.state);
        let state = &mut *state;
        state.phase = Phase::Tasks;
        state.cells.clone_from(cells);
        state.locks = vec![LockState::default(); locks];
        state.cell_atomics = cell_atomics;
        state.lock_atomics = lock_atomics;
        state.tasks.clear();
        state.main = Some(L::current());
        state.operations = 0;
        self.log(|log| *log = Log::default());
    }

    /// Creates a task and its thread.
    fn start(&self, entry: Entry) {
        let task = {
            let mut state = locked(&self.state);
            state.tasks.push(Task {
                entry,
                doing: Doing::Runs,
                thread: None,
            });
            state.tasks.len() - 1
        };
        self.log(|log| log.create(task));
        let world = self
            .this
            .upgrade()
            .expect("the explorer owns the world while it runs");
        let handle = L::spawn(move || world.body(task, entry));
        locked(&self.state).handles.push(handle);
    }

    /// What the thread of a task does.
    fn body(&self, task: usize, entry: Entry) {
        let thread = L::current();
        {
            let mut state = locked(&self.state);
            state.running = task;
            state.tasks[task].thread = Some(thread);
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.model.run(entry)))
            && !panic.is::<Gone>()
        {
            resume_unwind(panic);
        }
        let main = {
            let mut state = locked(&self.state);
            let holds = state.locks.iter().any(|l| l.is_held_by(task));
            let died = state.tasks[task].doing == Doing::Died;
            assert!(
                !holds || died || state.phase == Phase::Ending,
                "a task ended with a lock held"
            );
            if !died {
                state.tasks[task].doing = Doing::Ended;
            }
            state.main_if_nobody_runs()
        };
        self.unpark(task, main.as_slice());
    }

    /// Unparks threads on behalf of a task, which then goes on.
    fn unpark(&self, me: usize, threads: &[L::Thread]) {
        for thread in threads {
            L::unpark(thread);
        }
        if !threads.is_empty() {
            locked(&self.state).running = me;
        }
    }

    fn until_nobody_runs(&self) {
        while locked(&self.state).somebody_runs() {
            L::park();
        }
    }

    /// Parks the current task until somebody sets it going.
    fn park(&self, me: usize, doing: Doing) {
        let main = {
            let mut state = locked(&self.state);
            state.tasks[me].doing = doing;
            state.main_if_nobody_runs()
        };
        self.unpark(me, main.as_slice());
        while locked(&self.state).tasks[me].doing != Doing::Runs {
            L::park();
        }
        self.go_on(me);
    }

    /// The task `me` runs again after others may have run, unless the run is about to end.
    fn go_on(&self, me: usize) {
        let mut state = locked(&self.state);
        state.running = me;
        if state.phase == Phase::Ending {
            drop(state);
            resume_unwind(Box::new(Gone));
        }
    }

    /// Reads the outcome.
    fn finish(&self) {
        L::stop_exploring();
        let mut state = locked(&self.state);
        let (operations, tasks) = (state.operations, state.tasks.len());
        let ended_early = state.phase == Phase::Ending;
        let deadlock = self.deadlock(&state);
        state.phase = Phase::Alone;
        drop(state);
        let outcome = (!ended_early).then(|| self.model.outcome());
        locked(&self.state).phase = Phase::Ending;
        let mut found = locked(&self.found);
        found.executions += 1;
        found.depth = found.depth.max(operations);
        found.most_tasks = found.most_tasks.max(tasks);
        if let Some(outcome) = outcome {
            let schedule = found.finals.entry(Final { outcome, deadlock });
            schedule.or_insert_with(|| {
                let log = self.log.as_ref();
                log.map_or_else(Schedule::default, |log| locked(log).schedule.clone())
            });
        }
    }

    /// Unwinds the tasks that wait, and lets all threads end.
    fn end(&self) {
        let (threads, handles) = {
            let mut state = locked(&self.state);
            (state.set_all_going(), std::mem::take(&mut state.handles))
        };
        self.unpark(usize::MAX, &threads);
        self.until_nobody_runs();
        handles.into_iter().for_each(L::join);
    }

    fn deadlock(&self, state: &State<L>) -> Option<crate::outcome::Deadlock> {
        let layout = self.model.layout();
        let standing = |task: &Task<L>| Standing {
            name: self.model.task_name(task.entry),
            died: task.doing == Doing::Died,
            blocked: match task.doing {
                Doing::Locks(lock) => {
                    let LockState { owner, readers } = &state.locks[lock.index()];
                    Blocked::Lock(layout.lock_name(lock), owner.or(readers.first().copied()))
                }
                Doing::Waits(condition, Waiting::Busy) => {
                    Blocked::Field(layout.cell_name(condition.cell))
                }
                _ => Blocked::Not,
            },
        };
        deadlock(&state.tasks.iter().map(standing).collect::<Vec<_>>())
    }
}

impl<L: Library> State<L> {
    fn somebody_runs(&self) -> bool {
        self.tasks.iter().any(|t| t.doing == Doing::Runs)
    }

    fn main_if_nobody_runs(&self) -> Option<L::Thread> {
        if self.somebody_runs() {
            None
        } else {
            self.main.clone()
        }
    }

    /// Sets those going who do what `is_over` says; gives their threads.
    fn set_going(&mut self, mut is_over: impl FnMut(Doing, &[u64]) -> bool) -> Vec<L::Thread> {
        let mut threads = vec![];
        for task in &mut self.tasks {
            if is_over(task.doing, &self.cells) {
                task.doing = Doing::Runs;
                threads.extend(task.thread.clone());
            }
        }
        threads
    }

    fn set_all_going(&mut self) -> Vec<L::Thread> {
        self.set_going(|doing, _| matches!(doing, Doing::Locks(_) | Doing::Waits(..)))
    }
}

/// The text of a panic.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without text")
        .to_owned()
}
