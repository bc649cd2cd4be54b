//! What a patch changes: every scenario on two kernels, compared.
//!
//! A [`Review`] is data, and nothing but: what of it is printed where is up to [`text`],
//! [`markdown`] and [`json`]. Its [`Comparison`]s stand in this order:
//!
//! 1. what got worse, the worst [`Level`] first;
//! 2. what was not explored to its end on one of the kernels, where nothing worse was seen;
//! 3. what got better, and nothing worse;
//! 4. what is only different;
//! 5. what is unchanged.
//!
//! *Worse* is a [`Finding`] that comes about in some outcome where it did in none, or in all where
//! it did in some; an `always` that is violated; or a verdict that moved towards what the condition
//! asks for. A condition is taken to ask, with `exists` or `~exists`, for what nobody wants, and to
//! state with `forall` what everybody does. *Better* is the opposite.

mod command;
mod compare;
mod detail;
mod finding;
pub mod json;
pub mod markdown;
pub mod new_patch;
mod short;
mod shown;
mod story;
mod summary;
pub mod text;

pub(crate) use compare::findings_of;
pub use compare::{Compared, compare};
pub use detail::Detail;
pub use finding::{Finding, Kind, Level};

use crate::litmus::Verdict;
use kernel::revision::Revision;
use serde::{Deserialize, Serialize};

/// All scenarios on two kernels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The kernel without the patch, as the user wrote it.
    pub base: String,
    /// The kernel with it.
    pub patched: String,
    /// Commits that only the second has.
    pub added: Vec<CommitLine>,
    /// Commits that only the first has.
    pub removed: Vec<CommitLine>,
    /// A scenario each, the worst first.
    pub scenarios: Vec<Comparison>,
    /// Scenarios that were asked for and are not compared: one of the kernels is not modelled for
    /// their architecture.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// A commit of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitLine {
    /// 12 digits, or the name of a proposed patch.
    pub id: String,
    /// Its subject.
    pub subject: String,
}

/// What became of a scenario, from the worst to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Something got worse; something else may have got better.
    Worse,
    /// Nothing worse was seen, but one of the kernels was not explored to the end.
    Incomplete,
    /// Something got better, and nothing worse.
    Better,
    /// Other outcomes, none of them better or worse.
    Different,
    /// The same outcomes.
    Unchanged,
}

impl Standing {
    /// All.
    pub const ALL: [Standing; 5] = [
        Standing::Worse,
        Standing::Incomplete,
        Standing::Better,
        Standing::Different,
        Standing::Unchanged,
    ];

    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Worse => "worse",
            Standing::Incomplete => "not explored to the end",
            Standing::Better => "better",
            Standing::Different => "different",
            Standing::Unchanged => "unchanged",
        }
    }
}

/// One scenario on two kernels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Its name.
    pub scenario: String,
    /// Its file, as the user named it.
    pub file: String,
    /// What it asks: the last paragraph of its comment.
    pub question: String,
    /// What became of it.
    pub standing: Standing,
    /// How bad that is: of what got worse, or else of what got better, or else of what moved.
    /// `None` if nothing did.
    pub level: Option<Level>,
    /// Without the patch.
    pub base: Side,
    /// With it.
    pub patched: Side,
    /// Outcomes of the patched kernel alone.
    pub new: Vec<Numbered>,
    /// Outcomes of the base alone.
    pub gone: Vec<Numbered>,
    /// How many outcomes both have.
    pub kept: usize,
    /// Properties that hold on one kernel and not on the other.
    pub properties: Vec<PropertyMove>,
    /// Devices whose of_xlate calls are others.
    pub of_xlate: Vec<Calls>,
    /// Devices that end without driver and have a group more or less often.
    #[serde(default)]
    pub without_driver: Vec<GroupMove>,
    /// Whether its board is a machine that ACPI describes.
    #[serde(default)]
    pub is_acpi: bool,
    /// Locks that are taken under others on one kernel and not on the other, by class.
    pub lock_order: Vec<OrderMove>,
    /// Findings that come about more or less often, the worst first.
    pub findings: Vec<FindingMove>,
    /// Number of the witness for a condition that was fulfilled in no outcome of the base.
    pub witness: Option<usize>,
    /// How what is new and bad comes about.
    pub witnesses: Vec<Shown>,
}

/// One scenario on one kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The verdict on its condition.
    pub verdict: Verdict,
    /// How many outcomes there are.
    pub outcomes: usize,
    /// Why it was not explored to the end; `None` if it was.
    pub incomplete: Option<String>,
}

