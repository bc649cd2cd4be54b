//! `probe-litmus coverage`

use super::check::scenario_files;
use super::folders::{Links, files_below};
use super::machine::Machine;
use super::progress::Watch;
use super::{Boards, NOT_AS_STATED};
use checker::engine::exhaustive::Options;
use checker::outcome::Complete;
use clap::Args;
use kernel::config::Config;
use kernel::revision::Revision;
use miette::miette;
use scenarios::board;
use scenarios::boot::boot;
use scenarios::coverage::{Coverage as Reached, Gap};
use scenarios::functions::modelled;
use scenarios::runner::Test;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples. What the scenarios of the project leave out:

  probe-litmus coverage

What one scenario of your own reaches, on the kernels that it names, is what is not listed by

  probe-litmus coverage my-test.litmus

Exit codes: 0 each gap has its reason; 1 one has none, or an exploration was cut short; 2 the input \
is wrong.";

/// Lists the modelled steps that no scenario reaches, each with the reason
///
/// A step is a function of the model, or a row of the commit table: a branch of the model that
/// depends on a commit, reached on both sides if kernels with it and without it ask. Scenarios are
/// explored on the kernels that they name. Without scenarios: all of the project, and a boot of
/// each board in the folder of boards.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Coverage {
    /// Scenario files, or folders of them [default: `scenarios`, with boots of its boards]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    boards: Boards,
}

impl Coverage {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let is_all = self.scenarios.is_empty();
        let paths = if is_all {
            vec![PathBuf::from("scenarios")]
        } else {
            self.scenarios.clone()
        };
        let mut reached = Reached::default();
        let files = scenario_files(&paths)?;
        let mut is_complete = true;
        for file in &files {
            let test = Test::load(file, &self.boards.of(file))?;
            for kernel in test.kernels() {
                let watch = Watch::new(&format!("{} on {kernel}", test.litmus.name.value));
                let options = self.machine.of(&Options {
                    schedules: false,
                    ..Options::default()
                });
                let answer = test.run(kernel, &options, &mut |p| watch.look(p))?;
                is_complete &= answer.report.complete == Complete::Yes;
                reached.add(&answer);
            }
        }
        let boots = if is_all {
            self.boot_all(&mut reached)?
        } else {
            0
        };
        println!("Coverage {} scenarios, {boots} boots", files.len());
        let unreached = reached.unreached();
        println!(
            "Functions {}, not reached {}",
            modelled().count(),
            unreached.len()
        );
        print_gaps(&unreached);
        let unasked = reached.unasked();
        println!(
            "Commits {}, not asked for {}",
            Reached::rows(),
            unasked.len()
        );
        print_gaps(&unasked);
        let one_sided = reached.one_sided();
        println!(
            "Commits asked for with one answer alone {}",
            one_sided.len()
        );
        print_gaps(&one_sided);
        let mut gaps = unreached.iter().chain(&unasked).chain(&one_sided);
        let is_as_stated = is_complete && gaps.all(|gap| gap.reason.is_some());
        if !is_complete {
            println!("Complete no (an exploration was cut short: see `check`)");
        }
        Ok(ExitCode::from(if is_as_stated { 0 } else { NOT_AS_STATED }))
    }

    /// Boots the boards on the newest kernel, and says how many there are.
    fn boot_all(&self, reached: &mut Reached) -> miette::Result<usize> {
        let folder = self.boards.of(&PathBuf::from("scenarios/any.litmus"));
        let files = files_below(&folder, &["dts", "acpi"], Links::Skip)
            .map_err(|(folder, e)| miette!("{}: cannot read the folder: {e}", folder.display()))?;
        for file in &files {
            let board = board::load(file)?;
            reached.add_boot(&boot(&board, Revision::newest(), Config::default())?);
        }
        Ok(files.len())
    }
}

fn print_gaps(gaps: &[Gap]) {
    for gap in gaps {
        let reason = gap
            .reason
            .unwrap_or("no reason is known: a scenario is missing");
        println!("  {:<24} {reason}", gap.name);
    }
}
