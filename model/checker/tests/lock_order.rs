//! The lock order of an exploration: what it has, and that it depends on no reduction.

use crate::programs::{Op, Program};
use crate::random;
use crate::random::between;
use checker::engine::exhaustive::{Options, explore};
use checker::engine::lock_order::LockOrder;
use checker::layout::{Layout, LockId};
use checker::model::{Entry, Model};
use checker::outcome::{Complete, Report};
use checker::sync::{Mutex, RwSem};
use checker::task;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

fn explored(program: &Arc<Program>, change: impl FnOnce(&mut Options)) -> Report<Vec<u64>> {
    let mut options = Options {
        max_states: 30_000,
        ..Options::default()
    };
    change(&mut options);
    explore(program, &options)
}

fn of(tasks: Vec<Vec<Op>>) -> (Arc<Program>, Report<Vec<u64>>) {
    let program = Arc::new(Program::new(2, 3, tasks));
    let report = explored(&program, |_| {});
    assert_eq!(report.complete, Complete::Yes);
    (program, report)
}

/// The cycles, by the names of their classes.
fn cycles(tasks: Vec<Vec<Op>>) -> Vec<String> {
    let (program, report) = of(tasks);
    let inversions = report.lock_order.inversions(program.layout());
    let names = inversions.iter().map(|i| i.classes().collect::<Vec<_>>());
    names.map(|names| names.join(" ")).collect()
}

/// Takes the first lock, and the second under it.
fn nested(outer: usize, inner: usize) -> Vec<Op> {
    let inner = between(Op::Lock(inner), &[Op::Load(0)], Op::Unlock(inner));
    between(Op::Lock(outer), &inner, Op::Unlock(outer))
}

#[test]
fn one_task_that_takes_two_locks_in_both_orders_is_an_inversion_and_no_deadlock() {
    let both = [nested(0, 1), nested(1, 0)].concat();
    let (_, report) = of(vec![both.clone()]);
    assert!(report.finals.keys().all(|end| end.deadlock.is_none()));
    assert_eq!(cycles(vec![both]), ["lock0 lock1"]);
}

#[test]
fn a_third_lock_around_both_orders_ends_the_deadlock_and_not_the_inversion() {
    let guarded = |a, b| between(Op::Lock(2), &nested(a, b), Op::Unlock(2));
    let tasks = vec![guarded(0, 1), guarded(1, 0)];
    let (_, report) = of(tasks.clone());
    assert!(report.finals.keys().all(|end| end.deadlock.is_none()));
    assert_eq!(cycles(tasks), ["lock0 lock1"]);
}

#[test]
fn a_deadlock_is_an_inversion_too() {
    let tasks = vec![nested(0, 1), nested(1, 0)];
    let (_, report) = of(tasks.clone());
    assert!(report.finals.keys().any(|end| end.deadlock.is_some()));
    assert_eq!(cycles(tasks), ["lock0 lock1"]);
}

#[test]
fn a_lock_that_is_waited_for_by_its_own_holder_is_recursive() {
    assert_eq!(cycles(vec![nested(0, 0)]), ["lock0"]);
}

#[test]
fn a_cycle_of_three_is_found_once() {
    let tasks = vec![nested(2, 0), nested(0, 1), nested(1, 2)];
    assert_eq!(cycles(tasks), ["lock0 lock1 lock2"]);
}

#[test]
fn one_order_is_no_inversion() {
    let tasks = vec![nested(0, 1), nested(0, 1), nested(1, 2)];
    assert!(cycles(tasks).is_empty());
}

/// Nobody waits for a lock that he tries, but whoever has it may wait for others.
#[test]
fn an_edge_leads_from_a_tried_lock_and_none_to_it() {
    let tries = |outer: usize, inner: usize| {
        let trying = vec![Op::TryLockOrSkip(inner, 2), Op::Load(0), Op::Unlock(inner)];
        between(Op::Lock(outer), &trying, Op::Unlock(outer))
    };
    assert!(cycles(vec![nested(0, 1), tries(1, 0)]).is_empty());
    let from_tried = vec![
        Op::TryLockOrSkip(0, 4),
        Op::Lock(1),
        Op::Load(0),
        Op::Unlock(1),
        Op::Unlock(0),
    ];
    assert_eq!(cycles(vec![nested(1, 0), from_tried]), ["lock0 lock1"]);
}

