//! Sets of assignments, each with the length of the shortest way to it, as edge-valued decision
//! diagrams (Ciardo & Siminiscu, "Using edge-valued decision diagrams for symbolic generation of
//! shortest paths", 2002).
//!
//! An assignment gives some variables a value each. A diagram decides variable by variable, in
//! order of their numbers; what is added to the length stands at its edges, of which one at
//! least adds nothing. So equal sets are equal diagrams, and where variables do not depend on each
//! other, a diagram has as many nodes as there are variables although there is a product of
//! assignments.

use crate::engine::effects::Change;
use crate::hash::Words;
use hashbrown::HashTable;
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// A set: the least length in it, and its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Set {
    least: u32,
    node: u32,
}

/// The node behind the last variable.
const END: u32 = 0;

#[derive(Clone, Copy, Debug)]
struct Node {
    variable: u32,
    /// Where its edges are, in order of the values.
    first: u32,
    count: u32,
}

impl Node {
    fn edges(self) -> Range<usize> {
        let first = self.first as usize;
        first..first + self.count as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    value: u64,
    to: Set,
}

/// Is shown an assignment, variables in order with their values, and its length.
type Visit<'a> = dyn FnMut(&[(u32, u64)], u32) + 'a;

/// The assignments of a set that begin with these values.
#[derive(Clone, Debug)]
pub(super) struct Part {
    values: Vec<(u32, u64)>,
    set: Set,
}

/// What becomes of variables, in order of their numbers.
pub(super) type Changes = Box<[(u32, Box<[Change]>)]>;

/// All diagrams.
#[derive(Default)]
pub(super) struct Diagrams {
    nodes: Vec<Node>,
    /// The edges of all nodes, those of one together.
    edges: Vec<Edge>,
    /// The numbers of the nodes, by a hash of what they are.
    numbers: HashTable<u32>,
    /// Of two nodes, and how much longer the first is than the second.
    unions: Computed<(u32, u32, i64)>,
    /// Of a list of changes and a node.
    changed: Computed<(u32, u32)>,
    /// Edges of nodes that are being made: those of the innermost last.
    open: Vec<Edge>,
}

/// What was computed, as far as nothing else has taken its place: to forget costs time alone (the
/// computed table of Brace, Rudell & Bryant, "Efficient implementation of a BDD package", 1990).
struct Computed<K>(Vec<Option<(K, Set)>>);

impl<K> Default for Computed<K> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<K: Hash + Eq> Computed<K> {
    fn slot(&self, key: &K) -> usize {
        let mut hasher = Words::default();
        key.hash(&mut hasher);
        (hasher.finish() >> 32) as usize & (self.0.len() - 1)
    }

    fn get(&self, key: &K) -> Option<Set> {
        if self.0.is_empty() {
            return None;
        }
        let (known, set) = self.0[self.slot(key)].as_ref()?;
        (known == key).then_some(*set)
    }

    /// There are so many nodes by now, for each of which there is a place at least.
    fn insert(&mut self, nodes: usize, key: K, set: Set) {
        const LEAST: usize = 1 << 10;
        if self.0.len() < nodes.max(LEAST) {
            let old = std::mem::take(&mut self.0);
            let length = (2 * nodes).next_power_of_two().max(LEAST);
            self.0.resize_with(length, || None);
            for (key, set) in old.into_iter().flatten() {
                let slot = self.slot(&key);
                self.0[slot] = Some((key, set));
            }
        }
        let slot = self.slot(&key);
        self.0[slot] = Some((key, set));
    }
}

fn hash(variable: u32, edges: &[Edge]) -> u64 {
    let mut hasher = Words::default();
    hasher.write_u32(variable);
    for edge in edges {
        hasher.write_u64(edge.value);
        hasher.write_u64((u64::from(edge.to.least) << 32) | u64::from(edge.to.node));
    }
    hasher.finish()
}

/// Applies changes in order.
fn apply(changes: &[Change], value: Option<u64>) -> Option<u64> {
    changes
        .iter()
        .fold(value, |value, change| change.apply(value))
}

impl Set {
    /// The assignment of nothing.
    pub(super) const UNIT: Self = Self {
        least: 0,
        node: END,
    };

    /// The same assignments, all longer.
    pub(super) fn longer(self, by: u32) -> Self {
        Self {
            least: self.least + by,
            ..self
        }
    }
}

impl Diagrams {
    fn node(&self, number: u32) -> Option<Node> {
        let index = number.checked_sub(1)?;
        self.nodes.get(index as usize).copied()
    }

