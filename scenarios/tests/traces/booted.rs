//! A boot of the model in the words of a trace.

use super::state::{Bound, Iommu, Member, State};
use super::summary::{Id, Row, Summary};
use checker::event::{Event, TaskId, What};
use kernel::ids::DeviceId;
use kernel::kernel::Warn;
use kernel::outcome::DeviceOutcome;
use scenarios::board::Board;
use scenarios::boot::Boot;
use scenarios::boot::calls::Caller;
use std::collections::{BTreeMap, BTreeSet};

/// Which calls of driver_deferred_probe_add() a kprobe on it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// All.
    All,
    /// Those of device_links_driver_bound(), in another file: all others are inlined.
    LinksOnly,
}

/// What the summary of a trace of it would be.
pub(crate) fn summary(boot: &Boot, board: &Board, queued: Probed) -> Result<Summary, String> {
    let seen = See::new(&boot.trace.events, queued);
    if seen.specs.len() != boot.calls.len() {
        return Err(format!(
            "{} of_xlate functions entered, {} of_xlate calls read off the record",
            seen.specs.len(),
            boot.calls.len()
        ));
    }
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (call, spec) in boot.calls.iter().zip(&seen.specs) {
        let row = rows.entry(call.device.clone()).or_default();
        if call.has_driver() {
            row.set += 1;
        } else {
            row.null += 1;
        }
        match &call.caller {
            Caller::Bind => row.own += 1,
            Caller::Notifier => row.notifier += 1,
            Caller::Walk(iommu) => match row.registers.iter_mut().find(|(i, _)| i == iommu) {
                Some((_, n)) => *n += 1,
                None => row.registers.push((iommu.clone(), 1)),
            },
        }
        let (iommu, cell) = specifier(boot, board, &call.device, *spec)
            .ok_or_else(|| format!("{} has no specifier {spec}", call.device))?;
        let ret = call.ret;
        row.ids.push(Id { iommu, cell, ret });
    }
    let fishy = boot
        .notes("WARN")
        .filter(|text| text.ends_with(Warn::LateProbe.text()));
    Ok(Summary {
        registered: seen.registered,
        calls: boot.calls.len(),
        devices: rows.len(),
        unanswered: seen
            .asked
            .into_iter()
            .filter(|d| !rows.contains_key(d))
            .collect(),
        deferrals: seen.deferrals,
        queued: seen.queued,
        fishy: fishy.count(),
        rows,
    })
}

/// The IOMMU's node and the id in one entry of a device's `iommus`.
fn specifier(boot: &Boot, board: &Board, device: &str, spec: usize) -> Option<(String, u32)> {
    let device = boot.kernel.board().device_by_name(device)?;
    let spec = boot.kernel.description(device).iommus.get(spec)?;
    Some((
        board.tree.node(spec.node).name.clone(),
        spec.args.first().copied().unwrap_or(0),
    ))
}

/// The calls that a summary is made of.
#[derive(Default)]
struct See {
    /// For each of_xlate call, which entry of the device's `iommus` it was for.
    specs: Vec<usize>,
    /// iommu_device_register() in order.
    registered: Vec<String>,
    /// Devices that came as far as iommu_fwspec_init().
    asked: BTreeSet<String>,
    /// really_probe() with -EPROBE_DEFER. The driver's own comes back positive.
    deferrals: BTreeMap<String, usize>,
    /// driver_deferred_probe_add() as far as a kprobe sees it.
    queued: BTreeMap<String, usize>,
}

/// A function that has not returned yet.
struct Open<'a> {
    function: &'static str,
    object: &'a str,
    /// iommu_fwspec_init() calls in it.
    specs: usize,
}

