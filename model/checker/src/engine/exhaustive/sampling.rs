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
use crate::engine::schedule::Turn;
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;
use std::collections::BTreeMap;

/// So many schedules in a row that show nothing new are enough.
const QUIET: u64 = 50;

/// Steps of all schedules together after which it is enough in any case.
const STEPS: u64 = 3_000_000;

/// Steps of one schedule after which it is given up; under weak memory, where a task may add a store at each
/// that others have not seen.
const LONGEST: u64 = 100_000;
const LONGEST_WEAK: u64 = 2_000;

/// Places in a schedule where the task that goes is made the last.
const CHANGES: u64 = 3;

/// A small random number generator: xorshift64* (Vigna, 2016).
struct Random(u64);

impl Default for Random {
    /// The same numbers each time.
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    fn below(&mut self, n: u64) -> u64 {
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
    let mut shown: Vec<Vec<Turn>> = vec![];
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
            let mut by_priority = Priorities::new(&mut random, length);
            run(
                walk,
                &mut random,
                |random, enabled| by_priority.first(random, enabled),
                &mut way,
            );
        } else {
            let mut log10 = 0.0;
            let any = |random: &mut Random, enabled: &[TaskId]| {
                log10 += f64::from(enabled.len() as u32).log10();
                enabled[random.below(enabled.len() as u64) as usize]
            };
            run(walk, &mut random, any, &mut way);
            // Under weak memory a task has more than one turn.
            if !follows && !walk.is_weak() {
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

/// Priorities that change at random places of a schedule.
struct Priorities {
    of: BTreeMap<TaskId, u64>,
    changes: Vec<u64>,
    step: u64,
    least: u64,
}

impl Priorities {
    /// For a schedule of about this length.
    fn new(random: &mut Random, length: u64) -> Self {
        Self {
            of: BTreeMap::new(),
            changes: (0..CHANGES).map(|_| random.below(length)).collect(),
            step: 0,
            least: u64::MAX / 2,
        }
    }

    /// Who goes next of those who can.
    fn first(&mut self, random: &mut Random, enabled: &[TaskId]) -> TaskId {
        for task in enabled {
            let fresh = random.below(1 << 32) + u64::MAX / 2;
            self.of.entry(*task).or_insert(fresh);
        }
        let first = enabled.iter().max_by_key(|t| self.of[*t]);
        let first = *first.expect("somebody can go");
        if self.changes.contains(&self.step) {
            self.least -= 1;
            self.of.insert(first, self.least);
        }
        self.step += 1;
        first
    }
}

/// Goes the way of another schedule, as far as that can be gone.
fn follow<M: Model>(walk: &mut Walk<M>, way: &[Turn], gone: &mut Vec<Turn>) {
    let mut way = way.iter();
    go(walk, gone, |walk, enabled| {
        let turn = way.next().copied()?;
        let can_go = enabled.contains(&turn.task) && turn.pick < walk.alternatives(turn.task);
        can_go.then_some(turn)
    });
}

/// Runs one schedule to its end; what a task sees, if there is a choice, is random.
fn run<M: Model>(
    walk: &mut Walk<M>,
    random: &mut Random,
    mut choose: impl FnMut(&mut Random, &[TaskId]) -> TaskId,
    gone: &mut Vec<Turn>,
) {
    go(walk, gone, |walk, enabled| {
        let task = match enabled {
            [only] => *only,
            _ => choose(random, enabled),
        };
        let mut turn = Turn::from(task);
        if walk.is_weak() {
            turn.pick = random.below(u64::from(walk.alternatives(task))) as u32;
        }
        Some(turn)
    });
}

/// Lets tasks go as long as there is a next one.
fn go<M: Model>(
    walk: &mut Walk<M>,
    gone: &mut Vec<Turn>,
    mut next: impl FnMut(&Walk<M>, &[TaskId]) -> Option<Turn>,
) {
    let most = if walk.is_weak() {
        LONGEST_WEAK
    } else {
        LONGEST
    };
    let mut enabled = vec![];
    walk.enabled(&mut enabled);
    for _ in 0..most {
        if enabled.is_empty() || walk.limit().is_some() {
            return;
        }
        let Some(turn) = next(walk, &enabled) else {
            return;
        };
        walk.step(turn);
        gone.push(turn);
        walk.enabled(&mut enabled);
        walk.interrupted(turn.task);
    }
}
