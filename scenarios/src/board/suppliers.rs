//! Which properties name other nodes, and whether the nodes that they name are there.
//!
//! The properties are those of [`kernel::of::property`], which become device links under
//! fw_devlink, and a few that do not.

use std::fmt;

use kernel::of::map::iommu_map;
use kernel::of::phandle::{
    PhandleError, parse_phandle_with_args, parse_phandle_with_fixed_args,
    parse_phandle_with_optional_args,
};
use kernel::of::property::{Arguments, supplier_binding};
use kernel::of::tree::{NodeId, Tree};

/// Properties that name other nodes by phandles alone, and make no device link.
const NO_LINKS: [&str; 3] = ["interrupt-parent", "mmc-pwrseq", "post-init-providers"];

/// How the list in a property is laid out, `None` if the property names no other nodes.
fn arguments_of(tree: &Tree, node: NodeId, property: &str) -> Option<Arguments> {
    let number = property.strip_prefix("pinctrl-");
    let is_pinctrl = number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let others = (is_pinctrl || NO_LINKS.contains(&property)).then_some(Arguments::None);
    supplier_binding(tree, node, property)
        .map(|b| b.arguments)
        .or(others)
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
            let map = iommu_map(tree, node).map(drop);
            return map.map_err(|error| bad(error.cell(), error.to_string()));
        }
    };
    result
        .map(drop)
        .map_err(|error: PhandleError| bad(Some(error.cell()), error.to_string()))
}
