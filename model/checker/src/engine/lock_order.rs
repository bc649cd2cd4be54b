//! Which locks tasks take while they hold others: a lockdep of our own.
//!
//! An [`Edge`] says that some task, in some schedule of the exploration, was about to take `inner`
//! while it held `outer`. It stands there as soon as the task asks for the lock, whether it gets it
//! or not, as in lockdep's lock_acquire(). A lock that is only tried waits for nobody, so no edge
//! leads to it, but edges lead from it. What the model's set-up does alone is part of it.
//!
//! The set is that of all schedules, not of those that were run: every operation of a task is run
//! at least once for each past that the task can have, and a past decides what is held, who took
//! it, and the calls that are open. So it depends neither on the number of workers nor on the
//! reductions, once the exploration is complete. One that was cut short has a part of it.
//!
//! What lockdep would say of that graph is [`LockOrder::inversions`]: cycles of the order of
//! classes. A cycle is no deadlock. It may be that no schedule comes to one, since a third lock is
//! always held, or since the tasks never run at the same time; lockdep does not ask either.

use crate::backend::Mode;
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::layout::{Layout, LockId};
use crate::model::Entry;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A lock, how it is taken, and in which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acquisition {
    /// The lock.
    pub lock: LockId,
    /// For itself alone, or as a reader.
    pub mode: Mode,
    /// The innermost function, as the model names it.
    pub function: &'static str,
}

/// `inner` is taken by a task that holds `outer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// What is held.
    pub outer: Acquisition,
    /// What is taken.
    pub inner: Acquisition,
}

/// How an edge comes about: of all ways the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// The functions that are open when the inner lock is taken, the outermost first.
    pub calls: Vec<&'static str>,
    /// What the task runs; `None` for the set-up.
    pub by: Option<Entry>,
}

/// The lock order of an exploration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockOrder {
    edges: BTreeMap<Edge, Taken>,
}

/// A lockdep class: a name, and the instance if each is a class of its own.
pub type Class = String;

/// One step of a cycle: some lock of class `outer` is held while one of class `inner` is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClassEdge {
    /// The class of what is held.
    pub outer: Class,
    /// The class of what is taken.
    pub inner: Class,
    /// The least of the edges between locks that this is made of.
    pub edge: Edge,
    /// How that comes about.
    pub taken: Taken,
}

/// A cycle of the lock order: what lockdep reports as a possible deadlock. Each step begins with
/// the class that the step before ends with. A single step from a class to itself is what lockdep
/// calls possible recursive locking.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inversion {
    /// The steps, that from the least class first.
    pub steps: Vec<ClassEdge>,
}

impl Inversion {
    /// The classes in order, the least first.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.outer.as_str())
    }
}

impl FromIterator<(Edge, Taken)> for LockOrder {
    fn from_iter<I: IntoIterator<Item = (Edge, Taken)>>(edges: I) -> Self {
        let mut order = Self::default();
        for (edge, taken) in edges {
            order.note(edge, taken.calls.into_iter(), taken.by);
        }
        order
    }
}

impl LockOrder {
    /// All edges, in order.
    pub fn edges(&self) -> impl Iterator<Item = (&Edge, &Taken)> {
        self.edges.iter()
    }

    /// Whether no lock is taken under another.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// A task that has these calls open takes a lock under another.
    pub(crate) fn note(
        &mut self,
        edge: Edge,
        calls: impl Iterator<Item = &'static str> + Clone,
        by: Option<Entry>,
    ) {
        let is_less = |taken: &Taken| {
            let ours = (calls.clone().count(), by);
            let order = ours.0.cmp(&taken.calls.len());
            let order = order.then_with(|| calls.clone().cmp(taken.calls.iter().copied()));
            order.then_with(|| ours.1.cmp(&taken.by)).is_lt()
        };
        if self.edges.get(&edge).is_none_or(is_less) {
            let calls = calls.collect();
            self.edges.insert(edge, Taken { calls, by });
        }
    }

