//! Random small programs: every reduction of the exhaustive engine leaves the outcome set as it
//! is, and shuttle and loom, which share neither its search nor its world, find the same.

mod programs;

use checker::engine::dpor;
use checker::engine::exhaustive;
use checker::engine::loom::{self, Loads, LoomError};
use checker::engine::marks::Marks;
use checker::engine::shuttle::{self, Scheduler};
use checker::engine::weak;
use checker::model::Model;
use checker::outcome::{Complete, Report};
use programs::{Op, Program};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

const CASES: u32 = 256;
const FIELDS: usize = 2;
const LOCKS: usize = 2;

/// Number of the task that is created later, if one is: the last.
const LATER: usize = 3;

/// Operations between a first and a last one, such as a lock and its unlock.
fn between(first: Op, inner: &[Op], last: Op) -> Vec<Op> {
    [&[first], inner, &[last]].concat()
}

fn op() -> impl Strategy<Value = Op> {
    let field = 0..FIELDS;
    prop_oneof![
        6 => field.clone().prop_map(Op::Load),
        6 => (field.clone(), 1..3u64).prop_map(|(f, v)| Op::Store(f, v)),
        6 => (field.clone(), 1..3u64).prop_map(|(f, v)| Op::StoreLastPlus(f, v)),
        4 => field.clone().prop_map(|f| Op::Add(f, 1)),
        2 => (field, 1..3u64).prop_map(|(f, v)| Op::WaitUntil(f, v)),
        1 => (1..3u64).prop_map(Op::Push),
        1 => Just(Op::Pop),
        1 => Just(Op::GroupWait),
        1 => Just(Op::Spawn(LATER)),
        1 => Just(Op::Oops),
    ]
}

/// One operation, or some under a lock; two locks may be the same one.
fn piece() -> impl Strategy<Value = Vec<Op>> {
    let lock = 0..LOCKS;
    let inner = || vec(op(), 0..3);
    prop_oneof![
        8 => op().prop_map(|op| vec![op]),
        6 => (lock.clone(), inner()).prop_map(|(l, i)| between(Op::Lock(l), &i, Op::Unlock(l))),
        2 => (lock.clone(), inner())
            .prop_map(|(l, i)| between(Op::TryLockOrSkip(l, i.len() + 1), &i, Op::Unlock(l))),
        1 => inner().prop_map(|i| between(Op::DownRead, &i, Op::UpRead)),
        1 => inner().prop_map(|i| between(Op::DownWrite, &i, Op::UpWrite)),
        1 => inner().prop_map(|i| between(Op::GroupAdd, &i, Op::GroupDone)),
        2 => (lock.clone(), lock, op()).prop_map(|(a, b, op)| {
            between(Op::Lock(a), &between(Op::Lock(b), &[op], Op::Unlock(b)), Op::Unlock(a))
        }),
    ]
}

fn task() -> impl Strategy<Value = Vec<Op>> {
    let task = vec(piece(), 1..4).prop_map(|pieces| pieces.concat());
    task.prop_filter("a task is short", |ops| ops.len() <= 6)
}

/// A task without much to do, for programs of many.
fn small_task() -> impl Strategy<Value = Vec<Op>> {
    prop_oneof![
        2 => op().prop_map(|op| vec![op]),
        1 => Just(vec![Op::Work(0, 1)]),
    ]
}

fn tasks() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let tasks =
        (vec(task(), 2..4), small_task(), small_task()).prop_map(|(tasks, third, later)| {
            let mut all = tasks;
            let spawns = |op: &Op| matches!(op, Op::Spawn(_));
            if all.iter().flatten().any(spawns) {
                all.resize(LATER, third);
                all.push(later);
                all[LATER].retain(|op| !spawns(op));
            }
            all
        });
    tasks.prop_filter("the list holds 8 elements", |tasks| {
        tasks
            .iter()
            .flatten()
            .filter(|op| matches!(op, Op::Push(_)))
            .count()
            <= 8
    })
}

fn program(tasks: Vec<Vec<Op>>) -> Program {
    let initial = tasks.len().min(LATER);
    Program::new(FIELDS, LOCKS, tasks).with_initial_tasks(initial)
}

fn check(test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&tasks(), |tasks| test(&Arc::new(program(tasks))));
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn searched(program: &Arc<Program>, merge: bool, lock_aware: bool) -> Report<Vec<u64>> {
    let options = exhaustive::Options {
        merge,
        lock_aware,
        checkpoints: merge,
        max_states: 30_000,
        ..exhaustive::Options::default()
    };
    exhaustive::explore(program, &options)
}

