//! What a search is told, and what it tells while it goes on.

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
    /// Let only so many tasks go at a state as are enough: persistent sets.
    pub persistent_sets: bool,
    /// Learn what tasks do, and run them only where they observe something new. Without it, and
    /// without merging, each step is run.
    pub automaton: bool,
    /// Where each step is run: go back to a state by a snapshot of it, not by a replay of the
    /// schedule.
    pub snapshots: bool,
    /// How many threads search.
    pub workers: usize,
    /// How many states one worker visits before the others help.
    pub share_after: u64,
    /// Stop after this many states; the report then says `complete no`.
    pub max_states: u64,
    /// Stop when about so many bytes are needed.
    pub max_memory: u64,
    /// Stop when a schedule gets longer than this many choices.
    pub max_depth: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            merge: true,
            lock_aware: true,
            checkpoints: true,
            persistent_sets: true,
            automaton: true,
            snapshots: true,
            workers: 1,
            share_after: 20_000,
            max_states: 20_000_000,
            max_memory: u64::MAX,
            max_depth: 1_000_000,
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
    /// How often the search has started again with more steps.
    pub restarts: u64,
    /// Outcomes so far.
    pub outcomes: usize,
}

/// What the caller of [`super::explore_with`] wants after a look at the progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// End here; the report says so.
    Stop,
}
