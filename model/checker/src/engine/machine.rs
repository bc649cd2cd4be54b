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
mod stacks;
pub(crate) mod world;

use crate::backend::{Condition, Mode, Waiting, with};
use crate::engine::cycle::CycleDetection;
use crate::engine::deadlock::{Blocked, Standing, deadlock};
use crate::engine::lock_order::{Acquisition, Edge, LockOrder};
use crate::engine::marks::{Marks, TaskKey, Watch};
use crate::event::{Event, TaskId, What};
use crate::hash::Rolling;
use crate::layout::{CellId, CellKind, LockId};
use crate::model::{Entry, Model};
use crate::outcome::{DataRace, Deadlock, Final};
use corosensei::{Coroutine, Yielder};
use stacks::{Bounds, Saved, Stacks, TaskCoroutine};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Arc;
use world::{LockState, World};

/// What a suspended task is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    /// It has not begun.
    Start,
    /// An access of a cell.
    Access { cell: CellId, writes: bool },
    /// Taking a lock.
    Lock { lock: LockId, mode: Mode },
    /// Trying to take a lock, or dropping one: always possible.
    Always,
    /// Waiting for a condition.
    Wait {
        condition: Condition,
        waiting: Waiting,
    },
    /// Nothing any more: it has ended, or died with its locks held.
    Ended,
}

