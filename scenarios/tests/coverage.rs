//! Which modelled steps the scenarios and boards reach, and which they do not: the latter are
//! listed in `scenarios::coverage`, each with its reason, and not hidden.
//!
//! The functions are those that the kernel crate's source names in a call (`on_device("NAME"` and
//! `task::call("NAME"`). A Never about code that nothing reaches would be vacuous.

mod files;

use checker::engine::exhaustive::{Go, Options};
use files::{below, crate_folder, functions_of, scenario_files};
use kernel::config::Config;
use kernel::revision::Revision;
use scenarios::board;
use scenarios::boot::boot;
use scenarios::coverage::{Coverage, Gap, ONE_SIDED, UNASKED, UNREACHED};
use scenarios::functions::modelled;
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder(path: &str) -> PathBuf {
    crate_folder().join(path)
}

/// The functions that the model's sources name.
fn named() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in below(&folder("../model/kernel/src"), "rs") {
        let source = std::fs::read_to_string(&file).expect("it is there");
        names.extend(functions_of(&source).map(str::to_owned));
    }
    names
}

/// What an exploration of some scenario on some kernel reaches.
fn by_scenarios(reached: &mut Coverage) {
    let options = Options {
        schedules: false,
        ..Options::default()
    };
    for file in scenario_files() {
        let test = Test::load(&file, &folder("boards")).expect("the scenario is well formed");
        for kernel in test.kernels() {
            let answer = test
                .run(kernel, &options, &mut |_| Go::On)
                .expect("it can be explored");
            reached.add(&answer);
        }
    }
}

/// What the boot of some board reaches.
fn by_boots(reached: &mut Coverage) {
    for file in ["dts", "acpi"]
        .iter()
        .flat_map(|end| below(&folder("boards"), end))
    {
        let board = board::load(&file).expect("the board is well formed");
        let booted = boot(&board, Revision::newest(), Config::default()).expect("it boots");
        reached.add_boot(&booted);
    }
}

#[test]
fn the_list_of_functions_is_that_of_the_source() {
    let listed: BTreeSet<String> = modelled().map(str::to_owned).collect();
    assert!(listed.contains("really_probe"));
    assert_eq!(named(), listed);
}

#[test]
fn every_modelled_step_is_reached_or_listed_with_a_reason() {
    let mut reached = Coverage::default();
    by_scenarios(&mut reached);
    by_boots(&mut reached);
    let names = |gaps: Vec<Gap>| gaps.iter().map(|g| g.name).collect::<Vec<_>>();
    let listed = |reasons: &[(&'static str, &str)]| {
        reasons.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(reached.unreached()),
        listed(&UNREACHED),
        "functions that nothing reaches"
    );
    assert_eq!(
        names(reached.unasked()),
        listed(&UNASKED),
        "commits that nothing asks for"
    );
    assert_eq!(
        names(reached.one_sided()),
        listed(&ONE_SIDED),
        "commits that are asked for with one answer alone"
    );
}
