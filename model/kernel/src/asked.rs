//! Which commits of the table the model asked for while it ran, and what the answer was: for
//! coverage, and for nothing else.
//!
//! No task reads it, so it is no state of the kernel, and needs no cell.

use crate::commit::CommitId;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bits a word has.
const BITS: usize = u64::BITS as usize;

/// Rows that were asked for.
#[derive(Debug)]
pub struct Asked {
    /// By answer: the kernel has not the row, or has it.
    rows: [Set; 2],
}

/// A set of rows.
#[derive(Debug)]
struct Set([AtomicU64; 256 / BITS]);

impl Set {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 256 / BITS])
    }

    fn insert(&self, commit: CommitId) {
        // Most rows are asked for again and again: a read is shared by the workers, a write is not.
        if !self.contains(commit) {
            let (word, bit) = (commit.index() / BITS, commit.index() % BITS);
            self.0[word].fetch_or(1 << bit, Ordering::Relaxed);
        }
    }

    fn contains(&self, commit: CommitId) -> bool {
        let (word, bit) = (commit.index() / BITS, commit.index() % BITS);
        self.0[word].load(Ordering::Relaxed) >> bit & 1 == 1
    }
}

impl Asked {
    pub(crate) const fn new() -> Self {
        Self {
            rows: [Set::new(), Set::new()],
        }
    }

    /// Notes that a row was asked for, with this answer.
    pub(crate) fn note(&self, commit: CommitId, has: bool) {
        self.rows[usize::from(has)].insert(commit);
    }

    /// Whether a row was asked for with this answer.
    pub fn contains(&self, commit: CommitId, has: bool) -> bool {
        self.rows[usize::from(has)].contains(commit)
    }
}
