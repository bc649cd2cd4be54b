//! What a log tells about the kernel beside the order of calls: which drivers were modules, what
//! drivers' own probes returned, what user space did, and which devices are driven by something
//! that the model does not have.

use crate::trace::{Call, Driver, Entry, Log, Subject, Thread, What};
use kernel::board::{Board, DriverDescription};
use kernel::config::Config;
use kernel::drivers::catalogue::{DriverInfo, Initcall, Kind};
use kernel::errno::EPROBE_DEFER;
use kernel::ids::DriverId;
use kernel::verb::Verb;
use std::collections::{BTreeMap, BTreeSet};

/// Programs that load modules.
const LOADERS: [&str; 6] = [
    "insmod",
    "modprobe",
    "kmod",
    "udevd",
    "systemd-udevd",
    "(udev-worker)",
];

/// Workers as [`crate::format::ftrace`] calls them, which prints runs of the model.
const OUR_WORKERS: [&str; 2] = ["deferred_probe_", "async"];

/// What really_probe() calls first once the suppliers are there, and the log may show.
const CONFIGURE: [&str; 2] = ["platform_dma_configure", "of_dma_configure_id"];

/// What kind of thread it is, by its name and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Number 1, which runs the initcalls.
    Init,
    /// A worker of a workqueue.
    Worker,
    /// A program that loads modules.
    Loader,
    /// Any other.
    Other,
    /// The log does not say.
    Unknown,
}

impl Class {
    /// Of a thread.
    pub fn of(thread: Option<&Thread>) -> Self {
        match thread {
            None => Class::Unknown,
            Some(t) if t.pid == 1 => Class::Init,
            Some(t) if t.comm.starts_with("kworker/") => Class::Worker,
            Some(t) if OUR_WORKERS.contains(&t.comm.as_str()) => Class::Worker,
            Some(t) if LOADERS.contains(&t.comm.as_str()) => Class::Loader,
            Some(t) if t.comm.is_empty() || t.comm == "<...>" => Class::Unknown,
            Some(_) => Class::Other,
        }
    }
}

/// What user space asked for through sysfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A write to `bind`: driver, device.
    Bind(String, String),
    /// A write to `unbind`.
    Unbind(String),
}

/// The facts.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Drivers that a program loaded, in order.
    pub modules: Vec<String>,
    /// Errors of drivers' own probes, by device.
    pub probe_results: BTreeMap<String, i32>,
    /// Devices whose driver's own probe did not always return the same.
    pub inconstant: BTreeSet<String>,
    /// What each thread of user space asked for, in the order in which they came.
    pub user: Vec<(u32, Vec<Asked>)>,
    /// The drivers seen at each device.
    pub bound: BTreeMap<String, BTreeSet<String>>,
    /// Devices at which some driver was seen, or tried.
    pub driven: BTreeSet<String>,
    /// Devices whose first really_probe() found that a supplier is missing: it returned
    /// -EPROBE_DEFER, and had called nothing that the log shows of others.
    pub deferred_at_once: BTreeSet<String>,
    /// Devices that were bound after the last initcall level began, each time they were.
    pub bound_late: Vec<String>,
    /// Devices that were deferred after that, each time they were.
    pub deferred_late: Vec<String>,
    /// Microseconds from the beginning of the last initcall level to the end of the log.
    pub after_late: u64,
}

