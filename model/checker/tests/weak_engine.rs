//! The search under weak memory against the data structure that it rests on: the same outcomes of
//! every litmus test that a model can express.

use crate::programs::{Op, Program};
use crate::weak::Litmus;
use crate::weak::explore::{Choices, Outcome};
use crate::weak::model::LitmusModel;
use crate::weak::rows::{Deviation, KERNEL, OURS, Verdict};
use checker::engine::exhaustive::{self, Options, explore};
use checker::engine::loom::{self, Loads};
use checker::engine::schedule::{Schedule, Turn};
use checker::engine::weak as engine;
use checker::event::{TaskId, What};
use checker::model::Model;
use checker::outcome::{Complete, Final, Interleavings, Report};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

/// The report, which is the same however many workers there are.
fn explored<M: Model<Outcome: Debug>>(model: &Arc<M>, lock_aware: bool) -> Report<M::Outcome> {
    let of = |workers| {
        let options = Options {
            lock_aware,
            workers,
            share_after: 0,
            ..weak()
        };
        explore(model, &options)
    };
    let report = of(1);
    assert_eq!(report.complete, Complete::Yes);
    assert_eq!(format!("{:?}", of(2)), format!("{report:?}"));
    report
}

fn weak() -> Options {
    Options {
        weak_memory: true,
        ..Options::default()
    }
}

/// The outcomes without a deadlock: the data structure's explorer has no others.
fn outcomes(report: Report<Outcome>) -> BTreeSet<Outcome> {
    let ends = report.finals.into_keys();
    ends.filter(|f| f.deadlock.is_none())
        .map(|f| f.outcome)
        .collect()
}

