//! Files in folders.

use std::io;
use std::path::{Path, PathBuf};

/// What becomes of links to folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// They are gone into.
    Follow,
    /// They are left out.
    Skip,
}

/// The files in a folder and below it with one of these extensions, in alphabetical order folder by
/// folder; or the folder that cannot be read, and why.
pub(crate) fn files_below(
    folder: &Path,
    extensions: &[&str],
    links: Links,
) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let read = || {
        std::fs::read_dir(folder)?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<io::Result<Vec<_>>>()
    };
    let mut entries = read().map_err(|e| (folder.to_owned(), e))?;
    entries.sort();
    let mut files = vec![];
    for entry in entries {
        if entry.is_dir() {
            if links == Links::Follow || !entry.is_symlink() {
                files.extend(files_below(&entry, extensions, links)?);
            }
        } else if entry
            .extension()
            .is_some_and(|e| extensions.iter().any(|x| e == *x))
        {
            files.push(entry);
        }
    }
    Ok(files)
}
