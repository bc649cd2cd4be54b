//! A run as text: one column a CPU, and only what passes between them.
//!
//! Shown are the calls that something happens in, the writes to fields that another task reads
//! later or has read before, the reads that see another task's write, and every note. What a
//! task does by itself is left out.

use crate::runner::names::Resolver;
use crate::runner::{Answer, Memory, Test};
use checker::engine::exhaustive::{Straight, Trace, straighten};
use checker::engine::schedule::Schedule;
use checker::event::{Event, TaskId, What};
use checker::layout::CellId;
use checker::model::Model;
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Width of a witness: fit for a mail.
const WIDTH: usize = 80;

/// A run, ready to be printed.
pub struct Witness {
    tasks: Vec<String>,
    /// Who, how deep, what.
    lines: Vec<(TaskId, usize, String)>,
}

impl Witness {
    /// The run that a schedule of an exploration gives, with its steps moved together as far as
    /// they are independent; and that schedule. Under weak memory steps are left where they are.
    pub fn of(test: &Test, answer: &Answer, schedule: &Schedule) -> (Self, Straight) {
        let straight = match answer.memory {
            Memory::Sequential => straighten(&answer.kernel, &answer.report.marks, schedule),
            Memory::Weak => Straight::unchanged(schedule),
        };
        let trace = answer.replay(&straight.schedule);
        let names = Resolver::new(test, &answer.kernel);
        (Self::new(&names, &answer.kernel, &trace), straight)
    }

    /// The shown part of a recorded run.
    pub fn new(names: &Resolver<'_>, kernel: &Kernel, trace: &Trace<Outcome>) -> Self {
        let events = of_tasks(trace);
        let kept = kept(&events);
        let mut open: BTreeMap<TaskId, Vec<(usize, bool)>> = BTreeMap::new();
        let mut lines = vec![];
        for (i, event) in events.iter().enumerate() {
            let stack = open.entry(event.task).or_default();
            match &event.what {
                What::Enter { .. } => stack.push((i, false)),
                What::Exit { .. } => {
                    stack.pop();
                }
                _ if kept.contains(&i) => {
                    for (depth, (call, shown)) in stack.iter_mut().enumerate() {
                        if !*shown {
                            *shown = true;
                            lines.push((event.task, depth, describe(events[*call], names, kernel)));
                        }
                    }
                    lines.push((event.task, stack.len(), describe(event, names, kernel)));
                }
                _ => {}
            }
        }
        let tasks = trace.tasks.iter().map(|t| names.relabel(t)).collect();
        Self { tasks, lines }
    }
}

/// The events of a run that its tasks made.
pub(crate) fn of_tasks(trace: &Trace<Outcome>) -> Vec<&Event> {
    let events = trace.events.iter();
    let of_tasks = events.filter(|e| e.task.index() < trace.tasks.len());
    of_tasks.collect()
}

/// Which events are shown: those by which tasks take notice of each other, and notes.
pub(crate) fn kept(events: &[&Event]) -> BTreeSet<usize> {
    let mut kept = BTreeSet::new();
    let mut last_write: BTreeMap<CellId, (TaskId, usize)> = BTreeMap::new();
    let mut readers: BTreeMap<CellId, BTreeSet<TaskId>> = BTreeMap::new();
    for (i, event) in events.iter().enumerate() {
        match &event.what {
            What::Read { cell, .. } => {
                readers.entry(*cell).or_default().insert(event.task);
                if let Some((writer, at)) = last_write
                    .get(cell)
                    .filter(|(writer, _)| *writer != event.task)
                {
                    debug_assert!(*writer != event.task);
                    kept.extend([*at, i]);
                }
            }
            What::Write { cell, old, new } if old != new => {
                let seen_by_others = readers
                    .get(cell)
                    .is_some_and(|r| r.iter().any(|t| *t != event.task));
                if seen_by_others {
                    kept.insert(i);
                }
                last_write.insert(*cell, (event.task, i));
            }
            What::StaleRead { cell, .. } => {
                readers.entry(*cell).or_default().insert(event.task);
                kept.extend(last_write.get(cell).map(|(_, at)| *at));
                kept.insert(i);
            }
            What::WriteBefore { .. } | What::Note { .. } | What::Oops(_) => {
                kept.insert(i);
            }
            _ => {}
        }
    }
    kept
}

