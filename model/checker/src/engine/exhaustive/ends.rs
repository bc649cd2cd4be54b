//! The outcomes of a search whose states leave out what is dead, and the shortest way to each.
//!
//! A state of such a graph stands for all that differ in dead cells alone. Which contents these can
//! have there is computed forwards over the graph: a set of assignments for each state, each with
//! the length of the shortest way to it, see [`super::diagram`]. Cells that the outcome is not read
//! off, and cells that hold the same at the end of every run, are left out. At the ends the sets are
//! counted out, and the outcome is read off each assignment. The way to one leads backwards, from
//! the assignment to one before it that is just a choice shorter.

use super::diagram::{Changes, Diagrams, Part, Set};
use super::graph::{Graph, Shortest, add_up};
use super::order::Order;
use super::report::{Ways, Whole};
use super::visited::StateId;
use super::worker::Worker;
use crate::engine::effects::{Change, Effect};
use crate::engine::machine::world::{World, WorldPlace};
use crate::engine::schedule::Schedule;
use crate::layout::CellId;
use crate::model::Model;
use crate::outcome::Final;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// An assignment: variables, in order, and their values.
type Values = Vec<(u32, u64)>;

/// Where an outcome is nearest: so many choices away, at this state, with these values.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Nearest {
    length: u32,
    rank: u32,
    state: u32,
    values: Values,
}

/// What one worker has read off some ends.
struct Read<O> {
    /// Each outcome, with where it is nearest, if schedules are wanted.
    nearest: BTreeMap<Final<O>, Nearest>,
    /// Otherwise each with none.
    finals: BTreeMap<Final<O>, Schedule>,
    /// The cells that vary and were read.
    cells: Vec<CellId>,
}

impl<O> Default for Read<O> {
    fn default() -> Self {
        Self {
            nearest: BTreeMap::new(),
            finals: BTreeMap::new(),
            cells: vec![],
        }
    }
}

impl<O: Ord> Read<O> {
    /// Takes in an outcome, and where it is near.
    fn add(&mut self, end: Final<O>, at: Nearest) {
        match self.nearest.entry(end) {
            Entry::Vacant(new) => {
                new.insert(at);
            }
            Entry::Occupied(mut known) => {
                if at < *known.get() {
                    known.insert(at);
                }
            }
        }
    }

    /// The outcomes that two have read off.
    fn with(mut self, mut other: Self) -> Self {
        self.finals.append(&mut other.finals);
        for (end, at) in other.nearest {
            self.add(end, at);
        }
        self
    }
}

/// The values that cells have been given, each with where the world was before.
#[derive(Default)]
struct Assigned(Vec<((u32, u64), WorldPlace)>);

impl Assigned {
    /// Gives cells these values, from the first on that is not as it was.
    fn assign(&mut self, world: &mut World, cells: &[CellId], values: &[(u32, u64)]) {
        let both = self.0.iter().zip(values);
        let same = both.take_while(|(old, new)| old.0 == **new).count();
        if let Some((_, place)) = self.0.get(same) {
            world.take_back(*place);
            self.0.truncate(same);
        }
        for (variable, value) in &values[same..] {
            self.0.push(((*variable, *value), world.place()));
            world.set(cells[*variable as usize], *value);
        }
    }
}

