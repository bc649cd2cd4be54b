//! How much of a review is printed for people.

use super::{Comparison, Level, Review};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How much is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// As [`Detail::Short`], without columns: a witness is its outcome and how to run it again.
    Brief,
    /// What it comes to, one witness for each level, and a line for each scenario.
    #[default]
    Short,
    /// Of each scenario all that changed. Each sort of finding is drawn once, in the scenario where
    /// that is shortest.
    Each,
    /// All witnesses are drawn, and all outcomes listed that are new or gone.
    Full,
}

impl Detail {
    /// Whether scenarios are but a line each.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Detail::Brief | Detail::Short)
    }

    /// Which witnesses of the scenarios are drawn, by scenario and number from 1 on.
    pub(super) fn drawn(self, review: &Review) -> BTreeSet<(&str, usize)> {
        let mut all = BTreeSet::new();
        for c in &review.scenarios {
            let numbers = 1..=c.witnesses.len();
            all.extend(numbers.map(|number| (c.scenario.as_str(), number)));
        }
        match self {
            Detail::Brief | Detail::Short => BTreeSet::new(),
            Detail::Each => by_sort(review)
                .values()
                .map(|sort| (sort.scenario.scenario.as_str(), sort.witness))
                .collect(),
            Detail::Full => all,
        }
    }
}

/// Something that is new, and where it is shown best.
pub(super) struct Worst<'a> {
    /// How bad it is.
    pub(super) level: Level,
    /// What.
    pub(super) what: &'a str,
    /// Where its run is shortest.
    pub(super) scenario: &'a Comparison,
    /// The number of its witness there, from 1 on.
    pub(super) witness: usize,
    /// How many scenarios show it.
    scenarios: usize,
}

impl Worst<'_> {
    fn columns(&self) -> usize {
        self.scenario.witnesses[self.witness - 1].columns.len()
    }

    /// The least is shown: what several tasks do goes before what one does alone, and that before
    /// what has no run.
    fn length(&self) -> (bool, bool, usize, &str, usize) {
        let columns = &self.scenario.witnesses[self.witness - 1].columns;
        let tasks = columns.iter().take_while(|l| !l.starts_with("--")).count();
        let (is_alone, has_none) = (tasks < 2, columns.is_empty());
        let name = &self.scenario.scenario;
        (has_none, is_alone, columns.len(), name, self.witness)
    }

    /// The least is the most widespread.
    fn rank(&self) -> (bool, Reverse<usize>) {
        (self.columns() == 0, Reverse(self.scenarios))
    }
}

/// Said of a verdict with nothing else to show for it.
const VERDICT: &str = "a verdict that moved towards what the condition asks for";

/// For each level that something new is of, what most scenarios have. What is drawn goes before
/// what is not.
pub(super) fn worst(review: &Review) -> Vec<Worst<'_>> {
    let mut by_level: BTreeMap<Level, Worst<'_>> = BTreeMap::new();
    for sort in by_sort(review).into_values() {
        match by_level.get_mut(&sort.level) {
            Some(worst) if worst.rank() <= sort.rank() => {}
            Some(worst) => *worst = sort,
            None => {
                by_level.insert(sort.level, sort);
            }
        }
    }
    by_level.into_values().collect()
}

/// Each sort of finding that has a witness, where that is shortest.
fn by_sort(review: &Review) -> BTreeMap<&str, Worst<'_>> {
    let mut sorts: BTreeMap<&str, Worst<'_>> = BTreeMap::new();
    for c in &review.scenarios {
        let findings = c.findings.iter();
        let findings = findings.map(|f| (f.level, f.finding.what.as_str(), f.witness));
        // Where the verdict is all that got worse, nothing else may show it.
        let verdict =
            (c.level == Some(Level::Verdict)).then_some((Level::Verdict, VERDICT, c.witness));
        let seen: BTreeSet<_> = findings.chain(verdict).collect();
        let mut counted = BTreeSet::new();
        for (level, what, witness) in seen {
            let Some(witness) = witness else { continue };
            let here = Worst {
                level,
                what,
                scenario: c,
                witness,
                scenarios: 1,
            };
            let is_first = counted.insert(what);
            match sorts.get_mut(what) {
                None => {
                    sorts.insert(what, here);
                }
                Some(least) => {
                    let scenarios = least.scenarios + usize::from(is_first);
                    if here.length() < least.length() {
                        *least = here;
                    }
                    least.scenarios = scenarios;
                }
            }
        }
    }
    sorts
}
