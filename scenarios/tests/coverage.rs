//! Which modelled kernel functions the scenarios and boards reach, and which they do not: the
//! latter are listed here, each with its reason, and not hidden.
//!
//! The functions are those that the kernel crate's source names in a call (`on_device("NAME"` and
//! `task::call("NAME"`). A Never about code that nothing reaches would be vacuous.

mod files;

use checker::engine::exhaustive::{Go, Options};
use checker::event::What;
use files::{below, crate_folder, scenario_files};
use kernel::config::Config;
use kernel::revision::Revision;
use scenarios::board;
use scenarios::boot::boot;
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Functions that no scenario and no boot enters, and why.
const UNREACHED: [(&str, &str); 0] = [];

fn folder(path: &str) -> PathBuf {
    crate_folder().join(path)
}

/// The functions that the model names: the string that follows a call's opening parenthesis.
fn modelled() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in below(&folder("../model/kernel/src"), "rs") {
        let source = std::fs::read_to_string(&file).expect("it is there");
        for call in ["on_device(", "task::call("] {
            for after in source.split(call).skip(1) {
                let name = after
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|s| s.split('"').next());
                names.extend(name.map(str::to_owned));
            }
        }
    }
    names
}

/// Functions that an exploration of some scenario on some kernel enters.
fn reached_by_scenarios() -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for file in scenario_files() {
        let test = Test::load(&file, &folder("boards")).expect("the scenario is well formed");
        for kernel in test.kernels() {
            let answer = test
                .run(kernel, &Options::default(), &mut |_| Go::On)
                .expect("it can be explored");
            reached.extend(answer.report.reached.into_iter().map(str::to_owned));
        }
    }
    reached
}

/// Functions that the boot of some board enters.
fn reached_by_boots() -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for file in below(&folder("boards"), "dts") {
        let board = board::load(&file).expect("the board is well formed");
        let booted = boot(&board, Revision::newest(), Config::default()).expect("it boots");
        reached.extend(booted.trace.events.iter().filter_map(|e| match &e.what {
            What::Enter { function, .. } => Some((*function).to_owned()),
            _ => None,
        }));
    }
    reached
}

#[test]
fn every_modelled_function_is_reached_or_listed_with_a_reason() {
    let mut reached = reached_by_scenarios();
    reached.extend(reached_by_boots());
    let modelled = modelled();
    assert!(
        modelled.contains("really_probe"),
        "the source could be read"
    );
    let unreached: Vec<&String> = modelled.iter().filter(|f| !reached.contains(*f)).collect();
    let listed: Vec<&str> = UNREACHED.iter().map(|(function, _)| *function).collect();
    assert_eq!(unreached, listed, "functions that nothing reaches");
}
