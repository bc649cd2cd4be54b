//! `probe-litmus replay`

use super::format::RunFormat;
use super::machine::Machine;
use super::one::One;
use super::{Boards, MemoryModel, NOT_AS_STATED};
use checker::engine::schedule::Schedule;
use clap::Args;
use scenarios::runner::names::Resolver;
use scenarios::runner::report::outcome_lines;
use scenarios::witness::{all_events, verbose_events};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs one schedule of a scenario again, and prints every step
///
/// The schedule is one that `explain` printed. It counts the choices of an exploration of the
/// same scenario on the same kernel under the same memory model.
///
/// Example:
///
///     probe-litmus replay scenarios/basics/late-probe-at-bind.litmus --kernel v6.16 0*12.1*3
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct Replay {
    /// Scenario file
    scenario: PathBuf,
    /// Kernel revision
    #[arg(long, value_name = "REV")]
    kernel: String,
    /// The schedule, such as 0*12.1*3.0, or with --memory weak also 0*12.1~1.0
    schedule: Schedule,
    /// How the run is printed
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    format: RunFormat,
    /// Also prints the number of each step, and what a field held before a write
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    memory: MemoryModel,
    #[command(flatten)]
    boards: Boards,
}

impl Replay {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let one = One {
            scenario: &self.scenario,
            kernel: &self.kernel,
            machine: &self.machine,
            memory: &self.memory,
            boards: &self.boards,
        };
        let (test, answer) = one.explore()?;
        let trace = answer.replay(&self.schedule);
        if let Some(text) = self.format.print(&test, &answer, &trace, &self.schedule) {
            print!("{text}");
        } else {
            let lines = if self.verbose {
                verbose_events(&test, &answer.kernel, &trace)
            } else {
                all_events(&test, &answer.kernel, &trace)
            };
            for line in lines {
                println!("{line}");
            }
            for line in outcome_lines(&trace.end, &Resolver::new(&test, &answer.kernel)) {
                println!("  {line}");
            }
        }
        if let Some(divergence) = &trace.divergence {
            if let Some(step) = trace.diverged_at {
                self.say(&format!(
                    "Behind step {step} of the run above a choice does not fit. The tasks are:"
                ));
                let names = Resolver::new(&test, &answer.kernel);
                for (number, task) in trace.tasks.iter().enumerate() {
                    self.say(&format!("  {number} {}", names.relabel(task)));
                }
            }
            self.say(&format!(
                "The schedule does not fit this scenario: {divergence}"
            ));
            return Ok(ExitCode::from(NOT_AS_STATED));
        }
        if let Some(limit) = &trace.limit {
            self.say(&format!("The run was cut short: {limit}"));
            return Ok(ExitCode::from(NOT_AS_STATED));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Beside the run: where that is for programs, on stderr.
    fn say(&self, line: &str) {
        if self.format == RunFormat::Text {
            println!("{line}");
        } else {
            eprintln!("{line}");
        }
    }
}
