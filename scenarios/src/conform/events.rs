//! A log as the events that the model has to explain, in order, and what is left out of it.

use super::facts::{Class, Facts};
use super::shown::{Shown, WORK};
use crate::trace::{Call, Entry, Log, Message, Subject, What};
use kernel::board::Firmware;
use kernel::ids::{Bus, DeviceId};
use kernel::kernel::Kernel;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Functions of the model whose calls can be compared: each works on a device.
pub const FUNCTIONS: &[&str] = &[
    "__device_attach_async_helper",
    "__driver_attach_async_helper",
    "__driver_probe_device",
    "__iommu_probe_device",
    "apple_dart_of_xlate",
    "arm_smmu_of_xlate",
    "device_add",
    "device_del",
    "device_driver_attach",
    "device_release_driver",
    "driver_bound",
    "driver_probe_device",
    "exynos_iommu_of_xlate",
    "fsl_mc_dma_configure",
    "iommu_device_register",
    "iommu_device_unregister",
    "iommu_device_unuse_default_domain",
    "iommu_device_use_default_domain",
    "iommu_fwspec_free",
    "iommu_fwspec_init",
    "iommu_init_device",
    "iommu_probe_device",
    "iommu_release_device",
    "iommu_setup_dma_ops",
    "ipmmu_of_xlate",
    "mtk_iommu_of_xlate",
    "of_dma_configure_id",
    "of_iommu_configure",
    "pci_dma_configure",
    "platform_dma_configure",
    "probe_iommu_group",
    "qcom_iommu_of_xlate",
    "really_probe",
    "riscv_iommu_of_xlate",
    "rk_iommu_of_xlate",
    "sprd_iommu_of_xlate",
    "sun50i_iommu_of_xlate",
    "tegra_smmu_of_xlate",
    "viommu_of_xlate",
    "vsi_iommu_of_xlate",
];

/// Functions that the model has under another name, or notes only.
pub const OTHERS: &[&str] = &[PART, QUEUE, AMBA, WORK];

/// The second half of __iommu_probe_device(), where the compiler has split it.
pub(super) const PART: &str = "__iommu_probe_device.part";
/// A function of which some calls are inlined.
pub(super) const QUEUE: &str = "driver_deferred_probe_add";
/// What the amba bus has for platform_dma_configure().
pub(super) const AMBA: &str = "amba_dma_configure";

/// Names of the initcall levels that the model has too.
const LEVELS: [&str; 9] = [
    "early", "pure", "core", "postcore", "arch", "subsys", "fs", "device", "late",
];

/// An event that is to be explained.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    /// Its number in the log.
    pub(super) entry: usize,
    pub(super) pid: Option<u32>,
    pub(super) class: Class,
    pub(super) shown: Shown,
}

/// Which calls of driver_deferred_probe_add() are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// None: all are inlined, or it is not probed.
    None,
    /// Those of device_links_driver_bound(), in another file.
    Links,
    /// All.
    All,
}

/// What is seen of the kernel.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) entered: BTreeSet<String>,
    pub(super) returned: BTreeSet<String>,
    pub(super) messages: BTreeSet<Message>,
    pub(super) queue: Queue,
    pub(super) has_levels: bool,
    /// It is a run of the model, where amba devices have the function of platform devices.
    pub(super) amba_as_platform: bool,
    /// Devices whose calls are compared.
    pub(super) devices: Vec<bool>,
}

/// What is not compared, and why: counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotCompared {
    /// Calls for devices that no node of the board describes, by device.
    pub no_node: BTreeMap<String, usize>,
    /// Calls for devices with a driver that the model does not have: device, its drivers.
    pub driver_not_modelled: BTreeMap<String, (String, usize)>,
    /// Calls of functions that the model does not have.
    pub functions: BTreeMap<String, usize>,
    /// Calls whose device the log does not name.
    pub no_name: usize,
    /// Returns from calls that the log does not have the beginning of.
    pub no_beginning: usize,
    /// Messages that the trace has as an event too, and levels that the model does not have.
    pub repeated: usize,
    /// device_add() of something else that has a device's name: a class device mostly has that
    /// of its parent.
    pub namesakes: usize,
    /// deferred_probe_work_func() with nothing to do.
    pub idle_work: usize,
    /// Devices of the board that the log never names.
    pub never_named: Vec<String>,
}

