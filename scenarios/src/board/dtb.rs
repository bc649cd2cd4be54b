//! Flattened device trees (blobs), read through the `dtoolkit` crate.
//!
//! `dtoolkit` checks header and structure once and then trusts them; [`check_header`] comes before
//! it with messages that say more, and [`MAX_DEPTH`] bounds the recursion here. A file may be
//! longer than the blob in it, as bootloaders pad; what follows is ignored, as the kernel does.
//!
//! Real blobs have oddities, so only `iommus` and `iommu-map` must resolve. `dtoolkit` refuses
//! blobs whose format is older than version 17 and names longer than 31 characters.

use std::collections::BTreeMap;

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node as _, Property as _};
use kernel::of::tree::{NodeId, Property, Tree};

use super::error::{BlobError, BoardError};
use super::suppliers::validate_iommus;
use super::{Board, FDT_MAGIC, stem};

/// Deepest nesting of nodes, the root being level 1 (`FDT_MAX_DEPTH`, drivers/of/fdt.c).
pub const MAX_DEPTH: usize = 64;
/// Longest blob, in bytes.
pub const MAX_BLOB: usize = 16 << 20;
/// Bytes of `struct fdt_header` (scripts/dtc/libfdt/fdt.h), version 17.
const HEADER: usize = 40;

/// Reads a blob. `file_name` is what errors show.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Board, BoardError> {
    let bad = |(offset, message)| {
        let file_name = file_name.to_owned();
        Box::new(BlobError {
            file_name,
            offset,
            message,
        })
    };
    let blob = check_header(bytes).map_err(bad)?;
    let fdt = Fdt::new(blob)
        .map_err(|error| bad((None, format!("corrupt device tree blob: {error}"))))?;
    let mut tree = Tree::with_root();
    copy_node(&fdt.root(), Tree::ROOT, 1, &mut tree).map_err(bad)?;
    if let Some(error) = validate_iommus(&tree).into_iter().next() {
        return Err(bad((None, error.to_string())).into());
    }
    let labels = symbols(&tree);
    let name = stem(file_name);
    Ok(Board { name, tree, labels })
}

/// A fault and, where it is known, its offset.
type Fault = (Option<usize>, String);

/// The blob in the file, without what may follow it.
fn check_header(bytes: &[u8]) -> Result<&[u8], Fault> {
    let field = |offset: usize| {
        let cell = bytes.get(offset..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*cell) as usize)
    };
    let magic = &bytes[..bytes.len().min(4)];
    if magic != FDT_MAGIC {
        let message = format!("found magic {magic:02x?}, expected {FDT_MAGIC:02x?}");
        return Err((Some(0), message));
    }
    let Some(total) = field(4).filter(|_| bytes.len() >= HEADER) else {
        let message = format!(
            "the file ends after {} bytes, within its header of {HEADER}",
            bytes.len()
        );
        return Err((Some(bytes.len()), message));
    };
    if total > MAX_BLOB {
        let message = format!("the header says {total} bytes, expected at most {MAX_BLOB}");
        return Err((Some(4), message));
    }
    bytes
        .get(..total)
        .filter(|_| total >= HEADER)
        .ok_or_else(|| {
            let message = format!(
                "the header says {total} bytes, the file has {}: truncated or corrupt",
                bytes.len()
            );
            (Some(4), message)
        })
}

/// Copies properties and children of a node.
fn copy_node(from: &FdtNode<'_>, to: NodeId, depth: usize, tree: &mut Tree) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        let message = format!("nodes nest deeper than {MAX_DEPTH} levels");
        return Err((None, message));
    }
    for property in from.properties() {
        tree.nodes[to.0 as usize].properties.push(Property {
            name: property.name().to_owned(),
            value: property.value().to_vec(),
        });
    }
    for child in from.children() {
        let id = tree.add_child(to, child.name());
        copy_node(&child, id, depth + 1, tree)?;
    }
    Ok(())
}

/// Labels, if the blob was built with them.
fn symbols(tree: &Tree) -> BTreeMap<String, NodeId> {
    let Some(symbols) = tree.by_path("/__symbols__") else {
        return BTreeMap::new();
    };
    let properties = tree.node(symbols).properties.iter();
    let resolved = properties.filter_map(|property| {
        let path = tree.string(symbols, &property.name)?;
        Some((property.name.clone(), tree.by_path(&path)?))
    });
    resolved.collect()
}