impl Facts {
    /// Reads them off a log.
    pub fn of(log: &Log) -> Self {
        let mut facts = Self::default();
        let mut open: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
        let mut results: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        let (entered, returns) = log.functions();
        let shows_configuration = CONFIGURE.iter().any(|f| entered.contains(*f));
        let shows_bound = entered.contains("driver_bound");
        let mut late = None;
        let mut probed: BTreeSet<String> = BTreeSet::new();
        // Threads that have entered really_probe() and nothing after it.
        let mut last: BTreeMap<u32, String> = BTreeMap::new();
        for entry in &log.entries {
            let pid = entry.thread.as_ref().map_or(0, |t| t.pid);
            let stack = open.entry(pid).or_default();
            facts.after_late = entry
                .time
                .zip(late)
                .map_or(0, |(now, late)| now.saturating_sub(late));
            match &entry.what {
                What::Level(level) if level == "late" => {
                    late = entry.time;
                    facts.bound_late.clear();
                    facts.deferred_late.clear();
                }
                What::Enter(call) => {
                    let Subject::Name(device) = &call.subject else {
                        continue;
                    };
                    facts.enter(entry, call, device, stack.is_empty());
                    if call.function == "driver_bound" {
                        facts.bound_late.push(device.clone());
                    }
                    if call.function == "really_probe" {
                        last.insert(pid, device.clone());
                    } else {
                        last.remove(&pid);
                    }
                    if returns.contains(&call.function) {
                        stack.push((call.function.clone(), device.clone()));
                    }
                }
                What::Exit { function, ret } => {
                    let Some(at) = stack.iter().rposition(|(f, _)| f == function) else {
                        continue;
                    };
                    let (_, device) = stack.swap_remove(at);
                    stack.truncate(at);
                    if let (Some(ret), "really_probe") = (ret, function.as_str()) {
                        if *ret == 0 && !shows_bound {
                            facts.bound_late.push(device.clone());
                        }
                        if *ret == -i64::from(EPROBE_DEFER) {
                            facts.deferred_late.push(device.clone());
                        }
                        let is_first = probed.insert(device.clone());
                        let at_once = last.get(&pid) == Some(&device);
                        if is_first
                            && at_once
                            && shows_configuration
                            && *ret == -i64::from(EPROBE_DEFER)
                        {
                            facts.deferred_at_once.insert(device.clone());
                        }
                        results.entry(device).or_default().insert(*ret);
                    }
                }
                _ => {}
            }
        }
        for (device, seen) in results {
            // A driver's own errors come back positive.
            let own: Vec<i64> = seen.into_iter().filter(|r| *r >= 0).collect();
            if own.len() > 1 {
                facts.inconstant.insert(device);
            } else if let [error @ 1..4096] = own[..] {
                facts.probe_results.insert(device, -(error as i32));
            }
        }
        facts
    }

    fn enter(&mut self, entry: &Entry, call: &Call, device: &str, is_outermost: bool) {
        if matches!(&call.driver, Some(Driver::Set | Driver::Name(_))) {
            self.driven.insert(device.to_owned());
        }
        if ["really_probe", "__driver_probe_device"].contains(&call.function.as_str()) {
            self.driven.insert(device.to_owned());
        }
        if let Some(driver) = &call.binds {
            let drivers = self.bound.entry(device.to_owned()).or_default();
            drivers.insert(driver.clone());
        }
        let class = Class::of(entry.thread.as_ref());
        let pid = entry.thread.as_ref().map_or(0, |t| t.pid);
        match (class, &call.binds, call.function.as_str()) {
            (Class::Loader, Some(driver), "really_probe") if !self.modules.contains(driver) => {
                self.modules.push(driver.clone());
            }
            (Class::Other, Some(driver), "really_probe") if is_outermost => {
                self.asked(pid, Asked::Bind(driver.clone(), device.to_owned()));
            }
            (Class::Other, _, "iommu_device_unuse_default_domain") if is_outermost => {
                self.asked(pid, Asked::Unbind(device.to_owned()));
            }
            _ => {}
        }
    }

    fn asked(&mut self, pid: u32, what: Asked) {
        match self.user.iter_mut().find(|(p, _)| *p == pid) {
            Some((_, all)) => all.push(what),
            None => self.user.push((pid, vec![what])),
        }
    }

    /// Devices of a board that wait for suppliers of which the model has the driver of none: those
    /// never come. `board` is laid out with the suppliers that it has drivers for.
    pub fn waiting(&self, board: &Board) -> BTreeSet<String> {
        let has_none = |name: &&String| {
            let device = board.device_by_name(name);
            device.is_some_and(|d| board.devices[d.index()].supplier_links.is_empty())
        };
        self.deferred_at_once
            .iter()
            .filter(has_none)
            .cloned()
            .collect()
    }

