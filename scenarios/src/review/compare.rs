//! Two answers of one test, compared.

use super::finding::{Finder, Finding, Kind, Level};
use super::shown::Witnesses;
use super::story::grouped;
use super::{
    Calls, Comparison, FindingMove, GroupMove, Numbered, OrderMove, PropertyMove, Side, Standing,
    Xlate,
};
use crate::litmus::{PropertyKind, Quantifier, Verdict};
use crate::runner::names::Resolver;
use crate::runner::report::outcome_lines;
use crate::runner::{Answer, Test};
use checker::model::Model;
use checker::outcome::{Complete, Final};
use kernel::outcome::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// A test, and what was found on two kernels.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// The test.
    pub test: &'a Test,
    /// Its file, as the user named it.
    pub file: &'a str,
    /// Options that `replay` needs besides the kernel.
    pub options: &'a [String],
    /// Without the patch.
    pub base: &'a Answer,
    /// With it.
    pub patched: &'a Answer,
}

/// Compares.
pub fn compare(of: Compared<'_>) -> Comparison {
    let (base, patched) = (Found::of(of.test, of.base), Found::of(of.test, of.patched));
    let mut witnesses = Witnesses::new(of, &patched.outcomes);
    let findings = moves(&base, &patched, &mut witnesses);
    let (before, after) = (side(of.base), side(of.patched));
    let verdict = trend(of.test, before.verdict, after.verdict);
    let is_new = verdict == Trend::Worse && before.verdict == Verdict::Never;
    let witness = is_new.then(|| witnesses.of_condition()).flatten();
    let is_of = |answer: &Answer, end: &Final<Outcome>| answer.report.finals.contains_key(end);
    let mut comparison = Comparison {
        scenario: of.test.litmus.name.value.clone(),
        file: of.file.to_owned(),
        question: of.test.litmus.question.last().to_owned(),
        standing: Standing::Unchanged,
        level: None,
        base: before,
        patched: after,
        new: numbered(of.test, of.patched, |end| !is_of(of.base, end)),
        gone: numbered(of.test, of.base, |end| !is_of(of.patched, end)),
        kept: of
            .base
            .report
            .finals
            .keys()
            .filter(|end| is_of(of.patched, end))
            .count(),
        properties: properties(of.base, of.patched),
        of_xlate: calls(of),
        without_driver: without_driver(of),
        is_acpi: of.test.board.acpi.is_some(),
        lock_order: lock_order(of),
        findings,
        witness,
        witnesses: witnesses.shown(),
    };
    (comparison.standing, comparison.level) = standing(&comparison, verdict);
    comparison
}

fn side(answer: &Answer) -> Side {
    Side {
        verdict: answer.observed,
        outcomes: answer.holds.len(),
        incomplete: match &answer.report.complete {
            Complete::Yes => None,
            Complete::No(why) => Some(why.clone()),
        },
    }
}

/// Where something moved to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trend {
    Worse,
    Better,
    Same,
}

impl Trend {
    /// Of something that nobody wants.
    fn of(before: Verdict, after: Verdict) -> Self {
        match after.cmp(&before) {
            std::cmp::Ordering::Greater => Trend::Worse,
            std::cmp::Ordering::Less => Trend::Better,
            std::cmp::Ordering::Equal => Trend::Same,
        }
    }
}

/// Of a verdict: what `forall` states is what everybody wants.
fn trend(test: &Test, before: Verdict, after: Verdict) -> Trend {
    match test.litmus.condition.value.quantifier {
        Quantifier::Exists | Quantifier::NotExists => Trend::of(before, after),
        Quantifier::Forall => Trend::of(after, before),
    }
}

fn standing(c: &Comparison, verdict: Trend) -> (Standing, Option<Level>) {
    let mut all: Vec<(Trend, Level)> = c
        .findings
        .iter()
        .map(|f| (Trend::of(f.base, f.patched), f.level))
        .collect();
    all.push((verdict, Level::Verdict));
    for p in c
        .properties
        .iter()
        .filter(|p| p.kind == PropertyKind::Always.word())
    {
        let trend = if p.holds { Trend::Better } else { Trend::Worse };
        all.push((trend, Level::Verdict));
    }
    let worst = |trend: Trend| {
        let levels = all
            .iter()
            .filter(|(t, level)| *t == trend && level.is_bad());
        levels.map(|(_, level)| *level).min()
    };
    let is_moved = !c.new.is_empty() || !c.gone.is_empty() || !c.properties.is_empty();
    let moved = if c.of_xlate.is_empty() {
        Level::Other
    } else {
        Level::Counts
    };
    if let Some(level) = worst(Trend::Worse) {
        (Standing::Worse, Some(level))
    } else if c.is_incomplete() {
        (Standing::Incomplete, None)
    } else if let Some(level) = worst(Trend::Better) {
        (Standing::Better, Some(level))
    } else if is_moved || !c.findings.is_empty() {
        (Standing::Different, Some(moved))
    } else {
        (Standing::Unchanged, None)
    }
}

