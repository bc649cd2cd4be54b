//! The engines against each other: on small programs whose interleavings each can explore, on
//! random ones, and on a world with lists, workers, spawned tasks and an oops.

mod programs;

use checker::engine::exhaustive;
use checker::engine::loom::{self, Loads};
use checker::engine::marks::Marks;
use checker::engine::shuttle::{self, Scheduler};
use checker::model::Model;
use checker::outcome::{Complete, Final, Report};
use programs::{Op, Program};
use std::collections::BTreeSet;
use std::sync::Arc;

type Outcomes<M> = BTreeSet<Final<<M as Model>::Outcome>>;

fn exhaustive<M: Model>(model: &Arc<M>) -> Report<M::Outcome> {
    let report = exhaustive::explore(model, &exhaustive::Options::default());
    assert_eq!(report.complete, Complete::Yes);
    report
}

fn loom<M: Model>(model: &Arc<M>, marks: &Marks, loads: Loads) -> Report<M::Outcome> {
    let options = loom::Options {
        loads,
        ..loom::Options::new(marks.clone())
    };
    let report = loom::explore(model, &options).expect("loom explores it");
    assert_eq!(report.complete, Complete::Yes);
    report
}

fn shuttle<M: Model>(model: &Arc<M>, marks: &Marks, scheduler: Scheduler) -> Report<M::Outcome> {
    shuttle::explore(
        model,
        &shuttle::Options {
            marks: marks.clone(),
            scheduler,
        },
    )
}

const DFS: Scheduler = Scheduler::Dfs {
    max_iterations: None,
};
const RANDOM: Scheduler = Scheduler::Random {
    iterations: 200,
    seed: 1,
};
const PCT: Scheduler = Scheduler::Pct {
    iterations: 200,
    depth: 3,
    seed: 1,
};

/// All engines on one model; gives the outcomes that loom adds under weak memory.
fn agree<M: Model>(name: &str, model: M) -> Vec<Final<M::Outcome>> {
    let model = Arc::new(model);
    let base = exhaustive(&model);
    let expected = base.outcomes();
    let marks = &base.marks;
    let sequential = loom(&model, marks, Loads::ReadModifyWrite);
    let weak = loom(&model, marks, Loads::Load);
    let dfs = shuttle(&model, marks, DFS);
    println!(
        "{name}: {} outcomes; executions: loom {}, loom weak {}, shuttle DFS {}",
        expected.len(),
        sequential.executions,
        weak.executions,
        dfs.executions
    );
    assert_eq!(
        sequential.outcomes(),
        expected,
        "{name}: loom with read-modify-writes"
    );
    assert_eq!(dfs.complete, Complete::Yes);
    assert_eq!(dfs.outcomes(), expected, "{name}: shuttle, depth first");
    sampled(name, &model, marks, &expected);
    let weak: Outcomes<M> = weak.outcomes();
    assert!(
        weak.is_superset(&expected),
        "{name}: loom with loads: {weak:?}, not {expected:?}"
    );
    weak.difference(&expected).cloned().collect()
}

fn sampled<M: Model>(name: &str, model: &Arc<M>, marks: &Marks, expected: &Outcomes<M>) {
    for scheduler in [RANDOM, PCT] {
        let report = shuttle(model, marks, scheduler);
        let outcomes = report.outcomes();
        assert!(
            outcomes.is_subset(expected),
            "{name}: {scheduler:?} gives {outcomes:?}"
        );
        let again = shuttle(model, marks, scheduler);
        assert_eq!(
            outcomes,
            again.outcomes(),
            "{name}: a seed fixes everything"
        );
    }
}

fn program(fields: usize, locks: usize, tasks: &[&[Op]]) -> Program {
    Program::new(fields, locks, tasks.iter().map(|t| t.to_vec()).collect())
}

