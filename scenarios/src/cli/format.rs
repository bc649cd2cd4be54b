//! `--format` of runs.

use checker::engine::exhaustive::Trace;
use clap::ValueEnum;
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use scenarios::format::{Run, ftrace, graphs, ndjson, perfetto};
use scenarios::runner::names::Resolver;
use scenarios::runner::{Answer, Test};

/// How a run is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    /// For people
    Text,
    /// As /sys/kernel/tracing/trace has it
    Ftrace,
    /// Trace events as JSON, for <https://ui.perfetto.dev>
    Perfetto,
    /// A JSON object for each event, one a line
    Ndjson,
    /// A graph of the events
    Dot,
    /// What lockdep, KCSAN and the hung-task detector would print
    Splat,
}

/// Which form of a schedule is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Who goes until where: it survives edits of what it does not name
    Named,
    /// How many choices each task has: short, for this scenario on this kernel alone
    Counted,
}

/// A run to be printed.
#[derive(Clone, Copy)]
pub(crate) struct Recorded<'a> {
    pub(crate) test: &'a Test,
    pub(crate) kernel: &'a Kernel,
    /// The kernel as the user wrote it.
    pub(crate) revision: &'a str,
    pub(crate) trace: &'a Trace<Outcome>,
    pub(crate) schedule: &'a str,
}

impl RunFormat {
    /// Whether it has more of an exploration than one run.
    pub(crate) fn needs_exploration(self) -> bool {
        self == RunFormat::Splat
    }

    /// A run for programs; `None` if it is for people. The exploration is that which the format
    /// needs.
    pub(crate) fn print(self, of: Recorded<'_>, exploration: Option<&Answer>) -> Option<String> {
        let Recorded { test, kernel, .. } = of;
        let names = match self {
            // Whoever reads it goes by what the kernel calls a device.
            RunFormat::Ftrace => Resolver::by_device_name(&test.board, kernel.board()),
            _ => Resolver::new(test, kernel),
        };
        let words = (&*test.litmus.name.value, of.revision, of.schedule);
        let run = Run::new(&names, kernel, of.trace, words);
        Some(match self {
            RunFormat::Text => return None,
            RunFormat::Ftrace => ftrace::print(&run),
            RunFormat::Perfetto => perfetto::print(&run),
            RunFormat::Ndjson => ndjson::run(&run),
            RunFormat::Dot => graphs::run(&run).to_string(),
            RunFormat::Splat => scenarios::format::splat::print(test, exploration?, &run),
        })
    }
}
