//! What ACPI says about a machine, as far as the model asks: devices of the namespace, IOMMUs, and
//! which device is behind which IOMMU with which id.
//!
//! Left out: `_DMA` and the memory address limits of IORT (outcomes have no DMA masks or ranges), a
//! `_CCA` that is inherited or missing, `_DEP`, `_STA`, interrupts, ITS groups, PMCGs, RMRs, and id
//! mappings that go through more than one node before they reach an IOMMU. iort_add_platform_device()
//! configures DMA for an SMMU itself, which finds no IOMMU for it. That its page table walks are
//! coherent (ACPI_IORT_SMMU_V3_COHACC_OVERRIDE, ACPI_IORT_SMMU_COHERENT_WALK) is taken for granted.

use crate::ids::Bus;
use crate::of::tree::{NodeId, Tree};

/// A machine. [`Tree::ROOT`] is nobody's number: nodes count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Whatever has a fwnode; its number is its place here, from 1.
    pub nodes: Vec<Node>,
    /// Which device is behind which IOMMU, in the order of the tables.
    pub endpoints: Vec<Endpoint>,
    /// Ranges of PCI functions none of which is here: in IORT, VIOT or RIMT.
    pub pci: Vec<Table>,
}

/// One `struct fwnode_handle`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What the text calls it.
    pub label: String,
    /// What it is of.
    pub kind: NodeKind,
}

/// What has a fwnode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A device of the namespace.
    Device(Device),
    /// An SMMUv3 node of IORT, which becomes a platform device `arm-smmu-v3`.
    SmmuV3,
    /// An SMMUv1 or v2 node of IORT, which becomes a platform device `arm-smmu`.
    Smmu,
    /// A virtio-iommu that is a PCI function: without a device here.
    VirtioPci,
    /// A function that the scan of its root bridge finds.
    PciFunction(PciFunction),
}

/// A PCI function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PciFunction {
    /// The segment of its root bridge: pci_domain_nr().
    pub segment: u16,
    /// Bus, device and function: pci_dev_id().
    pub id: u16,
    /// Whose requests its own look like besides, in the order of pci_for_each_dma_alias().
    pub aliases: Vec<u16>,
    /// `_CCA` of its root bridge.
    pub coherent: bool,
}

impl PciFunction {
    /// pci_setup_device(): `0000:01:00.0`.
    pub fn name(&self) -> String {
        let [bus, devfn] = self.id.to_be_bytes();
        format!(
            "{:04x}:{bus:02x}:{:02x}.{:x}",
            self.segment,
            devfn >> 3,
            devfn & 7
        )
    }
}

/// A device of the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `_HID`
    pub hid: String,
    /// The bus that it is enumerated on.
    pub bus: Bus,
    /// `_CCA`: DEV_DMA_COHERENT, else DEV_DMA_NON_COHERENT.
    pub coherent: bool,
    /// No `_CCA`, where one is required: DEV_DMA_NOT_SUPPORTED.
    pub no_dma: bool,
    /// What a table makes of it, if it is an IOMMU.
    pub role: Option<Role>,
}

/// Devices of the namespace that are IOMMUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// VIOT: a virtio-mmio transport with a virtio-iommu behind it.
    VirtioIommu,
    /// RIMT: a RISC-V IOMMU.
    RiscvIommu,
}

/// The static tables that name IOMMUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// I/O Remapping Table, of Arm.
    Iort,
    /// RISC-V I/O Mapping Table.
    Rimt,
    /// Virtual I/O Translation Table.
    Viot,
}

impl Table {
    /// Its signature.
    pub fn signature(self) -> &'static str {
        match self {
            Table::Iort => "IORT",
            Table::Rimt => "RIMT",
            Table::Viot => "VIOT",
        }
    }
}

/// One id of a device at an IOMMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it stands.
    pub table: Table,
    /// The device.
    pub device: NodeId,
    /// The IOMMU.
    pub iommu: NodeId,
    /// StreamID, device id or endpoint id.
    pub id: u32,
}

impl Machine {
    /// Appends a node and gives its number.
    pub fn add(&mut self, label: impl Into<String>, kind: NodeKind) -> NodeId {
        let label = label.into();
        self.nodes.push(Node { label, kind });
        NodeId(u32::try_from(self.nodes.len()).expect("a text has fewer than 2^32 nodes"))
    }

    /// The node with this number; none for [`Tree::ROOT`].
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get((id.0 as usize).checked_sub(1)?)
    }

    /// All numbers.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes.len() as u32).map(NodeId)
    }

    /// The device with this number, if it is one of the namespace.
    pub fn device(&self, id: NodeId) -> Option<&Device> {
        match &self.node(id)?.kind {
            NodeKind::Device(device) => Some(device),
            _ => None,
        }
    }

    /// The device with this number, to be changed.
    pub fn device_mut(&mut self, id: NodeId) -> Option<&mut Device> {
        match &mut self.nodes.get_mut((id.0 as usize).checked_sub(1)?)?.kind {
            NodeKind::Device(device) => Some(device),
            _ => None,
        }
    }

    /// A tree with the same numbers, for what asks a tree for names: no node has a property.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::with_root();
        for node in &self.nodes {
            tree.add_child(Tree::ROOT, node.label.as_str());
        }
        tree
    }

    /// The numbers in the order in which their devices are added: iort_init_platform_devices()
    /// comes before acpi_bus_scan() (acpi_init(), drivers/acpi/bus.c), which adds a root bridge's
    /// functions when it comes to the bridge: here, where the function stands in the text.
    pub(super) fn in_order_of_addition(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        let all = || self.ids().zip(&self.nodes);
        let is_smmu = |n: &Node| matches!(n.kind, NodeKind::SmmuV3 | NodeKind::Smmu);
        let is_device = |n: &Node| matches!(n.kind, NodeKind::Device(_) | NodeKind::PciFunction(_));
        let smmus = all().filter(move |(_, n)| is_smmu(n));
        smmus.chain(all().filter(move |(_, n)| is_device(n)))
    }
}
