//! Small concurrent programs as data: the oracle's and the property tests' raw material.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test crate uses the part it needs"
)]

use checker::layout::Layout;
use checker::model::{Entry, Model};
use checker::sync::{Mutex, Plain, Shared};
use checker::task;

/// One operation; `Last` is the value that the task read last.
#[derive(Clone, Debug)]
pub enum Op {
    Load(usize),
    Store(usize, u64),
    StoreLastPlus(usize, u64),
    Add(usize, u64),
    Lock(usize),
    Unlock(usize),
    /// Takes the lock, or skips that many of the operations that follow.
    TryLockOrSkip(usize, usize),
    WaitUntil(usize, u64),
}

/// Fields x0, x1, ..., locks, and one list of operations a task.
#[derive(Clone, Debug)]
pub struct Program {
    layout: Layout,
    fields: Vec<Shared<u64>>,
    plain_fields: Vec<Plain<u64>>,
    locks: Vec<Mutex>,
    tasks: Vec<Vec<Op>>,
    plain: bool,
}

const FIELDS: [&str; 6] = ["x0", "x1", "x2", "x3", "x4", "x5"];
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
            layout,
            tasks,
            plain: false,
        }
    }

    /// Loads and stores are plain C accesses.
    pub fn with_plain_fields(self) -> Self {
        Self {
            plain: true,
            ..self
        }
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
            self.plain_fields[field].set(value)
        } else {
            self.fields[field].write_once(value)
        }
    }

    fn interpret(&self, ops: &[Op]) {
        let mut last = 0;
        let mut at = 0;
        while let Some(op) = ops.get(at) {
            at += 1;
            match *op {
                Op::Load(f) => last = self.load(f),
                Op::Store(f, v) => self.store(f, v),
                Op::StoreLastPlus(f, v) => self.store(f, last + v),
                Op::Add(f, v) => self.fields[f].add(v),
                Op::Lock(l) => self.locks[l].lock(),
                Op::Unlock(l) => self.locks[l].unlock(),
                Op::TryLockOrSkip(l, skip) => at += if self.locks[l].try_lock() { 0 } else { skip },
                Op::WaitUntil(f, v) => self.fields[f].wait_until(v),
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
        for i in 0..self.tasks.len() {
            task::spawn(Entry {
                kind: 0,
                arg: i as u64,
            });
        }
    }

    fn run(&self, entry: Entry) {
        let i = entry.arg as usize;
        task::call(TASKS[i], 0, String::new, || self.interpret(&self.tasks[i]));
    }

    fn outcome(&self) -> Vec<u64> {
        (0..self.fields.len()).map(|f| self.load(f)).collect()
    }

    fn task_name(&self, entry: Entry) -> String {
        TASKS[entry.arg as usize].to_owned()
    }
}
