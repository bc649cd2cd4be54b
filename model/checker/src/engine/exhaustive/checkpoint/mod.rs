//! Checkpoints: a search in a file, to go on from there.
//!
//! In order: what file this is and of which version ([`FORMAT`]); what is explored and how, in
//! words ([`Identity`]); whether the search has begun; what the round knows, and what it has
//! found and left, see [`content`]; a checksum of all. The file is written beside its place and
//! then put there, so that there is a whole one at any time.

mod content;

use super::codec::{Damage, Malformed, Reader, Writer};
use super::options::{CheckpointFile, Options};
use super::worker::Worker;
use crate::engine::machine::Machine;
use crate::hash::Rolling;
use crate::layout::{CellId, Layout};
use crate::model::Model;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What the file begins with.
const MAGIC: [u8; 24] = *b"probe-litmus checkpoint\n";
/// The version of the format. Goes up with each change of what is written.
const FORMAT: u32 = 9;

/// What is wrong with a checkpoint.
#[derive(Debug)]
pub struct CheckpointError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a checkpoint.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read or written.
    Io(io::Error),
    /// It is no checkpoint.
    NoCheckpoint,
    /// It is of a version that is not known here.
    Version {
        /// The version found.
        found: u32,
        /// The only one that is known.
        expected: u32,
    },
    /// It is not as it was written.
    Damaged {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// It is one of something else, or of a search with other options.
    Foreign {
        /// What differs.
        what: String,
        /// What the file says.
        found: String,
        /// What is explored now.
        expected: String,
    },
    /// The model does not do what it did when the checkpoint was written.
    OtherModel,
    /// A search without merging or automata, or an exact one, has no checkpoints.
    Unsupported,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Io(error) => write!(f, "{error}"),
            Problem::NoCheckpoint => f.write_str("is no checkpoint of probe-litmus"),
            Problem::Version { found, expected } => write!(
                f,
                "a checkpoint of format {found}, but only format {expected} is known"
            ),
            Problem::Damaged { found, expected } => {
                write!(f, "damaged: found {found}, expected {expected}")
            }
            Problem::Foreign {
                what,
                found,
                expected,
            } => write!(
                f,
                "a checkpoint of something else: its {what} is `{found}`, not `{expected}`"
            ),
            Problem::OtherModel => f.write_str(
                "the model does not do what it did when the checkpoint was written: expected the \
                 same build",
            ),
            Problem::Unsupported => f.write_str(
                "there are no checkpoints of a search without merging or automata, with sleep \
                 sets, nor of an exact one",
            ),
        }
    }
}

impl std::error::Error for CheckpointError {}

impl CheckpointError {
    pub(super) fn new(file: &Path, problem: Problem) -> Self {
        let file = file.to_owned();
        Self { file, problem }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Io(error)
    }
}

impl From<Malformed> for Problem {
    fn from(_: Malformed) -> Self {
        Problem::Damaged {
            found: "something that does not belong there".to_owned(),
            expected: "the content of a checkpoint".to_owned(),
        }
    }
}

impl From<Damage> for Problem {
    fn from(damage: Damage) -> Self {
        Problem::Damaged {
            found: damage.found,
            expected: damage.expected,
        }
    }
}

