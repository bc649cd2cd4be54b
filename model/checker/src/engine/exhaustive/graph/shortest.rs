//! The shortest ways through a graph.

use super::{Graph, NONE};
use crate::engine::exhaustive::visited::StateId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The shortest ways from a root to all states.
pub(crate) struct Shortest<'a> {
    graph: &'a Graph,
    /// Choices on the way to the state that is farthest away.
    pub(crate) depth: u64,
    /// All states, in the order in which they are met; the root is the first.
    order: Vec<u32>,
    /// For each of them the rank of the one before it on its way.
    before: Vec<u32>,
    /// For each of them how often something but the newest is taken on its way; empty if it nowhere is.
    stale: Vec<u32>,
    /// For each state its place in that order.
    ranks: Vec<u32>,
}

impl Graph {
    /// The shortest ways from a root; of those equally long, the one whose choices come first. Under
    /// weak memory those on which it shows as little as possible that memory is weak.
    pub(crate) fn shortest(&self, root: StateId) -> Shortest<'_> {
        let ranks = vec![NONE; self.offsets.len() - 1];
        let shortest = Shortest {
            graph: self,
            depth: 0,
            order: vec![],
            before: vec![],
            stale: vec![],
            ranks,
        };
        if self.stale.is_empty() {
            shortest.breadth_first(root)
        } else {
            shortest.least_stale_first(root)
        }
    }

    /// How often something but the newest is taken on the way of a choice.
    fn stale(&self, state: u32, choice: usize) -> u32 {
        let first = self.offsets[state as usize] as usize;
        self.stale.get(first + choice).copied().unwrap_or(0)
    }
}

impl Shortest<'_> {
    fn breadth_first(mut self, root: StateId) -> Self {
        self.ranks[root.0 as usize] = 0;
        (self.order, self.before) = (vec![root.0], vec![0]);
        let mut level = 0..1;
        loop {
            for rank in level.clone() {
                for next in self.graph.successors(self.order[rank]) {
                    if *next != NONE && self.ranks[*next as usize] == NONE {
                        self.ranks[*next as usize] = self.order.len() as u32;
                        self.order.push(*next);
                        self.before.push(rank as u32);
                    }
                }
            }
            level = level.end..self.order.len();
            if level.is_empty() {
                return self;
            }
            self.depth += 1;
        }
    }

    /// Dijkstra, "A note on two problems in connexion with graphs" (1959).
    fn least_stale_first(mut self, root: StateId) -> Self {
        let mut next = BinaryHeap::from([Reverse((0, 0, 0, 0, root.0))]);
        while let Some(Reverse((stale, depth, before, _, state))) = next.pop() {
            if self.ranks[state as usize] != NONE {
                continue;
            }
            let rank = self.order.len() as u32;
            self.ranks[state as usize] = rank;
            self.order.push(state);
            self.before.push(before);
            self.stale.push(stale);
            self.depth = self.depth.max(depth);
            for (choice, to, _) in self.graph.choices(state) {
                if self.ranks[to as usize] == NONE {
                    let stale = stale + self.graph.stale(state, choice);
                    next.push(Reverse((stale, depth + 1, rank, choice, to)));
                }
            }
        }
        self
    }

    /// All states that a way leads to, in the order in which they are met.
    pub(super) fn states(&self) -> &[u32] {
        &self.order
    }

    /// Whether a way leads to a state.
    pub(crate) fn contains(&self, state: StateId) -> bool {
        self.rank(state.0) != NONE
    }

    /// When a state is met: which does not depend on its number.
    pub(crate) fn rank(&self, state: u32) -> u32 {
        self.ranks.get(state as usize).copied().unwrap_or(NONE)
    }

    /// How often something but the newest is taken on the way to a state.
    pub(crate) fn stale_to(&self, state: StateId) -> u32 {
        let rank = self.rank(state.0) as usize;
        self.stale.get(rank).copied().unwrap_or(0)
    }

    /// The choices to a state, each by its number among the choices of its state; `None` if no way
    /// leads there.
    pub(crate) fn to(&self, state: StateId) -> Option<Vec<usize>> {
        let mut choices = vec![];
        let mut at = self.rank(state.0);
        while at != 0 {
            let state = *self.order.get(at as usize)?;
            let before = self.before[at as usize];
            choices.push(self.last_choice(self.order[before as usize], state));
            at = before;
        }
        choices.reverse();
        Some(choices)
    }

    /// The choice by which a way goes over from one state to the next.
    fn last_choice(&self, from: u32, to: u32) -> usize {
        let choices = self.graph.successors(from).iter().enumerate();
        let lead_there = choices.filter(|(_, s)| **s == to).map(|(i, _)| i);
        let choice = lead_there.min_by_key(|choice| self.graph.stale(from, *choice));
        choice.expect("a state is among its parent's successors")
    }
}
