//! `probe-litmus graph`

use super::NOT_AS_STATED;
use super::one::{One, chosen};
use checker::outcome::Complete;
use clap::{Args, ValueEnum};
use miette::miette;
use scenarios::format::{Run, graphs};
use scenarios::runner::names::Resolver;
use scenarios::runner::{Answer, Memory, Test};
use std::process::ExitCode;

/// Draws a graph of a scenario, in Graphviz's DOT language
///
/// Example:
///
///     probe-litmus graph lock-order scenarios/basics/late-probe-at-bind.litmus --kernel v6.16
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct Graph {
    /// What is drawn
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    one: One,
    /// wait-for: number of the outcome, as `check` lists it [default: the first with a deadlock]
    #[arg(long, value_name = "N")]
    outcome: Option<usize>,
    /// states: refuses to draw more than this many
    #[arg(long, value_name = "N", default_value_t = 500)]
    max_states: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Which class of locks is taken under which
    LockOrder,
    /// Who waits for whose driver: fw_devlink's links
    Suppliers,
    /// Who waits for whom in a deadlock
    WaitFor,
    /// The states with a choice between tasks, and the choices
    States,
}

impl Graph {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let (test, answer) = self.one.explore()?;
        let dot = match self.what {
            What::LockOrder => graphs::lock_order(&test, &answer).to_string(),
            What::Suppliers => graphs::suppliers(&test, &answer).to_string(),
            What::WaitFor => self.wait_for(&test, &answer)?,
            What::States => self.states(&test, &answer)?,
        };
        print!("{dot}");
        if let Complete::No(why) = &answer.report.complete {
            eprintln!("Complete no ({why}): there may be more than is drawn.");
            return Ok(ExitCode::from(NOT_AS_STATED));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn wait_for(&self, test: &Test, answer: &Answer) -> miette::Result<String> {
        let outcomes: Vec<_> = answer.outcomes().collect();
        let total = outcomes.len();
        let chosen = chosen(&outcomes, self.outcome, |(end, ..)| end.deadlock.is_some())?;
        let chosen = chosen.ok_or_else(|| {
            miette!("none of the {total} outcomes is a deadlock: nobody waits for another")
        })?;
        let (_, schedule, _) = outcomes[chosen];
        let names = Resolver::new(test, &answer.kernel);
        let of = (
            test.litmus.name.value.as_str(),
            self.one.kernel.as_str(),
            &*scenarios::schedule::text(test, answer, schedule),
        );
        let run = Run::new(&names, &answer.kernel, &answer.replay(schedule), of);
        let dot = graphs::wait_for(&run)
            .ok_or_else(|| miette!("outcome {} is no deadlock", chosen + 1))?;
        Ok(dot.to_string())
    }

    fn states(&self, test: &Test, answer: &Answer) -> miette::Result<String> {
        if answer.memory == Memory::Weak {
            return Err(miette!("--memory weak: states are drawn under sc alone"));
        }
        let graph = graphs::all_states(answer, self.max_states).ok_or_else(|| {
            let most = self.max_states;
            miette!("there are more than {most} states, expected a smaller scenario or a larger --max-states")
        })?;
        Ok(graphs::states(test, answer, &graph).to_string())
    }
}
