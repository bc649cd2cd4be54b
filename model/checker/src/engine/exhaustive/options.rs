//! What a search is told, and what it tells while it goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to search.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Options {
    /// Merge states with equal fingerprints.
    pub merge: bool,
    /// Only operations that tasks could tell apart are steps; otherwise all are.
    pub lock_aware: bool,
    /// Let a task forget its past where it says so.
    pub checkpoints: bool,
    /// Let a task that has taken a lock do its next access at once.
    pub transactions: bool,
    /// Let only so many tasks go at a state as are enough: persistent sets.
    pub persistent_sets: bool,
    /// Do not let a task go where that was done before, on a way that differs in the order of
    /// independent steps alone: sleep sets. All outcomes are found, with a way to each; schedules are
    /// no longer counted, and data races and ways to go round may be missed. For one worker, and
    /// without checkpoints in a file; without persistent sets nothing sleeps.
    pub sleep_sets: bool,
    /// Where persistent sets turn out to have been too small at no more than one of so many states,
    /// go to those alone again; otherwise begin again, and without a number always. It makes no
    /// difference to the report. Not with sleep sets.
    pub repair: Option<u64>,
    /// Leave out of a state what no task will read any more; without persistent sets it stays in.
    pub live_variables: bool,
    /// Tasks need not see the newest: see [`crate::engine::weak`]. Then steps are no transactions, there
    /// are no sleep sets and no repair, ways to go round are not told, and a search without merging or
    /// automata is one with them.
    pub weak_memory: bool,
    /// Learn what tasks do, and run them only where they observe something new. Without it, and
    /// without merging, each step is run.
    pub automaton: bool,
    /// Where each step is run: go back to a state by a snapshot of it, not by a replay of the
    /// schedule.
    pub snapshots: bool,
    /// Find a schedule to each outcome. Where there are tens of thousands of outcomes that takes
    /// longer than to find the outcomes; without it their schedules are empty.
    pub schedules: bool,
    /// How many threads search.
    pub workers: usize,
    /// How many states one worker visits before the others help. Counts may depend on it, outcomes do
    /// not.
    pub share_after: u64,
    /// Stop after this many states; the report then says `complete no`. Where several workers come
    /// to this bound, or to that of `max_depth`, one searches again alone up to it, so that the
    /// report does not depend on how many there are; but not with a checkpoint, from which a search
    /// can go on.
    pub max_states: u64,
    /// Stop when about so many bytes are needed.
    pub max_memory: u64,
    /// Stop when a schedule gets longer than this many choices.
    pub max_depth: u64,
    /// Leave out schedules on which tasks are interrupted more often than this where they could have
    /// gone on; the report then says `complete no`, unless there are none. All others are explored,
    /// without persistent sets; each counts. Not with sleep sets.
    pub preemption_bound: Option<u64>,
    /// Stop after about so many seconds of this process.
    pub max_seconds: Option<u64>,
    /// How many states one worker visits between two looks at progress and bounds; where that takes
    /// long, it looks at progress and the bound of time before.
    pub look: u64,
    /// Where to write checkpoints.
    pub checkpoint: Option<CheckpointFile>,
    /// Go on from the checkpoint in this file.
    pub resume: Option<PathBuf>,
    /// What is explored, in the caller's words, for checkpoints: one that was written under
    /// another label is refused. What a model does cannot be compared, only what it consists of;
    /// so the label names what decides it: the text of the scenario, the kernel.
    pub label: String,
    /// Keep the states beside their fingerprints, and panic if two that differ have the same. For
    /// small searches: see [`crate::engine::exhaustive`] for what that does not cover.
    pub exact: bool,
    /// See what tasks do on random schedules before the search. For tests: without it little of what
    /// the first round goes by is so.
    #[doc(hidden)]
    pub sampled: bool,
    /// How many bits of a fingerprint count. For tests: fewer than 128 lose states.
    #[doc(hidden)]
    pub fingerprint_bits: u32,
}

impl Options {
    /// The file of a checkpoint, if there is to do with one.
    pub(super) fn any_checkpoint(&self) -> Option<&Path> {
        let written = self.checkpoint.as_ref().map(|c| c.path.as_path());
        self.resume.as_deref().or(written)
    }
}

/// Where and how often a search writes down how far it is, so that it can go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointFile {
    /// The file. A temporary file beside it is written first, so that there is always a whole one.
    pub path: PathBuf,
    /// How long after one checkpoint the next is written. It gets longer where writing one takes
    /// more than a tenth of it.
    pub interval: Duration,
}

impl CheckpointFile {
    /// A checkpoint every minute.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            interval: Duration::from_secs(60),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            merge: true,
            lock_aware: true,
            checkpoints: true,
            transactions: true,
            persistent_sets: true,
            sleep_sets: false,
            repair: Some(8),
            live_variables: true,
            weak_memory: false,
            automaton: true,
            snapshots: true,
            schedules: true,
            workers: 1,
            share_after: 20_000,
            max_states: 20_000_000,
            max_memory: u64::MAX,
            max_depth: 1_000_000,
            preemption_bound: None,
            max_seconds: None,
            look: 4096,
            checkpoint: None,
            resume: None,
            label: String::new(),
            exact: false,
            sampled: true,
            fingerprint_bits: u128::BITS,
        }
    }
}

/// How far a search has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// States visited since the last restart.
    pub states: u64,
    /// Choices open on the current path.
    pub depth: u64,
    /// About how many bytes the search takes, with what the report takes at the end.
    pub memory: u64,
    /// Decimal logarithm of about how many schedules there are, where tasks can go in turns as in
    /// this round and none is left out; `None` if that is not known. Knuth's estimate (1975).
    pub schedules_log10: Option<f64>,
    /// How often the search has started again with more steps.
    pub restarts: u64,
    /// Outcomes so far.
    pub outcomes: usize,
    /// Choices that were seen and not tried yet, on all paths.
    pub untried: u64,
    /// The part of the tree of choices that is done, from 0 to 1, as if all choices of a state led
    /// to as much: no forecast where much is merged.
    pub done: f64,
}

/// What the caller of [`super::explore_with`] wants after a look at the progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// End here; the report says so.
    Stop,
}
