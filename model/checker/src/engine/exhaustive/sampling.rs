//! Random schedules before the search, so that it begins with most of what tasks do known.
//!
//! A depth-first search comes late to what only happens when an early choice is another, and has
//! to begin again then. Some hundred schedules, chosen at random with a fixed seed, show nearly
//! all of it. Nothing else is read off them, and the search is complete without them.
//!
//! Every second schedule is one of probabilistic concurrency testing: a random order of the tasks,
//! of whom the first that can go goes, and a few places where that one becomes the last
//! (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs",
//! 2010). The others choose anew at each step. Half of all first go some of the way of one that has
//! shown something new, since what is seldom seen leads to what is seen more seldom still: so do
//! fuzzers that are guided by coverage.

use super::estimate::Estimate;
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;
use std::collections::BTreeMap;

/// So many schedules in a row that show nothing new are enough.
const QUIET: u64 = 50;

/// Steps of all schedules together after which it is enough in any case.
const STEPS: u64 = 3_000_000;

/// Steps of one schedule after which it is given up.
const LONGEST: u64 = 100_000;

/// Places in a schedule where the task that goes is made the last.
const CHANGES: u64 = 3;

/// A small random number generator: xorshift64* (Vigna, 2016).
pub(in crate::engine) struct Random(u64);

impl Default for Random {
    /// The same numbers each time.
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    pub(in crate::engine) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) * n) >> 32
    }
}

/// Runs random schedules until they show nothing new, or that more operations are steps. Gives
/// about how many schedules there are.
pub(super) fn sample<M: Model>(walk: &mut Walk<M>) -> Estimate {
    let mut random = Random::default();
    let mut estimate = Estimate::default();
    let (mut length, mut quiet, mut steps) = (1, 0, 0);
    let mut shown: Vec<Vec<TaskId>> = vec![];
    let mut way = vec![];
    walk.take_news();
    for number in 0u64.. {
        walk.go_to_start();
        way.clear();
        let follows = number % 4 < 2 && !shown.is_empty();
        if follows {
            let like = &shown[random.below(shown.len() as u64) as usize];
            let most = random.below(like.len() as u64 + 1) as usize;
            follow(walk, &like[..most], &mut way);
        }
        if number % 2 == 1 {
            run(walk, by_priority(&mut random, length), &mut way);
        } else {
            let mut log10 = 0.0;
            let any = |enabled: &[TaskId]| {
                log10 += f64::from(enabled.len() as u32).log10();
                enabled[random.below(enabled.len() as u64) as usize]
            };
            run(walk, any, &mut way);
            if !follows {
                estimate.add(log10);
            }
        }
        length = (way.len() as u64).max(1);
        steps += length;
        quiet += 1;
        if walk.take_news() {
            quiet = 0;
            shown.push(way.clone());
        }
        let is_enough = quiet == QUIET || steps > STEPS || walk.limit().is_some();
        if is_enough || walk.machine().watch().has_changed() {
            break;
        }
    }
    walk.go_to_start();
    estimate
}

/// Chooses by priorities that change at random places of a schedule of about this length.
fn by_priority(random: &mut Random, length: u64) -> impl FnMut(&[TaskId]) -> TaskId {
    let mut priorities: BTreeMap<TaskId, u64> = BTreeMap::new();
    let changes: Vec<u64> = (0..CHANGES).map(|_| random.below(length)).collect();
    let mut step = 0;
    let mut least = u64::MAX / 2;
    move |enabled| {
        for task in enabled {
            let fresh = random.below(1 << 32) + u64::MAX / 2;
            priorities.entry(*task).or_insert(fresh);
        }
        let first = enabled.iter().max_by_key(|t| priorities[*t]);
        let first = *first.expect("somebody can go");
        if changes.contains(&step) {
            least -= 1;
            priorities.insert(first, least);
        }
        step += 1;
        first
    }
}

/// Goes the way of another schedule, as far as that can be gone.
fn follow<M: Model>(walk: &mut Walk<M>, way: &[TaskId], gone: &mut Vec<TaskId>) {
    let mut way = way.iter();
    go(walk, gone, |enabled| {
        way.next().copied().filter(|task| enabled.contains(task))
    });
}

/// Runs one schedule to its end.
fn run<M: Model>(
    walk: &mut Walk<M>,
    mut choose: impl FnMut(&[TaskId]) -> TaskId,
    gone: &mut Vec<TaskId>,
) {
    go(walk, gone, |enabled| match enabled {
        [only] => Some(*only),
        _ => Some(choose(enabled)),
    });
}

/// Lets tasks go as long as there is a next one.
fn go<M: Model>(
    walk: &mut Walk<M>,
    gone: &mut Vec<TaskId>,
    mut next: impl FnMut(&[TaskId]) -> Option<TaskId>,
) {
    let mut enabled = vec![];
    walk.enabled(&mut enabled);
    for _ in 0..LONGEST {
        if enabled.is_empty() || walk.limit().is_some() {
            return;
        }
        let Some(task) = next(&enabled) else { return };
        walk.step(task.into());
        gone.push(task);
        walk.enabled(&mut enabled);
        walk.interrupted(task);
    }
}
