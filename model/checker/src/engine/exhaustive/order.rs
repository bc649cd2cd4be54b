//! The states of a graph in an order in which what leads to a state comes before it, and how many
//! schedules there are by that.

use super::graph::{Graph, NONE};
use super::visited::StateId;
use crate::outcome::Interleavings;

/// All states behind a root, each after those that lead to it; but for one on a way round.
pub(super) struct Order {
    /// The states; the root is the first.
    pub(super) states: Vec<u32>,
    /// There is a way round.
    pub(super) is_endless: bool,
}

/// How far a state is gone through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Not met.
    New,
    /// On the current path.
    Open,
    /// Left.
    Left,
}

impl Order {
    /// Depth first.
    pub(super) fn new(graph: &Graph, root: StateId) -> Self {
        let mut states = vec![];
        let mut is_endless = false;
        let mut marks = vec![Mark::New; graph.end() as usize];
        let mut path = vec![(root.0, graph.successors(root.0).iter())];
        marks[root.0 as usize] = Mark::Open;
        while let Some((state, untried)) = path.last_mut() {
            let Some(next) = untried.next() else {
                marks[*state as usize] = Mark::Left;
                states.push(*state);
                path.pop();
                continue;
            };
            match marks.get_mut(*next as usize) {
                Some(mark @ Mark::New) => {
                    *mark = Mark::Open;
                    path.push((*next, graph.successors(*next).iter()));
                }
                Some(Mark::Open) => is_endless = true,
                // Left already, or it was not tried where this choice leads.
                Some(Mark::Left) | None => {}
            }
        }
        states.reverse();
        Self { states, is_endless }
    }

    /// How many schedules lead from the root to an end: by dynamic programming.
    pub(super) fn interleavings(&self, graph: &Graph) -> Interleavings {
        /// More than this are not told apart.
        const MANY: u128 = u128::MAX;
        if self.is_endless {
            return Interleavings::Endless;
        }
        let mut is_exact = true;
        let mut counts = vec![0u128; graph.end() as usize];
        for state in self.states.iter().rev() {
            let successors = graph.successors(*state);
            let sum = successors.iter().fold(0u128, |sum, next| {
                is_exact &= *next != NONE;
                sum.saturating_add(counts.get(*next as usize).copied().unwrap_or(0))
            });
            counts[*state as usize] = if successors.is_empty() { 1 } else { sum };
        }
        let all = self.states.first().map_or(0, |root| counts[*root as usize]);
        if is_exact && all < MANY {
            Interleavings::Exactly(all)
        } else {
            Interleavings::AtLeast(all)
        }
    }
}
