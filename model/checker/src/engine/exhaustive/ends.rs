//! The outcomes of a search whose states leave out what is dead, and the shortest way to each.
//!
//! A state of such a graph stands for all that differ in dead cells alone. Which contents these can
//! have there is computed forwards over the graph: a set of assignments for each state, each with
//! the length of the shortest way to it, see [`super::diagram`]. Cells that the outcome is not read
//! off, and cells that hold the same at the end of every run, are left out. At the ends the sets are
//! counted out, and the outcome is read off each assignment. The way to one leads backwards, from
//! the assignment to one before it that is just a choice shorter.

use super::diagram::{Changes, Diagrams, Set};
use super::graph::{Graph, Shortest, add_up};
use super::visited::StateId;
use super::worker::Worker;
use crate::engine::effects::{Change, Effect};
use crate::engine::schedule::Schedule;
use crate::layout::CellId;
use crate::model::Model;
use crate::outcome::Final;
use std::collections::BTreeMap;

/// An assignment: variables, in order, and their values.
type Values = Vec<(u32, u64)>;

/// Where an outcome is nearest: so many choices away, at this state, with these values.
struct Nearest {
    length: u32,
    rank: u32,
    state: u32,
    values: Values,
}

/// What the dead cells can hold, state by state.
struct Settled<'a> {
    graph: &'a Graph,
    shortest: &'a Shortest<'a>,
    root: u32,
    /// The cells that are told apart, in order.
    cells: Vec<CellId>,
    /// For each list of effects, by number, what it does to these.
    changes: Vec<Changes>,
    diagrams: Diagrams,
    sets: Vec<Option<Set>>,
}

/// Cells that do not hold the same in all runs once they are dead. `root` is what has become of
/// dead cells up to the first state.
fn varying(graph: &Graph, root: &[Effect]) -> Vec<CellId> {
    let lists = graph.lists().iter().flat_map(|list| list.iter());
    let mut only: BTreeMap<CellId, Option<Change>> = BTreeMap::new();
    for (cell, change) in lists.chain(root) {
        let seen = only.entry(*cell).or_insert(Some(*change));
        if !matches!(change, Change::Is(_)) || *seen != Some(*change) {
            *seen = None;
        }
    }
    let varies = only.into_iter().filter(|(_, only)| only.is_none());
    varies.map(|(cell, _)| cell).collect()
}

/// What effects do to these cells, by their place among them.
fn changes(effects: &[Effect], cells: &[CellId]) -> Changes {
    let mut all: BTreeMap<u32, Vec<Change>> = BTreeMap::new();
    for (cell, change) in effects {
        if let Ok(variable) = cells.binary_search(cell) {
            all.entry(variable as u32).or_default().push(*change);
        }
    }
    all.into_iter().map(|(v, list)| (v, list.into())).collect()
}

impl<'a> Settled<'a> {
    fn new(
        graph: &'a Graph,
        shortest: &'a Shortest<'a>,
        root: (StateId, &[Effect]),
        cells: Vec<CellId>,
    ) -> Self {
        let lists = graph.lists().iter().map(|list| changes(list, &cells));
        let mut all = Self {
            graph,
            shortest,
            root: root.0.0,
            changes: lists.collect(),
            cells,
            diagrams: Diagrams::default(),
            sets: vec![None; graph.end() as usize],
        };
        let first = changes(root.1, &all.cells);
        let begin = all.diagrams.change(Set::UNIT, u32::MAX, &first);
        all.sets[root.0.0 as usize] = Some(begin);
        all.flow();
        all
    }

    /// Forwards over the graph, each state after all that lead to it. On a way round, which only a
    /// search that was cut short has, what comes round is left out.
    fn flow(&mut self) {
        let graph = self.graph;
        for state in graph.order(StateId(self.root)) {
            let Some(set) = self.sets[state as usize] else {
                continue;
            };
            for (_, to, list) in graph.choices(state) {
                let changes = &self.changes[list as usize];
                let come = self.diagrams.change(set, list, changes).longer(1);
                let slot = &mut self.sets[to as usize];
                *slot = Some(slot.map_or(come, |known| self.diagrams.union(known, come)));
            }
        }
    }

    /// The choices to a state with these values there, so many, each by its number; `None` if it
    /// is not to be had.
    fn way(&self, reverse: &Reverse, nearest: &Nearest) -> Option<Vec<usize>> {
        let mut choices = vec![];
        let (mut at, mut values) = (nearest.state, nearest.values.clone());
        for left in (0..nearest.length).rev() {
            let before = reverse.before(at).filter_map(|(state, choice, list)| {
                let changes = &self.changes[list as usize];
                let set = self.sets[state as usize]?;
                let (values, length) = self.diagrams.before(set, changes, &values, left)?;
                (length == left).then(|| (self.shortest.rank(state), choice, state, values))
            });
            let (_, choice, state, earlier) = before.min_by_key(|b| (b.0, b.1))?;
            choices.push(choice);
            (at, values) = (state, earlier);
        }
        choices.reverse();
        (at == self.root).then_some(choices)
    }
}

