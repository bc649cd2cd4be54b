//! drivers/pci/probe.c and of.c: which nodes below a host bridge are PCI functions, in the order of
//! a scan, and what they are called. Follows v7.2. What is left out stands in [`crate::pci`].

use super::platform::Created;
use super::tree::{NodeId, Tree};
use crate::ids::{Bus, DeviceId};
use crate::pci::{PciFunction, PortType};

/// The compatible of a host bridge whose functions are scanned. It stands for those of real host
/// bridges, below which a tree lists next to no function.
pub const HOST_BRIDGE: &str = "test,pcie-host";

/// The compatible of a bridge to conventional PCI.
const PCI_BRIDGE: &str = "test,pcie-to-pci-bridge";

/// A bus that is scanned.
struct PciBus {
    /// The node above.
    node: NodeId,
    /// The host bridge, or the bridge above, as an index into the list of devices.
    parent: usize,
    /// What that is; `None` for the host bridge.
    port: Option<PortType>,
    number: u8,
}

/// Why what is below a host bridge cannot be scanned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PciError {
    /// A function without `reg`.
    #[error("{path}: reg: expected the devfn of a PCI function, as in `reg = <0x800 0 0 0 0>`")]
    NoDevfn {
        /// Path of its node.
        path: String,
    },
    /// More buses than there are numbers.
    #[error("{path}: a PCI hierarchy has at most 256 buses")]
    TooManyBuses {
        /// Path of the bridge with one too many.
        path: String,
    },
}

/// Adds the functions below a host bridge, that of this index, in the order of their device_add().
pub fn pci_scan(tree: &Tree, host: usize, created: &mut Vec<Created>) -> Result<(), PciError> {
    let root = PciBus {
        node: created[host].node,
        parent: host,
        port: None,
        number: 0,
    };
    pci_scan_child_bus(tree, &root, &mut 0, created)
}

/// The function on the root bus above one, or that itself: its parent is the host bridge, whose
/// node says how DMA goes.
pub fn on_root_bus(tree: &Tree, node: NodeId) -> NodeId {
    let above = |n: &NodeId| tree.node(*n).parent;
    let is_below = |n: &NodeId| above(n).is_some_and(|p| !tree.is_compatible(p, HOST_BRIDGE));
    let mut at = node;
    while is_below(&at) {
        at = above(&at).unwrap_or(Tree::ROOT);
    }
    at
}

/// A bus, and what is below its bridges. `last`: the bus number given last.
fn pci_scan_child_bus(
    tree: &Tree,
    bus: &PciBus,
    last: &mut u8,
    created: &mut Vec<Created>,
) -> Result<(), PciError> {
    let mut slots = vec![];
    for node in &tree.node(bus.node).children {
        if tree.is_available(*node) {
            slots.push((devfn(tree, *node)?, *node));
        }
    }
    slots.sort_unstable();
    let mut bridges = vec![];
    for (devfn, node) in slots {
        let port = port_type(tree, node, bus.port);
        if port != PortType::Endpoint {
            bridges.push((created.len(), node, port));
        }
        created.push(Created {
            node,
            name: format!("0000:{:02x}:{:02x}.{}", bus.number, devfn >> 3, devfn & 7),
            bus: Bus::Pci,
            parent: Some(bus.parent),
            pci: Some(PciFunction {
                port,
                bridge: bus.port.map(|_| DeviceId(bus.parent as u16)),
                requester: u16::from_be_bytes([bus.number, devfn]),
                secondary: None,
                id: vendor_and_device(tree, node),
            }),
        });
    }
    for (parent, node, port) in bridges {
        let path = || tree.path(node);
        *last = last
            .checked_add(1)
            .ok_or_else(|| PciError::TooManyBuses { path: path() })?;
        if let Some(bridge) = &mut created[parent].pci {
            bridge.secondary = Some(*last);
        }
        let below = PciBus {
            node,
            parent,
            port: Some(port),
            number: *last,
        };
        pci_scan_child_bus(tree, &below, last, created)?;
    }
    Ok(())
}

