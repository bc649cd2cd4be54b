//! Nothing that makes a search smaller or faster changes what it finds: every scenario, on the
//! first and on the last kernel that it names, with each switch of the engine off.
//!
//! This is what holds the model's checkpoints to their word: a live local that one of them leaves
//! out would merge states that differ, and lose outcomes.

mod files;
#[path = "scenarios/rooms.rs"]
mod rooms;

use checker::engine::exhaustive::{Go, Options};
use checker::engine::lock_order::LockOrder;
use checker::outcome::{Complete, Final, Report};
use kernel::outcome::Outcome;
use libtest_mimic::{Arguments, Failed, Trial};
use rooms::{Room, scenarios};
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// What is compared to its end, and as a part beyond.
#[derive(Clone, Copy)]
struct Bounds {
    /// States of a search with something off.
    states: u64,
    /// The same where each step is run and each state is gone back to by a replay of the schedule,
    /// which takes the depth times as long. What snapshots find is held against the automaton to
    /// the end anyhow: without the one there is the other.
    replayed: u64,
}

/// Each time.
const QUICK: Bounds = Bounds {
    states: 100_000,
    replayed: 500,
};

/// With `-- --ignored`.
const FULL: Bounds = Bounds {
    states: 400_000,
    replayed: 2_000,
};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let switches = |claim: &str, bounds: Bounds| {
        let trial = |room: &'static Room| {
            let holds = move || no_switch_changes_the_outcomes(room, bounds);
            Trial::test(format!("{}{claim}", room.name()), holds)
        };
        first_and_last().map(trial).collect::<Vec<Trial>>()
    };
    let mut trials = switches("", QUICK);
    trials.extend(first_and_last().map(|room| {
        let holds = || the_number_of_workers_changes_nothing(room);
        Trial::test(format!("{}::workers", room.name()), holds)
    }));
    let full = switches("::full", FULL).into_iter();
    trials.extend(full.map(|trial| trial.with_ignored_flag(true)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Each scenario on the first and on the last of its kernels.
fn first_and_last() -> impl Iterator<Item = &'static Room> {
    scenarios().iter().flat_map(|scenario| {
        let rooms = scenario.rooms.as_deref();
        let rooms = rooms.unwrap_or_else(|e| panic!("{}: {e}", scenario.file.display()));
        let last = rooms.get(1..).and_then(<[Room]>::last);
        rooms.first().into_iter().chain(last)
    })
}

fn no_switch_changes_the_outcomes(room: &Room, bounds: Bounds) -> Result<(), Failed> {
    let (test, kernel) = (&*room.test, &*room.kernel);
    let all_on = Options {
        max_states: bounds.states,
        // Outcomes are compared, and no schedule is looked at.
        schedules: false,
        ..Options::default()
    };
    let without = |change: fn(&mut Options)| {
        let mut options = all_on.clone();
        change(&mut options);
        options
    };
    let switches = [
        ("sleep sets, which are on", without(|o| o.sleep_sets = true)),
        ("checkpoints", without(|o| o.checkpoints = false)),
        ("lock-aware steps", without(|o| o.lock_aware = false)),
        ("persistent sets", without(|o| o.persistent_sets = false)),
        ("live variables", without(|o| o.live_variables = false)),
        ("the automaton", without(|o| o.automaton = false)),
        (
            "the automaton and snapshots",
            Options {
                max_states: bounds.replayed,
                ..without(|o| (o.automaton, o.snapshots) = (false, false))
            },
        ),
        (
            "reductions",
            without(|o| {
                (o.checkpoints, o.lock_aware, o.persistent_sets) = (false, false, false);
            }),
        ),
    ];
    let report = &room.answer()?.report;
    if report.complete != Complete::Yes || report.states > bounds.states {
        let most = bounds.states;
        return Err(format!("the scenario takes more than {most} states").into());
    }
    let (expected, order) = (report.outcomes(), &report.lock_order);
    for (switch, options) in switches {
        let (found, its_order, complete) = explored(test, kernel, &options)?;
        if complete && its_order != *order {
            return Err(format!("another lock order without {switch}").into());
        }
        let agrees = if complete {
            found == expected
        } else {
            found.is_subset(&expected)
        };
        if !agrees {
            let (n, m) = (expected.len(), found.len());
            return Err(format!("{n} outcomes, but {m} without {switch}").into());
        }
    }
    Ok(())
}

/// The whole report: outcomes, data races and their schedules, every count. What a search guesses of
/// tasks, and so how much of it is left out, goes by what it knew when the workers set out; so after
/// how many states they do is the same for all that are compared.
fn the_number_of_workers_changes_nothing(room: &Room) -> Result<(), Failed> {
    let report = |workers: usize, share_after: u64| -> Result<_, Failed> {
        let options = Options {
            workers,
            share_after,
            ..Options::default()
        };
        let answer = room.test.run(&room.kernel, &options, &mut |_| Go::On)?;
        Ok(answer.report)
    };
    let outcomes = |report: &Report<Outcome>| report.finals.keys().cloned().collect::<Vec<_>>();
    let alone = &room.answer()?.report;
    // After so many states tasks are still being learnt.
    for (share_after, all_workers) in [(0, &[2, 3][..]), (300, &[2][..])] {
        let one = report(1, share_after)?;
        for workers in all_workers {
            let many = report(*workers, share_after)?;
            let is_same = format!("{one:#?}") == format!("{many:#?}");
            if !is_same || outcomes(&one) != outcomes(alone) {
                return Err(
                    format!("{workers} workers, sharing after {share_after} states").into(),
                );
            }
        }
    }
    Ok(())
}

fn explored(
    test: &Test,
    kernel: &str,
    options: &Options,
) -> Result<(BTreeSet<Final<Outcome>>, LockOrder, bool), Failed> {
    let answer = test.run(kernel, options, &mut |_| Go::On)?;
    Ok((
        answer.report.outcomes(),
        answer.report.lock_order,
        answer.report.complete == Complete::Yes,
    ))
}
