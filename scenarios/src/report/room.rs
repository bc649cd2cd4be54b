//! A scenario and what came out of it, as plain data: all that its page needs.

use super::lanes::Lanes;
use super::locks::{self, LockOrder};
use crate::litmus::{Fixes, Quantifier, Verdict};
use crate::review::{Finding, Kind, findings_of};
use crate::runner::names::Resolver;
use crate::runner::report::outcome_lines;
use crate::runner::{Answer, Memory, Test};
use crate::schedule;
use checker::engine::exhaustive::{Straight, straighten};
use checker::outcome::{Complete, Final};
use kernel::outcome::Outcome;
use kernel::revision::Revision;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path};

/// A scenario on its kernels.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: String,
    /// The folder that its file is in: `museum`.
    pub folder: String,
    /// Its file from the folder `scenarios` on, or its name alone: no path of this machine.
    pub file: String,
    /// The comment, the question last.
    pub paragraphs: Vec<String>,
    /// The file.
    pub source: String,
    /// `Link:`
    pub links: Vec<String>,
    /// `Fixes:`
    pub fixes: Vec<Fixes>,
    /// What the condition asks for: `exists`, `~exists` or `forall`.
    pub quantifier: Quantifier,
    /// What came out, in the order of history.
    pub runs: Vec<Run>,
}

/// A scenario on one kernel.
#[derive(Debug)]
pub struct Run {
    /// The kernel as the file or the user writes it.
    pub written: String,
    /// The kernel.
    pub revision: Revision,
    /// The verdict on the condition.
    pub verdict: Verdict,
    /// What the file states for the kernel, where that is something else.
    pub stated: Option<Verdict>,
    /// Why it was not explored to the end; `None` if it was.
    pub bounded: Option<String>,
    /// States with a choice between tasks.
    pub states: u64,
    /// Schedules of the steps, as `check` prints them.
    pub interleavings: String,
    /// The outcomes, as `check` numbers them from 1 on: what is shown of each, and whether the
    /// condition holds.
    pub outcomes: Vec<(Final<Outcome>, Vec<String>, bool)>,
    /// What is wrong, with the number of outcomes that have it, or of pairs of functions for a
    /// data race.
    pub findings: BTreeMap<Finding, usize>,
    /// Invariants that are violated: name, what it says, for whom, in how many outcomes.
    pub invariants: Vec<(&'static str, &'static str, String, usize)>,
    /// `always` and `sometimes` of the file, and whether each is as it should be.
    pub properties: Vec<(String, bool)>,
    /// of_xlate, for each client.
    pub calls: Vec<Calls>,
    /// Which locks are taken under which.
    pub locks: LockOrder,
    /// One run, drawn.
    pub witness: Option<Witness>,
}

/// How often of_xlate was called for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The device.
    pub device: String,
    /// Calls with `dev->driver` NULL and with it set, and how many outcomes have just that.
    pub pairs: BTreeMap<(u64, u64), usize>,
}

/// How an outcome comes about.
#[derive(Debug)]
pub struct Witness {
    /// The number of the outcome.
    pub outcome: usize,
    /// Whether the condition holds in it.
    pub holds: bool,
    /// A shortest schedule, its steps moved together, by the names of its steps.
    pub schedule: String,
    /// What it does.
    pub lanes: Lanes,
}

impl Room {
    /// A scenario that has not run yet.
    pub fn new(test: &Test, file: &Path) -> Self {
        let litmus = &test.litmus;
        let folder = file.parent().and_then(Path::file_name);
        Self {
            name: litmus.name.value.clone(),
            folder: folder.map_or("scenarios".into(), |f| f.to_string_lossy().into_owned()),
            file: shown(file),
            paragraphs: litmus
                .question
                .paragraphs
                .iter()
                .map(|p| p.value.clone())
                .collect(),
            source: litmus.source.text.to_string(),
            links: litmus.links.iter().map(|l| l.value.clone()).collect(),
            fixes: litmus.fixes.iter().map(|f| f.value.clone()).collect(),
            quantifier: litmus.condition.value.quantifier,
            runs: vec![],
        }
    }

    /// Takes in what was found on a kernel. Of two that are the same kernel the first counts.
    pub fn add(&mut self, test: &Test, answer: &Answer) {
        let run = Run::new(test, answer);
        if self.runs.iter().all(|r| r.revision != run.revision) {
            self.runs.push(run);
            self.runs.sort_by_key(|r| r.revision);
        }
    }

    /// The question itself.
    pub fn question(&self) -> &str {
        self.paragraphs.last().map_or("", String::as_str)
    }

    /// Its page, from the folder of the site.
    pub fn href(&self) -> String {
        format!("scenario/{}.html", slug(&self.name))
    }
}

