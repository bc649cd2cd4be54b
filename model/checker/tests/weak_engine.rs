//! The search under weak memory against the data structure that it rests on: the same outcomes of
//! every litmus test that a model can express.

mod weak;

use checker::engine::exhaustive::{self, Go, Options};
use checker::engine::weak as engine;
use checker::model::Model;
use checker::outcome::{Complete, Report};
use std::collections::BTreeSet;
use std::sync::Arc;
use weak::Litmus;
use weak::explore::{Choices, Outcome};
use weak::model::LitmusModel;
use weak::rows::{Deviation, KERNEL, OURS, Verdict};

fn explored<M: Model>(model: &Arc<M>, lock_aware: bool) -> Report<M::Outcome> {
    let options = Options {
        lock_aware,
        ..Options::default()
    };
    let report = engine::explore(model, &options, &mut |_| Go::On);
    assert_eq!(report.complete, Complete::Yes);
    report
}

/// The outcomes without a deadlock: the data structure's explorer has no others.
fn outcomes(report: Report<Outcome>) -> BTreeSet<Outcome> {
    let ends = report.finals.into_keys();
    ends.filter(|f| f.deadlock.is_none())
        .map(|f| f.outcome)
        .collect()
}

/// More tests with locks and without fences, most of them on what the reduction has to keep: a
/// lock orders what it does not guard, and the order in which it is taken counts.
const MORE: &[&str] = &[
    "x=1 s.lock s.unlock y=1 | r0=y s.lock s.unlock r1=x",
    "r0=x++ s.lock s.unlock r1=y | y=1 r0=x++ s.lock s.unlock",
    "x=1 m.lock m.unlock r0=y | y=1 m.lock m.unlock r0=x",
    "x=1 s.lock s.unlock t.lock y=1 t.unlock | t.lock r0=y t.unlock s.lock s.unlock r1=x",
    "w.down_write x=1 w.up_write y=1 | r0=y w.down_read r1=x w.up_read | w.down_read r2=x w.up_read",
    "s.lock x=1 s.unlock | s.lock r0=x s.unlock r1=y | y=1 s.lock s.unlock",
];

#[test]
fn the_engine_finds_what_the_data_structure_allows() {
    let rows = KERNEL.iter().chain(OURS);
    let texts = rows.map(|r| r.1).chain(MORE.iter().copied());
    let mut compared = 0;
    for text in texts {
        let Some(model) = LitmusModel::new(Litmus::parse(text)) else {
            continue;
        };
        let model = Arc::new(model);
        let expected = Litmus::parse(text).outcomes();
        for lock_aware in [true, false] {
            assert_eq!(
                outcomes(explored(&model, lock_aware)),
                expected,
                "{text}, lock aware {lock_aware}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 40);
}

#[test]
fn the_litmus_tests_without_fences_come_out_as_the_kernel_says_but_for_the_deviations() {
    let mut shapes = BTreeSet::new();
    for (name, text, condition, kernel, deviation) in KERNEL.iter().chain(OURS) {
        let litmus = Litmus::parse(text);
        let Some(model) = LitmusModel::new(Litmus::parse(text)) else {
            continue;
        };
        let expected = (*kernel == Verdict::Sometimes) == (*deviation == Deviation::None);
        let found = outcomes(explored(&Arc::new(model), true));
        let is = found.iter().any(|o| litmus.holds(condition, o));
        assert_eq!(is, expected, "{name}: {text}");
        shapes.insert(name.split(['+', '-']).next().unwrap_or(name));
    }
    for shape in ["MP", "SB", "LB", "2", "WRC", "IRIW", "ISA2", "R", "S"] {
        assert!(shapes.contains(shape), "{shape}");
    }
}

/// Weak memory only adds; and what it adds replays to the same end.
#[test]
fn the_outcomes_of_sequential_consistency_are_among_them_and_every_schedule_replays() {
    for (name, text, ..) in KERNEL.iter().chain(OURS) {
        let Some(model) = LitmusModel::new(Litmus::parse(text)) else {
            continue;
        };
        let model = Arc::new(model);
        let sequential = exhaustive::explore(&model, &Options::default()).outcomes();
        let newest = Litmus::parse(text).outcomes_with(Choices::Newest, true);
        assert_eq!(sequential.len(), newest.len(), "{name}");
        let report = explored(&model, true);
        assert!(report.outcomes().is_superset(&sequential), "{name}");
        for (end, schedule) in &report.finals {
            let trace = engine::replay(&model, &report.marks, schedule);
            assert_eq!((trace.divergence, &trace.end), (None, end), "{name}");
            let read = schedule.to_string().parse().as_ref() == Ok(schedule);
            assert!(read, "{name}: {schedule}");
        }
    }
}
