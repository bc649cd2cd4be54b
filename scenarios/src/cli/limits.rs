//! Options for explorations that take long: bounds, and checkpoints to go on from.

use checker::engine::exhaustive::{CheckpointFile, Options};
use checker::outcome::Report;
use clap::Args;
use miette::miette;
use std::path::PathBuf;
use std::time::Duration;

/// How long to explore, and where to write how far it is.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// Stops after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_seconds: Option<u64>,
    /// Leaves out schedules on which tasks are interrupted more often than this where they could have
    /// gone on; where there are some, the answer is `complete no`
    #[arg(long, value_name = "N")]
    pub(crate) preemptions: Option<u64>,
    /// Writes how far the exploration is to this file: when it stops, and every now and then
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Writes the checkpoint again after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    checkpoint_seconds: u64,
    /// Goes on from the checkpoint in this file; further ones replace it, unless --checkpoint
    /// names another file
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Compares the states themselves, not their fingerprints alone: takes much more memory
    #[arg(long, conflicts_with_all = ["checkpoint", "resume"])]
    exact: bool,
}

impl Limits {
    /// The options with these limits.
    pub(crate) fn of(&self, options: Options) -> Options {
        Options {
            max_seconds: self.max_seconds,
            preemption_bound: self.preemptions,
            checkpoint: self.file().map(|path| CheckpointFile {
                path: path.clone(),
                interval: Duration::from_secs(self.checkpoint_seconds),
            }),
            resume: self.resume.clone(),
            exact: self.exact,
            ..options
        }
    }

    /// Where checkpoints are written.
    fn file(&self) -> Option<&PathBuf> {
        self.checkpoint.as_ref().or(self.resume.as_ref())
    }

    /// One checkpoint is of one exploration.
    pub(crate) fn allow(&self, explorations: usize) -> miette::Result<()> {
        if explorations == 1 || self.file().is_none() {
            return Ok(());
        }
        let option = if self.resume.is_some() {
            "--resume"
        } else {
            "--checkpoint"
        };
        Err(miette!(
            "{option}: a checkpoint is of one scenario on one kernel, but these are {explorations}"
        ))
    }

    /// Says on stderr how to go on with an exploration that was stopped.
    pub(crate) fn advise<O>(&self, report: &Report<O>) {
        if let (Some(file), true) = (self.file(), report.can_go_on) {
            eprintln!(
                "to go on: the same command with --resume {}",
                file.display()
            );
        }
    }
}
