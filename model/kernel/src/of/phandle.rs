//! Lists of phandles with arguments, such as `iommus = <&smmu0 1>, <&smmu0 2>`.
//!
//! Follows `of_phandle_iterator_next()` and its callers in drivers/of/base.c. Left out: reference
//! counts of nodes, the `MAX_PHANDLE_ARGS` limit, and lookup of one entry by index; callers get the
//! whole list, and so the first fault in it instead of the entries before the fault. A dangling
//! phandle in a list of a fixed count is a fault here; there it is an entry without a node.

use std::fmt;

use super::tree::{NodeId, Tree};

/// One entry of a list: `struct of_phandle_args` in include/linux/of.h.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhandleArgs {
    /// The node that the phandle names.
    pub node: NodeId,
    /// The cells after the phandle, as many as the node's `#...-cells` says.
    pub args: Vec<u32>,
}

/// Why a list cannot be read. All of them are -EINVAL in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhandleError {
    /// No node carries this phandle.
    NoSuchPhandle {
        /// Index of the phandle among the cells of the list.
        cell: usize,
        /// Its value.
        phandle: u32,
    },
    /// The named node does not say how many cells follow.
    NoCellsProperty {
        /// Index of the phandle among the cells of the list.
        cell: usize,
        /// Path of the node that the phandle names.
        target: String,
        /// The property that it lacks.
        cells_name: String,
    },
    /// The list ends before the arguments do.
    TooFewCells {
        /// Index of the phandle among the cells of the list.
        cell: usize,
        /// Path of the node that the phandle names.
        target: String,
        /// Arguments that should follow.
        expected: usize,
        /// Arguments that do follow.
        found: usize,
    },
}

impl PhandleError {
    /// Index, among the cells of the list, of the phandle of the bad entry.
    pub fn cell(&self) -> usize {
        match self {
            Self::NoSuchPhandle { cell, .. }
            | Self::NoCellsProperty { cell, .. }
            | Self::TooFewCells { cell, .. } => *cell,
        }
    }
}

impl fmt::Display for PhandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPhandle { phandle, .. } => write!(f, "no node has phandle {phandle:#x}"),
            Self::NoCellsProperty {
                target, cells_name, ..
            } => write!(f, "{target} has no {cells_name}"),
            Self::TooFewCells {
                target,
                expected,
                found,
                ..
            } => {
                write!(
                    f,
                    "{target} takes {expected} cells after its phandle, found {found}"
                )
            }
        }
    }
}

impl std::error::Error for PhandleError {}

