//! Random schedules before a search, to know what tasks touch.

use crate::engine::exhaustive::Random;
use crate::engine::schedule::Turn;
use crate::engine::walk::Walk;
use crate::model::Model;

/// So many schedules in a row that show nothing new are enough.
const QUIET: u64 = 50;

/// Steps of all schedules together after which it is enough in any case.
const STEPS: u64 = 300_000;

/// Steps of one schedule after which it is given up.
const LONGEST: u64 = 2_000;

/// Runs schedules that are chosen at random, stale reads too, until they show nothing new, or that
/// more operations are steps.
pub(crate) fn sample<M: Model>(walk: &mut Walk<M>) {
    let mut random = Random::default();
    let (mut quiet, mut steps) = (0, 0);
    let mut enabled = vec![];
    walk.take_news();
    while quiet < QUIET && steps < STEPS {
        walk.go_to_start();
        for _ in 0..LONGEST {
            walk.enabled(&mut enabled);
            if enabled.is_empty() || walk.limit().is_some() {
                break;
            }
            let task = enabled[random.below(enabled.len() as u64) as usize];
            let pick = random.below(u64::from(walk.alternatives(task))) as u32;
            walk.step(Turn { task, pick });
            steps += 1;
        }
        quiet += 1;
        if walk.take_news() {
            quiet = 0;
        }
        if walk.limit().is_some() || walk.machine().watch().has_changed() {
            break;
        }
    }
    walk.go_to_start();
}
