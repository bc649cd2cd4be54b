//! `probe-litmus check`

use super::folders::{Links, files_below};
use super::limits::Limits;
use super::machine::Machine;
use super::progress::Watch;
use super::{Boards, MemoryModel, NOT_AS_STATED};
use checker::engine::exhaustive::Options;
use checker::engine::shuttle::Scheduler;
use checker::hash::Rolling;
use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic, WrapErr, miette};
use scenarios::format::{ktap, ndjson};
use scenarios::runner::names::Resolver;
use scenarios::runner::report::{Verdicts, counts, rounds};
use scenarios::runner::{Answer, Engine, Memory, Test};
use scenarios::shards::{Printed, Shard};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Explores scenarios on their kernels and prints the verdicts
///
/// Example, one scenario on all kernels that it names:
///
///     probe-litmus check scenarios/basics/late-probe-at-bind.litmus
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct Check {
    /// Scenario files, or folders of them
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// Explores on this kernel instead of those that the scenario names; can be repeated
    #[arg(long, value_name = "REV")]
    kernel: Vec<String>,
    /// Stops after this many states
    #[arg(long, value_name = "N", default_value_t = Options::default().max_states)]
    max_states: u64,
    /// Switches off what makes the search smaller or faster; can be repeated. The outcomes stay
    /// the same
    #[arg(long, value_name = "NAME", value_parser = ["merge", "lock-aware", "checkpoints", "transactions", "persistent-sets", "repair", "live-variables", "automaton", "snapshots"])]
    off: Vec<String>,
    /// Switches on what makes the search smaller and the report poorer; can be repeated.
    /// sleep-sets: of the orders of independent steps only some are seen, by one thread. All
    /// outcomes are found; schedules are not counted, and data races and ways to go round may be
    /// missed
    #[arg(long, value_name = "NAME", value_parser = ["sleep-sets"])]
    on: Vec<String>,
    /// Engine: exhaustive explores everything; source-dpor, loom and shuttle (PCT of depth 5)
    /// check it, with the steps that it found
    #[arg(long, value_name = "NAME", default_value = "exhaustive", value_parser = ["exhaustive", "source-dpor", "loom", "shuttle"])]
    engine: String,
    /// Runs this many schedules; source-dpor: no more than these [default: shuttle 10000,
    /// source-dpor no bound]
    #[arg(long, value_name = "N")]
    iterations: Option<u32>,
    /// With --engine shuttle: seed of the schedules
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Explores a part only: each scenario on each kernel is a job, and shard I has the jobs I,
    /// I+N, I+2N, ...; see `probe-litmus merge`
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// How the answers are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    memory: MemoryModel,
    #[command(flatten)]
    boards: Boards,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// As tests of the kernel print what they found
    Ktap,
    /// A JSON object for each scenario and kernel, one a line
    Ndjson,
}