/// How many cells follow a phandle.
#[derive(Clone, Copy)]
enum ArgCount<'a> {
    /// What the named node says in this property; an error if it says nothing.
    Cells(&'a str),
    /// The same, but nothing said means none.
    OptionalCells(&'a str),
    /// Always as many.
    Fixed(usize),
}

/// `of_parse_phandle_with_args()` over all entries of a list.
///
/// A phandle of 0 is a hole: the kernel answers -ENOENT for that index and goes on, and here the
/// hole is skipped, so positions in the answer are not indices into the list once there are holes.
/// A node without the property has the empty list.
pub fn parse_phandle_with_args(
    tree: &Tree,
    node: NodeId,
    list_name: &str,
    cells_name: &str,
) -> Result<Vec<PhandleArgs>, PhandleError> {
    parse_list(tree, node, list_name, ArgCount::Cells(cells_name))
}

/// `of_parse_phandle_with_optional_args()` over all entries: a named node without `cells_name`
/// takes no arguments.
pub fn parse_phandle_with_optional_args(
    tree: &Tree,
    node: NodeId,
    list_name: &str,
    cells_name: &str,
) -> Result<Vec<PhandleArgs>, PhandleError> {
    parse_list(tree, node, list_name, ArgCount::OptionalCells(cells_name))
}

/// `of_parse_phandle_with_fixed_args()` over all entries: `count` cells follow each phandle.
pub fn parse_phandle_with_fixed_args(
    tree: &Tree,
    node: NodeId,
    list_name: &str,
    count: usize,
) -> Result<Vec<PhandleArgs>, PhandleError> {
    parse_list(tree, node, list_name, ArgCount::Fixed(count))
}

/// `of_phandle_iterator_next()` until the end of the list.
fn parse_list(
    tree: &Tree,
    node: NodeId,
    list_name: &str,
    count: ArgCount<'_>,
) -> Result<Vec<PhandleArgs>, PhandleError> {
    let cells = tree.cells(node, list_name).unwrap_or_default();
    let mut entries = vec![];
    let mut cell = 0;
    while let Some(&phandle) = cells.get(cell) {
        let rest = &cells[cell + 1..];
        if phandle == 0 {
            cell += 1;
            continue;
        }
        let Some(target) = tree.by_phandle(phandle) else {
            return Err(PhandleError::NoSuchPhandle { cell, phandle });
        };
        let expected = arg_count(tree, target, cell, count)?;
        let Some(args) = rest.get(..expected) else {
            let (target, found) = (tree.path(target), rest.len());
            return Err(PhandleError::TooFewCells {
                cell,
                target,
                expected,
                found,
            });
        };
        entries.push(PhandleArgs {
            node: target,
            args: args.to_vec(),
        });
        cell += 1 + expected;
    }
    Ok(entries)
}

/// The number of cells that `target` takes after its phandle.
fn arg_count(
    tree: &Tree,
    target: NodeId,
    cell: usize,
    count: ArgCount<'_>,
) -> Result<usize, PhandleError> {
    match count {
        ArgCount::Fixed(count) => Ok(count),
        ArgCount::OptionalCells(name) => Ok(tree.cell(target, name).unwrap_or(0) as usize),
        ArgCount::Cells(name) => match tree.cell(target, name) {
            Some(count) => Ok(count as usize),
            None => Err(PhandleError::NoCellsProperty {
                cell,
                target: tree.path(target),
                cells_name: name.to_owned(),
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::of::tree::Property;

    fn set(tree: &mut Tree, node: NodeId, name: &str, cells: &[u32]) {
        let value = cells.iter().flat_map(|c| c.to_be_bytes()).collect();
        let name = name.to_owned();
        tree.nodes[node.0 as usize]
            .properties
            .push(Property { name, value });
    }

    /// Two IOMMUs (phandles 1 and 2, with 1 and 2 cells), one node (3) that is none, one client.
    fn tree(iommus: &[u32]) -> (Tree, NodeId) {
        let mut tree = Tree::with_root();
        for (name, phandle, cells) in [
            ("a", 1, Some(1)),
            ("b", 2, Some(2)),
            ("c", 3, None),
            ("d", 4, Some(u32::MAX)),
        ] {
            let node = tree.add_child(Tree::ROOT, name);
            set(&mut tree, node, "phandle", &[phandle]);
            if let Some(cells) = cells {
                set(&mut tree, node, "#iommu-cells", &[cells]);
            }
        }
        let client = tree.add_child(Tree::ROOT, "client");
        set(&mut tree, client, "iommus", iommus);
        (tree, client)
    }

    /// Node and arguments of each entry, or the error.
    type Expected = Result<&'static [(u32, &'static [u32])], &'static str>;

    #[test]
    fn lists() {
        #[rustfmt::skip]
        let table: &[(&[u32], Expected)] = &[
            (&[], Ok(&[])),
            (&[1, 7], Ok(&[(1, &[7])])),
            (&[2, 7, 8, 1, 9], Ok(&[(2, &[7, 8]), (1, &[9])])),
            (&[0, 1, 7, 0], Ok(&[(1, &[7])])),
            (&[9], Err("no node has phandle 0x9")),
            (&[1, 7, 3], Err("/c has no #iommu-cells")),
            (&[2, 7], Err("/b takes 2 cells after its phandle, found 1")),
            (&[4, 7], Err("/d takes 4294967295 cells after its phandle, found 1")),
        ];
        for (cells, expected) in table {
            let (tree, client) = tree(cells);
            let got = parse_phandle_with_args(&tree, client, "iommus", "#iommu-cells");
            let expected = expected
                .map(|list| {
                    list.iter()
                        .map(|(node, args)| PhandleArgs {
                            node: NodeId(*node),
                            args: args.to_vec(),
                        })
                        .collect::<Vec<_>>()
                })
                .map_err(str::to_owned);
            assert_eq!(got.map_err(|e| e.to_string()), expected, "{cells:?}");
        }
    }

    #[test]
    fn fixed_and_optional_counts() {
        let (tree, client) = tree(&[3, 1]);
        let fixed = parse_phandle_with_fixed_args(&tree, client, "iommus", 0).map(|l| l.len());
        assert_eq!(fixed, Ok(2));
        let error =
            parse_phandle_with_optional_args(&tree, client, "iommus", "#iommu-cells").unwrap_err();
        assert_eq!(error.cell(), 1);
        assert_eq!(
            parse_phandle_with_args(&tree, client, "absent", "#x-cells"),
            Ok(vec![])
        );
    }
}
