//! What the museum claims of itself: both sides of each bug on one file, nothing bounded, and no
//! Never that is one because nothing happens.
//!
//! Read from the snapshots, which `scenarios.rs` holds against what comes out.

use crate::files::{scenario_files, snapshot_name, snapshots};
use scenarios::litmus::{self, Litmus};
use std::collections::BTreeSet;
use std::path::Path;

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// A test and what its snapshots say, one for each of its kernels.
fn of_file(file: &Path) -> (Litmus, Vec<String>) {
    let text = read(file);
    let litmus = litmus::parse(&file.display().to_string(), &text);
    let litmus = litmus.unwrap_or_else(|e| panic!("{}: {e:?}", file.display()));
    let of_kernel = |kernel: &str| {
        let name = format!("{}.snap", snapshot_name(&litmus, kernel));
        read(&snapshots().join(name))
    };
    let kernels = litmus.kernels.iter().map(|k| of_kernel(&k.value));
    let said = kernels.collect();
    (litmus, said)
}

/// `Observation NAME Verdict`
fn verdict(snapshot: &str) -> &str {
    let line = snapshot.lines().find(|l| l.starts_with("Observation "));
    let line = line.expect("a snapshot has a verdict");
    line.split(' ')
        .nth(2)
        .expect("the verdict is the third word")
}

fn museum() -> Vec<std::path::PathBuf> {
    let files = scenario_files().into_iter();
    let files = files.filter(|f| f.parent().is_some_and(|p| p.ends_with("museum")));
    files.collect()
}

/// The museum has 25 rooms at least.
#[test]
fn each_room_shows_its_bug_and_its_end_on_one_file() {
    let rooms = museum();
    assert!(rooms.len() > 25);
    for room in rooms {
        let (litmus, said) = of_file(&room);
        let verdicts: BTreeSet<&str> = said.iter().map(|s| verdict(s)).collect();
        let name = &litmus.name.value;
        assert!(verdicts.contains("Never"), "{name} is never Never");
        assert!(verdicts.len() > 1, "{name} is always Never");
    }
}

#[test]
fn no_verdict_of_the_museum_is_bounded() {
    for room in museum() {
        let (litmus, said) = of_file(&room);
        for snapshot in said {
            let complete = snapshot.lines().any(|l| l == "Complete yes");
            assert!(complete, "{} is bounded: {snapshot}", litmus.name.value);
        }
    }
}

/// Of all scenarios: who says Never says besides what does happen, and that it was reached.
#[test]
fn no_never_is_vacuous() {
    for file in scenario_files() {
        let (litmus, said) = of_file(&file);
        let name = &litmus.name.value;
        for snapshot in said.iter().filter(|s| verdict(s) == "Never") {
            assert!(
                !litmus.properties.is_empty(),
                "{name} says only what does not happen"
            );
            let unmet = |l: &&str| {
                let is_property = l.starts_with("Sometimes ") || l.starts_with("Always ");
                is_property && !l.ends_with(": reached") && !l.ends_with(": holds")
            };
            let unmet = snapshot.lines().find(unmet);
            assert_eq!(unmet, None, "{name}");
        }
    }
}
