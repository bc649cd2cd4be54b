//! Runs a litmus test: board, kernel and tasks out of the file, every interleaving, the verdict.

pub mod build;
mod error;
pub mod invariants;
pub mod names;
pub mod predicate;
pub mod report;

use crate::board::{self, Board};
use crate::litmus::{self, Atom, Litmus, PropertyKind, Verdict, Vocabulary};
use crate::setup::SetupError;
use checker::engine::exhaustive::{
    CheckpointError, Go, Options, Progress, Trace, replay, try_explore_with, try_set_up,
};
use checker::engine::schedule::Schedule;
use checker::engine::{dpor, loom, shuttle, weak};
use checker::hash::Rolling;
use checker::outcome::{Complete, Final, Report};
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use kernel::revision::Revision;
use miette::Diagnostic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

pub use error::LitmusErrors;
use invariants::{Invariant, InvariantAnswer};

/// A litmus test with its board, checked.
#[derive(Debug)]
pub struct Test {
    /// The file's content.
    pub litmus: Litmus,
    /// The board that it names.
    pub board: Board,
}

/// Why a test cannot be run.
#[derive(Debug, Error, Diagnostic)]
pub enum TestError {
    /// The file cannot be read.
    #[error("{file}: cannot read the file: {reason}")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Litmus(#[from] LitmusErrors),
    /// The board is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Board(#[from] board::error::BoardError),
    /// The kernel cannot be set up.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setup(#[from] SetupError),
    /// An engine cannot run the test.
    #[error("--engine: {0}")]
    Engine(String),
    /// `initial` does not come to its end on a kernel.
    #[error("{file}: `initial` does not come to its end on {revision}: {why}")]
    Initial {
        /// The scenario.
        file: String,
        /// The kernel.
        revision: Revision,
        /// Why.
        why: String,
    },
    /// A checkpoint cannot be gone on from, or not be written.
    #[error("checkpoint {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A kernel was asked for that there is not.
    #[error("--kernel: {0}")]
    Kernel(String),
}

