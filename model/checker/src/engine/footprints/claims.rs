//! What persistent sets and sleep sets have relied on, to be looked at again when more is known.

use super::{Blocker, Flow, Footprints, Known, Standing};
use crate::engine::automaton::{Automaton, NodeId};
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::engine::machine::record::Likeness;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What one worker has relied on: that steps with a footprint do not conflict with what a task does
/// behind a point. By number of the footprint and of the worker's point.
#[derive(Default)]
pub(crate) struct Claims(Vec<Bits>);

/// A set of small numbers.
#[derive(Clone, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, number: usize) {
        if self.0.len() <= number / 64 {
            self.0.resize(number / 64 + 1, 0);
        }
        self.0[number / 64] |= 1 << (number % 64);
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.0.iter().enumerate();
        all.flat_map(|(i, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 != 0)
                .map(move |bit| 64 * i + bit)
        })
    }
}

impl Claims {
    /// The tasks of the set are let go and the others are not.
    pub(crate) fn note(&mut self, tasks: &[Standing], set: u64) {
        let is_in = |i: usize| set >> i & 1 != 0;
        for (_, inside) in tasks.iter().enumerate().filter(|(i, _)| is_in(*i)) {
            // Whoever waits for a lock is in the set with those who hold it, whatever he does then.
            if matches!(inside.waits_for, Some(Blocker::Holders(_))) {
                continue;
            }
            let step = inside.known.step as usize;
            if self.0.len() <= step {
                self.0.resize(step + 1, Bits::default());
            }
            for (_, outside) in tasks.iter().enumerate().filter(|(i, _)| !is_in(*i)) {
                self.0[step].insert(outside.node.index());
            }
        }
    }
}

/// For each set that a round went by, by number, those that the same points have by now.
pub(super) fn now(
    taken: &[Known],
    seen: &Footprints,
    flow: &Flow,
    which: impl Fn(Known) -> u32,
) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut all: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (point, taken) in flow.points.iter().zip(taken) {
        let now = which(seen.of(&point.likeness));
        all.entry(which(*taken)).or_default().insert(now);
    }
    all
}

/// The footprints of steps, as [`now`].
fn steps_now(taken: &[Known], seen: &Footprints, flow: &Flow) -> BTreeMap<u32, BTreeSet<u32>> {
    now(taken, seen, flow, |known| known.step)
}

/// What sleep sets have relied on: that steps with these footprints, by number, do not conflict.
#[derive(Default)]
pub(crate) struct Asleep(Vec<Bits>);

impl Asleep {
    /// A task sleeps on while another takes a step.
    pub(crate) fn note(&mut self, step: Known, sleeper: Known) {
        let step = step.step as usize;
        if self.0.len() <= step {
            self.0.resize(step + 1, Bits::default());
        }
        self.0[step].insert(sleeper.step as usize);
    }

    /// As [`Claimed::holds`].
    pub(crate) fn holds(&self, taken: &[Known], seen: &Footprints, flow: &Flow) -> bool {
        let steps = steps_now(taken, seen, flow);
        let now = |step: usize| steps.get(&(step as u32)).into_iter().flatten();
        self.0.iter().enumerate().all(|(step, sleepers)| {
            sleepers
                .iter()
                .all(|sleeper| now(step).all(|a| now(sleeper).all(|b| !seen.sets_conflict(*a, *b))))
        })
    }
}

/// What all workers of a round have relied on, by number of the footprint and likeness of the point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claimed(BTreeMap<u32, HashSet<Likeness>>);

impl Claimed {
    /// Takes in what a worker has relied on.
    pub(crate) fn add(&mut self, claims: &Claims, automaton: &Automaton) {
        for (step, points) in claims.0.iter().enumerate() {
            let likeness = |node| automaton.point(NodeId::new(node)).identity.likeness();
            let all = self.0.entry(step as u32).or_default();
            all.extend(points.iter().map(likeness));
        }
    }

    /// Takes in what others have relied on.
    pub(crate) fn extend(&mut self, other: Self) {
        for (step, points) in other.0 {
            self.0.entry(step).or_default().extend(points);
        }
    }

    /// Whether it is still so by what has been `seen` meanwhile, all of it in `flow`; the round went
    /// by what it had `taken` to be known of these points, by number.
    pub(crate) fn holds(&self, taken: &[Known], seen: &Footprints, flow: &Flow) -> bool {
        let steps = steps_now(taken, seen, flow);
        self.0.iter().all(|(step, points)| {
            let now = steps.get(step);
            points.iter().all(|point| {
                let future = seen.of(point).future;
                now.is_none_or(|now| now.iter().all(|step| !seen.sets_conflict(*step, future)))
            })
        })
    }

    /// The same under the numbers that footprints have in what is known now, without what is no
    /// longer so.
    pub(crate) fn as_known_now(&self, taken: &[Known], known: &Footprints, flow: &Flow) -> Self {
        let steps = steps_now(taken, known, flow);
        let mut all: BTreeMap<u32, HashSet<Likeness>> = BTreeMap::new();
        for (step, points) in &self.0 {
            for now in steps.get(step).into_iter().flatten() {
                let is_so = |point: &Likeness| !known.sets_conflict(*now, known.of(point).future);
                let all = all.entry(*now).or_default();
                all.extend(points.iter().filter(|point| is_so(point)));
            }
        }
        Self(all)
    }

    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        let all: Vec<_> = self.0.iter().collect();
        out.list(&all, |out, (step, points)| {
            out.u32(**step);
            let mut points: Vec<_> = points.iter().collect();
            points.sort_unstable();
            out.list(&points, |out, likeness| likeness.save(out));
        });
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let all = from.list(|from| {
            let step = from.u32()?;
            let points = from.list(Likeness::load)?;
            Ok((step, points.into_iter().collect()))
        })?;
        Ok(Self(all.into_iter().collect()))
    }
}
