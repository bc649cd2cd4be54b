//! Random small programs.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test crate has it as a module, and uses a part of it"
)]

use super::programs::{Op, Program};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Arc;

pub const FIELDS: usize = 2;
pub const LOCKS: usize = 2;

/// Number of the task that is created later, if one is: the last.
const LATER: usize = 3;

/// Operations between a first and a last one, such as a lock and its unlock.
pub fn between(first: Op, inner: &[Op], last: Op) -> Vec<Op> {
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
        1 => Just(Op::Forget),
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

/// Two tasks that create the same third again and again, which tells what it has seen and then
/// forgets it.
fn repeated() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let field = || 0..FIELDS;
    let one = prop_oneof![
        3 => Just(vec![Op::Spawn(LATER)]),
        2 => field().prop_map(|f| vec![Op::Add(f, 1)]),
        1 => field().prop_map(|f| vec![Op::Load(f), Op::Tell, Op::Forget]),
        1 => (0..LOCKS, field()).prop_map(|(l, f)| between(Op::Lock(l), &[Op::Store(f, 2)], Op::Unlock(l))),
    ];
    let creates = vec(one, 2..4).prop_map(|pieces| pieces.concat());
    let later = (field(), 0..LOCKS, field(), 1..3u64).prop_map(|(seen, lock, field, n)| {
        let told = vec![Op::Load(seen), Op::Tell, Op::Forget];
        let does = between(
            Op::Lock(lock),
            &[Op::Load(field), Op::StoreLastPlus(field, n)],
            Op::Unlock(lock),
        );
        [told, does].concat()
    });
    let idle = Just(vec![Op::Work(0, 1)]);
    (creates.clone(), creates, idle, later).prop_map(|(a, b, c, later)| vec![a, b, c, later])
}

/// Two tasks that may queue work, and a worker that does it, twice at most. Of the work the last field
/// tells.
fn queued() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let other = |op: Op| match op {
        Op::Load(f) | Op::Store(f, _) | Op::StoreLastPlus(f, _) | Op::Add(f, _)
            if f == FIELDS - 1 =>
        {
            Op::Load(0)
        }
        Op::Spawn(_) | Op::Push(_) | Op::Pop | Op::WaitUntil(..) => Op::Load(0),
        op => op,
    };
    let part = move || piece().prop_map(move |ops| ops.into_iter().map(other).collect::<Vec<_>>());
    let task = move || vec(part(), 1..3).prop_map(|parts| parts.concat());
    let queues = move || {
        let queue = Just(vec![Op::Queue(FIELDS - 1)]);
        (part(), queue, part()).prop_map(|(a, queue, b)| [a, queue, b].concat())
    };
    let works = (task(), any::<bool>()).prop_map(|(ops, twice)| {
        let once = [&[Op::Dequeue(FIELDS - 1)], &ops[..]].concat();
        if twice {
            [once.clone(), once].concat()
        } else {
            once
        }
    });
    (queues(), queues(), works).prop_map(|(a, b, works)| vec![a, b, works])
}

/// Programs with smp_mb() and updates that are fully ordered.
fn fully_ordered() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let ordered = |op: Op| match op {
        Op::Add(f, v) => Op::FetchAdd(f, v),
        Op::StoreLastPlus(f, 1) => Op::FetchAdd(f, 2),
        Op::StoreLastPlus(..) | Op::Push(_) | Op::Pop | Op::GroupWait | Op::Forget => Op::Mb,
        op => op,
    };
    tasks().prop_map(move |tasks| {
        let tasks = tasks.into_iter();
        tasks
            .map(|ops| ops.into_iter().map(ordered).collect())
            .collect()
    })
}

/// A task that goes round, and one that may end it.
fn round() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let again = (0..FIELDS, 1..3u64).prop_map(|(f, v)| Op::AgainUnless(f, v));
    let pieces = vec(piece(), 1..3).prop_map(|pieces| pieces.concat());
    let is_bounded = |op: &Op| {
        !matches!(
            op,
            Op::Push(_) | Op::Spawn(_) | Op::Add(..) | Op::StoreLastPlus(..)
        )
    };
    let goes = (pieces, again).prop_map(|(ops, again)| [ops, vec![again]].concat());
    (goes, task())
        .prop_filter("there is an end of states", move |(goes, ends)| {
            goes.iter().chain(ends).all(is_bounded)
        })
        .prop_map(|(goes, ends)| vec![goes, ends])
}

fn program(tasks: Vec<Vec<Op>>) -> Program {
    let initial = tasks.len().min(LATER);
    Program::new(FIELDS, LOCKS, tasks).with_initial_tasks(initial)
}

/// Runs a test on so many programs, always the same.
pub fn check(cases: u32, test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>) {
    run(cases, tasks(), test);
}

/// The same with programs in which one task is created several times.
pub fn check_repeated(cases: u32, test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>) {
    run(cases, repeated(), test);
}

/// The same with programs in which much is fully ordered.
pub fn check_fully_ordered(cases: u32, test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>) {
    run(cases, fully_ordered(), test);
}

/// The same with programs in which an idle worker does the work that others queue.
pub fn check_queued(cases: u32, test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>) {
    run(cases, queued(), test);
}

/// The same with two tasks: one goes round, the other may end that.
pub fn check_rounds(cases: u32, test: impl Fn(&[Op], &[Op]) -> Result<(), TestCaseError>) {
    run(cases, round(), |program| {
        test(&program.tasks()[0], &program.tasks()[1])
    });
}

fn run(
    cases: u32,
    tasks: impl Strategy<Value = Vec<Vec<Op>>>,
    test: impl Fn(&Arc<Program>) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&tasks, |tasks| test(&Arc::new(program(tasks))));
    if let Err(error) = result {
        panic!("{error}");
    }
}
