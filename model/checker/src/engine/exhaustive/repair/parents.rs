//! One way backwards from each state of a graph whose edges are not put together.

use crate::engine::exhaustive::graph::Edges;
use crate::engine::exhaustive::together::each;
use crate::engine::footprints::Place;
use std::sync::atomic::{AtomicU64, Ordering};

/// By number of the state: some state and choice of its that lead there.
pub(super) struct Parents(Vec<AtomicU64>);

/// Nothing leads there.
const NONE: u64 = u64::MAX;

impl Parents {
    /// Of the states whose number is below `end`, by so many workers.
    pub(super) fn new(edges: &[Edges], end: u32, workers: usize) -> Self {
        let all = Self((0..end).map(|_| AtomicU64::new(NONE)).collect());
        each(workers, edges.iter().collect(), |edges| all.add(edges));
        all
    }

    /// Whose are written last does not matter: any will do.
    fn add(&self, edges: &Edges) {
        for piece in edges.iter() {
            for (choice, to) in (piece.first as u64..).zip(piece.targets) {
                let parent = (u64::from(piece.state) << 16) | choice;
                self.0[*to as usize].store(parent, Ordering::Relaxed);
            }
        }
    }

    /// Numbers of states are below this.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A state and the number of a choice of its.
    pub(super) fn get(&self, state: Place) -> Option<(Place, u16)> {
        let parent = self.0[state as usize].load(Ordering::Relaxed);
        (parent != NONE).then_some(((parent >> 16) as Place, parent as u16))
    }
}
