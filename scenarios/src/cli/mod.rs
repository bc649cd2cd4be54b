//! Commands, their options, and exit codes.

/// As in the standard library, but that a reader who has gone is no panic: see [`out`].
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::out::write(format_args!($($text)*)) };
}

/// As `print!`, with the end of a line.
macro_rules! println {
    () => { print!("\n") };
    ($($text:tt)*) => { print!("{}\n", format_args!($($text)*)) };
}

mod boards;
mod boot;
mod check;
mod completions;
mod conform;
mod coverage;
mod explain;
mod folders;
mod format;
mod graph;
mod kernels;
mod limits;
mod machine;
mod merge;
mod new_patch;
mod one;
mod out;
mod progress;
mod replay;
mod report;
mod review;
mod search;
mod trace_setup;

use clap::{Args, Parser, Subcommand};
use scenarios::runner::Memory;
use std::path::PathBuf;
use std::process::ExitCode;

/// Something did not come out as stated: a verdict, or a schedule that does not fit.
pub(crate) const NOT_AS_STATED: u8 = 1;
/// The input is wrong: a board, a scenario, a name. Also what clap exits with.
pub(crate) const BAD_INPUT: u8 = 2;

/// At the end of the help of every command.
pub(crate) const EXIT_CODES: &str = "Exit codes: 0 all as stated; 1 something is not as stated, \
or was not explored to the end; 2 the input is wrong.";

/// Litmus tests for Linux device probing.
///
/// Runs a model of the kernel's driver core and IOMMU core through every interleaving of
/// device-add, driver-bind, bus_iommu_probe and the deferred-probe workqueue, and says what can
/// come out.
#[derive(Debug, Parser)]
#[command(name = "probe-litmus", version, max_term_width = 100, after_long_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Shows no progress on the terminal; `check` prints only what is not as stated
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Boot(boot::Boot),
    Boards(boards::Boards),
    Check(check::Check),
    Explain(explain::Explain),
    Replay(replay::Replay),
    Review(review::Review),
    Report(report::Report),
    Search(search::Search),
    Coverage(coverage::Coverage),
    NewPatch(new_patch::New),
    Graph(graph::Graph),
    Merge(merge::Merge),
    Conform(conform::Conform),
    TraceSetup(trace_setup::TraceSetup),
    Kernels(kernels::Kernels),
    Completions(completions::Completions),
    Man(completions::Man),
}

/// Where the boards of scenarios are.
#[derive(Debug, Args)]
pub(crate) struct Boards {
    /// Folder with the boards that scenarios name [default: `boards` in the scenario's folder or
    /// in one above it]
    #[arg(long, value_name = "DIR")]
    boards: Option<PathBuf>,
}

/// Which memory model an exploration goes by.
#[derive(Debug, Args)]
pub(crate) struct MemoryModel {
    /// Memory model: under sc a task sees the newest store of each field; under weak what the
    /// kernel's memory model lets it see, which may be stale
    #[arg(long, value_name = "NAME", default_value = "sc", value_parser = ["sc", "weak"])]
    memory: String,
}

impl MemoryModel {
    /// The option, as a further command needs it.
    fn options(&self) -> Vec<String> {
        let words: &[&str] = match self.get() {
            Memory::Weak => &["--memory", "weak"],
            Memory::Sequential => &[],
        };
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    fn get(&self) -> Memory {
        match self.memory.as_str() {
            "weak" => Memory::Weak,
            _ => Memory::Sequential,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> miette::Result<ExitCode> {
    if arguments.quiet {
        out::be_quiet();
    }
    match &arguments.command {
        Command::Boot(command) => command.run(),
        Command::Boards(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Review(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Search(command) => command.run(),
        Command::Coverage(command) => command.run(),
        Command::NewPatch(command) => command.run(),
        Command::Graph(command) => command.run(),
        Command::Merge(command) => command.run(),
        Command::Conform(command) => command.run(),
        Command::TraceSetup(command) => command.run(),
        Command::Kernels(command) => Ok(command.run()),
        Command::Completions(command) => Ok(command.run()),
        Command::Man(command) => command.run(),
    }
}

impl Boards {
    /// The option, as a further command needs it.
    fn options(&self) -> Vec<String> {
        let dir = self.boards.as_ref().map(|dir| dir.display().to_string());
        dir.map_or(vec![], |dir| vec!["--boards".to_owned(), dir])
    }

    /// The folder of boards for a scenario file.
    fn of(&self, scenario: &std::path::Path) -> PathBuf {
        let near = || {
            scenario
                .ancestors()
                .skip(1)
                .map(|dir| dir.join("boards"))
                .find(|b| b.is_dir())
        };
        self.boards
            .clone()
            .or_else(near)
            .unwrap_or_else(|| PathBuf::from("boards"))
    }
}
