//! How a finding comes about: causes, and the steps by which each is known in a run.
//!
//! A signature says what is wrong at the end, and two bugs can end alike. So the run that leads to
//! it is searched for the steps of each cause, in their order, by which tasks. That they are there
//! does not prove that nothing else is needed; that none is there says that the run is one to be
//! looked at. The table is `causes.txt`.

use super::signature::Signature;
use crate::runner::names::Resolver;
use checker::engine::exhaustive::Trace;
use checker::event::{Event, TaskId, What};
use checker::layout::CellId;
use checker::model::Model;
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static CAUSES: LazyLock<Vec<Cause>> = LazyLock::new(|| table(include_str!("causes.txt")));

/// Who takes a step. A and B are two tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    A,
    B,
    Any,
}

/// One step, as a pattern; [`is_like`] says what that is.
#[derive(Clone, Copy, Debug)]
struct Step {
    who: Who,
    what: &'static str,
    /// Calls in which it is taken.
    inside: &'static str,
}

/// A cause, and one order of its steps.
#[derive(Clone, Debug)]
struct Cause {
    name: &'static str,
    /// The faults that can come of it, by their ids.
    of: Vec<&'static str>,
    steps: Vec<Step>,
}

/// Reads the table, which is a part of the program: what is wrong with it is a bug.
fn table(text: &'static str) -> Vec<Cause> {
    let mut causes: Vec<Cause> = vec![];
    let lines = text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'));
    for line in lines {
        if let Some((name, of)) = line.split_once(": ").filter(|_| !line.starts_with(' ')) {
            let of = of.split(' ').collect();
            let steps = vec![];
            causes.push(Cause { name, of, steps });
            continue;
        }
        let (who, what) = line.trim_start().split_once(' ').expect("who and what");
        let (what, inside) = what.split_once("  in ").unwrap_or((what, ""));
        let who = match who {
            "A" => Who::A,
            "B" => Who::B,
            "?" => Who::Any,
            other => panic!("no task is called {other}"),
        };
        let cause = causes.last_mut().expect("a cause comes before its steps");
        cause.steps.push(Step { who, what, inside });
    }
    causes
}

/// The causes whose steps a run has and of which something of its end can come, in the order of
/// the table. None if that does not explain all of it.
pub(super) fn causes(
    signature: &Signature,
    names: &Resolver<'_>,
    kernel: &Kernel,
    trace: &Trace<Outcome>,
) -> Vec<&'static str> {
    let seen = seen(names, kernel, trace);
    let clients = names.laid_out.device_ids();
    let clients = clients.filter(|d| !names.laid_out.devices[d.index()].iommus.is_empty());
    let clients: Vec<String> = clients.map(|d| names.display(d)).collect();
    let mut open: BTreeSet<&str> = signature.iter().map(|f| f.id.as_str()).collect();
    let mut found = vec![];
    for cause in CAUSES.iter() {
        let is_of = signature.iter().any(|f| cause.of.contains(&f.id.as_str()));
        let fits = |client: &String| is_there(&cause.steps, &seen, client);
        if is_of && clients.iter().any(fits) {
            if !found.contains(&cause.name) {
                found.push(cause.name);
            }
            open.retain(|id| !cause.of.contains(id));
        }
    }
    if open.is_empty() { found } else { vec![] }
}

/// An event as patterns see it.
struct Seen {
    task: TaskId,
    what: String,
    /// The calls in which it is, each with a number of its own.
    inside: Vec<(String, usize)>,
}

/// The events of a run, as text.
fn seen(names: &Resolver<'_>, kernel: &Kernel, trace: &Trace<Outcome>) -> Vec<Seen> {
    let mut open: BTreeMap<TaskId, Vec<(String, usize)>> = BTreeMap::new();
    let mut all = vec![];
    for (number, event) in trace.events.iter().enumerate() {
        let calls = open.entry(event.task).or_default();
        if let What::Enter { function, object } = &event.what {
            calls.push((names.relabel(&format!("{function} {object}")), number));
        }
        if let Some(what) = text(event, calls, kernel) {
            all.push(Seen {
                task: event.task,
                what: names.relabel(&what),
                inside: calls.clone(),
            });
        }
        if let What::Exit { .. } = &event.what {
            calls.pop();
        }
    }
    all
}