/// lockdep reports readers in a cycle: one waits for a writer that waits for another.
#[test]
fn readers_in_a_cycle_are_an_inversion() {
    let first = between(
        Op::DownRead,
        &[Op::Lock(0), Op::Load(0), Op::Unlock(0)],
        Op::UpRead,
    );
    let second = between(Op::Lock(0), &[Op::DownRead, Op::UpRead], Op::Unlock(0));
    assert_eq!(cycles(vec![first, second]), ["lock0 sem"]);
}

/// A waiting task has asked for the lock, though it never gets it.
#[test]
fn a_lock_that_is_never_got_has_its_edge() {
    let dies = vec![Op::Lock(1), Op::Oops];
    let (_, report) = of(vec![dies, nested(0, 1)]);
    assert_eq!(pairs(&report.lock_order), [(0, 1)].into());
}

fn pairs(order: &LockOrder) -> BTreeSet<(u32, u32)> {
    let pair = |edge: &checker::engine::lock_order::Edge| (edge.outer.lock.0, edge.inner.lock.0);
    order.edges().map(|(edge, _)| pair(edge)).collect()
}

/// The pairs that stand in the text of a task, whether it comes there or not.
fn written(ops: &[Op], sem: u32) -> BTreeSet<(u32, u32)> {
    let mut held: Vec<u32> = vec![];
    let mut pairs = BTreeSet::new();
    for op in ops {
        match *op {
            Op::Lock(l) => {
                pairs.extend(held.iter().map(|h| (*h, l as u32)));
                held.push(l as u32);
            }
            Op::DownRead | Op::DownWrite => {
                pairs.extend(held.iter().map(|h| (*h, sem)));
                held.push(sem);
            }
            Op::TryLockOrSkip(l, _) => held.push(l as u32),
            Op::Unlock(l) => held.retain(|h| *h != l as u32),
            Op::UpRead | Op::UpWrite => held.retain(|h| *h != sem),
            _ => {}
        }
    }
    pairs
}

/// Against the text of random programs, which knows of no engine: nothing is made up, and where
/// every task comes to its end in every run nothing is missing.
#[test]
fn the_order_is_that_of_the_text() {
    let exact = std::cell::Cell::new(0);
    random::check(1024, |program| {
        let report = explored(program, |_| {});
        let sem = random::LOCKS as u32;
        let text: BTreeSet<_> = program
            .tasks()
            .iter()
            .flat_map(|ops| written(ops, sem))
            .collect();
        let found = pairs(&report.lock_order);
        prop_assert!(found.is_subset(&text), "{found:?} {text:?}");
        let ops = || program.tasks().iter().flatten();
        let may_stop = ops().any(|op| {
            use Op::{GroupWait, Oops, TryLockOrSkip, WaitUntil, Work};
            matches!(
                op,
                Oops | WaitUntil(..) | GroupWait | TryLockOrSkip(..) | Work(..)
            )
        });
        let all_end = report.finals.keys().all(|end| end.deadlock.is_none());
        if !may_stop && all_end && !text.is_empty() {
            exact.set(exact.get() + 1);
            prop_assert_eq!(&found, &text);
        }
        Ok(())
    });
    assert!(exact.get() >= 25, "{} programs to the edge", exact.get());
}

type Switch = fn(&mut Options);

#[test]
fn no_reduction_and_no_worker_changes_the_order() {
    let compared = std::cell::Cell::new(0);
    random::check(256, |program| {
        let expected = explored(program, |_| {});
        prop_assert_eq!(&expected.complete, &Complete::Yes);
        let switches: [(&str, Switch); 9] = [
            ("merge", |o| o.merge = false),
            ("lock-aware", |o| o.lock_aware = false),
            ("checkpoints", |o| o.checkpoints = false),
            ("transactions", |o| o.transactions = false),
            ("persistent sets", |o| o.persistent_sets = false),
            ("live variables", |o| o.live_variables = false),
            ("automaton", |o| o.automaton = false),
            ("all", |o| {
                (o.merge, o.lock_aware, o.checkpoints, o.automaton) = (false, false, false, false);
            }),
            ("workers", |o| (o.workers, o.share_after) = (3, 0)),
        ];
        for (name, switch) in switches {
            let other = explored(program, switch);
            if other.complete == Complete::Yes {
                compared.set(compared.get() + usize::from(!expected.lock_order.is_empty()));
                prop_assert_eq!(&other.lock_order, &expected.lock_order, "{}", name);
            }
        }
        Ok(())
    });
    assert!(compared.get() >= 200, "{} comparisons", compared.get());
}

