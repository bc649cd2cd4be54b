//! drivers/pci: functions that a host bridge finds, and access control (ACS) between them. Follows
//! v7.2.
//!
//! A function has a node below that of its host bridge (the hardware is asked, in the kernel), in
//! the form of the PCI bus binding: `reg` has its devfn, `device_type = "pci"` makes it a bridge.
//! The bridge's place says what kind of port it is: on the root bus a root port, below that the
//! upstream port of a switch, below that a downstream port, unless it says that it is a bridge to
//! conventional PCI. Root and downstream ports have the ACS capability, with all that REQ_ACS_FLAGS
//! asks for; others have none.
//!
//! Left out: DMA aliases but for those of conventional PCI, functions of one slot that share it,
//! hotplug, removal of functions, SR-IOV, the command line's ACS options, and ACPI, which asks for
//! ACS before any device is scanned. Bus numbers are those of a scan that finds everything.

pub mod acs;
pub mod group;
pub mod probe;

use crate::ids::DeviceId;
use checker::layout::Layout;
use checker::sync::Shared;

/// What kind of PCIe port a function is: `pci_pcie_type()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortType {
    /// PCI_EXP_TYPE_ENDPOINT
    Endpoint,
    /// PCI_EXP_TYPE_ROOT_PORT
    RootPort,
    /// PCI_EXP_TYPE_UPSTREAM
    Upstream,
    /// PCI_EXP_TYPE_DOWNSTREAM
    Downstream,
    /// PCI_EXP_TYPE_PCI_BRIDGE: from PCIe to conventional PCI.
    PciBridge,
}

/// A PCI function as its node describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciFunction {
    /// What it is.
    pub port: PortType,
    /// `bus->self`: the bridge above; `None` on the root bus.
    pub bridge: Option<DeviceId>,
    /// Its requester ID: bus number, device and function.
    pub requester: u16,
    /// `subordinate->number`: the bus below, if it is a bridge.
    pub secondary: Option<u8>,
    /// `vendor` and `device`, where `compatible` has them (`pci111d,8090`).
    pub id: Option<(u16, u16)>,
}

/// `struct pci_dev`, besides its `struct device`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PciDev {
    /// PCI_ACS_CTRL has all that REQ_ACS_FLAGS asks for and the port can do.
    pub(crate) acs_ctrl: Shared<bool>,
    /// `match_driver`: pci_bus_add_device() has let drivers at it.
    pub(crate) match_driver: Shared<bool>,
}

impl PciDev {
    pub(crate) fn new(l: &mut Layout, n: &str) -> Self {
        Self {
            acs_ctrl: Shared::new(l, n, "PCI_ACS_CTRL", false),
            match_driver: Shared::new(l, n, "dev->match_driver", false),
        }
    }
}
