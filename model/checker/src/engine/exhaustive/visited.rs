//! The set of visited states, by fingerprint.
//!
//! Several workers share it without waiting for each other: a state is looked up by loads alone, and
//! put in by a compare-and-swap of the place that it was looked for at (Laarman, van de Pol & Weber,
//! "Boosting multi-core reachability performance with shared hash tables", 2010). Only when the set
//! grows do all wait, see [`ShardedLock`].

use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard};
use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Number of a visited state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StateId(pub(crate) u32);

/// Numbers that one worker can give to states: so those that it finds one after the other are
/// close, and nobody else is asked for each.
#[derive(Default)]
pub(crate) struct Fresh(Range<u32>);

/// So many numbers are given to a worker at once.
const FRESH: usize = 512;

/// The fingerprints by number of their states, and an open hash table of these numbers.
#[derive(Default)]
struct Table {
    /// The lower half and the upper; [`UNUSED`] where the number has not been given to a state.
    fingerprints: Vec<[AtomicU64; 2]>,
    /// Numbers from here on have not been given to a worker.
    next: AtomicUsize,
    /// The number of a state plus one, and above it half of its hash, so that other fingerprints
    /// need not be looked at; 0 is empty. A power of two long, or empty.
    slots: Vec<AtomicU64>,
}

/// No fingerprint. One that was so would be taken for the next, with as little probability as any two
/// states for one. (Zero is one: where all tasks have ended and nothing is read any more.)
const UNUSED: u128 = u128::MAX;

/// The part of a hash that stands in a slot.
const TAG: u64 = !0 << 32;

/// Of so many slots, at most so many are taken: the second, the first.
const LOAD: (usize, usize) = (13, 16);

/// A set of fingerprints that several workers share.
///
/// A fingerprint is a hash already: its upper half says by its highest bits where it belongs.
#[derive(Default)]
pub(crate) struct Visited {
    table: ShardedLock<Table>,
}

fn halves(fingerprint: u128) -> [u64; 2] {
    [fingerprint as u64, (fingerprint >> 64) as u64]
}

impl Table {
    /// The number of the state, and whether it is new; `None` if it is, and there is no fresh number.
    fn insert(&self, fresh: &mut Fresh, fingerprint: u128) -> Option<(u32, bool)> {
        let hash = halves(fingerprint)[1];
        let mut at = self.home(hash)?;
        let mask = self.slots.len() - 1;
        loop {
            let slot = &self.slots[at];
            let mut taken = slot.load(Ordering::Acquire);
            if taken == 0 {
                let number = fresh.0.clone().next()?;
                self.write(number, fingerprint);
                // Whoever sees the slot taken sees the fingerprint too.
                let entry = (hash & TAG) | u64::from(number + 1);
                let put = slot.compare_exchange(0, entry, Ordering::Release, Ordering::Acquire);
                let Err(other) = put else {
                    fresh.0.next();
                    return Some((number, true));
                };
                self.write(number, UNUSED);
                taken = other;
            }
            let number = taken as u32 - 1;
            if (taken ^ hash) & TAG == 0 && self.fingerprint(number) == fingerprint {
                return Some((number, false));
            }
            at = (at + 1) & mask;
        }
    }

    /// Where a hash is looked for first. `None` if there are no slots.
    fn home(&self, hash: u64) -> Option<usize> {
        let bits = self.slots.len().checked_ilog2()?;
        Some((hash >> (u64::BITS - bits)) as usize)
    }

    fn write(&self, number: u32, fingerprint: u128) {
        for (word, half) in self.fingerprints[number as usize]
            .iter()
            .zip(halves(fingerprint))
        {
            word.store(half, Ordering::Relaxed);
        }
    }

    fn fingerprint(&self, number: u32) -> u128 {
        let [low, high] = &self.fingerprints[number as usize];
        let [low, high] = [low, high].map(|word| u128::from(word.load(Ordering::Relaxed)));
        (high << 64) | low
    }

    /// Gives numbers to a worker; `None` if there is no room for more.
    fn give(&self) -> Option<Fresh> {
        let more = |next| (next < self.fingerprints.len()).then_some(next + FRESH);
        let ordering = Ordering::Relaxed;
        let first = self.next.fetch_update(ordering, ordering, more).ok()?;
        Some(Fresh(first as u32..(first + FRESH) as u32))
    }

    /// Makes room for more numbers: all wait for it, so it is not just for those of one worker.
    fn grow(&mut self) {
        let first = self.fingerprints.len();
        let end = first + FRESH * (1 + first / (16 * FRESH));
        if end > self.fingerprints.capacity() {
            // Doubling would take too much of a large memory.
            self.fingerprints.reserve_exact(end - first + first / 4);
        }
        let unused = || halves(UNUSED).map(AtomicU64::new);
        self.fingerprints.resize_with(end, unused);
        let mut length = self.slots.len().max(1);
        while end * LOAD.1 > length * LOAD.0 {
            length *= 2;
        }
        if length > self.slots.len() {
            self.rehash(length);
        }
    }

    /// Numbers that were given to workers are below this.
    fn end(&self) -> u32 {
        self.next.load(Ordering::Relaxed) as u32
    }

    /// Puts all into so many slots. They are in the order of their hashes but for those that were
    /// crowded out, and so are they put: where they belong can be told from a slot.
    fn rehash(&mut self, length: usize) {
        let empty = std::iter::repeat_with(AtomicU64::default);
        let before = std::mem::replace(&mut self.slots, empty.take(length).collect());
        for taken in before.into_iter().map(AtomicU64::into_inner) {
            if taken == 0 {
                continue;
            }
            let mut at = self.home(taken).unwrap_or(0);
            while *self.slots[at].get_mut() != 0 {
                at = (at + 1) & (length - 1);
            }
            *self.slots[at].get_mut() = taken;
        }
    }
}

