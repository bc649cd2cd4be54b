//! Runs in lanes: what is drawn of them.

use super::{files, rooms};
use scenarios::functions::kernel_file;
use scenarios::report::{Lanes, Sort, Step};
use std::collections::BTreeSet;

fn drawn() -> Vec<(String, Lanes)> {
    let runs = rooms().into_iter().flat_map(|room| {
        let name = room.name;
        room.runs
            .into_iter()
            .filter_map(move |r| Some((format!("{name} on {}", r.written), r.witness?.lanes)))
    });
    runs.collect()
}

#[test]
fn a_lock_goes_from_who_drops_it_to_who_takes_it_next() {
    let (mut handed, mut waited) = (0, 0);
    for (run, lanes) in drawn() {
        for hand in &lanes.handovers {
            let (from, to) = (&lanes.steps[hand.from], &lanes.steps[hand.to]);
            assert!(hand.from < hand.to, "{run}: {hand:?}");
            assert_ne!(from.lane, to.lane, "{run}: {hand:?}");
            assert_eq!(from.text, format!("unlock {}", hand.lock), "{run}");
            assert_eq!(to.text, format!("lock {}", hand.lock), "{run}");
            let between = &lanes.steps[hand.from + 1..hand.to];
            assert!(
                !between
                    .iter()
                    .any(|s| s.text == to.text || s.text == from.text),
                "{run}: somebody else had it: {hand:?}"
            );
            // Who waits for a lock does nothing until it has it.
            let own = |s: &&Step| s.lane == to.lane && s.sort != Sort::Call;
            let before = lanes.steps[..hand.to].iter().rposition(|s| own(&s));
            let waits = before.filter(|at| lanes.steps[*at].text == "waits");
            assert_eq!(hand.waited, waits.is_some(), "{run}: {hand:?}");
            assert!(waits.is_none_or(|at| at < hand.from), "{run}: {hand:?}");
            handed += 1;
            waited += usize::from(hand.waited);
        }
    }
    assert!(handed > 20, "{handed}");
    assert!(waited > 0 && waited < handed, "{waited} of {handed}");
}

#[test]
fn every_lane_has_steps_and_every_call_a_file() {
    let mut functions = BTreeSet::new();
    for (run, lanes) in drawn() {
        for lane in 0..lanes.lanes.len() {
            assert!(lanes.steps.iter().any(|s| s.lane == lane), "{run}: {lane}");
        }
        for step in &lanes.steps {
            // What a task's own body does is in no function.
            let Some((function, file)) = step.place() else {
                assert_eq!(step.depth, 0, "{run}: {step:?}");
                continue;
            };
            assert!(file.is_some(), "{run}: {function}");
            functions.insert(function);
        }
    }
    assert!(functions.len() > 10, "{functions:?}");
}

#[test]
fn an_oops_is_a_splat() {
    let all = drawn();
    let steps = |name: &str| -> Vec<Sort> {
        let of = all.iter().filter(|(run, _)| run == name);
        of.flat_map(|(_, l)| l.steps.iter().map(|s| s.sort))
            .collect()
    };
    assert!(steps("driver-read-twice on bcb81ac6ae3c").contains(&Sort::Splat));
    assert!(!steps("driver-read-twice on v7.3-rc7").contains(&Sort::Splat));
}

/// A source of the model begins with the file of the kernel that it follows.
#[test]
fn the_files_of_functions_are_those_that_the_model_names() {
    let sources = files::crate_folder().join("../model/kernel/src");
    let mut seen = 0;
    for path in files::below(&sources, "rs") {
        let text = std::fs::read_to_string(&path).expect("a source of the model");
        let head: String = text.lines().take_while(|l| l.starts_with("//!")).collect();
        for function in files::functions_of(&text) {
            let file = kernel_file(function).unwrap_or_else(|| panic!("no file of {function}"));
            // driver_register() is in driver.c; the model has it beside the bus. And it has the SMMUs'
            // shutdown beside the unregistration that it was about.
            let elsewhere = ["driver_register", "arm_smmu_device_shutdown"];
            let is_named = head.contains(file) || elsewhere.contains(&function);
            assert!(
                is_named,
                "{function}: {file} is not in the head of {}",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