/// Store, then load the other field, and publish what was seen.
const LEFT: &[Op] = &[Op::Store(0, 1), Op::Load(1), Op::StoreLastPlus(2, 0)];
const RIGHT: &[Op] = &[Op::Store(1, 1), Op::Load(0), Op::StoreLastPlus(3, 0)];
const INCREMENT: &[Op] = &[Op::Load(0), Op::StoreLastPlus(0, 1)];
const LOCKED_INCREMENT: &[Op] = &[
    Op::Lock(0),
    Op::Load(0),
    Op::StoreLastPlus(0, 1),
    Op::Unlock(0),
];
const AB: &[Op] = &[Op::Lock(0), Op::Lock(1), Op::Unlock(1), Op::Unlock(0)];
const BA: &[Op] = &[Op::Lock(1), Op::Lock(0), Op::Unlock(0), Op::Unlock(1)];
const TRIES: &[Op] = &[Op::TryLockOrSkip(0, 2), Op::Store(0, 1), Op::Unlock(0)];

#[test]
fn the_engines_agree_on_small_programs() {
    let cases = [
        ("nothing", program(1, 0, &[])),
        ("lost update", program(1, 0, &[INCREMENT, INCREMENT])),
        (
            "lost update of three",
            program(1, 0, &[INCREMENT, INCREMENT, INCREMENT]),
        ),
        (
            "locked update",
            program(1, 1, &[LOCKED_INCREMENT, LOCKED_INCREMENT]),
        ),
        (
            "locked and unlocked update",
            program(1, 1, &[LOCKED_INCREMENT, INCREMENT]),
        ),
        ("abba", program(0, 2, &[AB, BA])),
        (
            "abba and a third",
            program(
                1,
                2,
                &[AB, BA, &[Op::Lock(1), Op::Add(0, 1), Op::Unlock(1)]],
            ),
        ),
        ("own lock", program(0, 1, &[&[Op::Lock(0), Op::Lock(0)]])),
        (
            "wake-up",
            program(
                2,
                0,
                &[&[Op::WaitUntil(0, 1), Op::Store(1, 7)], &[Op::Store(0, 1)]],
            ),
        ),
        (
            "a wake-up that may be missed",
            program(
                2,
                0,
                &[
                    &[Op::WaitUntil(0, 1), Op::Store(1, 7)],
                    &[Op::Store(0, 1)],
                    &[Op::Store(0, 2)],
                ],
            ),
        ),
        (
            "wait for nobody",
            program(1, 0, &[&[Op::WaitUntil(0, 1)], &[Op::Add(0, 2)]]),
        ),
        (
            "try_lock",
            program(1, 1, &[&[Op::Lock(0), Op::Unlock(0)], TRIES]),
        ),
        (
            "try_lock by all",
            program(
                2,
                1,
                &[TRIES, TRIES, &[Op::Load(0), Op::StoreLastPlus(1, 3)]],
            ),
        ),
    ];
    for (name, case) in cases {
        let added = agree(name, case);
        assert!(added.is_empty(), "{name}: weak memory adds {added:?}");
    }
}

/// Found by the random programs: a try that finds the lock free once waited for it all the same,
/// and so was stuck behind a task that took it in between.
#[test]
fn a_try_lock_never_waits() {
    let holder = [Op::TryLockOrSkip(0, 2), Op::WaitUntil(0, 1), Op::Unlock(0)];
    let trier = [Op::TryLockOrSkip(0, 1), Op::Unlock(0)];
    let model = Arc::new(program(1, 1, &[&holder, &trier]));
    let deadlocks: Vec<String> = exhaustive(&model)
        .finals
        .keys()
        .filter_map(|f| f.deadlock.as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(deadlocks, ["P0 waits for x0"]);
}

/// Found by the random programs: with all operations as steps, the search learnt only on its way
/// that the lock is tried, and from there on its own schedules did not fit any more.
#[test]
fn dropping_a_tried_lock_is_a_step_from_the_start() {
    let takes = [Op::Lock(0), Op::Unlock(0)];
    let tries = [Op::Load(0), Op::TryLockOrSkip(0, 1), Op::Unlock(0)];
    let model = Arc::new(program(1, 1, &[&takes, &tries, &takes]));
    let options = exhaustive::Options {
        lock_aware: false,
        ..exhaustive::Options::default()
    };
    let all = exhaustive::explore(&model, &options);
    assert_eq!(all.outcomes(), exhaustive(&model).outcomes());
    for (end, schedule) in &all.finals {
        let trace = exhaustive::replay(&model, &all.marks, schedule);
        assert_eq!((trace.divergence, &trace.end), (None, end));
    }
}
