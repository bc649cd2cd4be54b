//! What is wrong with an outcome, without saying for which device: the same over all boards.

use super::cause;
use super::test::{says, truth};
use crate::litmus::Expr;
use crate::review::Level;
use crate::runner::invariants;
use crate::runner::names::Resolver;
use crate::runner::{Answer, Test};
use checker::engine::schedule::Schedule;
use checker::heap::{DOUBLE_FREE, USE_AFTER_FREE};
use checker::model::Model;
use checker::outcome::{Fairness, Final};
use kernel::ids::InstanceId;
use kernel::kernel::Warn;
use kernel::outcome::{DeviceOutcome, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// How bad it is.
    pub level: Level,
    /// What it is called in file names: `i4`, `warn-late-probe`, `deadlock`.
    pub id: String,
    /// What it is, in words.
    pub text: String,
}

/// What is worst about an outcome. A task that died, or a use of freed memory, comes before all
/// else, which may follow from it; then a deadlock; then the faults of the worst [`Level`] that
/// there is.
pub type Signature = BTreeSet<Fault>;

/// What is wrong in a combination: each signature once, with a shortest schedule that leads to it.
pub type Signatures = BTreeMap<Signature, Option<Schedule>>;

/// For each signature that an outcome has, the causes whose steps are in its shortest run.
pub type Causes = BTreeMap<Signature, Vec<String>>;

/// How bad it is that an invariant is violated; `None` for what another fault says already.
fn level(invariant: &str) -> Option<Level> {
    Some(match invariant {
        "I4" | "I6" | "I7" | "I9" | "I10" | "I12" | "I16" | "I17" | "I18" | "I19" => Level::Corrupt,
        "I2" | "I5" | "I13" | "I14" | "I21" | "I22" | "I24" => Level::Stuck,
        "I11" => Level::Counts,
        // A late probe is known by its WARN, and a deadlock is a fault of its own.
        "I3" | "I15" => return None,
        _ => Level::Verdict,
    })
}

fn fault(level: Level, id: &str, text: impl Into<String>) -> Fault {
    Fault {
        level,
        id: id.to_owned(),
        text: text.into(),
    }
}

fn of_warn(warn: Warn) -> Fault {
    let text = warn.text();
    match warn {
        Warn::Oops => fault(Level::Corrupt, "oops", "oops"),
        Warn::LateProbe => fault(Level::Splat, "late-probe", format!("WARN {text}")),
        Warn::OwnerCnt => fault(Level::Splat, "warn-owner-cnt", text),
        Warn::PrivSet => fault(Level::Splat, "warn-priv", text),
        Warn::RetainsOps => fault(Level::Splat, "retains-ops", text),
        Warn::ProbesAtOnce => fault(Level::Corrupt, "probes-at-once", text),
        Warn::AttachesAtOnce => fault(Level::Corrupt, "attaches-at-once", text),
        Warn::OtherDomain => fault(Level::Corrupt, "other-domain", text),
        Warn::IovaTwice => fault(Level::Corrupt, "iova-twice", text),
    }
}

/// Faults of one device that no invariant speaks of, each with the proposition that says so.
fn of_device(d: &DeviceOutcome, dev: &str, end: &Final<Outcome>) -> Vec<(Fault, Option<Expr>)> {
    let mut found = vec![];
    for warn in Warn::ALL.into_iter().filter(|w| d.warned(*w)) {
        let expr = match warn {
            Warn::Oops => truth("oops", &[dev]),
            _ => says("WARN", dev, warn.text()),
        };
        found.push((of_warn(warn), Some(expr)));
    }
    let mut add = |is: bool, id: &str, text: &str, predicate: Option<&str>| {
        if is {
            let expr = predicate.map(|p| truth(p, &[dev]));
            found.push((fault(Level::Corrupt, id, text), expr));
        }
    };
    add(
        d.faults & USE_AFTER_FREE != 0,
        "use-after-free",
        "use after free",
        Some("use_after_free"),
    );
    add(
        d.faults & DOUBLE_FREE != 0,
        "double-free",
        "double free",
        Some("double_free"),
    );
    let is_listed = end.outcome.group_of(d.device).is_some();
    add(
        d.grouped != is_listed,
        "group-pointer",
        "dev->iommu_group does not fit its group",
        None,
    );
    add(
        d.grouped && d.fwspec_ids.is_none(),
        "no-fwspec",
        "a group without fwspec",
        None,
    );
    found
}

/// A driver runs, no group is there and all IOMMUs of its device are: its DMA is not translated,
/// and nothing will change that.
fn runs_untranslated(d: &DeviceOutcome, end: &Final<Outcome>, names: &Resolver<'_>) -> bool {
    let specs = &names.laid_out.devices[d.device.index()].iommus;
    let is_registered = |i: InstanceId| {
        let hwdev = names.laid_out.instances[i.index()].device;
        end.outcome.registered.contains(&hwdev)
    };
    d.driver.is_some()
        && !d.grouped
        && !d.refused
        && !specs.is_empty()
        && specs.iter().all(|s| s.instance.is_some_and(is_registered))
}