/// What an event is; `None` for those that no step is.
fn text(event: &Event, calls: &[(String, usize)], kernel: &Kernel) -> Option<String> {
    let field = |cell: CellId| kernel.layout().cell_name(cell);
    Some(match &event.what {
        What::Enter { function, object } => format!("enter {function} {object}"),
        What::Exit { ret, .. } => format!("exit {} {ret}", calls.last()?.0),
        What::Read { cell, value } => {
            format!("read {} {}", field(*cell), kernel.show(*cell, *value))
        }
        What::Write { cell, old, new } if old != new => {
            format!("write {} {}", field(*cell), kernel.show(*cell, *new))
        }
        What::Note { kind, text } => format!("note {kind} {text}"),
        What::Oops(text) => format!("oops {text}"),
        _ => return None,
    })
}

/// Who was found for A and B, and the calls that are the same in all steps.
#[derive(Clone, Default)]
struct Bound {
    a: Option<TaskId>,
    b: Option<TaskId>,
    calls: Vec<(TaskId, String, usize)>,
}

impl Bound {
    /// With a task for A or B, if that is possible.
    fn with(mut self, who: Who, task: TaskId) -> Option<Self> {
        let (this, other) = match who {
            Who::A => (&mut self.a, self.b),
            Who::B => (&mut self.b, self.a),
            Who::Any => return Some(self),
        };
        if this.is_some_and(|t| t != task) || other == Some(task) {
            return None;
        }
        *this = Some(task);
        Some(self)
    }

    /// With the calls in which an event is, if it is in those that a step asks for.
    fn within(mut self, step: &Step, event: &Seen, client: &str) -> Option<Self> {
        for call in step.inside.split(", ").filter(|call| !call.is_empty()) {
            let name = call.trim_start_matches('=').replace("$d", client);
            let is_it = |(open, _): &&(String, usize)| is_like(&name, open);
            let (_, number) = event.inside.iter().rev().find(is_it)?;
            if !call.starts_with('=') {
                continue;
            }
            let known = self
                .calls
                .iter()
                .find(|(t, n, _)| *t == event.task && *n == name);
            match known {
                Some((.., other)) if other != number => return None,
                Some(_) => {}
                None => self.calls.push((event.task, name, *number)),
            }
        }
        Some(self)
    }
}

/// Whether the steps are in the run, in this order.
fn is_there(steps: &[Step], seen: &[Seen], client: &str) -> bool {
    let patterns: Vec<String> = steps.iter().map(|s| s.what.replace("$d", client)).collect();
    goes_on(steps, &patterns, seen, client, &Bound::default())
}

fn goes_on(
    steps: &[Step],
    patterns: &[String],
    seen: &[Seen],
    client: &str,
    bound: &Bound,
) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    seen.iter().enumerate().any(|(n, event)| {
        let bound = bound
            .clone()
            .with(step.who, event.task)
            .filter(|_| is_like(&patterns[0], &event.what));
        let bound = bound.and_then(|b| b.within(step, event, client));
        bound.is_some_and(|b| goes_on(rest, &patterns[1..], &seen[n + 1..], client, &b))
    })
}

/// Whether a text is like a pattern: `*` is any text, and `!NULL` at the end anything but NULL.
fn is_like(pattern: &str, text: &str) -> bool {
    if let Some(start) = pattern.strip_suffix("!NULL") {
        return text.strip_prefix(start).is_some_and(|rest| rest != "NULL");
    }
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = (0..=text.len()).filter(|n| text.is_char_boundary(*n));
            ends.any(|n| is_like(rest, &text[n..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{CAUSES, is_like};
    use std::collections::BTreeSet;

    /// Each row can be read, and says something: a cause without steps would be in every run.
    #[test]
    fn the_table_has_steps_and_faults_for_each_cause() {
        let names: BTreeSet<&str> = CAUSES.iter().map(|c| c.name).collect();
        assert!(names.contains("driver-starts-without-its-domain"));
        for cause in CAUSES.iter() {
            assert!(
                !cause.steps.is_empty() && !cause.of.is_empty(),
                "{}",
                cause.name
            );
            let a_is_one = cause.steps.iter().any(|s| s.what != "*");
            assert!(a_is_one, "{} is in every run", cause.name);
        }
    }

    #[test]
    fn a_star_is_any_text_and_not_null_is_anything_else() {
        assert!(is_like(
            "note WARN *client0: late*",
            "note WARN drv client0: late probe"
        ));
        assert!(!is_like(
            "note WARN *client0: late*",
            "note WARN drv client1: late probe"
        ));
        assert!(is_like(
            "read client0: dev->driver !NULL",
            "read client0: dev->driver drv"
        ));
        assert!(!is_like(
            "read client0: dev->driver !NULL",
            "read client0: dev->driver NULL"
        ));
        assert!(!is_like("enter f client0", "enter f client01"));
    }
}
