//! What a tree or ACPI says about IOMMUs and the model does not follow: said, never passed over.

use super::Board;
use crate::acpi::machine::{Machine, NodeKind, Table};
use crate::of::pci::HOST_BRIDGE;
use crate::of::tree::{NodeId, Tree};
use std::fmt;

/// A kind of binding that is not modelled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// An IOMMU (`#iommu-cells`), with its first compatible, that no driver of the catalogue makes
    /// an instance of.
    NoDriver(String),
    /// An IOMMU that of_platform makes no device of.
    NoDevice(String),
    /// `iommu-map` of a PCI host bridge.
    PciMap,
    /// `iommu-map` of an fsl-mc bus.
    FslMcMap,
    /// `iommu-map` of Tegra's host1x, for its contexts.
    Host1xMap,
    /// `iommu-map` of any other device, with its first compatible.
    OtherMap(String),
    /// `iommus` of a node below a PCI host bridge.
    PciClient,
    /// `iommus` of a node that a driver makes a device of, with the node's first compatible.
    LateClient(String),
    /// `mmu-masters`: the binding of SMMUs before `iommus`.
    MmuMasters,
    /// `iommu-addresses`: regions that an IOMMU must keep free or mapped.
    IommuAddresses,
    /// A range of PCI functions behind an IOMMU, in a table of ACPI, with none of them there.
    AcpiPci(Table),
    /// An IOMMU of ACPI that is a PCI function.
    AcpiPciIommu,
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDriver(c) => write!(f, "IOMMU without a driver: {c}"),
            Self::NoDevice(c) => write!(f, "IOMMU that is no device of the platform bus: {c}"),
            Self::PciMap => {
                f.write_str("PCI host bridge with iommu-map: functions not in the tree")
            }
            Self::FslMcMap => f.write_str("fsl-mc bus with iommu-map: objects not in the tree"),
            Self::Host1xMap => f.write_str("host1x with iommu-map: contexts not in the tree"),
            Self::OtherMap(c) => write!(f, "iommu-map of {c}: what it is for is not known"),
            Self::PciClient => f.write_str("iommus of a PCI function: no PCI devices"),
            Self::LateClient(c) => {
                write!(
                    f,
                    "iommus of a node that a driver may make a device of: {c}"
                )
            }
            Self::MmuMasters => f.write_str("mmu-masters: the old binding of SMMUs"),
            Self::IommuAddresses => f.write_str("iommu-addresses: no reserved regions"),
            Self::AcpiPci(table) => {
                write!(f, "PCI range in {}: no function in it", table.signature())
            }
            Self::AcpiPciIommu => f.write_str("virtio-iommu that is a PCI function"),
        }
    }
}

impl Board {
    /// All that is not modelled, with the node, in document order.
    pub fn unmodelled(&self, tree: &Tree) -> Vec<(Binding, NodeId)> {
        let mut all = vec![];
        for node in tree.ids().filter(|n| is_available_with_ancestors(tree, *n)) {
            let mut note = |binding| all.push((binding, node));
            let is_iommu = tree.property(node, "#iommu-cells").is_some();
            match self.device_of_node(node) {
                Some(d) if is_iommu && self.devices[d.index()].instance.is_none() => {
                    note(Binding::NoDriver(first_compatible(tree, node)));
                }
                None if is_iommu => note(Binding::NoDevice(first_compatible(tree, node))),
                _ => {}
            }
            let is_scanned = tree.is_compatible(node, HOST_BRIDGE);
            if tree.property(node, "iommu-map").is_some() && !is_scanned {
                note(map_of(tree, node));
            }
            if tree.property(node, "iommus").is_some() && self.device_of_node(node).is_none() {
                note(no_device(tree, node));
            }
            if tree.property(node, "mmu-masters").is_some() {
                note(Binding::MmuMasters);
            }
            if tree.property(node, "iommu-addresses").is_some() {
                note(Binding::IommuAddresses);
            }
        }
        all
    }
}

impl Machine {
    /// All that is not modelled.
    pub fn unmodelled(&self) -> Vec<Binding> {
        let is_pci = |n: &&crate::acpi::machine::Node| n.kind == NodeKind::VirtioPci;
        let iommus = self.nodes.iter().filter(is_pci);
        let ranges = self.pci.iter().copied().map(Binding::AcpiPci);
        iommus
            .map(|_| Binding::AcpiPciIommu)
            .chain(ranges)
            .collect()
    }
}

/// Why a node with `iommus` is no device.
fn no_device(tree: &Tree, node: NodeId) -> Binding {
    let mut above = std::iter::successors(tree.node(node).parent, |n| tree.node(*n).parent);
    if above.any(|n| is_pci(tree, n)) {
        return Binding::PciClient;
    }
    Binding::LateClient(first_compatible(tree, node))
}

fn map_of(tree: &Tree, node: NodeId) -> Binding {
    let compatible = first_compatible(tree, node);
    if is_pci(tree, node) {
        Binding::PciMap
    } else if tree.is_compatible(node, "fsl,qoriq-mc") {
        Binding::FslMcMap
    } else if compatible.ends_with("-host1x") {
        Binding::Host1xMap
    } else {
        Binding::OtherMap(compatible)
    }
}

fn is_pci(tree: &Tree, node: NodeId) -> bool {
    tree.string(node, "device_type").as_deref() == Some("pci")
}

fn first_compatible(tree: &Tree, node: NodeId) -> String {
    let own = tree.string(node, "compatible");
    own.unwrap_or_else(|| "no compatible".to_owned())
}

/// Whether the node and all above it are available.
pub fn is_available_with_ancestors(tree: &Tree, node: NodeId) -> bool {
    std::iter::successors(Some(node), |n| tree.node(*n).parent).all(|n| tree.is_available(n))
}
