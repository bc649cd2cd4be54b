//! A run as trace events, for ui.perfetto.dev and chrome://tracing.
//!
//! Format: "Trace Event Format" of the Chromium project, JSON object form. A task is a thread with a
//! slice for all that it does, since arrows need one to begin and end in, and calls are slices in
//! that. A lock that is held is an asynchronous slice of its own; where it is then
//! taken by another task, an arrow leads from the end to the beginning: of one category if that task
//! has waited for it, of another if it came later. All else are instants.

use super::{Happened, Record, Run};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The process that all tasks are threads of.
const PID: u32 = 1;

/// The thread of what the set-up does; those of the tasks follow. Thread 0 is the idle one, which
/// Perfetto takes no name for.
const SET_UP: usize = 1;

fn thread(record: &Record) -> usize {
    record.task.map_or(SET_UP, |task| task + 1 + SET_UP)
}

/// All of it.
pub fn print(run: &Run) -> String {
    let mut events = Events::default();
    events.named(
        "process_name",
        0,
        &format!("{} on {}", run.scenario, run.kernel),
    );
    let tasks = run.tasks.iter().map(String::as_str);
    for (tid, name) in std::iter::once("set-up").chain(tasks).enumerate() {
        let tid = tid + SET_UP;
        events.named("thread_name", tid, name);
        let mut of_thread = run.records.iter().filter(|r| thread(r) == tid);
        if let Some(first) = of_thread.next() {
            events.begin(name, (first.step, tid), json!({}));
        }
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
    /// The threads that did nothing since they began to wait, and when that was.
    waits: BTreeMap<usize, usize>,
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

    /// A slice begins.
    fn begin(&mut self, name: &str, at: (usize, usize), more: Value) {
        self.open.entry(at.1).or_default().push(name.to_owned());
        self.push("B", name, at, more);
    }

    fn add(&mut self, record: &Record) {
        let tid = thread(record);
        let at = (record.step, tid);
        let waited = self.waits.remove(&tid);
        if record.happened == Happened::Wait {
            self.waits.insert(tid, record.step);
        }
        match &record.happened {
            Happened::Enter {
                function, object, ..
            } => {
                self.begin(function, at, json!({"args": {"object": object}}));
            }
            Happened::Exit { function, ret } => {
                self.open.entry(tid).or_default().pop();
                self.push("E", function, at, json!({"args": {"ret": ret}}));
            }
            Happened::Lock { id, lock, .. } => self.lock(*id, lock, at, waited),
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

    fn lock(&mut self, id: u32, lock: &str, at: (usize, usize), waited: Option<usize>) {
        let (_, tid) = at;
        if let Some((by, when)) = self.dropped.get(&id).copied().filter(|(by, _)| *by != tid) {
            self.arrows += 1;
            let has_waited = waited.is_some_and(|since| since < when);
            let category = if has_waited {
                "hand-over"
            } else {
                "taken-next"
            };
            let arrow = json!({"cat": category, "id": self.arrows});
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
