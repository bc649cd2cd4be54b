//! A litmus test as a model, for the engine: what it reads goes into monitors.

use super::explore::{Outcome, REGISTERS};
use super::{Litmus, Op, Value};
use checker::backend::{Mode, Order, Rmw};
use checker::layout::{Layout, LockKind};
use checker::model::{Entry, Model};
use checker::sync::{Ghost, Mutex, RwSem, Shared, SpinLock};
use checker::task;

#[derive(Clone, Copy)]
enum Lock {
    Mutex(Mutex),
    Spin(SpinLock),
    RwSem(RwSem),
}

pub struct LitmusModel {
    litmus: Litmus,
    layout: Layout,
    cells: Vec<Shared<u64>>,
    locks: Vec<Lock>,
    registers: Vec<[Ghost<u64>; REGISTERS]>,
}

impl LitmusModel {
    /// `None` if it has a fence, of which models have none.
    pub fn new(litmus: Litmus) -> Option<Self> {
        let has_fence = |op: &Op| matches!(op, Op::Fence(_));
        if litmus.tasks.iter().flatten().any(has_fence) {
            return None;
        }
        let mut layout = Layout::new();
        let cells = litmus.cells.iter();
        let cells = cells.map(|name| Shared::new(&mut layout, name, "", 0));
        let cells = cells.collect();
        let locks = litmus.locks.iter();
        let locks = locks.map(|(name, kind)| match kind {
            LockKind::Mutex => Lock::Mutex(Mutex::new(&mut layout, name, "")),
            LockKind::SpinLock => Lock::Spin(SpinLock::new(&mut layout, name, "")),
            LockKind::RwSem => Lock::RwSem(RwSem::new(&mut layout, name, "")),
        });
        let locks = locks.collect();
        let registers = litmus.tasks.iter();
        let registers =
            registers.map(|_| [(); REGISTERS].map(|()| Ghost::new(&mut layout, "", "r", 0)));
        Some(Self {
            registers: registers.collect(),
            cells,
            locks,
            layout,
            litmus,
        })
    }

    fn access(&self, op: Op, registers: &mut [u64; REGISTERS]) {
        match op {
            Op::Load(r, x, Order::Relaxed) => registers[r] = self.cells[x.index()].read_once(),
            Op::Load(r, x, Order::AcquireRelease) => {
                registers[r] = self.cells[x.index()].load_acquire();
            }
            Op::Store(x, value, order) => {
                let value = match value {
                    Value::Number(n) => n,
                    Value::Register(r) => registers[r],
                };
                match order {
                    Order::Relaxed => self.cells[x.index()].write_once(value),
                    Order::AcquireRelease => self.cells[x.index()].store_release(value),
                }
            }
            Op::Update(r, x, rmw) => {
                let cell = self.cells[x.index()];
                let old = match (r, rmw) {
                    (None, Rmw::Add(n)) => {
                        cell.add(n);
                        return;
                    }
                    (_, Rmw::Add(n)) => cell.fetch_add(n),
                    (_, Rmw::Xchg(new)) => cell.xchg(new),
                    (_, Rmw::CmpXchg(old, new)) => cell.cmpxchg(old, new),
                    _ => unreachable!("no litmus test has another"),
                };
                registers[r.expect("it returns")] = old;
            }
            _ => unreachable!("no access"),
        }
    }

    fn lock(&self, lock: usize, mode: Mode, takes: bool) {
        match (self.locks[lock], mode, takes) {
            (Lock::Mutex(m), _, true) => m.lock(),
            (Lock::Mutex(m), _, false) => m.unlock(),
            (Lock::Spin(s), _, true) => s.lock(),
            (Lock::Spin(s), _, false) => s.unlock(),
            (Lock::RwSem(w), Mode::Shared, true) => w.down_read(),
            (Lock::RwSem(w), Mode::Shared, false) => w.up_read(),
            (Lock::RwSem(w), Mode::Exclusive, true) => w.down_write(),
            (Lock::RwSem(w), Mode::Exclusive, false) => w.up_write(),
        }
    }
}

impl Model for LitmusModel {
    type Outcome = Outcome;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        for arg in 0..self.litmus.tasks.len() as u64 {
            task::spawn(Entry { kind: 0, arg });
        }
    }

    fn run(&self, entry: Entry) {
        let me = entry.arg as usize;
        let ops = &self.litmus.tasks[me];
        let mut registers = [0; REGISTERS];
        let mut at = 0;
        while let Some(op) = ops.get(at).copied() {
            at += 1;
            match op {
                Op::Lock(lock, mode) => self.lock(lock.index(), mode, true),
                Op::Unlock(lock, mode) => self.lock(lock.index(), mode, false),
                Op::Unless(r, value, to) if registers[r] != value => at = to,
                Op::Unless(..) => {}
                access => self.access(access, &mut registers),
            }
        }
        for (ghost, value) in self.registers[me].iter().zip(registers) {
            ghost.set(value);
        }
    }

    fn outcome(&self) -> Outcome {
        let registers = self.registers.iter();
        Outcome {
            registers: registers.map(|r| r.map(Ghost::peek)).collect(),
            cells: self.cells.iter().map(|c| c.read_once()).collect(),
        }
    }

    fn task_name(&self, entry: Entry) -> String {
        format!("P{}", entry.arg)
    }
}