impl Test {
    /// Reads a test, and the board that it names from the folder `boards`.
    pub fn load(path: &Path, boards: &Path) -> Result<Self, TestError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|reason| TestError::Read {
            file: path.to_owned(),
            reason,
        })?;
        let litmus = litmus::parse(&file, &text).map_err(LitmusErrors::from)?;
        Self::with_board(litmus, boards)
    }

    /// Takes a parsed test, reads its board and checks what it names.
    pub fn with_board(litmus: Litmus, boards: &Path) -> Result<Self, TestError> {
        let board_file = boards.join(&litmus.board.value);
        if !board_file.is_file() {
            let problem = litmus::Problem::Other(format!(
                "found no board `{}` in {}, the folder of boards",
                litmus.board.value,
                boards.display()
            ));
            let error = litmus::Error::new(&litmus.source, litmus.board.span, problem);
            return Err(LitmusErrors::from(error).into());
        }
        let board = board::load(&board_file)?;
        let test = Self { litmus, board };
        let errors = litmus::validate(
            &test.litmus,
            &Vocabulary::default(),
            &names::BoardNames::new(&test),
        );
        match LitmusErrors::all(errors) {
            None => Ok(test),
            Some(errors) => Err(errors.into()),
        }
    }

    /// The kernels that the test names.
    pub fn kernels(&self) -> impl Iterator<Item = &str> {
        self.litmus.kernels.iter().map(|k| k.value.as_str())
    }

    /// Whether the test names this kernel, and so states a verdict for it.
    pub fn names_kernel(&self, revision: &str) -> bool {
        self.kernels().any(|k| litmus::same_revision(k, revision))
    }

    /// Lays the test out for one kernel.
    pub fn kernel(&self, revision: &str) -> Result<Arc<Kernel>, TestError> {
        let revision = Revision::parse(revision).map_err(|e| TestError::Kernel(e.to_string()))?;
        let kernel = build::kernel(self, revision)?;
        try_set_up(&kernel).map_err(|why| TestError::Initial {
            file: self.litmus.source.file.to_string(),
            revision,
            why,
        })?;
        Ok(kernel)
    }

    /// Runs the test on one kernel under an engine other than the exhaustive one, with the steps
    /// that the exhaustive engine found.
    pub fn run_under(
        &self,
        revision: &str,
        engine: &Engine,
        found: &Answer,
    ) -> Result<Answer, TestError> {
        let marks = found.report.marks.clone();
        let report = match engine {
            Engine::Loom { max_duration } => {
                let options = loom::Options {
                    max_duration: Some(*max_duration),
                    ..loom::Options::new(marks)
                };
                loom::explore(&found.kernel, &options)
                    .map_err(|e| TestError::Engine(e.to_string()))?
            }
            Engine::Shuttle(scheduler) => {
                let options = shuttle::Options {
                    marks,
                    scheduler: *scheduler,
                };
                shuttle::explore(&found.kernel, &options)
            }
            Engine::SourceDpor { max_executions } => {
                let options = dpor::Options {
                    max_executions: *max_executions,
                    ..dpor::Options::new(marks)
                };
                dpor::explore(&found.kernel, &options).report
            }
        };
        let kernel = found.kernel.clone();
        Ok(Answer::new(self, revision, kernel, found.memory, report))
    }

    /// Explores the test on one kernel, under sequential consistency.
    pub fn run(
        &self,
        revision: &str,
        options: &Options,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) -> Result<Answer, TestError> {
        self.run_in(Memory::Sequential, revision, options, progress)
    }

    /// Explores the test on one kernel.
    pub fn run_in(
        &self,
        memory: Memory,
        revision: &str,
        options: &Options,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) -> Result<Answer, TestError> {
        let kernel = self.kernel(revision)?;
        let options = Options {
            weak_memory: memory == Memory::Weak,
            label: label(
                &format!("{} on {revision}", self.litmus.name.value),
                &format!("{} {:?}", self.litmus.source.text, self.board),
            ),
            ..options.clone()
        };
        let report = try_explore_with(&kernel, &options, progress)?;
        Ok(Answer::new(self, revision, kernel, memory, report))
    }
}

/// What a task sees of the stores of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The newest: sequential consistency.
    Sequential,
    /// What the kernel's memory model lets it see: [`weak`].
    Weak,
}

/// What is explored, for checkpoints: its name, and a hash of what decides it.
pub fn label(name: &str, content: &str) -> String {
    let mut hash = Rolling::default();
    hash.push_str(content);
    format!("{name}, {:016x}", hash.finish() as u64)
}

/// An engine beside the exhaustive one.
#[derive(Clone, Debug)]
pub enum Engine {
    /// loom, for at most this long.
    Loom {
        /// The bound.
        max_duration: Duration,
    },
    /// shuttle, with one of its schedulers.
    Shuttle(shuttle::Scheduler),
    /// Source-DPOR, until so many executions.
    SourceDpor {
        /// The bound, if there is one.
        max_executions: Option<u64>,
    },
}

/// What an exploration says about a test on one kernel.
#[derive(Debug)]
pub struct Answer {
    /// The kernel as the user wrote it.
    pub revision: String,
    /// The kernel that was explored.
    pub kernel: Arc<Kernel>,
    /// The memory that it was explored with.
    pub memory: Memory,
    /// The outcomes.
    pub report: Report<Outcome>,
    /// Outcomes in order, and whether the condition's proposition holds for each.
    pub holds: Vec<bool>,
    /// What was observed.
    pub observed: Verdict,
    /// What the file says, if it names the kernel.
    pub expected: Option<Verdict>,
    /// The named properties: whether each is as it should be.
    pub properties: Vec<PropertyAnswer>,
    /// The invariants that the checker knows by name, whether the test names them or not.
    pub invariants: Vec<InvariantAnswer>,
}

