//! Is there a schedule whose calls are those of a log? (trace validation)
//!
//! A state is a state of the model together with a place in the log. What a task does between two
//! calls is silent; each call, return and note is shown to a [`Log`], which says whether it can be
//! what stands in the log next, or whether nobody would have seen it. The search is depth-first,
//! with those states left out that it has been in. The task that owes the log's next event goes
//! first, so that a boot without races is gone through once.
//!
//! Few states suffice for most logs that are allowed. For those that are not, of tasks whose order
//! makes no difference to the log only one is let go: see `stretches.rs`.
//!
//! As in Cirstea, Kuppe, Loillier, Merz, "Validating traces of distributed programs against TLA+
//! specifications" (2024).
//!
//! Which operations are steps is learnt as in the exhaustive search (see
//! [`crate::engine::marks`]): when no schedule is found, and some access has shown that more
//! operations are steps than was assumed, the search starts again with those.

mod search;
mod stretches;
mod ways;

use crate::engine::exhaustive::Trace;
use crate::engine::schedule::Schedule;
use crate::event::{TaskId, What};
use crate::model::Entry;
use std::collections::BTreeSet;
use std::hash::Hash;

pub use search::search;

/// A task, as a log sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it runs.
    pub entry: Entry,
    /// How many tasks of that entry were created before it.
    pub nth: u32,
    /// Whether it has ended.
    pub ended: bool,
}

/// What may follow when a task is about to make a call, return or note.
#[derive(Clone, Debug)]
pub struct Next<L> {
    /// The log thereafter.
    pub log: L,
    /// Whether the task goes on. If not, more of the log belongs to the same event.
    pub goes: bool,
    /// Whether this may be done at once, since nothing that others do instead can be lost by it.
    pub at_once: bool,
}

/// What a log says to a call, return or note.
#[derive(Clone, Debug)]
pub enum Says<L> {
    /// What may follow. If nothing may, then not now: others have to go first.
    Next(Vec<Next<L>>),
    /// It will never fit, whatever others do before. The others go on: what they do might have had
    /// the task show something else, if it had gone later.
    Never,
}

/// A log, and a place in it.
///
/// The methods are called while the world can be read (see [`crate::sync`]), and nobody sees that.
pub trait Log: Clone {
    /// What a task is about to show, as far as it decides whether that can be what stands next.
    type Label: Clone + Eq + Hash;

    /// What may follow when `task` is about to do this.
    fn ask(&self, tasks: &[Standing], task: TaskId, what: &What) -> Says<Self>;

    /// What a task is about to show, unless nobody sees it.
    fn label(&self, tasks: &[Standing], task: TaskId, what: &What) -> Option<Self::Label>;

    /// Whether something with this label can be what stands next, if the world is right.
    fn may_be_next(&self, label: &Self::Label) -> bool;

    /// Who alone can show what stands next, if there is one such task: until it has gone, nobody
    /// else can.
    fn only(&self, tasks: &[Standing]) -> Option<TaskId>;

    /// What of this place decides what a task shows beside its calls, while the log stays where
    /// it is.
    fn mode(&self, task: TaskId) -> u64;

    /// The log if its next event is none of the model's, where that may be.
    fn skip(&self) -> Option<Self>;

    /// Who is let go first: the lowest. Only the order of the search depends on it.
    fn rank(&self, tasks: &[Standing], task: TaskId) -> u32;

    /// Whether all events have been explained.
    fn is_over(&self) -> bool;

    /// How many events have been explained.
    fn position(&self) -> usize;

    /// Tells places in the log apart, with all that the model's state does not tell. If nothing
    /// more is explained, only by what decides what is silent.
    fn digest(&self, tasks: &[Standing], explains: bool) -> u128;

    /// What the log would have shown of this, if anything.
    fn shows(&self, task: TaskId, what: &What) -> Option<String>;
}

/// How far to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most states with a choice, all rounds together.
    pub max_states: u64,
    /// For so many of them nothing is learnt of what tasks do where the log cannot be explained
    /// any more: a log that is allowed is mostly explained in fewer.
    pub quick_states: u64,
    /// No task is left out, whether that makes a difference or not: much slower.
    pub all_orders: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_states: 200_000,
            quick_states: 2000,
            all_orders: false,
        }
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Found<O> {
    /// The answer.
    pub answer: Answer<O>,
    /// States with a choice, all rounds together.
    pub states: u64,
    /// Rounds, each of which knows more than the one before of what is a step, and of what tasks
    /// do between two events.
    pub rounds: u64,
}

/// Whether there is a schedule.
#[derive(Clone, Debug)]
pub enum Answer<O> {
    /// There is.
    Accepted(Box<Run<O>>),
    /// There is none.
    Rejected(Box<Dead<O>>),
    /// That was not found out.
    Undecided {
        /// The bound that was hit.
        why: String,
        /// The farthest that was come.
        farthest: Box<Dead<O>>,
    },
}

/// A schedule, and what happens under it.
#[derive(Clone, Debug)]
pub struct Run<O> {
    /// The choices, counted where more than one task could go or was tried.
    pub schedule: Schedule,
    /// All that happens, to the end of the run.
    pub trace: Trace<O>,
    /// How many of its events had happened when the log was over.
    pub explained: usize,
}

/// The farthest place in the log that was reached.
#[derive(Clone, Debug)]
pub struct Dead<O> {
    /// How many events were explained: the next one was not.
    pub position: usize,
    /// What tasks were about to show there instead: their names and that.
    pub instead: BTreeSet<(String, String)>,
    /// A schedule that leads there. Its run goes on to an end of its own.
    pub run: Run<O>,
}
