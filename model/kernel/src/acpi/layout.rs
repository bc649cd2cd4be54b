//! From a machine to a board: devices, drivers, instances, and the specifiers that the tables give.
//!
//! Devices get the names that the kernel gives them: `HID:NN` for those of the namespace
//! (acpi_device_set_name()), `arm-smmu-v3.N.auto` for SMMUs (PLATFORM_DEVID_AUTO), `0000:01:00.0`
//! for PCI functions, which all have the driver of the scenarios' clients.
//!
//! Drivers are those of the catalogue: an SMMU's by name (platform_match()), others by HID
//! ([`HIDS`], acpi_driver_match_device()). The driver of a virtio-iommu is matched to the
//! virtio-mmio transport itself: see `iommu/generic.rs`. That of a RISC-V IOMMU is matched to what
//! RIMT names, whatever its HID; of others rimt_iommu_register() would make it fail. fw_devlink makes no links: ACPI has
//! none for IOMMUs, and `_DEP` and references of `_DSD` graphs are not read.

use super::machine::{Device, Machine, Node, NodeKind, Role, Table};
use crate::board::{
    Board, BoardError, DeviceDescription, Firmware, Fwnode, IommuSpec, LinkDescription,
    MAX_DEVICES, MAX_LINKS, MAX_NODES, check_number, describe,
};
use crate::config::Config;
use crate::drivers::catalogue::{ANY_DRIVER, DriverInfo};
use crate::ids::{Bus, DeviceId, DriverId};
use crate::of::tree::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// HIDs in the acpi_match_table of drivers of the catalogue, by driver.
pub const HIDS: [(&str, &str); 2] = [
    // Clients of scenarios, not of any real machine.
    ("TEST0001", "client-drv"),
    // drivers/virtio/virtio_mmio.c
    ("LNRO0005", "virtio-mmio"),
];

impl Board {
    /// Reads a machine the way the kernel does.
    pub fn from_acpi(machine: &Machine, config: &Config) -> Result<Self, BoardError> {
        check_number("nodes", machine.nodes.len() + 1, MAX_NODES)?;
        let names = names(machine);
        check_number("devices", names.len(), MAX_DEVICES)?;
        let order: Vec<(NodeId, &Node)> = machine.in_order_of_addition().collect();
        let matching: Vec<BTreeSet<usize>> =
            order.iter().map(|(_, node)| rows(node, config)).collect();
        let used: BTreeSet<usize> = matching.iter().flatten().copied().collect();
        let number: BTreeMap<usize, DriverId> =
            used.iter().copied().zip((0..).map(DriverId)).collect();
        let mut board = Self {
            firmware: Firmware::Acpi,
            drivers: used
                .iter()
                .map(|row| describe(info(*row, config), None, config))
                .collect(),
            device_of_node: order
                .iter()
                .map(|(n, _)| *n)
                .zip((0..).map(DeviceId))
                .collect(),
            ..Self::empty()
        };
        for (((id, node), name), rows) in order.into_iter().zip(names).zip(matching) {
            let drivers = rows.iter().map(|row| number[row]).collect();
            board.devices.push(device(id, node, name, drivers));
        }
        let tree = machine.tree();
        board.find_instances(&tree);
        board.find_endpoints(machine, config);
        board.find_same_streams(&tree);
        board.find_rimt_links()?;
        Ok(board)
    }

    /// The specifiers of all devices, in the order of the tables. `available` is whether the kernel
    /// has the IOMMU's driver (iort_iommu_driver_enabled(), CONFIG_VIRTIO_IOMMU); RIMT does not ask.
    /// A driver that is in no catalogue is taken to be there and never to come, as on a device tree.
    fn find_endpoints(&mut self, machine: &Machine, config: &Config) {
        for endpoint in &machine.endpoints {
            let iommu = self.device_of_node(endpoint.iommu);
            let instance = iommu.and_then(|d| self.devices[d.index()].instance);
            let Some(device) = self.device_of_node(endpoint.device) else {
                continue;
            };
            let Some(iommu) = machine.node(endpoint.iommu) else {
                continue;
            };
            let is_built = driver_name(iommu).is_none_or(|d| !config.absent.contains(d));
            let available = is_built || endpoint.table == Table::Rimt;
            if available && instance.is_none() {
                self.note_without_driver(&iommu.label);
            }
            self.devices[device.index()].iommus.push(IommuSpec {
                node: endpoint.iommu,
                instance,
                available,
                args: vec![endpoint.id],
                table: Some(endpoint.table),
            });
        }
    }

