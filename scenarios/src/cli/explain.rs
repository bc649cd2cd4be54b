//! `probe-litmus explain`

use super::NOT_AS_STATED;
use super::format::{Form, Recorded, RunFormat};
use super::one::{One, chosen};
use checker::outcome::Complete;
use clap::Args;
use scenarios::runner::Answer;
use scenarios::runner::names::Resolver;
use scenarios::runner::report::outcome_lines;
use scenarios::schedule;
use scenarios::witness::Witness;
use scenarios::wrap;
use std::process::ExitCode;

/// Shows how an outcome of a scenario comes about: one schedule that leads to it
///
/// Example:
///
///     probe-litmus explain scenarios/basics/late-probe-at-bind.litmus --kernel v6.16
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct Explain {
    #[command(flatten)]
    one: One,
    /// Number of the outcome, as `check` lists it [default: the first that the condition is about]
    #[arg(long, value_name = "N")]
    outcome: Option<usize>,
    /// How the run is printed
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    format: RunFormat,
    /// How its schedule is written
    #[arg(long, value_enum, default_value_t = Form::Named, value_name = "FORM")]
    schedule: Form,
}

impl Explain {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let (test, answer) = self.one.explore()?;
        let outcomes: Vec<_> = answer.outcomes().collect();
        let Some(i) = chosen(&outcomes, self.outcome, |(_, _, holds)| *holds)? else {
            let total = outcomes.len();
            println!("None of the {total} outcomes fulfils the condition; see --outcome.");
            println!("Complete {}", answer.report.complete);
            return Ok(ExitCode::from(NOT_AS_STATED));
        };
        let (end, schedule, _) = outcomes[i];
        let (witness, straight) = Witness::of(&test, &answer, schedule);
        let trace = answer.replay(&straight.schedule);
        let schedule = match self.schedule {
            Form::Named => schedule::text(&test, &answer, &straight.schedule),
            Form::Counted => straight.schedule.to_string(),
        };
        let run = Recorded {
            test: &test,
            kernel: &answer.kernel,
            revision: &answer.revision,
            trace: &trace,
            schedule: &schedule,
        };
        if let Some(text) = self.format.print(run, Some(&answer)) {
            print!("{text}");
            return Ok(exit(&answer));
        }
        println!(
            "Test {}   kernel {}   outcome {}",
            test.litmus.name.value,
            self.one.kernel,
            i + 1
        );
        for line in outcome_lines(end, &Resolver::new(&test, &answer.kernel)) {
            let mut indent = 2;
            for text in wrap::list(&line, indent, indent + 4) {
                println!("{:indent$}{text}", "");
                indent = 6;
            }
        }
        println!("{witness}");
        println!("To run it again, step by step:\n");
        for line in schedule::command(&self.replay(schedule)) {
            println!("{line}");
        }
        if !straight.is_done {
            println!(
                "The schedule is long: its steps were not moved together as far as they can be."
            );
        }
        if answer.report.complete != Complete::Yes {
            println!("Complete {}", answer.report.complete);
        }
        Ok(exit(&answer))
    }
}

impl Explain {
    /// The words of the command that runs it again.
    fn replay(&self, schedule: String) -> Vec<String> {
        let scenario = self.one.scenario.display().to_string();
        let words = [
            "probe-litmus",
            "replay",
            &scenario,
            "--kernel",
            &self.one.kernel,
        ];
        let words = words.map(str::to_owned).into_iter();
        let words = words.chain(self.one.memory.options());
        let words = words.chain(self.one.boards.options());
        words.chain([schedule]).collect()
    }
}

fn exit(answer: &Answer) -> ExitCode {
    match answer.report.complete {
        Complete::Yes => ExitCode::SUCCESS,
        Complete::No(_) => ExitCode::from(NOT_AS_STATED),
    }
}