/// What is explored and how: what must be the same when a search goes on.
pub(super) struct Identity(Vec<(&'static str, String)>);

impl Identity {
    pub(super) fn new<M: Model>(layout: &Layout, machine: &Machine<M>, options: &Options) -> Self {
        let model = fingerprint(layout, machine);
        Self(vec![
            ("label", options.label.clone()),
            ("checker version", env!("CARGO_PKG_VERSION").to_owned()),
            ("model", format!("{model:032x}")),
            ("options", relevant(options)),
        ])
    }

    /// Writes the checkpoint of a search that has not begun.
    pub(super) fn write_beginning(&self, file: &CheckpointFile) -> Result<(), CheckpointError> {
        self.replace(file, |out| out.flag(false))
    }

    /// Writes the checkpoint of a search whose workers have all stopped.
    pub(super) fn write<M: Model>(
        &self,
        file: &CheckpointFile,
        leader: &Worker<'_, M>,
        restarts: u64,
    ) -> Result<(), CheckpointError> {
        self.replace(file, |out| {
            out.flag(true);
            content::save(out, leader, restarts);
        })
    }

    fn replace(
        &self,
        file: &CheckpointFile,
        write: impl FnOnce(&mut Writer),
    ) -> Result<(), CheckpointError> {
        let path = &file.path;
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let replaced = File::create(&beside).and_then(|new| {
            let mut out = Writer::new(new);
            out.bytes(&MAGIC);
            out.u32(FORMAT);
            out.list(&self.0, |out, (what, is)| {
                out.text(what);
                out.text(is);
            });
            write(&mut out);
            out.finish()?;
            std::fs::rename(&beside, path)?;
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        });
        replaced.map_err(|error| CheckpointError::new(path, error.into()))
    }

    /// Compares what the file says with what is to be explored.
    fn compare(&self, from: &mut Reader) -> Result<(), Problem> {
        let found = from.list(|from| Ok((from.text()?, from.text()?)))?;
        if found.len() != self.0.len() {
            return Err(Malformed.into());
        }
        for ((what, is), (expected_what, expected)) in found.into_iter().zip(&self.0) {
            if what != *expected_what || is != *expected {
                return Err(Problem::Foreign {
                    what,
                    found: is,
                    expected: expected.clone(),
                });
            }
        }
        Ok(())
    }
}

/// A hash of the world and of what its tasks run, as the set-up leaves them.
fn fingerprint<M: Model>(layout: &Layout, machine: &Machine<M>) -> u128 {
    let mut hash = Rolling::default();
    for cell in layout.cells() {
        hash.push_str(&cell.object);
        hash.push_str(cell.field);
        hash.push_str(&format!("{:?} {}", cell.kind, cell.span));
    }
    for lock in layout.locks() {
        hash.push_str(&lock.object);
        hash.push_str(lock.class);
        hash.push_str(&format!("{:?}", lock.kind));
    }
    machine.reset();
    for word in machine.world().span(CellId(0), layout.cells().len()) {
        hash.push(*word);
    }
    for task in machine.tasks() {
        hash.push(u64::from(task.entry.kind));
        hash.push(task.entry.arg);
    }
    hash.finish()
}

/// The options that decide what a search finds, and in which order.
fn relevant(options: &Options) -> String {
    let Options {
        lock_aware,
        checkpoints,
        transactions,
        persistent_sets,
        live_variables,
        weak_memory,
        share_after,
        preemption_bound,
        fingerprint_bits,
        ..
    } = options;
    format!(
        "lock_aware={lock_aware} checkpoints={checkpoints} transactions={transactions} \
         persistent_sets={persistent_sets} live_variables={live_variables} \
         weak_memory={weak_memory} share_after={share_after} preemption_bound={preemption_bound:?} \
         fingerprint_bits={fingerprint_bits}"
    )
}

/// A checkpoint that is read.
pub(super) struct Checkpoint {
    path: PathBuf,
    from: Reader,
    content: content::Content,
}

impl Checkpoint {
    /// Opens a file and checks that it is whole, and a checkpoint of what is to be explored.
    /// `None` if that search had not begun.
    pub(super) fn open(path: &Path, identity: &Identity) -> Result<Option<Self>, CheckpointError> {
        let open = || {
            let mut from = Reader::new(File::open(path)?)?;
            if from.array().ok() != Some(MAGIC) {
                return Err(Problem::NoCheckpoint);
            }
            match from.u32() {
                Ok(FORMAT) | Err(_) => {}
                Ok(found) => {
                    return Err(Problem::Version {
                        found,
                        expected: FORMAT,
                    });
                }
            }
            from.verify()??;
            identity.compare(&mut from)?;
            let has_begun = from.flag()?;
            Ok(has_begun.then_some(from))
        };
        let from = open().map_err(|problem| CheckpointError::new(path, problem))?;
        Ok(from.map(|from| Self {
            path: path.to_owned(),
            from,
            content: content::Content::default(),
        }))
    }

    /// What the round knew.
    pub(super) fn known(&mut self) -> Result<content::Known, CheckpointError> {
        let known = content::Known::load(&mut self.from, &mut self.content);
        known.map_err(|malformed| CheckpointError::new(&self.path, malformed.into()))
    }

    /// Puts what the round had found and left where the leader of a new one goes on from. `scout`
    /// is another worker, to look at what there is in the states.
    pub(super) fn restore<'a, M: Model>(
        mut self,
        leader: &mut Worker<'a, M>,
        scout: Worker<'a, M>,
    ) -> Result<(), CheckpointError> {
        let restored = content::restore(&mut self.from, self.content, leader, scout);
        restored.map_err(|problem| CheckpointError::new(&self.path, problem))
    }
}
