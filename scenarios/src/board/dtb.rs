//! Flattened device trees (blobs), read through the `dtoolkit` crate.
//!
//! The whole blob is checked here first, with messages that give offset and cause, and only then
//! handed to `dtoolkit`, which trusts what it is given ([`Fdt::new_unchecked`]). Its own check
//! ([`Fdt::new`]) will not do: it refuses names longer than 31 characters, which dtc and the
//! kernel accept and real boards have. Nor does it bound the nesting.
//!
//! A file may be longer than the blob in it, as bootloaders pad; what follows is ignored, as the
//! kernel does. Real blobs have oddities, so only `iommus` and `iommu-map` must resolve. Formats
//! older than version 17 are refused.

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
    Checker::new(blob)
        .and_then(|mut checker| checker.structure())
        .map_err(bad)?;
    let fdt = Fdt::new_unchecked(blob);
    let mut tree = Tree::with_root();
    copy_node(&fdt.root(), Tree::ROOT, &mut tree);
    if let Some(error) = validate_iommus(&tree).into_iter().next() {
        return Err(bad((None, error.to_string())).into());
    }
    let labels = symbols(&tree);
    let name = stem(file_name);
    Ok(Board {
        name,
        tree,
        labels,
        acpi: None,
    })
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

/// Walks over the structure block, as `fdt_next_tag()` of libfdt (scripts/dtc/libfdt/fdt.c) does.
struct Checker<'a> {
    blob: &'a [u8],
    /// The strings block: names of properties.
    strings: &'a [u8],
    /// Offset of the next token.
    at: usize,
    /// Offset of the end of the structure block.
    end: usize,
}

/// Tokens of the structure block (scripts/dtc/libfdt/fdt.h).
const FDT_BEGIN_NODE: u32 = 1;
const FDT_END_NODE: u32 = 2;
const FDT_PROP: u32 = 3;
const FDT_NOP: u32 = 4;
const FDT_END: u32 = 9;

impl<'a> Checker<'a> {
    /// Finds the blocks. The blob is at least as long as its header.
    fn new(blob: &'a [u8]) -> Result<Self, Fault> {
        let field =
            |at: usize| u32::from_be_bytes([blob[at], blob[at + 1], blob[at + 2], blob[at + 3]]);
        let (version, compatible) = (field(20), field(24));
        if version < 17 || compatible > 17 {
            let message = format!(
                "found format version {version} (compatible with {compatible}), expected 17"
            );
            return Err((Some(20), message));
        }
        let block = |offset_at: usize, size_at: usize, what: &str| {
            let (start, size) = (field(offset_at) as usize, field(size_at) as usize);
            let end = start.saturating_add(size);
            if start < HEADER || end > blob.len() {
                let message =
                    format!("the {what} block, {size} bytes from {start:#x}, is not in the blob");
                return Err((Some(offset_at), message));
            }
            Ok((start, end))
        };
        let (at, end) = block(8, 36, "structure")?;
        let (strings, strings_end) = block(12, 32, "strings")?;
        if !at.is_multiple_of(4) {
            let message =
                format!("the structure block starts at {at:#x}, expected a multiple of 4");
            return Err((Some(8), message));
        }
        let strings = &blob[strings..strings_end];
        Ok(Self {
            blob,
            strings,
            at,
            end,
        })
    }

    /// One root and all that is in it, then the end.
    fn structure(&mut self) -> Result<(), Fault> {
        let mut depth = 0;
        let mut after_child = false;
        loop {
            let token_at = self.at;
            let fault = |message: String| Err((Some(token_at), message));
            match self.cell()? {
                FDT_NOP => {}
                FDT_BEGIN_NODE if depth == MAX_DEPTH => {
                    return fault(format!("nodes nest deeper than {MAX_DEPTH} levels"));
                }
                FDT_BEGIN_NODE => {
                    self.node_name(depth == 0)?;
                    depth += 1;
                    after_child = false;
                }
                FDT_PROP if depth == 0 || after_child => {
                    return fault(
                        "found a property, expected it at the start of a node".to_owned(),
                    );
                }
                FDT_PROP => self.property()?,
                FDT_END_NODE if depth == 1 => return self.tail(),
                FDT_END_NODE if depth > 1 => {
                    depth -= 1;
                    after_child = true;
                }
                token => {
                    return fault(format!(
                        "found token {token:#x}, expected the start or end of a node, or a property"
                    ));
                }
            }
        }
    }

    /// What may follow the root.
    fn tail(&mut self) -> Result<(), Fault> {
        loop {
            let at = self.at;
            match self.cell()? {
                FDT_NOP => {}
                FDT_END => return Ok(()),
                token => {
                    let message =
                        format!("found token {token:#x} after the root node, expected the end");
                    return Err((Some(at), message));
                }
            }
        }
    }

    fn node_name(&mut self, is_root: bool) -> Result<(), Fault> {
        let start = self.at;
        let name = string_at(&self.blob[start..self.end]);
        let Some(name) = name.filter(|name| name.is_empty() == is_root && !name.contains('/'))
        else {
            let expected = if is_root {
                "the root's, which is empty"
            } else {
                "text without `/`"
            };
            return Err((
                Some(start),
                format!("found no node name, expected {expected}"),
            ));
        };
        self.skip(name.len() + 1)
    }

    fn property(&mut self) -> Result<(), Fault> {
        let length = self.cell()? as usize;
        let name_at = self.at;
        let name = self.cell()? as usize;
        let name = self.strings.get(name..).and_then(string_at);
        if name.is_none_or(str::is_empty) {
            let message = "found no property name at this place of the strings block".to_owned();
            return Err((Some(name_at), message));
        }
        self.skip(length)
    }

    fn cell(&mut self) -> Result<u32, Fault> {
        let start = self.at;
        self.skip(4)?;
        let cell = self.blob[start..].first_chunk::<4>();
        Ok(cell.map_or(0, |cell| u32::from_be_bytes(*cell)))
    }

    /// Goes on by so many bytes and what is needed to get to the next token.
    fn skip(&mut self, length: usize) -> Result<(), Fault> {
        let next = self.at.saturating_add(length);
        if next > self.end {
            let message = format!(
                "found {} bytes up to the end of the structure block, expected {length}",
                self.end - self.at
            );
            return Err((Some(self.at), message));
        }
        self.at = next.next_multiple_of(4).min(self.end);
        Ok(())
    }
}

/// The text up to the first zero byte.
fn string_at(bytes: &[u8]) -> Option<&str> {
    std::ffi::CStr::from_bytes_until_nul(bytes)
        .ok()?
        .to_str()
        .ok()
}

/// Copies properties and children of a node. The nesting has been checked.
fn copy_node(from: &FdtNode<'_>, to: NodeId, tree: &mut Tree) {
    for property in from.properties() {
        tree.nodes[to.0 as usize].properties.push(Property {
            name: property.name().to_owned(),
            value: property.value().to_vec(),
        });
    }
    for child in from.children() {
        let id = tree.add_child(to, child.name());
        copy_node(&child, id, tree);
    }
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
