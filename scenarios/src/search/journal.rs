//! What was explored so far, in files: a search that was interrupted goes on from there, and shards
//! put together are one search.
//!
//! A folder has a file for each shard, `rows.ndjson` or `rows-2-of-8.ndjson`. The first line says what
//! it is of; each other is a combination that was explored, written when it is done. A last line
//! without its end was being written when the program was killed, and does not count.

use super::Row;
use super::signature::{Causes, Fault, Signatures};
use crate::shards::Shard;
use checker::engine::schedule::Schedule;
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Error as IoError, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use thiserror::Error;

/// Why a journal cannot be gone on with.
#[derive(Debug, Error, Diagnostic)]
pub enum JournalError {
    /// The system does not let us.
    #[error("{file}: cannot read or write: {reason}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: IoError,
    },
    /// It is no journal, or damaged.
    #[error("{file}:{line}: found no {expected} of a search")]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// It is of another kernel or another build.
    #[error("{file}:1: found rows of {found}, expected those of {expected}; use another folder")]
    Other {
        /// The file.
        file: PathBuf,
        /// Of what it is.
        found: String,
        /// Of what it should be.
        expected: String,
    },
}

/// Of what the rows are: another kernel, or another build of this program, may find something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The kernel.
    pub kernel: String,
    /// A hash of the program.
    pub program: String,
}

impl Of {
    fn text(&self) -> String {
        format!("{} by the program {}", self.kernel, self.program)
    }
}

/// A row as a line.
#[derive(Serialize, Deserialize)]
struct Line {
    combination: String,
    bounded: Option<String>,
    /// At how many states it would have been cut short.
    max_states: u64,
    states: u64,
    outcomes: usize,
    /// What is wrong, a schedule to it, and by what that came about.
    signatures: Vec<(Vec<Fault>, Option<String>, Vec<String>)>,
}

/// A row that was read: all but the combination itself.
#[derive(Clone, Debug)]
pub(super) struct Known {
    bounded: Option<String>,
    max_states: u64,
    states: u64,
    outcomes: usize,
    signatures: Signatures,
    causes: Causes,
}

impl Known {
    /// Whether an exploration up to so many states would find no more.
    fn is_enough(&self, max_states: u64) -> bool {
        self.bounded.is_none() || self.max_states >= max_states
    }
}

/// The rows of a folder, and where new ones go.
#[derive(Debug)]
pub struct Journal {
    known: BTreeMap<String, Known>,
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// Reads all rows of the folder, and opens the file of this shard to go on with it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written, is no journal, or is of another search.
    pub fn open(folder: &Path, shard: Option<Shard>, of: &Of) -> Result<Self, JournalError> {
        let at = |file: &Path| {
            let file = file.to_owned();
            move |reason| JournalError::File { file, reason }
        };
        std::fs::create_dir_all(folder).map_err(at(folder))?;
        let mut known = BTreeMap::new();
        for file in journals(folder).map_err(at(folder))? {
            let text = std::fs::read_to_string(&file).map_err(at(&file))?;
            read(&file, whole_lines(&text), of, &mut known)?;
        }
        let name = match shard {
            None => String::from("rows.ndjson"),
            Some(Shard { number, of }) => format!("rows-{number}-of-{of}.ndjson"),
        };
        let path = folder.join(name);
        let file = begin(&path, of).map_err(at(&path))?;
        Ok(Self {
            known,
            path,
            file: Mutex::new(file),
        })
    }

    /// How many rows there were.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The row of a combination, if it is known well enough.
    pub(super) fn row(&self, combination: &super::Combination, max_states: u64) -> Option<Row> {
        let known = self.known.get(&combination.name())?;
        known.is_enough(max_states).then(|| Row {
            combination: combination.clone(),
            bounded: known.bounded.clone(),
            states: known.states,
            outcomes: known.outcomes,
            signatures: known.signatures.clone(),
            causes: known.causes.clone(),
        })
    }

    /// Writes a row down.
    pub(super) fn add(&self, row: &Row, max_states: u64) -> Result<(), JournalError> {
        let of = |(signature, schedule): (&super::Signature, &Option<Schedule>)| {
            let faults = signature.iter().cloned().collect();
            let causes = row.causes.get(signature).cloned().unwrap_or_default();
            (faults, schedule.as_ref().map(ToString::to_string), causes)
        };
        let line = Line {
            combination: row.combination.name(),
            bounded: row.bounded.clone(),
            max_states,
            states: row.states,
            outcomes: row.outcomes,
            signatures: row.signatures.iter().map(of).collect(),
        };
        let failed = |reason| JournalError::File {
            file: self.path.clone(),
            reason,
        };
        let text = serde_json::to_string(&line).map_err(|e| failed(e.into()))?;
        let mut file = self
            .file
            .lock()
            .map_err(|_| failed(IoError::other("another thread died while it wrote")))?;
        // One call, so that the lines of several programs do not mix.
        file.write_all(format!("{text}\n").as_bytes())
            .map_err(failed)
    }
}

/// All journals of a folder, in the order of their names.
fn journals(folder: &Path) -> Result<Vec<PathBuf>, IoError> {
    let mut files = vec![];
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        let is_of_rows = name == "rows.ndjson" || name.starts_with("rows-");
        if is_of_rows && path.extension().is_some_and(|e| e == "ndjson") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Without a last line that has no end.
fn whole_lines(text: &str) -> &str {
    text.rfind('\n').map_or("", |end| &text[..=end])
}

/// The file with its first line and all whole ones, to be written on.
fn begin(path: &Path, of: &Of) -> Result<File, IoError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(e),
    };
    let whole = whole_lines(&text);
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(whole.len() as u64)?;
    if whole.is_empty() {
        let line = serde_json::to_string(of)?;
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    Ok(file)
}

fn read(
    file: &Path,
    text: &str,
    of: &Of,
    known: &mut BTreeMap<String, Known>,
) -> Result<(), JournalError> {
    let wrong = |line, expected| JournalError::Line {
        file: file.to_owned(),
        line,
        expected,
    };
    let mut lines = text.lines().enumerate();
    let Some((_, first)) = lines.next() else {
        return Ok(());
    };
    let found: Of = serde_json::from_str(first).map_err(|_| wrong(1, "first line"))?;
    if found != *of {
        return Err(JournalError::Other {
            file: file.to_owned(),
            found: found.text(),
            expected: of.text(),
        });
    }
    for (n, line) in lines {
        let row = serde_json::from_str(line).ok().and_then(row);
        let (name, row) = row.ok_or_else(|| wrong(n + 1, "row"))?;
        let is_better = known
            .get(&name)
            .is_none_or(|k: &Known| !k.is_enough(row.max_states));
        if is_better {
            known.insert(name, row);
        }
    }
    Ok(())
}

fn row(line: Line) -> Option<(String, Known)> {
    let mut signatures = Signatures::new();
    let mut causes = Causes::new();
    for (faults, schedule, by) in line.signatures {
        let schedule = match schedule {
            None => None,
            Some(text) => Some(text.parse().ok()?),
        };
        let signature: super::Signature = faults.into_iter().collect();
        if schedule.is_some() {
            causes.insert(signature.clone(), by);
        }
        signatures.insert(signature, schedule);
    }
    let known = Known {
        bounded: line.bounded,
        max_states: line.max_states,
        states: line.states,
        outcomes: line.outcomes,
        signatures,
        causes,
    };
    Some((line.combination, known))
}
