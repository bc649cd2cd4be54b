//! What a device tree means for the model: its devices, whom they need, which IOMMUs they name.
//! `acpi/layout.rs` makes the same of an ACPI machine.

mod cycles;
mod iommus;
mod matching;
pub mod unmodelled;

use crate::acpi::machine::Table;
use crate::config::Config;
use crate::drivers::catalogue::{DriverInfo, Kind};
use crate::ids::{Bus, DeviceId, DriverId, InstanceId, LinkId};
use crate::of::map::MapError;
use crate::of::pci::{PciError, on_root_bus};
use crate::of::phandle::PhandleError;
use crate::of::platform::{has_dma_ranges, of_dma_is_coherent};
use crate::of::property::suppliers;
use crate::of::tree::{NodeId, Tree};
use crate::pci::PciFunction;
pub(crate) use matching::describe;
use matching::{Matching, Rows, create};
use std::collections::{BTreeMap, BTreeSet};

/// What describes the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Firmware {
    /// A device tree.
    #[default]
    DeviceTree,
    /// ACPI.
    Acpi,
}

/// What kind of fwnode a device has (`dev_fwnode()`): it decides how DMA is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fwnode {
    /// is_of_node()
    OfNode,
    /// is_acpi_device_node()
    AcpiDevice,
    /// is_acpi_static_node(): that of an IORT node. Nothing is configured.
    Static,
}

/// One entry of `iommus`, or one id in a table of ACPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IommuSpec {
    /// The IOMMU's node.
    pub node: NodeId,
    /// Its instance, if a driver that the model knows can make one of it.
    pub instance: Option<InstanceId>,
    /// Whether the node is available; on ACPI, whether the kernel has its driver.
    pub available: bool,
    /// The cells behind the phandle, as many as `#iommu-cells` says: stream or uTLB number, mask.
    pub args: Vec<u32>,
    /// The table that it stands in; `None`: `iommus`.
    pub table: Option<Table>,
}

/// A device as its node describes it.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of the node, each by itself"
)]
pub struct DeviceDescription {
    /// `dev_name()`.
    pub name: String,
    /// Its node; on an ACPI machine, the number of its fwnode.
    pub node: NodeId,
    /// What kind of fwnode it has.
    pub fwnode: Fwnode,
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
    /// device_get_dma_attr() is DEV_DMA_NOT_SUPPORTED: on ACPI, where `_CCA` is missing.
    pub no_dma: bool,
    /// arm-smmu: it has stage 2 of translation alone. Said by the configuration.
    pub stage2_only: bool,
    /// Links in which it is the consumer.
    pub supplier_links: Vec<LinkId>,
    /// Links in which it is the supplier.
    pub consumer_links: Vec<LinkId>,
    /// The instance that its driver would register, if it is an IOMMU.
    pub instance: Option<InstanceId>,
    /// Devices that its driver adds at the end of its probe.
    pub populates: Vec<DeviceId>,
    /// The device whose driver adds it; `None`: of_platform_default_populate_init() does.
    pub populated_by: Option<DeviceId>,
    /// Devices that name the same stream of the same IOMMU, where that makes one group of them.
    pub same_stream: Vec<DeviceId>,
    /// mtk-iommu: the devices of `mediatek,larbs` that must have a driver before it.
    pub larbs: Vec<DeviceId>,
    /// What it is as a function that a host bridge finds.
    pub pci: Option<PciFunction>,
    /// ipmmu-vmsa: `renesas,ipmmu-main` is there, so it is a leaf.
    pub ipmmu_leaf: bool,
    /// ipmmu-vmsa: of R-Car Gen2, where each is a root and an instance.
    pub ipmmu_gen2: bool,
}

impl DeviceDescription {
    /// A device of which nothing else is known.
    pub(crate) fn bare(name: String, node: NodeId, fwnode: Fwnode, bus: Bus) -> Self {
        Self {
            name,
            node,
            fwnode,
            bus,
            parent: None,
            drivers: vec![],
            iommus: vec![],
            dma_ranges: false,
            dma_coherent: false,
            no_dma: false,
            stage2_only: false,
            supplier_links: vec![],
            consumer_links: vec![],
            instance: None,
            populates: vec![],
            populated_by: None,
            same_stream: vec![],
            larbs: vec![],
            pci: None,
            ipmmu_leaf: false,
            ipmmu_gen2: false,
        }
    }
}

