//! `summary.md` of a trace: which of_xlate calls were made, for whom, from where.

use scenarios::trace::file::{File, ParseError};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

const REGISTERED: &str = "iommu_device_register order: ";
const TABLE_TITLE: &str = "## of_xlate calls per device";
const TABLE_HEAD: &str = "| device | calls | dev->driver NULL | dev->driver set \
     | in iommu_device_register of | inside own really_probe \
     | elsewhere (device_add notifier) | ids (iommu:id => ret) |";
const TABLE_RULE: &str = "|---|---|---|---|---|---|---|---|";
const TOTAL: &str = "total of_xlate calls: ";
const UNANSWERED: &str = "asked for an IOMMU (iommu_fwspec_init) but never reached of_xlate: ";
const DEFERRALS: &str = "really_probe => -517 (EPROBE_DEFER), as far as the trace reaches back: ";
const QUEUED: &str = "driver_deferred_probe_add (inlined, so not seen everywhere, \
     on the older kernels): ";
const FISHY: &str = "\"something fishy\" warnings in dmesg: ";

/// All of one `summary.md` that is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Devices for which iommu_device_register() was called, in order.
    pub(crate) registered: Vec<String>,
    /// The table.
    pub(crate) rows: BTreeMap<String, Row>,
    /// All of_xlate calls.
    pub(crate) calls: usize,
    /// Devices that they were for.
    pub(crate) devices: usize,
    /// Devices that got no further than iommu_fwspec_init().
    pub(crate) unanswered: BTreeSet<String>,
    /// How often really_probe() gave -EPROBE_DEFER, from the `fs` initcalls on.
    pub(crate) deferrals: BTreeMap<String, usize>,
    /// Calls of driver_deferred_probe_add() that are not inlined, from the `fs` initcalls on.
    pub(crate) queued: BTreeMap<String, usize>,
    /// "late IOMMU probe at driver bind, something fishy here!"
    pub(crate) fishy: usize,
}

/// The of_xlate calls for one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// With `dev->driver` NULL.
    pub(crate) null: usize,
    /// With `dev->driver` set.
    pub(crate) set: usize,
    /// In whose iommu_device_register(), and how many.
    pub(crate) registers: Vec<(String, usize)>,
    /// Inside the device's own really_probe().
    pub(crate) own: usize,
    /// Neither in one nor in the other.
    pub(crate) notifier: usize,
    /// Each call.
    pub(crate) ids: Vec<Id>,
}

/// One of_xlate call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    /// Name of the IOMMU's node.
    pub(crate) iommu: String,
    /// First cell of the specifier.
    pub(crate) cell: u32,
    /// What of_xlate returned.
    pub(crate) ret: i32,
}

/// Reads a `summary.md`.
pub(crate) fn parse(file: &File) -> Result<Summary, ParseError> {
    let mut summary = Summary::default();
    let mut total = None;
    let mut fishy = None;
    let mut registered = None;
    let mut table = false;
    for line in file.lines() {
        let text = line.text;
        if let Some(list) = text.strip_prefix(REGISTERED) {
            let names = items(list).map(|item| item.split(" (").next().unwrap_or(item).to_owned());
            registered = Some(names.collect());
        } else if text == TABLE_HEAD {
            table = true;
        } else if text.is_empty() || text == TABLE_TITLE || text == TABLE_RULE {
        } else if text.starts_with("| ") && table {
            let (device, row) = parse_row(text).ok_or_else(|| line.error("not a table row"))?;
            summary.rows.insert(device, row);
        } else if let Some(rest) = text.strip_prefix(TOTAL) {
            let numbers = rest.split_once(", devices: ");
            let parsed = numbers.and_then(|(c, d)| Some((c.parse().ok()?, d.parse().ok()?)));
            total = Some(parsed.ok_or_else(|| line.error("not two numbers"))?);
        } else if let Some(list) = text.strip_prefix(UNANSWERED) {
            summary.unanswered = items(list).map(str::to_owned).collect();
        } else if let Some(list) = text.strip_prefix(DEFERRALS) {
            let counts: Option<_> = items(list).map(parse_count).collect();
            summary.deferrals = counts.ok_or_else(|| line.error("not a list of counts"))?;
        } else if let Some(list) = text.strip_prefix(QUEUED) {
            let counts: Option<_> = items(list).map(parse_count).collect();
            summary.queued = counts.ok_or_else(|| line.error("not a list of counts"))?;
        } else if let Some(number) = text.strip_prefix(FISHY) {
            let parsed = number.parse().ok();
            fishy = Some(parsed.ok_or_else(|| line.error("not a number"))?);
        } else if !is_not_compared(text, fishy) {
            return Err(line.error("not understood"));
        }
    }
    let missing = |what| file.error(format!("no line `{what}`"));
    summary.registered = registered.ok_or_else(|| missing(REGISTERED))?;
    (summary.calls, summary.devices) = total.ok_or_else(|| missing(TOTAL))?;
    summary.fishy = fishy.ok_or_else(|| missing(FISHY))?;
    if table {
        Ok(summary)
    } else {
        Err(missing(TABLE_HEAD))
    }
}

