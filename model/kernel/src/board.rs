//! What a device tree means for the model: its devices, whom they need, which IOMMUs they name.

use crate::config::Config;
use crate::drivers::catalogue::{CATALOGUE, DriverInfo, Kind};
use crate::ids::{Bus, DeviceId, DriverId, InstanceId, LinkId};
use crate::of::phandle::{PhandleError, parse_phandle_with_args};
use crate::of::platform::{has_dma_ranges, of_dma_is_coherent, of_platform_default_populate};
use crate::of::property::suppliers;
use crate::of::tree::{NodeId, Tree};

/// One entry of `iommus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IommuSpec {
    /// The IOMMU's node.
    pub node: NodeId,
    /// Its instance, if a driver that the model knows can make one of it.
    pub instance: Option<InstanceId>,
    /// Whether the node is available.
    pub available: bool,
    /// The first cell behind the phandle: stream or uTLB number; 0 if there is none.
    pub id: u32,
}

/// A device as its node describes it.
#[derive(Clone, Debug)]
pub struct DeviceDescription {
    /// `dev_name()`.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// The bus it is on.
    pub bus: Bus,
    /// `dev->parent`, if it is one of the board's devices.
    pub parent: Option<DeviceId>,
    /// Drivers that match it.
    pub drivers: Vec<DriverId>,
    /// Its `iommus`.
    pub iommus: Vec<IommuSpec>,
    /// of_dma_get_range() finds something.
    pub dma_ranges: bool,
    /// of_dma_is_coherent()
    pub dma_coherent: bool,
    /// Links in which it is the consumer.
    pub supplier_links: Vec<LinkId>,
    /// Links in which it is the supplier.
    pub consumer_links: Vec<LinkId>,
    /// The instance that its driver would register, if it is an IOMMU.
    pub instance: Option<InstanceId>,
    /// ipmmu-vmsa: `renesas,ipmmu-main` is there, so it is a leaf.
    pub ipmmu_leaf: bool,
}

/// A dependency that fw_devlink follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkDescription {
    /// Who must be bound first.
    pub supplier: DeviceId,
    /// Who waits.
    pub consumer: DeviceId,
}

/// An IOMMU instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceDescription {
    /// The IOMMU's device.
    pub device: DeviceId,
    /// Its driver.
    pub driver: DriverId,
    /// What kind of driver that is.
    pub kind: Kind,
}

/// A driver that some device of the board matches.
#[derive(Clone, Debug)]
pub struct DriverDescription {
    /// The catalogue's row.
    pub info: &'static DriverInfo,
    /// driver_allows_async_probing()
    pub is_async: bool,
    /// `driver_managed_dma`
    pub managed_dma: bool,
}

/// A board, ready to be laid out.
#[derive(Clone, Debug)]
pub struct Board {
    /// Devices in the order of their device_add().
    pub devices: Vec<DeviceDescription>,
    /// Drivers in the catalogue's order.
    pub drivers: Vec<DriverDescription>,
    /// IOMMU instances, by device.
    pub instances: Vec<InstanceDescription>,
    /// Dependencies.
    pub links: Vec<LinkDescription>,
    /// `compatible` of the root node.
    pub compatible: Vec<String>,
    /// Suppliers without a driver in the catalogue: taken to be there from the start.
    pub assumed_suppliers: Vec<String>,
    /// IOMMUs that `iommus` or `iommu-map` of some device name, that are available, and that no
    /// driver of the catalogue makes an instance of: paths of their nodes.
    pub iommus_without_driver: Vec<String>,
}

/// Why a board cannot be laid out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// `iommus` of a device cannot be read.
    #[error("{path}: iommus: {error}")]
    Iommus {
        /// Path of the node.
        path: String,
        /// What is wrong with the list.
        error: PhandleError,
    },
    /// More devices than the model has numbers for.
    #[error("the board has {0} devices; the model holds at most {MAX_DEVICES}")]
    TooManyDevices(usize),
}

/// Most devices of one board.
pub const MAX_DEVICES: usize = 8192;

impl Board {
    /// Reads a tree the way the kernel does.
    pub fn new(tree: &Tree, config: &Config) -> Result<Self, BoardError> {
        let created = of_platform_default_populate(tree);
        if created.len() > MAX_DEVICES {
            return Err(BoardError::TooManyDevices(created.len()));
        }
        let drivers = drivers_of(tree, created.iter().map(|c| c.node), config);
        let mut board = Self {
            devices: vec![],
            drivers,
            instances: vec![],
            links: vec![],
            compatible: tree.strings(Tree::ROOT, "compatible").unwrap_or_default(),
            assumed_suppliers: vec![],
            iommus_without_driver: vec![],
        };
        for c in created {
            let matching: Vec<DriverId> = board
                .driver_ids()
                .filter(|d| matches(tree, c.node, board.drivers[d.index()].info))
                .collect();
            board.devices.push(DeviceDescription {
                name: c.name,
                node: c.node,
                bus: c.bus,
                parent: c.parent.map(|p| DeviceId(p as u16)),
                drivers: matching,
                iommus: vec![],
                dma_ranges: has_dma_ranges(tree, c.node),
                dma_coherent: of_dma_is_coherent(tree, c.node),
                supplier_links: vec![],
                consumer_links: vec![],
                instance: None,
                ipmmu_leaf: tree.property(c.node, "renesas,ipmmu-main").is_some(),
            });
        }
        board.find_instances();
        board.find_iommus(tree)?;
        board.find_links(tree, config);
        Ok(board)
    }

