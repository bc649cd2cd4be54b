//! What goes round in random programs, and how fair that is.

use crate::programs::{Op, Program};
use crate::random;
use checker::engine::exhaustive::{Options, explore};
use checker::model::Model;
use checker::outcome::{Complete, Fairness, Report};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const CASES: u32 = 64;

/// What is the same whichever way a search goes: of what a fair scheduler ends, the nearest period
/// is told, and another may be as near.
type Verdict = (Fairness, Vec<String>, Vec<String>);

fn verdicts<M: Model>(report: &Report<M::Outcome>) -> BTreeSet<Verdict> {
    let rounds = report.rounds.keys().cloned();
    rounds
        .map(|round| {
            let is_ended = round.fairness == Fairness::None;
            let tasks = if is_ended { vec![] } else { round.tasks };
            let alike = |name: String| name.replace("P3", "P2");
            let alike = |names: Vec<String>| names.into_iter().map(alike).collect();
            (round.fairness, alike(tasks), alike(round.ended_by))
        })
        .collect()
}

/// One task creates two others, which are told apart by their entries, or are not; another may end what
/// they do.
fn created(apart: bool, goes: &[Op], ends: &[Op]) -> Arc<Program> {
    let second = if apart { 3 } else { 2 };
    let mut tasks = vec![vec![Op::Spawn(2), Op::Spawn(second)], ends.to_vec()];
    tasks.resize(second + 1, goes.to_vec());
    let program = Program::new(random::FIELDS, random::LOCKS, tasks);
    Arc::new(program.with_initial_tasks(2))
}

/// States are merged whichever of two tasks of one entry stands where, and that makes no difference to how
/// fair what goes round is.
#[test]
fn tasks_of_one_entry_go_round_as_tasks_of_two() {
    let seen: RefCell<BTreeMap<Fairness, u32>> = RefCell::default();
    random::check_rounds(CASES, |goes, ends| {
        let [alike, apart] = [false, true].map(|apart| {
            // Every operation is a step: a loop without a step has no state to come back to.
            let options = Options {
                lock_aware: false,
                ..Options::default()
            };
            let report = explore(&created(apart, goes, ends), &options);
            assert_eq!(report.complete, Complete::Yes);
            report
        });
        let found = verdicts::<Program>(&alike);
        prop_assert_eq!(&found, &verdicts::<Program>(&apart));
        for (fairness, ..) in found {
            *seen.borrow_mut().entry(fairness).or_default() += 1;
        }
        Ok(())
    });
    let seen = seen.into_inner();
    println!("{seen:?}");
    for fairness in [
        Fairness::None,
        Fairness::Weak,
        Fairness::Livelock,
        Fairness::NoWayOut,
    ] {
        assert!(seen.contains_key(&fairness), "{seen:?}");
    }
}
