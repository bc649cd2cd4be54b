//! What the names in a test stand for: a device by its label in the board's source or by its
//! `dev_name()`.

use super::Test;
use crate::board::Board;
use crate::litmus::{Litmus, Names};
use kernel::board::Board as LaidOut;
use kernel::config::Config;
use kernel::drivers::catalogue::CATALOGUE;
use kernel::ids::{DeviceId, DriverId, InstanceId};
use kernel::kernel::Kernel;
use kernel::revision::Revision;

/// The devices of a board by what a test may call them.
pub(crate) fn device(board: &Board, laid_out: &LaidOut, name: &str) -> Option<DeviceId> {
    let by_label = board
        .labels
        .get(name)
        .and_then(|node| laid_out.device_of_node(*node));
    by_label.or_else(|| laid_out.device_by_name(name))
}

/// A device as a test calls it: by label if it has one.
pub(crate) fn display(board: &Board, laid_out: &LaidOut, dev: DeviceId) -> String {
    let description = &laid_out.devices[dev.index()];
    board
        .label(description.node)
        .map_or_else(|| description.name.clone(), str::to_owned)
}

/// The names of a test's board, for its validation.
#[derive(Debug)]
pub struct BoardNames {
    devices: Vec<String>,
    instances: Vec<String>,
}

impl BoardNames {
    /// Collects labels and names. A board that cannot be laid out has none; that is reported
    /// when it is set up.
    pub fn new(test: &Test) -> Self {
        let Ok(laid_out) = test.board.lay_out(&Config::default()) else {
            return Self {
                devices: vec![],
                instances: vec![],
            };
        };
        let names = |dev: DeviceId| {
            let label = display(&test.board, &laid_out, dev);
            let name = laid_out.devices[dev.index()].name.clone();
            if label == name {
                vec![name]
            } else {
                vec![label, name]
            }
        };
        Self {
            devices: laid_out.device_ids().flat_map(names).collect(),
            instances: laid_out
                .instances
                .iter()
                .flat_map(|i| names(i.device))
                .collect(),
        }
    }
}

impl Names for BoardNames {
    fn devices(&self) -> Vec<String> {
        self.devices.clone()
    }

    fn drivers(&self) -> Vec<String> {
        CATALOGUE.iter().map(|d| d.name.to_owned()).collect()
    }

    fn instances(&self) -> Vec<String> {
        self.instances.clone()
    }

    fn kernel(&self, revision: &str) -> Result<(), String> {
        Revision::parse(revision)
            .map(drop)
            .map_err(|e| e.to_string())
    }
}

/// Whether a task runs the deferred work, no driver fails on purpose, and no task unbinds or
/// removes anything: then what is not bound at the end was left behind.
fn retries(litmus: &Litmus) -> bool {
    let calls = || {
        litmus
            .initial
            .iter()
            .chain(litmus.tasks.iter().flat_map(|t| &t.value.body))
    };
    let calls_any = |names: &[&str]| calls().any(|c| names.contains(&c.value.name.value.as_str()));
    let by_hand = [
        "device_del",
        "device_driver_attach",
        "device_release_driver",
        "iommu_device_unregister",
    ];
    let mut options = litmus.drivers.iter().flat_map(|d| &d.value.options);
    calls_any(&["deferred_probe_work_func"])
        && !calls_any(&by_hand)
        && !options.any(|o| o.value.name.value == "probe")
}

/// Resolves the names of a checked test for one kernel.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    pub(crate) board: &'a Board,
    pub(crate) laid_out: &'a LaidOut,
    pub(crate) by_label: bool,
    /// The test retries what is deferred, and takes nothing away by hand.
    pub(crate) retries: bool,
}

impl<'a> Resolver<'a> {
    /// For a test on a kernel.
    pub fn new(test: &'a Test, kernel: &'a Kernel) -> Self {
        Self {
            retries: retries(&test.litmus),
            ..Self::by_label(&test.board, kernel.board())
        }
    }

    /// Shows devices by their labels.
    pub fn by_label(board: &'a Board, laid_out: &'a LaidOut) -> Self {
        Self {
            board,
            laid_out,
            by_label: true,
            retries: false,
        }
    }

    /// Shows devices by their names, as a log does.
    pub fn by_device_name(board: &'a Board, laid_out: &'a LaidOut) -> Self {
        Self {
            board,
            laid_out,
            by_label: false,
            retries: false,
        }
    }

    /// A device.
    pub fn device(&self, name: &str) -> Option<DeviceId> {
        device(self.board, self.laid_out, name)
    }

    /// A driver.
    pub fn driver(&self, name: &str) -> Option<DriverId> {
        self.laid_out.driver_by_name(name)
    }

    /// An instance.
    pub fn instance(&self, name: &str) -> Option<InstanceId> {
        self.laid_out.devices[self.device(name)?.index()].instance
    }

    /// A device as the test calls it.
    pub fn display(&self, dev: DeviceId) -> String {
        if self.by_label {
            display(self.board, self.laid_out, dev)
        } else {
            self.laid_out.devices[dev.index()].name.clone()
        }
    }

    /// A text with the devices' names replaced by what they are shown as.
    pub fn relabel(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for dev in self.laid_out.device_ids() {
            let name = &self.laid_out.devices[dev.index()].name;
            if text.contains(name.as_str()) {
                text = text.replace(name.as_str(), &self.display(dev));
            }
        }
        text
    }
}
