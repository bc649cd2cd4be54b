//! What a review comes to, over all scenarios.

use super::{Calls, Comparison, Level, OrderMove, Review, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// One line: something that changed, and in which scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// How bad it is.
    pub(super) level: Level,
    /// Whether it got worse: comes about more often.
    pub(super) is_worse: bool,
    /// What.
    pub(super) what: String,
    /// How it changed: `new`, `gone`, `always`, ...
    pub(super) how: String,
    /// In how many scenarios.
    pub(super) scenarios: usize,
}

/// How bad, whether it got better, what, and how.
type Key = (Level, bool, String, String);

/// How many scenarios became what; those that none did are left out.
pub(super) fn standings(review: &Review) -> String {
    let each = Standing::ALL.into_iter().filter_map(|standing| {
        let n = review.standing(standing).count();
        (n > 0).then(|| format!("{} {n}", standing.word()))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// What changed, the worst first.
pub(super) fn lines(review: &Review) -> Vec<Line> {
    let mut found: BTreeMap<Key, BTreeSet<&str>> = BTreeMap::new();
    for c in &review.scenarios {
        for (level, is_worse, what, how) in of_scenario(c) {
            // What is worse comes first.
            let key = (level, !is_worse, what, how);
            found.entry(key).or_default().insert(&c.scenario);
        }
    }
    let line = |((level, is_better, what, how), scenarios): (Key, BTreeSet<&str>)| Line {
        level,
        is_worse: !is_better,
        what,
        how,
        scenarios: scenarios.len(),
    };
    found.into_iter().map(line).collect()
}

fn of_scenario(c: &Comparison) -> Vec<(Level, bool, String, String)> {
    let findings = c.findings.iter().map(|f| {
        let how = frequency(f.base, f.patched);
        (f.level, f.is_more(), f.finding.what.clone(), how)
    });
    let calls = c.of_xlate.iter().flat_map(xlate);
    findings.chain(calls).collect()
}

/// The edges of the lock order that some scenario gained (`+`) or lost (`-`), and in how many.
pub(super) fn lock_order(review: &Review) -> Vec<String> {
    let mut found: BTreeMap<&OrderMove, usize> = BTreeMap::new();
    for edge in review.scenarios.iter().flat_map(|c| &c.lock_order) {
        *found.entry(edge).or_default() += 1;
    }
    let line = |(edge, n): (&OrderMove, usize)| {
        let sign = if edge.is_gained { '+' } else { '-' };
        format!("{sign} {} -> {}: in {n}", edge.outer, edge.inner)
    };
    found.into_iter().map(line).collect()
}

/// How a finding moved, in a word.
pub(super) fn frequency(base: crate::litmus::Verdict, patched: crate::litmus::Verdict) -> String {
    use crate::litmus::Verdict::{Always, Never};
    match (base, patched) {
        (Never, Always) => "new, always".to_owned(),
        (Never, _) => "new".to_owned(),
        (_, Never) => "gone".to_owned(),
        (_, Always) => "now always".to_owned(),
        _ => "no longer always".to_owned(),
    }
}

/// The most calls of a device, where that moved.
fn xlate(c: &Calls) -> Vec<(Level, bool, String, String)> {
    let most = |(before, after): (Option<u64>, Option<u64>), what: &str| {
        let (before, after) = (before.unwrap_or(0), after.unwrap_or(0));
        let how = format!("at most {before} -> {after}");
        let what = format!("of a client {what}");
        (before != after).then_some((Level::Counts, after > before, what, how))
    };
    let no_driver = |all: &[super::Xlate]| all.iter().map(|x| x.no_driver).max();
    let driver_set = |all: &[super::Xlate]| all.iter().map(|x| x.driver_set).max();
    let moved = [
        most(
            (no_driver(&c.base), no_driver(&c.patched)),
            "without driver",
        ),
        most(
            (driver_set(&c.base), driver_set(&c.patched)),
            "with its driver set",
        ),
    ];
    moved.into_iter().flatten().collect()
}

/// The least and the most of some numbers: `0..2`, or one number if they are equal.
pub(super) fn range(numbers: impl Iterator<Item = u64> + Clone) -> String {
    match (numbers.clone().min(), numbers.max()) {
        (Some(least), Some(most)) if least < most => format!("{least}..{most}"),
        (Some(same), _) => same.to_string(),
        _ => "none".to_owned(),
    }
}
