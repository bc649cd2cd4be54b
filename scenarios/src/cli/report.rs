//! `probe-litmus report`

use super::check::scenario_files;
use super::limits::Limits;
use super::machine::Machine;
use super::progress::Watch;
use super::{Boards, NOT_AS_STATED};
use checker::engine::exhaustive::Options;
use clap::Args;
use miette::miette;
use scenarios::report::{Folder, Room, Run, Site};
use scenarios::runner::Test;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes what scenarios say as pages to read in a browser
///
/// The first page has all scenarios times all kernels, and which commit moved which verdict. Each
/// scenario has a page with its outcomes, of_xlate calls, findings and one run for each kernel,
/// drawn, to go through step by step. The pages need no server and no network.
///
/// Examples, all scenarios, and the museum alone:
///
///     probe-litmus report -o report && xdg-open report/index.html
///     probe-litmus report -o report scenarios/museum
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES, verbatim_doc_comment)]
pub(crate) struct Report {
    /// Scenario files, or folders of them [default: `scenarios` in this folder or in one above it]
    scenarios: Vec<PathBuf>,
    /// Writes the pages into this folder: a new or an empty one, or one with an earlier report,
    /// which is replaced
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Explores on this kernel instead of those that the scenarios name; can be repeated
    #[arg(long, value_name = "REV")]
    kernel: Vec<String>,
    /// Stops each exploration after this many states
    #[arg(long, value_name = "N", default_value_t = Options::default().max_states)]
    max_states: u64,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    boards: Boards,
}

impl Report {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let tests = self.load()?;
        let searches = tests.iter().map(|(_, t)| self.kernels(t).len()).sum();
        self.limits.allow(searches)?;
        let folder = Folder::open(&self.output)?;
        let mut done = 0;
        let mut is_as_stated = true;
        let mut rooms = vec![];
        for (file, test) in &tests {
            let mut room = Room::new(test, file);
            for revision in self.kernels(test) {
                done += 1;
                self.explore(&mut room, test, revision, (done, searches))?;
            }
            is_as_stated &= room.runs.iter().all(Run::is_as_stated);
            rooms.push(room);
        }
        let files = Site::new(rooms).files();
        folder.write(&files)?;
        println!("{}", self.output.join("index.html").display());
        Ok(if is_as_stated {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NOT_AS_STATED)
        })
    }

    /// Reads all scenarios and sets up all kernels, so that what is wrong with the last of them is
    /// said before the first is explored.
    fn load(&self) -> miette::Result<Vec<(PathBuf, Test)>> {
        let mut names: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut tests = vec![];
        for file in self.files()? {
            let test = Test::load(&file, &self.boards.of(&file))?;
            for revision in self.kernels(&test) {
                test.kernel(revision)?;
            }
            let name = &test.litmus.name.value;
            if let Some(other) = names.insert(name.clone(), file.clone()) {
                return Err(miette!(
                    "{}: found a second scenario `{name}`, expected one of each name: the first \
                     is {}",
                    file.display(),
                    other.display()
                ));
            }
            tests.push((file, test));
        }
        Ok(tests)
    }

    /// The scenarios that were asked for, or all.
    fn files(&self) -> miette::Result<Vec<PathBuf>> {
        if !self.scenarios.is_empty() {
            return scenario_files(&self.scenarios);
        }
        let here = std::env::current_dir().map_or(0, |dir| dir.ancestors().count());
        let mut near = (0..here).map(|up| Path::new(&"../".repeat(up)).join("scenarios"));
        match near.find(|folder| folder.is_dir()) {
            Some(folder) => scenario_files(&[folder]),
            None => Err(miette!(
                "found no folder `scenarios` here or above; expected scenarios to be named"
            )),
        }
    }

    /// The kernels to explore a test on.
    fn kernels<'a>(&'a self, test: &'a Test) -> Vec<&'a str> {
        if self.kernel.is_empty() {
            test.kernels().collect()
        } else {
            self.kernel.iter().map(String::as_str).collect()
        }
    }

    fn explore(
        &self,
        room: &mut Room,
        test: &Test,
        revision: &str,
        (nth, all): (usize, usize),
    ) -> miette::Result<()> {
        let name = &test.litmus.name.value;
        let watch = Watch::new(&format!("{nth}/{all} {name} on {revision}"));
        let options = self.machine.of(&Options {
            max_states: self.max_states,
            ..Options::default()
        });
        let options = self.limits.of(options);
        let answer = test.run(revision, &options, &mut |p| watch.look(p))?;
        drop(watch);
        self.limits.advise(&answer.report);
        room.add(test, &answer);
        Ok(())
    }
}
