//! Whether an atom of a proposition holds in an outcome.

use super::invariants;
use super::names::Resolver;
use crate::litmus::{Atom, Comparison, Op, Value};
use checker::heap::{DOUBLE_FREE, USE_AFTER_FREE};
use checker::outcome::Final;
use kernel::arm::archdata::{DmaOps, MappingOwner};
use kernel::ids::{DeviceId, Domain};
use kernel::kernel::Warn;
use kernel::outcome::{ArmOutcome, DeviceOutcome, Outcome};

/// What a predicate gives.
enum Result {
    Truth(bool),
    Number(i64),
    Word(String),
}

/// Whether the atom holds. Names and arguments have been checked before.
pub(crate) fn holds(atom: &Atom, end: &Final<Outcome>, names: &Resolver<'_>) -> bool {
    match (evaluate(atom, end, names), &atom.comparison) {
        (Result::Truth(truth), _) => truth,
        (Result::Number(n), None) => n != 0,
        (Result::Word(word), None) => word != "none",
        (Result::Number(n), Some(c)) => compare_number(n, c),
        (Result::Word(word), Some(c)) => compare_word(&word, c, names),
    }
}

fn compare_number(n: i64, comparison: &Comparison) -> bool {
    match &comparison.value.value {
        Value::Number(other) => comparison.op.value.holds(&n, other),
        _ => false,
    }
}

/// A device may be compared by any of its names.
fn compare_word(word: &str, comparison: &Comparison, names: &Resolver<'_>) -> bool {
    let (Value::Word(other) | Value::Text(other)) = &comparison.value.value else {
        return false;
    };
    let other = names
        .device(other)
        .map_or(other.clone(), |dev| names.display(dev));
    comparison.op.value.holds(word, other.as_str())
        && matches!(comparison.op.value, Op::Eq | Op::Ne)
}

fn evaluate(atom: &Atom, end: &Final<Outcome>, names: &Resolver<'_>) -> Result {
    let args: Vec<&str> = atom
        .call
        .value
        .args
        .iter()
        .map(|a| text(&a.value))
        .collect();
    let dev = args.first().and_then(|name| names.device(name));
    let of_device = |f: &dyn Fn(&DeviceOutcome) -> bool| match dev {
        Some(dev) => end.outcome.device(dev).is_some_and(f),
        None => end.outcome.clients.iter().chain(&end.outcome.others).any(f),
    };
    let arm = dev.and_then(|d| end.outcome.device(d)?.arm);
    let second = args.get(1).copied().unwrap_or("");
    match atom.call.value.name.value.as_str() {
        "of_xlate" => Result::Number(of_xlate(end, dev, second)),
        "WARN" => Result::Truth(of_device(&|d| warned(d, second))),
        "bound" => Result::Truth(of_device(&|d| {
            d.driver
                .is_some_and(|drv| second.is_empty() || names.driver(second) == Some(drv))
        })),
        "deferred" => Result::Truth(of_device(&|d| d.deferred)),
        "group" => Result::Word(dev.map_or("none".to_owned(), |d| group(end, d, names))),
        "same_group" => {
            let other = names.device(second);
            Result::Truth(dev.zip(other).is_some_and(|(a, b)| {
                end.outcome
                    .group_of(a)
                    .is_some_and(|g| g.members.contains(&b))
            }))
        }
        "dma" => Result::Word(dma(of_device(&|d| d.dma_iommu))),
        "dma_at_probe" => Result::Word(dma_at_probe(end, dev)),
        "dma_switched" => Result::Truth(of_device(&DeviceOutcome::dma_ops_switched)),
        "domain" => Result::Word(domain(end, dev)),
        "owner_cnt" => Result::Number(owner_cnt(end, dev)),
        "registered" => Result::Truth(dev.is_some_and(|d| end.outcome.registered.contains(&d))),
        "oops" => Result::Truth(of_device(&|d| d.warned(Warn::Oops))),
        "deadlock" => Result::Truth(end.deadlock.is_some()),
        "use_after_free" => Result::Truth(of_device(&|d| {
            let of_mapping = d.arm.map_or(0, |arm| arm.faults);
            (d.faults | of_mapping) & USE_AFTER_FREE != 0
        })),
        "double_free" => Result::Truth(of_device(&|d| {
            let of_map = d.range_map.map_or(0, |map| map.faults);
            (d.faults | of_map) & DOUBLE_FREE != 0
        })),
        "dev_iommu" => Result::Truth(of_device(&|d| d.has_dev_iommu)),
        "dma_coherent" => Result::Truth(of_device(&|d| d.dma_coherent)),
        "snoops" => Result::Truth(dev.is_some_and(|d| names.laid_out.snoops(d))),
        "dma_ops" => Result::Word(dma_ops(arm).to_owned()),
        "mapping" => Result::Word(mapping(arm).to_owned()),
        "mapping_refs" => Result::Number(mapping_refs(end, dev)),
        "misfreed" => Result::Truth(of_device(&|d| d.arm.is_some_and(|arm| arm.misfreed))),
        "violated" => Result::Truth(violated(&args, end, names)),
        "leak" => Result::Truth(of_device(&|d| {
            d.leaked != 0 || d.owner_lost || d.range_map.is_some_and(|map| map.leaked != 0)
        })),
        other => unreachable!("the predicate {other} was checked against the vocabulary"),
    }
}