/// More tests with locks and without fences, most of them on what the reduction has to keep: a
/// lock orders what it does not guard, and the order in which it is taken counts; an smp_mb() orders
/// whatever it is done with.
const MORE: &[&str] = &[
    "x=1 y=1 s.lock s.unlock | r0=y s.lock s.unlock r1=x",
    "x=1 s.lock s.unlock y=1 | r0=y s.lock s.unlock r1=x",
    "r0=x++ s.lock s.unlock r1=y | y=1 r0=x++ s.lock s.unlock",
    "x=1 m.lock m.unlock r0=y | y=1 m.lock m.unlock r0=x",
    "x=1 s.lock s.unlock t.lock y=1 t.unlock | t.lock r0=y t.unlock s.lock s.unlock r1=x",
    "w.down_write x=1 w.up_write y=1 | r0=y w.down_read r1=x w.up_read | w.down_read r2=x w.up_read",
    "s.lock x=1 s.unlock | s.lock r0=x s.unlock r1=y | y=1 s.lock s.unlock",
    "x=1 y=1 r0=z++ | r0=y r1=w++ r2=x",
    "x=1 r0=z++ r1=y | y=1 r0=w++ r1=x",
    "x=1 r0=z++ | r0=x r1=w++ r2=y | y=1 r0=v++ r1=x",
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
    assert_eq!(compared, 44);
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

#[test]
fn a_schedule_says_which_alternative_is_taken_where_it_is_not_the_newest() {
    let turn = |task, pick| Turn {
        task: TaskId(task),
        pick,
    };
    let schedule = Schedule(vec![
        turn(0, 0),
        turn(0, 0),
        turn(1, 2),
        turn(1, 2),
        turn(1, 0),
    ]);
    assert_eq!(schedule.to_string(), "0*2.1~2*2.1");
    assert_eq!("0*2.1~2*2.1".parse(), Ok(schedule));
    for wrong in ["0~", "~1", "0~x", "0*2~1", "0~1~1", "0~+1"] {
        assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
    }
}

/// Under sequential consistency there is nothing stale to read.
#[test]
fn a_schedule_of_weak_memory_does_not_fit_sequential_consistency() {
    let model = Arc::new(LitmusModel::new(Litmus::parse("x=1 r0=y | y=1 r0=x")).unwrap());
    let report = explored(&model, true);
    let weak = report.finals.values();
    let weak = weak.filter(|s| s.0.iter().any(|t| t.pick > 0));
    let mut compared = 0;
    for schedule in weak {
        let trace = exhaustive::replay(&model, &report.marks, schedule);
        assert!(trace.divergence.is_some(), "{schedule}");
        compared += 1;
    }
    assert_eq!(compared, 1);
}

/// Who waits need not see that the condition held for a while, and may see it when it holds no
/// more: both ends of sequential consistency are there, and no third.
#[test]
fn a_wait_ends_by_a_store_that_is_stale_or_not_at_all() {
    let waits = vec![Op::WaitUntil(0, 1), Op::Store(1, 7)];
    let model = Arc::new(Program::new(
        2,
        0,
        vec![waits, vec![Op::Store(0, 1), Op::Store(0, 2)]],
    ));
    let sequential = exhaustive::explore(&model, &Options::default()).outcomes();
    assert_eq!(sequential.len(), 2);
    assert_eq!(explored(&model, true).outcomes(), sequential);
}

/// A stale read planted: the flag says that the data are there, and nothing orders the two.
#[test]
fn only_weak_memory_finds_a_planted_stale_read_and_not_in_the_repaired_twin() {
    let found = |text: &str| {
        let litmus = Litmus::parse(text);
        let model = Arc::new(LitmusModel::new(Litmus::parse(text)).unwrap());
        let stale = |found: BTreeSet<Outcome>| {
            let mut outcomes = found.iter();
            outcomes.any(|o| litmus.holds("1:r0=1 1:r1=0", o))
        };
        let sequential = exhaustive::explore(&model, &Options::default());
        (
            stale(outcomes(sequential)),
            stale(outcomes(explored(&model, true))),
        )
    };
    assert_eq!(found("data=1 ready=1 | r0=ready r1=data"), (false, true));
    assert_eq!(found("data=1 ready:=1 | r0:=ready r1=data"), (false, false));
    assert_eq!(found("data=1 ready:=1 | r0=ready r1=data"), (false, true));
    assert_eq!(
        found("m.lock data=1 ready=1 m.unlock | m.lock r0=ready m.unlock r1=data"),
        (false, false)
    );
}

/// A replay shows what was read, and that it was not the newest.
#[test]
fn a_recorded_run_shows_what_was_stale() {
    let text = "x=1 y=1 | r0=y r1=x";
    let litmus = Litmus::parse(text);
    let model = Arc::new(LitmusModel::new(Litmus::parse(text)).unwrap());
    let report = explored(&model, true);
    let stale = |o: &Outcome| litmus.holds("1:r0=1 1:r1=0", o);
    let (_, schedule) = report
        .finals
        .iter()
        .find(|(f, _)| stale(&f.outcome))
        .unwrap();
    let trace = engine::replay(&model, &report.marks, schedule);
    let stale = trace.events.iter().filter_map(|e| match e.what {
        What::StaleRead {
            cell,
            value,
            newest,
        } => Some((cell.0, value, newest)),
        _ => None,
    });
    assert_eq!(stale.collect::<Vec<_>>(), [(0, 0, 1)]);
}

#[test]
fn a_bound_is_said_in_words() {
    let model = Arc::new(LitmusModel::new(Litmus::parse("x=1 r0=y | y=1 r0=x")).unwrap());
    let options = Options {
        max_states: 3,
        ..weak()
    };
    let report = explore(&model, &options);
    assert_eq!(
        report.complete.to_string(),
        "no (stopped at the bound of 3 states; states: 3, depth: 2, untried choices: 4; raise the bound to get \
         further)"
    );
}

/// The more states, the more of the schedules have been come to the end of, and never more than there
/// are.
#[test]
fn a_bounded_search_counts_the_schedules_that_it_has_seen() {
    let model = Arc::new(LitmusModel::new(Litmus::parse("x=1 r0=y | y=1 r0=x")).unwrap());
    let of = |max_states| {
        let options = Options {
            max_states,
            ..weak()
        };
        explore(&model, &options)
    };
    let whole = of(u64::MAX);
    let Interleavings::Exactly(all) = whole.interleavings else {
        panic!("{:?}", whole.interleavings);
    };
    let counts = (3..=whole.states).map(|bound| match of(bound).interleavings {
        Interleavings::AtLeast(n) => n,
        other => panic!("{other:?}"),
    });
    let counts: Vec<u128> = counts.collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert!(
        counts.last().is_some_and(|n| (1..=all).contains(n)),
        "{counts:?} of {all}"
    );
}

/// What loom shows, but for one thing: two stores of one field that nothing orders are seen in
/// either order, and the last content is that of the one made last all the same.
fn loom(model: &Arc<Program>, report: &Report<Vec<u64>>) -> BTreeSet<Final<Vec<u64>>> {
    let options = loom::Options {
        loads: Loads::Load,
        ..loom::Options::new(report.marks.clone())
    };
    let found = loom::explore(model, &options).expect("loom explores it");
    assert_eq!(found.complete, Complete::Yes);
    found.outcomes()
}

const PUBLISH: [Op; 2] = [Op::Store(0, 1), Op::Store(1, 1)];
const LOOK: [Op; 4] = [
    Op::Load(1),
    Op::StoreLastPlus(2, 0),
    Op::Load(0),
    Op::StoreLastPlus(3, 0),
];

#[test]
fn every_outcome_of_loom_is_one_of_the_engine() {
    let locked = |ops: &[Op]| [&[Op::Lock(0)], ops, &[Op::Unlock(0)]].concat();
    let buffers = |mine, other, to| {
        vec![
            Op::Store(mine, 1),
            Op::Load(other),
            Op::StoreLastPlus(to, 0),
        ]
    };
    let waits = vec![Op::WaitUntil(0, 1), Op::Load(1), Op::StoreLastPlus(2, 0)];
    let cases = [
        vec![buffers(0, 1, 2), buffers(1, 0, 3)],
        vec![PUBLISH.to_vec(), LOOK.to_vec()],
        vec![locked(&PUBLISH), locked(&LOOK)],
        vec![locked(&PUBLISH), LOOK.to_vec()],
        vec![PUBLISH.to_vec(), locked(&LOOK)],
        vec![waits, vec![Op::Store(1, 1), Op::Store(0, 1)]],
        vec![
            vec![Op::Add(0, 1), Op::Load(1), Op::StoreLastPlus(2, 0)],
            PUBLISH.to_vec(),
        ],
    ];
    let mut weak = 0;
    for tasks in cases {
        let model = Arc::new(Program::new(4, 1, tasks.clone()));
        let report = explored(&model, true);
        let found = loom(&model, &report);
        let missing: Vec<_> = found.difference(&report.outcomes()).cloned().collect();
        assert!(missing.is_empty(), "{tasks:?}: {missing:?}");
        let sequential = exhaustive::explore(&model, &Options::default()).outcomes();
        weak += usize::from(!found.is_subset(&sequential));
    }
    assert_eq!(weak, 5);
}

/// Two updates that nobody sees the result of: who reads the first of them, but only later, sees what it
/// was put after.
#[test]
fn which_of_two_updates_comes_first_counts() {
    let model = Arc::new(Program::new(
        4,
        0,
        vec![
            vec![Op::Add(0, 1), Op::Store(1, 1)],
            vec![Op::Add(0, 2)],
            vec![
                Op::Load(1),
                Op::StoreLastPlus(2, 0),
                Op::Load(0),
                Op::StoreLastPlus(3, 0),
            ],
        ],
    ));
    let outcomes = explored(&model, true).outcomes();
    let read_after_flag = outcomes.iter().filter(|f| f.outcome[2] == 1);
    let read: BTreeSet<u64> = read_after_flag.map(|f| f.outcome[3]).collect();
    assert_eq!(read, BTreeSet::from([0, 1, 2, 3]));
}

/// A task that goes round for ever keeps nobody from being let go.
#[test]
fn a_race_beside_a_task_that_goes_round_is_found() {
    let goes_round = vec![Op::AgainUnless(0, 2)];
    let locked = vec![Op::Add(0, 1), Op::Lock(0), Op::Store(1, 1), Op::Unlock(0)];
    let too_late = vec![Op::Lock(0), Op::Unlock(0), Op::Store(1, 2)];
    let tasks = vec![goes_round, locked, too_late];
    let model = Arc::new(Program::new(2, 1, tasks).with_plain_fields());
    let report = explored(&model, true);
    assert_eq!(report.interleavings, Interleavings::Endless);
    assert_eq!(report.data_races.len(), 1);
}

/// Two stores; who made the second reads the first: then that is the last (CoWR). Loom says both.
#[test]
fn loom_gives_a_last_store_that_no_read_agrees_with() {
    let reads_back = vec![Op::Store(0, 2), Op::Load(0), Op::StoreLastPlus(1, 0)];
    let model = Arc::new(Program::new(2, 0, vec![vec![Op::Store(0, 1)], reads_back]));
    let report = explored(&model, true);
    let incoherent = |f: &Final<Vec<u64>>| f.outcome == [2, 1];
    assert!(!report.outcomes().iter().any(incoherent));
    assert!(loom(&model, &report).iter().any(incoherent));
}