/// What nobody but weak memory shows may lead to more, and never to less.
#[test]
fn weak_memory_has_all_edges() {
    random::check(64, |program| {
        let strong = explored(program, |_| {});
        let options = Options {
            max_states: 30_000,
            weak_memory: true,
            ..Options::default()
        };
        let weak = explore(program, &options);
        if weak.complete == Complete::Yes {
            let (strong, weak) = (pairs(&strong.lock_order), pairs(&weak.lock_order));
            prop_assert!(strong.is_subset(&weak), "{strong:?} {weak:?}");
        }
        Ok(())
    });
}

/// A device's lock and its group's, each of two instances, and what the set-up takes.
#[derive(Debug)]
struct Board {
    layout: Layout,
    devices: [Mutex; 2],
    groups: [Mutex; 2],
    sem: RwSem,
}

impl Board {
    fn new() -> Self {
        let mut layout = Layout::new();
        let l = &mut layout;
        let device = |l: &mut Layout, n: &str| Mutex::new(l, n, "&dev->mutex").told_apart(l);
        let devices = [device(l, "a"), device(l, "b")];
        let groups = ["a", "b"].map(|n| Mutex::new(l, n, "&group->mutex"));
        let sem = RwSem::new(l, "", "sem");
        Self {
            layout,
            devices,
            groups,
            sem,
        }
    }
}

impl Model for Board {
    type Outcome = ();

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        task::call("initcall", 0, String::new, || {
            self.sem.down_read();
            task::part("of a call", 1, || self.groups[0].lock());
            self.groups[0].unlock();
            self.sem.up_read();
        });
        task::spawn(Entry { kind: 0, arg: 0 });
    }

    fn run(&self, _: Entry) {
        task::call("probe", 0, String::new, || {
            for (outer, inner) in [self.devices, self.groups].map(|[a, b]| (a, b)) {
                task::call("take", 0, String::new, || outer.lock());
                inner.lock();
                inner.unlock();
                outer.unlock();
            }
        });
    }

    fn outcome(&self) {}

    fn task_name(&self, _: Entry) -> String {
        String::from("P0")
    }
}

/// From one group's lock to another's is from the class to itself; from one device's to another's
/// is not. The set-up is part of it, and parts of calls are not.
#[test]
fn classes_sites_and_the_set_up() {
    let model = Arc::new(Board::new());
    let report = explore(&model, &Options::default());
    let order = &report.lock_order;
    let said: Vec<String> = order
        .edges()
        .map(|(edge, taken)| {
            let name = |lock: LockId| model.layout.lock_name(lock);
            let (outer, inner) = (edge.outer, edge.inner);
            format!(
                "{} ({:?}, {}) {} ({:?}, {}) {:?} {:?}",
                name(outer.lock),
                outer.mode,
                outer.function,
                name(inner.lock),
                inner.mode,
                inner.function,
                taken.calls,
                taken.by.map(|e| e.kind)
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "a: &dev->mutex (Exclusive, take) b: &dev->mutex (Exclusive, probe) [\"probe\"] Some(0)",
            "a: &group->mutex (Exclusive, take) b: &group->mutex (Exclusive, probe) [\"probe\"] Some(0)",
            "sem (Shared, initcall) a: &group->mutex (Exclusive, initcall) [\"initcall\"] None",
        ]
    );
    let inversions = order.inversions(&model.layout);
    let classes: Vec<Vec<&str>> = inversions.iter().map(|i| i.classes().collect()).collect();
    assert_eq!(classes, [["&group->mutex"]]);
}
