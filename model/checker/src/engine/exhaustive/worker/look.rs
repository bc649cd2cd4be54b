//! What a worker looks at now and then: how far the search is, and its bounds.

use super::Worker;
use crate::engine::exhaustive::graph::Edges;
use crate::engine::exhaustive::options::{Go, Progress};
use crate::engine::exhaustive::shared::{Remedy, Told};
use crate::model::Model;
use std::time::{Duration, Instant};

/// Where several search, each counts its states when there are so many: not to be in each other's way.
const UNCOUNTED: u64 = 64;

impl<M: Model> Worker<'_, M> {
    /// This worker has found a state, which is counted some time.
    pub(super) fn has_one_more(&mut self) {
        self.uncounted += 1;
        if self.uncounted == UNCOUNTED || !self.shared.had_help() {
            self.count();
        }
    }

    /// Counts the states that this worker has found.
    pub(super) fn count(&mut self) {
        if self.uncounted == 0 {
            return;
        }
        let states = self.shared.count(std::mem::take(&mut self.uncounted));
        let bound = self.shared.options.max_states;
        if states >= bound {
            let why = format!("stopped at the bound of {bound} states");
            self.shared.stop_at_bound(why, Remedy::RaiseBound);
        }
    }

    /// Choices on the current path.
    pub(super) fn depth(&self) -> u64 {
        self.trail.len() as u64
    }

    /// Bytes that it takes to take back the way to where the run is, under weak memory.
    fn way_bytes(&self) -> u64 {
        if self.walk.is_weak() {
            self.walk.way_bytes()
        } else {
            0
        }
    }

    /// Tells the others how far this worker is.
    pub(super) fn tell(&mut self) {
        let now = Told {
            edges: self.found.edges.iter().map(Edges::bytes).sum(),
            untried: self.path.iter().map(|f| (f.end - f.next) as u64).sum(),
            relied: self.reliances.bytes(),
            way: self.way_bytes(),
            done: self.found.done,
        };
        self.shared.tell(&mut self.told, now);
    }

    /// Leaves work to others; now and then tells how far the search has come.
    pub(super) fn look(&mut self, progress: &mut dyn FnMut(Progress) -> Go) {
        if self.is_far && self.shared.is_wanted() {
            self.share();
        }
        // Only the looks that are counted may change what the search does: the others come when
        // they come.
        let is_counted = self.since_look >= self.shared.options.look;
        if !is_counted && !self.is_time_to_look() {
            return;
        }
        self.looked = Instant::now();
        self.tell();
        let (states, memory) = (self.shared.states(), self.shared.memory());
        if is_counted {
            self.since_look = 0;
            if !self.is_far && states >= self.shared.options.share_after {
                self.get_far();
            }
        }
        // Under weak memory a few states may take much.
        if is_counted || self.walk.is_weak() {
            self.keep_to_memory(memory);
        }
        self.keep_to_time();
        if self.shared.is_due() {
            self.shared.pause();
        }
        let now = Progress {
            states,
            depth: self.depth(),
            memory,
            schedules_log10: None,
            restarts: 0,
            outcomes: self.found.finals.len(),
            untried: self.shared.untried(),
            done: self.shared.done(),
        };
        if progress(now) == Go::Stop {
            let why = format!("interrupted after {states} states");
            self.shared.stop_early(why, Remedy::GoOn);
        }
    }

    /// Whether nobody has been told for a while: where steps take long, states are few.
    fn is_time_to_look(&mut self) -> bool {
        /// So many choices are tried before the clock is read again.
        const CHOICES: u32 = 64;
        const WHILE: Duration = Duration::from_millis(100);
        self.since_clock += 1;
        if self.since_clock < CHOICES {
            return false;
        }
        self.since_clock = 0;
        self.looked.elapsed() >= WHILE
    }

    /// Stops the search at the bound of memory.
    fn keep_to_memory(&self, memory: u64) {
        let bound = self.shared.options.max_memory;
        if memory > bound {
            let why = format!("stopped at the bound of {} MiB of memory", bound >> 20);
            self.shared.stop_early(why, Remedy::RaiseBound);
        }
    }

    /// Stops the search at the bound of time.
    fn keep_to_time(&self) {
        if let Some(bound) = self.shared.options.max_seconds
            && self.shared.is_too_late()
        {
            let why = format!("stopped at the bound of {bound} seconds");
            self.shared.stop_early(why, Remedy::RaiseBound);
        }
    }
}
