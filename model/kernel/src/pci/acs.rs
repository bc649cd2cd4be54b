//! drivers/pci/pci.c: access control. Follows v7.2.
//!
//! That a port drops the completions of a device which does not know its bus number yet is an
//! erratum of a switch (PCI: Disable ACS SV for IDT 0x8090 switch; the one on Arm's Juno R2 board).

use super::PortType;
use crate::commit;
use crate::ids::DeviceId;
use crate::kernel::Kernel;
use crate::pci::{PciDev, PciFunction};

/// Vendor and device of the ports of that switch. The IDT 0x80b5 has the erratum too; of that the
/// first config read has had a workaround of its own since v4.18 (pci_idt_bus_quirk()).
const IDT_8090: (u16, u16) = (0x111d, 0x8090);

impl Kernel {
    /// to_pci_dev(), of a function that a host bridge has found.
    pub(crate) fn pci_function(&self, dev: DeviceId) -> PciFunction {
        let function = self.description(dev).pci;
        function.expect("it is a PCI function")
    }

    fn pci_dev(&self, dev: DeviceId) -> PciDev {
        let pci = self.device(dev).pci;
        pci.expect("a PCI function is laid out as one")
    }

    /// pci_request_acs(): functions are to have access control from now on.
    pub(crate) fn pci_request_acs(&self) {
        self.globals.pci_acs_enable.set(true);
    }

    /// pci_acs_init(), when a function is set up and before it is added.
    pub(crate) fn pci_acs_init(&self, dev: DeviceId) {
        if !self.has(commit::C41E2FB67E26) {
            self.pci_enable_acs(dev);
        }
    }

    /// pci_enable_acs()
    pub(crate) fn pci_enable_acs(&self, dev: DeviceId) {
        self.on_device("pci_enable_acs", dev, || {
            let port = self.pci_function(dev).port;
            let has_capability = matches!(port, PortType::RootPort | PortType::Downstream);
            if has_capability && self.globals.pci_acs_enable.get() {
                self.pci_dev(dev).acs_ctrl.write_once(true);
            }
        });
    }

    /// pci_acs_enabled(), for REQ_ACS_FLAGS: what has no peers to keep apart passes.
    fn pci_acs_enabled(&self, dev: DeviceId) -> bool {
        match self.pci_function(dev).port {
            PortType::RootPort | PortType::Downstream => self.pci_dev(dev).acs_ctrl.read_once(),
            PortType::Upstream | PortType::Endpoint => true,
            PortType::PciBridge => false,
        }
    }

    /// pci_acs_path_enabled(), up to the root bus.
    pub(crate) fn pci_acs_path_enabled(&self, start: DeviceId) -> bool {
        let mut at = Some(start);
        while let Some(dev) = at {
            if !self.pci_acs_enabled(dev) {
                return false;
            }
            at = self.pci_function(dev).bridge;
        }
        true
    }

    /// Whether a port takes the completion of a device's first config read for a forged one.
    /// pci_disable_broken_acs_cap() takes source validation from what it can do.
    pub(crate) fn pci_drops_completions(&self, port: DeviceId) -> bool {
        self.pci_function(port).id == Some(IDT_8090)
            && !self.has(commit::B5F88A394705)
            && self.pci_dev(port).acs_ctrl.read_once()
    }

    /// pci_dev_allow_binding(), which set `match_driver` before.
    pub(crate) fn pci_dev_allow_binding(&self, dev: DeviceId) {
        self.pci_dev(dev).match_driver.write_once(true);
    }

    /// Whether pci_bus_match() looks at the device at all: not before pci_bus_add_device().
    pub(crate) fn pci_dev_may_bind(&self, dev: DeviceId) -> bool {
        let pci = self.device(dev).pci;
        pci.is_none_or(|pci| pci.match_driver.read_once())
    }
}