    /// Puts the facts into the configuration where it says nothing itself, and gives the board
    /// the modules that the catalogue does not have. Their probes do what a client's does.
    pub fn apply(&self, board: &mut Board, config: &mut Config) {
        for (device, error) in &self.probe_results {
            if board.device_by_name(device).is_some() && self.is_known(board, device) {
                config.probe_results.entry(device.clone()).or_insert(*error);
            }
        }
        for module in &self.modules {
            let devices: Vec<_> = self
                .bound
                .iter()
                .filter(|(_, drivers)| drivers.contains(module))
                .filter_map(|(device, _)| board.device_by_name(device))
                .collect();
            let is_client = devices
                .iter()
                .any(|d| !board.devices[d.index()].iommus.is_empty());
            if board.driver_by_name(module).is_none() && is_client {
                let driver = add_driver(board, module);
                for device in devices {
                    board.devices[device.index()].drivers.push(driver);
                }
            }
            let is_there = board.driver_by_name(module).is_some();
            let is_known = config.loaded_modules.contains(module) || config.absent.contains(module);
            if is_there && !is_known {
                config.loaded_modules.push(module.clone());
            }
        }
    }

    /// What has deferred devices tried again after the initcalls, if the log has any.
    pub fn apply_late(&self, board: &Board, config: &mut Config) {
        let known = self
            .deferred_late
            .iter()
            .filter(|d| self.is_known(board, d));
        let tries = known.count();
        let others = self.bound_late.iter().filter(|d| !self.is_known(board, d));
        config.other_binds = others.count().min(tries).try_into().unwrap_or(u16::MAX);
        let timeout = u64::from(config.deferred_probe_timeout) * 1_000_000;
        config.timeout_runs_out = tries > 0 && timeout > 0 && self.after_late >= timeout;
    }

    /// Whether the model has each driver that was seen at a device.
    pub fn is_known(&self, board: &Board, device: &str) -> bool {
        let Some(dev) = board.device_by_name(device) else {
            return false;
        };
        let drivers = &board.devices[dev.index()].drivers;
        let has = |name: &String| {
            drivers
                .iter()
                .any(|d| board.drivers[d.index()].info.name == name)
        };
        let seen = self.bound.get(device);
        let all = seen.is_none_or(|names| names.iter().all(has));
        all && (!drivers.is_empty() || !self.driven.contains(device))
    }

    /// What user space did, as tasks of the model. What the model cannot do is left out.
    pub fn verbs(&self, board: &Board) -> Vec<Vec<Verb>> {
        let verb = |asked: &Asked| match asked {
            Asked::Bind(driver, device) => Some(Verb::DeviceDriverAttach(
                board.driver_by_name(driver)?,
                board.device_by_name(device)?,
            )),
            Asked::Unbind(device) => Some(Verb::DeviceReleaseDriver(board.device_by_name(device)?)),
        };
        let threads = self.user.iter();
        threads
            .map(|(_, asked)| asked.iter().filter_map(verb).collect::<Vec<_>>())
            .filter(|verbs| !verbs.is_empty())
            .collect()
    }
}

/// A driver that is in no table: its name lives as long as the program.
fn add_driver(board: &mut Board, name: &str) -> DriverId {
    let info = DriverInfo {
        name: String::leak(name.to_owned()),
        compatibles: &[],
        level: Initcall::Device,
        link_order: u16::MAX,
        prefers_async: false,
        kind: Kind::Client,
        bus: None,
        is_module: false,
        populates: false,
        source: "the log",
    };
    let id = DriverId(board.drivers.len() as u16);
    board.drivers.push(DriverDescription {
        info: Box::leak(Box::new(info)),
        is_async: false,
        managed_dma: false,
        is_vfio: false,
        registers: None,
    });
    id
}
