//! `--format` of runs.

use checker::engine::exhaustive::Trace;
use checker::engine::schedule::Schedule;
use clap::ValueEnum;
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

impl RunFormat {
    /// A run for programs; `None` if it is for people.
    pub(crate) fn print(
        self,
        test: &Test,
        answer: &Answer,
        trace: &Trace<Outcome>,
        schedule: &Schedule,
    ) -> Option<String> {
        let names = match self {
            // Whoever reads it goes by what the kernel calls a device.
            RunFormat::Ftrace => Resolver::by_device_name(&test.board, answer.kernel.board()),
            _ => Resolver::new(test, &answer.kernel),
        };
        let schedule = schedule.to_string();
        let of = (&*test.litmus.name.value, &*answer.revision, &*schedule);
        let run = Run::new(&names, &answer.kernel, trace, of);
        Some(match self {
            RunFormat::Text => return None,
            RunFormat::Ftrace => ftrace::print(&run),
            RunFormat::Perfetto => perfetto::print(&run),
            RunFormat::Ndjson => ndjson::run(&run),
            RunFormat::Dot => graphs::run(&run).to_string(),
            RunFormat::Splat => scenarios::format::splat::print(test, answer, &run),
        })
    }
}
