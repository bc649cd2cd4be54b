//! One run of a model: the world's cells in plain memory, the tasks as coroutines, and a
//! caller who says which task goes next.
//!
//! The exhaustive search, replays and the default schedule of a boot are all made of this.

#![allow(unsafe_code)]

pub(crate) mod announce;
mod memcheck;
pub(crate) mod memory;
pub(crate) mod naming;
mod operations;
pub(crate) mod record;
pub(crate) mod resume;
mod snapshot;
mod stacks;
mod state;
mod task;
mod verdict;
pub(crate) mod world;

pub(crate) use snapshot::Snapshot;

use crate::backend::{Mode, with};
use crate::engine::cycle::CycleDetection;
use crate::engine::lock_order::LockOrder;
use crate::engine::marks::{Marks, Watch};
use crate::event::{Event, TaskId};
use crate::layout::{CellId, CellKind, LockId};
use crate::model::{Entry, Model};
use corosensei::Coroutine;
use stacks::{Bounds, Stacks, TaskCoroutine};
use state::{SET_UP_KEY, State};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Arc;
use task::{Frame, Pending, Task};
use world::World;

/// How much of a run is left to a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granularity {
    /// A task goes on until it must wait: for a schedule that never interrupts.
    Blocking,
    /// A task is suspended before each step (see [`crate::engine::marks`]) if another could go.
    Steps,
    /// A task is suspended before each step, whether another could go or not.
    EachStep,
}

/// What the world looked like when the tasks began.
struct Base {
    cells: Vec<u64>,
    cells_hash: u128,
    tasks: Vec<Entry>,
    events: Vec<Event>,
}

/// A model together with one run of it.
pub(crate) struct Machine<M: Model> {
    model: Arc<M>,
    kinds: Vec<CellKind>,
    spans: Vec<u32>,
    base: Base,
    state: RefCell<State>,
    stacks: RefCell<Stacks>,
    /// Operations of one run after which it is taken for endless.
    pub(crate) max_operations: Cell<u64>,
}

/// Most tasks in one run.
pub(crate) const MAX_TASKS: usize = 4096;

/// How deep the calls of a task may nest, so that it stays on its stack.
const MAX_CALLS: usize = 512;

/// Unwinds out of a set-up that cannot go on: why.
struct SetUpFailed(String);

impl<M: Model> Machine<M> {
    /// Lays the world out and runs the model's set-up, which must come to its end. In a box, since the
    /// machine must stay in place while it has tasks.
    pub(crate) fn new(model: Arc<M>, record: bool) -> Box<Self> {
        Self::try_new(model, record).unwrap_or_else(|why| panic!("set-up: {why}"))
    }

    /// As [`Machine::new`]; says why the set-up does not come to its end, if so: it waits, dies in
    /// an oops, or hits a limit of the model.
    pub(crate) fn try_new(model: Arc<M>, record: bool) -> Result<Box<Self>, String> {
        let layout = model.layout();
        let kinds = layout.cells().iter().map(|c| c.kind).collect();
        let spans = layout.cells().iter().map(|c| c.span).collect();
        let state = State {
            world: World::new(layout),
            tasks: vec![],
            current: None,
            watch: Watch::optimistic(layout),
            slots: HashMap::new(),
            granularity: Granularity::Blocking,
            checkpoints: true,
            peeking: false,
            peeked: vec![false; layout.cells().len()],
            looked_at: vec![],
            was_alone: true,
            events: record.then(Vec::new),
            announces: false,
            limit: None,
            operations: 0,
            checkpoints_passed: CycleDetection::default(),
            reached: HashSet::new(),
            lock_order: LockOrder::default(),
            set_up: Task::new(SET_UP_KEY, 0),
            record: None,
            begun: None,
        };
        let base = Base {
            cells: vec![],
            cells_hash: 0,
            tasks: vec![],
            events: vec![],
        };
        let mut machine = Box::new(Self {
            model,
            kinds,
            spans,
            base,
            state: RefCell::new(state),
            stacks: RefCell::default(),
            max_operations: Cell::new(20_000_000),
        });
        let set_up = AssertUnwindSafe(|| with(&*machine, || machine.model.set_up()));
        if let Err(payload) = catch_unwind(set_up) {
            return match payload.downcast::<SetUpFailed>() {
                Ok(failed) => Err(failed.0),
                Err(other) => resume_unwind(other),
            };
        }
        let state = machine.state.get_mut();
        assert!(
            state.world.locks.iter().all(|l| l.is_free(Mode::Exclusive)),
            "set-up leaves no lock held"
        );
        machine.base = Base {
            cells: state.world.cells.clone(),
            cells_hash: state.world.cells_hash,
            tasks: state.tasks.iter().map(|t| t.entry).collect(),
            events: state.events.clone().unwrap_or_default(),
        };
        Ok(machine)
    }

    /// Chooses how far tasks run, with which steps, and whether checkpoints count.
    pub(crate) fn configure(&self, granularity: Granularity, watch: Watch, checkpoints: bool) {
        let mut state = self.state.borrow_mut();
        state.granularity = granularity;
        state.watch = watch;
        state.checkpoints = checkpoints;
    }