/// of_pci_get_devfn()
fn devfn(tree: &Tree, node: NodeId) -> Result<u8, PciError> {
    let reg = tree.cells(node, "reg").unwrap_or_default();
    let address = reg.first().ok_or_else(|| PciError::NoDevfn {
        path: tree.path(node),
    })?;
    Ok((address >> 8) as u8)
}

/// What the place of a function makes of it.
fn port_type(tree: &Tree, node: NodeId, above: Option<PortType>) -> PortType {
    if tree.string(node, "device_type").as_deref() != Some("pci") {
        return PortType::Endpoint;
    }
    match above {
        _ if tree.is_compatible(node, PCI_BRIDGE) => PortType::PciBridge,
        None => PortType::RootPort,
        Some(PortType::Upstream) => PortType::Downstream,
        Some(_) => PortType::Upstream,
    }
}

/// `pci111d,8090` among the compatibles.
fn vendor_and_device(tree: &Tree, node: NodeId) -> Option<(u16, u16)> {
    let listed = tree.strings(node, "compatible")?;
    listed.iter().find_map(|compatible| {
        let (vendor, device) = compatible.strip_prefix("pci")?.split_once(',')?;
        let number = |hex| u16::from_str_radix(hex, 16).ok();
        Some((number(vendor)?, number(device)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::of::tree::Property;

    fn set(tree: &mut Tree, node: NodeId, name: &str, value: &[u8]) {
        let (name, value) = (name.to_owned(), value.to_owned());
        let properties = &mut tree.nodes[node.0 as usize].properties;
        properties.push(Property { name, value });
    }

    /// A node with this devfn; a bridge, if it is to be one.
    fn function(tree: &mut Tree, above: NodeId, devfn: u8, is_bridge: bool) -> NodeId {
        let node = tree.add_child(above, "function");
        let reg = [0, 0, devfn, 0];
        set(tree, node, "reg", &reg);
        if is_bridge {
            set(tree, node, "device_type", b"pci\0");
        }
        node
    }

    fn host(tree: &mut Tree) -> (NodeId, Vec<Created>) {
        let node = tree.add_child(Tree::ROOT, "pcie");
        let host = Created {
            node,
            name: "pcie".to_owned(),
            bus: Bus::Platform,
            parent: None,
            pci: None,
        };
        (node, vec![host])
    }

    #[test]
    fn a_bus_comes_before_what_is_below_its_bridges() {
        let mut tree = Tree::with_root();
        let (bus, mut created) = host(&mut tree);
        let second = function(&mut tree, bus, 0x10, true);
        let first = function(&mut tree, bus, 0x08, true);
        let switch = function(&mut tree, first, 0, true);
        let downstream = function(&mut tree, switch, 0x18, true);
        let nic = function(&mut tree, downstream, 1, false);
        set(&mut tree, nic, "compatible", b"pci8086,1533\0test,client\0");
        function(&mut tree, second, 0, false);
        pci_scan(&tree, 0, &mut created).expect("it can be scanned");
        let found = created[1..]
            .iter()
            .map(|c| (c.name.as_str(), c.pci.expect("it is one").port));
        let expected = [
            ("0000:00:01.0", PortType::RootPort),
            ("0000:00:02.0", PortType::RootPort),
            ("0000:01:00.0", PortType::Upstream),
            ("0000:02:03.0", PortType::Downstream),
            ("0000:03:00.1", PortType::Endpoint),
            ("0000:04:00.0", PortType::Endpoint),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        let nic = created[5].pci.expect("it is one");
        assert_eq!(nic.id, Some((0x8086, 0x1533)));
        assert_eq!(nic.requester, 0x0301);
        assert_eq!(nic.bridge, Some(DeviceId(4)));
    }

    #[test]
    fn a_function_without_devfn_is_named() {
        let mut tree = Tree::with_root();
        let (bus, mut created) = host(&mut tree);
        tree.add_child(bus, "nic");
        let error = pci_scan(&tree, 0, &mut created).expect_err("it has no devfn");
        assert!(
            error.to_string().starts_with("/pcie/nic: reg: expected"),
            "{error}"
        );
    }
}
