//! What comes out of an exploration.

use crate::engine::lock_order::LockOrder;
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

/// How fair a scheduler is to tasks if it lets some go round for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fairness {
    /// Not at all: a task could go all the time and never does. Once it goes, that is the end of
    /// it: every scheduler that lets all tasks go some day (weak fairness) comes to it.
    None,
    /// Weakly: no task could go all the time and never does, but one could go again and again. It
    /// ends with a scheduler, or with locks, that let that one go some day (strong fairness).
    Weak,
    /// Strongly, a livelock: all tasks that can go do. Another order of their steps ends it.
    Livelock,
    /// Strongly, and nothing that any task can do ends it.
    NoWayOut,
    /// Not known: there are too many states on it to say who goes round, and how.
    Unknown,
}

impl fmt::Display for Fairness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fairness::None => "ends under weak fairness",
            Fairness::Weak => "ends under strong fairness only",
            Fairness::Livelock => "a livelock, even under strong fairness",
            Fairness::NoWayOut => "a livelock without a way out",
            Fairness::Unknown => "too many states to say how fair that is",
        })
    }
}

/// Tasks that can go round for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round {
    /// How fair that is to the others.
    pub fairness: Fairness,
    /// Those that go round, by name.
    pub tasks: Vec<String>,
    /// The fields and locks that they step on meanwhile, by name.
    pub on: Vec<String>,
    /// Those who could go meanwhile, do not, and would end it.
    pub ended_by: Vec<String>,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fairness == Fairness::Unknown {
            return write!(f, "Tasks can go round for ever: {}", self.fairness);
        }
        let (tasks, on) = (self.tasks.join(", "), self.on.join(", "));
        write!(
            f,
            "{tasks} can go round for ever on {on}: {}",
            self.fairness
        )?;
        if !self.ended_by.is_empty() {
            write!(f, ", by {}", self.ended_by.join(", "))?;
        }
        Ok(())
    }
}

/// How tasks go round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoesRound {
    /// A shortest schedule to where it begins, or to the first state that it may begin at.
    pub way: Schedule,
    /// The choices of one period, after which the state is the same: empty if there is nothing to
    /// choose, or if the fairness is not known.
    pub period: Schedule,
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

impl Interleavings {
    /// If not all were explored.
    pub(crate) fn at_least(self) -> Self {
        match self {
            Interleavings::Exactly(n) => Interleavings::AtLeast(n),
            other => other,
        }
    }
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
    /// What can go round for ever, with the nearest way to it (exhaustive with merging only). The
    /// interleavings are then without end, and `complete` is about outcomes.
    pub rounds: BTreeMap<Round, GoesRound>,
    /// Functions of the model that were entered in some run, by name (exhaustive only).
    pub reached: BTreeSet<&'static str>,
    /// Which locks tasks take while they hold others (exhaustive, under either memory; of other
    /// engines nothing).
    pub lock_order: LockOrder,
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
    /// It was stopped, and there is a checkpoint to go on from.
    pub can_go_on: bool,
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