    /// The set of what the open edges from `base` on lead to; there is at least one. If two have
    /// the same value they are one.
    fn of(&mut self, variable: u32, base: usize) -> Set {
        self.open[base..].sort_unstable_by_key(|e| e.value);
        let mut kept = base;
        for at in base..self.open.len() {
            let edge = self.open[at];
            if kept > base && self.open[kept - 1].value == edge.value {
                self.open[kept - 1].to = self.union(self.open[kept - 1].to, edge.to);
            } else {
                self.open[kept] = edge;
                kept += 1;
            }
        }
        self.open.truncate(kept);
        let edges = &mut self.open[base..];
        let least = edges.iter().map(|e| e.to.least).min().unwrap_or(0);
        for edge in edges {
            edge.to.least -= least;
        }
        let node = self.number(variable, base);
        self.open.truncate(base);
        Set { least, node }
    }

    /// The number of the node with the open edges from `base` on.
    fn number(&mut self, variable: u32, base: usize) -> u32 {
        let (nodes, all) = (&mut self.nodes, &mut self.edges);
        let edges = &self.open[base..];
        let hashed = hash(variable, edges);
        let known = self.numbers.find(hashed, |number| {
            let node = nodes[*number as usize - 1];
            node.variable == variable && all[node.edges()] == *edges
        });
        if let Some(known) = known {
            return *known;
        }
        nodes.push(Node {
            variable,
            first: all.len() as u32,
            count: edges.len() as u32,
        });
        all.extend_from_slice(edges);
        let number = nodes.len() as u32;
        self.numbers.insert_unique(hashed, number, |number| {
            let node = nodes[*number as usize - 1];
            hash(node.variable, &all[node.edges()])
        });
        number
    }

    /// All assignments of two sets, each with the lesser length. Both give the same variables a
    /// value.
    pub(super) fn union(&mut self, a: Set, b: Set) -> Set {
        let (a, b) = if a.node <= b.node { (a, b) } else { (b, a) };
        if a.node == b.node {
            return if a.least <= b.least { a } else { b };
        }
        let least = a.least.min(b.least);
        let key = (a.node, b.node, i64::from(a.least) - i64::from(b.least));
        if let Some(known) = self.unions.get(&key) {
            return known.longer(least);
        }
        let (Some(first), Some(second)) = (self.node(a.node), self.node(b.node)) else {
            // Where it was too early to say what is dead: one of them will do.
            return if a.node == END { b } else { a };
        };
        let variable = first.variable.min(second.variable);
        let base = self.open.len();
        for (set, node) in [(a, first), (b, second)] {
            self.open
                .extend(self.edges[node.edges()].iter().map(|edge| Edge {
                    value: edge.value,
                    to: edge.to.longer(set.least - least),
                }));
        }
        let union = self.of(variable, base);
        self.unions.insert(self.nodes.len(), key, union);
        union.longer(least)
    }

    /// What becomes of the assignments of a set; `number` tells `changes` from all others.
    pub(super) fn change(&mut self, set: Set, number: u32, changes: &Changes) -> Set {
        if changes.is_empty() {
            return set;
        }
        self.change_from(set.node, number, changes, 0)
            .longer(set.least)
    }

    fn change_from(&mut self, node: u32, number: u32, changes: &Changes, from: usize) -> Set {
        let here = self.node(node);
        let Some((variable, change)) = changes.get(from) else {
            return Set { least: 0, node };
        };
        if here.is_none_or(|here| *variable < here.variable) {
            // One that is new, unless it was too early to say that it is dead.
            let rest = self.change_from(node, number, changes, from + 1);
            return match apply(change, None) {
                Some(value) => {
                    let base = self.open.len();
                    self.open.push(Edge { value, to: rest });
                    self.of(*variable, base)
                }
                None => rest,
            };
        }
        if let Some(known) = self.changed.get(&(number, node)) {
            return known;
        }
        let is_it = here.is_some_and(|here| here.variable == *variable);
        let base = self.open.len();
        let mut lives: Option<Set> = None;
        for at in here.map_or(0..0, Node::edges) {
            let edge = self.edges[at];
            let below = self.change_from(edge.to.node, number, changes, from + usize::from(is_it));
            let to = below.longer(edge.to.least);
            let value = if is_it {
                apply(change, Some(edge.value))
            } else {
                Some(edge.value)
            };
            match value {
                Some(value) => self.open.push(Edge { value, to }),
                None => lives = Some(lives.map_or(to, |all| self.union(all, to))),
            }
        }
        let changed = if let Some(all) = lives {
            self.open.truncate(base);
            all
        } else {
            self.of(here.map_or(*variable, |here| here.variable), base)
        };
        self.changed
            .insert(self.nodes.len(), (number, node), changed);
        changed
    }

