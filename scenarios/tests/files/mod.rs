//! The scenarios of this crate, and other files: found, not listed.

use scenarios::litmus::Litmus;
use std::path::{Path, PathBuf};

/// The folder of this crate.
pub(crate) fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.litmus` file of this crate, in alphabetical order.
///
/// # Panics
///
/// If there is none.
pub(crate) fn scenario_files() -> Vec<PathBuf> {
    let files = below(crate_folder(), "litmus");
    assert!(!files.is_empty(), "there are scenarios");
    files
}

/// The files in a folder and those below it with this extension, in alphabetical order.
pub(crate) fn below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a folder can be read to its end").path())
        .collect();
    entries.sort();
    let mut files = vec![];
    for entry in entries {
        if entry.is_dir() && !entry.ends_with("target") {
            files.extend(below(&entry, extension));
        } else if entry.extension().is_some_and(|e| e == extension) {
            files.push(entry);
        }
    }
    files
}

/// The folder of the snapshots.
#[allow(dead_code, reason = "not every test reads snapshots")]
pub(crate) fn snapshots() -> PathBuf {
    crate_folder().join("../snapshots")
}

/// `late-probe-at-bind@v6.16`. Blanks go, and `^` is written out, since a shell may take it for
/// something else.
#[allow(dead_code, reason = "not every test reads snapshots")]
pub(crate) fn snapshot_name(litmus: &Litmus, kernel: &str) -> String {
    let kernel = kernel.replace(' ', "").replace('^', "-parent");
    format!("{}@{kernel}", litmus.name.value)
}

/// The functions that a source of the model names in a call: the string behind the opening
/// parenthesis.
#[allow(dead_code, reason = "not every test reads the model's sources")]
pub(crate) fn functions_of(source: &str) -> impl Iterator<Item = &str> {
    let calls = ["on_device(", "task::call("].into_iter();
    calls
        .flat_map(|call| source.split(call).skip(1))
        .filter_map(|rest| {
            let name = rest.trim_start().strip_prefix('"')?;
            name.split('"').next()
        })
}
