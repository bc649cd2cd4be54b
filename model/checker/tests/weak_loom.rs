//! Every outcome that loom shows of a program of C11 atomics is one of
//! [`checker::engine::weak`], but for one test.
//!
//! The other way round nothing is claimed: loom does not put stores before newer ones, and loses
//! outcomes (`loom_holes.rs`).

use crate::weak::explore::{Outcome, REGISTERS};
use crate::weak::rows::{Deviation, KERNEL, OURS};
use crate::weak::{Litmus, Op, Value};
use checker::backend::{Order, Rmw};
use checker::engine::weak::Fence;
use loom::sync::atomic::{AtomicU64, Ordering, fence};
use loom::thread;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Whether every operation is one of C11, at least as strong there as in the kernel. Wmb and rmb
/// are weaker than the fences of C11.
fn is_c11(litmus: &Litmus) -> bool {
    litmus.locks.is_empty()
        && litmus.tasks.iter().flatten().all(|op| match op {
            Op::Load(..) | Op::Store(..) | Op::Unless(..) => true,
            Op::Update(r, _, Rmw::Add(_)) => r.is_none(),
            _ => false,
        })
}

fn run(ops: &[Op], cells: &[AtomicU64]) -> [u64; REGISTERS] {
    let mut registers = [0; REGISTERS];
    let mut at = 0;
    while let Some(op) = ops.get(at) {
        at += 1;
        match *op {
            Op::Load(r, x, Order::Relaxed) => {
                registers[r] = cells[x.index()].load(Ordering::Relaxed);
            }
            Op::Load(r, x, Order::AcquireRelease) => {
                registers[r] = cells[x.index()].load(Ordering::Acquire);
            }
            Op::Store(x, value, order) => {
                let value = match value {
                    Value::Number(n) => n,
                    Value::Register(r) => registers[r],
                };
                let release = order == Order::AcquireRelease;
                let order = if release {
                    Ordering::Release
                } else {
                    Ordering::Relaxed
                };
                cells[x.index()].store(value, order);
            }
            Op::Update(_, x, Rmw::Add(n)) => {
                cells[x.index()].fetch_add(n, Ordering::Relaxed);
            }
            Op::Fence(Fence::Rmb) => fence(Ordering::Acquire),
            Op::Unless(r, value, to) if registers[r] != value => at = to,
            _ => {}
        }
    }
    registers
}

fn loom(litmus: &Arc<Litmus>) -> BTreeSet<Outcome> {
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let (into, litmus) = (outcomes.clone(), litmus.clone());
    // One-sided, so that a bound loses nothing but time.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let cells: Vec<_> = litmus.cells.iter().map(|_| AtomicU64::new(0)).collect();
        let cells = loom::sync::Arc::new(cells);
        let threads: Vec<_> = (0..litmus.tasks.len())
            .map(|task| {
                let (litmus, cells) = (litmus.clone(), cells.clone());
                thread::spawn(move || run(&litmus.tasks[task], &cells))
            })
            .collect();
        let registers = threads.into_iter().map(|t| t.join().unwrap()).collect();
        let cells = cells.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        into.lock().unwrap().insert(Outcome { registers, cells });
    });
    std::mem::take(&mut *outcomes.lock().unwrap())
}

/// The one place where the kernel orders more than C11: a release passes on what a relaxed load
/// before it has read, with all that this carried (`A-cumul` of linux-kernel.cat).
const STRONGER: &str = "ISA2+rel+po-rel+acq";

#[test]
fn every_outcome_of_loom_is_one_of_weak_memory() {
    let mut compared = 0;
    let mut weak = 0;
    for (name, text, condition, _, deviation) in KERNEL.iter().chain(OURS) {
        let litmus = Arc::new(Litmus::parse(text));
        let operations: usize = litmus.tasks.iter().map(Vec::len).sum();
        if !is_c11(&litmus)
            || litmus.tasks.len() > 3
            || operations > 6
            || *deviation != Deviation::None
        {
            continue;
        }
        let (ours, theirs) = (litmus.outcomes(), loom(&litmus));
        let missing = theirs.difference(&ours).next();
        assert_eq!(missing.is_some(), *name == STRONGER, "{name}: {missing:?}");
        compared += 1;
        weak += usize::from(theirs.iter().any(|o| litmus.holds(condition, o)));
    }
    assert!(
        compared >= 15 && weak >= 5,
        "{compared} programs, {weak} of them weak"
    );
}
