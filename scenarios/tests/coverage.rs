//! Which modelled steps the scenarios and boards reach, and which they do not: the latter are
//! listed in `scenarios::coverage`, each with its reason, and not hidden.
//!
//! The functions are those that the kernel crate's source names in a call (`on_device("NAME"` and
//! `task::call("NAME"`). A Never about code that nothing reaches would be vacuous.

use crate::all_rooms;
use crate::files::{below, crate_folder, functions_of};
use kernel::config::Config;
use kernel::revision::Revision;
use libtest_mimic::{Failed, Trial};
use scenarios::board;
use scenarios::boot::boot;
use scenarios::coverage::{Coverage, Gap, ONE_SIDED, UNASKED, UNREACHED};
use scenarios::functions::modelled;
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

/// The claims, of which the last needs all scenarios explored.
pub(crate) fn trials() -> [Trial; 2] {
    [
        Trial::test("the_list_of_functions_is_that_of_the_source", || {
            the_list_of_functions_is_that_of_the_source();
            Ok(())
        }),
        Trial::test(
            "every_modelled_step_is_reached_or_listed_with_a_reason",
            every_modelled_step_is_reached_or_listed_with_a_reason,
        ),
    ]
}

fn the_list_of_functions_is_that_of_the_source() {
    let listed: BTreeSet<String> = modelled().map(str::to_owned).collect();
    assert!(listed.contains("really_probe"));
    assert_eq!(named(), listed);
}

fn every_modelled_step_is_reached_or_listed_with_a_reason() -> Result<(), Failed> {
    let mut reached = Coverage::default();
    for room in all_rooms() {
        reached.add(room.answer()?);
    }
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
    Ok(())
}
