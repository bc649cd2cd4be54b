//! Small concurrent programs as data: the oracle's and the property tests' raw material.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test crate uses the part it needs"
)]

use checker::layout::Layout;
use checker::list::List;
use checker::model::{Entry, Model};
use checker::sync::{Ghost, Mutex, Plain, RwSem, Shared, SpinLock, WaitGroup};
use checker::task;

/// One operation; `Last` is the value that the task read last.
#[derive(Clone, Debug)]
pub enum Op {
    Load(usize),
    Store(usize, u64),
    StoreLastPlus(usize, u64),
    Add(usize, u64),
    /// As `Add`, with what was there before read and an smp_mb() on both sides.
    FetchAdd(usize, u64),
    /// An smp_mb(): the update of a field that the task alone touches.
    Mb,
    Lock(usize),
    Unlock(usize),
    /// Takes the lock, or skips that many of the operations that follow.
    TryLockOrSkip(usize, usize),
    WaitUntil(usize, u64),
    DownRead,
    UpRead,
    DownWrite,
    UpWrite,
    /// Adds to the tail of the list.
    Push(u64),
    /// Takes the head off the list; reads one more than it, or 0.
    Pop,
    /// Creates the task of this number, which is not there from the start.
    Spawn(usize),
    /// Moves what is in the first field to the second whenever there is something, as an idle worker.
    Work(usize, usize),
    /// One more is under way.
    GroupAdd,
    /// One is done.
    GroupDone,
    /// Waits until none is under way.
    GroupWait,
    /// Adds what was loaded, and one, to what the outcome tells and no task reads.
    Tell,
    /// Forgets what was loaded and all that was observed.
    Forget,
    /// Dies.
    Oops,
    /// Queues the work of which the field tells.
    Queue(usize),
    /// Waits as an idle worker until it is queued, and begins with it.
    Dequeue(usize),
    /// Begins anew, knowing nothing, unless this is in the field.
    AgainUnless(usize, u64),
}

/// Fields x0, x1, ..., locks, and one list of operations a task.
#[derive(Clone, Debug)]
pub struct Program {
    layout: Layout,
    fields: Vec<Shared<u64>>,
    plain_fields: Vec<Plain<u64>>,
    locks: Vec<Mutex>,
    spinlocks: Vec<SpinLock>,
    sem: RwSem,
    list: List<u64>,
    group: WaitGroup,
    /// By task.
    own: Vec<Shared<u64>>,
    told: Ghost<u64>,
    tasks: Vec<Vec<Op>>,
    /// How many of the tasks are there from the start.
    initial: usize,
    plain: bool,
    /// The locks are spinlocks.
    spins: bool,
}

const FIELDS: [&str; 10] = ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"];
const LOCKS: [&str; 4] = ["lock0", "lock1", "lock2", "lock3"];
const TASKS: [&str; 8] = ["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7"];

impl Program {
    pub fn new(fields: usize, locks: usize, tasks: Vec<Vec<Op>>) -> Self {
        let mut layout = Layout::new();
        Self {
            fields: FIELDS[..fields]
                .iter()
                .map(|f| Shared::new(&mut layout, "", f, 0))
                .collect(),
            plain_fields: FIELDS[..fields]
                .iter()
                .map(|f| Plain::new(&mut layout, "", f, 0))
                .collect(),
            locks: LOCKS[..locks]
                .iter()
                .map(|l| Mutex::new(&mut layout, "", l))
                .collect(),
            spinlocks: LOCKS[..locks]
                .iter()
                .map(|l| SpinLock::new(&mut layout, "spinning", l))
                .collect(),
            sem: RwSem::new(&mut layout, "", "sem"),
            list: List::new(&mut layout, "", "list", 8),
            group: WaitGroup::new(&mut layout, "", "group"),
            own: TASKS
                .iter()
                .map(|t| Shared::new(&mut layout, t, "own", 0))
                .collect(),
            told: Ghost::new(&mut layout, "", "told", 0),
            layout,
            initial: tasks.len(),
            tasks,
            plain: false,
            spins: false,
        }
    }

    /// The operations of each task.
    pub fn tasks(&self) -> &[Vec<Op>] {
        &self.tasks
    }

    /// Only so many tasks are there from the start.
    pub fn with_initial_tasks(self, initial: usize) -> Self {
        Self { initial, ..self }
    }

