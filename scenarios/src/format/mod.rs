//! Runs and answers for programs: what each format has stands in `docs/formats.md`.
//!
//! A recorded run is a [`Run`], which is data; ftrace's text, trace events for Perfetto, NDJSON and
//! DOT are made of it. [`ktap`] and [`ndjson`] have answers of `check`, [`splat`] what the kernel's
//! own checkers would print, and [`graphs`] what `probe-litmus graph` draws.

pub mod dot;
pub mod ftrace;
pub mod graphs;
pub mod ktap;
pub mod ndjson;
pub mod perfetto;
pub mod splat;

use crate::runner::names::Resolver;
use crate::runner::report::outcome_lines;
use checker::engine::exhaustive::Trace;
use checker::event::{Event, What};
use checker::layout::LockId;
use checker::model::Model;
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use serde::Serialize;

/// A recorded run with names in place of numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The scenario.
    pub scenario: String,
    /// The kernel, as the user wrote it.
    pub kernel: String,
    /// The schedule that gives it.
    pub schedule: String,
    /// The tasks by number, as `CPU0 (driver_register arm-smmu-v3)`.
    pub tasks: Vec<String>,
    /// What happened, in order.
    #[serde(skip)]
    pub records: Vec<Record>,
    /// How it ended, in the lines of `check`.
    #[serde(skip)]
    pub outcome: Vec<String>,
    /// Who waits for what, if it ended in a deadlock.
    #[serde(skip)]
    pub deadlock: Option<Vec<String>>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Its number, from 0 on. In formats that want a time it is the time in microseconds.
    pub step: usize,
    /// Number of the task; `None` for what the set-up does.
    pub task: Option<usize>,
    /// How many calls the task was deep in.
    pub depth: u32,
    /// What it was.
    #[serde(flatten)]
    pub happened: Happened,
}

/// What a [`Record`] is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Happened {
    /// A function was entered.
    Enter {
        /// The function.
        function: String,
        /// What it works on; empty if nothing.
        object: String,
        /// Whether that is a device.
        is_device: bool,
    },
    /// The innermost function returned.
    Exit {
        /// The function.
        function: String,
        /// What it returned; empty for void.
        ret: String,
    },
    /// A field was read.
    Read {
        /// The field, with its object.
        field: String,
        /// What was read.
        value: String,
    },
    /// A field was read, and not its newest store: under weak memory.
    StaleRead {
        /// The field.
        field: String,
        /// What was read.
        value: String,
        /// What the newest store is.
        newest: String,
    },
    /// A field was written, or updated atomically.
    Write {
        /// The field.
        field: String,
        /// Its content before.
        old: String,
        /// And after.
        new: String,
    },
    /// A field was written before its newest store in coherence order: under weak memory.
    WriteBefore {
        /// The field.
        field: String,
        /// What was written.
        new: String,
        /// What the newest store is.
        newest: String,
    },
    /// A lock was taken.
    Lock {
        /// Its number.
        id: u32,
        /// The lock, with its object.
        lock: String,
        /// Its lockdep class.
        class: String,
    },
    /// A lock was dropped.
    Unlock {
        /// Its number.
        id: u32,
        /// The lock, with its object.
        lock: String,
        /// Its lockdep class.
        class: String,
    },
    /// A task was created.
    Spawn {
        /// Its number.
        child: usize,
    },
    /// The task waits for a condition that does not hold.
    Wait,
    /// A line of the log, a WARN, or another note of the model.
    Note {
        /// Which: `printk`, `WARN`, `of_xlate`, ...
        kind: String,
        /// The text.
        text: String,
    },
    /// The task died.
    Oops {
        /// Why.
        text: String,
    },
}

impl Run {
    /// A run, its devices called as `names` has them.
    pub fn new(
        names: &Resolver<'_>,
        kernel: &Kernel,
        trace: &Trace<Outcome>,
        of: (&str, &str, &str),
    ) -> Self {
        let reader = Reader {
            names,
            kernel,
            tasks: trace.tasks.len(),
        };
        let records = trace.events.iter().enumerate();
        let (scenario, revision, schedule) = of;
        let relabelled = |lines: &[String]| lines.iter().map(|l| names.relabel(l)).collect();
        Self {
            scenario: scenario.to_owned(),
            kernel: revision.to_owned(),
            schedule: schedule.to_owned(),
            tasks: relabelled(&trace.tasks),
            records: records.map(|(i, e)| reader.record(i, e)).collect(),
            outcome: outcome_lines(&trace.end, names),
            deadlock: trace.end.deadlock.as_ref().map(|d| relabelled(&d.waits)),
        }
    }
}

/// Gives events their names.
struct Reader<'a> {
    names: &'a Resolver<'a>,
    kernel: &'a Kernel,
    tasks: usize,
}

impl Reader<'_> {
    fn record(&self, step: usize, event: &Event) -> Record {
        let task = event.task.index();
        Record {
            step,
            task: (task < self.tasks).then_some(task),
            depth: event.depth,
            happened: self.happened(&event.what),
        }
    }

    fn happened(&self, what: &What) -> Happened {
        let text = |text: &str| self.names.relabel(text);
        let layout = self.kernel.layout();
        let field = |cell| text(&layout.cell_name(cell));
        let show = |cell, value| text(&self.kernel.show(cell, value));
        match what {
            What::Enter { function, object } => Happened::Enter {
                function: (*function).to_owned(),
                is_device: self.names.device(object).is_some(),
                object: text(object),
            },
            What::Exit { function, ret } => Happened::Exit {
                function: (*function).to_owned(),
                ret: ret.clone(),
            },
            What::Read { cell, value } => Happened::Read {
                field: field(*cell),
                value: show(*cell, *value),
            },
            What::StaleRead {
                cell,
                value,
                newest,
            } => Happened::StaleRead {
                field: field(*cell),
                value: show(*cell, *value),
                newest: show(*cell, *newest),
            },
            What::Write { cell, old, new } => Happened::Write {
                field: field(*cell),
                old: show(*cell, *old),
                new: show(*cell, *new),
            },
            What::WriteBefore { cell, new, newest } => Happened::WriteBefore {
                field: field(*cell),
                new: show(*cell, *new),
                newest: show(*cell, *newest),
            },
            What::Lock(number) => {
                let (lock, class) = self.lock(*number);
                let id = number.0;
                Happened::Lock { id, lock, class }
            }
            What::Unlock(number) => {
                let (lock, class) = self.lock(*number);
                let id = number.0;
                Happened::Unlock { id, lock, class }
            }
            What::Spawn(child) => Happened::Spawn {
                child: child.index(),
            },
            What::Wait => Happened::Wait,
            What::Note { kind, text: said } => Happened::Note {
                kind: (*kind).to_owned(),
                text: text(said),
            },
            What::Oops(said) => Happened::Oops { text: text(said) },
        }
    }

    /// A lock's name and its class.
    fn lock(&self, lock: LockId) -> (String, String) {
        let layout = self.kernel.layout();
        let class = self.names.relabel(&layout.lock_class(lock));
        (self.names.relabel(&layout.lock_name(lock)), class)
    }
}

/// A task's short name, as a thread is called: `CPU0` of `CPU0 (driver_register arm-smmu-v3)`.
fn short(task: &str) -> &str {
    task.split([' ', '(']).next().unwrap_or(task)
}