/// What is wrong with an outcome, each fault with the propositions that say so of its devices.
pub(super) fn faults(end: &Final<Outcome>, names: &Resolver<'_>) -> BTreeMap<Fault, Vec<Expr>> {
    let mut found: BTreeMap<Fault, Vec<Expr>> = BTreeMap::new();
    for invariant in &invariants::ALL {
        let Some(level) = level(invariant.name) else {
            continue;
        };
        let clients = end.outcome.clients.iter().map(|d| d.device);
        for dev in clients.filter(|dev| invariant.is_violated(end, names, Some(*dev))) {
            let id = invariant.name.to_lowercase();
            let text = format!("{} ({}) is violated", invariant.name, invariant.says);
            let expr = truth("violated", &[invariant.name, &names.display(dev)]);
            found.entry(fault(level, &id, text)).or_default().push(expr);
        }
    }
    for d in end.outcome.clients.iter().chain(&end.outcome.others) {
        for (fault, expr) in of_device(d, &names.display(d.device), end) {
            found.entry(fault).or_default().extend(expr);
        }
        if runs_untranslated(d, end, names) {
            let text = "a driver runs without group, although its IOMMU is there";
            let fault = fault(Level::Stuck, "untranslated", text);
            let expr = truth("bound", &[&names.display(d.device)]);
            found.entry(fault).or_default().push(expr);
        }
    }
    if end.deadlock.is_some() {
        let deadlock = fault(Level::Corrupt, "deadlock", "deadlock");
        found
            .entry(deadlock)
            .or_default()
            .push(truth("deadlock", &[]));
    }
    found
}

/// What counts of all that is wrong with an outcome.
pub(super) fn worst(found: &BTreeMap<Fault, Vec<Expr>>) -> Signature {
    const FATAL: [&[&str]; 3] = [&["use-after-free", "double-free"], &["oops"], &["deadlock"]];
    let fatal = |ids: &&[&str]| found.keys().any(|f| ids.contains(&f.id.as_str()));
    let ids = FATAL.iter().find(|ids| fatal(ids));
    let level = found.keys().map(|f| f.level).min();
    let counts = |f: &&Fault| match ids {
        Some(ids) => ids.contains(&f.id.as_str()),
        None => Some(f.level) == level,
    };
    found.keys().filter(counts).cloned().collect()
}

/// All that is wrong in a combination.
pub(super) fn signatures(test: &Test, answer: &Answer) -> Signatures {
    let names = Resolver::new(test, &answer.kernel);
    let mut all = Signatures::new();
    for (end, schedule) in &answer.report.finals {
        let signature = worst(&faults(end, &names));
        if signature.is_empty() {
            continue;
        }
        let shortest = all
            .entry(signature)
            .or_insert_with(|| Some(schedule.clone()));
        if shortest
            .as_ref()
            .is_some_and(|s| s.0.len() > schedule.0.len())
        {
            *shortest = Some(schedule.clone());
        }
    }
    for fault in of_no_outcome(answer, &names) {
        all.entry(Signature::from([fault])).or_insert(None);
    }
    all
}

/// Drops what a replay of its schedule does not show. Where an exploration was cut short, what the
/// tasks may still read was not known to the end, and outcomes are read off states that stand for
/// others.
pub(super) fn confirm(signatures: &mut Signatures, test: &Test, answer: &Answer) {
    let names = Resolver::new(test, &answer.kernel);
    signatures.retain(|signature, schedule| {
        schedule.as_ref().is_none_or(|schedule| {
            let trace = answer.replay(schedule);
            trace.divergence.is_none() && worst(&faults(&trace.end, &names)) == *signature
        })
    });
}

/// By what the runs to what is wrong came about.
pub(super) fn causes(signatures: &Signatures, test: &Test, answer: &Answer) -> Causes {
    let names = Resolver::new(test, &answer.kernel);
    let of = |(signature, schedule): (&Signature, &Option<Schedule>)| {
        let trace = answer.replay(schedule.as_ref()?);
        let causes = cause::causes(signature, &names, &answer.kernel, &trace);
        let causes = causes.into_iter().map(str::to_owned).collect();
        Some((signature.clone(), causes))
    };
    signatures.iter().filter_map(of).collect()
}

/// Data races, lock-order inversions, livelocks.
fn of_no_outcome(answer: &Answer, names: &Resolver<'_>) -> Vec<Fault> {
    let report = &answer.report;
    let races = report.data_races.keys().map(|race| {
        let field = anonymous(&names.relabel(&race.field));
        let text = format!("data race on {field}: {}", race.sites.join(", "));
        fault(Level::Splat, "data-race", text)
    });
    let inversions = report.lock_order.inversions(answer.kernel.layout());
    let inversions = inversions.iter().map(|inversion| {
        let classes: Vec<&str> = inversion.classes().collect();
        let classes = anonymous(&names.relabel(&classes.join(" -> ")));
        let text = format!("lock-order inversion {classes}");
        fault(Level::Splat, "lock-order", text)
    });
    let rounds = report
        .rounds
        .keys()
        .filter(|round| matches!(round.fairness, Fairness::Livelock | Fairness::NoWayOut));
    let livelocks = rounds.map(|round| {
        let on = anonymous(&names.relabel(&round.on.join(", ")));
        fault(Level::Corrupt, "livelock", format!("livelock on {on}"))
    });
    races.chain(inversions).chain(livelocks).collect()
}

/// Devices without their numbers: `client0` and `client1` are `client`.
fn anonymous(text: &str) -> String {
    let mut text = text.to_owned();
    for word in ["client", "iommu"] {
        for n in 0..3 {
            text = text.replace(&format!("{word}{n}"), word);
        }
    }
    text
}
