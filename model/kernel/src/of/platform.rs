//! drivers/of/platform.c and the naming half of drivers/of/device.c: which nodes become devices,
//! in which order, and what they are called.
//!
//! Follows of_platform_default_populate_init() of v7.3-rc7. Left out: auxdata,
//! `simple-framebuffer`, the reserved-memory nodes with drivers of their own, and devices that
//! drivers add in other ways than of_platform_populate().

use crate::ids::Bus;
use crate::of::tree::{NodeId, Tree};
use crate::pci::PciFunction;
use std::collections::BTreeSet;

/// Compatibles whose children are devices too: `of_default_bus_match_table`.
const BUSES: [&str; 4] = ["simple-bus", "simple-mfd", "isa", "arm,amba-bus"];

/// Compatibles of nodes that of_irq_init() and of_clk_init() set up before there are devices. They
/// mark the node as OF_POPULATED, and no device is made of it.
const POPULATED_EARLY: [&str; 6] = [
    "arm,cortex-a9-gic",
    "arm,cortex-a15-gic",
    "arm,gic-400",
    "arm,gic-v3",
    "fixed-clock",
    "fixed-factor-clock",
];

/// A device that of_platform creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its node.
    pub node: NodeId,
    /// `dev_name()`.
    pub name: String,
    /// The bus it is on.
    pub bus: Bus,
    /// The device that it is a child of, as an index into the list; `None` for platform_bus.
    pub parent: Option<usize>,
    /// What it is as a function that a host bridge finds.
    pub pci: Option<PciFunction>,
}

/// All devices in the order of their device_add().
pub fn of_platform_default_populate(tree: &Tree) -> Vec<Created> {
    let mut created = vec![];
    if let Some(firmware) = tree.by_path("/firmware") {
        for child in &tree.node(firmware).children {
            of_platform_bus_create(tree, *child, None, &mut created);
        }
    }
    for child in &tree.node(Tree::ROOT).children {
        of_platform_bus_create(tree, *child, None, &mut created);
    }
    created
}

/// of_platform_populate() by the driver of a device: the nodes below its own that are no devices
/// yet. Buses below are taken with what is on them, as of_platform_default_populate() does; without
/// a match table the kernel leaves that to simple-pm-bus.
pub fn of_platform_populate(
    tree: &Tree,
    by: usize,
    created: &mut Vec<Created>,
    known: &BTreeSet<NodeId>,
) {
    let node = created[by].node;
    for child in tree
        .node(node)
        .children
        .iter()
        .filter(|c| !known.contains(*c))
    {
        of_platform_bus_create(tree, *child, Some(by), created);
    }
}

/// A node, and its children if it is a bus.
fn of_platform_bus_create(
    tree: &Tree,
    node: NodeId,
    parent: Option<usize>,
    created: &mut Vec<Created>,
) {
    let has_compatible = tree.property(node, "compatible").is_some();
    if !has_compatible
        || tree.is_compatible(node, "operating-points-v2")
        || POPULATED_EARLY.iter().any(|c| tree.is_compatible(node, c))
        || !tree.is_available(node)
    {
        return;
    }
    let is_amba = tree.is_compatible(node, "arm,primecell");
    let bus = if is_amba {
        Bus::Amba
    } else {
        bus_of_parent(tree, node)
    };
    created.push(Created {
        node,
        name: of_device_make_bus_id(tree, node),
        bus,
        parent,
        pci: None,
    });
    let others = OTHER_BUSES.map(|(compatible, _)| compatible);
    let mut buses = BUSES.iter().chain(&others);
    if is_amba || !buses.any(|b| tree.is_compatible(node, b)) {
        return;
    }
    let this = created.len() - 1;
    for child in &tree.node(node).children {
        of_platform_bus_create(tree, *child, Some(this), created);
    }
}

/// Compatibles of test boards that stand for a PCI host bridge and an fsl-mc bus. What is below them
/// is there from the start, where the bus's own driver would find it, and has in `iommus` what
/// the `iommu-map` of the bus says.
const OTHER_BUSES: [(&str, Bus); 2] = [("test,pci-host", Bus::Pci), ("test,fsl-mc", Bus::FslMc)];

