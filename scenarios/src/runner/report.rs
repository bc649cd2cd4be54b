//! An answer as text, in the manner of herd7: counts, outcomes, observation.

use super::invariants::InvariantAnswer;
use super::names::Resolver;
use super::predicate;
use super::{Answer, Memory, PropertyAnswer, Test};
use crate::litmus::PropertyKind;
use crate::schedule;
use crate::wrap;
use checker::heap::{DOUBLE_FREE, USE_AFTER_FREE};
use checker::model::Model;
use checker::outcome::{Final, GoesRound, Report};
use kernel::arm::finalize::Finalized;
use kernel::arm::symmetry::Asymmetry;
use kernel::ids::DeviceId;
use kernel::kernel::{Kernel, Warn};
use kernel::outcome::{ArmOutcome, DeviceOutcome, Outcome, RangeMapOutcome};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::sync::Arc;

/// Columns in front of an outcome: its number, and a star if the condition holds.
const NUMBER: usize = 6;
/// How much further in a line goes on that did not fit.
const FURTHER_IN: usize = 4;

/// The counts of an exploration: they change when the engine does.
pub fn counts<O>(r: &Report<O>) -> String {
    let counts = format!(
        "States {}  Depth {}  Executions {}  Interleavings {}",
        r.states, r.depth, r.executions, r.interleavings
    );
    match r.collision_bound() {
        None => counts,
        Some(bound) => {
            format!("{counts}\nTwo states taken for one: with a probability below {bound:.1e}")
        }
    }
}

/// How tasks can go round for ever: the schedule to it and one period, by the names of their steps,
/// in the order in which [`Verdicts`] has them. Schedules change when the engine does.
pub fn rounds(
    report: &Report<Outcome>,
    (kernel, memory): (&Arc<Kernel>, Memory),
    names: &Resolver<'_>,
) -> String {
    let text = |how: &GoesRound| {
        let parts = [&how.way, &how.period];
        let named = schedule::in_a_row(names, (kernel, memory), &report.marks, &parts);
        round_text(&named[0], &named[1])
    };
    report.rounds.values().map(text).collect()
}

/// A period is empty where nothing is to be chosen on it, or where it is not known.
fn round_text(way: &str, period: &str) -> String {
    let part = |before: &str, schedule: &str| {
        let lines = schedule::lines(schedule, 4).join("\n");
        format!("{before}\n{lines}\n")
    };
    match (way.is_empty(), period.is_empty()) {
        (true, true) => "Goes round from the beginning\n".to_owned(),
        (true, false) => part("Goes round: again and again", period),
        (false, true) => part("Goes round: after", way),
        (false, false) => part("Goes round: first", way) + &part("  then again and again", period),
    }
}

/// What is compared in snapshots: outcomes, verdict, properties.
pub struct Verdicts<'a> {
    /// The test.
    pub test: &'a Test,
    /// What the exploration says.
    pub answer: &'a Answer,
}

impl fmt::Display for Verdicts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Resolver::new(self.test, &self.answer.kernel);
        let marked = self.answer.holds.iter().filter(|h| **h).count();
        writeln!(f, "Complete {}", self.answer.report.complete)?;
        writeln!(
            f,
            "Outcomes {}, with the condition {marked}",
            self.answer.holds.len()
        )?;
        for (i, (end, _, holds)) in self.answer.outcomes().enumerate() {
            let sign = if holds { '*' } else { ' ' };
            let mut start = format!("{:>3} {sign} ", i + 1);
            for line in outcome_lines(end, &names) {
                for text in wrap::list(&line, NUMBER, NUMBER + FURTHER_IN) {
                    writeln!(f, "{start}{text}")?;
                    start = " ".repeat(NUMBER + FURTHER_IN);
                }
                start = " ".repeat(NUMBER);
            }
        }
        for line in data_races(self.answer, &names) {
            let mut indent = 0;
            for text in wrap::list(&line, 0, FURTHER_IN) {
                writeln!(f, "{:indent$}{text}", "")?;
                indent = FURTHER_IN;
            }
        }
        for line in inversions(self.answer, &names) {
            writeln!(f, "{}", wrap::list(&line, 0, FURTHER_IN).join("\n    "))?;
        }
        for round in self.answer.report.rounds.keys() {
            let line = names.relabel(&round.to_string());
            writeln!(f, "{}", wrap::list(&line, 0, FURTHER_IN).join("\n    "))?;
        }
        for p in &self.answer.properties {
            writeln!(f, "{} {}", capitalised(p.kind.word()), property(p))?;
        }
        for line in violations(self.answer, &names) {
            writeln!(f, "{}", wrap::list(&line, 0, FURTHER_IN).join("\n    "))?;
        }
        write!(
            f,
            "Observation {} {}",
            self.test.litmus.name.value,
            self.answer.observed.word()
        )?;
        if let Some(expected) = self.answer.expected.filter(|e| *e != self.answer.observed) {
            write!(f, ", but the file says {}", expected.word())?;
        }
        writeln!(f)
    }
}