/// An outcome, as `check` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// Its number there.
    pub number: usize,
    /// Whether it fulfils the condition.
    pub condition: bool,
    /// A line for each device.
    pub lines: Vec<String>,
}

/// A property of the file that holds on one kernel alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyMove {
    /// `always` or `sometimes`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether it holds with the patch.
    pub holds: bool,
}

/// An edge of the lock order that one kernel has. Instances of a class count as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderMove {
    /// What is held.
    pub outer: String,
    /// What is taken.
    pub inner: String,
    /// Whether the patched kernel has it, not the base.
    pub is_gained: bool,
}

/// A device that no driver is bound to, in outcomes of both kernels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMove {
    /// The device.
    pub device: String,
    /// In how many of these outcomes of the base it has a group.
    pub base: Verdict,
    /// In how many of the patched kernel.
    pub patched: Verdict,
}

/// The of_xlate calls of a device over all outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// The device.
    pub device: String,
    /// Each pair that comes about without the patch, in order.
    pub base: Vec<Xlate>,
    /// And with it.
    pub patched: Vec<Xlate>,
}

/// How often of_xlate was called for a device in one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Xlate {
    /// While `dev->driver` was NULL: by a walk or the notifier.
    pub no_driver: u64,
    /// While it was set: by a bind.
    pub driver_set: u64,
}

/// A finding that comes about more or less often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingMove {
    /// What.
    pub finding: Finding,
    /// How bad it is.
    pub level: Level,
    /// In how many outcomes of the base.
    pub base: Verdict,
    /// In how many of the patched kernel.
    pub patched: Verdict,
    /// For a data race: in which functions.
    pub sites: Vec<String>,
    /// Number of its witness, from 1 on.
    pub witness: Option<usize>,
}

impl FindingMove {
    /// Whether it comes about more often.
    pub fn is_more(&self) -> bool {
        self.patched > self.base
    }
}

/// How something comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Number of the outcome, as `check` lists it for the patched kernel; `None` for what is no
    /// outcome.
    pub outcome: Option<usize>,
    /// That outcome, or what it is instead.
    pub lines: Vec<String>,
    /// The run in columns, a CPU each; nothing for data races and livelocks.
    pub columns: Vec<String>,
    /// A shortest schedule, its steps moved together, by the names of its steps.
    pub schedule: String,
    /// The command that runs it again, word by word; nothing if it never ends.
    pub replay: Vec<String>,
}

impl Review {
    /// Puts comparisons in order.
    pub fn new(base: &str, patched: &str, mut scenarios: Vec<Comparison>) -> Self {
        scenarios.sort_by(|a, b| {
            let key = |c: &Comparison| (c.standing, c.level.unwrap_or(Level::Other));
            key(a)
                .cmp(&key(b))
                .then_with(|| a.scenario.cmp(&b.scenario))
        });
        Self {
            base: base.to_owned(),
            patched: patched.to_owned(),
            added: vec![],
            removed: vec![],
            scenarios,
            left_out: vec![],
        }
    }

    /// Says which scenarios could not be compared on these kernels.
    #[must_use]
    pub fn without(self, left_out: Vec<String>) -> Self {
        Self { left_out, ..self }
    }

    /// Says which commits are between the kernels.
    #[must_use]
    pub fn with_commits(self, base: Revision, patched: Revision) -> Self {
        Self {
            added: only(patched, base),
            removed: only(base, patched),
            ..self
        }
    }

    /// Whether something got worse, or may have: was not explored to the end.
    pub fn is_suspect(&self) -> bool {
        let is_suspect = |c: &Comparison| c.standing == Standing::Worse || c.is_incomplete();
        self.scenarios.iter().any(is_suspect)
    }

    /// The scenarios of which this became.
    pub fn standing(&self, standing: Standing) -> impl Iterator<Item = &Comparison> {
        self.scenarios
            .iter()
            .filter(move |c| c.standing == standing)
    }
}

impl Comparison {
    /// Whether one of the kernels was not explored to the end.
    pub fn is_incomplete(&self) -> bool {
        self.base.incomplete.is_some() || self.patched.incomplete.is_some()
    }
}

fn only(of: Revision, and_not_of: Revision) -> Vec<CommitLine> {
    let line = |id: kernel::commit::CommitId| CommitLine {
        id: id.to_string(),
        subject: id.commit().subject.to_owned(),
    };
    of.commits()
        .filter(|id| !and_not_of.has(*id))
        .map(line)
        .collect()
}
