//! `iommu-map`: which IOMMU, and which stream, stands behind a number of a bus such as a PCI
//! requester ID.
//!
//! Follows of_map_id() in drivers/of/base.c of v7.2, where an entry has as many output cells as
//! `#iommu-cells` of its IOMMU says. Before ccb2fd725d41 ("of: Respect #{iommu,msi}-cells in maps")
//! it was always one: the same for every IOMMU with one cell. Left out: `msi-map`, and
//! MAX_PHANDLE_ARGS.

use crate::of::tree::{NodeId, Tree};
use thiserror::Error;

/// One entry of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapEntry {
    /// The first number.
    pub id_base: u32,
    /// How many there are.
    pub length: u32,
    /// The IOMMU.
    pub target: NodeId,
    /// What the first number becomes: as many cells as the IOMMU takes.
    pub output: Vec<u32>,
}

/// Why a map cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MapError {
    /// Not a whole number of entries.
    #[error(
        "{0} cells are not a whole number of entries (input base, phandle, output base, length)"
    )]
    Length(usize),
    /// No node carries the phandle.
    #[error("no node has phandle {phandle:#x}")]
    NoSuchPhandle {
        /// Index of the phandle among the cells of the map.
        cell: usize,
        /// Its value.
        phandle: u32,
    },
    /// The named node is no IOMMU.
    #[error("{target} has no #iommu-cells")]
    NoCellsProperty {
        /// Index of the phandle among the cells of the map.
        cell: usize,
        /// Path of the node.
        target: String,
    },
}

impl MapError {
    /// Index, among the cells of the map, of the phandle of the bad entry.
    pub fn cell(&self) -> Option<usize> {
        match self {
            Self::Length(_) => None,
            Self::NoSuchPhandle { cell, .. } | Self::NoCellsProperty { cell, .. } => Some(*cell),
        }
    }
}

/// The entries of a node's `iommu-map`; none if it has no such property.
pub fn iommu_map(tree: &Tree, node: NodeId) -> Result<Vec<MapEntry>, MapError> {
    let Some(bytes) = tree.property(node, "iommu-map") else {
        return Ok(vec![]);
    };
    let cells = tree.cells(node, "iommu-map").unwrap_or_default();
    let bad_length = MapError::Length(cells.len());
    if cells.is_empty() || !bytes.len().is_multiple_of(4) {
        return Err(bad_length);
    }
    let mut entries = vec![];
    let mut one_cell = false;
    let mut at = 0;
    while at < cells.len() {
        let [id_base, phandle, ..] = cells[at..] else {
            return Err(bad_length);
        };
        let target = tree.by_phandle(phandle).ok_or(MapError::NoSuchPhandle {
            cell: at + 1,
            phandle,
        })?;
        let Some(mut width) = tree.cell(target, "#iommu-cells") else {
            let target = tree.path(target);
            return Err(MapError::NoCellsProperty {
                cell: at + 1,
                target,
            });
        };
        one_cell |= at == 0 && width == 2 && is_bad_map(&cells);
        if one_cell {
            width = 1;
        }
        let rest = &cells[at + 2..];
        let width = width as usize;
        let (Some(output), Some(length)) = (rest.get(..width), rest.get(width)) else {
            return Err(bad_length);
        };
        entries.push(MapEntry {
            id_base,
            length: *length,
            target,
            output: output.to_vec(),
        });
        at += 3 + width;
    }
    Ok(entries)
}

/// of_check_bad_map(): entries of one cell for an IOMMU of two, one number each.
fn is_bad_map(cells: &[u32]) -> bool {
    cells.len().is_multiple_of(4)
        && cells
            .chunks_exact(4)
            .all(|entry| entry[1] == cells[1] && entry[3] == 1)
}