impl Pending {
    /// For the fingerprint.
    fn code(self) -> u64 {
        match self {
            Pending::Start => 1,
            Pending::Access { cell, writes } => {
                2 + (u64::from(cell.0) << 8) + (u64::from(writes) << 7)
            }
            Pending::Lock { lock, mode } => {
                3 + (u64::from(lock.0) << 8) + (u64::from(mode == Mode::Shared) << 7)
            }
            Pending::Always => 4,
            Pending::Wait { condition, .. } => 5 + (u64::from(condition.cell.0) << 8),
            Pending::Ended => 6,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    function: &'static str,
    object: u64,
    /// A part of the function above it, not a call.
    is_part: bool,
}

struct Task {
    entry: Entry,
    key: TaskKey,
    /// Number of the stack that it runs on.
    slot: u32,
    pending: Pending,
    /// The operation that it began last.
    op: record::Op,
    died: bool,
    /// What it has done and observed.
    past: Rolling,
    /// Nothing has been recorded since its past began.
    begins_anew: bool,
    /// What it has done since then that its past does not tell: changes of monitor state.
    unseen: u64,
    frames: Vec<Frame>,
    held: Vec<(LockId, Mode)>,
    /// The functions that took them.
    sites: Vec<&'static str>,
    yielder: *const Yielder<(), ()>,
    /// The call, return or note that it is about to make, if those are announced.
    announced: Option<What>,
    /// Where it stands in the code if those are announced: see [`announce::Stand::place`].
    place: u128,
    /// Address of a local of [`Machine::suspend`] on the task's stack, while it is suspended.
    local: usize,
}

/// By hand, since a copy of a state goes where an older one was: `clone_from` keeps the memory.
impl Clone for Task {
    fn clone(&self) -> Self {
        let frames = self.frames.clone();
        let held = self.held.clone();
        let sites = self.sites.clone();
        let announced = self.announced.clone();
        Self {
            frames,
            held,
            sites,
            announced,
            ..*self
        }
    }

    fn clone_from(&mut self, from: &Self) {
        let mut frames = std::mem::take(&mut self.frames);
        let mut held = std::mem::take(&mut self.held);
        frames.clone_from(&from.frames);
        held.clone_from(&from.held);
        let mut sites = std::mem::take(&mut self.sites);
        sites.clone_from(&from.sites);
        let announced = from.announced.clone();
        *self = Self {
            frames,
            held,
            sites,
            announced,
            ..*from
        };
    }
}

impl Task {
    /// A task that has not begun.
    fn new(key: TaskKey, slot: u32) -> Self {
        Self {
            entry: key.entry,
            key,
            slot,
            pending: Pending::Start,
            op: record::Op::Start,
            died: false,
            past: Rolling::default(),
            begins_anew: true,
            unseen: 0,
            frames: vec![],
            held: vec![],
            sites: vec![],
            yielder: ptr::null(),
            announced: None,
            place: 0,
            local: 0,
        }
    }

    /// The innermost function that it is in.
    fn function(&self) -> &'static str {
        let calls = self.frames.iter().rev().find(|f| !f.is_part);
        calls.map_or("?", |f| f.function)
    }

    /// It has a lock.
    fn hold(&mut self, lock: LockId, mode: Mode) {
        let site = self.function();
        self.held.push((lock, mode));
        self.sites.push(site);
    }

    /// It lets go of a lock that it has.
    fn let_go(&mut self, lock: LockId, mode: Mode) {
        let at = self.held.iter().rposition(|h| *h == (lock, mode));
        let at = at.expect("what is held is listed");
        self.held.remove(at);
        self.sites.remove(at);
    }

    /// Its part of the state's fingerprint, when it is about to do `pending`: none once it has
    /// ended without a lock.
    fn fingerprint(&self, pending: Pending) -> u128 {
        if pending == Pending::Ended && self.held.is_empty() {
            return 0;
        }
        let mut hash = self.past;
        hash.push(u64::from(self.entry.kind));
        hash.push(self.entry.arg);
        hash.push(pending.code());
        for (lock, mode) in &self.held {
            hash.push((u64::from(lock.0) << 1) | u64::from(*mode == Mode::Shared));
        }
        hash.finish()
    }
}

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

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct State {
    world: World,
    tasks: Vec<Task>,
    current: Option<TaskId>,
    watch: Watch,
    /// The stack of each task: always the same for the same task.
    slots: HashMap<TaskKey, u32>,
    granularity: Granularity,
    checkpoints: bool,
    /// Outside of tasks: reads are seen by nobody.
    peeking: bool,
    /// The cells that any outcome has been read off, as bits.
    peeked: Vec<bool>,
    /// The cells that the last look outside of tasks has read.
    looked_at: Vec<CellId>,
    /// So far in this run only one task has done anything.
    was_alone: bool,
    events: Option<Vec<Event>>,
    /// Tasks are suspended before each call, return and note.
    announces: bool,
    limit: Option<String>,
    operations: u64,
    /// Where the task that is resumed has forgotten its past since.
    checkpoints_passed: CycleDetection<Checkpoint>,
    /// Functions that any run has entered.
    reached: HashSet<&'static str>,
    /// The lock order of all runs.
    lock_order: LockOrder,
    /// The set-up, as if it were a task: its calls and its locks.
    set_up: Task,
    /// The step under way, if it is recorded.
    record: Option<record::Record>,
    /// The operations that began, if they are noted.
    begun: Option<Vec<naming::Begun>>,
}

/// What the world looked like when the tasks began.
struct Base {
    cells: Vec<u64>,
    cells_hash: u128,
    tasks: Vec<Entry>,
    events: Vec<Event>,
}

/// A state of a run that can be put back.
#[derive(Default)]
pub(crate) struct Snapshot {
    cells: Vec<u64>,
    cells_hash: u128,
    locks: Vec<LockState>,
    tasks: Vec<Task>,
    was_alone: bool,
    operations: u64,
    stacks: Vec<Option<Saved>>,
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

/// All that what follows depends on where a task forgets its past and is not interrupted: that past, the
/// world, and how many tasks there are.
type Checkpoint = (u128, u128, usize);

/// Stands for the set-up, which is no task.
const SET_UP: TaskId = TaskId(u32::MAX);

/// Stands for it where a task has a key.
const SET_UP_KEY: TaskKey = TaskKey {
    entry: Entry {
        kind: u32::MAX,
        arg: 0,
    },
    nth: 0,
};

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

    /// Back to where the tasks begin.
    pub(crate) fn reset(&self) {
        self.stacks.borrow_mut().abandon();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        state.world.reset(&self.base.cells, self.base.cells_hash);
        state.tasks.clear();
        state.current = None;
        state.world.be_sequential();
        state.limit = None;
        state.was_alone = true;
        state.operations = 0;
        if let Some(events) = &mut state.events {
            events.clone_from(&self.base.events);
        }
        for entry in &self.base.tasks {
            state.create(*entry);
        }
    }

