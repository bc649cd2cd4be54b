//! The folder that a site is written into.

use super::File;
use miette::Diagnostic;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// In every folder that has a site: what it is, and the files that belong to it.
const MARKER: &str = ".probe-litmus-report";
/// The marker's first line.
const TITLE: &str = "probe-litmus report, files:";

/// A folder that a site may be written into: new, empty, or with an earlier site in it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The files of the earlier site.
    earlier: Vec<String>,
}

/// Why a site cannot be written.
#[derive(Debug, Error, Diagnostic)]
pub enum FolderError {
    /// Somebody else's files are there.
    #[error(
        "--output {}: found files that are no earlier report, such as `{example}`; \
         expected a new folder, an empty one, or one with a report",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The first of the files by name.
        example: String,
    },
    /// The marker is not one of ours.
    #[error("--output {}:{line}: found `{found}`, expected {expected}", path.display())]
    Marker {
        /// The marker.
        path: PathBuf,
        /// Number of the line.
        line: usize,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// The system says no.
    #[error("--output {}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        reason: io::Error,
    },
}

impl Folder {
    /// Looks at a folder, and makes it if it is not there. Nothing in it is changed yet.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let io = |reason| FolderError::Io {
            path: path.to_owned(),
            reason,
        };
        std::fs::create_dir_all(path).map_err(io)?;
        let mut names = vec![];
        for entry in std::fs::read_dir(path).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            names.push(name.to_string_lossy().into_owned());
        }
        names.sort();
        let mut folder = Self {
            path: path.to_owned(),
            earlier: vec![],
        };
        if names.iter().any(|n| n == MARKER) {
            folder.earlier = folder.read_marker()?;
        } else if let Some(example) = names.into_iter().next() {
            let path = folder.path;
            return Err(FolderError::Foreign { path, example });
        }
        Ok(folder)
    }

    /// Takes the earlier site away and writes this one. Files that are no part of it stay.
    pub fn write(&self, files: &[File]) -> Result<(), FolderError> {
        for name in &self.earlier {
            let path = self.path.join(name);
            match std::fs::remove_file(&path) {
                Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                    return Err(FolderError::Io { path, reason });
                }
                _ => {}
            }
        }
        // First of all, so that a site that was not written to its end can be written again.
        let names: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
        self.write_one(MARKER, &format!("{TITLE}\n{}\n", names.join("\n")))?;
        for file in files {
            self.write_one(&file.path, &file.content)?;
        }
        Ok(())
    }

    fn write_one(&self, name: &str, content: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        let parent = path.parent().unwrap_or(&self.path);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, content));
        written.map_err(|reason| FolderError::Io { path, reason })
    }

    fn read_marker(&self) -> Result<Vec<String>, FolderError> {
        let path = self.path.join(MARKER);
        let text = std::fs::read_to_string(&path).map_err(|reason| FolderError::Io {
            path: path.clone(),
            reason,
        })?;
        let mut lines = text.lines().enumerate();
        let wrong = |line: usize, found: &str, expected| FolderError::Marker {
            path: path.clone(),
            line: line + 1,
            found: found.to_owned(),
            expected,
        };
        let title = lines.next().map_or("", |(_, line)| line);
        if title != TITLE {
            return Err(wrong(0, title, "the mark of a report"));
        }
        let mut files = vec![];
        for (i, name) in lines {
            // What is taken away later is in this folder and nowhere else.
            let is_inside = name
                .split('/')
                .all(|part| !["", ".", ".."].contains(&part) && !part.contains('\\'));
            if !is_inside {
                return Err(wrong(i, name, "a file of the report"));
            }
            files.push(name.to_owned());
        }
        Ok(files)
    }
}
