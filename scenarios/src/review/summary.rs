//! What a review comes to, over all scenarios.

use super::{Calls, Comparison, Level, OrderMove, Review, Standing};
use crate::litmus::Verdict;
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
    /// How it changed, `new`, `gone`, `now always`, ..., in how many scenarios, and how many of
    /// these have ACPI.
    pub(super) how: Vec<(String, usize, usize)>,
}

impl Line {
    /// `new in 5, now always in 2 (1 with ACPI)`
    pub(super) fn how(&self) -> String {
        let each = self.how.iter().map(|(how, n, acpi)| match acpi {
            0 => format!("{how} in {n}"),
            acpi => format!("{how} in {n} ({acpi} with ACPI)"),
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

/// How bad, whether it got better, what.
type Key = (Level, bool, String);

/// How it changed, in which scenarios, and which of these have ACPI.
type How<'a> = BTreeMap<String, BTreeSet<(&'a str, bool)>>;

/// How many scenarios became what; those that none did are left out.
pub(super) fn standings(review: &Review) -> String {
    let each = Standing::ALL.into_iter().filter_map(|standing| {
        let n = review.standing(standing).count();
        (n > 0).then(|| format!("{} {n}", standing.word()))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// In how many scenarios the verdict moved from what to what.
pub(super) fn verdicts(review: &Review) -> String {
    let mut moved: BTreeMap<(Verdict, Verdict), usize> = BTreeMap::new();
    for c in &review.scenarios {
        *moved
            .entry((c.base.verdict, c.patched.verdict))
            .or_default() += 1;
    }
    let moved = moved.into_iter().filter(|((a, b), _)| a != b);
    let each = moved.map(|((a, b), n)| format!("{} -> {} {n}", a.word(), b.word()));
    each.collect::<Vec<_>>().join(", ")
}

/// What changed, the worst first.
pub(super) fn lines(review: &Review) -> Vec<Line> {
    let mut found: BTreeMap<Key, How<'_>> = BTreeMap::new();
    for c in &review.scenarios {
        for (level, is_worse, what, how) in of_scenario(c) {
            // What is worse comes first.
            let key = (level, !is_worse, what);
            let all = found.entry(key).or_default().entry(how).or_default();
            all.insert((&c.scenario, c.is_acpi));
        }
    }
    let line = |((level, is_better, what), how): (Key, How<'_>)| Line {
        level,
        is_worse: !is_better,
        what,
        how: how
            .into_iter()
            .map(|(how, all)| {
                let acpi = all.iter().filter(|(_, is_acpi)| *is_acpi).count();
                (how, all.len(), acpi)
            })
            .collect(),
    };
    found.into_iter().map(line).collect()
}

fn of_scenario(c: &Comparison) -> Vec<(Level, bool, String, String)> {
    let findings = c.findings.iter().flat_map(|f| {
        let how = moves(f.base, f.patched).into_iter();
        how.map(|how| (f.level, f.is_more(), f.finding.what.clone(), how.to_owned()))
    });
    let calls = c.of_xlate.iter().flat_map(xlate);
    findings.chain(calls).collect()
}

/// How a finding moved: what is new and always is both.
fn moves(base: Verdict, patched: Verdict) -> Vec<&'static str> {
    match (base, patched) {
        (Verdict::Never, Verdict::Always) => vec!["new", "now always"],
        (Verdict::Never, _) => vec!["new"],
        (_, Verdict::Never) => vec!["gone"],
        (_, Verdict::Always) => vec!["now always"],
        _ => vec!["no longer always"],
    }
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
pub(super) fn frequency(base: Verdict, patched: Verdict) -> String {
    use Verdict::{Always, Never};
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