/// What the user says about what is observed.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// Functions that are observed whether they occur in the log or not.
    pub observed: BTreeSet<String>,
    /// The same of returns.
    pub returned: BTreeSet<String>,
    /// Functions whose calls are not compared.
    pub not_observed: BTreeSet<String>,
}

/// Goes through a log.
pub(super) struct Reader<'a> {
    kernel: &'a Kernel,
    facts: &'a Facts,
    devices: HashMap<&'a str, DeviceId>,
    observed: Observed,
    /// Calls that have not returned: function, device if it is compared.
    open: BTreeMap<Option<u32>, Vec<(String, Option<DeviceId>)>>,
    /// The trace has an event for what a message says too.
    has_group_events: bool,
    /// The level of the initcalls that make the board's devices is over.
    devices_are_added: bool,
    /// Devices that drivers add, as a host bridge's does, as far as they have been added.
    added: BTreeSet<DeviceId>,
    not: NotCompared,
    owed: Vec<Owed>,
}

/// Reads a log.
pub(super) fn read(
    kernel: &Kernel,
    facts: &Facts,
    log: &Log,
    probes: &Probes,
) -> (Vec<Owed>, Observed, NotCompared) {
    let ids = kernel.board().device_ids();
    let devices: HashMap<&str, DeviceId> =
        ids.map(|d| (kernel.device(d).name.as_str(), d)).collect();
    let observed = observed(kernel, facts, log, probes);
    let has_group_events = log.entries.iter().any(|e| {
        matches!(
            e.what,
            What::Message {
                driver: None,
                about: Message::AddingToGroup,
                ..
            }
        )
    });
    let mut reader = Reader {
        kernel,
        facts,
        devices,
        observed,
        open: BTreeMap::new(),
        has_group_events,
        devices_are_added: false,
        added: BTreeSet::new(),
        not: NotCompared::default(),
        owed: vec![],
    };
    for (number, entry) in log.entries.iter().enumerate() {
        reader.entry(number, entry);
    }
    reader.drop_idle_work();
    let kernel = reader.kernel;
    let never = kernel
        .board()
        .device_ids()
        .filter(|d| !is_named(log, &kernel.device(*d).name));
    reader.not.never_named = never.map(|d| kernel.device(d).name.clone()).collect();
    (reader.owed, reader.observed, reader.not)
}

/// Whether a log names a device.
fn is_named(log: &Log, name: &str) -> bool {
    log.entries.iter().any(|e| match &e.what {
        What::Enter(call) => matches!(&call.subject, Subject::Name(n) if n == name),
        What::Message { device, .. } => device == name,
        _ => false,
    })
}

/// The functions of which a call names a device.
fn named_functions(log: &Log) -> BTreeSet<&str> {
    let calls = log.entries.iter().filter_map(|e| match &e.what {
        What::Enter(call) if matches!(call.subject, Subject::Name(_)) => Some(call),
        _ => None,
    });
    calls.map(|call| call.function.as_str()).collect()
}