impl Run {
    fn new(test: &Test, answer: &Answer) -> Self {
        let names = Resolver::new(test, &answer.kernel);
        let outcomes: Vec<_> = answer
            .outcomes()
            .map(|(end, _, holds)| (end.clone(), outcome_lines(end, &names), holds))
            .collect();
        let invariants = answer.invariants.iter().filter(|i| i.violated != 0);
        Self {
            written: answer.revision.clone(),
            revision: answer.kernel.revision(),
            verdict: answer.observed,
            stated: answer.expected.filter(|e| *e != answer.observed),
            bounded: match &answer.report.complete {
                Complete::Yes => None,
                Complete::No(why) => Some(why.clone()),
            },
            states: answer.report.states,
            interleavings: answer.report.interleavings.to_string(),
            findings: findings_of(test, answer),
            invariants: invariants
                .map(|i| {
                    let devices: Vec<_> = i.devices.iter().map(|d| names.display(*d)).collect();
                    (i.name, i.says, devices.join(" "), i.violated)
                })
                .collect(),
            properties: answer
                .properties
                .iter()
                .map(|p| (format!("{} {}", p.kind.word(), p.name), p.holds))
                .collect(),
            calls: calls(&outcomes, &names),
            locks: locks::order(answer, &names),
            witness: witness(test, answer),
            outcomes,
        }
    }

    /// How many outcomes fulfil the condition.
    pub fn with_condition(&self) -> usize {
        self.outcomes.iter().filter(|(.., holds)| *holds).count()
    }

    /// Whether all is as the file states, and was explored to the end.
    pub fn is_as_stated(&self) -> bool {
        self.bounded.is_none() && self.stated.is_none() && self.unmet().next().is_none()
    }

    /// Properties of the file that are not as they should be.
    pub fn unmet(&self) -> impl Iterator<Item = &str> {
        let unmet = self.properties.iter().filter(|(_, holds)| !holds);
        unmet.map(|(name, _)| name.as_str())
    }

    /// Findings that make a report worth reading: those that nobody wants.
    pub fn bad_findings(&self) -> impl Iterator<Item = (&Finding, usize)> {
        let bad = self.findings.iter();
        bad.filter(|(f, _)| f.kind.level().is_bad())
            .map(|(f, n)| (f, *n))
    }
}

/// The folders of this project in the order in which to read them, then others by name.
pub(super) fn order(room: &Room) -> (usize, &str, &str) {
    const FIRST: [&str; 5] = ["basics", "seeds", "museum", "findings", "acpi"];
    let place = FIRST.iter().position(|f| *f == room.folder);
    (place.unwrap_or(FIRST.len()), &room.folder, &room.name)
}

/// A name as a part of a file's name or of an anchor: what is not a letter, a digit, `.` or `-`
/// is written as `_` and its hex digits.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || ".-".contains(c) {
            slug.push(c);
        } else {
            let _ = write!(slug, "_{:x}", u32::from(c));
        }
    }
    slug
}

fn shown(file: &Path) -> String {
    let parts: Vec<_> = file
        .components()
        .filter_map(|c| match c {
            Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        })
        .collect();
    let from = parts.iter().rposition(|p| p == "scenarios");
    let from = from.unwrap_or(parts.len().saturating_sub(1));
    parts[from..].join("/")
}

fn calls(outcomes: &[(Final<Outcome>, Vec<String>, bool)], names: &Resolver<'_>) -> Vec<Calls> {
    let mut all: Vec<Calls> = vec![];
    for (end, ..) in outcomes {
        for (nth, d) in end.outcome.clients.iter().enumerate() {
            if all.len() == nth {
                all.push(Calls {
                    device: names.display(d.device),
                    pairs: BTreeMap::new(),
                });
            }
            let pair = (d.xlate_platform, d.xlate_driver);
            *all[nth].pairs.entry(pair).or_default() += 1;
        }
    }
    all
}

/// The first outcome with the condition, as `explain` shows it; else the first of all.
fn witness(test: &Test, answer: &Answer) -> Option<Witness> {
    let with = answer.outcomes().position(|(.., holds)| holds);
    let nth = with.unwrap_or(0);
    let (_, schedule, holds) = answer.outcomes().nth(nth)?;
    let straight = match answer.memory {
        Memory::Sequential => straighten(&answer.kernel, &answer.report.marks, schedule),
        Memory::Weak => Straight::unchanged(schedule),
    };
    let trace = answer.replay(&straight.schedule);
    Some(Witness {
        outcome: nth + 1,
        holds,
        schedule: schedule::text(test, answer, &straight.schedule),
        lanes: Lanes::new(&Resolver::new(test, &answer.kernel), &answer.kernel, &trace),
    })
}

/// Whether more of a verdict is worse: what `forall` states is what everybody wants.
pub(super) fn is_worse(quantifier: Quantifier, before: Verdict, after: Verdict) -> bool {
    match quantifier {
        Quantifier::Exists | Quantifier::NotExists => after > before,
        Quantifier::Forall => after < before,
    }
}

/// Whether a finding counts pairs of functions, and no outcomes.
pub(super) fn is_race(finding: &Finding) -> bool {
    finding.kind == Kind::DataRace
}
