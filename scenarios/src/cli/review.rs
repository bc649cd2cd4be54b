//! `probe-litmus review`

use super::check::scenario_files;
use super::machine::Machine;
use super::progress::Watch;
use super::{Boards, MemoryModel, NOT_AS_STATED};
use checker::engine::exhaustive::Options;
use clap::Args;
use kernel::revision::Revision;
use miette::{IntoDiagnostic, miette};
use scenarios::review::{
    Compared, Comparison, Detail, Review as Reviewed, compare, json, markdown, text,
};
use scenarios::runner::{Answer, Test, TestError};
use scenarios::setup::SetupError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit codes of this command.
const EXIT_CODES: &str = "Exit codes: 0 nothing got worse; 1 something got worse, or was not \
explored to the end; 2 the input is wrong.";

/// Says what a patch changes: runs scenarios on two kernels and compares what comes out
///
/// Says what over all scenarios comes about more or less often, shows the most widespread new
/// finding of each level, and has a line for each scenario, the worst first. --each lists what
/// changed in each, with a witness for each finding that is new.
///
/// Worst first is: corrupt (an oops, a use after free, a deadlock, a livelock, DMA ops switched
/// under a driver, wrong counts), stuck (a device left deferred, without driver or without group),
/// splat (a WARN, a data race, a leak), verdict (one that moved towards what the condition asks
/// for, or an `always` violated), of_xlate (its calls), other. The first four are worse or
/// better; the last two are neither.
///
/// Examples, a commit, and a proposed patch on the newest kernel:
///
///     probe-litmus review bcb81ac6ae3c^..bcb81ac6ae3c
///     probe-litmus review --patch ambarus-ready-always scenarios/basics
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES, verbatim_doc_comment)]
pub(crate) struct Review {
    /// The kernel without and the kernel with the patch; with --patch the first scenario
    #[arg(value_name = "BASE..PATCHED", required_unless_present = "patch")]
    range: Option<String>,
    /// Scenario files, or folders of them [default: `scenarios` in this folder or in one above it]
    scenarios: Vec<PathBuf>,
    /// Reviews this proposed patch, on the newest kernel
    #[arg(long, value_name = "NAME")]
    patch: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "markdown", "json"])]
    format: String,
    /// Draws no columns: each witness is its outcome and the command that replays it
    #[arg(long, conflicts_with_all = ["each", "full"])]
    brief: bool,
    /// Prints a block for each scenario that changed, with its findings, of_xlate calls by device
    /// and witnesses, where else each is a line; and the lock order
    #[arg(long)]
    each: bool,
    /// As --each, draws all witnesses, and lists the outcomes that are new or gone
    #[arg(long)]
    full: bool,
    /// Stops each exploration after this many states
    #[arg(long, value_name = "N", default_value_t = Options::default().max_states)]
    max_states: u64,
    /// Stops each exploration after this many seconds
    #[arg(long, value_name = "SECONDS")]
    max_seconds: Option<u64>,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    memory: MemoryModel,
    #[command(flatten)]
    boards: Boards,
}

/// A scenario and its file.
type Scenario = (PathBuf, Test);

/// The kernels to compare, as the user wrote them and as they are.
struct Kernels {
    base: (String, Revision),
    patched: (String, Revision),
}

