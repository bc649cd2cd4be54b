//! drivers/pci/probe.c and drivers/pci/bus.c: a host bridge's driver finds the functions, adds
//! their devices, and then lets drivers at them. Follows v7.2; in v6.12 pci_bus_add_device() calls
//! device_attach(), which never probes asynchronously.

use crate::ids::DeviceId;
use crate::kernel::Kernel;
use checker::task;

impl Kernel {
    /// Whether the driver of a device is one that looks for PCI functions.
    pub(crate) fn is_pci_host(&self, dev: DeviceId) -> bool {
        let first = self.description(dev).populates.first();
        first.is_some_and(|f| self.description(*f).pci.is_some())
    }

    /// pci_host_probe()
    pub(crate) fn pci_host_probe(&self, host: DeviceId) {
        self.on_device("pci_host_probe", host, || {
            self.pci_scan_child_bus(host, host);
            self.pci_bus_add_devices(host, host);
        });
    }

    /// The functions on the bus that is below a bridge or, for the root bus, the host bridge.
    fn functions_below(&self, host: DeviceId, bridge: DeviceId) -> impl Iterator<Item = DeviceId> {
        let all = self.description(host).populates.iter().copied();
        all.filter(move |dev| self.description(*dev).parent == Some(bridge))
    }

    /// Those of them that were found.
    fn found_below(&self, host: DeviceId, bridge: DeviceId) -> impl Iterator<Item = DeviceId> {
        let below = self.functions_below(host, bridge);
        below.filter(|dev| self.globals.klist_devices.contains(*dev))
    }

    /// pci_scan_child_bus(): all devices of the bus, then what is behind its bridges.
    fn pci_scan_child_bus(&self, host: DeviceId, bridge: DeviceId) {
        self.on_device("pci_scan_child_bus", bridge, || {
            for dev in self.functions_below(host, bridge) {
                // How far the loop is, for checkpoints further in.
                task::part("scanned", u64::from(dev.0), || {
                    self.pci_scan_single_device(dev);
                });
            }
            for dev in self.found_below(host, bridge) {
                task::part("bridge", u64::from(dev.0), || {
                    self.pci_scan_child_bus(host, dev);
                });
            }
        });
    }

    /// pci_scan_single_device(). A function that does not answer is not there.
    fn pci_scan_single_device(&self, dev: DeviceId) {
        let bridge = self.pci_function(dev).bridge;
        let answers = !bridge.is_some_and(|b| self.pci_drops_completions(b));
        if answers && !self.globals.klist_devices.contains(dev) {
            self.pci_device_add(dev);
        }
    }

    /// pci_device_add()
    fn pci_device_add(&self, dev: DeviceId) {
        self.on_device("pci_device_add", dev, || {
            self.pci_acs_init(dev);
            self.device_add(dev);
        });
    }

    /// pci_bus_add_devices(): drivers may have the devices of a bus, then those below its bridges.
    fn pci_bus_add_devices(&self, host: DeviceId, bridge: DeviceId) {
        self.on_device("pci_bus_add_devices", bridge, || {
            for dev in self.found_below(host, bridge) {
                task::part("added", u64::from(dev.0), || {
                    self.pci_dev_allow_binding(dev);
                    self.device_initial_probe(dev);
                });
            }
            for dev in self.found_below(host, bridge) {
                task::part("bridge", u64::from(dev.0), || {
                    self.pci_bus_add_devices(host, dev);
                });
            }
        });
    }
}
