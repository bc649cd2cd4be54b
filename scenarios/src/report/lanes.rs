//! A run in lanes, one for each task: what is shown of it, and which locks go from hand to hand.
//!
//! Shown are the steps that `explain` shows, and where a lock is dropped by one task and taken
//! next by another. Where that one came to the lock while it was held, and so waited, that is shown
//! too; else it is an order and nothing more.

use crate::functions::kernel_file;
use crate::runner::names::Resolver;
use crate::witness::{describe, kept, of_tasks};
use checker::engine::exhaustive::Trace;
use checker::event::{Event, TaskId, What};
use checker::layout::LockId;
use checker::model::Model;
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// A run, to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lanes {
    /// Who has a lane: the tasks with a step, by name.
    pub lanes: Vec<String>,
    /// In order.
    pub steps: Vec<Step>,
    /// Locks that go from one lane to another, in the order in which they are taken.
    pub handovers: Vec<Handover>,
}

/// A line of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Whose, as an index into the lanes.
    pub lane: usize,
    /// How many shown calls deep.
    pub depth: usize,
    /// What it is.
    pub sort: Sort,
    /// What happens.
    pub text: String,
    /// The functions that it happens in, the outermost first. For a call it is the last of them.
    pub calls: Vec<&'static str>,
}

/// What sort of thing a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A function is entered.
    Call,
    /// A field is read or written.
    Field,
    /// A lock is taken or dropped.
    Lock,
    /// The log has a line, or the model notes something.
    Note,
    /// A WARN, an oops, a use after free.
    Splat,
}

/// A lock that one task drops and another takes next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handover {
    /// The step that drops it.
    pub from: usize,
    /// The step that takes it.
    pub to: usize,
    /// The lock.
    pub lock: String,
    /// Whether who takes it has waited for it: came to it before it was dropped.
    pub waited: bool,
}

impl Step {
    /// The function that it happens in, and the file of the kernel that this is in.
    pub fn place(&self) -> Option<(&'static str, Option<&'static str>)> {
        self.calls.last().map(|f| (*f, kernel_file(f)))
    }
}

impl Lanes {
    /// The shown part of a recorded run.
    pub fn new(names: &Resolver<'_>, kernel: &Kernel, trace: &Trace<Outcome>) -> Self {
        let events = of_tasks(trace);
        let locks = handovers(&events);
        let mut wanted = kept(&events);
        wanted.extend(
            locks
                .iter()
                .flat_map(|l| [Some(l.from), Some(l.to), l.waits])
                .flatten(),
        );
        let (steps, at) = Drawn::of(&events, &wanted, names, kernel);
        let mut handovers: Vec<Handover> = locks
            .into_iter()
            .map(|l| Handover {
                from: at[&l.from],
                to: at[&l.to],
                lock: names.relabel(&kernel.layout().lock_name(l.lock)),
                waited: l.waits.is_some(),
            })
            .collect();
        handovers.sort_by_key(|h| (h.to, h.from));
        Self::with_lanes(steps, handovers, |task| names.relabel(&trace.tasks[task]))
    }

    /// Gives a lane to each task that has a step; until here, `lane` is the task.
    fn with_lanes(
        mut steps: Vec<Step>,
        handovers: Vec<Handover>,
        name: impl Fn(usize) -> String,
    ) -> Self {
        let tasks: BTreeSet<usize> = steps.iter().map(|s| s.lane).collect();
        for step in &mut steps {
            step.lane = tasks.range(..step.lane).count();
        }
        Self {
            lanes: tasks.into_iter().map(name).collect(),
            steps,
            handovers,
        }
    }
}

/// A lock that is taken and that another task had last, by events.
struct Next {
    /// It is dropped.
    from: usize,
    /// It is taken.
    to: usize,
    /// Who takes it begins to wait for it.
    waits: Option<usize>,
    lock: LockId,
}

/// Where a lock is taken that another task had last.
fn handovers(events: &[&Event]) -> Vec<Next> {
    let mut dropped: BTreeMap<LockId, (TaskId, usize)> = BTreeMap::new();
    // What a task did last, if that was to wait.
    let mut waits: BTreeMap<TaskId, usize> = BTreeMap::new();
    let mut found = vec![];
    for (i, event) in events.iter().enumerate() {
        let waited = waits.remove(&event.task);
        match event.what {
            What::Unlock(lock) => {
                dropped.insert(lock, (event.task, i));
            }
            What::Lock(lock) => {
                if let Some((by, at)) = dropped.remove(&lock)
                    && by != event.task
                {
                    // A lock is taken right after waiting for it.
                    let waits = waited.filter(|w| *w < at);
                    let (from, to) = (at, i);
                    found.push(Next {
                        from,
                        to,
                        waits,
                        lock,
                    });
                }
            }
            What::Wait => {
                waits.insert(event.task, i);
            }
            _ => {}
        }
    }
    found
}

/// Collects steps, each call before the first that is shown in it.
struct Drawn {
    steps: Vec<Step>,
    /// Which step an event is.
    at: BTreeMap<usize, usize>,
}

impl Drawn {
    fn of(
        events: &[&Event],
        wanted: &BTreeSet<usize>,
        names: &Resolver<'_>,
        kernel: &Kernel,
    ) -> (Vec<Step>, BTreeMap<usize, usize>) {
        let mut drawn = Self {
            steps: vec![],
            at: BTreeMap::new(),
        };
        let mut open: BTreeMap<TaskId, Vec<(usize, &'static str, bool)>> = BTreeMap::new();
        for (i, event) in events.iter().enumerate() {
            let stack = open.entry(event.task).or_default();
            match &event.what {
                What::Enter { function, .. } => stack.push((i, function, false)),
                What::Exit { .. } => {
                    stack.pop();
                }
                _ if wanted.contains(&i) => {
                    let calls: Vec<&'static str> = stack.iter().map(|(_, f, _)| *f).collect();
                    for (depth, (call, _, shown)) in stack.iter_mut().enumerate() {
                        if !std::mem::replace(shown, true) {
                            let text = describe(events[*call], names, kernel);
                            drawn.add(*call, events[*call], depth, text, &calls[..=depth]);
                        }
                    }
                    drawn.add(
                        i,
                        event,
                        calls.len(),
                        describe(event, names, kernel),
                        &calls,
                    );
                }
                _ => {}
            }
        }
        (drawn.steps, drawn.at)
    }

    fn add(&mut self, i: usize, event: &Event, depth: usize, text: String, calls: &[&'static str]) {
        self.at.insert(i, self.steps.len());
        self.steps.push(Step {
            lane: event.task.index(),
            depth,
            sort: sort(&event.what),
            text,
            calls: calls.to_vec(),
        });
    }
}

fn sort(what: &What) -> Sort {
    match what {
        What::Enter { .. } | What::Exit { .. } => Sort::Call,
        What::Lock(_) | What::Unlock(_) => Sort::Lock,
        What::Read { .. }
        | What::Write { .. }
        | What::StaleRead { .. }
        | What::WriteBefore { .. } => Sort::Field,
        What::Oops(_)
        | What::Note {
            kind: "WARN" | "BUG" | "Oops",
            ..
        } => Sort::Splat,
        What::Spawn(_) | What::Wait | What::Note { .. } => Sort::Note,
    }
}
