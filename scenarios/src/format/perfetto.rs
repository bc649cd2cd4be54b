//! A run as trace events, for ui.perfetto.dev and chrome://tracing.
//!
//! Format: "Trace Event Format" of the Chromium project, JSON object form. A task is a thread, and
//! calls are its slices. A lock that is held is an asynchronous slice of its own; where it is then
//! taken by another task, an arrow leads from the end to the beginning. All else are instants.

use super::{Happened, Record, Run};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The process that all tasks are threads of.
const PID: u32 = 1;

/// All of it.
pub fn print(run: &Run) -> String {
    let mut events = Events::default();
    events.named(
        "process_name",
        0,
        &format!("{} on {}", run.scenario, run.kernel),
    );
    events.named("thread_name", 0, "set-up");
    for (task, name) in run.tasks.iter().enumerate() {
        events.named("thread_name", task + 1, name);
    }
    for record in &run.records {
        events.add(record);
    }
    events.close(run.records.len());
    let all = json!({
        "traceEvents": events.all,
        "displayTimeUnit": "ms",
        "otherData": {
            "scenario": run.scenario,
            "kernel": run.kernel,
            "schedule": run.schedule,
            "outcome": run.outcome,
        },
    });
    format!("{all:#}\n")
}

#[derive(Default)]
struct Events {
    all: Vec<Value>,
    /// The calls that are open, by thread.
    open: BTreeMap<usize, Vec<String>>,
    /// The locks that are held, by number: who has each, and its name.
    held: BTreeMap<u32, (usize, String)>,
    /// Who dropped each lock last, and when.
    dropped: BTreeMap<u32, (usize, usize)>,
    arrows: usize,
}

impl Events {
    /// What something is called.
    fn named(&mut self, what: &str, tid: usize, name: &str) {
        self.all.push(json!({
            "ph": "M", "name": what, "pid": PID, "tid": tid, "args": {"name": name},
        }));
    }

    fn push(&mut self, ph: &str, name: &str, at: (usize, usize), more: Value) {
        let (ts, tid) = at;
        let mut event = json!({"ph": ph, "name": name, "pid": PID, "tid": tid, "ts": ts});
        if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
            event.extend(more);
        }
        self.all.push(event);
    }

    fn add(&mut self, record: &Record) {
        let tid = record.task.map_or(0, |task| task + 1);
        let at = (record.step, tid);
        match &record.happened {
            Happened::Enter {
                function, object, ..
            } => {
                self.open.entry(tid).or_default().push(function.clone());
                let args = json!({"args": {"object": object}});
                self.push("B", function, at, args);
            }
            Happened::Exit { function, ret } => {
                self.open.entry(tid).or_default().pop();
                self.push("E", function, at, json!({"args": {"ret": ret}}));
            }
            Happened::Lock { id, lock, .. } => self.lock(*id, lock, at),
            Happened::Unlock { id, lock, .. } => {
                self.held.remove(id);
                self.dropped.insert(*id, (tid, record.step));
                self.push("e", lock, at, json!({"cat": "lock", "id": id}));
            }
            other => {
                let name = instant(other);
                let args = serde_json::to_value(other).unwrap_or(Value::Null);
                self.push("i", &name, at, json!({"s": "t", "args": args}));
            }
        }
    }

    fn lock(&mut self, id: u32, lock: &str, at: (usize, usize)) {
        let (_, tid) = at;
        if let Some((by, when)) = self.dropped.get(&id).copied().filter(|(by, _)| *by != tid) {
            self.arrows += 1;
            let arrow = json!({"cat": "hand-over", "id": self.arrows});
            self.push("s", lock, (when, by), arrow.clone());
            let mut end = arrow;
            end["bp"] = json!("e");
            self.push("f", lock, at, end);
        }
        self.held.insert(id, (tid, lock.to_owned()));
        self.push("b", lock, at, json!({"cat": "lock", "id": id}));
    }

    /// Ends what is open when the run is over: calls of tasks that hang or died, and their locks.
    fn close(&mut self, ts: usize) {
        for (id, (tid, lock)) in std::mem::take(&mut self.held) {
            self.push("e", &lock, (ts, tid), json!({"cat": "lock", "id": id}));
        }
        for (tid, calls) in std::mem::take(&mut self.open) {
            for function in calls.into_iter().rev() {
                self.push("E", &function, (ts, tid), json!({}));
            }
        }
    }
}

/// What an instant is called.
fn instant(what: &Happened) -> String {
    match what {
        Happened::Read { field, value } => format!("{field} is {value}"),
        Happened::StaleRead { field, value, .. } => format!("{field} is {value} (stale)"),
        Happened::Write { field, new, .. } => format!("{field} = {new}"),
        Happened::WriteBefore { field, new, .. } => format!("{field} = {new} (before the newest)"),
        Happened::Spawn { child } => format!("creates task {child}"),
        Happened::Wait => "waits".to_owned(),
        Happened::Note { kind, text } => format!("{kind} {text}"),
        Happened::Oops { text } => format!("Oops: {text}"),
        Happened::Enter { function, .. } | Happened::Exit { function, .. } => function.clone(),
        Happened::Lock { lock, .. } | Happened::Unlock { lock, .. } => lock.clone(),
    }
}
