//! Newline-delimited JSON: an object a line. The fields are listed in `docs/formats.md`.

use super::{Record, Run};
use crate::litmus::Verdict;
use crate::runner::invariants::InvariantAnswer;
use crate::runner::names::Resolver;
use crate::runner::{Answer, Memory, Test};
use checker::model::Model;
use checker::outcome::Complete;
use serde::Serialize;
use serde_json::{Value, json};

/// Goes up when a field is taken away or means something else. New fields may come at any time.
const FORMAT: u32 = 1;

fn line(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value);
    text.expect("it has no maps with keys that are no text") + "\n"
}

/// A run: a line of `run`, one for each event, and one of `end`.
pub fn run(run: &Run) -> String {
    #[derive(Serialize)]
    struct Head<'a> {
        record: &'static str,
        format: u32,
        #[serde(flatten)]
        run: &'a Run,
    }
    #[derive(Serialize)]
    struct One<'a> {
        record: &'static str,
        #[serde(flatten)]
        event: &'a Record,
    }
    let head = line(&Head {
        record: "run",
        format: FORMAT,
        run,
    });
    let events = run.records.iter().map(|event| {
        let record = "event";
        line(&One { record, event })
    });
    let end = line(&json!({
        "record": "end",
        "steps": run.records.len(),
        "outcome": run.outcome,
        "deadlock": run.deadlock,
    }));
    std::iter::once(head).chain(events).chain([end]).collect()
}

/// An answer of `check`: one line.
pub fn answer(test: &Test, answer: &Answer) -> String {
    let report = &answer.report;
    let names = Resolver::new(test, &answer.kernel);
    let layout = answer.kernel.layout();
    let verdict = |v: Option<Verdict>| v.map_or(Value::Null, |v| json!(v.word()));
    let incomplete = match &report.complete {
        Complete::Yes => Value::Null,
        Complete::No(why) => json!(why),
    };
    let properties = answer.properties.iter().map(|p| {
        json!({"kind": p.kind.word(), "name": p.name, "holds": p.holds, "vacuous": p.is_vacuous})
    });
    let violated = answer.invariants.iter().filter(|i| i.violated != 0);
    let violated = violated.map(|i: &InvariantAnswer| {
        let devices: Vec<_> = i.devices.iter().map(|d| names.display(*d)).collect();
        json!({"name": i.name, "says": i.says, "devices": devices, "outcomes": i.violated})
    });
    let races = report.data_races.keys();
    let races = races.map(|r| json!({"field": names.relabel(&r.field), "sites": r.sites}));
    let edges = report.lock_order.class_edges(layout);
    let edges = edges.iter().map(|e| {
        let (outer, inner) = (names.relabel(&e.outer), names.relabel(&e.inner));
        json!({"outer": outer, "inner": inner, "in": e.edge.inner.function})
    });
    let inversions = report.lock_order.inversions(layout);
    let inversions = inversions.iter().map(|i| {
        let classes = i.classes().map(|c| names.relabel(c));
        classes.collect::<Vec<_>>()
    });
    line(&json!({
        "record": "answer",
        "format": FORMAT,
        "scenario": test.litmus.name.value,
        "kernel": answer.revision,
        "memory": match answer.memory {
            Memory::Sequential => "sc",
            Memory::Weak => "weak",
        },
        "complete": report.complete == Complete::Yes,
        "incomplete": incomplete,
        "observed": answer.observed.word(),
        "expected": verdict(answer.expected),
        "as_stated": answer.is_as_stated(),
        "outcomes": answer.holds.len(),
        "with_condition": answer.holds.iter().filter(|h| **h).count(),
        "deadlocks": report.finals.keys().filter(|end| end.deadlock.is_some()).count(),
        "properties": properties.collect::<Vec<_>>(),
        "violated": violated.collect::<Vec<_>>(),
        "data_races": races.collect::<Vec<_>>(),
        "lock_order": edges.collect::<Vec<_>>(),
        "inversions": inversions.collect::<Vec<_>>(),
        "states": report.states,
        "depth": report.depth,
        "executions": report.executions,
        "interleavings": report.interleavings.to_string(),
    }))
}
