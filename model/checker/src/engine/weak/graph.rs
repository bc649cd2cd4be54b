//! The graph of the states that a search has visited: the shortest schedule to each, and how many
//! schedules there are.

use crate::engine::schedule::{Schedule, Turn};
use crate::outcome::Interleavings;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Number of a state, in order of arrival.
pub(super) type StateId = u32;

/// More schedules than this are not told apart.
const MANY: u128 = OPEN - 1;

/// The state is on the current path: to come back to it is to go round.
const OPEN: u128 = u128::MAX;

struct Edge {
    from: StateId,
    to: StateId,
    turn: Turn,
    /// The turns between the choice and the next state, of [`Graph::passed`].
    passed: Range<u32>,
}

/// How long a way is: how often something but the newest is read, or a store goes before others, and how
/// many turns there are.
type Length = (u32, u32);

fn length(turns: &[Turn]) -> Length {
    let past_newest = turns.iter().filter(|turn| turn.pick > 0).count();
    (past_newest as u32, turns.len() as u32)
}

/// States and the choices between them.
#[derive(Default)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    /// Turns that were taken where others could be, but need not, on the ways between states.
    passed: Vec<Turn>,
    /// How many of those lead to the first state.
    before_first: u32,
    /// Of each state, how many schedules lead from it to an end.
    schedules: Vec<u128>,
    goes_round: bool,
}

/// Of each state, the edge by which a shortest way comes to it, if it is not the first, by number.
pub(super) struct Shortest<'a> {
    graph: &'a Graph,
    ways: Vec<Option<u32>>,
}

impl Graph {
    /// A state that is new; the states are numbered in order.
    pub(super) fn enter(&mut self) {
        self.schedules.push(OPEN);
    }

    /// All that is behind a state has been seen.
    pub(super) fn leave(&mut self, state: StateId, schedules: u128) {
        self.schedules[state as usize] = schedules.min(MANY);
    }

    /// The turns by which the first state is come to.
    pub(super) fn begin(&mut self, passed: &[Turn]) {
        self.before_first = self.pass(passed).end;
    }

    /// A choice, and the turns that follow it up to the next state.
    pub(super) fn choice(&mut self, from: StateId, turn: Turn, passed: &[Turn], to: StateId) {
        let passed = self.pass(passed);
        self.edges.push(Edge {
            from,
            to,
            turn,
            passed,
        });
    }

    fn pass(&mut self, turns: &[Turn]) -> Range<u32> {
        let begin = self.passed.len() as u32;
        self.passed.extend_from_slice(turns);
        begin..self.passed.len() as u32
    }

    /// How many schedules lead on from a state that has been entered.
    pub(super) fn schedules(&mut self, from: StateId) -> u128 {
        let known = self.schedules[from as usize];
        if known == OPEN {
            self.goes_round = true;
            return 0;
        }
        known
    }

    /// Whether a schedule comes back to a state that it has been in.
    pub(super) fn goes_round(&self) -> bool {
        self.goes_round
    }

    /// How many schedules there are; `so_far` if the first state has not been left.
    pub(super) fn interleavings(&self, so_far: u128) -> Interleavings {
        match self.schedules.first() {
            _ if self.goes_round => Interleavings::Endless,
            Some(n) if *n < MANY => Interleavings::Exactly(*n),
            Some(n) if *n == MANY => Interleavings::AtLeast(*n),
            _ => Interleavings::AtLeast(so_far.min(MANY)),
        }
    }

    /// The turns that follow a choice.
    fn passed_on(&self, edge: &Edge) -> &[Turn] {
        &self.passed[edge.passed.start as usize..edge.passed.end as usize]
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        let edges = self.edges.capacity() * size_of::<Edge>();
        let passed = self.passed.capacity() * size_of::<Turn>();
        (edges + passed + self.schedules.capacity() * size_of::<u128>()) as u64
    }

    /// The shortest ways from the first state (Dijkstra, 1959): those on which memory shows as little as
    /// possible that it is weak come first.
    pub(super) fn shortest(&mut self) -> Shortest<'_> {
        self.edges.sort_by_key(|e| (e.from, e.turn));
        let mut ways = vec![None; self.schedules.len()];
        let mut is_left = vec![true; self.schedules.len()];
        let mut next = BinaryHeap::from([Reverse(((0, 0), 0, None))]);
        while let Some(Reverse(((past_newest, turns), from, way))) = next.pop() {
            if !std::mem::take(&mut is_left[from as usize]) {
                continue;
            }
            ways[from as usize] = way;
            let first = self.edges.partition_point(|e| e.from < from);
            let edges = self.edges[first..].iter().zip(first as u32..);
            for (edge, number) in edges.take_while(|(e, _)| e.from == from) {
                if is_left[edge.to as usize] {
                    let (one, rest) = (length(&[edge.turn]), length(self.passed_on(edge)));
                    let len = (past_newest + one.0 + rest.0, turns + one.1 + rest.1);
                    next.push(Reverse((len, edge.to, Some(number))));
                }
            }
        }
        Shortest { graph: self, ways }
    }
}

impl Shortest<'_> {
    /// The shortest way to the nearest of some states.
    pub(super) fn to_nearest(&self, states: &[StateId]) -> Schedule {
        let ways = states.iter().map(|s| self.to(*s));
        let nearest = ways.min_by(|a, b| length(&a.0).cmp(&length(&b.0)).then_with(|| a.cmp(b)));
        nearest.unwrap_or_default()
    }

    fn to(&self, state: StateId) -> Schedule {
        let mut edges = vec![];
        let mut at = state;
        while let Some(number) = self.ways[at as usize] {
            let edge = &self.graph.edges[number as usize];
            edges.push(edge);
            at = edge.from;
        }
        let mut turns = self.graph.passed[..self.graph.before_first as usize].to_vec();
        for edge in edges.into_iter().rev() {
            turns.push(edge.turn);
            turns.extend_from_slice(self.graph.passed_on(edge));
        }
        Schedule(turns)
    }
}
