//! Which properties name other nodes, and whether the nodes that they name are there.
//!
//! Follows `of_supplier_bindings` in drivers/of/property.c at 02ac5f9d6cae: the same properties
//! become device links under fw_devlink. Stricter: `pinctrl-N` beyond 8 and `mmc-pwrseq` count
//! too. Laxer: suppliers in `nvmem-cells` and `msi-parent` may lack the `#...-cells`, as the nvmem
//! and MSI code allows. Left out: `remote-endpoint`, `interrupts` and `interrupt-map`.

use std::fmt;

use kernel::of::phandle::{
    PhandleError, parse_phandle_with_args, parse_phandle_with_fixed_args,
    parse_phandle_with_optional_args,
};
use kernel::of::tree::{NodeId, Tree};

/// What follows a phandle in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arguments {
    /// As many cells as the supplier says in this property.
    Cells(&'static str),
    /// The same; a supplier that says nothing takes none.
    OptionalCells(&'static str),
    /// Nothing.
    None,
    /// `iommu-map`: input base, phandle, output base, length.
    Map,
}

/// Properties with a name of their own, in the order of `of_supplier_bindings`.
const BY_NAME: &[(&str, Arguments)] = &[
    ("clocks", Arguments::Cells("#clock-cells")),
    ("interconnects", Arguments::Cells("#interconnect-cells")),
    ("iommus", Arguments::Cells("#iommu-cells")),
    ("iommu-map", Arguments::Map),
    ("mboxes", Arguments::Cells("#mbox-cells")),
    ("io-channels", Arguments::Cells("#io-channel-cells")),
    ("io-backends", Arguments::Cells("#io-backend-cells")),
    ("interrupt-parent", Arguments::None),
    ("dmas", Arguments::Cells("#dma-cells")),
    ("power-domains", Arguments::Cells("#power-domain-cells")),
    ("hwlocks", Arguments::Cells("#hwlock-cells")),
    ("extcon", Arguments::None),
    ("nvmem-cells", Arguments::OptionalCells("#nvmem-cell-cells")),
    ("phys", Arguments::Cells("#phy-cells")),
    ("wakeup-parent", Arguments::None),
    ("pwms", Arguments::Cells("#pwm-cells")),
    ("resets", Arguments::Cells("#reset-cells")),
    ("leds", Arguments::None),
    ("backlight", Arguments::None),
    ("panel", Arguments::None),
    ("msi-parent", Arguments::OptionalCells("#msi-cells")),
    ("pses", Arguments::Cells("#pse-cells")),
    ("power-supplies", Arguments::None),
    ("interrupts-extended", Arguments::Cells("#interrupt-cells")),
    (
        "access-controllers",
        Arguments::Cells("#access-controller-cells"),
    ),
    ("post-init-providers", Arguments::None),
    ("mmc-pwrseq", Arguments::None),
];

/// How the list in a property is laid out, `None` if the property names no other nodes.
fn arguments_of(tree: &Tree, node: NodeId, property: &str) -> Option<Arguments> {
    if let Some((_, arguments)) = BY_NAME.iter().find(|(name, _)| *name == property) {
        return Some(*arguments);
    }
    if is_gpio_list(tree, node, property) {
        return Some(Arguments::Cells("#gpio-cells"));
    }
    let pinctrl = property
        .strip_prefix("pinctrl-")
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (pinctrl || property.ends_with("-supply")).then_some(Arguments::None)
}

/// `parse_gpio()`, `parse_gpios()` and `parse_gpio_compat()` (drivers/of/property.c): the lines of
/// a hog are its parent's own and name no controller.
fn is_gpio_list(tree: &Tree, node: NodeId, property: &str) -> bool {
    match property {
        "gpio" | "gpios" => tree.property(node, "gpio-hog").is_none(),
        _ if property.ends_with(",nr-gpios") => false,
        _ => property.ends_with("-gpio") || property.ends_with("-gpios"),
    }
}

/// A property that names a node that is not there, or names it wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    /// The node with the property.
    pub node: NodeId,
    /// Its path.
    pub path: String,
    /// The property.
    pub property: String,
    /// Index of the cell at fault, where one is.
    pub cell: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            property,
            problem,
            ..
        } = self;
        write!(f, "{path}: {property}: {problem}")
    }
}

impl std::error::Error for ReferenceError {}

/// Every property that names other nodes and does so wrongly, in document order.
pub fn validate(tree: &Tree) -> Vec<ReferenceError> {
    validate_where(tree, |_| true)
}

/// The same for the properties that the IOMMU core follows (`iommus`, `iommu-map`), which is all
/// that is asked of real blobs.
pub(super) fn validate_iommus(tree: &Tree) -> Vec<ReferenceError> {
    validate_where(tree, |name| name == "iommus" || name == "iommu-map")
}

fn validate_where(tree: &Tree, wanted: impl Fn(&str) -> bool) -> Vec<ReferenceError> {
    let mut errors = vec![];
    for node in tree.ids() {
        for property in &tree.node(node).properties {
            if !wanted(&property.name) {
                continue;
            }
            if let Some(arguments) = arguments_of(tree, node, &property.name) {
                errors.extend(check(tree, node, &property.name, arguments).err());
            }
        }
    }
    errors
}

/// Reads one list the way the kernel does and says where it stops.
fn check(
    tree: &Tree,
    node: NodeId,
    name: &str,
    arguments: Arguments,
) -> Result<(), ReferenceError> {
    let bad = |cell, problem| ReferenceError {
        node,
        path: tree.path(node),
        property: name.to_owned(),
        cell,
        problem,
    };
    let length = tree.property(node, name).map_or(0, <[u8]>::len);
    if !length.is_multiple_of(4) {
        let problem = format!("its {length} bytes are not a whole number of cells");
        return Err(bad(None, problem));
    }
    let result = match arguments {
        Arguments::Cells(cells) => parse_phandle_with_args(tree, node, name, cells),
        Arguments::OptionalCells(cells) => {
            parse_phandle_with_optional_args(tree, node, name, cells)
        }
        Arguments::None => parse_phandle_with_fixed_args(tree, node, name, 0),
        Arguments::Map => {
            return check_map(tree, node, name).map_err(|(cell, problem)| bad(cell, problem));
        }
    };
    result
        .map(drop)
        .map_err(|error: PhandleError| bad(Some(error.cell()), error.to_string()))
}

/// `of_map_id()` (drivers/of/base.c): four cells an entry, the second one a phandle.
fn check_map(tree: &Tree, node: NodeId, name: &str) -> Result<(), (Option<usize>, String)> {
    let cells = tree.cells(node, name).unwrap_or_default();
    if cells.is_empty() || !cells.len().is_multiple_of(4) {
        let problem = format!(
            "{} cells are not a whole number of entries (input base, phandle, output base, length)",
            cells.len()
        );
        return Err((None, problem));
    }
    for (entry, map) in cells.chunks_exact(4).enumerate() {
        let cell = Some(entry * 4 + 1);
        let Some(target) = tree.by_phandle(map[1]) else {
            return Err((cell, format!("no node has phandle {:#x}", map[1])));
        };
        if tree.cell(target, "#iommu-cells").is_none() {
            return Err((cell, format!("{} has no #iommu-cells", tree.path(target))));
        }
    }
    Ok(())
}