/// `dev->dma_ops`
pub(crate) fn dma_ops(arm: Option<ArmOutcome>) -> &'static str {
    let ops = arm.and_then(|arm| arm.dma_ops);
    ops.map_or("none", DmaOps::name)
}

/// Whose mapping a device is attached to.
pub(crate) fn mapping(arm: Option<ArmOutcome>) -> &'static str {
    match arm.and_then(|arm| arm.mapping) {
        None => "none",
        Some(MappingOwner::Device(_)) => "own",
        Some(MappingOwner::Instance(_)) => "shared",
    }
}

fn mapping_refs(end: &Final<Outcome>, dev: Option<DeviceId>) -> i64 {
    let arm = dev.and_then(|d| end.outcome.device(d)?.arm);
    let references = arm.and_then(|arm| arm.references).unwrap_or(0);
    i64::try_from(references).unwrap_or(i64::MAX)
}

/// The invariant comes first, then the device, or none for any.
fn violated(args: &[&str], end: &Final<Outcome>, names: &Resolver<'_>) -> bool {
    let invariant = args.first().and_then(|name| invariants::find(name));
    let dev = args.get(1).and_then(|name| names.device(name));
    invariant.is_some_and(|i| i.is_violated(end, names, dev))
}

fn text(value: &Value) -> &str {
    match value {
        Value::Word(text) | Value::Text(text) | Value::Errno(text) => text,
        Value::Number(_) => "",
    }
}

fn of_xlate(end: &Final<Outcome>, dev: Option<DeviceId>, which: &str) -> i64 {
    let Some(d) = dev.and_then(|dev| end.outcome.device(dev)) else {
        return 0;
    };
    let calls = match which {
        "platform" => d.xlate_platform,
        "driver" => d.xlate_driver,
        _ => d.xlate_platform + d.xlate_driver,
    };
    i64::try_from(calls).unwrap_or(i64::MAX)
}

fn warned(d: &DeviceOutcome, text: &str) -> bool {
    Warn::ALL
        .iter()
        .any(|w| *w != Warn::Oops && d.warned(*w) && w.text().contains(text))
}

/// The member of the device's group that comes first on the board.
fn group(end: &Final<Outcome>, dev: DeviceId, names: &Resolver<'_>) -> String {
    let first = end
        .outcome
        .group_of(dev)
        .and_then(|g| g.members.iter().min());
    first.map_or("none".to_owned(), |first| names.display(*first))
}

fn dma(iommu: bool) -> String {
    if iommu { "iommu" } else { "direct" }.to_owned()
}

fn dma_at_probe(end: &Final<Outcome>, dev: Option<DeviceId>) -> String {
    let probed_with = dev
        .and_then(|d| end.outcome.device(d))
        .and_then(|d| d.probed_with_iommu);
    probed_with.map_or("none".to_owned(), dma)
}

fn owner_cnt(end: &Final<Outcome>, dev: Option<DeviceId>) -> i64 {
    let group = dev.and_then(|d| end.outcome.group_of(d));
    group.map_or(0, |g| i64::try_from(g.owner_cnt).unwrap_or(i64::MAX))
}

fn domain(end: &Final<Outcome>, dev: Option<DeviceId>) -> String {
    let group = dev.and_then(|d| end.outcome.group_of(d));
    let domain = group.and_then(|g| g.domain);
    domain.map_or("none", Domain::name).to_owned()
}