/// Where a number of the bus goes: the IOMMU and its cells, `None` if it passes by all IOMMUs, or
/// the map does not hold for it (`iommu-map-mask` hides a base; several cells for a range).
pub fn of_map_id(tree: &Tree, node: NodeId, id: u32) -> Option<(NodeId, Vec<u32>)> {
    let mask = tree.cell(node, "iommu-map-mask").unwrap_or(u32::MAX);
    let id = id & mask;
    for entry in iommu_map(tree, node).ok()? {
        if entry.id_base & !mask != 0 {
            return None;
        }
        let Some(offset) = id.checked_sub(entry.id_base) else {
            continue;
        };
        if offset >= entry.length {
            continue;
        }
        if entry.length > 1 && entry.output.len() > 1 {
            return None;
        }
        let output = entry.output.iter().map(|o| o.wrapping_add(offset));
        return Some((entry.target, output.collect()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::of::tree::Property;

    fn set(tree: &mut Tree, node: NodeId, name: &str, cells: &[u32]) {
        let value = cells.iter().flat_map(|c| c.to_be_bytes()).collect();
        let name = name.to_owned();
        let properties = &mut tree.nodes[node.0 as usize].properties;
        properties.push(Property { name, value });
    }

    /// IOMMUs with phandles 1 and 2 and as many cells, node 3 with none of either, a bus.
    fn tree(map: &[u32]) -> (Tree, NodeId) {
        let mut tree = Tree::with_root();
        for (name, phandle) in [("one", 1), ("two", 2)] {
            let node = tree.add_child(Tree::ROOT, name);
            set(&mut tree, node, "phandle", &[phandle]);
            set(&mut tree, node, "#iommu-cells", &[phandle]);
        }
        let other = tree.add_child(Tree::ROOT, "other");
        set(&mut tree, other, "phandle", &[3]);
        let bus = tree.add_child(Tree::ROOT, "pcie");
        set(&mut tree, bus, "iommu-map", map);
        (tree, bus)
    }

    /// Where a number goes.
    type Mapped = Option<(NodeId, Vec<u32>)>;

    #[test]
    fn numbers_are_mapped_as_of_map_id_does() {
        let (one, two) = (NodeId(1), NodeId(2));
        #[rustfmt::skip]
        let table: &[(&[u32], u32, Mapped)] = &[
            (&[0, 1, 0x100, 0x10], 5, Some((one, vec![0x105]))),
            (&[0, 1, 0x100, 0x10], 0x10, None),
            (&[8, 1, 0x100, 0x10], 7, None),
            (&[0, 1, 7, 1, 1, 1, 9, 1], 1, Some((one, vec![9]))),
            // Two cells, one number.
            (&[4, 2, 7, 8, 1], 4, Some((two, vec![7, 8]))),
            // Two cells for a range: nobody knows which of them counts.
            (&[0, 2, 7, 8, 2], 1, None),
            // An old tree: one cell for an IOMMU of two.
            (&[0, 2, 7, 1, 1, 2, 9, 1], 1, Some((two, vec![9]))),
        ];
        for (map, id, expected) in table {
            let (tree, bus) = tree(map);
            assert_eq!(of_map_id(&tree, bus, *id), *expected, "{map:x?} {id:#x}");
        }
    }

    #[test]
    fn the_mask_hides_bits_of_the_number_and_may_not_hide_those_of_a_base() {
        let (mut masked, bus) = tree(&[0, 1, 0x100, 0x10]);
        set(&mut masked, bus, "iommu-map-mask", &[0xf0f]);
        assert_eq!(
            of_map_id(&masked, bus, 0x75),
            Some((NodeId(1), vec![0x105]))
        );
        let (mut masked, bus) = tree(&[0x10, 1, 0x100, 0x10]);
        set(&mut masked, bus, "iommu-map-mask", &[0xf0f]);
        assert_eq!(of_map_id(&masked, bus, 0x10), None);
    }

    #[test]
    fn faults_are_named() {
        let table: &[(&[u32], &str)] = &[
            (&[], "0 cells are not a whole number of entries"),
            (&[0], "1 cells are not"),
            (&[0, 1, 2], "3 cells are not"),
            (&[0, 1, 2, 3, 4], "5 cells are not"),
            (&[0, 2, 7, 8], "4 cells are not"),
            (&[0, 9, 0, 1], "no node has phandle 0x9"),
            (&[0, 3, 0, 1], "/other has no #iommu-cells"),
        ];
        for (map, expected) in table {
            let (tree, bus) = tree(map);
            let error = iommu_map(&tree, bus).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{map:?}: {error}");
        }
    }
}