/// The bus that the node above stands for.
fn bus_of_parent(tree: &Tree, node: NodeId) -> Bus {
    let parent = tree.node(node).parent;
    let is_above =
        |(compatible, _): &&(&str, Bus)| parent.is_some_and(|p| tree.is_compatible(p, compatible));
    OTHER_BUSES
        .iter()
        .find(is_above)
        .map_or(Bus::Platform, |(_, bus)| *bus)
}

/// `ee100000.mmc`, or without an address the node's own name after those of its parents.
fn of_device_make_bus_id(tree: &Tree, node: NodeId) -> String {
    let mut suffix: Option<String> = None;
    let mut at = node;
    while let Some(parent) = tree.node(at).parent {
        let name = &tree.node(at).name;
        if let Some(address) = of_translate_address(tree, at) {
            let base = name.split('@').next().unwrap_or_default();
            let own = format!("{address:x}.{base}");
            return suffix.map_or(own.clone(), |s| format!("{own}:{s}"));
        }
        suffix = Some(suffix.map_or(name.clone(), |s| format!("{name}:{s}")));
        at = parent;
    }
    suffix.unwrap_or_default()
}

/// `of_translate_address()`: the first address of `reg` as the CPU sees it; `None` if it has none.
fn of_translate_address(tree: &Tree, node: NodeId) -> Option<u64> {
    let mut bus = tree.node(node).parent?;
    let address_cells = tree.cell(bus, "#address-cells").unwrap_or(2) as usize;
    let size_cells = tree.cell(bus, "#size-cells").unwrap_or(1) as usize;
    let reg = tree.cells(node, "reg")?;
    if address_cells == 0 || size_cells == 0 || reg.len() < address_cells {
        return None;
    }
    let mut address = number(&reg[..address_cells])?;
    while let Some(above) = tree.node(bus).parent {
        address = translate_one(tree, bus, above, address)?;
        bus = above;
    }
    Some(address)
}

/// One level of `ranges`: an empty one is the identity, a missing one ends the translation.
fn translate_one(tree: &Tree, bus: NodeId, above: NodeId, address: u64) -> Option<u64> {
    let ranges = tree.cells(bus, "ranges")?;
    if ranges.is_empty() {
        return Some(address);
    }
    let child = tree.cell(bus, "#address-cells").unwrap_or(2) as usize;
    let parent = tree.cell(above, "#address-cells").unwrap_or(2) as usize;
    let size = tree.cell(bus, "#size-cells").unwrap_or(1) as usize;
    let width = child + parent + size;
    if width == 0 {
        return None;
    }
    ranges.chunks_exact(width).find_map(|entry| {
        let from = number(&entry[..child])?;
        let to = number(&entry[child..child + parent])?;
        let length = number(&entry[child + parent..])?;
        let offset = address.checked_sub(from)?;
        (offset < length).then(|| to.wrapping_add(offset))
    })
}

/// Cells as one number: the lower two count, as in of_read_number().
fn number(cells: &[u32]) -> Option<u64> {
    if cells.is_empty() {
        return None;
    }
    Some(cells.iter().fold(0u64, |n, c| (n << 32) | u64::from(*c)))
}

/// `of_dma_get_range()`: whether a `dma-ranges` with content stands on the way up from the node.
pub fn has_dma_ranges(tree: &Tree, node: NodeId) -> bool {
    let mut at = tree.node(node).parent;
    while let Some(bus) = at {
        match tree.property(bus, "dma-ranges") {
            Some([]) => at = tree.node(bus).parent,
            Some(_) => return true,
            None => return false,
        }
    }
    false
}

/// `of_dma_is_coherent()`: the nearest `dma-coherent` or `dma-noncoherent` on the way up counts.
pub fn of_dma_is_coherent(tree: &Tree, node: NodeId) -> bool {
    let mut at = Some(node);
    while let Some(n) = at {
        if tree.property(n, "dma-coherent").is_some() {
            return true;
        }
        if tree.property(n, "dma-noncoherent").is_some() {
            return false;
        }
        at = tree.node(n).parent;
    }
    false
}