/// The edges of a graph by where they lead.
struct Reverse {
    offsets: Vec<u32>,
    /// The state, the number of the choice, and the number of the list of effects.
    edges: Vec<(u32, u32, u32)>,
}

impl Reverse {
    fn new(graph: &Graph) -> Self {
        let mut offsets = vec![0u32; graph.end() as usize + 1];
        let all = || {
            let states = 0..graph.end();
            states.flat_map(|s| graph.choices(s).map(move |(i, to, list)| (s, i, to, list)))
        };
        for (_, _, to, _) in all() {
            offsets[to as usize + 1] += 1;
        }
        let sum = add_up(&mut offsets);
        let mut next = offsets.clone();
        let mut edges = vec![(0, 0, 0); sum as usize];
        for (state, choice, to, list) in all() {
            let slot = &mut next[to as usize];
            edges[*slot as usize] = (state, choice as u32, list);
            *slot += 1;
        }
        Self { offsets, edges }
    }

    fn before(&self, state: u32) -> impl Iterator<Item = (u32, usize, u32)> {
        let i = state as usize;
        let all = &self.edges[self.offsets[i] as usize..self.offsets[i + 1] as usize];
        all.iter()
            .map(|(state, choice, list)| (*state, *choice as usize, *list))
    }
}

impl<M: Model> Worker<'_, M> {
    /// For each outcome the shortest schedule, if schedules are wanted, where states leave out what
    /// is dead: `ends` are the states in which nobody can go on.
    ///
    /// # Panics
    ///
    /// If a schedule of a complete search does not lead to its outcome.
    pub(super) fn settled_ends(
        &mut self,
        mut ends: Vec<StateId>,
        graph: &Graph,
        shortest: &Shortest<'_>,
        is_complete: bool,
    ) -> BTreeMap<Final<M::Outcome>, Schedule> {
        let Some(root) = self.root else {
            return BTreeMap::new();
        };
        let effects = self.effects_to_root();
        ends.retain(|end| shortest.rank(end.0) != u32::MAX);
        ends.sort_by_key(|end| shortest.rank(end.0));
        let varying = varying(graph, &effects);
        let read_off = |worker: &Self| -> Vec<CellId> {
            let cells = varying.iter().copied();
            cells
                .filter(|c| worker.walk.machine().has_peeked(*c))
                .collect()
        };
        // What the outcome is read off shows once one has been read.
        if let Some(way) = ends.first().and_then(|end| shortest.to(*end)) {
            self.go_to(&way, None);
            self.walk.finish();
        }
        let mut cells = read_off(self);
        let (settled, nearest) = loop {
            let settled = Settled::new(graph, shortest, (root, &effects), cells);
            let nearest = self.nearest(&settled, &ends);
            cells = read_off(self);
            if cells == settled.cells {
                break (settled, nearest);
            }
        };
        if !self.shared.options.schedules {
            let ends = nearest.into_keys();
            return ends.map(|end| (end, Schedule::default())).collect();
        }
        let reverse = Reverse::new(graph);
        let mut all = BTreeMap::new();
        for (end, nearest) in nearest {
            let Some(way) = settled.way(&reverse, &nearest) else {
                assert!(!is_complete, "no way leads to {end:?}");
                continue;
            };
            let schedule = self.go_to(&way, None);
            let is = self.walk.finish();
            assert!(
                !is_complete || is == end,
                "the way to {end:?} leads to {is:?}"
            );
            all.entry(is).or_insert(schedule);
        }
        all
    }

    /// What becomes of dead cells up to the first state with a choice.
    fn effects_to_root(&mut self) -> Vec<Effect> {
        self.begin();
        self.forced(|_| {});
        self.forget();
        let mut effects = vec![];
        self.walk.machine().world().take_effects(&mut effects);
        effects
    }

    /// Each outcome, with where it is nearest.
    fn nearest(
        &mut self,
        settled: &Settled<'_>,
        ends: &[StateId],
    ) -> BTreeMap<Final<M::Outcome>, Nearest> {
        let mut all: BTreeMap<Final<M::Outcome>, Nearest> = BTreeMap::new();
        for end in ends {
            let (Some(set), Some(way)) = (settled.sets[end.0 as usize], settled.shortest.to(*end))
            else {
                continue;
            };
            self.go_to(&way, None);
            let here = self.walk.place();
            let rank = settled.shortest.rank(end.0);
            settled.diagrams.each(set, &mut |values, length| {
                for (variable, value) in values {
                    let cell = settled.cells[*variable as usize];
                    self.walk.machine().world().set(cell, *value);
                }
                let outcome = self.walk.finish();
                self.walk.go_back(here);
                let nearest = || Nearest {
                    length,
                    rank,
                    state: end.0,
                    values: values.to_vec(),
                };
                let known = all.entry(outcome).or_insert_with(nearest);
                if (length, rank) < (known.length, known.rank) {
                    *known = nearest();
                }
            });
        }
        all
    }
}