/// A line for each field with data races: in which functions, and in how many pairs of accesses.
fn data_races(answer: &Answer, names: &Resolver<'_>) -> Vec<String> {
    let mut fields: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for race in answer.report.data_races.keys() {
        let (pairs, functions) = fields.entry(&race.field).or_default();
        *pairs += 1;
        functions.extend(race.sites.iter().map(|s| s.split(' ').next().unwrap_or(s)));
    }
    let line = |(field, (pairs, functions)): (&str, (usize, BTreeSet<&str>))| {
        let functions: Vec<&str> = functions.into_iter().collect();
        format!(
            "Data race on {}, {pairs} pairs of accesses in {}",
            names.relabel(field),
            functions.join(", ")
        )
    };
    fields.into_iter().map(line).collect()
}

/// For each cycle of the lock order a line with its classes, and one for each of its steps.
fn inversions(answer: &Answer, names: &Resolver<'_>) -> Vec<String> {
    let report = &answer.report;
    let deadlocks = report.finals.keys().any(|end| end.deadlock.is_some());
    let found = report.lock_order.inversions(answer.kernel.layout());
    let lines = found.iter().flat_map(|inversion| {
        let classes: Vec<&str> = inversion.classes().collect();
        let classes = classes.join(" -> ");
        let but = if deadlocks {
            ""
        } else {
            ", though no run deadlocks"
        };
        let first = format!("Lock-order inversion (I15) {classes}{but}");
        let steps = inversion.steps.iter().map(|step| {
            let (outer, inner) = (step.edge.outer.function, step.edge.inner.function);
            format!(
                "  {}, taken in {outer}, then {} in {inner}",
                step.outer, step.inner
            )
        });
        std::iter::once(first).chain(steps).collect::<Vec<_>>()
    });
    lines.map(|line| names.relabel(&line)).collect()
}

fn property(p: &PropertyAnswer) -> String {
    let said = match (p.kind, p.holds) {
        (PropertyKind::Always, _) if p.is_vacuous => "VACUOUS: nothing was there to be judged",
        (PropertyKind::Always, true) => "holds",
        (PropertyKind::Always, false) => "VIOLATED",
        (PropertyKind::Sometimes, true) => "reached",
        (PropertyKind::Sometimes, false) => "NEVER REACHED: a Never above is vacuous",
    };
    format!("{}: {said}", p.name)
}

