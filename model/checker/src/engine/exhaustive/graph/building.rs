//! Puts the edges that several workers have left together, by several workers.

use super::{Edges, Graph, NONE};
use crate::engine::effects::EffectLists;
use crate::engine::exhaustive::together::each;
use crate::engine::exhaustive::visited::StateId;
use std::sync::atomic::{AtomicU32, Ordering};

/// The numbers that states have in a graph: in the order in which the workers left them, and then
/// those that nothing leads on from; so that what is close in the graph is close in memory however
/// many workers there were.
pub(crate) struct Numbers(Vec<u32>);

impl Numbers {
    /// The number of a state that is the root or that an edge leads to.
    pub(crate) fn of(&self, state: StateId) -> StateId {
        let number = self.0.get(state.0 as usize);
        StateId(number.copied().unwrap_or(NONE))
    }
}

/// A graph to which edges are added.
struct Building {
    /// By number of the search.
    numbers: Vec<AtomicU32>,
    /// How many numbers have been given.
    given: AtomicU32,
    /// Where the edges of a state begin, of those that have some.
    begins: Vec<u32>,
    targets: Vec<AtomicU32>,
    /// Empty if there are none.
    effects: Vec<AtomicU32>,
    /// Empty if there are none.
    stale: Vec<AtomicU32>,
}

fn atomics(value: u32, count: u32) -> Vec<AtomicU32> {
    (0..count).map(|_| AtomicU32::new(value)).collect()
}

fn plain(atomics: Vec<AtomicU32>) -> Vec<u32> {
    atomics.into_iter().map(AtomicU32::into_inner).collect()
}

impl Building {
    /// With room for all edges. Numbers of the search are below `end`.
    fn new(end: u32, edges: &[Edges]) -> Self {
        let mut numbers = vec![NONE; end as usize];
        let mut begins = vec![0];
        for piece in edges.iter().flat_map(Edges::iter) {
            let number = &mut numbers[piece.state as usize];
            if *number == NONE {
                *number = begins.len() as u32 - 1;
                begins.push(0);
            }
            let count = &mut begins[*number as usize + 1];
            *count = (*count).max((piece.first + piece.targets.len()) as u32);
        }
        let sum = super::add_up(&mut begins);
        let has_effects = edges.iter().any(|e| !e.effects.is_empty());
        let has_stale = edges.iter().any(|e| !e.stale.is_empty());
        Self {
            numbers: numbers.into_iter().map(AtomicU32::new).collect(),
            given: AtomicU32::new(begins.len() as u32 - 1),
            begins,
            targets: atomics(NONE, sum),
            effects: atomics(0, if has_effects { sum } else { 0 }),
            stale: atomics(0, if has_stale { sum } else { 0 }),
        }
    }

    /// The number of a state.
    #[inline]
    fn number(&self, state: u32) -> u32 {
        let slot = &self.numbers[state as usize];
        let number = slot.load(Ordering::Relaxed);
        if number != NONE {
            return number;
        }
        // If another worker gives this state a number at once, this one is of no state: it has no
        // edges, and nothing leads there.
        let new = self.given.fetch_add(1, Ordering::Relaxed);
        let given = slot.compare_exchange(NONE, new, Ordering::Relaxed, Ordering::Relaxed);
        given.map_or_else(|number| number, |_| new)
    }

    /// Adds edges, whose lists of effects have other numbers there.
    fn add(&self, edges: &Edges, lists: &[u32]) {
        for piece in edges.iter() {
            let number = self.number(piece.state);
            let at = self.begins[number as usize] as usize + piece.first;
            for (slot, target) in self.targets[at..].iter().zip(piece.targets) {
                if *target != NONE {
                    slot.store(self.number(*target), Ordering::Relaxed);
                }
            }
            for (place, list) in piece.effects {
                let slot = &self.effects[at + (place - piece.begin) as usize];
                slot.store(lists[*list as usize], Ordering::Relaxed);
            }
            for (place, count) in piece.stale {
                let slot = &self.stale[at + (place - piece.begin) as usize];
                slot.store(*count, Ordering::Relaxed);
            }
        }
    }
}

impl Graph {
    /// Puts the edges of all workers together, by so many workers; numbers of states are below
    /// `end`. Gives the numbers that they have in the graph too.
    pub(crate) fn new(root: StateId, end: u32, edges: &[Edges], workers: usize) -> (Self, Numbers) {
        let building = Building::new(end, edges);
        let mut lists = EffectLists::default();
        let mut numbered = |edges: &Edges| -> Vec<u32> {
            let all = edges.lists.all().iter();
            all.map(|list| lists.number(list)).collect()
        };
        let parts: Vec<_> = edges.iter().map(|e| (e, numbered(e))).collect();
        each(workers, parts, |(edges, lists)| building.add(edges, &lists));
        building.number(root.0);
        let mut offsets = building.begins;
        let sum = building.targets.len() as u32;
        offsets.resize(building.given.into_inner() as usize + 1, sum);
        let graph = Self {
            offsets,
            targets: plain(building.targets),
            effects: plain(building.effects),
            lists,
            stale: plain(building.stale),
        };
        (graph, Numbers(plain(building.numbers)))
    }
}
