//! Which commits of the table the model asked for while it ran: for coverage, and for nothing else.
//!
//! No task reads it, so it is no state of the kernel, and needs no cell.

use crate::commit::CommitId;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bits a word has.
const BITS: usize = u64::BITS as usize;

/// A set of rows.
#[derive(Debug)]
pub struct Asked {
    words: [AtomicU64; 256 / BITS],
}

impl Asked {
    pub(crate) const fn new() -> Self {
        Self {
            words: [const { AtomicU64::new(0) }; 256 / BITS],
        }
    }

    /// Notes that a row was asked for.
    pub(crate) fn note(&self, commit: CommitId) {
        let (word, bit) = (commit.index() / BITS, commit.index() % BITS);
        self.words[word].fetch_or(1 << bit, Ordering::Relaxed);
    }

    /// Whether a row was asked for.
    pub fn contains(&self, commit: CommitId) -> bool {
        let (word, bit) = (commit.index() / BITS, commit.index() % BITS);
        self.words[word].load(Ordering::Relaxed) >> bit & 1 == 1
    }
}