/// A dependency that fw_devlink follows, or one that is made when the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkDescription {
    /// Who must be bound first.
    pub supplier: DeviceId,
    /// Who waits.
    pub consumer: DeviceId,
    /// fw_devlink makes it; else rimt_iommu_xlate() does, with DL_FLAG_AUTOREMOVE_CONSUMER.
    pub by_fw_devlink: bool,
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
    /// A vfio driver.
    pub is_vfio: bool,
    /// The driver that its probe registers.
    pub registers: Option<DriverId>,
}

/// A board, ready to be laid out.
#[derive(Clone, Debug)]
pub struct Board {
    /// What describes it.
    pub firmware: Firmware,
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
    pub(crate) device_of_node: BTreeMap<NodeId, DeviceId>,
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
    /// `iommu-map` of a device cannot be read.
    #[error("{path}: iommu-map: {error}")]
    IommuMap {
        /// Path of the node.
        path: String,
        /// What is wrong with the map.
        error: MapError,
    },
    /// What is below a PCI host bridge cannot be scanned.
    #[error(transparent)]
    Pci(#[from] PciError),
    /// More of something than the model has numbers for.
    #[error("the board has {found} {what}; the model holds at most {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there can be.
        most: usize,
    },
}

/// Most devices of one board.
pub const MAX_DEVICES: usize = 8192;
/// Most nodes of one board: a fwnode's number has 16 bits.
pub const MAX_NODES: usize = 1 << 16;
/// Most dependencies between devices: a link's number has 16 bits.
pub const MAX_LINKS: usize = 1 << 16;

/// Most drivers that add devices in each other's probe: that goes on the stack of one task.
pub const MAX_POPULATE: usize = 16;

fn is_compatible(tree: &Tree, node: NodeId, compatible: &str) -> bool {
    let listed = tree.strings(node, "compatible").unwrap_or_default();
    listed.iter().any(|c| c == compatible)
}

/// An error if there are too many.
pub(crate) fn check_number(
    what: &'static str,
    found: usize,
    most: usize,
) -> Result<(), BoardError> {
    if found <= most {
        return Ok(());
    }
    Err(BoardError::TooMany { what, found, most })
}

impl Board {
    /// A board without anything.
    pub(crate) fn empty() -> Self {
        Self {
            firmware: Firmware::DeviceTree,
            devices: vec![],
            drivers: vec![],
            instances: vec![],
            links: vec![],
            compatible: vec![],
            assumed_suppliers: vec![],
            iommus_without_driver: vec![],
            device_of_node: BTreeMap::new(),
        }
    }

    /// Reads a tree the way the kernel does.
    pub fn new(tree: &Tree, config: &Config) -> Result<Self, BoardError> {
        check_number("nodes", tree.nodes.len(), MAX_NODES)?;
        let rows = Rows::new(config);
        let (created, populated) = create(tree, &rows)?;
        check_number("devices", created.len(), MAX_DEVICES)?;
        let matching = Matching::new(tree, &created, &rows, config);
        let mut board = Self {
            drivers: matching.drivers,
            compatible: tree.strings(Tree::ROOT, "compatible").unwrap_or_default(),
            device_of_node: (0..)
                .map(DeviceId)
                .zip(&created)
                .map(|(d, c)| (c.node, d))
                .collect(),
            ..Self::empty()
        };
        for (c, drivers) in created.into_iter().zip(matching.of_device) {
            let dma_node = c.pci.map_or(c.node, |_| on_root_bus(tree, c.node));
            board.devices.push(DeviceDescription {
                parent: c.parent.map(|p| DeviceId(p as u16)),
                drivers,
                dma_ranges: has_dma_ranges(tree, dma_node),
                pci: c.pci,
                dma_coherent: of_dma_is_coherent(tree, c.node),
                stage2_only: config.stage2_only.contains(&c.name),
                ipmmu_leaf: tree.property(c.node, "renesas,ipmmu-main").is_some(),
                ipmmu_gen2: is_compatible(tree, c.node, "renesas,ipmmu-vmsa"),
                ..DeviceDescription::bare(c.name, c.node, Fwnode::OfNode, c.bus)
            });
        }
        for (by, device) in populated {
            board.devices[by].populates.push(DeviceId(device as u16));
            board.devices[device].populated_by = Some(DeviceId(by as u16));
        }
        board.find_instances(tree);
        board.find_iommus(tree)?;
        board.find_links(tree, config)?;
        Ok(board)
    }