/// What an event is, in words.
pub(crate) fn describe(event: &Event, names: &Resolver<'_>, kernel: &Kernel) -> String {
    let text = match &event.what {
        What::Enter { function, object } if object.is_empty() => format!("{function}()"),
        What::Enter { function, object } => format!("{function}({object})"),
        What::Exit { function, ret } if ret.is_empty() => format!("{function} returns"),
        What::Exit { function, ret } => format!("{function} => {ret}"),
        What::Read { cell, value } => format!(
            "{} is {}",
            cell_name(*cell, kernel),
            kernel.show(*cell, *value)
        ),
        What::StaleRead {
            cell,
            value,
            newest,
        } => format!(
            "{} is {} (stale: the newest is {})",
            cell_name(*cell, kernel),
            kernel.show(*cell, *value),
            kernel.show(*cell, *newest)
        ),
        What::WriteBefore { cell, new, newest } => format!(
            "{} = {} (before the newest, {})",
            cell_name(*cell, kernel),
            kernel.show(*cell, *new),
            kernel.show(*cell, *newest)
        ),
        What::Write { cell, new, .. } => format!(
            "{} = {}",
            cell_name(*cell, kernel),
            kernel.show(*cell, *new)
        ),
        What::Lock(lock) => format!("lock {}", kernel.layout().lock_name(*lock)),
        What::Unlock(lock) => format!("unlock {}", kernel.layout().lock_name(*lock)),
        What::Spawn(task) => format!("creates task {}", task.0),
        What::Wait => "waits".to_owned(),
        What::Note {
            kind: "printk" | "of_xlate",
            text,
        } => text.clone(),
        What::Note {
            kind: "iommu_group_alloc",
            ..
        } => "allocates a group".to_owned(),
        What::Note { kind, text } => format!("{kind} {text}"),
        What::Oops(text) => format!("Oops: {text}"),
    };
    names.relabel(&text)
}

fn cell_name(cell: CellId, kernel: &Kernel) -> String {
    kernel.layout().cell_name(cell)
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return writeln!(f, "No task takes notice of another.");
        }
        let shown: Vec<usize> = (0..self.tasks.len())
            .filter(|t| self.lines.iter().any(|(task, ..)| task.index() == *t))
            .collect();
        let step = if shown.len() < 2 {
            0
        } else {
            (40 / (shown.len() - 1)).min(36)
        };
        for (column, task) in shown.iter().enumerate() {
            writeln!(
                f,
                "{:indent$}{}",
                "",
                self.tasks[*task],
                indent = column * step
            )?;
        }
        writeln!(f, "{}", "-".repeat(WIDTH - 8))?;
        for (task, depth, text) in &self.lines {
            let column = shown.iter().position(|t| *t == task.index()).unwrap_or(0);
            write_wrapped(f, column * step + depth * 2, text)?;
        }
        Ok(())
    }
}

/// A line with its indent; what does not fit goes on in the next, two further in. Where the
/// indent leaves no room for the widest word, it gives way.
fn write_wrapped(f: &mut fmt::Formatter<'_>, indent: usize, text: &str) -> fmt::Result {
    let widest = text.split(' ').map(str::len).max().unwrap_or(0);
    let indent = indent.min(WIDTH - 24).min(WIDTH.saturating_sub(widest + 2));
    let mut line = String::new();
    let mut begins = indent;
    for word in text.split(' ') {
        if !line.is_empty() && begins + line.len() + 1 + word.len() > WIDTH {
            writeln!(f, "{:begins$}{line}", "")?;
            line.clear();
            begins = indent + 2;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(f, "{:begins$}{line}", "")
}

/// Every event of a run, a line each: who, how deep, what.
pub fn all_events(test: &Test, kernel: &Kernel, trace: &Trace<Outcome>) -> Vec<String> {
    let names = Resolver::new(test, kernel);
    let line = |event: &Event| {
        let who = match event.task.index() {
            t if t < trace.tasks.len() => format!("P{t}"),
            _ => "--".to_owned(),
        };
        format!(
            "{who:<4} {:indent$}{}",
            "",
            describe(event, &names, kernel),
            indent = event.depth as usize * 2
        )
    };
    trace.events.iter().map(line).collect()
}

/// As [`all_events`], with the number of each step in front and what a field held before a write.
pub fn verbose_events(test: &Test, kernel: &Kernel, trace: &Trace<Outcome>) -> Vec<String> {
    let names = Resolver::new(test, kernel);
    let lines = all_events(test, kernel, trace);
    let each = lines.into_iter().zip(&trace.events).enumerate();
    let line = |(step, (line, event)): (usize, (String, &Event))| {
        let was = match &event.what {
            What::Write { cell, old, .. } => {
                format!(" (was {})", names.relabel(&kernel.show(*cell, *old)))
            }
            _ => String::new(),
        };
        format!("{step:>5} {line}{was}")
    };
    each.map(line).collect()
}
