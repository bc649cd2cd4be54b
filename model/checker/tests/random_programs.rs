//! Random small programs: every reduction of the exhaustive engine leaves the outcome set as it
//! is, and shuttle and loom, which share no code with it, find the same.

mod programs;

use checker::engine::exhaustive;
use checker::engine::loom::{self, Loads};
use checker::engine::shuttle::{self, Scheduler};
use checker::outcome::{Complete, Report};
use programs::{Op, Program};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Arc;

const CASES: u32 = 64;
const FIELDS: usize = 2;
const LOCKS: usize = 2;

/// A piece of a task: one operation, or some under a lock.
#[derive(Clone, Debug)]
enum Piece {
    One(Op),
    Locked(usize, Vec<Op>),
    /// Skips all if the lock is held.
    Tried(usize, Vec<Op>),
    /// One lock inside another.
    Nested(usize, usize, Op),
}

fn flatten(pieces: Vec<Piece>) -> Vec<Op> {
    let mut ops = vec![];
    for piece in pieces {
        match piece {
            Piece::One(op) => ops.push(op),
            Piece::Locked(lock, inner) => {
                ops.push(Op::Lock(lock));
                ops.extend(inner);
                ops.push(Op::Unlock(lock));
            }
            Piece::Tried(lock, inner) => {
                ops.push(Op::TryLockOrSkip(lock, inner.len() + 1));
                ops.extend(inner);
                ops.push(Op::Unlock(lock));
            }
            Piece::Nested(outer, inner, op) => {
                let unlock = [Op::Unlock(inner), Op::Unlock(outer)];
                ops.extend([Op::Lock(outer), Op::Lock(inner), op]);
                ops.extend(unlock);
            }
        }
    }
    ops
}

fn op() -> impl Strategy<Value = Op> {
    let field = 0..FIELDS;
    prop_oneof![
        3 => field.clone().prop_map(Op::Load),
        3 => (field.clone(), 1..3u64).prop_map(|(f, v)| Op::Store(f, v)),
        3 => (field.clone(), 1..3u64).prop_map(|(f, v)| Op::StoreLastPlus(f, v)),
        2 => field.clone().prop_map(|f| Op::Add(f, 1)),
        1 => (field, 1..3u64).prop_map(|(f, v)| Op::WaitUntil(f, v)),
    ]
}

fn piece() -> impl Strategy<Value = Piece> {
    let lock = 0..LOCKS;
    prop_oneof![
        4 => op().prop_map(Piece::One),
        3 => (lock.clone(), vec(op(), 0..3)).prop_map(|(l, inner)| Piece::Locked(l, inner)),
        1 => (lock.clone(), vec(op(), 0..3)).prop_map(|(l, inner)| Piece::Tried(l, inner)),
        1 => (lock.clone(), lock, op()).prop_map(|(a, b, op)| Piece::Nested(a, b, op)),
    ]
}

fn tasks() -> impl Strategy<Value = Vec<Vec<Op>>> {
    vec(
        vec(piece(), 1..4)
            .prop_map(flatten)
            .prop_filter("short", |t| t.len() <= 6),
        2..4,
    )
}

fn check(test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&tasks(), |tasks| {
        test(&Arc::new(Program::new(FIELDS, LOCKS, tasks)))
    });
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
        same(
            "no state is merged",
            &expected,
            &searched(program, false, true),
        )?;
        same("neither", &expected, &searched(program, false, false))
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
        let found =
            loom::explore(program, &options).map_err(|e| TestCaseError::fail(e.to_string()))?;
        same("loom", &expected, &found)
    });
}
