//! `probe-litmus replay`

use super::NOT_AS_STATED;
use super::format::{Recorded, RunFormat};
use super::one::One;
use checker::engine::exhaustive::Trace;
use clap::Args;
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use scenarios::runner::names::Resolver;
use scenarios::runner::report::outcome_lines;
use scenarios::runner::{Answer, Test};
use scenarios::schedule::{self, Written};
use scenarios::witness::{all_events, verbose_events};
use scenarios::wrap;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs one schedule of a scenario again, and prints every step
///
/// The schedule is one that `explain` or `review` printed, or one written by hand. It says which
/// task goes until where, in segments with a `;` between:
///
///     TASK until FUNCTION() DOES OBJECT #N    stops right before the N-th such step of the segment
///     TASK to its end
///
/// TASK is `CPU0`, `deferred_probe_work_func`, ...; DOES is `reads`, `writes`, `updates`, `uses` (a
/// list), `takes`, `shares`, `tries`, `drops` (locks), `awaits` or `creates`. Without `#N` it is
/// the first. Beyond the end of the schedule the first task that can go goes. It fits any kernel
/// that has these steps in this order; if one has not, it says which segment, and what the task
/// did instead.
///
/// The short form, 0*12.1*3, counts the choices of an exploration of the same scenario on the same
/// kernel under the same memory model: `explain --schedule counted` prints it.
///
/// Example:
///
///     probe-litmus replay scenarios/basics/late-probe-at-bind.litmus --kernel v6.16 "
///         CPU1 until platform_dma_configure() reads client0: dev->driver; CPU0 to its end"
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES, verbatim_doc_comment)]
pub(crate) struct Replay {
    #[command(flatten)]
    one: One,
    /// The schedule: names of steps, or counts of choices
    schedule: Written,
    /// How the run is printed
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    format: RunFormat,
    /// Also prints the number of each step, and what a field held before a write
    #[arg(short, long)]
    verbose: bool,
}

/// A schedule that was run.
struct Ran {
    test: Test,
    kernel: Arc<Kernel>,
    trace: Trace<Outcome>,
    /// By names, if it can be.
    schedule: String,
    /// The exploration, if there was one.
    answer: Option<Answer>,
}

impl Ran {
    /// A run on the kernel of an exploration, and its schedule.
    fn explored(
        one: &One,
        run: impl FnOnce(&Test, &Answer) -> (Trace<Outcome>, String),
    ) -> miette::Result<Self> {
        let (test, answer) = one.explore()?;
        let (trace, schedule) = run(&test, &answer);
        Ok(Self {
            kernel: answer.kernel.clone(),
            test,
            trace,
            schedule,
            answer: Some(answer),
        })
    }
}

impl Replay {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let ran = self.ran()?;
        let (test, kernel, trace) = (&ran.test, &ran.kernel, &ran.trace);
        let run = Recorded {
            test,
            kernel,
            revision: &self.one.kernel,
            trace,
            schedule: &ran.schedule,
        };
        if let Some(text) = self.format.print(run, ran.answer.as_ref()) {
            print!("{text}");
        } else {
            let lines = if self.verbose {
                verbose_events(test, kernel, trace)
            } else {
                all_events(test, kernel, trace)
            };
            for line in lines {
                println!("{line}");
            }
            for line in outcome_lines(&trace.end, &Resolver::new(test, kernel)) {
                println!("  {line}");
            }
        }
        Ok(self.fits(&ran))
    }

    /// Runs the schedule. One of names needs no exploration, unless the format does.
    fn ran(&self) -> miette::Result<Ran> {
        let one = &self.one;
        let memory = one.memory.get();
        match &self.schedule {
            Written::Counted(counted) => Ran::explored(one, |test, answer| {
                let trace = answer.replay(counted);
                let named = match trace.divergence {
                    Some(_) => counted.to_string(),
                    None => schedule::text(test, answer, counted),
                };
                (trace, named)
            }),
            Written::Named(named) if self.format.needs_exploration() => {
                Ran::explored(one, |test, answer| {
                    let trace = schedule::replay(test, &answer.kernel, memory, named);
                    (trace, named.to_string())
                })
            }
            Written::Named(named) => {
                let (test, kernel) = one.set_up()?;
                let trace = schedule::replay(&test, &kernel, memory, named);
                Ok(Ran {
                    test,
                    kernel,
                    trace,
                    schedule: named.to_string(),
                    answer: None,
                })
            }
        }
    }

    /// Whether the schedule fitted; says where it did not.
    fn fits(&self, ran: &Ran) -> ExitCode {
        let trace = &ran.trace;
        if let Some(divergence) = &trace.divergence {
            if let Some(step) = trace.diverged_at {
                self.say(&format!(
                    "Behind step {step} of the run above the schedule does not fit. The tasks are:"
                ));
                let names = Resolver::new(&ran.test, &ran.kernel);
                for (number, task) in trace.tasks.iter().enumerate() {
                    self.say(&format!("  {number} {}", names.relabel(task)));
                }
            }
            let text = format!("The schedule does not fit this scenario: {divergence}");
            for line in wrap::words(&text) {
                self.say(&line);
            }
            return ExitCode::from(NOT_AS_STATED);
        }
        if let Some(limit) = &trace.limit {
            self.say(&format!("The run was cut short: {limit}"));
            return ExitCode::from(NOT_AS_STATED);
        }
        ExitCode::SUCCESS
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