    /// The assignments of a set in so many parts at least, if there are so many, in order.
    pub(super) fn parts(&self, set: Set, wanted: usize) -> Vec<Part> {
        let mut parts = vec![Part {
            values: vec![],
            set,
        }];
        while parts.len() < wanted && parts.iter().any(|p| p.set.node != END) {
            parts = parts.into_iter().flat_map(|p| self.divided(p)).collect();
        }
        parts
    }

    /// A part by the values of its next variable.
    fn divided(&self, part: Part) -> Vec<Part> {
        let Some(node) = self.node(part.set.node) else {
            return vec![part];
        };
        let edges = self.edges[node.edges()].iter();
        let one = edges.map(|edge| Part {
            values: [&part.values[..], &[(node.variable, edge.value)]].concat(),
            set: edge.to.longer(part.set.least),
        });
        one.collect()
    }

    /// All assignments of a part with their lengths, in order: of each, the variables and their
    /// values.
    pub(super) fn each_of(&self, part: &Part, visit: &mut Visit<'_>) {
        self.each_below(part.set, &mut part.values.clone(), visit);
    }

    /// All assignments with their lengths, in order: of each, the variables and their values.
    #[cfg(test)]
    fn each(&self, set: Set, visit: &mut Visit<'_>) {
        self.each_below(set, &mut vec![], visit);
    }

    fn each_below(&self, set: Set, values: &mut Vec<(u32, u64)>, visit: &mut Visit<'_>) {
        let Some(node) = self.node(set.node) else {
            visit(values, set.least);
            return;
        };
        for edge in &self.edges[node.edges()] {
            values.push((node.variable, edge.value));
            self.each_below(edge.to.longer(set.least), values, visit);
            values.pop();
        }
    }

    /// The assignment that the changes make `wanted` of, of the least length if that is at most
    /// `longest`, and the first of those.
    pub(super) fn before(
        &self,
        set: Set,
        changes: &Changes,
        wanted: &[(u32, u64)],
        longest: u32,
    ) -> Option<(Vec<(u32, u64)>, u32)> {
        let mut found = Before {
            diagrams: self,
            changes,
            wanted,
            values: vec![],
            longest: longest + 1,
            best: None,
        };
        found.look(set, 0, 0);
        Some((found.best?, found.longest))
    }
}

/// A search for the assignment that changes make another of.
struct Before<'a> {
    diagrams: &'a Diagrams,
    changes: &'a Changes,
    wanted: &'a [(u32, u64)],
    /// The values on the way to where the search is.
    values: Vec<(u32, u64)>,
    /// Only what is shorter is looked for.
    longest: u32,
    best: Option<Vec<(u32, u64)>>,
}

