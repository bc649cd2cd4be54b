//! `probe-litmus search`

use super::NOT_AS_STATED;
use super::machine::Machine;
use super::progress::{self, interruptible, is_interrupted};
use checker::engine::exhaustive::{Go, Options as Exploration};
use checker::hash::Rolling;
use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic, WrapErr, miette};
use scenarios::search::journal::Of;
use scenarios::search::report::Text;
use scenarios::search::{Found, Journal, Options, Written, search};
use scenarios::shards::Shard;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples. Pairs of tasks on one board, in a second or so:

  probe-litmus search --tasks 2 --only dt-smmu-v3-one

All of the space, a scenario for each finding written to a folder, and one of them explained:

  probe-litmus search -o found
  probe-litmus check found/NAME.litmus
  probe-litmus explain found/NAME.litmus --kernel v7.3-rc7

A search with -o that was stopped, by Ctrl-C or otherwise, goes on where it was when it is begun \
again; so do searches with a larger --max-states. Four programs at a time, and all put together:

  seq 1 4 | xargs -P 4 -I I probe-litmus search -o found --workers 1 --shard I/4
  probe-litmus search -o found

What a patch brings, against the same search without it:

  probe-litmus search --kernel \"v7.3-rc7 + my-patch\"

docs/search.md says what the space is, and what was found in it.

Exit codes: 0 all was explored to the end and nothing is wrong; 1 something is wrong, or was not \
explored to the end; 2 the input is wrong.";

/// Makes all small tests of a space, explores each, and lists what can go wrong
///
/// Boards of one to three clients and one or two IOMMUs, on device trees and ACPI; client drivers
/// that are plain, asynchronous, with driver_managed_dma, or vfio's; and two or three tasks that
/// register, add, remove, bind, unbind, retry, or run out of time. All invariants are watched, and
/// WARNs, oopses, uses after free, deadlocks and data races. What was found is listed once, with
/// the smallest combination that has it, the worst first.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Search {
    /// Kernel revision
    #[arg(long, value_name = "REV", default_value = "v7.3-rc7")]
    kernel: String,
    /// Writes a scenario for each finding, their boards, and a row for each combination
    /// (combinations.txt) to this folder; says since which commit each finding is there. What the
    /// folder has of an earlier search is not explored again
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Tasks of a combination, at most
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=3))]
    tasks: u8,
    /// Stops a combination after this many states
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    max_states: u64,
    /// Only combinations with this in their name, such as `acpi-`, `vfio`, `dt-smmu-v3-one plain`
    /// or `bind client0`; can be repeated: any of them
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Explores a part only: shard I has the combinations I, I+N, I+2N, ... Needs --output, and
    /// writes no scenarios: the search without --shard does, when all parts are there
    #[arg(long, value_name = "I/N", requires = "output")]
    shard: Option<Shard>,
    /// Prints the combinations and explores none
    #[arg(long)]
    list: bool,
    /// How what was found is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    machine: Machine,
}

/// How what was found is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

impl Search {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let options = Options {
            kernel: self.kernel.clone(),
            tasks: usize::from(self.tasks),
            only: self.only.clone(),
            max_states: self.max_states,
            workers: self.machine.of(&Exploration::default()).workers,
            shard: self.shard,
        };
        let combinations = options.combinations();
        if combinations.is_empty() {
            return Err(miette!(
                "--only: no combination of {} tasks is called so; --list prints their names",
                self.tasks
            ));
        }
        if self.list {
            for combination in &combinations {
                println!("{}", combination.name());
            }
            return Ok(ExitCode::SUCCESS);
        }
        interruptible();
        let journal = self.journal()?;
        let bar = progress::bar(combinations.len(), "combinations");
        let go = || if is_interrupted() { Go::Stop } else { Go::On };
        let found = search(&options, journal.as_ref(), &go, &mut || bar.inc(1))?;
        bar.finish_and_clear();
        let written = match &self.output {
            Some(folder) if self.shard.is_none() => {
                write(&folder.join("combinations.txt"), &found.table())?;
                found.write(folder, self.max_states, &go)?
            }
            _ => vec![],
        };
        self.print(&found, &written)?;
        let is_clean = found.is_complete() && found.findings.is_empty();
        Ok(ExitCode::from(if is_clean { 0 } else { NOT_AS_STATED }))
    }

    /// What the folder has of searches before, if there is a folder.
    fn journal(&self) -> miette::Result<Option<Journal>> {
        let Some(folder) = &self.output else {
            return Ok(None);
        };
        let of = Of {
            kernel: self.kernel.clone(),
            program: program()?,
        };
        Ok(Some(Journal::open(folder, self.shard, &of)?))
    }

    fn print(&self, found: &Found, written: &[Written]) -> miette::Result<()> {
        match self.format {
            Format::Text => print!("{}", Text { found, written }),
            Format::Json => {
                let all = serde_json::json!({ "found": found, "written": written });
                let text = serde_json::to_string_pretty(&all).into_diagnostic()?;
                println!("{text}");
            }
        }
        Ok(())
    }
}

/// A hash of this program.
fn program() -> miette::Result<String> {
    let bytes = std::env::current_exe().and_then(std::fs::read);
    let bytes = bytes
        .into_diagnostic()
        .wrap_err("cannot read this program")?;
    let mut hash = Rolling::default();
    hash.push_bytes(&bytes);
    Ok(format!("{:032x}", hash.finish()))
}

fn write(file: &Path, text: &str) -> miette::Result<()> {
    std::fs::write(file, text)
        .into_diagnostic()
        .wrap_err_with(|| format!("{}: cannot write", file.display()))
}