/// A line for each invariant that some outcome violates: which, for which devices, how often.
fn violations(answer: &Answer, names: &Resolver<'_>) -> Vec<String> {
    let violated = answer.invariants.iter().filter(|i| i.violated != 0);
    let line = |i: &InvariantAnswer| {
        let devices: Vec<String> = i.devices.iter().map(|d| names.display(*d)).collect();
        let by = if devices.is_empty() {
            String::new()
        } else {
            format!(" for {}", devices.join(" "))
        };
        format!(
            "Invariant {} ({}) VIOLATED{by}, in {} of {} outcomes",
            i.name,
            i.says,
            i.violated,
            answer.holds.len()
        )
    };
    violated.map(line).collect()
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// One outcome: a line for each client, and one for whatever else went wrong.
pub fn outcome_lines(end: &Final<Outcome>, names: &Resolver<'_>) -> Vec<String> {
    let mut lines: Vec<String> = end
        .outcome
        .clients
        .iter()
        .map(|d| device_line(d, end, names))
        .collect();
    for d in &end.outcome.others {
        let line = other_line(d, end, names);
        if !line.is_empty() {
            lines.push(line);
        }
    }
    if let Some(deadlock) = &end.deadlock {
        lines.push("*** DEADLOCK ***".to_owned());
        let waits = deadlock.waits.iter();
        lines.extend(waits.map(|w| format!("  {}", names.relabel(w))));
    }
    lines
}

fn device_line(d: &DeviceOutcome, end: &Final<Outcome>, names: &Resolver<'_>) -> String {
    let mut line = format!(
        "{}: of_xlate {}/{}",
        names.display(d.device),
        d.xlate_platform,
        d.xlate_driver
    );
    let driver = d
        .driver
        .map(|drv| names.laid_out.drivers[drv.index()].info.name);
    let add =
        |line: &mut String, text: &str| write!(line, ", {text}").expect("a string takes any text");
    add(&mut line, driver.unwrap_or("no driver"));
    if d.deferred {
        add(&mut line, "deferred");
    }
    match end.outcome.group_of(d.device) {
        None => add(&mut line, "no group"),
        Some(group) => {
            let members: Vec<String> = group.members.iter().map(|m| names.display(*m)).collect();
            add(&mut line, &format!("group {{{}}}", members.join(" ")));
            if group.domain.is_none() {
                add(&mut line, "no domain");
            }
            if group.owner {
                add(&mut line, "claimed by user space");
            }
            let users = group.members.iter().filter(|m| is_bound(end, **m)).count() as u64;
            if group.owner_cnt != users {
                add(
                    &mut line,
                    &format!("owner_cnt {} for {users} bound", group.owner_cnt),
                );
            }
        }
    }
    if d.grouped != end.outcome.group_of(d.device).is_some() {
        let pointer = if d.grouped { "set" } else { "NULL" };
        add(&mut line, &format!("dev->iommu_group {pointer}"));
    }
    let specs = names.laid_out.devices[d.device.index()].iommus.len() as u64;
    match d.fwspec_ids {
        // Not every driver keeps ids there.
        Some(ids) if ids != specs && ids != 0 => {
            add(&mut line, &format!("fwspec with {ids} of {specs} ids"));
        }
        None if d.grouped => add(&mut line, "no fwspec"),
        _ => {}
    }
    add(
        &mut line,
        if d.dma_iommu {
            "dma iommu"
        } else {
            "dma direct"
        },
    );
    if d.arm.is_some() {
        let (ops, mapping) = (predicate::dma_ops(d.arm), predicate::mapping(d.arm));
        add(&mut line, &format!("dma_ops {ops}, mapping {mapping}"));
    }
    if d.dma_ops_switched() {
        add(&mut line, "DMA ops switched under the driver");
    }
    faults(d, &mut |text| add(&mut line, text));
    line
}

fn is_bound(end: &Final<Outcome>, dev: DeviceId) -> bool {
    end.outcome.device(dev).is_some_and(|d| d.driver.is_some())
}

/// An IOMMU, or another device with a driver: only what is out of the ordinary.
fn other_line(d: &DeviceOutcome, end: &Final<Outcome>, names: &Resolver<'_>) -> String {
    let mut parts = vec![];
    let is_iommu = names.laid_out.devices[d.device.index()].instance.is_some();
    if is_iommu && !end.outcome.registered.contains(&d.device) {
        parts.push("not registered".to_owned());
    }
    if d.deferred {
        parts.push("deferred".to_owned());
    }
    if let Some(references) = d.arm.and_then(|arm| arm.references) {
        parts.push(format!("mapping with {references} references"));
    }
    faults(d, &mut |text| parts.push(text.to_owned()));
    if parts.is_empty() {
        String::new()
    } else {
        format!("{}: {}", names.display(d.device), parts.join(", "))
    }
}

fn faults(d: &DeviceOutcome, add: &mut dyn FnMut(&str)) {
    for warn in Warn::ALL.into_iter().filter(|w| d.warned(*w)) {
        add(short(warn));
    }
    if d.faults & USE_AFTER_FREE != 0 {
        add("BUG use after free of struct dev_iommu");
    }
    if d.faults & DOUBLE_FREE != 0 {
        add("BUG double free of struct dev_iommu");
    }
    if d.leaked != 0 {
        add("struct dev_iommu leaked");
    }
    if d.owner_lost {
        add("struct exynos_iommu_owner leaked");
    }
    if d.vfio_refused {
        add("refused by vfio");
    }
    if d.group_complete == Some(false) {
        add("its group was not complete at its probe");
    }
    if let Some(map) = &d.range_map {
        range_map_faults(map, d.driver.is_some(), add);
    }
    if let Some(arm) = &d.arm {
        arm_faults(arm, add);
    }
}

fn range_map_faults(map: &RangeMapOutcome, is_bound: bool, add: &mut dyn FnMut(&str)) {
    if map.faults & DOUBLE_FREE != 0 {
        add("BUG double free of dma_range_map");
    }
    if map.leaked != 0 {
        add("a dma_range_map leaked");
    }
    if is_bound && !map.is_valid {
        add("no dma_range_map");
    }
}

fn arm_faults(arm: &ArmOutcome, add: &mut dyn FnMut(&str)) {
    if arm.faults & USE_AFTER_FREE != 0 {
        add("BUG use after free of struct dma_iommu_mapping");
    }
    if arm.misfreed {
        add("BUG DMA memory freed through other DMA ops");
    }
    match arm.finalized {
        Finalized::NotProbed | Finalized::InTime => {}
        Finalized::Missing => add("probe_finalize() missing"),
        Finalized::Early => add("probe_finalize() before the default domain"),
        Finalized::TooOften => add("probe_finalize() called too often"),
    }
    let broken = Asymmetry::ALL.into_iter();
    for how in broken.filter(|how| arm.asymmetry & *how as u64 != 0) {
        add(how.text());
    }
}

fn short(warn: Warn) -> &'static str {
    match warn {
        Warn::LateProbe => "WARN late IOMMU probe",
        Warn::OwnerCnt => "WARN owner_cnt",
        Warn::PrivSet => "WARN priv set",
        Warn::Oops => "Oops",
        Warn::RetainsOps => "platform DMA ops retained",
        Warn::ProbesAtOnce => "BUG probe_device() twice at once",
        Warn::AttachesAtOnce => "BUG attach_dev() twice at once",
        Warn::OtherDomain => "BUG attached to another domain than its group's",
        Warn::IovaTwice => "BUG init_iova_domain() twice",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checker::engine::lock_order::LockOrder;
    use checker::outcome::{Complete, Interleavings};

    /// A report of `states` states and as many executions.
    fn report(states: u64) -> Report<()> {
        Report {
            finals: BTreeMap::new(),
            data_races: BTreeMap::new(),
            rounds: BTreeMap::new(),
            reached: BTreeSet::new(),
            lock_order: LockOrder::default(),
            states,
            executions: states,
            interleavings: Interleavings::Endless,
            depth: 3,
            complete: Complete::Yes,
            can_go_on: false,
            marks: checker::engine::marks::Marks::default(),
        }
    }

    /// 2^30 states and as many ends: (2^31)^2 / 2^129 = 2^-67.
    #[test]
    fn the_bound_of_collisions_stands_below_the_counts() {
        let text = counts(&report(1 << 30));
        let last = text.lines().last();
        let expected = "Two states taken for one: with a probability below 6.8e-21";
        assert_eq!(last, Some(expected));
    }

    #[test]
    fn an_engine_without_states_has_no_collisions() {
        assert_eq!(counts(&report(0)).lines().count(), 1);
    }

    #[test]
    fn what_goes_round_is_shown_with_its_period_if_it_has_one() {
        let (way, period) = (
            "CPU0 until f() reads x; CPU1 to its end",
            "CPU0 until g() takes y",
        );
        let lines = "    CPU0 until f() reads x;\n    CPU1 to its end\n";
        let again = "again and again\n    CPU0 until g() takes y\n";
        assert_eq!(
            round_text(way, period),
            format!("Goes round: first\n{lines}  then {again}")
        );
        assert_eq!(round_text(way, ""), format!("Goes round: after\n{lines}"));
        assert_eq!(round_text("", period), format!("Goes round: {again}"));
        assert_eq!(round_text("", ""), "Goes round from the beginning\n");
    }
}