/// The outcome set is the same, or a part of it if the other engine hit its bound.
fn same(
    what: &str,
    expected: &Report<Vec<u64>>,
    other: &Report<Vec<u64>>,
) -> Result<(), TestCaseError> {
    if other.complete == Complete::Yes {
        prop_assert_eq!(other.outcomes(), expected.outcomes(), "{}", what);
    } else {
        prop_assert!(other.outcomes().is_subset(&expected.outcomes()), "{}", what);
    }
    Ok(())
}

#[test]
fn no_reduction_changes_the_outcomes() {
    check(|program| {
        let expected = searched(program, true, true);
        prop_assert_eq!(&expected.complete, &Complete::Yes);
        same(
            "every operation is a step",
            &expected,
            &searched(program, true, false),
        )?;
        let unmerged = searched(program, false, true);
        if unmerged.complete == Complete::Yes {
            let all = explored(program, |o| o.persistent_sets = false);
            prop_assert_eq!(unmerged.interleavings, all.interleavings);
        }
        same("no state is merged", &expected, &unmerged)?;
        same("neither", &expected, &searched(program, false, false))
    });
}

#[test]
fn no_reduction_changes_the_data_races() {
    check(|program| {
        let program = Arc::new(Program::clone(program).with_plain_fields());
        let races = |merge, lock_aware| {
            let report = searched(&program, merge, lock_aware);
            let races = report.data_races.into_keys().collect::<BTreeSet<_>>();
            (report.complete == Complete::Yes).then_some(races)
        };
        let expected = races(true, true);
        let all = explored(&program, |o| o.persistent_sets = false);
        let all = all.data_races.into_keys().collect::<BTreeSet<_>>();
        prop_assert_eq!(&Some(all), &expected, "persistent sets");
        for (merge, lock_aware) in [(true, false), (false, true)] {
            let found = races(merge, lock_aware);
            if found.is_some() {
                prop_assert_eq!(
                    &found,
                    &expected,
                    "merge {}, lock aware {}",
                    merge,
                    lock_aware
                );
            }
        }
        Ok(())
    });
}

fn explored(
    program: &Arc<Program>,
    change: impl FnOnce(&mut exhaustive::Options),
) -> Report<Vec<u64>> {
    let mut options = exhaustive::Options::default();
    change(&mut options);
    exhaustive::explore(program, &options)
}

/// To run each step and to know what it does is the same, to the last count; and so is to go back
/// to a state by a snapshot or by a replay.
#[test]
fn the_automaton_does_what_the_tasks_do() {
    check(|program| {
        let by_automaton = explored(program, |o| o.persistent_sets = false);
        let by_snapshot = explored(program, |o| o.automaton = false);
        let by_replay = explored(program, |o| {
            o.automaton = false;
            o.snapshots = false;
        });
        let counts = |r: &Report<Vec<u64>>| (r.states, r.interleavings);
        for other in [&by_snapshot, &by_replay] {
            prop_assert_eq!(&by_automaton.outcomes(), &other.outcomes());
            prop_assert_eq!(&by_automaton.marks, &other.marks);
            prop_assert_eq!(counts(&by_automaton), counts(other));
        }
        Ok(())
    });
}

/// Everything in the report is the same however many workers there are.
#[test]
fn the_number_of_workers_changes_nothing() {
    check(|program| {
        let of = |workers| {
            let report = explored(program, |o| {
                o.workers = workers;
                o.share_after = 0;
            });
            (
                report.finals,
                report.data_races,
                report.states,
                report.interleavings,
                report.depth,
                report.marks,
            )
        };
        let one = of(1);
        for workers in [2, 3] {
            prop_assert_eq!(&of(workers), &one);
        }
        Ok(())
    });
}

/// An outcome's schedule leads to it.
#[test]
fn every_schedule_replays() {
    check(|program| {
        for (merge, lock_aware) in [(true, true), (true, false)] {
            let report = searched(program, merge, lock_aware);
            for (end, schedule) in &report.finals {
                let trace = exhaustive::replay(program, &report.marks, schedule);
                prop_assert_eq!(&trace.divergence, &None);
                prop_assert_eq!(&trace.end, end);
            }
        }
        Ok(())
    });
}

#[test]
fn shuttle_finds_the_same() {
    check(|program| {
        let expected = searched(program, true, true);
        for (scheduler, what) in [
            (
                Scheduler::Dfs {
                    max_iterations: Some(2_000),
                },
                "shuttle, depth first",
            ),
            (
                Scheduler::Pct {
                    iterations: 50,
                    depth: 3,
                    seed: 7,
                },
                "shuttle, PCT",
            ),
            (
                Scheduler::Random {
                    iterations: 50,
                    seed: 7,
                },
                "shuttle, random",
            ),
        ] {
            let marks = expected.marks.clone();
            let found = shuttle::explore(program, &shuttle::Options { marks, scheduler });
            same(what, &expected, &found)?;
        }
        Ok(())
    });
}

