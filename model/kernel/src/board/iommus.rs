//! Whom the board's devices name as their IOMMUs, and what becomes an instance.

use super::{Board, BoardError, InstanceDescription, IommuSpec};
use crate::drivers::catalogue::Kind;
use crate::ids::{DeviceId, InstanceId};
use crate::iommu::generic::GenericIommu;
use crate::of::map::{iommu_map, of_map_id};
use crate::of::phandle::{parse_phandle_with_args, parse_phandle_with_fixed_args};
use crate::of::tree::{NodeId, Tree};
use crate::pci::PortType;
use std::collections::BTreeMap;

impl Board {
    /// Devices that the driver of an IOMMU matches. Of several such drivers the first is taken.
    pub(crate) fn find_instances(&mut self, tree: &Tree) {
        for device in self.device_ids() {
            let kind = |b: &Self, d: crate::ids::DriverId| b.drivers[d.index()].info.kind;
            let matching = self.devices[device.index()].drivers.clone();
            let Some(driver) = matching
                .iter()
                .copied()
                .find(|d| kind(self, *d) != Kind::Client)
            else {
                continue;
            };
            let is_left = |d: &crate::ids::DriverId| *d == driver || kind(self, *d) == Kind::Client;
            self.devices[device.index()].drivers = matching.into_iter().filter(is_left).collect();
            let kind = kind(self, driver);
            let node = self.devices[device.index()].node;
            // tegra_mc_probe() registers an SMMU on some SoCs only.
            let has_none = kind == Kind::Generic(GenericIommu::TegraSmmu)
                && tree.property(node, "#iommu-cells").is_none();
            if has_none {
                continue;
            }
            self.devices[device.index()].instance = Some(InstanceId(self.instances.len() as u16));
            self.instances.push(InstanceDescription {
                device,
                driver,
                kind,
            });
            let has_larbs = [GenericIommu::MtkIommu, GenericIommu::MtkIommuV1];
            if has_larbs.iter().any(|m| kind == Kind::Generic(*m)) {
                self.devices[device.index()].larbs = self.larbs(tree, node);
            }
        }
    }

    /// The available devices of `mediatek,larbs` that have a driver; others are taken as ready.
    fn larbs(&self, tree: &Tree, node: NodeId) -> Vec<DeviceId> {
        let list = parse_phandle_with_fixed_args(tree, node, "mediatek,larbs", 0);
        let devices = list.unwrap_or_default().into_iter();
        devices
            .filter_map(|larb| self.device_of_node(larb.node))
            .filter(|d| !self.devices[d.index()].drivers.is_empty())
            .collect()
    }

    /// Reads `iommus` of all devices.
    pub(super) fn find_iommus(&mut self, tree: &Tree) -> Result<(), BoardError> {
        for device in self.device_ids() {
            let node = self.devices[device.index()].node;
            let list =
                parse_phandle_with_args(tree, node, "iommus", "#iommu-cells").map_err(|error| {
                    BoardError::Iommus {
                        path: tree.path(node),
                        error,
                    }
                })?;
            let specs = list.into_iter().map(|entry| IommuSpec {
                node: entry.node,
                instance: self
                    .device_of_node(entry.node)
                    .and_then(|d| self.devices[d.index()].instance),
                available: tree.is_available(entry.node),
                args: entry.args,
                table: None,
            });
            let specs: Vec<IommuSpec> = specs.chain(self.mapped_by_host(tree, device)).collect();
            let mapped = iommu_map(tree, node).map_err(|error| BoardError::IommuMap {
                path: tree.path(node),
                error,
            })?;
            let mapped = mapped.iter().map(|entry| entry.target);
            let named: Vec<NodeId> = specs.iter().map(|s| s.node).chain(mapped).collect();
            self.note_iommus_without_driver(tree, &named);
            self.devices[device.index()].iommus = specs;
        }
        self.find_same_streams(tree);
        Ok(())
    }

    /// What the `iommu-map` of its host bridge makes of a PCI function and of its DMA aliases:
    /// those of the bridges to conventional PCI above (pci_for_each_dma_alias()). Up to the first
    /// that passes by all IOMMUs, where of_iommu_configure_dev_id() gives -ENODEV.
    fn mapped_by_host(&self, tree: &Tree, device: DeviceId) -> Vec<IommuSpec> {
        let function = |d: DeviceId| self.devices[d.index()].pci;
        let (Some(own), Some(host)) = (function(device), self.devices[device.index()].populated_by)
        else {
            return vec![];
        };
        let above = |d: &DeviceId| function(*d)?.bridge;
        let bridges = std::iter::successors(above(&device), above).filter_map(function);
        let to_pci = bridges.filter(|b| b.port == PortType::PciBridge);
        let aliases = to_pci.map(|b| u16::from_be_bytes([b.secondary.unwrap_or_default(), 0]));
        let host = self.devices[host.index()].node;
        let mapped = std::iter::once(own.requester)
            .chain(aliases)
            .map_while(|id| of_map_id(tree, host, u32::from(id)));
        let specs = mapped.map(|(node, args)| IommuSpec {
            node,
            instance: self
                .device_of_node(node)
                .and_then(|d| self.devices[d.index()].instance),
            available: tree.is_available(node),
            args,
            table: None,
        });
        specs.collect()
    }

    fn note_iommus_without_driver(&mut self, tree: &Tree, named: &[NodeId]) {
        for node in named.iter().filter(|n| tree.is_available(**n)) {
            let device = self.device_of_node(*node);
            let path = tree.path(*node);
            let is_known = device.is_some_and(|d| self.devices[d.index()].instance.is_some());
            if !is_known && !self.iommus_without_driver.contains(&path) {
                self.iommus_without_driver.push(path);
            }
        }
    }

    /// Which devices have a stream in common at an IOMMU that groups by that.
    pub(crate) fn find_same_streams(&mut self, tree: &Tree) {
        let mut streams: BTreeMap<InstanceId, Vec<(Stream, DeviceId)>> = BTreeMap::new();
        for device in self.device_ids() {
            for spec in &self.devices[device.index()].iommus {
                let Some(instance) = spec.instance else {
                    continue;
                };
                match self.instances[instance.index()].kind {
                    Kind::Generic(driver) if driver.groups_by_stream() => {
                        let all = streams.entry(instance).or_default();
                        all.push((Stream::of(tree, spec), device));
                    }
                    _ => {}
                }
            }
        }
        for all in streams.values() {
            for (stream, device) in all {
                let others = all
                    .iter()
                    .filter(|(s, d)| d != device && s.overlaps(*stream));
                for (_, other) in others {
                    let same = &mut self.devices[device.index()].same_stream;
                    if !same.contains(other) {
                        same.push(*other);
                    }
                }
            }
        }
    }
}

/// A stream number and the bits of it that do not count: `ARM_SMMU_SMR_ID` and `_MASK`.
#[derive(Clone, Copy)]
struct Stream {
    id: u32,
    mask: u32,
}

impl Stream {
    fn of(tree: &Tree, spec: &IommuSpec) -> Self {
        let arg = |n: usize| spec.args.get(n).copied();
        Self {
            id: arg(0).unwrap_or(0),
            mask: arg(1)
                .or_else(|| tree.cell(spec.node, "stream-match-mask"))
                .unwrap_or(0),
        }
    }

    fn overlaps(self, other: Self) -> bool {
        (self.id ^ other.id) & !(self.mask | other.mask) == 0
    }
}