/// What is seen of the kernel, by what is in the log.
fn observed(kernel: &Kernel, facts: &Facts, log: &Log, probes: &Probes) -> Observed {
    let (mut entered, mut returned) = log.functions();
    // A function none of whose calls names a device cannot be compared, and no more can one that the
    // model enters and FUNCTIONS does not have.
    let named = named_functions(log);
    let is_modelled = |f: &str| FUNCTIONS.contains(&f) || OTHERS.contains(&f);
    entered.retain(|f| f == WORK || named.contains(f.as_str()) && is_modelled(f));
    returned.retain(|f| is_modelled(f));
    entered.extend(probes.observed.iter().cloned());
    returned.extend(probes.returned.iter().cloned());
    for name in &probes.not_observed {
        entered.remove(name);
        returned.remove(name);
    }
    let mut messages = BTreeSet::new();
    for entry in &log.entries {
        if let What::Message { driver, about, .. } = &entry.what {
            messages.insert(*about);
            // A kernel that prints one prints the other.
            if driver.is_some() {
                messages.extend([Message::AddingToGroup, Message::LateProbe]);
            }
        }
    }
    let is_compared = |d: DeviceId| {
        let name = &kernel.device(d).name;
        facts.is_known(kernel.board(), name) && is_named(log, name)
    };
    let is_amba = |name: &String| {
        let device = kernel.board().device_by_name(name);
        device.is_some_and(|d| kernel.description(d).bus == Bus::Amba)
    };
    let is_platform = |e: &Entry| match &e.what {
        What::Enter(call) if call.function == "platform_dma_configure" => {
            matches!(&call.subject, Subject::Name(name) if is_amba(name))
        }
        _ => false,
    };
    let queue = match () {
        () if !entered.contains(QUEUE) => Queue::None,
        () if queues_after_deferral(log) => Queue::All,
        () => Queue::Links,
    };
    Observed {
        queue,
        entered,
        returned,
        messages,
        amba_as_platform: log.entries.iter().any(is_platform),
        has_levels: log.entries.iter().any(|e| matches!(e.what, What::Level(_))),
        devices: kernel.board().device_ids().map(is_compared).collect(),
    }
}

/// Whether driver_probe_device()'s own call of driver_deferred_probe_add() is seen: what the same
/// thread did before it, as far as the log shows, was for the same device. Before
/// that of device_links_driver_bound() it was driver_bound() of the supplier.
fn queues_after_deferral(log: &Log) -> bool {
    let mut open: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    let mut last: BTreeMap<u32, &str> = BTreeMap::new();
    for entry in &log.entries {
        let Some(pid) = entry.thread.as_ref().map(|t| t.pid) else {
            continue;
        };
        match &entry.what {
            What::Enter(call) => {
                let Subject::Name(name) = &call.subject else {
                    continue;
                };
                if call.function == QUEUE && last.get(&pid) == Some(&name.as_str()) {
                    return true;
                }
                last.insert(pid, name);
                if call.function == "really_probe" {
                    open.entry(pid).or_default().push(name);
                }
            }
            What::Exit { function, .. } if function == "really_probe" => {
                if let Some(device) = open.entry(pid).or_default().pop() {
                    last.insert(pid, device);
                }
            }
            _ => {}
        }
    }
    false
}