impl Review {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let kernels = self.kernels()?;
        let (tests, left_out) = self.tests(&kernels)?;
        let each = tests
            .iter()
            .map(|(file, test)| self.compare(file, test, &kernels));
        let all = each.collect::<miette::Result<Vec<_>>>()?;
        let (base, patched) = (&kernels.base, &kernels.patched);
        let review = Reviewed::new(&base.0, &patched.0, all).with_commits(base.1, patched.1);
        let review = review.without(left_out);
        let detail = match (self.full, self.each, self.brief) {
            (true, ..) => Detail::Full,
            (_, true, _) => Detail::Each,
            (.., true) => Detail::Brief,
            _ => Detail::Short,
        };
        let text = match self.format.as_str() {
            "json" => json::print(&review),
            "markdown" => markdown::print(&review, detail),
            _ => text::print(&review, detail),
        };
        match std::io::stdout().write_all(text.as_bytes()) {
            // `| head` has seen enough.
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e).into_diagnostic()?,
            _ => {}
        }
        Ok(if review.is_suspect() {
            ExitCode::from(NOT_AS_STATED)
        } else {
            ExitCode::SUCCESS
        })
    }

    /// The scenarios, and the names of those that one of the kernels is not modelled for. If that are
    /// all of them, it is an error.
    fn tests(&self, kernels: &Kernels) -> miette::Result<(Vec<Scenario>, Vec<String>)> {
        let (mut tests, mut left_out, mut why) = (vec![], vec![], None);
        for file in self.files()? {
            let test = Test::load(&file, &self.boards.of(&file))?;
            let kernels = [&kernels.base, &kernels.patched].into_iter();
            let set_up = kernels.map(|(revision, _)| test.kernel(revision));
            match set_up.collect::<Result<Vec<_>, _>>() {
                Ok(_) => tests.push((file, test)),
                Err(TestError::Setup(
                    e @ (SetupError::ForArmAlone { .. } | SetupError::NotForArm { .. }),
                )) => {
                    left_out.push(test.litmus.name.value.clone());
                    why.get_or_insert(e);
                }
                Err(e) => return Err(e.into()),
            }
        }
        match why {
            Some(why) if tests.is_empty() => Err(why.into()),
            _ => Ok((tests, left_out)),
        }
    }

    fn kernels(&self) -> miette::Result<Kernels> {
        let (base, patched) = match (&self.patch, &self.range) {
            (Some(patch), _) => {
                let newest = Revision::newest().to_string();
                let patched = format!("{newest} + {patch}");
                (newest, patched)
            }
            (None, Some(range)) => split(range)?,
            (None, None) => unreachable!("clap asks for one of them"),
        };
        let option = if self.patch.is_some() {
            "--patch"
        } else {
            "BASE..PATCHED"
        };
        let read = |text: &str| Revision::parse(text).map_err(|e| miette!("{option}: {e}"));
        let (before, after) = (read(&base)?, read(&patched)?);
        if before == after {
            return Err(miette!(
                "{option}: `{base}` and `{patched}` have the same commits of the table; expected \
                 two kernels that differ"
            ));
        }
        Ok(Kernels {
            base: (base, before),
            patched: (patched, after),
        })
    }

    /// The scenarios that were asked for, or all.
    fn files(&self) -> miette::Result<Vec<PathBuf>> {
        let first = self.patch.as_ref().and(self.range.as_ref());
        let asked = first
            .map(PathBuf::from)
            .into_iter()
            .chain(self.scenarios.iter().cloned());
        let asked: Vec<PathBuf> = asked.collect();
        if !asked.is_empty() {
            return scenario_files(&asked);
        }
        let here = std::env::current_dir().map_or(0, |dir| dir.ancestors().count());
        let near = (0..here).map(|up| PathBuf::from("../".repeat(up)).join("scenarios"));
        match near.into_iter().find(|folder| folder.is_dir()) {
            Some(folder) => scenario_files(&[folder]),
            None => Err(miette!(
                "found no folder `scenarios` here or above; expected scenarios to be named"
            )),
        }
    }

    fn compare(&self, file: &Path, test: &Test, kernels: &Kernels) -> miette::Result<Comparison> {
        let base = self.explore(test, &kernels.base.0)?;
        let patched = self.explore(test, &kernels.patched.0)?;
        Ok(compare(Compared {
            test,
            file: &file.display().to_string(),
            options: &self.boards.options(),
            base: &base,
            patched: &patched,
        }))
    }

    fn explore(&self, test: &Test, revision: &str) -> miette::Result<Answer> {
        let watch = Watch::new(&format!("{} on {revision}", test.litmus.name.value));
        let options = self.machine.of(&Options {
            max_states: self.max_states,
            max_seconds: self.max_seconds,
            ..Options::default()
        });
        Ok(
            test.run_in(self.memory.get(), revision, &options, &mut |p| {
                watch.look(p)
            })?,
        )
    }
}

/// `BASE..PATCHED`
fn split(range: &str) -> miette::Result<(String, String)> {
    let wrong = |what: &str| {
        Err(miette!(
            "`{range}`: {what}, expected BASE..PATCHED, such as bcb81ac6ae3c^..bcb81ac6ae3c"
        ))
    };
    let Some((base, patched)) = range.split_once("..") else {
        return wrong("found no `..`");
    };
    let (base, patched) = (base.trim(), patched.trim());
    if patched.starts_with('.') {
        return wrong("found three dots");
    }
    match (base.is_empty(), patched.is_empty()) {
        (true, _) => wrong("found no kernel before `..`"),
        (_, true) => wrong("found no kernel after `..`"),
        _ => Ok((base.to_owned(), patched.to_owned())),
    }
}
