//! Boards that scenarios run on: device trees from text of our own or from real blobs, and machines
//! that ACPI describes.
//!
//! A device tree is text (a subset of device tree source, see [`dts`]) or flattened (see [`dtb`]);
//! the first four bytes of the file decide. Either way the result is the kernel's view of it, a
//! [`Tree`], checked by [`validate`] so that the model never meets a dangling phandle in a property
//! that it follows. A file called `.acpi` is a [`Machine`] (see [`acpi`]).

pub mod acpi;
mod cursor;
pub mod dtb;
pub mod dts;
pub mod error;
mod suppliers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use kernel::acpi::machine::Machine;
use kernel::board::{Board as LaidOut, BoardError as LayoutError};
use kernel::config::Config;
use kernel::of::tree::{NodeId, Tree};

pub use error::BoardError;
pub use suppliers::{ReferenceError, validate};

/// First four bytes of a flattened device tree (`OF_DT_HEADER`, include/linux/of_fdt.h).
pub const FDT_MAGIC: [u8; 4] = [0xd0, 0x0d, 0xfe, 0xed];

/// A device tree or an ACPI machine with a name, and names for its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Name of the file without folder and extension, such as `one-client`.
    pub name: String,
    /// The tree. For an ACPI machine, [`Machine::tree`]: nodes without properties.
    pub tree: Tree,
    /// Nodes by label: those of the text, or the `__symbols__` of a blob built with `dtc -@`.
    pub labels: BTreeMap<String, NodeId>,
    /// The machine, if ACPI describes it.
    pub acpi: Option<Machine>,
}

impl Board {
    /// The board as the kernel reads it.
    pub fn lay_out(&self, config: &Config) -> Result<LaidOut, LayoutError> {
        match &self.acpi {
            Some(machine) => LaidOut::from_acpi(machine, config),
            None => LaidOut::new(&self.tree, config),
        }
    }

    /// The node with this label, or at this absolute path if `name` starts with `/`.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        if name.starts_with('/') {
            self.tree.by_path(name)
        } else {
            self.labels.get(name).copied()
        }
    }

    /// The first label, in alphabetical order, of a node.
    pub fn label(&self, node: NodeId) -> Option<&str> {
        self.labels
            .iter()
            .find(|(_, id)| **id == node)
            .map(|(label, _)| label.as_str())
    }
}

/// Reads a board from a file.
pub fn load(path: &Path) -> Result<Board, BoardError> {
    let file_name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => from_bytes(&file_name, &bytes),
        Err(reason) => Err(BoardError::Read { file_name, reason }),
    }
}

/// Makes a board of the bytes of a file: a blob if they start with [`FDT_MAGIC`] or the file is
/// called `.dtb` or `.dtbo`, else text: of an ACPI machine if the file is called `.acpi`, else of
/// a device tree. `file_name` is what errors show.
pub fn from_bytes(file_name: &str, bytes: &[u8]) -> Result<Board, BoardError> {
    let extension = Path::new(file_name).extension();
    let called_blob = extension.is_some_and(|e| e == "dtb" || e == "dtbo");
    if called_blob || bytes.starts_with(&FDT_MAGIC) {
        return dtb::parse(file_name, bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if extension.is_some_and(|e| e == "acpi") => Ok(acpi::parse(file_name, text)?),
        Ok(text) => parse_dts(file_name, text),
        Err(error) => {
            let text = String::from_utf8_lossy(bytes);
            Err(dts::not_utf8(file_name, &text, error.valid_up_to()).into())
        }
    }
}

/// Makes a board of text. `file_name` is what errors show.
pub fn parse_dts(file_name: &str, text: &str) -> Result<Board, BoardError> {
    let parsed = dts::parse(file_name, text)?;
    match validate(&parsed.board.tree).into_iter().next() {
        None => Ok(parsed.board),
        Some(error) => Err(parsed.origins.locate(file_name, text, &error).into()),
    }
}

/// `boards/one-client.dts` gives `one-client`.
fn stem(file_name: &str) -> String {
    let stem = Path::new(file_name).file_stem();
    stem.map_or_else(
        || file_name.to_owned(),
        |s| s.to_string_lossy().into_owned(),
    )
}