    /// Loads and stores are plain C accesses.
    pub fn with_plain_fields(self) -> Self {
        Self {
            plain: true,
            ..self
        }
    }

    /// The locks are spinlocks, and nobody tries them.
    pub fn with_spinlocks(self) -> Self {
        Self {
            spins: true,
            ..self
        }
    }

    /// What is in a field, seen by nobody.
    pub fn monitor(&self, field: usize) -> u64 {
        self.fields[field].monitor()
    }

    fn load(&self, field: usize) -> u64 {
        if self.plain {
            self.plain_fields[field].get()
        } else {
            self.fields[field].read_once()
        }
    }

    fn store(&self, field: usize, value: u64) {
        if self.plain {
            self.plain_fields[field].set(value);
        } else {
            self.fields[field].write_once(value);
        }
    }

    fn interpret(&self, task: usize) {
        let ops = &self.tasks[task];
        let mut last = 0;
        let mut at = 0;
        while let Some(op) = ops.get(at) {
            at += 1;
            match *op {
                Op::Load(f) => {
                    last = self.load(f);
                    task::note("loaded", || last.to_string());
                }
                Op::Store(f, v) => self.store(f, v),
                Op::StoreLastPlus(f, v) => self.store(f, last + v),
                Op::Add(f, v) => self.fields[f].add(v),
                Op::FetchAdd(f, v) => last = self.fields[f].fetch_add(v),
                Op::Mb => {
                    self.own[task].fetch_add(1);
                }
                Op::Lock(l) if self.spins => self.spinlocks[l].lock(),
                Op::Lock(l) => self.locks[l].lock(),
                Op::Unlock(l) if self.spins => self.spinlocks[l].unlock(),
                Op::Unlock(l) => self.locks[l].unlock(),
                Op::TryLockOrSkip(l, _) if self.spins => self.spinlocks[l].lock(),
                Op::TryLockOrSkip(l, skip) => at += if self.locks[l].try_lock() { 0 } else { skip },
                Op::WaitUntil(f, v) => self.fields[f].wait_until(v),
                Op::DownRead => self.sem.down_read(),
                Op::UpRead => self.sem.up_read(),
                Op::DownWrite => self.sem.down_write(),
                Op::UpWrite => self.sem.up_write(),
                Op::Push(v) => self.list.push_back(v),
                Op::Pop => {
                    last = self.list.pop_front().map_or(0, |v| v + 1);
                    task::note("popped", || last.to_string());
                }
                Op::Spawn(t) => task::spawn(Entry {
                    kind: 0,
                    arg: t as u64,
                }),
                Op::Work(from, to) => {
                    while self.fields[from].wait_idle_for(u64::MAX) {
                        let n = self.fields[from].xchg(0);
                        self.fields[to].add(n);
                    }
                }
                Op::GroupAdd => self.group.add(),
                Op::GroupDone => self.group.done(),
                Op::GroupWait => self.group.wait(),
                Op::Tell => self.told.add(last + 1),
                Op::Forget => {
                    last = 0;
                    task::checkpoint("at", &[at as u64]);
                }
                Op::Oops => task::oops("oops"),
                Op::Queue(f) => self.fields[f].or_locked(1),
                Op::Dequeue(f) => {
                    if !self.fields[f].wait_idle_for(1) {
                        return;
                    }
                    self.fields[f].and_locked(!1);
                }
                Op::AgainUnless(f, v) => {
                    if self.fields[f].read_once() != v {
                        (at, last) = (0, 0);
                        task::checkpoint("again", &[]);
                    }
                }
            }
        }
    }
}

impl Model for Program {
    type Outcome = Vec<u64>;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        for i in 0..self.initial {
            task::spawn(Entry {
                kind: 0,
                arg: i as u64,
            });
        }
    }

    fn run(&self, entry: Entry) {
        let i = entry.arg as usize;
        task::call(TASKS[i], 0, String::new, || self.interpret(i));
    }

    fn outcome(&self) -> Vec<u64> {
        let fields = (0..self.fields.len()).map(|f| self.load(f));
        let tells = self.tasks.iter().flatten().any(|op| matches!(op, Op::Tell));
        let told = tells.then(|| self.told.peek());
        fields.chain(self.list.peek()).chain(told).collect()
    }

    fn task_name(&self, entry: Entry) -> String {
        TASKS[entry.arg as usize].to_owned()
    }
}
