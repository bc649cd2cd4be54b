//! What comes out of an exploration.

use crate::engine::marks::Marks;
use crate::engine::schedule::Schedule;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Final<O> {
    /// The model's own outcome.
    pub outcome: O,
    /// The wait-for cycle, or the tasks that wait for ever; `None` if all came to rest.
    pub deadlock: Option<Deadlock>,
}

/// Tasks that wait for each other, or for something that nobody will do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadlock {
    /// One line a task: who waits for what, and who has it. A cycle starts with its least line.
    pub waits: Vec<String>,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.waits.join("; "))
    }
}

/// Two conflicting accesses of a plain field that nothing orders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataRace {
    /// The field, with its object.
    pub field: String,
    /// Both sites, `function (reads)` or `function (writes)`, in alphabetical order.
    pub sites: [String; 2],
}

/// Whether everything was explored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complete {
    /// Every interleaving is covered.
    Yes,
    /// A bound was hit, or the engine does not cover all: what, in words.
    No(String),
}

impl fmt::Display for Complete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Complete::Yes => f.write_str("yes"),
            Complete::No(why) => write!(f, "no ({why})"),
        }
    }
}

/// How many schedules there are: ways in which the steps of the tasks can follow each other.
///
/// With persistent sets these are the schedules that are explored: one or more of each class of
/// schedules that differ in the order of independent steps alone. Without them, all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interleavings {
    /// So many.
    Exactly(u128),
    /// The exploration was cut short, or there are more than can be counted.
    AtLeast(u128),
    /// A schedule can come back to a state that it has been in: there is no end of them.
    Endless,
}

impl fmt::Display for Interleavings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// From here on two digits tell enough.
        const LARGE: u128 = 1_000_000;
        let number = |n: u128| {
            if n < LARGE {
                n.to_string()
            } else {
                format!("{n:.1e}")
            }
        };
        match self {
            Interleavings::Exactly(n) => f.write_str(&number(*n)),
            Interleavings::AtLeast(n) => write!(f, "at least {}", number(*n)),
            Interleavings::Endless => f.write_str("without end (a schedule can go round)"),
        }
    }
}

/// The set of outcomes with a schedule that leads to each, and how it was found.
#[derive(Clone, Debug)]
pub struct Report<O> {
    /// Every outcome with one schedule that gives it: of the exhaustive engine a shortest one among
    /// those that it explores.
    pub finals: BTreeMap<Final<O>, Schedule>,
    /// Data races on plain fields, with a schedule up to the conflict.
    pub data_races: BTreeMap<DataRace, Schedule>,
    /// Functions of the model that were entered in some run, by name (exhaustive only).
    pub reached: BTreeSet<&'static str>,
    /// States visited (exhaustive), or 0.
    pub states: u64,
    /// Executions: paths that were gone, each from the start or from a state gone back to.
    pub executions: u64,
    /// Schedules of the steps that it was explored with, counted over the graph of states
    /// (exhaustive), or those that were run.
    pub interleavings: Interleavings,
    /// In choices: of the exhaustive engine the shortest schedule to the state that is farthest
    /// away. Without merging, and of other engines, the longest schedule.
    pub depth: u64,
    /// Whether everything was explored.
    pub complete: Complete,
    /// The steps that it was explored with.
    pub marks: Marks,
}

impl<O> Report<O> {
    /// Bound of the probability that any two of the states of an exploration, at an end or not,
    /// were taken for one since their fingerprints of 128 bits are equal, so that something was
    /// missed: n² / 2¹²⁹ for n states. `None` if there are no states.
    #[expect(
        clippy::cast_precision_loss,
        reason = "no more than two digits are shown"
    )]
    pub fn collision_bound(&self) -> Option<f64> {
        // No execution comes to more than one end.
        let states = self.states as f64 + self.executions as f64;
        (self.states > 0).then(|| states * states / 2f64.powi(129))
    }
}

impl<O: Clone + Ord> Report<O> {
    /// The outcome set alone.
    pub fn outcomes(&self) -> BTreeSet<Final<O>> {
        self.finals.keys().cloned().collect()
    }
}
