//! A boot as text: the of_xlate log, the table by device, the warnings, the end state.

use super::Boot;
use super::calls::{Caller, XlateCall};
use kernel::ids::{DeviceId, Domain};
use kernel::kernel::Kernel;
use kernel::outcome::{DeviceOutcome, Outcome};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// One row of the table: the calls for one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Calls with `dev->driver` NULL.
    pub platform: usize,
    /// Calls with `dev->driver` set.
    pub driver: usize,
    /// Calls by caller, in the order in which the callers first came.
    pub callers: Vec<(Caller, usize)>,
    /// Return values in order.
    pub returns: Vec<i32>,
}

/// The calls by device.
pub fn table(calls: &[XlateCall]) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for call in calls {
        let row = rows.entry(call.device.clone()).or_default();
        if call.has_driver() {
            row.driver += 1;
        } else {
            row.platform += 1;
        }
        match row.callers.iter_mut().find(|(c, _)| *c == call.caller) {
            Some((_, n)) => *n += 1,
            None => row.callers.push((call.caller.clone(), 1)),
        }
        row.returns.push(call.ret);
    }
    rows
}

/// The log of a boot against that of another kernel, as `diff` shows it: `+` new, `-` gone.
/// Without another kernel, the bare lines.
pub fn log(boot: &Boot, against: Option<&Boot>) -> String {
    let text = |b: &Boot| b.log().into_iter().map(|l| l + "\n").collect::<String>();
    let new = text(boot);
    let Some(base) = against else { return new };
    let old = text(base);
    let diff = TextDiff::from_lines(&old, &new);
    let mut out = String::new();
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
            ChangeTag::Equal => ' ',
        };
        write!(out, "{sign}{}", change.value()).expect("a string takes any text");
    }
    out
}

/// Everything below the log.
pub struct Summary<'a>(pub &'a Boot);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let boot = self.0;
        write_table(f, &boot.calls)?;
        write_notes(f, boot)?;
        let outcome = &boot.trace.end.outcome;
        write_list(f, "Deferred", &deferred(&boot.kernel, outcome))?;
        write_groups(f, &boot.kernel, outcome)?;
        write_unusual(f, &boot.kernel, outcome)?;
        write_end(f, boot)
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, calls: &[XlateCall]) -> fmt::Result {
    let rows = table(calls);
    let (platform, driver) = rows
        .values()
        .fold((0, 0), |(p, d), r| (p + r.platform, d + r.driver));
    writeln!(
        f,
        "of_xlate calls {} (no driver {platform}, driver set {driver}), devices {}",
        calls.len(),
        rows.len()
    )?;
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "  {:<28} {:>9} {:>6}  called by",
        "device", "no driver", "driver"
    )?;
    for (device, row) in &rows {
        write!(f, "  {device:<28} {:>9} {:>6}  ", row.platform, row.driver)?;
        for (i, (caller, n)) in row.callers.iter().enumerate() {
            if i > 0 {
                write!(f, "\n{:49}", "")?;
            }
            write!(f, "{caller}")?;
            if *n > 1 {
                write!(f, " x{n}")?;
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

fn write_notes(f: &mut fmt::Formatter<'_>, boot: &Boot) -> fmt::Result {
    let all: Vec<&str> = boot
        .notes("WARN")
        .chain(boot.notes("Oops"))
        .chain(boot.notes("BUG"))
        .collect();
    writeln!(f, "Warnings {}", all.len())?;
    for text in all {
        writeln!(f, "  {text}")?;
    }
    Ok(())
}

fn write_list(f: &mut fmt::Formatter<'_>, title: &str, names: &[String]) -> fmt::Result {
    writeln!(f, "{title} {}", names.len())?;
    for name in names {
        writeln!(f, "  {name}")?;
    }
    Ok(())
}

fn deferred(kernel: &Kernel, outcome: &Outcome) -> Vec<String> {
    let all = outcome.clients.iter().chain(&outcome.others);
    all.filter(|d| d.deferred)
        .map(|d| name(kernel, d.device))
        .collect()
}

fn name(kernel: &Kernel, dev: DeviceId) -> String {
    kernel.device(dev).name.clone()
}

fn write_groups(f: &mut fmt::Formatter<'_>, kernel: &Kernel, outcome: &Outcome) -> fmt::Result {
    writeln!(f, "Groups {}", outcome.groups.len())?;
    for (i, group) in outcome.groups.iter().enumerate() {
        let domain = group.domain.map_or("none", Domain::name);
        let members: Vec<String> = group.members.iter().map(|m| name(kernel, *m)).collect();
        writeln!(
            f,
            "  {i} domain {domain}, owner_cnt {}: {}",
            group.owner_cnt,
            members.join(" ")
        )?;
    }
    Ok(())
}

/// What should not be so at the end: of devices with an IOMMU that a driver of the model
/// makes use of.
fn write_unusual(f: &mut fmt::Formatter<'_>, kernel: &Kernel, outcome: &Outcome) -> fmt::Result {
    for d in &outcome.clients {
        if d.dma_ops_switched() {
            writeln!(
                f,
                "DMA ops of {} switched under its driver",
                name(kernel, d.device)
            )?;
        }
        if d.faults != 0 {
            writeln!(
                f,
                "use of a freed struct dev_iommu of {}",
                name(kernel, d.device)
            )?;
        }
    }
    let unregistered = |d: &&DeviceOutcome| {
        is_instance(kernel, d.device) && !outcome.registered.contains(&d.device)
    };
    let missing: Vec<String> = outcome
        .others
        .iter()
        .filter(unregistered)
        .map(|d| name(kernel, d.device))
        .collect();
    if !missing.is_empty() {
        writeln!(
            f,
            "IOMMUs that registered no instance: {}",
            missing.join(" ")
        )?;
    }
    Ok(())
}

fn is_instance(kernel: &Kernel, dev: DeviceId) -> bool {
    kernel.description(dev).instance.is_some()
}

fn write_end(f: &mut fmt::Formatter<'_>, boot: &Boot) -> fmt::Result {
    if let Some(deadlock) = &boot.trace.end.deadlock {
        writeln!(f, "*** DEADLOCK ***\n  {}", deadlock.waits.join("\n  "))?;
    }
    if let Some(limit) = &boot.trace.limit {
        writeln!(f, "Stopped early: {limit}")?;
    }
    let unknown = &boot.kernel.board().iommus_without_driver;
    if !unknown.is_empty() {
        writeln!(
            f,
            "IOMMUs without a driver in the model, whose clients wait for ever: {}",
            unknown.len()
        )?;
        for path in unknown {
            writeln!(f, "  {path}")?;
        }
    }
    let assumed = &boot.kernel.board().assumed_suppliers;
    if !assumed.is_empty() {
        writeln!(
            f,
            "Suppliers without a driver in the model, taken as ready: {}",
            assumed.len()
        )?;
    }
    Ok(())
}