    /// All devices.
    pub fn device_ids(&self) -> impl Iterator<Item = DeviceId> + use<> {
        (0..self.devices.len() as u16).map(DeviceId)
    }

    /// All drivers.
    pub fn driver_ids(&self) -> impl Iterator<Item = DriverId> + use<> {
        (0..self.drivers.len() as u16).map(DriverId)
    }

    /// All instances.
    pub fn instance_ids(&self) -> impl Iterator<Item = InstanceId> + use<> {
        (0..self.instances.len() as u16).map(InstanceId)
    }

    /// The device that was created for a node.
    pub fn device_of_node(&self, node: NodeId) -> Option<DeviceId> {
        self.device_ids()
            .find(|d| self.devices[d.index()].node == node)
    }

    /// The device with this name.
    pub fn device_by_name(&self, name: &str) -> Option<DeviceId> {
        self.device_ids()
            .find(|d| self.devices[d.index()].name == name)
    }

    /// The driver with this name.
    pub fn driver_by_name(&self, name: &str) -> Option<DriverId> {
        self.driver_ids()
            .find(|d| self.drivers[d.index()].info.name == name)
    }

    fn find_instances(&mut self) {
        for device in self.device_ids() {
            let Some(driver) = self.devices[device.index()].drivers.first().copied() else {
                continue;
            };
            let kind = self.drivers[driver.index()].info.kind;
            if kind == Kind::Client {
                continue;
            }
            self.devices[device.index()].instance = Some(InstanceId(self.instances.len() as u16));
            self.instances.push(InstanceDescription {
                device,
                driver,
                kind,
            });
        }
    }

    fn find_iommus(&mut self, tree: &Tree) -> Result<(), BoardError> {
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
                id: entry.args.first().copied().unwrap_or(0),
            });
            let specs: Vec<IommuSpec> = specs.collect();
            let mapped = tree.cells(node, "iommu-map").unwrap_or_default();
            let mapped = mapped
                .chunks_exact(4)
                .filter_map(|entry| tree.by_phandle(entry[1]));
            let named: Vec<NodeId> = specs.iter().map(|s| s.node).chain(mapped).collect();
            self.note_iommus_without_driver(tree, &named);
            self.devices[device.index()].iommus = specs;
        }
        Ok(())
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

    fn find_links(&mut self, tree: &Tree, config: &Config) {
        if !config.fw_devlink {
            return;
        }
        for consumer in self.device_ids() {
            let node = self.devices[consumer.index()].node;
            for supplier_node in suppliers(tree, node, config.fw_devlink_strict) {
                let supplier = self.supplier_device(tree, supplier_node);
                match supplier.filter(|s| !self.devices[s.index()].drivers.is_empty()) {
                    Some(supplier) if supplier != consumer => self.add_link(supplier, consumer),
                    Some(_) => {}
                    None => {
                        let path = tree.path(supplier_node);
                        if !self.assumed_suppliers.contains(&path) {
                            self.assumed_suppliers.push(path);
                        }
                    }
                }
            }
        }
    }

    fn add_link(&mut self, supplier: DeviceId, consumer: DeviceId) {
        let link = LinkDescription { supplier, consumer };
        if self.links.contains(&link) {
            return;
        }
        let id = LinkId(self.links.len() as u16);
        self.links.push(link);
        self.devices[consumer.index()].supplier_links.push(id);
        self.devices[supplier.index()].consumer_links.push(id);
    }

    /// The device of a node or, for a node that is part of a device, of the nearest node above it.
    fn supplier_device(&self, tree: &Tree, node: NodeId) -> Option<DeviceId> {
        std::iter::successors(Some(node), |n| tree.node(*n).parent)
            .find_map(|n| self.device_of_node(n))
    }
}

fn drivers_of(
    tree: &Tree,
    nodes: impl Iterator<Item = NodeId>,
    config: &Config,
) -> Vec<DriverDescription> {
    let nodes: Vec<NodeId> = nodes.collect();
    let built = CATALOGUE
        .iter()
        .filter(|info| !config.absent.contains(info.name));
    let used = built.filter(|info| nodes.iter().any(|n| matches(tree, *n, info)));
    let describe = |info: &'static DriverInfo| DriverDescription {
        info,
        is_async: info.prefers_async
            || config.async_probe.contains("*")
            || config.async_probe.contains(info.name),
        managed_dma: config.managed_dma.contains(info.name),
    };
    used.map(describe).collect()
}

/// of_driver_match_device(), by compatible.
fn matches(tree: &Tree, node: NodeId, info: &DriverInfo) -> bool {
    info.compatibles.iter().any(|c| tree.is_compatible(node, c))
}
