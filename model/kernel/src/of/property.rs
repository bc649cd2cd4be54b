//! drivers/of/property.c: which nodes a node needs, as fw_devlink sees it.
//!
//! Follows `of_supplier_bindings` and of_link_to_phandle() of v7.3-rc7. Left out:
//! `remote-endpoint` (its links are cycles and hence never block), `interrupts` through an
//! interrupt parent (interrupt controllers of the boards here are set up without a driver),
//! and `post-init-providers`, which only says what to ignore.

use crate::of::map::iommu_map;
use crate::of::phandle::{
    PhandleArgs, parse_phandle_with_args, parse_phandle_with_fixed_args,
    parse_phandle_with_optional_args,
};
use crate::of::tree::{NodeId, Tree};

/// How the list in a supplier property is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// As many cells as the supplier says in this property.
    Cells(&'static str),
    /// The same; a supplier that says nothing takes none.
    OptionalCells(&'static str),
    /// Phandles alone.
    None,
    /// `iommu-map`, see [`iommu_map`].
    Map,
}

/// One row of `of_supplier_bindings`.
#[derive(Clone, Copy, Debug)]
pub struct SupplierBinding {
    /// The property.
    pub property: &'static str,
    /// How its list is laid out.
    pub arguments: Arguments,
    /// Followed only with fw_devlink.strict=1.
    pub optional: bool,
}

const fn mandatory(property: &'static str, arguments: Arguments) -> SupplierBinding {
    SupplierBinding {
        property,
        arguments,
        optional: false,
    }
}

const fn optional(property: &'static str, arguments: Arguments) -> SupplierBinding {
    SupplierBinding {
        property,
        arguments,
        optional: true,
    }
}

/// Bindings with a property name of their own, in the kernel's order.
const BY_NAME: &[SupplierBinding] = &[
    mandatory("clocks", Arguments::Cells("#clock-cells")),
    mandatory("interconnects", Arguments::Cells("#interconnect-cells")),
    optional("iommus", Arguments::Cells("#iommu-cells")),
    optional("iommu-map", Arguments::Map),
    mandatory("mboxes", Arguments::Cells("#mbox-cells")),
    mandatory("io-channels", Arguments::Cells("#io-channel-cells")),
    mandatory("io-backends", Arguments::Cells("#io-backend-cells")),
    optional("dmas", Arguments::Cells("#dma-cells")),
    mandatory("power-domains", Arguments::Cells("#power-domain-cells")),
    mandatory("hwlocks", Arguments::Cells("#hwlock-cells")),
    mandatory("extcon", Arguments::None),
    mandatory("nvmem-cells", Arguments::OptionalCells("#nvmem-cell-cells")),
    mandatory("phys", Arguments::Cells("#phy-cells")),
    mandatory("wakeup-parent", Arguments::None),
    mandatory("pwms", Arguments::Cells("#pwm-cells")),
    mandatory("resets", Arguments::Cells("#reset-cells")),
    mandatory("leds", Arguments::None),
    mandatory("backlight", Arguments::None),
    mandatory("panel", Arguments::None),
    mandatory("msi-parent", Arguments::OptionalCells("#msi-cells")),
    mandatory(
        "access-controllers",
        Arguments::Cells("#access-controller-cells"),
    ),
    mandatory("pses", Arguments::Cells("#pse-cells")),
    mandatory("power-supplies", Arguments::None),
    mandatory("interrupts-extended", Arguments::Cells("#interrupt-cells")),
];

/// The binding of a node's property, `None` if it names no suppliers. The lines of a GPIO hog are
/// its parent's own.
pub fn supplier_binding(tree: &Tree, node: NodeId, property: &str) -> Option<SupplierBinding> {
    if let Some(binding) = BY_NAME.iter().find(|b| b.property == property) {
        return Some(*binding);
    }
    let is_hog = tree.property(node, "gpio-hog").is_some();
    let is_gpio = (["gpio", "gpios"].contains(&property) && !is_hog)
        || property.ends_with("-gpio")
        || property.ends_with("-gpios");
    if is_gpio && !property.ends_with(",nr-gpios") {
        return Some(mandatory("*-gpios", Arguments::Cells("#gpio-cells")));
    }
    let number = property.strip_prefix("pinctrl-");
    if number.is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'8'])) {
        return Some(mandatory("pinctrl-*", Arguments::None));
    }
    property
        .ends_with("-supply")
        .then_some(mandatory("*-supply", Arguments::None))
}

/// The nodes that a list in a supplier property names. What cannot be read is left out: the
/// kernel stops there too.
fn named(tree: &Tree, node: NodeId, property: &str, arguments: Arguments) -> Vec<NodeId> {
    let nodes = |list: Result<Vec<PhandleArgs>, _>| {
        list.unwrap_or_default()
            .into_iter()
            .map(|e| e.node)
            .collect()
    };
    match arguments {
        Arguments::Cells(cells) => nodes(parse_phandle_with_args(tree, node, property, cells)),
        Arguments::OptionalCells(cells) => nodes(parse_phandle_with_optional_args(
            tree, node, property, cells,
        )),
        Arguments::None => nodes(parse_phandle_with_fixed_args(tree, node, property, 0)),
        Arguments::Map => {
            let entries = iommu_map(tree, node).unwrap_or_default();
            entries.into_iter().map(|entry| entry.target).collect()
        }
    }
}

/// The nodes that fw_devlink would link `node` to, each once, in the order of its properties.
///
/// A supplier that is disabled, or an ancestor of the consumer, is none
/// (of_link_to_phandle(), fw_devlink_create_devlink()).
pub fn suppliers(tree: &Tree, node: NodeId, strict: bool) -> Vec<NodeId> {
    let mut all = vec![];
    for property in &tree.node(node).properties {
        let Some(binding) = supplier_binding(tree, node, &property.name) else {
            continue;
        };
        if binding.optional && !strict {
            continue;
        }
        for supplier in named(tree, node, &property.name, binding.arguments) {
            let usable =
                is_available_with_ancestors(tree, supplier) && !is_ancestor(tree, supplier, node);
            if usable && !all.contains(&supplier) {
                all.push(supplier);
            }
        }
    }
    all
}

fn is_available_with_ancestors(tree: &Tree, node: NodeId) -> bool {
    std::iter::successors(Some(node), |n| tree.node(*n).parent).all(|n| tree.is_available(n))
}

fn is_ancestor(tree: &Tree, ancestor: NodeId, of: NodeId) -> bool {
    std::iter::successors(Some(of), |n| tree.node(*n).parent).any(|n| n == ancestor)
}