impl Reader<'_> {
    fn entry(&mut self, number: usize, entry: &Entry) {
        let pid = entry.thread.as_ref().map(|t| t.pid);
        match &entry.what {
            What::Enter(call) => {
                if let Some(shown) = self.enter(pid, call) {
                    self.owe(number, entry, shown);
                }
            }
            What::Exit { function, ret } => {
                if let Some(shown) = self.exit(pid, function, *ret) {
                    self.owe(number, entry, shown);
                }
            }
            What::Level(level) => {
                // arch_initcall_sync adds those of a device tree, acpi_init() is a subsys_initcall.
                let later = match self.kernel.board().firmware {
                    Firmware::DeviceTree => &LEVELS[5..],
                    Firmware::Acpi => &LEVELS[6..],
                };
                self.devices_are_added |= later.contains(&level.as_str());
                if LEVELS.contains(&level.as_str()) {
                    self.owe(number, entry, Shown::Level(level.clone()));
                } else {
                    self.not.repeated += 1;
                }
            }
            What::Message {
                driver,
                device,
                about,
            } => {
                let is_twice =
                    driver.is_some() && *about == Message::AddingToGroup && self.has_group_events;
                if is_twice {
                    self.not.repeated += 1;
                } else if let Some(device) = self.device(device) {
                    let about = *about;
                    self.owe(number, entry, Shown::Message { device, about });
                }
            }
            What::Added { .. } => self.not.repeated += 1,
        }
    }

    fn owe(&mut self, entry: usize, line: &Entry, shown: Shown) {
        self.owed.push(Owed {
            entry,
            pid: line.thread.as_ref().map(|t| t.pid),
            class: Class::of(line.thread.as_ref()),
            shown,
        });
    }

    /// The device of this name if its calls are compared. If not, that is counted.
    fn device(&mut self, name: &str) -> Option<DeviceId> {
        let Some(device) = self.devices.get(name).copied() else {
            *self.not.no_node.entry(name.to_owned()).or_default() += 1;
            return None;
        };
        if self.observed.devices[device.index()] {
            return Some(device);
        }
        let drivers = self.facts.bound.get(name);
        let drivers = drivers.map(|d| d.iter().cloned().collect::<Vec<_>>().join(", "));
        let drivers = drivers.unwrap_or_else(|| "bound before the log begins".to_owned());
        let row = self
            .not
            .driver_not_modelled
            .entry(name.to_owned())
            .or_insert((drivers, 0));
        row.1 += 1;
        None
    }

    fn enter(&mut self, pid: Option<u32>, call: &Call) -> Option<Shown> {
        let function = call.function.as_str();
        let is_modelled = FUNCTIONS.contains(&function) || OTHERS.contains(&function);
        let has_name = matches!(call.subject, Subject::Name(_)) || function == WORK;
        if is_modelled && !has_name {
            self.not.no_name += 1;
            return None;
        }
        if !is_modelled || !self.observed.entered.contains(function) {
            *self.not.functions.entry(function.to_owned()).or_default() += 1;
            return None;
        }
        let device = match &call.subject {
            _ if function == WORK => None,
            Subject::Name(name) => self.device(name),
            Subject::Address(_) | Subject::Unknown => None,
        };
        if let ("device_add", Some(device)) = (function, device)
            && self.is_namesake(pid, device)
        {
            self.not.namesakes += 1;
            return None;
        }
        if self.observed.returned.contains(function) {
            let stack = self.open.entry(pid).or_default();
            stack.push((function.to_owned(), device));
        }
        if device.is_none() && function != WORK {
            return None;
        }
        Some(Shown::Enter {
            function: Cow::Owned(function.to_owned()),
            device,
            driver: call.driver.clone(),
            specifier: call.specifier.clone(),
        })
    }

    /// Whether a device that is added only has the name of one of the board's. Those that no driver
    /// adds are there when the initcalls of a level are over; of the others the first is it.
    fn is_namesake(&mut self, pid: Option<u32>, device: DeviceId) -> bool {
        let board = self.kernel.board();
        if board.devices[device.index()].populated_by.is_some() {
            return !self.added.insert(device);
        }
        let open = self.open.get(&pid);
        let probes =
            |(f, d): &(String, Option<DeviceId>)| f == "really_probe" && *d == Some(device);
        self.devices_are_added || open.is_some_and(|stack| stack.iter().any(probes))
    }

    fn exit(&mut self, pid: Option<u32>, function: &str, ret: Option<i64>) -> Option<Shown> {
        if !FUNCTIONS.contains(&function) && function != PART {
            *self.not.functions.entry(function.to_owned()).or_default() += 1;
            return None;
        }
        let stack = self.open.entry(pid).or_default();
        let Some(at) = stack.iter().rposition(|(f, _)| f == function) else {
            self.not.no_beginning += 1;
            return None;
        };
        let (_, device) = stack[at].clone();
        stack.truncate(at);
        Some(Shown::Exit {
            function: Cow::Owned(function.to_owned()),
            device: Some(device?),
            ret,
        })
    }

    /// Runs of the work in which nothing is seen: the bind of a device that the model does not
    /// have queues the work too.
    fn drop_idle_work(&mut self) {
        let mut keep = vec![true; self.owed.len()];
        for (i, owed) in self.owed.iter().enumerate() {
            if !owed.shown.is_work() {
                continue;
            }
            let next = self.owed[i + 1..].iter().find(|o| o.pid == owed.pid);
            keep[i] = next.is_some_and(|o| !o.shown.is_work());
        }
        let before = self.owed.len();
        let mut keep = keep.into_iter();
        self.owed.retain(|_| keep.next().unwrap_or(true));
        self.not.idle_work = before - self.owed.len();
    }
}