/// What the dead cells can hold, state by state.
pub(super) struct Settled<'a> {
    graph: &'a Graph,
    root: u32,
    /// What has become of dead cells up to the root.
    effects: Vec<Effect>,
    /// The cells that do not hold the same in all runs once they are dead.
    varying: Vec<CellId>,
    /// The cells that are told apart, in order.
    cells: Vec<CellId>,
    /// For each list of effects, by number, what it does to these.
    changes: Vec<Changes>,
    diagrams: Diagrams,
    sets: Vec<Option<Set>>,
    /// By how much a choice makes a way longer: by nothing if nobody asks for schedules, so that
    /// fewer sets differ.
    choice: u32,
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
    fn new(graph: &'a Graph, root: StateId, effects: Vec<Effect>, schedules: bool) -> Self {
        Self {
            graph,
            root: root.0,
            varying: varying(graph, &effects),
            effects,
            changes: vec![],
            cells: vec![],
            diagrams: Diagrams::default(),
            sets: vec![],
            choice: u32::from(schedules),
        }
    }

    /// Works out what these cells can hold, of those that vary.
    fn tell_apart(&mut self, cells: Vec<CellId>, order: &Order) {
        let lists = self.graph.lists().iter();
        self.changes = lists.map(|list| changes(list, &cells)).collect();
        self.diagrams = Diagrams::default();
        self.sets = vec![None; self.graph.end() as usize];
        let first = changes(&self.effects, &cells);
        let begin = self.diagrams.change(Set::UNIT, u32::MAX, &first);
        self.sets[self.root as usize] = Some(begin);
        self.cells = cells;
        self.flow(order);
    }

    /// Forwards over the graph, each state after all that lead to it. On a way round, which only a
    /// search that was cut short has, what comes round is left out.
    fn flow(&mut self, order: &Order) {
        let graph = self.graph;
        for state in order.states.iter().copied() {
            let Some(set) = self.sets[state as usize] else {
                continue;
            };
            for (_, to, list) in graph.choices(state) {
                let changes = &self.changes[list as usize];
                let come = self.diagrams.change(set, list, changes).longer(self.choice);
                let slot = &mut self.sets[to as usize];
                *slot = Some(slot.map_or(come, |known| self.diagrams.union(known, come)));
            }
        }
    }

    /// The choices to a state with these values there, so many, each by its number; `None` if it
    /// is not to be had.
    fn way(
        &self,
        reverse: &Reverse,
        shortest: &Shortest<'_>,
        nearest: &Nearest,
    ) -> Option<Vec<usize>> {
        let mut choices = vec![];
        let (mut at, mut values) = (nearest.state, nearest.values.clone());
        for left in (0..nearest.length).rev() {
            let before = reverse.before(at).filter_map(|(state, choice, list)| {
                let changes = &self.changes[list as usize];
                let set = self.sets[state as usize]?;
                let (values, length) = self.diagrams.before(set, changes, &values, left)?;
                (length == left).then(|| (shortest.rank(state), choice, state, values))
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
    /// What dead cells can hold, state by state: those that the outcome is read off, which shows
    /// once one has been read.
    pub(super) fn settled<'f>(
        &mut self,
        found: &'f Whole<M::Outcome>,
        order: &Order,
    ) -> Settled<'f> {
        let way = found.graph.first_way(found.root);
        if let Some((way, _)) = way.filter(|(_, last)| found.ends().any(|end| end == *last)) {
            self.go_to(&way, None);
            self.walk.finish();
        }
        let effects = self.effects_to_root();
        let schedules = self.shared.options.schedules;
        let mut settled = Settled::new(&found.graph, found.root, effects, schedules);
        settled.tell_apart(self.read_off(&settled.varying), order);
        settled
    }

    /// Those of the cells that this worker has read outcomes off.
    fn read_off(&self, cells: &[CellId]) -> Vec<CellId> {
        let machine = self.walk.machine();
        let cells = cells.iter().copied();
        cells.filter(|cell| machine.has_peeked(*cell)).collect()
    }

    /// For each outcome the shortest schedule, if schedules are wanted, where states leave out what
    /// is dead.
    ///
    /// # Panics
    ///
    /// If a schedule of a complete search does not lead to its outcome.
    pub(super) fn settled_ends(
        &mut self,
        mut settled: Settled<'_>,
        found: &Whole<M::Outcome>,
        ways: &Ways<'_>,
        is_complete: bool,
    ) -> BTreeMap<Final<M::Outcome>, Schedule> {
        let shortest = &ways.shortest;
        let mut ends: Vec<_> = found.ends().filter(|end| shortest.contains(*end)).collect();
        ends.sort_by_key(|end| shortest.rank(end.0));
        let all = loop {
            let (all, cells) = self.read(&settled, shortest, &ends);
            if cells == settled.cells {
                break all;
            }
            settled.tell_apart(cells, &ways.order);
        };
        let all = all.into_iter().reduce(Read::with).unwrap_or_default();
        if !self.shared.options.schedules {
            return all.finals;
        }
        let nearest: Vec<_> = all.nearest.into_iter().collect();
        self.schedules(&settled, shortest, &nearest, is_complete)
    }

    /// The schedule to each outcome, gone once more to see that it leads there.
    fn schedules(
        &mut self,
        settled: &Settled<'_>,
        shortest: &Shortest<'_>,
        wanted: &[(Final<M::Outcome>, Nearest)],
        is_complete: bool,
    ) -> BTreeMap<Final<M::Outcome>, Schedule> {
        let reverse = Reverse::new(settled.graph);
        let sums = self.together(wanted, |worker, (end, nearest), all: &mut Vec<_>| {
            let Some(way) = settled.way(&reverse, shortest, nearest) else {
                assert!(!is_complete, "no way leads to {end:?}");
                return;
            };
            let schedule = worker.go_to(&way, None);
            let is = worker.walk.finish();
            assert!(
                !is_complete || is == *end,
                "the way to {end:?} leads to {is:?}"
            );
            all.push((end.clone(), is, schedule));
        });
        let mut gone: Vec<_> = sums.into_iter().flatten().collect();
        // What was looked for first, if several ways led to one outcome.
        gone.sort_by(|a, b| b.0.cmp(&a.0));
        gone.into_iter().map(|(_, is, way)| (is, way)).collect()
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

    /// Reads all outcomes off the ends, and which of the cells that vary that takes.
    fn read(
        &mut self,
        settled: &Settled<'_>,
        shortest: &Shortest<'_>,
        ends: &[StateId],
    ) -> (Vec<Read<M::Outcome>>, Vec<CellId>) {
        /// So many pieces of work, whatever the number of ends.
        const PIECES: usize = 256;
        let parts = |end: &StateId| {
            let set = settled.sets[end.0 as usize];
            let parts = set.map(|set| settled.diagrams.parts(set, PIECES / ends.len()));
            let end = *end;
            parts.into_iter().flatten().map(move |part| (end, part))
        };
        let pieces: Vec<(StateId, Part)> = ends.iter().flat_map(parts).collect();
        let sums = self.together(&pieces, |worker, (end, part), read: &mut Read<_>| {
            worker.read_part((settled, shortest), *end, part, read);
            read.cells = worker.read_off(&settled.varying);
        });
        let mut cells = settled.cells.clone();
        cells.extend(sums.iter().flat_map(|read| &read.cells));
        cells.sort_unstable();
        cells.dedup();
        (sums, cells)
    }

    /// Reads the outcomes off a part of an end.
    fn read_part(
        &mut self,
        (settled, shortest): (&Settled<'_>, &Shortest<'_>),
        end: StateId,
        part: &Part,
        read: &mut Read<M::Outcome>,
    ) {
        let Some(way) = shortest.to(end) else {
            return;
        };
        self.go_to(&way, None);
        let rank = shortest.rank(end.0);
        let has_schedules = self.shared.options.schedules;
        let mut set = Assigned::default();
        settled.diagrams.each_of(part, &mut |values, length| {
            set.assign(&mut self.walk.machine().world(), &settled.cells, values);
            let outcome = self.walk.finish();
            if !has_schedules {
                read.finals.entry(outcome).or_default();
                return;
            }
            let here = Nearest {
                length,
                rank,
                state: end.0,
                values: values.to_vec(),
            };
            read.add(outcome, here);
        });
    }
}
