//! How much of a review is printed for people.

use super::{Level, Review};
use std::collections::{BTreeMap, BTreeSet};

/// How much is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// No columns: a witness is its outcome and how to run it again.
    Brief,
    /// Each sort of finding is drawn once, in the scenario where that is shortest.
    #[default]
    Once,
    /// All witnesses are drawn, and all outcomes listed that are new or gone.
    Full,
}

impl Detail {
    /// Which witnesses are drawn, by scenario and number from 1 on.
    pub(super) fn drawn(self, review: &Review) -> BTreeSet<(&str, usize)> {
        let mut shortest: BTreeMap<&str, (usize, &str, usize)> = BTreeMap::new();
        let mut all = BTreeSet::new();
        for c in &review.scenarios {
            let numbers = 1..=c.witnesses.len();
            all.extend(numbers.map(|number| (c.scenario.as_str(), number)));
            let findings = c
                .findings
                .iter()
                .map(|f| (f.finding.what.as_str(), f.witness));
            // Where the verdict is all that got worse, nothing else may show it.
            let of_verdict = match c.level {
                Some(Level::Verdict) => c.scenario.as_str(),
                _ => "verdict",
            };
            for (what, witness) in findings.chain([(of_verdict, c.witness)]) {
                let Some(number) = witness else { continue };
                let length = c.witnesses[number - 1].columns.len();
                let candidate = (length, c.scenario.as_str(), number);
                let least = shortest.entry(what).or_insert(candidate);
                *least = candidate.min(*least);
            }
        }
        match self {
            Detail::Brief => BTreeSet::new(),
            Detail::Once => shortest
                .values()
                .map(|(_, name, number)| (*name, *number))
                .collect(),
            Detail::Full => all,
        }
    }
}