    fn note_without_driver(&mut self, label: &str) {
        if self.iommus_without_driver.iter().all(|l| l != label) {
            self.iommus_without_driver.push(label.to_owned());
        }
    }

    /// The links that rimt_iommu_xlate() can make: none is there at the start.
    fn find_rimt_links(&mut self) -> Result<(), BoardError> {
        let mut links = vec![];
        for consumer in self.device_ids() {
            for spec in &self.devices[consumer.index()].iommus {
                let supplier = self.device_of_node(spec.node);
                let Some(supplier) = supplier.filter(|_| spec.table == Some(Table::Rimt)) else {
                    continue;
                };
                let link = LinkDescription {
                    supplier,
                    consumer,
                    by_fw_devlink: false,
                };
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
        check_number("links between devices", links.len(), MAX_LINKS)?;
        for link in links {
            self.add_link(link);
        }
        Ok(())
    }
}

/// dev_name() of the devices, in the order of their addition.
fn names(machine: &Machine) -> Vec<String> {
    let mut of_hid: BTreeMap<&str, u32> = BTreeMap::new();
    let mut autos = 0;
    let mut auto = |driver: &str| {
        autos += 1;
        format!("{driver}.{}.auto", autos - 1)
    };
    let mut names = vec![];
    for (_, node) in machine.in_order_of_addition() {
        names.push(match &node.kind {
            NodeKind::Device(Device { hid, .. }) => {
                let number = of_hid.entry(hid).or_default();
                *number += 1;
                format!("{hid}:{:02x}", *number - 1)
            }
            NodeKind::Smmu => auto("arm-smmu"),
            NodeKind::SmmuV3 | NodeKind::VirtioPci => auto("arm-smmu-v3"),
            NodeKind::PciFunction(function) => function.name(),
        });
    }
    names
}

/// Which driver a node's device is matched to, by name.
fn driver_name(node: &Node) -> Option<&'static str> {
    match &node.kind {
        NodeKind::SmmuV3 => Some("arm-smmu-v3"),
        NodeKind::Smmu => Some("arm-smmu"),
        NodeKind::VirtioPci => Some("virtio_iommu"),
        NodeKind::PciFunction(_) => Some("client-drv"),
        NodeKind::Device(device) => match device.role {
            Some(Role::VirtioIommu) => Some("virtio_iommu"),
            Some(Role::RiscvIommu) => Some("riscv,iommu"),
            None => HIDS
                .iter()
                .find(|(hid, _)| *hid == device.hid)
                .map(|(_, d)| *d),
        },
    }
}

/// The rows of the catalogue that match, by number; the number after the last is the driver that
/// stands for all others.
fn rows(node: &Node, config: &Config) -> BTreeSet<usize> {
    let catalogue = config.catalogue.drivers();
    let bus = bus(node);
    let matches = |info: &DriverInfo| {
        driver_name(node) == Some(info.name)
            && !config.absent.contains(info.name)
            && info.bus.is_none_or(|b| b == bus)
    };
    let found = catalogue.iter().position(matches);
    let fallback = config.any_driver.then_some(catalogue.len());
    found.or(fallback).into_iter().collect()
}

fn info(row: usize, config: &Config) -> &'static DriverInfo {
    let catalogue = config.catalogue.drivers();
    catalogue.get(row).unwrap_or(&ANY_DRIVER)
}

fn bus(node: &Node) -> Bus {
    match &node.kind {
        NodeKind::Device(device) => device.bus,
        NodeKind::PciFunction(_) => Bus::Pci,
        _ => Bus::Platform,
    }
}

fn device(id: NodeId, node: &Node, name: String, drivers: Vec<DriverId>) -> DeviceDescription {
    // A function's DMA is configured by its root bridge, a device of the namespace.
    let coherent = match &node.kind {
        NodeKind::Device(device) => Some(device.coherent),
        NodeKind::PciFunction(function) => Some(function.coherent),
        _ => None,
    };
    let fwnode = coherent.map_or(Fwnode::Static, |_| Fwnode::AcpiDevice);
    DeviceDescription {
        drivers,
        // IORT's SMMUs are taken to be coherent, as server machines have them: vfio wants it.
        dma_coherent: coherent.unwrap_or(true),
        no_dma: matches!(&node.kind, NodeKind::Device(device) if device.no_dma),
        ..DeviceDescription::bare(name, id, fwnode, bus(node))
    }
}