    /// All devices.
    pub fn device_ids(&self) -> impl Iterator<Item = DeviceId> + use<> {
        (0..self.devices.len() as u16).map(DeviceId)
    }

    /// The devices that of_platform_default_populate_init() or acpi_init() adds, in order.
    pub fn boot_devices(&self) -> impl Iterator<Item = DeviceId> {
        self.device_ids()
            .filter(|d| self.devices[d.index()].populated_by.is_none())
    }

    /// The buses, in the order in which the IOMMU core takes them: of the last two only those that
    /// the board has.
    pub fn buses(&self) -> impl Iterator<Item = Bus> {
        let has = |bus: &Bus| {
            matches!(bus, Bus::Platform | Bus::Amba) || self.devices.iter().any(|d| d.bus == *bus)
        };
        [Bus::Platform, Bus::Pci, Bus::Amba, Bus::FslMc]
            .into_iter()
            .filter(has)
    }

    /// All drivers.
    pub fn driver_ids(&self) -> impl Iterator<Item = DriverId> + use<> {
        (0..self.drivers.len() as u16).map(DriverId)
    }

    /// All instances.
    pub fn instance_ids(&self) -> impl Iterator<Item = InstanceId> + use<> {
        (0..self.instances.len() as u16).map(InstanceId)
    }

    /// The device that was created for a node, or for a fwnode of this number.
    pub fn device_of_node(&self, node: NodeId) -> Option<DeviceId> {
        self.device_of_node.get(&node).copied()
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

    /// Whether DMA of a device snoops the caches if it is mapped with IOMMU_CACHE: by itself, or
    /// since its SMMU is coherent and translates at stage 1, where the mapping says so. At stage 2
    /// the SMMU cannot make a device coherent that is not (Robin Murphy, December 2022). Of several
    /// IOMMUs the first counts.
    pub fn snoops(&self, dev: DeviceId) -> bool {
        let device = &self.devices[dev.index()];
        let instance = device.iommus.first().and_then(|spec| spec.instance);
        let iommu = instance.map(|i| &self.devices[self.instances[i.index()].device.index()]);
        device.dma_coherent || iommu.is_some_and(|i| i.dma_coherent && !i.stage2_only)
    }

    fn find_links(&mut self, tree: &Tree, config: &Config) -> Result<(), BoardError> {
        if !config.fw_devlink {
            return Ok(());
        }
        let mut links = vec![];
        let mut known = BTreeSet::new();
        let mut assumed = BTreeSet::new();
        for consumer in self.device_ids() {
            let node = self.devices[consumer.index()].node;
            let waits = config
                .waiting
                .contains(&self.devices[consumer.index()].name);
            for supplier_node in suppliers(tree, node, config.fw_devlink_strict) {
                let supplier = self.supplier_device(tree, supplier_node);
                let counts = |s: &DeviceId| waits || !self.devices[s.index()].drivers.is_empty();
                match supplier.filter(counts) {
                    Some(supplier) if supplier != consumer => {
                        if known.insert((supplier, consumer)) {
                            links.push(LinkDescription {
                                supplier,
                                consumer,
                                by_fw_devlink: true,
                            });
                        }
                    }
                    Some(_) => {}
                    None => {
                        if assumed.insert(supplier_node) {
                            self.assumed_suppliers.push(tree.path(supplier_node));
                        }
                    }
                }
            }
        }
        self.relax_cycles(&mut links);
        check_number("links between devices", links.len(), MAX_LINKS)?;
        for link in links {
            self.add_link(link);
        }
        Ok(())
    }

    pub(crate) fn add_link(&mut self, link: LinkDescription) {
        let id = LinkId(self.links.len() as u16);
        self.links.push(link);
        self.devices[link.consumer.index()].supplier_links.push(id);
        self.devices[link.supplier.index()].consumer_links.push(id);
    }

    /// The device of a node or, for a node that is part of a device, of the nearest node above it.
    fn supplier_device(&self, tree: &Tree, node: NodeId) -> Option<DeviceId> {
        std::iter::successors(Some(node), |n| tree.node(*n).parent)
            .find_map(|n| self.device_of_node(n))
    }
}
