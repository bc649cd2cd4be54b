//! Litmus tests as text, and all their outcomes under [`WeakMemory`].
//!
//! Tasks are separated by `|`, operations by spaces:
//!
//! | text | what it is |
//! |---|---|
//! | `x=1`, `x=r0`, `x:=1` | WRITE_ONCE(), with a data dependency, smp_store_release() |
//! | `r0=x`, `r0:=x` | READ_ONCE(), smp_load_acquire() |
//! | `x++`, `r0=x++` | atomic_inc(), atomic_fetch_inc() |
//! | `r0=xchg(x,2)`, `r0=cmpxchg(x,1,2)` | these |
//! | `mb`, `rmb`, `wmb` | smp_mb() and so on |
//! | `s.lock`, `s.unlock` | a spinlock; a mutex if its name begins with `m` |
//! | `w.down_read`, `w.up_read`, `w.down_write`, `w.up_write` | a rw_semaphore |
//! | `if(r0=1)` ... `fi` | what is between is done if the register has this value |
//!
//! A condition is `1:r0=1 x=2`: all must hold, `x` once all tasks have ended.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test crate uses the part it needs"
)]

pub mod explore;
pub mod herd;
pub mod model;
pub mod rows;

use checker::backend::{Mode, Order, Rmw};
use checker::engine::weak::Fence;
use checker::layout::{CellId, LockId, LockKind};

#[derive(Clone, Copy, Debug)]
pub enum Value {
    Number(u64),
    Register(usize),
}

#[derive(Clone, Copy, Debug)]
pub enum Op {
    Load(usize, CellId, Order),
    Store(CellId, Value, Order),
    Update(Option<usize>, CellId, Rmw),
    Fence(Fence),
    Lock(LockId, Mode),
    Unlock(LockId, Mode),
    /// Goes on at this operation unless the register has the value.
    Unless(usize, u64, usize),
}

#[derive(Debug, Default)]
pub struct Litmus {
    pub cells: Vec<String>,
    pub locks: Vec<(String, LockKind)>,
    pub tasks: Vec<Vec<Op>>,
}

impl Litmus {
    pub fn parse(text: &str) -> Self {
        let mut litmus = Self::default();
        for task in text.split('|') {
            let mut ops = vec![];
            for word in task.split_whitespace() {
                if word == "fi" {
                    close_if(&mut ops);
                } else {
                    ops.push(litmus.op(word));
                }
            }
            litmus.tasks.push(ops);
        }
        litmus
    }

    fn op(&mut self, word: &str) -> Op {
        if let Some((lock, verb)) = word.split_once('.') {
            return self.lock_op(lock, verb);
        }
        if let Some(inside) = word.strip_prefix("if(") {
            let (r, value) = inside.trim_end_matches(')').split_once('=').unwrap();
            return Op::Unless(register(r).unwrap(), value.parse().unwrap(), usize::MAX);
        }
        if let Some(cell) = word.strip_suffix("++") {
            return match cell.split_once('=') {
                None => Op::Update(None, self.cell(cell), Rmw::Add(1)),
                Some((r, cell)) => Op::Update(register(r), self.cell(cell), Rmw::Add(1)),
            };
        }
        match word {
            "mb" => Op::Fence(Fence::Mb),
            "rmb" => Op::Fence(Fence::Rmb),
            "wmb" => Op::Fence(Fence::Wmb),
            _ => self.access(word),
        }
    }

    fn access(&mut self, word: &str) -> Op {
        let (to, from) = word.split_once('=').unwrap_or_else(|| panic!("{word}"));
        let (to, order) = match to.strip_suffix(':') {
            Some(to) => (to, Order::AcquireRelease),
            None => (to, Order::Relaxed),
        };
        let Some(r) = register(to) else {
            let value = register(from).map_or_else(|| number(from), Value::Register);
            return Op::Store(self.cell(to), value, order);
        };
        let Some((call, arguments)) = from.trim_end_matches(')').split_once('(') else {
            return Op::Load(r, self.cell(from), order);
        };
        let arguments: Vec<&str> = arguments.split(',').collect();
        let rmw = match (call, &arguments[1..]) {
            ("xchg", [new]) => Rmw::Xchg(new.parse().unwrap()),
            ("cmpxchg", [old, new]) => Rmw::CmpXchg(old.parse().unwrap(), new.parse().unwrap()),
            _ => panic!("{word}"),
        };
        Op::Update(Some(r), self.cell(arguments[0]), rmw)
    }

    fn lock_op(&mut self, name: &str, verb: &str) -> Op {
        let kind = match (verb, name.starts_with('m')) {
            ("lock" | "unlock", true) => LockKind::Mutex,
            ("lock" | "unlock", false) => LockKind::SpinLock,
            _ => LockKind::RwSem,
        };
        let known = self.locks.iter().position(|(n, _)| n == name);
        let i = known.unwrap_or(self.locks.len());
        if known.is_none() {
            self.locks.push((name.to_owned(), kind));
        }
        let lock = LockId(i as u32);
        match verb {
            "lock" | "down_write" => Op::Lock(lock, Mode::Exclusive),
            "unlock" | "up_write" => Op::Unlock(lock, Mode::Exclusive),
            "down_read" => Op::Lock(lock, Mode::Shared),
            "up_read" => Op::Unlock(lock, Mode::Shared),
            _ => panic!("{name}.{verb}"),
        }
    }

    fn cell(&mut self, name: &str) -> CellId {
        let known = self.cells.iter().position(|n| n == name);
        let i = known.unwrap_or(self.cells.len());
        if known.is_none() {
            self.cells.push(name.to_owned());
        }
        CellId(i as u32)
    }
}

fn close_if(ops: &mut [Op]) {
    let end = ops.len();
    let open = ops.iter_mut().rev().find_map(|op| match op {
        Op::Unless(_, _, to) if *to == usize::MAX => Some(to),
        _ => None,
    });
    *open.expect("an if before the fi") = end;
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap_or_else(|_| panic!("{text}")))
}

fn register(text: &str) -> Option<usize> {
    text.strip_prefix('r')?.parse().ok()
}