    /// Whether more operations are steps than the search goes by; from now on it does.
    pub(crate) fn take_changed_marks(&self) -> bool {
        let watch = &mut self.state.borrow_mut().watch;
        let changed = watch.has_changed();
        watch.activate();
        changed
    }

    /// The marks that the search goes by.
    pub(crate) fn marks(&self) -> Marks {
        self.state.borrow().watch.marks().clone()
    }

    /// The tasks that can go next. A task that has not begun goes first and alone: its beginning
    /// is seen by nobody.
    pub(crate) fn enabled(&self, into: &mut Vec<TaskId>) {
        into.clear();
        let state = self.state.borrow();
        for (i, task) in state.tasks.iter().enumerate() {
            let id = TaskId(i as u32);
            if task.pending == Pending::Start && state.granularity == Granularity::Steps {
                into.clear();
                into.push(id);
                return;
            }
            if state.is_enabled(id) {
                into.push(id);
            }
        }
    }

    /// Lets one task go on until it is suspended, ends or dies.
    pub(crate) fn step(&self, task: TaskId) {
        let mut coroutine = self
            .stacks
            .borrow_mut()
            .take(self.slot(task), |bounds| self.coroutine(task, bounds));
        {
            let mut state = self.state.borrow_mut();
            state.current = Some(task);
            state.checkpoints_passed = CycleDetection::default();
        }
        let ended = with(self, || coroutine.resume(())).as_return().is_some();
        let mut state = self.state.borrow_mut();
        if ended {
            state.begin(record::Op::Ended);
            state.tasks[task.index()].pending = Pending::Ended;
            let held = &state.tasks[task.index()].held;
            assert!(
                held.is_empty(),
                "a task ended with a lock held: {}",
                self.lock_names(held)
            );
        }
        if state.tasks[task.index()].pending == Pending::Ended {
            state.world.end_task(task);
        }
        state.current = None;
        drop(state);
        if !ended {
            let slot = self.slot(task);
            self.stacks.borrow_mut().put(slot, coroutine);
        }
    }

    /// The stack that a task runs on.
    fn slot(&self, task: TaskId) -> usize {
        self.state.borrow().tasks[task.index()].slot as usize
    }

    fn lock_names(&self, held: &[(LockId, Mode)]) -> String {
        held.iter()
            .map(|(l, _)| self.model.layout().lock_name(*l))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn coroutine(&self, task: TaskId, bounds: Bounds) -> TaskCoroutine {
        let entry = self.state.borrow().tasks[task.index()].entry;
        let machine = ptr::from_ref(self);
        ManuallyDrop::new(Coroutine::with_stack(bounds, move |yielder, ()| {
            // SAFETY: the machine owns this coroutine and resumes it only through `&self`, so it
            // is alive and in place whenever this code runs: it is made in a box, out of which
            // nobody takes it.
            let machine = unsafe { &*machine };
            machine.state.borrow_mut().tasks[task.index()].yielder = ptr::from_ref(yielder);
            machine.model.run(entry);
        }))
    }

    /// Suspends the current task before the operation `pending`.
    fn suspend(&self, pending: Pending) {
        let local = 0u8;
        let yielder = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let task = &mut state.tasks[state.current.expect("only a task is suspended").index()];
            task.pending = pending;
            if state.announces {
                task.place = task.where_it_is();
            }
            task.local = std::hint::black_box(&raw const local) as usize;
            if state.granularity != Granularity::EachStep {
                state.watch.interrupted(&task.held);
            }
            task.yielder
        };
        // SAFETY: `yielder` was stored by this very coroutine when it began, and lives on its
        // stack until it ends.
        unsafe { (*yielder).suspend(()) };
    }

    /// The fingerprint of the state: the cells, and of each task that has not ended what it is
    /// about to do, what it holds and what it has observed.
    pub(crate) fn fingerprint(&self) -> u128 {
        let state = self.state.borrow();
        let mut sum = state.world.cells_hash;
        for task in &state.tasks {
            sum = sum.wrapping_add(task.fingerprint(task.pending));
        }
        sum
    }

    /// Whether any outcome so far was read off this cell, among others.
    pub(crate) fn has_peeked(&self, cell: CellId) -> bool {
        self.state.borrow().peeked[cell.index()]
    }

    /// The functions that any run of this machine has entered.
    pub(crate) fn reached(&self) -> BTreeSet<&'static str> {
        self.state.borrow().reached.iter().copied().collect()
    }

    /// The lock order of all runs of this machine.
    pub(crate) fn lock_order(&self) -> LockOrder {
        self.state.borrow().lock_order.clone()
    }

    /// The model.
    pub(crate) fn model(&self) -> &Arc<M> {
        &self.model
    }

    /// How many events there are so far.
    pub(crate) fn events(&self) -> usize {
        self.state.borrow().events.as_ref().map_or(0, Vec::len)
    }

    /// The events so far, taken out.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        self.state.borrow_mut().events.take().unwrap_or_default()
    }

    /// Names of the tasks of this run.
    pub(crate) fn task_names(&self) -> Vec<String> {
        self.state
            .borrow()
            .tasks
            .iter()
            .map(|t| self.model.task_name(t.entry))
            .collect()
    }

    /// A task's turn in the default schedule.
    pub(crate) fn turn(&self, task: TaskId) -> u32 {
        self.model
            .turn(self.state.borrow().tasks[task.index()].entry)
    }
}