impl See {
    fn new(events: &[Event], queued: Probed) -> Self {
        let mut seen = Self::default();
        let mut open: BTreeMap<TaskId, Vec<Open<'_>>> = BTreeMap::new();
        // Kprobes of the command line are set up at this level.
        let mut is_traced = false;
        for event in events {
            let stack = open.entry(event.task).or_default();
            match &event.what {
                What::Note {
                    kind: "level",
                    text,
                } => is_traced |= text == "fs",
                What::Note {
                    kind: "driver_deferred_probe_add",
                    text,
                } if is_traced => {
                    // device_links_driver_bound() is the only caller in driver_bound().
                    let by_link = stack.last().is_some_and(|o| o.function == "driver_bound");
                    if by_link || queued == Probed::All {
                        *seen.queued.entry(text.clone()).or_default() += 1;
                    }
                }
                What::Enter { function, object } => {
                    seen.enter(function, object, stack, is_traced);
                    stack.push(Open {
                        function,
                        object,
                        specs: 0,
                    });
                }
                What::Exit { function, ret } => {
                    let device = stack.pop().map_or("", |o| o.object);
                    if is_traced && *function == "really_probe" && ret == "-517" {
                        *seen.deferrals.entry(device.to_owned()).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        seen
    }

    fn enter(&mut self, function: &str, object: &str, stack: &mut [Open<'_>], is_traced: bool) {
        let configure = stack
            .iter_mut()
            .rev()
            .find(|o| o.function == "of_iommu_configure");
        if function == "iommu_device_register" {
            self.registered.push(object.to_owned());
        } else if function == "iommu_fwspec_init" {
            if let Some(configure) = configure {
                configure.specs += 1;
            }
            if is_traced {
                self.asked.insert(object.to_owned());
            }
        } else if function.ends_with("_of_xlate") {
            let specs = configure.map_or(0, |o| o.specs);
            self.specs.push(specs.saturating_sub(1));
        }
    }
}

/// What sysfs and debugfs would have shown at the end.
pub(crate) fn state(boot: &Boot) -> Result<State, String> {
    let kernel = &boot.kernel;
    let outcome = &boot.trace.end.outcome;
    let name = |dev: DeviceId| kernel.device(dev).name.clone();
    let numbers = group_numbers(boot)?;
    let mut state = State::default();
    for group in &outcome.groups {
        let domain = match group.default_domain {
            Some(domain) => domain.name(),
            None => "none",
        };
        for device in group.members.iter().map(|m| name(*m)) {
            let number = numbers.get(device.as_str());
            state.groups.insert(Member {
                group: *number.ok_or_else(|| format!("{device} was never added to a group"))?,
                domain: domain.to_owned(),
                device,
            });
        }
    }
    for dev in kernel.board().device_ids() {
        let end = outcome.device(dev);
        let iommu = if outcome.registered.contains(&dev) {
            Iommu::Instance
        } else if end.is_some_and(|d| d.grouped) {
            Iommu::Client
        } else {
            Iommu::Absent
        };
        let driver = end.and_then(|d: &DeviceOutcome| d.driver);
        let driver = driver.map(|d| kernel.board().drivers[d.index()].info.name.to_owned());
        state.bound.insert(name(dev), Bound { driver, iommu });
        if end.is_some_and(|d| d.deferred) {
            state.deferred.insert(name(dev));
        }
    }
    Ok(state)
}

/// The number that each device's group has: the kernel counts groups as it allocates them, as
/// long as none is freed.
fn group_numbers(boot: &Boot) -> Result<BTreeMap<&str, usize>, String> {
    let allocated: Vec<&str> = boot.notes("iommu_group_alloc").collect();
    let mut numbers = BTreeMap::new();
    for text in boot.notes("printk") {
        if let Some((device, group)) = text.split_once(": Adding to iommu group ") {
            let mut places = (0..allocated.len()).filter(|i| allocated[*i] == group);
            match (places.next(), places.next()) {
                (Some(number), None) => numbers.insert(device, number),
                _ => return Err(format!("{text}: not allocated exactly once")),
            };
        }
    }
    Ok(numbers)
}