    /// Takes in what another has seen.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (edge, taken) in &other.edges {
            self.note(*edge, taken.calls.iter().copied(), taken.by);
        }
    }

    /// The edges between classes, each with the least of the edges that it is made of.
    pub fn class_edges(&self, layout: &Layout) -> Vec<ClassEdge> {
        let class = |of: Acquisition| layout.lock_class(of.lock);
        let mut all: BTreeMap<(Class, Class), ClassEdge> = BTreeMap::new();
        for (edge, taken) in &self.edges {
            let (outer, inner) = (class(edge.outer), class(edge.inner));
            let key = (outer.clone(), inner.clone());
            all.entry(key).or_insert_with(|| ClassEdge {
                outer,
                inner,
                edge: *edge,
                taken: taken.clone(),
            });
        }
        all.into_values().collect()
    }

    /// The cycles of the order of classes: for each edge that lies on any, a shortest one.
    pub fn inversions(&self, layout: &Layout) -> BTreeSet<Inversion> {
        let edges = self.class_edges(layout);
        let graph: DiGraphMap<&str, &ClassEdge> = edges
            .iter()
            .map(|e| (e.outer.as_str(), e.inner.as_str(), e))
            .collect();
        let mut found = BTreeSet::new();
        for component in tarjan_scc(&graph) {
            let component: BTreeSet<&str> = component.into_iter().collect();
            let within = edges.iter().filter(|e| {
                component.contains(e.outer.as_str()) && component.contains(e.inner.as_str())
            });
            found.extend(within.map(|edge| cycle(&graph, edge)));
        }
        found
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        let acquisition = |out: &mut Writer, a: Acquisition| {
            out.u32(a.lock.0);
            out.flag(a.mode == Mode::Shared);
            out.text(a.function);
        };
        let all: Vec<_> = self.edges.iter().collect();
        out.list(&all, |out, (edge, taken)| {
            acquisition(out, edge.outer);
            acquisition(out, edge.inner);
            out.list(&taken.calls, |out, name| out.text(name));
            out.flag(taken.by.is_some());
            let by = taken.by.unwrap_or(Entry { kind: 0, arg: 0 });
            by.save(out);
        });
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let acquisition = |from: &mut Reader| {
            Ok::<_, Malformed>(Acquisition {
                lock: LockId(from.u32()?),
                mode: if from.flag()? {
                    Mode::Shared
                } else {
                    Mode::Exclusive
                },
                function: from.name()?,
            })
        };
        let edges = from.list(|from| {
            let (outer, inner) = (acquisition(from)?, acquisition(from)?);
            let calls = from.list(Reader::name)?;
            let is_task = from.flag()?;
            let by = Entry::load(from)?;
            let by = is_task.then_some(by);
            Ok((Edge { outer, inner }, Taken { calls, by }))
        })?;
        Ok(Self {
            edges: edges.into_iter().collect(),
        })
    }
}

/// A shortest cycle with this edge, which lies on one: of those equally short the first.
fn cycle(graph: &DiGraphMap<&str, &ClassEdge>, edge: &ClassEdge) -> Inversion {
    let (start, end) = (edge.inner.as_str(), edge.outer.as_str());
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front().filter(|at| *at != end) {
        let next: BTreeSet<&str> = graph.neighbors(at).collect();
        for to in next {
            if to != start && !before.contains_key(to) {
                before.insert(to, at);
                queue.push_back(to);
            }
        }
    }
    let mut classes = vec![end];
    while let Some(at) = classes.last().and_then(|last| before.get(last)) {
        classes.push(at);
    }
    // From `inner` to `outer`; the edge itself leads back.
    classes.reverse();
    let least = (0..classes.len()).min_by_key(|i| classes[*i]).unwrap_or(0);
    classes.rotate_left(least);
    let next = classes.iter().cycle().skip(1);
    let steps = classes.iter().zip(next);
    let steps = steps.filter_map(|(outer, inner)| graph.edge_weight(outer, inner));
    Inversion {
        steps: steps.map(|step| (*step).clone()).collect(),
    }
}
