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
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Words>>;

/// A set: the least length in it, and its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Set {
    least: u32,
    node: u32,
}

/// The node behind the last variable.
const END: u32 = 0;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    variable: u32,
    edges: Box<[Edge]>,
}

/// In order of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Edge {
    value: u64,
    to: Set,
}

/// Is shown an assignment, variables in order with their values, and its length.
type Visit<'a> = dyn FnMut(&[(u32, u64)], u32) + 'a;

/// What becomes of variables, in order of their numbers.
pub(super) type Changes = Box<[(u32, Box<[Change]>)]>;

/// All diagrams.
#[derive(Default)]
pub(super) struct Diagrams {
    nodes: Vec<Node>,
    numbers: Map<Node, u32>,
    /// Of two nodes, and how much longer the first is than the second.
    unions: Map<(u32, u32, i64), Set>,
    /// Of a list of changes and a node.
    changed: Map<(u32, u32), Set>,
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
    fn node(&self, number: u32) -> Option<&Node> {
        let index = number.checked_sub(1)?;
        self.nodes.get(index as usize)
    }

    /// The set of what these edges lead to; there is at least one. If two have the same value they
    /// are one.
    fn of(&mut self, variable: u32, mut edges: Vec<Edge>) -> Set {
        edges.sort_by_key(|e| e.value);
        let mut merged: Vec<Edge> = Vec::with_capacity(edges.len());
        for edge in edges {
            match merged.last_mut() {
                Some(last) if last.value == edge.value => {
                    last.to = self.union(last.to, edge.to);
                }
                _ => merged.push(edge),
            }
        }
        let least = merged.iter().map(|e| e.to.least).min().unwrap_or(0);
        for edge in &mut merged {
            edge.to.least -= least;
        }
        let node = Node {
            variable,
            edges: merged.into(),
        };
        let number = if let Some(number) = self.numbers.get(&node) {
            *number
        } else {
            self.nodes.push(node.clone());
            let number = self.nodes.len() as u32;
            self.numbers.insert(node, number);
            number
        };
        Set {
            least,
            node: number,
        }
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
        let with = |set: Set, edge: &Edge| Edge {
            value: edge.value,
            to: edge.to.longer(set.least - least),
        };
        let mut edges: Vec<Edge> = first.edges.iter().map(|e| with(a, e)).collect();
        edges.extend(second.edges.iter().map(|e| with(b, e)));
        let union = self.of(variable, edges);
        self.unions.insert(key, union);
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
        let here = self.node(node).map(|n| n.variable);
        let Some((variable, change)) = changes.get(from) else {
            return Set { least: 0, node };
        };
        if here.is_none_or(|here| *variable < here) {
            // One that is new, unless it was too early to say that it is dead.
            let rest = self.change_from(node, number, changes, from + 1);
            return match apply(change, None) {
                Some(value) => self.of(*variable, vec![Edge { value, to: rest }]),
                None => rest,
            };
        }
        if let Some(known) = self.changed.get(&(number, node)) {
            return *known;
        }
        let is_it = here == Some(*variable);
        let edges = self.node(node).map_or(vec![], |n| n.edges.to_vec());
        let mut left = vec![];
        let mut lives: Option<Set> = None;
        for edge in edges {
            let below = self.change_from(edge.to.node, number, changes, from + usize::from(is_it));
            let to = below.longer(edge.to.least);
            let value = if is_it {
                apply(change, Some(edge.value))
            } else {
                Some(edge.value)
            };
            match value {
                Some(value) => left.push(Edge { value, to }),
                None => lives = Some(lives.map_or(to, |all| self.union(all, to))),
            }
        }
        let changed = match lives {
            Some(all) => all,
            None => self.of(here.unwrap_or(*variable), left),
        };
        self.changed.insert((number, node), changed);
        changed
    }

    /// All assignments with their lengths, in order: of each, the variables and their values.
    pub(super) fn each(&self, set: Set, visit: &mut Visit<'_>) {
        self.each_below(set, &mut vec![], visit);
    }

    fn each_below(&self, set: Set, values: &mut Vec<(u32, u64)>, visit: &mut Visit<'_>) {
        let Some(node) = self.node(set.node) else {
            visit(values, set.least);
            return;
        };
        for edge in &node.edges {
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
        let next = self.wanted.get(wanted).copied();
        let next = next.filter(|(variable, _)| *variable == node.variable);
        let is_changed = |c: &(u32, _)| c.0 == node.variable;
        let Some((_, change)) = self.changes.get(changes).filter(|c| is_changed(c)) else {
            let Some((_, value)) = next else { return };
            let edge = node.edges.binary_search_by_key(&value, |e| e.value);
            if let Ok(at) = edge {
                self.go(node, &node.edges[at], set.least, changes, wanted + 1);
            }
            return;
        };
        for edge in &node.edges {
            let value = apply(change, Some(edge.value));
            if value == next.map(|(_, value)| value) {
                let wanted = wanted + usize::from(next.is_some());
                self.go(node, edge, set.least, changes + 1, wanted);
            }
        }
    }

    fn go(&mut self, node: &Node, edge: &Edge, least: u32, changes: usize, wanted: usize) {
        self.values.push((node.variable, edge.value));
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
