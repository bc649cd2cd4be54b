//! Nothing that makes a search smaller or faster changes what it finds: every scenario, on the
//! first and on the last kernel that it names, with each switch of the engine off.
//!
//! This is what holds the model's checkpoints to their word: a live local that one of them leaves
//! out would merge states that differ, and lose outcomes.

use checker::engine::exhaustive::{Go, Options};
use checker::outcome::{Complete, Final};
use kernel::outcome::Outcome;
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A search without reductions that needs more states than this is compared as a part only.
const MAX_STATES: u64 = 400_000;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = files()
        .into_iter()
        .flat_map(|file| trials_of(&file))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(crate_folder().join("basics")).expect("the scenarios are there");
    let paths = folder.map(|entry| entry.expect("the folder can be read").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "litmus"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are scenarios");
    files
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
    let trial = |kernel: &str| {
        let (file, kernel) = (file.to_owned(), kernel.to_owned());
        Trial::test(format!("{}::{kernel}", test.litmus.name.value), move || {
            no_switch_changes_the_outcomes(&load(&file)?, &kernel)
        })
    };
    kernels.into_iter().map(trial).collect()
}

fn no_switch_changes_the_outcomes(test: &Test, kernel: &str) -> Result<(), Failed> {
    let all_on = Options {
        max_states: MAX_STATES,
        ..Options::default()
    };
    let switches = [
        (
            "checkpoints",
            Options {
                checkpoints: false,
                ..all_on.clone()
            },
        ),
        (
            "snapshots",
            Options {
                snapshots: false,
                ..all_on.clone()
            },
        ),
        (
            "lock-aware steps",
            Options {
                lock_aware: false,
                ..all_on.clone()
            },
        ),
        (
            "both reductions",
            Options {
                checkpoints: false,
                lock_aware: false,
                ..all_on.clone()
            },
        ),
    ];
    let (expected, complete) = explored(test, kernel, &all_on)?;
    if !complete {
        return Err(format!("the scenario takes more than {MAX_STATES} states").into());
    }
    for (switch, options) in switches {
        let (found, complete) = explored(test, kernel, &options)?;
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

fn explored(
    test: &Test,
    kernel: &str,
    options: &Options,
) -> Result<(BTreeSet<Final<Outcome>>, bool), Failed> {
    let answer = test.run(kernel, options, &mut |_| Go::On)?;
    Ok((
        answer.report.outcomes(),
        answer.report.complete == Complete::Yes,
    ))
}