/// What an exploration says about a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyAnswer {
    /// `always` or `sometimes`.
    pub kind: PropertyKind,
    /// Its name.
    pub name: String,
    /// Whether it is as it should be.
    pub holds: bool,
    /// An invariant known by name that does not hold but for want of anything to judge.
    pub is_vacuous: bool,
}

impl PropertyAnswer {
    /// Of `always I4`. What nothing was judged for does not count as holding.
    fn of_invariant(name: &str, invariants: &[InvariantAnswer]) -> Self {
        let answer = invariants.iter().find(|i| i.name == name);
        Self {
            kind: PropertyKind::Always,
            name: name.to_owned(),
            holds: answer.is_some_and(|i| i.violated == 0 && !i.is_vacuous()),
            is_vacuous: answer.is_some_and(InvariantAnswer::is_vacuous),
        }
    }
}

impl Answer {
    fn new(
        test: &Test,
        revision: &str,
        kernel: Arc<Kernel>,
        memory: Memory,
        report: Report<Outcome>,
    ) -> Self {
        let names = names::Resolver::new(test, &kernel);
        let holds_in = |expr: &litmus::Expr, end: &Final<Outcome>| {
            expr.holds(&mut |atom: &Atom| predicate::holds(atom, end, &names))
        };
        let condition = &test.litmus.condition.value.expr.value;
        let holds: Vec<bool> = report
            .finals
            .keys()
            .map(|end| holds_in(condition, end))
            .collect();
        let judge = |i: &Invariant| i.over(report.finals.keys(), &names);
        let invariants: Vec<InvariantAnswer> = invariants::ALL.iter().map(judge).collect();
        let properties = test.litmus.properties.iter().map(|p| {
            let Some(expr) = &p.value.expr else {
                return PropertyAnswer::of_invariant(&p.value.name.value, &invariants);
            };
            let expr = &expr.value;
            let mut each = report.finals.keys().map(|end| holds_in(expr, end));
            let holds = match p.value.kind {
                PropertyKind::Always => each.all(|h| h),
                PropertyKind::Sometimes => each.any(|h| h),
            };
            PropertyAnswer {
                kind: p.value.kind,
                name: p.value.name.value.clone(),
                holds,
                is_vacuous: false,
            }
        });
        Self {
            revision: revision.to_owned(),
            observed: verdict(&holds),
            expected: test
                .names_kernel(revision)
                .then(|| test.litmus.expected(revision)),
            properties: properties.collect(),
            invariants,
            holds,
            kernel,
            memory,
            report,
        }
    }

    /// Whether the exploration was complete, gave the verdict that the file states for this
    /// kernel, if it does, and found every property as it should be.
    pub fn is_as_stated(&self) -> bool {
        let as_named =
            |expected| self.observed == expected && self.properties.iter().all(|p| p.holds);
        self.report.complete == Complete::Yes && self.expected.is_none_or(as_named)
    }

    /// Runs a schedule of the exploration again, and records it.
    pub fn replay(&self, schedule: &Schedule) -> Trace<Outcome> {
        let marks = &self.report.marks;
        match self.memory {
            Memory::Sequential => replay(&self.kernel, marks, schedule),
            Memory::Weak => weak::replay(&self.kernel, marks, schedule),
        }
    }

    /// The outcomes in order, with a schedule each.
    pub fn outcomes(&self) -> impl Iterator<Item = (&Final<Outcome>, &Schedule, bool)> {
        self.report
            .finals
            .iter()
            .zip(&self.holds)
            .map(|((end, schedule), holds)| (end, schedule, *holds))
    }
}

/// The verdict over all outcomes, as herd7 gives it.
fn verdict(holds: &[bool]) -> Verdict {
    match (holds.contains(&true), holds.contains(&false)) {
        (false, _) => Verdict::Never,
        (true, true) => Verdict::Sometimes,
        (true, false) => Verdict::Always,
    }
}
