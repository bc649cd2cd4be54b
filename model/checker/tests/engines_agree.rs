//! The engines against each other: on small programs whose interleavings each can explore, on
//! random ones, and on a world with lists, workers, spawned tasks and an oops.

use crate::programs::{Op, Program};
use checker::engine::dpor;
use checker::engine::exhaustive;
use checker::engine::loom::{self, Loads};
use checker::engine::marks::Marks;
use checker::engine::shuttle::{self, Scheduler};
use checker::model::Model;
use checker::outcome::{Complete, Final, Report};
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

/// Source-DPOR gives the outcomes of the exhaustive engine, with schedules that lead to them;
/// how many executions it needs.
fn source_dpor<M: Model>(model: &Arc<M>, marks: &Marks) -> u64 {
    let found = dpor::explore(model, &dpor::Options::new(marks.clone())).report;
    assert_eq!(found.complete, Complete::Yes);
    assert_eq!(found.outcomes(), exhaustive(model).outcomes());
    for (end, schedule) in &found.finals {
        let trace = exhaustive::replay(model, marks, schedule);
        assert_eq!((trace.divergence, &trace.end), (None, end));
    }
    found.executions
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
    let by_source_sets = source_dpor(&model, marks);
    source_dpor(&model, &Marks::all(model.layout()));
    println!(
        "{name}: {} outcomes; executions: loom {}, loom weak {}, shuttle DFS {}, source-DPOR {}",
        expected.len(),
        sequential.executions,
        weak.executions,
        dfs.executions,
        by_source_sets,
    );
    assert!(
        by_source_sets <= dfs.executions,
        "{name}: source-DPOR reduces"
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

const READS: &[Op] = &[
    Op::DownRead,
    Op::Load(0),
    Op::UpRead,
    Op::StoreLastPlus(1, 0),
];
const READS_NOTHING: &[Op] = &[Op::DownRead, Op::UpRead];
const WRITES: &[Op] = &[Op::DownWrite, Op::Store(0, 1), Op::Store(0, 2), Op::UpWrite];

#[test]
fn the_engines_agree_on_fields_and_locks() {
    let cases = [
        ("nothing", program(1, 0, &[])),
        ("lost update", program(1, 0, &[INCREMENT, INCREMENT])),
        ("lost update of three", program(1, 0, &[INCREMENT; 3])),
        ("locked update", program(1, 1, &[LOCKED_INCREMENT; 2])),
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
        (
            "readers and a writer",
            program(2, 0, &[READS, READS, WRITES]),
        ),
        (
            "reader upgrades",
            program(
                0,
                0,
                &[&[Op::DownRead, Op::DownWrite, Op::UpWrite], READS_NOTHING],
            ),
        ),
    ];
    for (name, case) in cases {
        let added = agree(name, case);
        assert!(added.is_empty(), "{name}: weak memory adds {added:?}");
    }
}

#[test]
fn the_engines_agree_on_waiting_tasks_and_lists() {
    let spawns = [Op::Spawn(2), Op::Add(0, 1)];
    let dies: &[Op] = &[Op::Lock(0), Op::Add(0, 1), Op::Oops];
    let cases = [
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
            "a worker",
            program(
                3,
                0,
                &[
                    &[Op::Work(0, 1)],
                    &[Op::Add(0, 1), Op::Load(1), Op::StoreLastPlus(2, 0)],
                ],
            ),
        ),
        ("a worker without work", program(1, 0, &[&[Op::Work(0, 0)]])),
        (
            "spawned in a task",
            program(2, 0, &[&spawns, INCREMENT, INCREMENT]).with_initial_tasks(2),
        ),
        (
            "a list",
            program(
                1,
                0,
                &[
                    &[Op::Push(1)],
                    &[Op::Push(2)],
                    &[Op::Pop, Op::StoreLastPlus(0, 0)],
                ],
            ),
        ),
        (
            "an oops under a lock",
            program(2, 1, &[dies, LOCKED_INCREMENT]),
        ),
        (
            "an oops with nobody behind",
            program(2, 1, &[dies, &[Op::Add(0, 2)]]),
        ),
    ];
    for (name, case) in cases {
        let added = agree(name, case);
        assert!(added.is_empty(), "{name}: weak memory adds {added:?}");
    }
}

/// What stale loads add, by program; the last two fields are what the readers saw.
#[test]
fn weak_memory_adds_these_outcomes() {
    let seen = |name, case: Program| {
        let added = agree(name, case);
        added
            .iter()
            .map(|f| (f.outcome[2], f.outcome[3]))
            .collect::<BTreeSet<_>>()
    };
    let none = BTreeSet::new();
    let both_stale = BTreeSet::from([(0, 0)]);
    let store_buffering = program(4, 0, &[LEFT, RIGHT]);
    assert_eq!(seen("store buffering", store_buffering), both_stale);
    let writer = [Op::Store(0, 1), Op::Store(1, 1)];
    let reader = [
        Op::Load(1),
        Op::StoreLastPlus(2, 0),
        Op::Load(0),
        Op::StoreLastPlus(3, 0),
    ];
    let message_passing = program(4, 0, &[&writer, &reader]);
    assert_eq!(
        seen("message passing", message_passing),
        BTreeSet::from([(1, 0)])
    );
    let locked = |ops: &[Op]| [&[Op::Lock(0)], ops, &[Op::Unlock(0)]].concat();
    let under_lock = program(4, 1, &[&locked(&writer), &locked(&reader)]);
    assert_eq!(seen("message passing under a lock", under_lock), none);
    let one_locked = program(4, 1, &[&locked(&writer), &reader]);
    assert_eq!(
        seen("message passing, one side locked", one_locked),
        BTreeSet::from([(1, 0)])
    );
    let twice = [
        Op::Load(0),
        Op::StoreLastPlus(2, 0),
        Op::Load(0),
        Op::StoreLastPlus(3, 0),
    ];
    let coherence = program(4, 0, &[&[Op::Store(0, 1)], &twice]);
    assert_eq!(seen("coherence of reads", coherence), none);
}

#[test]
fn a_bound_of_loom_is_said_in_words() {
    let model = Arc::new(program(1, 0, &[INCREMENT; 3]));
    let marks = exhaustive(&model).marks;
    let options = loom::Options {
        preemption_bound: Some(1),
        ..loom::Options::new(marks.clone())
    };
    let report = loom::explore(&model, &options).unwrap();
    assert_eq!(
        report.complete.to_string(),
        "no (loom interrupted tasks at most 1 times in each execution)"
    );
    let options = loom::Options {
        max_executions: Some(3),
        ..loom::Options::new(marks)
    };
    let report = loom::explore(&model, &options).unwrap();
    assert_eq!(
        report.complete.to_string(),
        "no (loom was stopped after 3 executions)"
    );
    assert_eq!(report.executions, 3);
}

#[test]
fn samples_say_what_they_are() {
    let model = Arc::new(program(1, 0, &[INCREMENT; 3]));
    let marks = exhaustive(&model).marks;
    let complete = |scheduler| shuttle(&model, &marks, scheduler).complete.to_string();
    assert_eq!(complete(RANDOM), "no (200 executions with random choices)");
    assert_eq!(
        complete(PCT),
        "no (200 executions by PCT; each finds an outcome that needs 3 ordering constraints with \
         a probability of at least 1/(n*k^(d-1)) = 1/(3*5^2), n tasks, k choices)"
    );
    let bounded = Scheduler::Dfs {
        max_iterations: Some(10),
    };
    assert_eq!(
        complete(bounded),
        "no (stopped at the bound of 10 executions)"
    );
    assert_eq!(
        complete(Scheduler::Dfs {
            max_iterations: Some(90)
        }),
        "yes"
    );
    assert_eq!(
        complete(Scheduler::Dfs {
            max_iterations: Some(89)
        }),
        "no (stopped at the bound of 89 executions)"
    );
}

/// A limit of the model ends the exploration.
#[test]
fn a_limit_of_the_model_is_said() {
    let pushes = [
        Op::Push(1),
        Op::Push(2),
        Op::Push(3),
        Op::Push(4),
        Op::Push(5),
    ];
    let model = Arc::new(program(0, 0, &[&pushes, &pushes]));
    let expected = exhaustive::explore(&model, &exhaustive::Options::default());
    let text = "no (a list of the model holds at most 8 elements)";
    assert_eq!(expected.complete.to_string(), text);
    let report = loom::explore(&model, &loom::Options::new(expected.marks.clone())).unwrap();
    assert_eq!(report.complete.to_string(), text);
    assert_eq!(
        shuttle(&model, &expected.marks, DFS).complete.to_string(),
        text
    );
}

/// The engine of a system thread is gone after an exploration, also after one that failed.
#[test]
fn nothing_is_left_behind() {
    let model = Arc::new(program(1, 0, &[INCREMENT; 5]));
    let marks = exhaustive(&model).marks;
    assert!(loom::explore(&model, &loom::Options::new(marks)).is_err());
    assert!(!checker::backend::is_active());
    let broken = Arc::new(program(1, 1, &[&[Op::Lock(0)], &[Op::Add(0, 1)]]));
    let options = loom::Options::new(Marks::all(broken.layout()));
    let error = loom::explore(&broken, &options).unwrap_err();
    assert_eq!(error.to_string(), "loom: a task ended with a lock held");
    assert!(!checker::backend::is_active());
    let small = Arc::new(program(1, 0, &[INCREMENT, INCREMENT]));
    assert_eq!(
        loom(&small, &exhaustive(&small).marks, Loads::Load)
            .finals
            .len(),
        2
    );
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