impl Before<'_> {
    /// Looks below a node, where so many changes and so many wanted values are passed.
    fn look(&mut self, set: Set, mut changes: usize, mut wanted: usize) {
        if set.least >= self.longest {
            return;
        }
        let node = self.diagrams.node(set.node);
        // Those that come with the changes alone.
        while let Some((variable, change)) = self.changes.get(changes)
            && node.is_none_or(|n| *variable < n.variable)
        {
            if let Some(value) = apply(change, None) {
                if self.wanted.get(wanted) != Some(&(*variable, value)) {
                    return;
                }
                wanted += 1;
            }
            changes += 1;
        }
        let Some(node) = node else {
            if wanted == self.wanted.len() {
                self.longest = set.least;
                self.best = Some(self.values.clone());
            }
            return;
        };
        let edges = &self.diagrams.edges[node.edges()];
        let next = self.wanted.get(wanted).copied();
        let next = next.filter(|(variable, _)| *variable == node.variable);
        let is_changed = |c: &(u32, _)| c.0 == node.variable;
        let Some((_, change)) = self.changes.get(changes).filter(|c| is_changed(c)) else {
            let Some((_, value)) = next else { return };
            if let Ok(at) = edges.binary_search_by_key(&value, |e| e.value) {
                self.go(node.variable, &edges[at], set.least, changes, wanted + 1);
            }
            return;
        };
        for edge in edges {
            let value = apply(change, Some(edge.value));
            if value == next.map(|(_, value)| value) {
                let wanted = wanted + usize::from(next.is_some());
                self.go(node.variable, edge, set.least, changes + 1, wanted);
            }
        }
    }

    fn go(&mut self, variable: u32, edge: &Edge, least: u32, changes: usize, wanted: usize) {
        self.values.push((variable, edge.value));
        self.look(edge.to.longer(least), changes, wanted);
        self.values.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Diagrams, Set};
    use crate::engine::effects::Change;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The same, counted out: assignments of the first `N` variables, with their lengths.
    type Plain = BTreeMap<Vec<(u32, u64)>, u32>;

    fn add(plain: &mut Plain, values: Vec<(u32, u64)>, length: u32) {
        let known = plain.entry(values).or_insert(length);
        *known = (*known).min(length);
    }

    fn plain(diagrams: &Diagrams, set: Set) -> Plain {
        let mut all = Plain::new();
        diagrams.each(set, &mut |values, length| {
            assert_eq!(all.insert(values.to_vec(), length), None, "twice");
        });
        let mut of_parts = Plain::new();
        for part in diagrams.parts(set, 3) {
            diagrams.each_of(&part, &mut |values, length| {
                assert_eq!(
                    of_parts.insert(values.to_vec(), length),
                    None,
                    "in two parts"
                );
            });
        }
        assert_eq!(of_parts, all, "the parts are the whole");
        all
    }

    fn changed(before: &Plain, changes: &Changes) -> Plain {
        let mut after = Plain::new();
        for (values, length) in before {
            let mut values: BTreeMap<u32, u64> = values.iter().copied().collect();
            for (variable, list) in changes {
                let value = super::apply(list, values.remove(variable));
                values.extend(value.map(|value| (*variable, value)));
            }
            add(&mut after, values.into_iter().collect(), *length);
        }
        after
    }

    /// What becomes of dead cells on a way: a list of them, and who goes it.
    #[derive(Clone, Debug)]
    enum Step {
        Change(BTreeMap<u32, Vec<Change>>),
        Union(usize, usize),
        Longer(usize, u32),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            3 => (0..3u64).prop_map(Change::Is),
            2 => (1..3u64).prop_map(Change::Add),
            1 => (0..4u64).prop_map(Change::Or),
            1 => (0..4u64).prop_map(Change::And),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        let lists = proptest::collection::vec(change(), 1..3);
        prop_oneof![
            proptest::collection::btree_map(0..4u32, lists, 1..3).prop_map(Step::Change),
            (0..64usize, 0..64usize).prop_map(|(a, b)| Step::Union(a, b)),
            (0..64usize, 1..4u32).prop_map(|(a, by)| Step::Longer(a, by)),
        ]
    }

    /// Sets that give the first four variables a value each.
    fn beginning(diagrams: &mut Diagrams) -> Set {
        let is = |v: u32| (v, vec![Change::Is(u64::from(v))].into());
        diagrams.change(Set::UNIT, u32::MAX, &(0..4).map(is).collect())
    }

    proptest! {
        /// Diagrams hold what sets hold that are counted out, and know for each assignment behind
        /// changes the shortest one before.
        #[test]
        fn diagrams_are_sets(steps in proptest::collection::vec(step(), 1..24)) {
            let mut diagrams = Diagrams::default();
            let first = beginning(&mut diagrams);
            let mut sets = vec![(first, plain(&diagrams, first))];
            for (number, step) in (0..).zip(steps) {
                let next = match step {
                    Step::Change(changes) => {
                        let changes: Changes =
                            changes.into_iter().map(|(v, list)| (v, list.into())).collect();
                        let (set, before) = sets.last().cloned().expect("there is the first");
                        let after = changed(&before, &changes);
                        for (wanted, length) in &after {
                            let found = diagrams.before(set, &changes, wanted, *length);
                            let (values, shortest) = found.expect("something led to it");
                            prop_assert_eq!(shortest, *length);
                            prop_assert_eq!(before.get(&values), Some(length));
                            let alone = Plain::from([(values, *length)]);
                            prop_assert!(changed(&alone, &changes).contains_key(wanted));
                            let shorter = length.checked_sub(1);
                            let none = shorter.and_then(|l| diagrams.before(set, &changes, wanted, l));
                            prop_assert_eq!(none, None);
                        }
                        (diagrams.change(set, number, &changes), after)
                    }
                    Step::Union(a, b) => {
                        let (a, b) = (a % sets.len(), b % sets.len());
                        let mut both = sets[a].1.clone();
                        for (values, length) in &sets[b].1 {
                            add(&mut both, values.clone(), *length);
                        }
                        (diagrams.union(sets[a].0, sets[b].0), both)
                    }
                    Step::Longer(a, by) => {
                        let (set, before) = &sets[a % sets.len()];
                        let longer = before.iter().map(|(v, l)| (v.clone(), l + by));
                        (set.longer(by), longer.collect())
                    }
                };
                prop_assert_eq!(plain(&diagrams, next.0), next.1.clone());
                sets.push(next);
            }
            // Equal sets are equal diagrams.
            for (set, all) in &sets {
                for (other, others) in &sets {
                    prop_assert_eq!(set == other, all == others);
                }
            }
        }
    }
}