/// The heading, and the warnings themselves below their number.
fn is_not_compared(text: &str, fishy: Option<usize>) -> bool {
    let is_warning = fishy.is_some_and(|n| n > 0) && text.contains("something fishy here!");
    text.starts_with("# ") || is_warning
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(", ").filter(|item| !item.is_empty())
}

/// `7f003000.uart16550 x4`
fn parse_count(text: &str) -> Option<(String, usize)> {
    let (name, count) = text.rsplit_once(" x")?;
    Some((name.to_owned(), count.parse().ok()?))
}

fn parse_row(text: &str) -> Option<(String, Row)> {
    let inner = text.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<&str> = inner.split(" | ").collect();
    let [device, calls, null, set, registers, own, notifier, ids] = cells.as_slice() else {
        return None;
    };
    let registers = if *registers == "-" { "" } else { registers };
    let row = Row {
        null: null.parse().ok()?,
        set: set.parse().ok()?,
        registers: items(registers).map(parse_count).collect::<Option<_>>()?,
        own: own.parse().ok()?,
        notifier: notifier.parse().ok()?,
        ids: items(ids).map(parse_id).collect::<Option<_>>()?,
    };
    let calls: usize = calls.parse().ok()?;
    (calls == row.ids.len()).then(|| ((*device).to_owned(), row))
}

/// `smmuv3@9050000:18=>0`
fn parse_id(text: &str) -> Option<Id> {
    let (call, ret) = text.split_once("=>")?;
    let (iommu, cell) = call.rsplit_once(':')?;
    Some(Id {
        iommu: iommu.to_owned(),
        cell: cell.parse().ok()?,
        ret: ret.parse().ok()?,
    })
}

/// As in `summary.md`, but for what is not compared.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{REGISTERED}{}", self.registered.join(", "))?;
        writeln!(f, "{TABLE_HEAD}")?;
        for (device, row) in &self.rows {
            writeln!(f, "| {device} | {row} |")?;
        }
        writeln!(f, "{TOTAL}{}, devices: {}", self.calls, self.devices)?;
        let unanswered: Vec<&str> = self.unanswered.iter().map(String::as_str).collect();
        writeln!(f, "{UNANSWERED}{}", unanswered.join(", "))?;
        writeln!(f, "{DEFERRALS}{}", counts(&self.deferrals))?;
        writeln!(f, "{QUEUED}{}", counts(&self.queued))?;
        writeln!(f, "{FISHY}{}", self.fishy)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registers = match self.registers.as_slice() {
            [] => "-".to_owned(),
            some => counts(some.iter().map(|(name, n)| (name, n))),
        };
        let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        write!(
            f,
            "{} | {} | {} | {registers} | {} | {} | {}",
            self.ids.len(),
            self.null,
            self.set,
            self.own,
            self.notifier,
            ids.join(", ")
        )
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}=>{}", self.iommu, self.cell, self.ret)
    }
}

fn counts<'a>(counts: impl IntoIterator<Item = (&'a String, &'a usize)>) -> String {
    let items: Vec<String> = counts
        .into_iter()
        .map(|(name, n)| format!("{name} x{n}"))
        .collect();
    items.join(", ")
}
