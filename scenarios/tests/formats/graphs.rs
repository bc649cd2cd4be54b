//! DOT, read by a parser that is not ours, and by graphviz.

use super::{LATE, STUCK, answer, file, is_there, other, program, runs, test, text};
use dot_parser::ast;
use proptest::prelude::*;
use scenarios::format::dot::Dot;
use scenarios::format::graphs;

/// Nodes and edges, as a parser counts them that is not ours.
fn parsed(dot: &str) -> (usize, usize) {
    let graph = ast::Graph::try_from(dot).unwrap_or_else(|e| panic!("{e}\n{dot}"));
    let graph = dot_parser::canonical::Graph::from(graph);
    (graph.nodes.set.len(), graph.edges.set.len())
}

fn drawings() -> Vec<String> {
    let late = test(LATE);
    let of_late = answer(&late, "v6.16");
    let mut all = vec![
        graphs::lock_order(&late, &of_late).to_string(),
        graphs::suppliers(&late, &of_late).to_string(),
    ];
    for (_, run) in runs(STUCK, "v6.15", true) {
        all.extend(graphs::wait_for(&run).map(|dot| dot.to_string()));
        all.push(graphs::run(&run).to_string());
    }
    all
}

#[test]
fn another_parser_reads_every_graph() {
    for dot in drawings() {
        assert!(parsed(&dot).0 > 0, "{dot}");
    }
}

#[test]
fn graphviz_reads_every_graph() {
    // `nop` reads and prints, and lays nothing out: that takes long for a run.
    if !is_there("nop", "graphs against graphviz") {
        return;
    }
    for dot in drawings() {
        let output = other("nop", &[], &dot);
        assert!(output.status.success(), "{}\n{dot}", text(&output.stderr));
    }
}

#[test]
fn the_lock_order_has_the_edges_of_the_report() {
    let late = test(LATE);
    let answer = answer(&late, "v6.16");
    let layout = checker::model::Model::layout(&*answer.kernel);
    let edges = answer.report.lock_order.class_edges(layout);
    assert!(edges.len() > 3, "{edges:?}");
    let dot = graphs::lock_order(&late, &answer).to_string();
    assert_eq!(parsed(&dot).1, edges.len());
    assert!(!dot.contains("color=\"red\""), "no cycle");
}

#[test]
fn a_deadlock_has_who_waits_the_lock_and_who_has_it() {
    let all = runs(STUCK, "v6.15", true);
    let drawn: Vec<_> = all
        .iter()
        .filter_map(|(_, run)| graphs::wait_for(run))
        .collect();
    let hangs = all.iter().filter(|(trace, _)| trace.end.deadlock.is_some());
    assert_eq!(drawn.len(), hangs.count());
    let first = drawn
        .first()
        .expect("some outcome is a deadlock")
        .to_string();
    assert_eq!(parsed(&first), (3, 2), "{first}");
}

/// Each state is one, and the search, which goes to fewer, reaches no more ends.
#[test]
fn the_states_of_a_small_scenario_are_drawn() {
    let test = test("basics/device-added-during-the-walk.litmus");
    let answer = answer(&test, "v7.3-rc7");
    let graph = graphs::all_states(&answer, 5_000).expect("it is small");
    let ends = graph.states.iter().filter(|s| s.is_end).count();
    assert!(ends >= answer.holds.len(), "{ends}");
    let edges = graph.states.iter().map(|s| s.choices.len()).sum::<usize>();
    let dot = graphs::states(&test, &answer, &graph).to_string();
    assert_eq!(parsed(&dot), (graph.states.len(), edges));
    let all = graph.states.len();
    assert_eq!(graphs::all_states(&answer, all), Some(graph));
    assert_eq!(graphs::all_states(&answer, all - 1), None);
}

#[test]
fn too_many_states_are_refused() {
    let scenario = file(LATE).display().to_string();
    let output = program(&[
        "graph",
        "states",
        &scenario,
        "--kernel",
        "v6.16",
        "--max-states",
        "10",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let err = text(&output.stderr);
    assert!(err.contains("there are more than 10 states"), "{err}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_scenario_without_a_deadlock_has_nothing_to_wait_for() {
    let scenario = file(LATE).display().to_string();
    let output = program(&["graph", "wait-for", &scenario, "--kernel", "v6.16"]);
    assert_eq!(output.status.code(), Some(2));
    let err = text(&output.stderr);
    assert!(
        err.contains("is a deadlock: nobody waits for another"),
        "{err}"
    );
}

proptest! {
    /// Whatever stands in a name, it is one node. (The parser stumbles over `\\\\` before the last
    /// quote, which graphviz reads.)
    #[test]
    fn any_name_is_quoted(
        name in "[ -~\n]{0,11}[ -!#-\\[\\]-~]",
        label in "[ -~\n\u{e4}]{0,11}[ -!#-\\[\\]-~]",
    ) {
        let mut dot = Dot::new("any");
        dot.node(&name, &[("label", &label)]);
        dot.edge(&name, "other", &[("label", &label)]);
        let nodes = if name == "other" { 1 } else { 2 };
        prop_assert_eq!(parsed(&dot.to_string()), (nodes, 1));
    }
}
