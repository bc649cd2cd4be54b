//! Random small programs: every reduction of the exhaustive engine leaves the outcome set as it
//! is, and shuttle and loom, which share neither its search nor its world, find the same.

use crate::programs::{Op, Program};
use crate::random;
use checker::engine::dpor;
use checker::engine::exhaustive;
use checker::engine::loom::{self, Loads, LoomError};
use checker::engine::marks::Marks;
use checker::engine::shuttle::{self, Scheduler};
use checker::engine::weak;
use checker::model::Model;
use checker::outcome::{Complete, Report};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

const CASES: u32 = 256;

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
    random::check(CASES, |program| {
        let expected = searched(program, true, true);
        prop_assert_eq!(&expected.complete, &Complete::Yes);
        same(
            "every operation is a step",
            &expected,
            &searched(program, true, false),
        )?;
        let unmerged = searched(program, false, true);
        if unmerged.complete == Complete::Yes {
            let all = explored(program, every_step);
            prop_assert_eq!(unmerged.interleavings, all.interleavings);
        }
        same("no state is merged", &expected, &unmerged)?;
        same("neither", &expected, &searched(program, false, false))
    });
}

#[test]
fn no_reduction_changes_the_data_races() {
    random::check(CASES, |program| {
        let program = Arc::new(Program::clone(program).with_plain_fields());
        let races = |merge, lock_aware| {
            let report = searched(&program, merge, lock_aware);
            let races = report.data_races.into_keys().collect::<BTreeSet<_>>();
            (report.complete == Complete::Yes).then_some(races)
        };
        let expected = races(true, true);
        let all = explored(&program, every_step);
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

fn each_schedule_leads_to_its_outcome(
    program: &Arc<Program>,
    report: &Report<Vec<u64>>,
) -> Result<(), TestCaseError> {
    for (end, schedule) in &report.finals {
        let trace = exhaustive::replay(program, &report.marks, schedule);
        prop_assert_eq!(&trace.divergence, &None);
        prop_assert_eq!(&trace.end, end);
    }
    Ok(())
}

/// Neither persistent sets nor transactions.
fn every_step(options: &mut exhaustive::Options) {
    options.persistent_sets = false;
    options.transactions = false;
}

/// To run each step and to know what it does is the same, to the last count; and so is to go back
/// to a state by a snapshot or by a replay.
#[test]
fn the_automaton_does_what_the_tasks_do() {
    random::check(CASES, |program| {
        let by_automaton = explored(program, every_step);
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

/// What no task will read any more tells states apart and changes nothing else.
#[test]
fn what_is_dead_changes_no_outcome() {
    let saved = std::cell::Cell::new(0);
    random::check(CASES, |program| {
        let without = explored(program, |_| ());
        let with = explored(program, |o| o.live_variables = false);
        prop_assert_eq!(&without.outcomes(), &with.outcomes());
        let races = |r: &Report<Vec<u64>>| r.data_races.keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(races(&without), races(&with));
        each_schedule_leads_to_its_outcome(program, &without)?;
        saved.set(saved.get() + with.states.saturating_sub(without.states));
        Ok(())
    });
    assert!(saved.get() > 20, "{}", saved.get());
}

/// States are taken for one that differ in which of several tasks of one entry stands where, and in what
/// tasks told before they forgot it; so what is known of the points where they stand must not
/// differ either. Each way is gone again by the search, and here.
#[test]
fn tasks_that_are_created_again_are_known_alike() {
    random::check_repeated(CASES, |program| {
        let with = explored(program, |_| ());
        let without = explored(program, |o| o.live_variables = false);
        prop_assert_eq!(&with.outcomes(), &without.outcomes());
        prop_assert_eq!(&with.outcomes(), &explored(program, every_step).outcomes());
        for report in [&with, &without] {
            each_schedule_leads_to_its_outcome(program, report)?;
        }
        Ok(())
    });
}

/// Whoever sleeps would have led to no other outcome, and there is a schedule to each; fewer runs are
/// needed.
#[test]
fn sleep_sets_lose_no_outcome() {
    let runs = std::cell::Cell::new((0, 0));
    random::check(CASES, |program| {
        let without = explored(program, |_| ());
        for live_variables in [true, false] {
            let with = explored(program, |o| {
                o.sleep_sets = true;
                o.live_variables = live_variables;
            });
            prop_assert_eq!(&without.outcomes(), &with.outcomes());
            each_schedule_leads_to_its_outcome(program, &with)?;
            let known = |race: &&_| without.data_races.contains_key(*race);
            let unknown = with.data_races.keys().filter(|race| !known(race)).count();
            prop_assert_eq!(unknown, 0);
            let (all, awake) = runs.get();
            runs.set((all + without.executions, awake + with.executions));
        }
        Ok(())
    });
    let (all, awake) = runs.get();
    assert!(awake < all, "{awake} runs with sleep sets, {all} without");
}

/// Everything in the report is the same however many workers there are; and the outcomes are
/// whenever the others begin to help. What is counted may then differ: what a search guesses of tasks
/// goes by what it knew when the workers set out.
#[test]
fn the_number_of_workers_changes_nothing() {
    let whole = Cell::new(0);
    let same = |program: &Arc<Program>, weak_memory| {
        let of = |workers, share_after| {
            let options = exhaustive::Options {
                workers,
                share_after,
                weak_memory,
                max_states: 20_000,
                ..exhaustive::Options::default()
            };
            let report = exhaustive::explore(program, &options);
            (
                report.finals,
                report.data_races,
                report.states,
                report.executions,
                report.interleavings,
                report.depth,
                report.marks,
                report.complete,
            )
        };
        let alone = of(1, u64::MAX);
        let one = of(1, 0);
        let is_whole = alone.7 == Complete::Yes && one.7 == Complete::Yes;
        prop_assert!(!is_whole || one.0.keys().eq(alone.0.keys()));
        whole.set(whole.get() + u32::from(is_whole));
        for workers in [2, 3] {
            prop_assert_eq!(&of(workers, 0), &one);
        }
        Ok(())
    };
    random::check(CASES, |program| same(program, false));
    random::check(CASES / 2, |program| same(program, true));
    random::check_queued(CASES / 4, |program| same(program, true));
    random::check_repeated(CASES / 8, |program| same(program, true));
    assert!(whole.get() > CASES, "{}", whole.get());
}

/// Where several workers come to a bound, what they have seen depends on how fast each was; so one
/// searches alone up to it.
#[test]
fn what_is_seen_up_to_a_bound_is_the_same_for_any_number_of_workers() {
    let bounded = Cell::new(0);
    random::check(CASES, |program| {
        for (max_states, weak_memory) in [(3, false), (12, false), (12, true)] {
            let of = |workers| {
                let options = exhaustive::Options {
                    workers,
                    max_states,
                    share_after: 0,
                    weak_memory,
                    ..exhaustive::Options::default()
                };
                exhaustive::explore(program, &options)
            };
            let alone = of(1);
            bounded.set(bounded.get() + u32::from(alone.complete != Complete::Yes));
            for workers in [2, 3] {
                let report = of(workers);
                prop_assert_eq!(&report.finals, &alone.finals);
                prop_assert_eq!(&report.data_races, &alone.data_races);
                prop_assert_eq!(report.states, alone.states);
                prop_assert_eq!(report.executions, alone.executions);
                prop_assert_eq!(report.depth, alone.depth);
                prop_assert_eq!(&report.complete, &alone.complete);
            }
        }
        Ok(())
    });
    assert!(
        bounded.get() > CASES / 8,
        "{} came to a bound",
        bounded.get()
    );
}

/// A round that is repaired ends as one that was begun again with what is known then, whoever goes to
/// the states again; and rounds are saved by it.
#[test]
fn a_repaired_round_ends_as_one_begun_again() {
    let rounds = Cell::new((0, 0));
    random::check(CASES, |program| {
        let of = |repair, workers, (sampled, live_variables)| {
            let mut restarts = 0;
            let options = exhaustive::Options {
                repair,
                workers,
                share_after: 0,
                sampled,
                live_variables,
                look: 1,
                ..exhaustive::Options::default()
            };
            let report = exhaustive::explore_with(program, &options, &mut |now| {
                restarts = restarts.max(now.restarts);
                exhaustive::Go::On
            });
            (format!("{report:?}"), restarts)
        };
        for how in [(false, false), (false, true), (true, true)] {
            let again = of(None, 1, how);
            let repaired = of(Some(1), 1, how);
            prop_assert_eq!(&repaired.0, &again.0);
            prop_assert_eq!(&of(Some(1), 2, how).0, &again.0);
            let (all, left) = rounds.get();
            rounds.set((all + again.1, left + repaired.1));
        }
        Ok(())
    });
    let (all, left) = rounds.get();
    println!("{left} restarts with repairs, {all} without");
    assert!(left < all, "{left} restarts with repairs, {all} without");
}

/// An outcome's schedule leads to it.
#[test]
fn every_schedule_replays() {
    random::check(CASES, |program| {
        for (merge, lock_aware) in [(true, true), (true, false)] {
            let report = searched(program, merge, lock_aware);
            each_schedule_leads_to_its_outcome(program, &report)?;
        }
        Ok(())
    });
}

/// A straightened schedule leads to the same outcome, with no more choices and no more switches.
#[test]
fn straightened_schedules_lead_to_the_same_with_fewer_switches() {
    let saved = std::cell::Cell::new(0);
    random::check(CASES, |program| {
        let report = explored(program, |_| ());
        for (end, schedule) in &report.finals {
            let straight = exhaustive::straighten(program, &report.marks, schedule);
            let trace = exhaustive::replay(program, &report.marks, &straight.schedule);
            prop_assert_eq!(&trace.divergence, &None);
            prop_assert_eq!(&trace.end, end);
            prop_assert!(straight.is_done);
            prop_assert!(straight.schedule.0.len() <= schedule.0.len());
            prop_assert!(straight.switches <= straight.switches_before);
            let again = exhaustive::straighten(program, &report.marks, &straight.schedule);
            prop_assert_eq!(&again.schedule, &straight.schedule);
            prop_assert_eq!(again.switches_before, straight.switches);
            saved.set(saved.get() + straight.switches_before - straight.switches);
        }
        Ok(())
    });
    assert!(saved.get() > 100, "{}", saved.get());
}

#[test]
fn shuttle_finds_the_same() {
    random::check(CASES, |program| {
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
    random::check(CASES, |program| {
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
    random::check(CASES, |program| {
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
    random::check(CASES, |program| {
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

/// The states themselves tell apart what their fingerprints do, and no more.
#[test]
fn an_exact_search_finds_the_same() {
    let same = |expected: Report<Vec<u64>>, exact: Report<Vec<u64>>| {
        prop_assert_eq!(exact.finals, expected.finals);
        prop_assert_eq!(exact.states, expected.states);
        prop_assert_eq!(exact.interleavings, expected.interleavings);
        Ok(())
    };
    random::check(CASES, |program| {
        let with = |exact| explored(program, |o| o.exact = exact);
        same(with(false), with(true))
    });
    let weakly = |program: &Arc<Program>| {
        let with = |exact| weak(program, |o| o.exact = exact);
        same(with(false), with(true))
    };
    random::check(CASES / 2, |program| weakly(program));
    random::check(CASES / 2, |program| {
        weakly(&Arc::new(Program::clone(program).with_spinlocks()))
    });
    random::check_repeated(CASES / 4, |program| weakly(program));
    random::check_queued(CASES / 4, |program| weakly(program));
    random::check_fully_ordered(CASES / 4, |program| weakly(program));
}

fn weak(program: &Arc<Program>, set: impl Fn(&mut exhaustive::Options)) -> Report<Vec<u64>> {
    let mut options = exhaustive::Options {
        max_states: 20_000,
        max_depth: 100,
        weak_memory: true,
        ..exhaustive::Options::default()
    };
    set(&mut options);
    exhaustive::explore(program, &options)
}

fn each_weak_schedule_leads_to_its_outcome(
    program: &Arc<Program>,
    report: &Report<Vec<u64>>,
) -> Result<(), TestCaseError> {
    for (end, schedule) in &report.finals {
        let trace = weak::replay(program, &report.marks, schedule);
        prop_assert_eq!(&trace.divergence, &None);
        prop_assert_eq!(&trace.end, end);
    }
    Ok(())
}

/// Weak memory only adds outcomes, whatever is a step; each has a schedule that leads to it.
#[test]
fn weak_memory_loses_no_outcome_and_its_reduction_none() {
    let (complete, more) = (Cell::new(0), Cell::new(0));
    let check = |program: &Arc<Program>| {
        let report = weak(program, |_| {});
        each_weak_schedule_leads_to_its_outcome(program, &report)?;
        if report.complete == Complete::Yes {
            let expected = searched(program, true, true).outcomes();
            prop_assert!(report.outcomes().is_superset(&expected));
            same(
                "every operation is a step",
                &report,
                &weak(program, |o| o.lock_aware = false),
            )?;
            complete.set(complete.get() + 1);
            more.set(more.get() + u32::from(report.outcomes() != expected));
        }
        Ok(())
    };
    random::check(CASES, check);
    random::check_fully_ordered(CASES, check);
    assert!(complete.get() > CASES * 3 / 2, "{}", complete.get());
    assert!(more.get() > 0, "in some it adds an outcome");
}

/// Changes a setting.
type Setting = fn(&mut exhaustive::Options);

/// What no task will see any more is left out, and so are tasks that can wait; neither changes what comes
/// out nor what races: with mutexes, with spinlocks, and where tasks are created again and again.
#[test]
fn what_a_search_under_weak_memory_leaves_out_changes_nothing() {
    let reductions: [(&str, Setting); 4] = [
        ("live variables", |o| o.persistent_sets = false),
        ("persistent sets", |o| o.live_variables = false),
        ("both", |_| {}),
        ("persistent sets, with nothing known before", |o| {
            (o.live_variables, o.sampled) = (false, false);
        }),
    ];
    let (complete, states) = (Cell::new(0), Cell::new((0, [0; 4])));
    let same = |program: &Arc<Program>| {
        let without = weak(program, |o| {
            (o.live_variables, o.persistent_sets) = (false, false);
        });
        let races = |r: &Report<Vec<u64>>| r.data_races.keys().cloned().collect::<Vec<_>>();
        let (mut most, mut fewest) = states.get();
        for ((name, set), fewest) in reductions.iter().zip(&mut fewest) {
            let with = weak(program, set);
            each_weak_schedule_leads_to_its_outcome(program, &with)?;
            if without.complete == Complete::Yes {
                prop_assert_eq!(&with.complete, &Complete::Yes, "{}", name);
                prop_assert_eq!(with.outcomes(), without.outcomes(), "{}", name);
                prop_assert_eq!(races(&with), races(&without), "{}", name);
                *fewest += with.states;
            }
        }
        if without.complete == Complete::Yes {
            complete.set(complete.get() + 1);
            most += without.states;
        }
        states.set((most, fewest));
        Ok(())
    };
    let spins = |program: &Arc<Program>| Arc::new(Program::clone(program).with_spinlocks());
    random::check(CASES, |program| same(program));
    random::check(CASES, |program| same(&spins(program)));
    random::check(CASES / 4, |program| {
        same(&Arc::new(Program::clone(program).with_plain_fields()))
    });
    random::check_repeated(CASES / 4, |program| same(program));
    random::check_repeated(CASES / 4, |program| same(&spins(program)));
    random::check_queued(CASES, |program| same(program));
    random::check_queued(CASES / 4, |program| same(&spins(program)));
    random::check_fully_ordered(CASES, |program| same(program));
    random::check_rounds(CASES / 16, |goes, ends| {
        let tasks = vec![goes.to_vec(), ends.to_vec()];
        same(&Arc::new(Program::new(
            random::FIELDS,
            random::LOCKS,
            tasks,
        )))
    });
    let (most, fewest) = states.get();
    println!(
        "{} programs, {most} states, with reductions {fewest:?}",
        complete.get()
    );
    assert!(complete.get() > CASES, "{}", complete.get());
    let [live_variables, persistent_sets, both, _] = fewest;
    assert!(live_variables * 8 < most * 7, "{live_variables} of {most}");
    assert!(
        persistent_sets * 8 < most * 7,
        "{persistent_sets} of {most}"
    );
    assert!(both < live_variables.min(persistent_sets), "{fewest:?}");
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
    random::check(CASES, |program| {
        let tasks = program.tasks().iter().map(|ops| {
            let accesses = ops.iter().filter(|op| is_access(op)).cloned();
            let locked = accesses.map(|op| random::between(Op::Lock(0), &[op], Op::Unlock(0)));
            locked.collect::<Vec<_>>().concat()
        });
        let program = Arc::new(Program::new(random::FIELDS, random::LOCKS, tasks.collect()));
        let report = weak(&program, |_| {});
        prop_assert_eq!(&report.complete, &Complete::Yes);
        let expected = searched(&program, true, true);
        prop_assert_eq!(report.outcomes(), expected.outcomes());
        Ok(())
    });
}