impl Visited {
    /// The number of the state, and whether it is new.
    pub(crate) fn insert(&self, fresh: &mut Fresh, fingerprint: u128) -> (StateId, bool) {
        let fingerprint = fingerprint.min(UNUSED - 1);
        loop {
            if let Some((number, is_new)) = self.table().insert(fresh, fingerprint) {
                return (StateId(number), is_new);
            }
            *fresh = self.fresh();
        }
    }

    /// Numbers for a worker.
    fn fresh(&self) -> Fresh {
        if let Some(fresh) = self.table().give() {
            return fresh;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            // Another may have made room meanwhile.
            match table.give() {
                Some(fresh) => return fresh,
                None => table.grow(),
            }
        }
    }

    fn table(&self) -> ShardedLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fingerprint of a state of the set.
    pub(crate) fn fingerprint(&self, state: StateId) -> u128 {
        self.table().fingerprint(state.0)
    }

    /// All fingerprints in order of the states' numbers.
    pub(crate) fn each(&self, mut visit: impl FnMut(u128)) {
        let table = self.table();
        let all = (0..table.end()).map(|number| table.fingerprint(number));
        all.filter(|fingerprint| *fingerprint != UNUSED)
            .for_each(&mut visit);
    }

    /// Numbers the states in the order of [`Visited::each`], without a gap.
    pub(crate) fn numbering(&self) -> Numbering {
        let table = self.table();
        let mut numbering = Numbering {
            gaps: vec![],
            len: 0,
        };
        for number in 0..table.end() {
            if table.fingerprint(number) == UNUSED {
                let missing = number - numbering.len;
                match numbering.gaps.last_mut() {
                    Some((end, gap)) if *end == number => (*end, *gap) = (number + 1, missing + 1),
                    _ => numbering.gaps.push((number + 1, missing + 1)),
                }
            } else {
                numbering.len += 1;
            }
        }
        numbering
    }

    /// Bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let table = self.table();
        (table.fingerprints.capacity() * size_of::<u128>()
            + table.slots.capacity() * size_of::<u64>()) as u64
    }

    /// Numbers of states are below this; some may be unused.
    pub(crate) fn end(&self) -> u32 {
        self.table().end()
    }
}

/// Numbers of states without a gap.
pub(crate) struct Numbering {
    /// For each row of numbers that no state has: where it ends, and how many there are up to there.
    gaps: Vec<(u32, u32)>,
    len: u32,
}

impl Numbering {
    /// How many states there are.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The number of a state.
    pub(crate) fn of(&self, state: StateId) -> u32 {
        let before = self.gaps.partition_point(|(end, _)| *end <= state.0);
        let missing = before.checked_sub(1).map_or(0, |last| self.gaps[last].1);
        state.0 - missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Fingerprints of which many belong to one place.
    fn fingerprints() -> impl Iterator<Item = u128> {
        let crowded = (0..3_000).map(|n: u128| (n << 64) | (n % 7));
        let spread =
            (1..3_000).map(|n: u128| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        crowded.chain(spread)
    }

    /// What each of so many workers is told of each fingerprint: all put in all of them, each in
    /// an order of its own.
    fn told(visited: &Visited, workers: usize) -> Vec<BTreeMap<u128, (StateId, bool)>> {
        let all: Vec<u128> = fingerprints().collect();
        let begin = std::sync::Barrier::new(workers);
        let work = |worker: usize| {
            let mut fresh = Fresh::default();
            let (before, after) = all.split_at(worker * all.len() / workers / 8);
            begin.wait();
            let order = after.iter().chain(before);
            order
                .map(|f| (*f, visited.insert(&mut fresh, *f)))
                .collect()
        };
        std::thread::scope(|scope| {
            let work = &work;
            let workers: Vec<_> = (0..workers).map(|w| scope.spawn(move || work(w))).collect();
            workers
                .into_iter()
                .map(|w| w.join().expect("no worker panics"))
                .collect()
        })
    }

    #[test]
    fn of_several_workers_one_is_told_that_a_state_is_new_and_all_its_number() {
        for workers in [1, 2, 4] {
            let visited = Visited::default();
            let told = told(&visited, workers);
            for fingerprint in fingerprints() {
                let number = told[0][&fingerprint].0;
                assert!(told.iter().all(|worker| worker[&fingerprint].0 == number));
                let new = told.iter().filter(|worker| worker[&fingerprint].1);
                assert_eq!(new.count(), 1, "{fingerprint:x}");
                assert_eq!(visited.fingerprint(number), fingerprint);
            }
            let states = told[0].len();
            let mut numbers: Vec<_> = told[0].values().map(|(state, _)| *state).collect();
            numbers.sort_unstable();
            let numbering = visited.numbering();
            assert_eq!(numbering.len() as usize, states);
            let dense = numbers.iter().map(|state| numbering.of(*state));
            assert!(dense.eq(0..states as u32), "numbers have a gap");
            let (mut seen, mut known) = (vec![], numbers.iter());
            visited.each(|fingerprint| seen.push(fingerprint));
            assert!(
                seen.iter()
                    .all(|f| Some(*f) == known.next().map(|s| visited.fingerprint(*s)))
            );
        }
    }
}