    /// Copies the state, to be put back by [`Machine::restore`] of the same machine. `old` is a
    /// snapshot that is no longer needed, for its memory.
    pub(crate) fn snapshot(&self, old: Snapshot) -> Snapshot {
        let mut copy = old;
        let state = self.state.borrow();
        let stacks = self.stacks.borrow();
        copy.cells.clone_from(&state.world.cells);
        copy.cells_hash = state.world.cells_hash;
        copy.locks.clone_from(&state.world.locks);
        copy.tasks.clone_from(&state.tasks);
        copy.was_alone = state.was_alone;
        copy.operations = state.operations;
        copy.stacks.resize_with(state.tasks.len(), || None);
        for (i, task) in state.tasks.iter().enumerate() {
            let has_stack = !matches!(task.pending, Pending::Start | Pending::Ended);
            let old = copy.stacks[i].take();
            let slot = task.slot as usize;
            copy.stacks[i] = has_stack
                .then(|| stacks.save(slot, task.local, old))
                .flatten();
        }
        copy
    }

    /// Puts a state back.
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state.borrow_mut();
        let mut stacks = self.stacks.borrow_mut();
        for task in state.tasks.iter().skip(snapshot.tasks.len()) {
            stacks.restore(task.slot as usize, None);
        }
        for (task, saved) in snapshot.tasks.iter().zip(&snapshot.stacks) {
            stacks.restore(task.slot as usize, saved.as_ref());
        }
        state.world.cells.copy_from_slice(&snapshot.cells);
        state.world.cells_hash = snapshot.cells_hash;
        state.world.locks.clone_from(&snapshot.locks);
        state.tasks.clone_from(&snapshot.tasks);
        state.was_alone = snapshot.was_alone;
        state.operations = snapshot.operations;
        state.limit = None;
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

