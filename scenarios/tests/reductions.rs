//! Nothing that makes a search smaller or faster changes what it finds: every scenario, on the
//! first and on the last kernel that it names, with each switch of the engine off.
//!
//! This is what holds the model's checkpoints to their word: a live local that one of them leaves
//! out would merge states that differ, and lose outcomes.

mod files;

use checker::engine::exhaustive::{Go, Options};
use checker::engine::lock_order::LockOrder;
use checker::outcome::{Complete, Final, Report};
use files::{crate_folder, scenario_files};
use kernel::outcome::Outcome;
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// A search without reductions that needs more states than this is compared as a part only.
const MAX_STATES: u64 = 400_000;

/// The same where each step is run and each state is gone back to by a replay of the schedule,
/// which takes the depth times as long. What snapshots find is held against the automaton to the
/// end anyhow: without the one there is the other.
const MAX_REPLAYED: u64 = 2_000;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = scenario_files()
        .into_iter()
        .flat_map(|file| trials_of(&file))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn load(file: &Path) -> Result<Test, Failed> {
    Ok(Test::load(file, &crate_folder().join("boards"))?)
}

fn trials_of(file: &Path) -> Vec<Trial> {
    let test = load(file).unwrap_or_else(|e| panic!("{}: {e:?}", file.display()));
    let kernels: BTreeSet<&str> = test
        .kernels()
        .take(1)
        .chain(test.kernels().last())
        .collect();
    let trial = |kernel: &str, claim: &str, holds: fn(&Test, &str) -> Result<(), Failed>| {
        let (file, kernel) = (file.to_owned(), kernel.to_owned());
        let name = format!("{}::{kernel}{claim}", test.litmus.name.value);
        Trial::test(name, move || holds(&load(&file)?, &kernel))
    };
    let trials = kernels.into_iter().flat_map(|kernel| {
        [
            trial(kernel, "", no_switch_changes_the_outcomes),
            trial(kernel, "::workers", the_number_of_workers_changes_nothing),
        ]
    });
    trials.collect()
}

fn no_switch_changes_the_outcomes(test: &Test, kernel: &str) -> Result<(), Failed> {
    let all_on = Options {
        max_states: MAX_STATES,
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
            without(|o| {
                (o.automaton, o.snapshots, o.max_states) = (false, false, MAX_REPLAYED);
            }),
        ),
        (
            "reductions",
            without(|o| {
                (o.checkpoints, o.lock_aware, o.persistent_sets) = (false, false, false);
            }),
        ),
    ];
    let (expected, order, complete) = explored(test, kernel, &all_on)?;
    if !complete {
        return Err(format!("the scenario takes more than {MAX_STATES} states").into());
    }
    for (switch, options) in switches {
        let (found, its_order, complete) = explored(test, kernel, &options)?;
        if complete && its_order != order {
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
fn the_number_of_workers_changes_nothing(test: &Test, kernel: &str) -> Result<(), Failed> {
    let report = |workers: usize, share_after: u64| -> Result<_, Failed> {
        let options = Options {
            workers,
            share_after,
            ..Options::default()
        };
        Ok(test.run(kernel, &options, &mut |_| Go::On)?.report)
    };
    let outcomes = |report: &Report<Outcome>| report.finals.keys().cloned().collect::<Vec<_>>();
    let alone = report(1, u64::MAX)?;
    // After so many states tasks are still being learnt.
    for (share_after, all_workers) in [(0, &[2, 3][..]), (300, &[2][..])] {
        let one = report(1, share_after)?;
        for workers in all_workers {
            let many = report(*workers, share_after)?;
            let is_same = format!("{one:#?}") == format!("{many:#?}");
            if !is_same || outcomes(&one) != outcomes(&alone) {
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