/// The outcomes of an answer that are wanted, with the numbers that `check` gives them.
fn numbered(
    test: &Test,
    answer: &Answer,
    is_wanted: impl Fn(&Final<Outcome>) -> bool,
) -> Vec<Numbered> {
    let names = Resolver::new(test, &answer.kernel);
    let all = answer.outcomes().enumerate();
    all.filter(|(_, (end, ..))| is_wanted(end))
        .map(|(i, (end, _, condition))| Numbered {
            number: i + 1,
            condition,
            lines: outcome_lines(end, &names),
        })
        .collect()
}

fn properties(base: &Answer, patched: &Answer) -> Vec<PropertyMove> {
    let both = base.properties.iter().zip(&patched.properties);
    both.filter(|(before, after)| before.holds != after.holds)
        .map(|(_, after)| PropertyMove {
            kind: after.kind.word().to_owned(),
            name: after.name.clone(),
            holds: after.holds,
        })
        .collect()
}

/// Edges of the lock order that one of the kernels has, of classes without their instances.
fn lock_order(of: Compared<'_>) -> Vec<OrderMove> {
    let edges = |answer: &Answer| -> BTreeSet<(&'static str, &'static str)> {
        let locks = answer.kernel.layout().locks();
        let all = answer.report.lock_order.edges();
        all.map(|(edge, _)| {
            let [outer, inner] = [edge.outer, edge.inner].map(|a| locks[a.lock.index()].class);
            (outer, inner)
        })
        .collect()
    };
    let (base, patched) = (edges(of.base), edges(of.patched));
    let moved = |(outer, inner): &(&str, &str)| OrderMove {
        outer: (*outer).to_owned(),
        inner: (*inner).to_owned(),
        is_gained: patched.contains(&(*outer, *inner)),
    };
    base.symmetric_difference(&patched)
        .map(|edge| moved(&(edge.0, edge.1)))
        .collect()
}

/// Clients whose of_xlate calls are others than before.
fn calls(of: Compared<'_>) -> Vec<Calls> {
    let pairs = |answer: &Answer, nth: usize| -> Vec<Xlate> {
        let each = answer.report.finals.keys().map(|end| {
            let d = &end.outcome.clients[nth];
            Xlate {
                no_driver: d.xlate_platform,
                driver_set: d.xlate_driver,
            }
        });
        each.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let names = Resolver::new(of.test, &of.patched.kernel);
    let first = of.patched.report.finals.keys().next();
    let clients = first.map_or(&[][..], |end| &end.outcome.clients);
    let all = clients.iter().enumerate().map(|(nth, d)| Calls {
        device: names.display(d.device),
        base: pairs(of.base, nth),
        patched: pairs(of.patched, nth),
    });
    all.filter(|c| c.base != c.patched).collect()
}

/// Devices that have a group more or less often than before, of the outcomes that leave them without
/// driver.
fn without_driver(of: Compared<'_>) -> Vec<GroupMove> {
    let has_group = |answer: &Answer, nth: usize| {
        let ends = answer.report.finals.keys();
        let device = ends.map(|end| &end.outcome.clients[nth]);
        grouped(
            device
                .filter(|d| d.driver.is_none() && d.on_bus && !d.refused)
                .map(|d| d.grouped),
        )
    };
    let names = Resolver::new(of.test, &of.patched.kernel);
    let first = of.patched.report.finals.keys().next();
    let clients = first.map_or(&[][..], |end| &end.outcome.clients);
    let moved = clients.iter().enumerate().filter_map(|(nth, d)| {
        let (base, patched) = (has_group(of.base, nth)?, has_group(of.patched, nth)?);
        (base != patched).then(|| GroupMove {
            device: names.display(d.device),
            base,
            patched,
        })
    });
    moved.collect()
}

/// What is wrong on one kernel.
pub(super) struct Found<'a> {
    /// For each outcome, in order.
    outcomes: Vec<BTreeSet<Finding>>,
    /// Pairs of functions with a data race, by field.
    races: BTreeMap<Finding, BTreeSet<String>>,
    /// Livelocks and lock-order inversions: what is of no outcome.
    rounds: BTreeSet<Finding>,
    answer: &'a Answer,
}