    /// The outcome of a world in which nobody can go on.
    pub(crate) fn finish(&self) -> Final<M::Outcome> {
        Final {
            outcome: self.peek(|| self.model.outcome()),
            deadlock: self.deadlock(),
        }
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

    /// The limit of the model that the run has hit, if any.
    pub(crate) fn limit(&self) -> Option<String> {
        self.state.borrow().limit.clone()
    }

    /// What is said of a task that goes round in a function without a step.
    pub(crate) fn goes_round(&self, entry: Entry, function: &str) -> String {
        let task = self.model.task_name(entry);
        format!(
            "{task} goes round for ever in {function} without doing anything that another task could \
             see or stop"
        )
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

    /// Conflicting accesses of plain fields that are both about to happen.
    pub(crate) fn data_races(&self) -> Vec<DataRace> {
        let state = self.state.borrow();
        let mut races = vec![];
        for (i, first) in state.tasks.iter().enumerate() {
            let Pending::Access { cell, writes } = first.pending else {
                continue;
            };
            if !self.is_plain(cell) {
                continue;
            }
            for second in &state.tasks[i + 1..] {
                let Pending::Access {
                    cell: other,
                    writes: also_writes,
                } = second.pending
                else {
                    continue;
                };
                if cell == other && (writes || also_writes) {
                    let function = |task: &Task| task.frames.last().map_or("?", |f| f.function);
                    let sites = [(function(first), writes), (function(second), also_writes)];
                    races.push(self.race(cell, sites));
                }
            }
        }
        races
    }

    fn is_plain(&self, cell: CellId) -> bool {
        self.kinds[cell.index()] == CellKind::Plain
    }

    /// A data race on a field between two functions, with whether each writes.
    fn race(&self, cell: CellId, sites: [(&str, bool); 2]) -> DataRace {
        let mut sites = sites.map(|(function, writes)| {
            format!("{function} ({})", if writes { "writes" } else { "reads" })
        });
        sites.sort();
        DataRace {
            field: self.model.layout().cell_name(cell),
            sites,
        }
    }

    fn deadlock(&self) -> Option<Deadlock> {
        let state = self.state.borrow();
        let layout = self.model.layout();
        let standing = |task: &Task| Standing {
            name: self.model.task_name(task.entry),
            died: task.died,
            blocked: match task.pending {
                Pending::Lock { lock, .. } => {
                    let holds = |t: &Task| t.held.iter().any(|(held, _)| *held == lock);
                    let holder = state.tasks.iter().position(holds);
                    Blocked::Lock(layout.lock_name(lock), holder)
                }
                Pending::Wait {
                    condition,
                    waiting: Waiting::Busy,
                } => Blocked::Field(layout.cell_name(condition.cell)),
                _ => Blocked::Not,
            },
        };
        deadlock(&state.tasks.iter().map(standing).collect::<Vec<_>>())
    }
}

impl State {
    fn create(&mut self, entry: Entry) -> TaskId {
        let nth = self.tasks.iter().filter(|t| t.entry == entry).count() as u32;
        let task = self.new_task(TaskKey { entry, nth });
        self.tasks.push(task);
        TaskId(self.tasks.len() as u32 - 1)
    }

    fn new_task(&mut self, key: TaskKey) -> Task {
        let fresh = self.slots.len() as u32;
        let slot = *self.slots.entry(key).or_insert(fresh);
        Task::new(key, slot)
    }

    fn is_enabled(&self, id: TaskId) -> bool {
        match self.tasks[id.index()].pending {
            Pending::Start | Pending::Access { .. } | Pending::Always => true,
            Pending::Lock { lock, mode } => self.world.is_free(lock, mode),
            Pending::Wait { condition, .. } => self.world.holds(condition),
            Pending::Ended => false,
        }
    }

    fn another_enabled(&self, current: TaskId) -> bool {
        (0..self.tasks.len() as u32)
            .map(TaskId)
            .any(|id| id != current && self.is_enabled(id))
    }

    /// Whether nobody but the current task has done anything in this run so far, or can: what it
    /// does comes before whatever the others will do, since it is who creates or wakes them.
    fn is_alone(&mut self, current: TaskId) -> bool {
        match self.granularity {
            Granularity::Blocking => return true,
            Granularity::EachStep => return false,
            Granularity::Steps => {}
        }
        self.was_alone &= (0..self.tasks.len() as u32).map(TaskId).all(|id| {
            let is_idle = matches!(
                self.tasks[id.index()].pending,
                Pending::Wait {
                    waiting: Waiting::Idle,
                    ..
                }
            );
            id == current || (is_idle && !self.is_enabled(id))
        });
        self.was_alone
    }

    /// Whether to suspend the current task before a step.
    fn may_suspend(&self, current: TaskId) -> bool {
        self.granularity == Granularity::EachStep || self.another_enabled(current)
    }

    /// The current task; the set-up, which is none, has a number of its own.
    fn me(&self) -> TaskId {
        self.current.unwrap_or(SET_UP)
    }

    fn task(&mut self) -> Option<&mut Task> {
        self.current.map(|id| &mut self.tasks[id.index()])
    }

    /// The current task, or the set-up.
    fn doer(&mut self) -> &mut Task {
        match self.current {
            Some(id) => &mut self.tasks[id.index()],
            None => &mut self.set_up,
        }
    }

    /// The current task, or the set-up, is about to take a lock that it will wait for.
    fn note_lock_order(&mut self, lock: LockId, mode: Mode) {
        let by = self.current.map(|id| self.tasks[id.index()].entry);
        let task = match self.current {
            Some(id) => &self.tasks[id.index()],
            None => &self.set_up,
        };
        let inner = Acquisition {
            lock,
            mode,
            function: task.function(),
        };
        for ((lock, mode), function) in task.held.iter().zip(&task.sites) {
            let outer = Acquisition {
                lock: *lock,
                mode: *mode,
                function,
            };
            let calls = task.frames.iter().filter(|f| !f.is_part);
            let calls = calls.map(|f| f.function);
            self.lock_order.note(Edge { outer, inner }, calls, by);
        }
    }

    fn push_event(&mut self, what: What) {
        let (task, depth) = match self.current {
            Some(id) => (id, self.tasks[id.index()].frames.len() as u32),
            None => (SET_UP, 0),
        };
        if let Some(events) = &mut self.events {
            events.push(Event { task, depth, what });
        }
    }
}
