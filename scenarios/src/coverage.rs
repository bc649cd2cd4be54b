//! Which modelled steps scenarios and boots reach: functions, and rows of the commit table that
//! were asked for, with which answers. A Never about code that nothing reaches would be vacuous.

use crate::boot::Boot;
use crate::functions::modelled;
use crate::runner::Answer;
use checker::event::What;
use kernel::asked::Asked;
use kernel::commit::CommitId;
use std::collections::BTreeSet;

/// Functions that no scenario of this project and no boot enters, and why.
pub const UNREACHED: [(&str, &str); 0] = [];

/// Rows of the commit table that no scenario of this project and no boot asks for, and why.
pub const UNASKED: [(&str, &str); 3] = [
    (
        "09515ef5ddad",
        "it is in every kernel that can be named: the oldest for 32-bit ARM",
    ),
    (
        "dcde1c4aa7ce",
        "no code of the model asks for it: dma_dev is not read since f48dcda8f6a4",
    ),
    ("7befbf128129", "no code of the model asks for it"),
];

/// Rows that scenarios and boots ask for on one side alone, on kernels that have them or on those
/// that have not, and why: one of two branches is not reached.
pub const ONE_SIDED: [(&str, &str); 0] = [];

/// What was reached so far.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    functions: BTreeSet<String>,
    /// Rows that were asked for where they are not, and where they are.
    asked: [BTreeSet<CommitId>; 2],
}

/// A step that nothing reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The function, or the commit.
    pub name: &'static str,
    /// Why, if that is known.
    pub reason: Option<&'static str>,
}

impl Coverage {
    /// What an exploration reached.
    pub fn add(&mut self, answer: &Answer) {
        let reached = answer.report.reached.iter();
        self.functions.extend(reached.map(|f| (*f).to_owned()));
        self.add_asked(&answer.kernel.asked);
    }

    /// What a boot reached.
    pub fn add_boot(&mut self, boot: &Boot) {
        let entered = boot.trace.events.iter().filter_map(|e| match &e.what {
            What::Enter { function, .. } => Some((*function).to_owned()),
            _ => None,
        });
        self.functions.extend(entered);
        self.add_asked(&boot.kernel.asked);
    }

    fn add_asked(&mut self, asked: &Asked) {
        for has in [false, true] {
            let rows = CommitId::all().filter(|id| asked.contains(*id, has));
            self.asked[usize::from(has)].extend(rows);
        }
    }

    /// Modelled functions that were not entered, in alphabetical order.
    pub fn unreached(&self) -> Vec<Gap> {
        let missing: BTreeSet<_> = modelled()
            .filter(|f| !self.functions.contains(*f))
            .collect();
        missing.into_iter().map(|f| gap(f, &UNREACHED)).collect()
    }

    /// Rows of the table that were not asked for, the oldest first. A commit that takes another
    /// back has no branch of its own: it is asked for by that one.
    pub fn unasked(&self) -> Vec<Gap> {
        let [without, with] = &self.asked;
        let missing = branches().filter(|id| !without.contains(id) && !with.contains(id));
        missing.map(|id| gap(id.commit().id, &UNASKED)).collect()
    }

    /// Rows that were asked for with one answer alone, the oldest first.
    pub fn one_sided(&self) -> Vec<Gap> {
        let [without, with] = &self.asked;
        let one = branches().filter(|id| without.contains(id) != with.contains(id));
        one.map(|id| gap(id.commit().id, &ONE_SIDED)).collect()
    }

    /// How many rows are there to be asked for.
    pub fn rows() -> usize {
        branches().count()
    }
}

/// The rows that can be a branch of the model: not those that take another back.
fn branches() -> impl Iterator<Item = CommitId> {
    CommitId::all().filter(|id| id.reverts().is_none())
}

fn gap(name: &'static str, reasons: &[(&str, &'static str)]) -> Gap {
    let reason = reasons.iter().find(|(of, _)| *of == name);
    Gap {
        name,
        reason: reason.map(|(_, why)| *why),
    }
}
