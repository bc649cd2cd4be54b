//! The graph of states that is drawn has the states that a search without reductions counts.

use crate::random;
use checker::engine::exhaustive::{Options, explore};
use checker::engine::state_graph::states;
use checker::outcome::Complete;
use proptest::prelude::*;
use std::cell::Cell;

const MOST: usize = 400;

#[test]
fn it_has_the_states_of_a_search_that_runs_each_step() {
    let compared = Cell::new(0);
    random::check(256, |program| {
        let options = Options {
            automaton: false,
            max_states: 1_000,
            ..Options::default()
        };
        let report = explore(program, &options);
        let Some(graph) = states(program, &report.marks, MOST) else {
            return Ok(());
        };
        prop_assert_eq!(&report.complete, &Complete::Yes);
        let with_choice = graph.states.iter().filter(|s| !s.choices.is_empty());
        prop_assert_eq!(with_choice.count() as u64, report.states);
        let ends = graph.states.iter().filter(|s| s.is_end).count();
        prop_assert!(ends >= report.finals.len());
        let deadlocks = graph.states.iter().any(|s| s.is_deadlock);
        let expected = report.finals.keys().any(|end| end.deadlock.is_some());
        prop_assert_eq!(deadlocks, expected);
        compared.set(compared.get() + usize::from(report.states > 3));
        Ok(())
    });
    assert!(compared.get() > 60, "{} programs", compared.get());
}
