//! The graph of the states that a search has visited: the shortest schedule to each, and how many
//! schedules there are.

use crate::engine::schedule::{Schedule, Turn};
use crate::outcome::Interleavings;

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
}

/// States and the choices between them.
#[derive(Default)]
pub(super) struct Graph {
    edges: Vec<Edge>,
    /// Of each state, how many schedules lead from it to an end.
    schedules: Vec<u128>,
    goes_round: bool,
}

/// Of each state, where it is come to from by a shortest way, and by which choice.
pub(super) struct Shortest(Vec<Option<(StateId, Turn)>>);

impl Graph {
    /// A state that is new; the states are numbered in order.
    pub(super) fn enter(&mut self) {
        self.schedules.push(OPEN);
    }

    /// All that is behind a state has been seen.
    pub(super) fn leave(&mut self, state: StateId, schedules: u128) {
        self.schedules[state as usize] = schedules.min(MANY);
    }

    /// A choice; gives how many schedules lead on from its target, as far as that is known.
    pub(super) fn choice(&mut self, from: StateId, turn: Turn, to: StateId) {
        self.edges.push(Edge { from, to, turn });
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

    /// How many schedules there are; `so_far` if the first state has not been left.
    pub(super) fn interleavings(&self, so_far: u128) -> Interleavings {
        match self.schedules.first() {
            _ if self.goes_round => Interleavings::Endless,
            Some(n) if *n < MANY => Interleavings::Exactly(*n),
            Some(n) if *n == MANY => Interleavings::AtLeast(*n),
            _ => Interleavings::AtLeast(so_far.min(MANY)),
        }
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        (self.edges.capacity() * size_of::<Edge>() + self.schedules.capacity() * size_of::<u128>())
            as u64
    }

    /// The shortest ways from the first state, breadth first.
    pub(super) fn shortest(&mut self) -> Shortest {
        self.edges.sort_by_key(|e| (e.from, e.turn));
        let mut ways = vec![None; self.schedules.len()];
        let mut now: Vec<StateId> = vec![0];
        while !now.is_empty() {
            let mut next = vec![];
            for from in now {
                let first = self.edges.partition_point(|e| e.from < from);
                for edge in self.edges[first..].iter().take_while(|e| e.from == from) {
                    if edge.to != 0 && ways[edge.to as usize].is_none() {
                        ways[edge.to as usize] = Some((from, edge.turn));
                        next.push(edge.to);
                    }
                }
            }
            now = next;
        }
        Shortest(ways)
    }
}

impl Shortest {
    /// The shortest way to the nearest of some states.
    pub(super) fn to_nearest(&self, states: &[StateId]) -> Schedule {
        let ways = states.iter().map(|s| self.to(*s));
        let nearest = ways.min_by(|a, b| a.0.len().cmp(&b.0.len()).then(a.cmp(b)));
        nearest.unwrap_or_default()
    }

    fn to(&self, state: StateId) -> Schedule {
        let mut turns = vec![];
        let mut at = state;
        while let Some((from, turn)) = self.0[at as usize] {
            turns.push(turn);
            at = from;
        }
        turns.reverse();
        Schedule(turns)
    }
}
