//! What loom 0.7.2 does not find or does not allow, one test a hole. Each asserts the hole as it
//! is: if a new loom closes it, the test fails and says what to do.

use crate::programs::{Op, Program};
use checker::engine::exhaustive;
use checker::engine::loom::{self as engine, Loads, LoomError};
use loom::sync::atomic::{AtomicU64, Ordering, fence};
use loom::sync::{Arc as LoomArc, Mutex as LoomMutex};
use loom::thread;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

const CLOSED: &str = "loom has closed this hole: correct design.md and the docs of engine::loom";

fn explore<T: Ord + Send + 'static>(
    test: impl Fn() -> T + Send + Sync + 'static,
) -> (BTreeSet<T>, Option<String>) {
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let mut builder = loom::model::Builder::new();
    builder.max_threads = loom::MAX_THREADS;
    builder.max_branches = 1000;
    builder.preemption_bound = None;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    let into = outcomes.clone();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            let outcome = test();
            into.lock().unwrap().insert(outcome);
        });
    }));
    let text = ended.err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_default()
    });
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    (outcomes, text)
}

/// Runs two threads on two atomics; gives what they return.
fn two<T: Ord + Send + 'static>(
    left: impl Fn(&[AtomicU64; 2]) -> T + Send + Sync + 'static,
    right: impl Fn(&[AtomicU64; 2]) -> T + Send + Sync + 'static,
) -> BTreeSet<(T, T)> {
    let (left, right) = (Arc::new(left), Arc::new(right));
    let (outcomes, error) = explore(move || {
        let atomics = LoomArc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let (left, other, right) = (left.clone(), atomics.clone(), right.clone());
        let first = thread::spawn(move || left(&other));
        let second = thread::spawn(move || right(&atomics));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(error, None);
    outcomes
}

/// T1 reads `trig`, then `ready`. T2 sets `ready` and counts `trig` up under a lock that nobody
/// else takes. (1, 1) is sequentially consistent: T2 first, T1 after it.
///
/// Loom keeps one last access for each atomic. T2's load of `trig` comes between T1's load and
/// T2's store of it, and takes the place of T1's load as the access that the store depends on;
/// T1's load is never tried after the store. <https://github.com/tokio-rs/loom/issues/392>
#[test]
fn a_writer_that_loads_first_hides_the_load_of_another_thread() {
    let (outcomes, error) = explore(|| {
        let ready = LoomArc::new(AtomicU64::new(0));
        let trig = LoomArc::new(AtomicU64::new(0));
        let lock = LoomArc::new(LoomMutex::new(()));
        let (ready1, trig1) = (ready.clone(), trig.clone());
        let first = thread::spawn(move || {
            (
                trig1.load(Ordering::Relaxed),
                ready1.load(Ordering::Relaxed),
            )
        });
        let second = thread::spawn(move || {
            ready.store(1, Ordering::Relaxed);
            let _held = lock.lock().unwrap();
            let seen = trig.load(Ordering::Relaxed);
            trig.store(seen + 1, Ordering::Relaxed);
        });
        second.join().unwrap();
        first.join().unwrap()
    });
    assert_eq!(error, None);
    assert!(!outcomes.contains(&(1, 1)), "{CLOSED}");
}

/// The same program as a model: with loads as they are loom misses (1, 1), which the exhaustive
/// engine has, and with loads as read-modify-writes it has it too.
#[test]
fn read_modify_writes_avoid_the_hidden_load() {
    let reader = vec![
        Op::Load(0),
        Op::StoreLastPlus(2, 0),
        Op::Load(1),
        Op::StoreLastPlus(3, 0),
    ];
    let writer = vec![
        Op::Store(1, 1),
        Op::Lock(0),
        Op::Load(0),
        Op::StoreLastPlus(0, 1),
        Op::Unlock(0),
    ];
    let model = Arc::new(Program::new(4, 1, vec![reader, writer]));
    let expected = exhaustive::explore(&model, &exhaustive::Options::default());
    let seen = |loads| {
        let options = engine::Options {
            loads,
            ..engine::Options::new(expected.marks.clone())
        };
        let report = engine::explore(&model, &options).unwrap();
        report
            .finals
            .keys()
            .map(|f| (f.outcome[2], f.outcome[3]))
            .collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> = expected
        .finals
        .keys()
        .map(|f| (f.outcome[2], f.outcome[3]))
        .collect();
    assert!(all.contains(&(1, 1)));
    assert_eq!(seen(Loads::ReadModifyWrite), all);
    assert!(!seen(Loads::Load).contains(&(1, 1)), "{CLOSED}");
}

/// Dropping a lock is no scheduling point of loom, so nobody ever runs between taking a lock and
/// dropping it again if nothing else is in between.
#[test]
fn a_failing_try_lock_is_never_explored() {
    let (outcomes, error) = explore(|| {
        let lock = LoomArc::new(LoomMutex::new(()));
        let other = lock.clone();
        let holder = thread::spawn(move || drop(other.lock().unwrap()));
        let succeeded = lock.try_lock().is_ok();
        holder.join().unwrap();
        succeeded
    });
    assert_eq!(error, None);
    assert_eq!(outcomes, BTreeSet::from([true]), "{CLOSED}");
}

/// The engine makes its locks of atomics, and so has the failing try.
#[test]
fn the_engine_explores_a_failing_try_lock() {
    let holder = vec![Op::Lock(0), Op::Unlock(0)];
    let trier = vec![Op::TryLockOrSkip(0, 2), Op::Store(0, 1), Op::Unlock(0)];
    let model = Arc::new(Program::new(1, 1, vec![holder, trier]));
    let marks = exhaustive::explore(&model, &exhaustive::Options::default()).marks;
    let report = engine::explore(&model, &engine::Options::new(marks)).unwrap();
    let values: Vec<_> = report.finals.keys().map(|f| f.outcome[0]).collect();
    assert_eq!(values, [0, 1]);
}

/// Loom's main thread is one of the five.
#[test]
fn the_main_thread_counts() {
    let spawn = |threads: usize| {
        explore(move || {
            let all: Vec<_> = (0..threads).map(|_| thread::spawn(|| {})).collect();
            for thread in all {
                thread.join().unwrap();
            }
        })
    };
    assert_eq!(loom::MAX_THREADS, 5, "{CLOSED}");
    assert_eq!(spawn(4).1, None);
    let text = spawn(5).1.expect(CLOSED);
    assert!(
        text.contains("assertion failed: self.threads.len() < self.max()"),
        "{text}"
    );
}

/// The engine says it in words.
#[test]
fn the_engine_refuses_a_fifth_task() {
    let model = Arc::new(Program::new(1, 0, vec![vec![Op::Add(0, 1)]; 5]));
    let marks = exhaustive::explore(&model, &exhaustive::Options::default()).marks;
    let error = engine::explore(&model, &engine::Options::new(marks)).unwrap_err();
    assert_eq!(error, LoomError::TooManyTasks { most: 4 });
    assert_eq!(
        error.to_string(),
        "loom: this model has more than 4 tasks; loom has 5 threads, and its main thread is one of them"
    );
}

/// Store buffering with SeqCst accesses: C11 forbids (0, 0), loom shows it.
#[test]
fn sequentially_consistent_accesses_are_acquire_and_release() {
    let outcomes = two(
        |[x, y]| {
            x.store(1, Ordering::SeqCst);
            y.load(Ordering::SeqCst)
        },
        |[x, y]| {
            y.store(1, Ordering::SeqCst);
            x.load(Ordering::SeqCst)
        },
    );
    assert!(outcomes.contains(&(0, 0)), "{CLOSED}");
}

/// SeqCst fences do order store buffering: they are no part of the hole.
#[test]
fn sequentially_consistent_fences_order_store_buffering() {
    let outcomes = two(
        |[x, y]| {
            x.store(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            y.load(Ordering::Relaxed)
        },
        |[x, y]| {
            y.store(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            x.load(Ordering::Relaxed)
        },
    );
    assert_eq!(outcomes, BTreeSet::from([(0, 1), (1, 0), (1, 1)]));
}

/// Load buffering: C11 allows (1, 1) for relaxed accesses, and so does LKMM. Loom runs each
/// thread in program order and takes loads from stores that have been, so it never has it.
#[test]
fn a_load_is_never_from_a_later_store() {
    let outcomes = two(
        |[x, y]| {
            let seen = x.load(Ordering::Relaxed);
            y.store(1, Ordering::Relaxed);
            seen
        },
        |[x, y]| {
            let seen = y.load(Ordering::Relaxed);
            x.store(1, Ordering::Relaxed);
            seen
        },
    );
    assert_eq!(
        outcomes,
        BTreeSet::from([(0, 0), (0, 1), (1, 0)]),
        "{CLOSED}"
    );
}

/// A deadlock is a panic out of the whole exploration: the executions that would come after it,
/// here those in which the reader sees 1 or 2, are never seen. (With a guard of a lock or an `Arc`
/// of loom's on the stack it even aborts the process, since dropping that panics again.)
#[test]
fn the_first_deadlock_ends_the_run() {
    let (outcomes, error) = explore(|| {
        let x = Arc::new(AtomicU64::new(0));
        let other = x.clone();
        let reader = thread::spawn(move || {
            let seen = other.load(Ordering::Relaxed);
            if seen == 0 {
                thread::park();
            }
            seen
        });
        x.store(1, Ordering::Relaxed);
        x.store(2, Ordering::Relaxed);
        reader.join().unwrap()
    });
    let text = error.expect(CLOSED);
    assert!(text.starts_with("deadlock; threads = "), "{text}");
    assert!(outcomes.len() < 2, "{CLOSED}");
}

/// The engine sees a deadlock before loom does, records it, and goes on.
#[test]
fn the_engine_goes_on_after_a_deadlock() {
    let ab = vec![
        Op::Lock(0),
        Op::Lock(1),
        Op::Store(0, 1),
        Op::Unlock(1),
        Op::Unlock(0),
    ];
    let ba = vec![
        Op::Lock(1),
        Op::Lock(0),
        Op::Store(0, 2),
        Op::Unlock(0),
        Op::Unlock(1),
    ];
    let model = Arc::new(Program::new(1, 2, vec![ab, ba]));
    let expected = exhaustive::explore(&model, &exhaustive::Options::default());
    let options = engine::Options::new(expected.marks.clone());
    let report = engine::explore(&model, &options).unwrap();
    assert_eq!(report.outcomes(), expected.outcomes());
    assert_eq!(
        report
            .finals
            .keys()
            .filter(|f| f.deadlock.is_some())
            .count(),
        1
    );
    assert_eq!(
        report
            .finals
            .keys()
            .filter(|f| f.deadlock.is_none())
            .count(),
        2
    );
}
