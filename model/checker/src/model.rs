//! What an engine needs to know of a model.

use crate::layout::Layout;
use std::fmt::Debug;

/// What a task runs: a kind and an argument, both in the model's own terms. Plain data, so that
/// a task can be created by another without any memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Which function.
    pub kind: u32,
    /// Its argument.
    pub arg: u64,
}

/// A concurrent system to be explored.
///
/// All of a model's mutable state lives in the cells and locks of its layout. `run` must be a
/// deterministic function of its entry and of what it reads through [`crate::sync`].
pub trait Model: Send + Sync + 'static {
    /// What is compared between runs, once everything has come to rest.
    type Outcome: Clone + Ord + Debug + Send + Sync;

    /// The world.
    fn layout(&self) -> &Layout;

    /// Runs before the tasks start, alone. Here the model may create the first tasks too.
    fn set_up(&self);

    /// The body of one task.
    fn run(&self, entry: Entry);

    /// Reads the outcome off a world at rest. Reads here are seen by nobody.
    fn outcome(&self) -> Self::Outcome;

    /// A task's name in logs and witnesses, such as `CPU0 (driver_register arm-smmu)`.
    fn task_name(&self, entry: Entry) -> String;

    /// Who goes first in the default schedule: the lowest number of those that can go.
    fn turn(&self, entry: Entry) -> u32 {
        let _ = entry;
        0
    }

    /// A cell's content as text, for witnesses.
    fn show(&self, cell: crate::layout::CellId, value: u64) -> String {
        let _ = cell;
        value.to_string()
    }
}
