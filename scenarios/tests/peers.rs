//! The scenario of the peer comparison (docs/peers.md) has the same outcomes under every peer, in
//! cases small enough for a test. `cargo bench -p scenarios --bench peers` has the large ones.

#[path = "../benches/peers/core.rs"]
mod scenario;
#[path = "../benches/peers/spin.rs"]
mod spin;
#[path = "../benches/peers/watch.rs"]
mod watch;

use checker::engine::marks::Marks;
use checker::engine::shuttle::Scheduler;
use checker::engine::{exhaustive, loom, shuttle};
use checker::outcome::{Complete, Report};
use scenario::{Case, Outcome, Registration};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// One client and two tasks, which loom and shuttle can explore to the end.
const SMALLEST: Case = case(1, 2);
/// These they cannot: what they find is a part.
const SMALL: [Case; 2] = [case(1, 3), case(2, 2)];

/// Seconds after which a verifier of SPIN's is stuck.
const STUCK: Duration = Duration::from_secs(60);

const fn case(clients: usize, tasks: usize) -> Case {
    Case { clients, tasks }
}

fn model(case: Case) -> Arc<Registration> {
    Arc::new(Registration::new(case))
}

fn exhaustive(case: Case) -> Report<Outcome> {
    let report = exhaustive::explore(&model(case), &exhaustive::Options::default());
    assert_eq!(report.complete, Complete::Yes, "{case}");
    assert!(report.finals.keys().all(|f| f.deadlock.is_none()), "{case}");
    report
}

fn loom(case: Case, marks: &Marks, preemption_bound: Option<usize>) -> Report<Outcome> {
    let options = loom::Options {
        preemption_bound,
        ..loom::Options::new(marks.clone())
    };
    loom::explore(&model(case), &options).expect("loom explores it")
}

fn shuttle(case: Case, marks: &Marks, max_iterations: Option<usize>) -> Report<Outcome> {
    let options = shuttle::Options {
        marks: marks.clone(),
        scheduler: Scheduler::Dfs { max_iterations },
    };
    shuttle::explore(&model(case), &options)
}

/// Every outcome as text, the form that SPIN gives too.
fn lines(report: &Report<Outcome>) -> BTreeSet<String> {
    report
        .finals
        .keys()
        .map(|f| f.outcome.to_string())
        .collect()
}

#[test]
fn what_can_end_agrees() {
    let ours = exhaustive(SMALLEST);
    let loom = loom(SMALLEST, &ours.marks, None);
    assert_eq!(loom.complete, Complete::Yes);
    assert_eq!(loom.outcomes(), ours.outcomes(), "loom");
    let shuttle = shuttle(SMALLEST, &ours.marks, None);
    assert_eq!(shuttle.complete, Complete::Yes);
    assert_eq!(shuttle.outcomes(), ours.outcomes(), "shuttle, depth first");
    println!(
        "{SMALLEST}: loom {}, shuttle {}",
        loom.executions, shuttle.executions
    );
}

#[test]
fn what_is_bounded_finds_a_part() {
    for case in SMALL {
        let ours = exhaustive(case);
        let loom = loom(case, &ours.marks, Some(3));
        assert!(loom.outcomes().is_subset(&ours.outcomes()), "{case}: loom");
        let shuttle = shuttle(case, &ours.marks, Some(20_000));
        let outcomes = shuttle.outcomes();
        assert!(outcomes.is_subset(&ours.outcomes()), "{case}: shuttle");
    }
}

#[test]
fn reductions_agree() {
    let default = exhaustive::Options::default;
    let every_operation = exhaustive::Options {
        lock_aware: false,
        ..default()
    };
    let no_checkpoints = exhaustive::Options {
        checkpoints: false,
        ..default()
    };
    let no_merging = exhaustive::Options {
        merge: false,
        ..default()
    };
    let without = |case, options: &exhaustive::Options| {
        let report = exhaustive::explore(&model(case), options);
        let all = exhaustive(case).outcomes();
        assert_eq!(report.outcomes(), all, "{case}: {options:?}");
    };
    without(SMALLEST, &no_merging);
    for case in SMALL.into_iter().chain([SMALLEST]) {
        without(case, &every_operation);
        without(case, &no_checkpoints);
    }
}

#[test]
fn spin_agrees() {
    if let Some(what) = spin::missing() {
        // Past the test harness, which shows nothing of a test that passes.
        let _ = writeln!(std::io::stderr(), "NOT RUN: {what}");
        return;
    }
    for case in SMALL.into_iter().chain([SMALLEST]) {
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let pan = spin::compile(case, directory.path()).unwrap_or_else(|e| panic!("{e}"));
        let found = spin::verify(&pan, 16, STUCK).unwrap_or_else(|e| panic!("{e}"));
        assert!(found.ended, "{case}: {found:?}");
        assert_eq!(found.outcomes(), lines(&exhaustive(case)), "{case}");
    }
}