impl<'a> Found<'a> {
    fn of(test: &Test, answer: &'a Answer) -> Self {
        let tasks = test.litmus.tasks.iter().flat_map(|t| &t.value.body);
        let retries = ["deferred_probe_work_func", "boot"];
        let finder = Finder {
            names: Resolver::new(test, &answer.kernel),
            retries: tasks
                .map(|call| call.value.name.value.as_str())
                .any(|name| retries.contains(&name)),
        };
        let report = &answer.report;
        let mut races: BTreeMap<Finding, BTreeSet<String>> = BTreeMap::new();
        for race in report.data_races.keys() {
            let sites = races.entry(finder.of_race(&race.field)).or_default();
            sites.insert(race.sites.join(", "));
        }
        Self {
            outcomes: report
                .finals
                .keys()
                .map(|end| finder.of_outcome(end))
                .collect(),
            rounds: report
                .rounds
                .keys()
                .filter_map(|r| finder.of_round(r))
                .chain(
                    report
                        .lock_order
                        .inversions(answer.kernel.layout())
                        .iter()
                        .map(|inversion| finder.of_inversion(inversion)),
                )
                .collect(),
            races,
            answer,
        }
    }

    /// In how many outcomes each finding is; for a data race, how many pairs of functions have it,
    /// and for what goes round, in how many ways it does.
    fn counts(&self) -> BTreeMap<Finding, usize> {
        let mut counts = BTreeMap::new();
        for finding in self.outcomes.iter().flatten().chain(&self.rounds) {
            *counts.entry(finding.clone()).or_default() += 1;
        }
        let races = self.races.iter();
        counts.extend(races.map(|(finding, sites)| (finding.clone(), sites.len())));
        counts
    }

    /// In how many outcomes this is.
    fn verdict(&self, finding: &Finding) -> Verdict {
        let has = |set: &BTreeSet<Finding>| set.contains(finding);
        let by_outcome = match self.outcomes.iter().filter(|set| has(set)).count() {
            0 => Verdict::Never,
            n if n == self.outcomes.len() => Verdict::Always,
            _ => Verdict::Sometimes,
        };
        // Of what is no outcome nobody counts how often it is.
        if by_outcome == Verdict::Never && has(&self.rounds) {
            return Verdict::Sometimes;
        }
        by_outcome
    }
}

/// What is wrong on one kernel: how often each finding comes about.
pub(crate) fn findings_of(test: &Test, answer: &Answer) -> BTreeMap<Finding, usize> {
    Found::of(test, answer).counts()
}

/// The findings that come about more or less often, the worst first, with witnesses for those that
/// are new and bad.
fn moves(base: &Found<'_>, patched: &Found<'_>, witnesses: &mut Witnesses<'_>) -> Vec<FindingMove> {
    let each = |found: &Found<'_>| -> BTreeSet<Finding> {
        let outcomes = found.outcomes.iter().flatten();
        outcomes.chain(&found.rounds).cloned().collect()
    };
    let mut all = vec![];
    for finding in each(base).union(&each(patched)) {
        let (before, after) = (base.verdict(finding), patched.verdict(finding));
        if before == after {
            continue;
        }
        let is_new = before == Verdict::Never && finding.kind.level().is_bad();
        let witness = match finding.kind {
            _ if !is_new => None,
            Kind::Livelock => witnesses.of_round(patched.answer, finding),
            _ => witnesses.of_finding(finding),
        };
        all.push(FindingMove {
            finding: finding.clone(),
            level: finding.kind.level(),
            base: before,
            patched: after,
            sites: vec![],
            witness,
        });
    }
    all.extend(races(base, patched, witnesses));
    all.sort_by(|a, b| (a.level, &a.finding).cmp(&(b.level, &b.finding)));
    all
}

/// Fields with data races between functions that had none, or have none any more. A field that had
/// some and has others is no worse for it: KCSAN reports it before and after.
fn races(base: &Found<'_>, patched: &Found<'_>, witnesses: &mut Witnesses<'_>) -> Vec<FindingMove> {
    let none = BTreeSet::new();
    let fields: BTreeSet<&Finding> = base.races.keys().chain(patched.races.keys()).collect();
    let mut all = vec![];
    for finding in fields {
        let of = |found: &Found<'_>| found.races.get(finding).unwrap_or(&none).clone();
        let (before, after) = (of(base), of(patched));
        let is_other = !before.is_empty() && !after.is_empty();
        let new: Vec<String> = after.difference(&before).cloned().collect();
        let gone: Vec<String> = before.difference(&after).cloned().collect();
        for (sites, is_new) in [(new, true), (gone, false)] {
            if sites.is_empty() {
                continue;
            }
            let (never, some) = (Verdict::Never, Verdict::Sometimes);
            let is_shown = is_new && !is_other;
            let witness = is_shown
                .then(|| witnesses.of_race(finding, &sites))
                .flatten();
            let mut finding = finding.clone();
            if is_other {
                finding.what = String::from("other data race on a field that has some");
            }
            all.push(FindingMove {
                level: if is_other {
                    Level::Other
                } else {
                    finding.kind.level()
                },
                finding,
                base: if is_new { never } else { some },
                patched: if is_new { some } else { never },
                sites,
                witness,
            });
        }
    }
    all
}