impl Check {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        self.is_supported()?;
        let tests = self.load()?;
        self.limits
            .allow(tests.iter().map(|t| self.kernels(t).len()).sum())?;
        if self.format == Format::Ktap {
            return self.ktap(&tests);
        }
        let jobs: Vec<(&Test, &str)> = tests
            .iter()
            .flat_map(|test| self.kernels(test).into_iter().map(move |k| (test, k)))
            .collect();
        if let Some(shard) = self.shard {
            print!("{}", shard.header(jobs.len(), self.run_hash(&jobs)));
        }
        let mut exit = 0;
        for (i, (test, revision)) in jobs.into_iter().enumerate() {
            let job = i + 1;
            if self.shard.is_some_and(|shard| !shard.has(job)) {
                continue;
            }
            let printed = self.print(test, revision)?;
            exit = exit.max(printed.exit);
            match self.shard {
                None => print!("{}", printed.text),
                Some(_) => print!("{}", Shard::job(job, &printed)),
            }
        }
        if let Some(shard) = self.shard {
            print!("{}", shard.footer());
        }
        Ok(ExitCode::from(exit))
    }

    /// Explores, and says what there is to print.
    fn print(&self, test: &Test, revision: &str) -> miette::Result<Printed> {
        let answer = self.explore(test, revision)?;
        let exit = exit(&answer);
        if exit == 0 && super::out::is_quiet() && self.format == Format::Text {
            let text = String::new();
            return Ok(Printed { text, exit });
        }
        if self.format == Format::Ndjson {
            let text = ndjson::answer(test, &answer);
            return Ok(Printed { text, exit });
        }
        let memory = match answer.memory {
            Memory::Sequential => "",
            Memory::Weak => "  Memory weak",
        };
        let counts = counts(&answer.report);
        let (first, more) = counts.split_at(counts.find('\n').unwrap_or(counts.len()));
        let text = format!(
            "Test {}   kernel {revision}\n{first}{memory}{more}\n{}{}\n",
            test.litmus.name.value,
            rounds(
                &answer.report,
                (&answer.kernel, answer.memory),
                &Resolver::new(test, &answer.kernel)
            ),
            Verdicts {
                test,
                answer: &answer
            }
        );
        Ok(Printed { text, exit })
    }

    /// All scenarios as KTAP, each as soon as it is explored.
    fn ktap(&self, tests: &[Test]) -> miette::Result<ExitCode> {
        print!("{}", ktap::head(tests.len()));
        let mut worst = 0;
        for (i, test) in tests.iter().enumerate() {
            let answers = self
                .kernels(test)
                .into_iter()
                .map(|revision| self.explore(test, revision))
                .collect::<miette::Result<Vec<_>>>()?;
            worst = answers.iter().map(exit).fold(worst, u8::max);
            print!("{}", ktap::scenario(i + 1, test, &answers));
        }
        Ok(ExitCode::from(worst))
    }

    /// A hash of all that the outcome of the run depends on. What it may use of the machine is not
    /// among it.
    fn run_hash(&self, jobs: &[(&Test, &str)]) -> u128 {
        let mut hash = Rolling::default();
        hash.push_str(env!("CARGO_PKG_VERSION"));
        for (test, revision) in jobs {
            hash.push_str(&test.litmus.to_string());
            hash.push_str(&format!("{:?}", test.board));
            hash.push_str(revision);
        }
        let options = (
            &self.off,
            &self.on,
            self.memory.get() == Memory::Weak,
            self.max_states,
            &self.engine,
            self.limits.max_seconds,
            self.limits.preemptions,
            self.iterations,
            self.seed,
        );
        hash.push_str(&format!("{options:?}"));
        hash.finish()
    }

    /// What does not go together is an error. Under weak memory there is one engine, which merges states
    /// and learns what tasks do.
    fn is_supported(&self) -> miette::Result<()> {
        if self.shard.is_some() && (self.format != Format::Text || super::out::is_quiet()) {
            return Err(miette!(
                "--shard: found --format or --quiet, expected the whole text, for `merge`"
            ));
        }
        let needed = ["persistent-sets", "merge", "automaton"];
        let is_needed = |off: &&String| needed.contains(&off.as_str());
        if let (false, Some(off)) = (self.on.is_empty(), self.off.iter().find(is_needed)) {
            return Err(miette!(
                "--on sleep-sets: found --off {off}, without which nobody sleeps"
            ));
        }
        self.allows_preemptions()?;
        if self.memory.get() == Memory::Sequential {
            return Ok(());
        }
        self.needs_exhaustive("--memory weak")?;
        if let Some(on) = self.on.first() {
            return Err(miette!(
                "--memory weak: found --on {on}, which only searches under sc have"
            ));
        }
        let without = [
            "lock-aware",
            "persistent-sets",
            "live-variables",
            "checkpoints",
        ];
        match self.off.iter().find(|o| !without.contains(&o.as_str())) {
            Some(off) => Err(miette!(
                "--memory weak: found --off {off}, expected lock-aware, persistent-sets, \
                 live-variables or checkpoints"
            )),
            None => Ok(()),
        }
    }

    /// Another engine is an error with this option.
    fn needs_exhaustive(&self, option: &str) -> miette::Result<()> {
        let engine = &self.engine;
        if engine == "exhaustive" {
            return Ok(());
        }
        Err(miette!(
            "{option}: found --engine {engine}, expected the exhaustive one"
        ))
    }

    /// With a bound of preemptions some options are errors.
    fn allows_preemptions(&self) -> miette::Result<()> {
        if self.limits.preemptions.is_none() {
            return Ok(());
        }
        self.needs_exhaustive("--preemptions")?;
        let needed = ["merge", "automaton"];
        let off = self.off.iter().find(|off| needed.contains(&off.as_str()));
        match (off, self.on.first()) {
            (Some(off), _) => Err(miette!(
                "--preemptions: found --off {off}, without which they are not counted"
            )),
            (None, Some(on)) => Err(miette!(
                "--preemptions: found --on {on}, which leaves out other schedules"
            )),
            (None, None) => Ok(()),
        }
    }

    /// Reads all scenarios and sets up all kernels, so that what is wrong with the last of them is
    /// said before the first is explored.
    fn load(&self) -> miette::Result<Vec<Test>> {
        let mut tests = vec![];
        for file in scenario_files(&self.scenarios)? {
            let test = Test::load(&file, &self.boards.of(&file))?;
            for revision in self.kernels(&test) {
                test.kernel(revision)?;
            }
            tests.push(test);
        }
        Ok(tests)
    }

    /// The kernels to explore a test on.
    fn kernels<'a>(&'a self, test: &'a Test) -> Vec<&'a str> {
        if self.kernel.is_empty() {
            test.kernels().collect()
        } else {
            self.kernel.iter().map(String::as_str).collect()
        }
    }

    fn explore(&self, test: &Test, revision: &str) -> miette::Result<Answer> {
        let watch = Watch::new(&format!("{} on {revision}", test.litmus.name.value));
        let is_on = |name: &str| !self.off.iter().any(|off| off == name);
        let has_sleep_sets = self.on.iter().any(|on| on == "sleep-sets");
        let machine = if has_sleep_sets {
            self.machine.alone("--on sleep-sets")?
        } else {
            self.machine.clone()
        };
        let options = machine.of(&Options {
            sleep_sets: has_sleep_sets,
            merge: is_on("merge"),
            lock_aware: is_on("lock-aware"),
            checkpoints: is_on("checkpoints"),
            transactions: is_on("transactions"),
            persistent_sets: is_on("persistent-sets"),
            repair: Options::default().repair.filter(|_| is_on("repair")),
            live_variables: is_on("live-variables"),
            automaton: is_on("automaton"),
            snapshots: is_on("snapshots"),
            max_states: self.max_states,
            ..Options::default()
        });
        let options = self.limits.of(options);
        let found = test.run_in(self.memory.get(), revision, &options, &mut |p| {
            watch.look(p)
        })?;
        drop(watch);
        self.limits.advise(&found.report);
        Ok(match self.engine() {
            None => found,
            Some(engine) => test.run_under(revision, &engine, &found)?,
        })
    }

    /// The engine that was asked for, unless it is the exhaustive one.
    fn engine(&self) -> Option<Engine> {
        /// Bugs that need up to this many ordering constraints are found with known probability.
        const PCT_DEPTH: usize = 5;
        /// Schedules for shuttle, unless asked otherwise.
        const ITERATIONS: u32 = 10_000;
        /// Seconds for loom, unless asked otherwise.
        const LOOM: u64 = 60;
        match self.engine.as_str() {
            "loom" => Some(Engine::Loom {
                max_duration: Duration::from_secs(self.limits.max_seconds.unwrap_or(LOOM)),
            }),
            "shuttle" => Some(Engine::Shuttle(Scheduler::Pct {
                iterations: self.iterations.unwrap_or(ITERATIONS) as usize,
                depth: PCT_DEPTH,
                seed: self.seed,
            })),
            "source-dpor" => Some(Engine::SourceDpor {
                max_executions: self.iterations.map(u64::from),
            }),
            _ => None,
        }
    }
}

/// The exit code of one answer.
fn exit(answer: &Answer) -> u8 {
    if answer.is_as_stated() {
        0
    } else {
        NOT_AS_STATED
    }
}

/// The scenario files among `paths`; folders are searched, in alphabetical order.
pub(crate) fn scenario_files(paths: &[PathBuf]) -> miette::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let below = files_below(path, &["litmus"], Links::Follow)
            .map_err(|(folder, e)| (format!("{}: cannot read", folder.display()), e))
            .or_else(|(what, e)| Err(e).into_diagnostic().wrap_err(what))?;
        if below.is_empty() {
            return Err(miette!(
                "{}: found no .litmus file in this folder",
                path.display()
            ));
        }
        files.extend(below);
    }
    Ok(files)
}
