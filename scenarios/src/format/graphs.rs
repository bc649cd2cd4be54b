//! The graphs of `probe-litmus graph`, and a run as one.

use super::dot::Dot;
use super::{Happened, Run, short};
use crate::runner::names::Resolver;
use crate::runner::{Answer, Test};
use checker::engine::state_graph::{self, States};
use checker::model::Model;
use kernel::ids::DeviceId;
use std::collections::{BTreeMap, BTreeSet};

/// The order of lock classes: `A -> B` if B is taken under A. What lies on a cycle is red.
pub fn lock_order(test: &Test, answer: &Answer) -> Dot {
    let names = Resolver::new(test, &answer.kernel);
    let layout = answer.kernel.layout();
    let order = &answer.report.lock_order;
    let inversions = order.inversions(layout);
    let on_cycle: BTreeSet<_> = inversions
        .iter()
        .flat_map(|i| i.steps.iter().map(|s| (s.outer.clone(), s.inner.clone())))
        .collect();
    let edges = order.class_edges(layout);
    let classes = edges.iter().flat_map(|e| [&e.outer, &e.inner]);
    let mut dot = Dot::new("lock order");
    for class in classes.collect::<BTreeSet<_>>() {
        dot.node(&names.relabel(class), &[("shape", "box")]);
    }
    for edge in &edges {
        let (outer, inner) = (names.relabel(&edge.outer), names.relabel(&edge.inner));
        let mut attributes = vec![("label", edge.edge.inner.function)];
        if on_cycle.contains(&(edge.outer.clone(), edge.inner.clone())) {
            attributes.push(("color", "red"));
        }
        dot.edge(&outer, &inner, &attributes);
    }
    dot
}

/// fw_devlink's links: from the consumer to the supplier that it waits for. IOMMUs are boxes.
pub fn suppliers(test: &Test, answer: &Answer) -> Dot {
    let names = Resolver::new(test, &answer.kernel);
    let board = answer.kernel.board();
    let mut dot = Dot::new("suppliers");
    let name = |dev: DeviceId| names.display(dev);
    for dev in board.device_ids() {
        let is_iommu = board.devices[dev.index()].instance.is_some();
        let shape = if is_iommu { "box" } else { "ellipse" };
        dot.node(&name(dev), &[("shape", shape)]);
    }
    for link in &board.links {
        dot.edge(&name(link.consumer), &name(link.supplier), &[]);
    }
    dot
}

/// Who waits for whom at the end of a run: tasks are ellipses, locks boxes. A task points to what
/// it waits for, a lock to who holds it. `None` if nobody hangs.
pub fn wait_for(run: &Run) -> Option<Dot> {
    let waits = run.deadlock.as_ref()?;
    let mut dot = Dot::new("wait for");
    let mut nodes = BTreeSet::new();
    for wait in waits {
        let (task, what) = wait.split_once(" waits for ")?;
        let (lock, holder) = match what.split_once(", held by ") {
            Some((lock, holder)) => (lock, Some(holder)),
            None => (what, None),
        };
        if nodes.insert(task.to_owned()) {
            dot.node(task, &[]);
        }
        if nodes.insert(lock.to_owned()) {
            dot.node(lock, &[("shape", "box")]);
        }
        dot.edge(task, lock, &[("label", "waits for")]);
        if let Some(holder) = holder.filter(|h| *h != "nobody") {
            let died = holder.strip_suffix(", which died in an oops");
            let (holder, label) = match died {
                Some(holder) => (holder, "held by, which died in an oops"),
                None if holder == "itself" => (task, "held by"),
                None => (holder, "held by"),
            };
            dot.edge(lock, holder, &[("label", label)]);
        }
    }
    Some(dot)
}

/// The states of a scenario, unless there are more than so many.
pub fn all_states(answer: &Answer, most: usize) -> Option<States> {
    state_graph::states(&answer.kernel, &answer.report.marks, most)
}

/// The states of a small scenario: ends have a double line, and those with a deadlock are red.
pub fn states(test: &Test, answer: &Answer, graph: &States) -> Dot {
    let names = Resolver::new(test, &answer.kernel);
    let mut dot = Dot::new("states");
    for (number, state) in graph.states.iter().enumerate() {
        let mut attributes = vec![(
            "shape",
            if state.is_end {
                "doublecircle"
            } else {
                "circle"
            },
        )];
        if state.is_deadlock {
            attributes.push(("color", "red"));
        }
        dot.node(&number.to_string(), &attributes);
    }
    for (from, state) in graph.states.iter().enumerate() {
        for (task, to) in &state.choices {
            let name = graph.tasks.get(task.index());
            let name = name.map_or_else(|| format!("task {}", task.0), |n| names.relabel(n));
            let attributes = [("label", short(&name))];
            dot.edge(&from.to_string(), &to.to_string(), &attributes);
        }
    }
    dot
}

/// A run: each event a node, in the order of its task; and for what one task reads or takes of
/// another an edge from there, dashed.
pub fn run(run: &Run) -> Dot {
    let mut dot = Dot::new(&format!("{} on {}", run.scenario, run.kernel));
    let mut last: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    // Of each field and lock: the last write or drop, by whom.
    let mut left: BTreeMap<String, (Option<usize>, usize)> = BTreeMap::new();
    for record in &run.records {
        let Some((label, reads, writes)) = shown(&record.happened) else {
            continue;
        };
        let step = record.step;
        let task = record.task.map_or("set-up", |t| short(&run.tasks[t]));
        let text = format!("{step} {task}\n{label}");
        dot.node(&step.to_string(), &[("label", &text), ("shape", "box")]);
        if let Some(before) = last.insert(record.task, step) {
            dot.edge(&before.to_string(), &step.to_string(), &[]);
        }
        let from = reads.and_then(|what| left.get(what)).copied();
        if let Some((_, from)) = from.filter(|(who, _)| *who != record.task) {
            let attributes = [("style", "dashed")];
            dot.edge(&from.to_string(), &step.to_string(), &attributes);
        }
        if let Some(what) = writes {
            left.insert(what.to_owned(), (record.task, step));
        }
    }
    dot
}

/// What is shown of an event: its text, what it takes of others, and what it leaves to them.
fn shown(what: &Happened) -> Option<(String, Option<&str>, Option<&str>)> {
    Some(match what {
        Happened::Enter {
            function, object, ..
        } => (format!("{function}({object})"), None, None),
        Happened::Exit { .. } => return None,
        Happened::Read { field, value } => (format!("{field} is {value}"), Some(field), None),
        Happened::StaleRead { field, value, .. } => {
            (format!("{field} is {value} (stale)"), None, None)
        }
        Happened::Write { field, new, .. } => (format!("{field} = {new}"), None, Some(field)),
        Happened::WriteBefore { field, new, .. } => {
            (format!("{field} = {new} (before the newest)"), None, None)
        }
        Happened::Lock { lock, .. } => (format!("lock {lock}"), Some(lock), None),
        Happened::Unlock { lock, .. } => (format!("unlock {lock}"), None, Some(lock)),
        Happened::Spawn { child } => (format!("creates task {child}"), None, None),
        Happened::Wait => ("waits".to_owned(), None, None),
        Happened::Note { kind, text } => (format!("{kind} {text}"), None, None),
        Happened::Oops { text } => (format!("Oops: {text}"), None, None),
    })
}
