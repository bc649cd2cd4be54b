//! The set of visited states, by fingerprint.

use std::sync::{Mutex, MutexGuard};

/// Number of a visited state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StateId(pub(crate) u32);

/// One part of the set: the fingerprints in order of their arrival, and an open hash table of
/// their places.
#[derive(Default)]
struct Shard {
    fingerprints: Vec<u128>,
    /// For each fingerprint its place plus one, and above it half of its hash, so that others need
    /// not be looked at; 0 is empty. A power of two long, or empty.
    table: Vec<u64>,
}

/// The part of a hash that stands in the table.
const TAG: u64 = !0 << 32;

/// A set of fingerprints that several workers share.
///
/// A fingerprint is a hash already, so its lowest bits say where it belongs.
pub(crate) struct Visited {
    shards: Vec<Mutex<Shard>>,
    bits: u32,
}

/// Of so many places in the table, at most so many are taken: the second, the first.
const LOAD: (usize, usize) = (13, 16);

impl Shard {
    fn insert(&mut self, fingerprint: u128, hash: u64) -> (u32, bool) {
        if (self.fingerprints.len() + 1) * LOAD.1 > self.table.len() * LOAD.0 {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let taken = self.table[at];
            if taken == 0 {
                break;
            }
            let place = taken as u32 - 1;
            if (taken ^ hash) & TAG == 0 && self.fingerprints[place as usize] == fingerprint {
                return (place, false);
            }
            at = (at + 1) & mask;
        }
        let place = self.fingerprints.len() as u32;
        self.table[at] = (hash & TAG) | u64::from(place + 1);
        if self.fingerprints.len() == self.fingerprints.capacity() {
            // Doubling would take too much of a large memory.
            self.fingerprints
                .reserve_exact(1024 + self.fingerprints.len() / 4);
        }
        self.fingerprints.push(fingerprint);
        (place, true)
    }

    fn grow(&mut self) {
        let length = (self.table.len() * 2).max(1024);
        self.table.clear();
        self.table.shrink_to_fit();
        self.table.resize(length, 0);
        for (place, fingerprint) in self.fingerprints.iter().enumerate() {
            let hash = (*fingerprint >> 64) as u64;
            let mut at = hash as usize & (length - 1);
            while self.table[at] != 0 {
                at = (at + 1) & (length - 1);
            }
            self.table[at] = (hash & TAG) | u64::from(place as u32 + 1);
        }
    }

    fn bytes(&self) -> u64 {
        (self.fingerprints.capacity() * size_of::<u128>()
            + self.table.capacity() * size_of::<u64>()) as u64
    }
}

impl Visited {
    /// An empty set of 2^`bits` parts, each with a lock of its own.
    pub(crate) fn new(bits: u32) -> Self {
        Self {
            shards: (0..1u32 << bits).map(|_| Mutex::default()).collect(),
            bits,
        }
    }

    /// The number of the state, and whether it is new.
    pub(crate) fn insert(&self, fingerprint: u128) -> (StateId, bool) {
        let shard = fingerprint as u32 & ((1 << self.bits) - 1);
        let hash = (fingerprint >> 64) as u64;
        let (place, is_new) = self.part(shard as usize).insert(fingerprint, hash);
        (StateId((place << self.bits) | shard), is_new)
    }

    fn part(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.shards[shard].lock().expect("no worker panics in here")
    }

    /// The fingerprint of a state of the set.
    pub(crate) fn fingerprint(&self, state: StateId) -> u128 {
        let shard = state.0 & ((1 << self.bits) - 1);
        self.part(shard as usize).fingerprints[(state.0 >> self.bits) as usize]
    }

    /// All fingerprints, part by part, in order of their arrival.
    pub(crate) fn each(&self, mut visit: impl FnMut(u128)) {
        for shard in 0..self.shards.len() {
            for fingerprint in &self.part(shard).fingerprints {
                visit(*fingerprint);
            }
        }
    }

    /// Numbers the states in the order of [`Visited::each`], without a gap.
    pub(crate) fn numbering(&self) -> Numbering {
        let mut first = vec![0];
        for shard in 0..self.shards.len() {
            let before = first[shard];
            first.push(before + self.part(shard).fingerprints.len() as u32);
        }
        Numbering {
            first,
            bits: self.bits,
        }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let parts = 0..self.shards.len();
        parts.map(|shard| self.part(shard).bytes()).sum()
    }

    /// Numbers of states are below this; some may be unused.
    pub(crate) fn end(&self) -> u32 {
        let parts = 0..self.shards.len();
        let lengths = parts.map(|shard| self.part(shard).fingerprints.len());
        (lengths.max().unwrap_or(0) as u32) << self.bits
    }
}

/// Numbers of states that do not depend on how many parts the set has.
pub(crate) struct Numbering {
    /// The number of the first state of each part, and of all.
    first: Vec<u32>,
    bits: u32,
}

impl Numbering {
    /// How many states there are.
    pub(crate) fn len(&self) -> u32 {
        self.first.last().copied().unwrap_or(0)
    }

    /// The number of a state.
    pub(crate) fn of(&self, state: StateId) -> u32 {
        let shard = state.0 & ((1 << self.bits) - 1);
        self.first[shard as usize] + (state.0 >> self.bits)
    }
}