#[test]
fn loom_finds_the_same_under_sequential_consistency() {
    check(|program| {
        let expected = searched(program, true, true);
        let options = loom::Options {
            loads: Loads::ReadModifyWrite,
            max_executions: Some(2_000),
            ..loom::Options::new(expected.marks.clone())
        };
        match loom::explore(program, &options) {
            Ok(found) => same("loom", &expected, &found),
            Err(LoomError::TooManyTasks { .. }) => Ok(()),
            Err(error) => Err(TestCaseError::fail(error.to_string())),
        }
    });
}

/// Source-DPOR with every operation as a step rests on no reduction of the exhaustive engine's;
/// with the marks it has the same steps, and so its schedules fit.
#[test]
fn source_dpor_finds_the_same() {
    check(|program| {
        let expected = searched(program, true, true);
        for marks in [expected.marks.clone(), Marks::all(program.layout())] {
            let options = dpor::Options {
                max_executions: Some(5_000),
                ..dpor::Options::new(marks.clone())
            };
            let found = dpor::explore(program, &options).report;
            same("source-DPOR", &expected, &found)?;
            for (end, schedule) in &found.finals {
                let trace = exhaustive::replay(program, &marks, schedule);
                prop_assert_eq!(&trace.divergence, &None);
                prop_assert_eq!(&trace.end, end);
            }
        }
        Ok(())
    });
}

#[test]
fn source_dpor_finds_the_same_data_races() {
    check(|program| {
        let program = Arc::new(Program::clone(program).with_plain_fields());
        let expected = searched(&program, true, true);
        let options = dpor::Options {
            max_executions: Some(5_000),
            ..dpor::Options::new(expected.marks.clone())
        };
        let found = dpor::explore(&program, &options).report;
        let races = |r: &Report<Vec<u64>>| r.data_races.keys().cloned().collect::<BTreeSet<_>>();
        if found.complete == Complete::Yes {
            prop_assert_eq!(races(&found), races(&expected));
        }
        Ok(())
    });
}

fn weak(program: &Arc<Program>, lock_aware: bool) -> Report<Vec<u64>> {
    let options = exhaustive::Options {
        lock_aware,
        max_states: 20_000,
        ..exhaustive::Options::default()
    };
    weak::explore(program, &options, &mut |_| exhaustive::Go::On)
}

/// Weak memory only adds outcomes, whatever is a step; each has a schedule that leads to it.
#[test]
fn weak_memory_loses_no_outcome_and_its_reduction_none() {
    let (complete, more) = (Cell::new(0), Cell::new(0));
    check(|program| {
        let report = weak(program, true);
        for (end, schedule) in &report.finals {
            let trace = weak::replay(program, &report.marks, schedule);
            prop_assert_eq!(&trace.divergence, &None);
            prop_assert_eq!(&trace.end, end);
        }
        if report.complete == Complete::Yes {
            let expected = searched(program, true, true).outcomes();
            prop_assert!(report.outcomes().is_superset(&expected));
            same("every operation is a step", &report, &weak(program, false))?;
            complete.set(complete.get() + 1);
            more.set(more.get() + u32::from(report.outcomes() != expected));
        }
        Ok(())
    });
    assert!(complete.get() > CASES * 3 / 4, "{}", complete.get());
    assert!(more.get() > 0, "in some it adds an outcome");
}

/// Where every access is under one lock, there is nothing weak to see.
#[test]
fn weak_memory_adds_nothing_where_all_is_under_one_lock() {
    let is_access = |op: &Op| {
        matches!(
            op,
            Op::Load(_) | Op::Store(..) | Op::StoreLastPlus(..) | Op::Add(..)
        )
    };
    check(|program| {
        let tasks = program.tasks().iter().map(|ops| {
            let accesses = ops.iter().filter(|op| is_access(op)).cloned();
            let locked = accesses.map(|op| between(Op::Lock(0), &[op], Op::Unlock(0)));
            locked.collect::<Vec<_>>().concat()
        });
        let program = Arc::new(Program::new(FIELDS, LOCKS, tasks.collect()));
        let report = weak(&program, true);
        prop_assert_eq!(&report.complete, &Complete::Yes);
        let expected = searched(&program, true, true);
        prop_assert_eq!(report.outcomes(), expected.outcomes());
        Ok(())
    });
}
