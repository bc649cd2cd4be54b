//! What tasks do, learnt from running them: an automaton for each task, whose nodes are the
//! points before its operations.
//!
//! A task is a deterministic function of what it has observed. So once it has been seen to go on
//! from a point, the same observation leads to the same next point, whatever else has happened,
//! and need not be run again: the world is changed by the operations alone. Only where a task
//! observes at a point what it has not observed there before does it run, from a copy of its
//! stack; the automaton is then larger by what it did. This is the caching of transitions of
//! LTSmin (Blom, van de Pol, Weber, "LTSmin: distributed and symbolic reachability", 2010), with
//! the dependencies seen rather than declared.
//!
//! A point's identity is a hash of the task's past; see [`crate::engine::machine::record`]. That
//! two different operations follow the same past shows that a model is no function of what it
//! observes, or that a checkpoint has forgotten something: [`Automaton::learn`] panics then, and
//! names the function.

use crate::engine::machine::record::{Identity, Observed, Op, Point, Record};
use crate::engine::marks::{Marks, TaskKey};
use crate::hash::Words;
use crate::layout::CellId;
use crate::model::Entry;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// A point of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^32 points"))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Whether a task that comes to a point is suspended there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stops {
    /// It goes on.
    Never,
    /// The operation is a step, or there is none any more.
    Always,
    /// It goes on unless it must wait.
    IfBlocked,
}

/// Where a task goes from a point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// It has not been seen to go on.
    Unknown,
    /// It observes nothing.
    One(NodeId),
    /// That depends on a value: number of the table.
    Values(u32),
    /// That depends on the cells of an object: number of the table.
    Contents(u32),
}

/// What the walk over the automaton needs to know of a point.
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) stops: Stops,
    /// There is a copy of the task to go on from.
    pub(crate) can_resume: bool,
    /// The task holds locks there, and has not been interrupted there yet.
    untouched: bool,
    pub(crate) next: Next,
    /// The task's part of the state's fingerprint.
    pub(crate) fingerprint: u128,
}

/// One content of an object, and what an operation makes of it.
pub(crate) struct Content {
    before: Box<[u64]>,
    /// The cells that change, counted from the object's first, with their new content.
    pub(crate) changes: Box<[(u32, u64)]>,
    pub(crate) next: NodeId,
}

/// The contents seen at one point, by a hash of them.
#[derive(Default)]
struct Contents {
    by_hash: HashMap<u64, u32, BuildHasherDefault<Words>>,
    all: Vec<Content>,
}

/// The values seen at one point.
#[derive(Default)]
struct Values {
    few: Vec<(u64, NodeId)>,
    /// All of them, once there are more than a few.
    many: HashMap<u64, NodeId>,
}

/// More values than this are looked up in a map.
const FEW: usize = 12;

/// The automata of all tasks.
#[derive(Default)]
pub(crate) struct Automaton {
    nodes: Vec<Node>,
    points: Vec<Point>,
    /// The points that they were first come to from.
    before: Vec<Option<NodeId>>,
    by_identity: HashMap<Identity, NodeId>,
    values: Vec<Values>,
    contents: Vec<Contents>,
    starts: HashMap<TaskKey, NodeId>,
}

impl Automaton {
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A point as it was recorded.
    pub(crate) fn point(&self, id: NodeId) -> &Point {
        &self.points[id.index()]
    }

    /// A point, and the one before it unless the task's past begins anew there.
    pub(crate) fn point_and_before(&self, id: NodeId) -> (&Point, Option<NodeId>) {
        let point = self.point(id);
        let before = self.before[id.index()];
        (point, before.filter(|_| !point.begins_anew))
    }

    /// Number of points.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The first point of a task, if it is known.
    pub(crate) fn start(&self, task: TaskKey) -> Option<NodeId> {
        self.starts.get(&task).copied()
    }

    /// Makes the first point of a task known.
    pub(crate) fn add_start(&mut self, task: TaskKey, id: NodeId) {
        self.starts.insert(task, id);
    }

    /// The node of a point where a task begins; a new one if it was not known.
    pub(crate) fn intern(&mut self, point: &Point, marks: &Marks) -> NodeId {
        self.intern_behind(None, point, marks)
    }

    fn intern_behind(&mut self, before: Option<NodeId>, point: &Point, marks: &Marks) -> NodeId {
        if let Some(id) = self.by_identity.get(&point.identity) {
            let known = &self.points[id.index()];
            assert!(
                known.op.is_like(&point.op),
                "the model is no function of what its tasks observe, or a checkpoint forgets a \
                 live local: after the same past, {} does {:?} and {} does {:?}",
                known.function,
                known.op,
                point.function,
                point.op
            );
            return *id;
        }
        let id = NodeId::new(self.nodes.len());
        self.by_identity.insert(point.identity, id);
        self.nodes.push(Node {
            op: point.op,
            stops: stops(&point.op, marks),
            can_resume: matches!(point.op, Op::Start),
            untouched: !point.held.is_empty(),
            next: Next::Unknown,
            fingerprint: point.fingerprint,
        });
        self.before.push(before);
        self.points.push(Point {
            observed: Observed::Nothing,
            begins_anew: point.begins_anew || before.is_none(),
            ..point.clone()
        });
        id
    }

    /// Whether the task holds locks at a point.
    pub(crate) fn holds_locks(&self, id: NodeId) -> bool {
        !self.points[id.index()].held.is_empty()
    }

    /// A task is interrupted at a point: whether it holds locks, and this is the first time.
    #[inline]
    pub(crate) fn interrupt(&mut self, id: NodeId) -> bool {
        std::mem::take(&mut self.nodes[id.index()].untouched)
    }

    /// From now on there is a copy of the task suspended at a point.
    pub(crate) fn can_resume(&mut self, id: NodeId) {
        self.nodes[id.index()].can_resume = true;
    }

    /// Takes in the record of a step that began at `from`; gives the point where it ended.
    pub(crate) fn learn(&mut self, from: NodeId, record: &Record, marks: &Marks) -> NodeId {
        let mut at = from;
        let mut observed = record.resumed.as_ref().unwrap_or(&Observed::Nothing);
        for point in &record.points {
            let to = self.intern_behind(Some(at), point, marks);
            self.link(at, observed, to);
            at = to;
            observed = &point.observed;
        }
        at
    }

    fn link(&mut self, from: NodeId, observed: &Observed, to: NodeId) {
        let next = self.nodes[from.index()].next;
        let next = match (next, observed) {
            (Next::Unknown, Observed::Nothing) => Next::One(to),
            (Next::Unknown, Observed::Value(_)) => {
                self.values.push(Values::default());
                Next::Values(self.values.len() as u32 - 1)
            }
            (Next::Unknown, Observed::Content { .. }) => {
                self.contents.push(Contents::default());
                Next::Contents(self.contents.len() as u32 - 1)
            }
            (known, _) => known,
        };
        self.nodes[from.index()].next = next;
        match (next, observed) {
            (Next::Values(table), Observed::Value(value)) => {
                self.values[table as usize].insert(*value, to);
            }
            (Next::Contents(table), Observed::Content { before, after }) => {
                self.contents[table as usize].insert(before, after, to);
            }
            _ => {}
        }
    }

    /// Where the value leads, if that is known.
    #[inline]
    pub(crate) fn by_value(&self, table: u32, value: u64) -> Option<NodeId> {
        self.values[table as usize].get(value)
    }

    /// What becomes of this content, if that is known.
    #[inline]
    pub(crate) fn by_content(&self, table: u32, cells: &[u64]) -> Option<&Content> {
        self.contents[table as usize].get(cells)
    }

    /// All points that a point may lead to at once.
    pub(crate) fn successors(&self, id: NodeId) -> Vec<NodeId> {
        match self.nodes[id.index()].next {
            Next::Unknown => vec![],
            Next::One(next) => vec![next],
            Next::Values(table) => self.values[table as usize].targets(),
            Next::Contents(table) => {
                let all = &self.contents[table as usize].all;
                all.iter().map(|c| c.next).collect()
            }
        }
    }

    /// The first points of all tasks that run this.
    pub(crate) fn starts_of(&self, entry: Entry) -> Vec<NodeId> {
        let of = self.starts.iter().filter(|(key, _)| key.entry == entry);
        of.map(|(_, start)| *start).collect()
    }

    /// All points.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}

fn stops(op: &Op, marks: &Marks) -> Stops {
    let if_marked = |cell: CellId, otherwise| {
        if marks.cell(cell) {
            Stops::Always
        } else {
            otherwise
        }
    };
    match *op {
        Op::Load { cell, .. }
        | Op::Store { cell, .. }
        | Op::Rmw { cell, .. }
        | Op::Compound { first: cell, .. } => if_marked(cell, Stops::Never),
        Op::Wait { condition, .. } => if_marked(condition.cell, Stops::IfBlocked),
        Op::Lock { lock, .. } if marks.lock(lock) => Stops::Always,
        Op::Lock { .. } => Stops::IfBlocked,
        Op::Unlock { lock, .. } if marks.unlock(lock) => Stops::Always,
        Op::TryLock { .. } | Op::Start | Op::Ended => Stops::Always,
        Op::Unlock { .. } | Op::Release { .. } | Op::Ghost { .. } | Op::Spawn { .. } => {
            Stops::Never
        }
    }
}

impl Values {
    #[inline]
    fn get(&self, value: u64) -> Option<NodeId> {
        if self.many.is_empty() {
            let found = self.few.iter().find(|(v, _)| *v == value);
            found.map(|(_, next)| *next)
        } else {
            self.many.get(&value).copied()
        }
    }

    fn insert(&mut self, value: u64, next: NodeId) {
        if self.get(value).is_some() {
            return;
        }
        self.few.push((value, next));
        if self.few.len() > FEW {
            self.many = self.few.iter().copied().collect();
        }
    }

    fn targets(&self) -> Vec<NodeId> {
        self.few.iter().map(|(_, next)| *next).collect()
    }
}

/// A quick hash of the content of an object: the content itself is compared too.
#[inline]
fn quick(cells: &[u64]) -> u64 {
    cells.iter().fold(cells.len() as u64, |h, word| {
        (h ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    })
}

impl Contents {
    #[inline]
    fn get(&self, cells: &[u64]) -> Option<&Content> {
        if let [only] = &self.all[..] {
            return (&*only.before == cells).then_some(only);
        }
        let found = self.by_hash.get(&quick(cells))?;
        let content = &self.all[*found as usize];
        (&*content.before == cells).then_some(content)
    }

    fn insert(&mut self, before: &[u64], after: &[u64], next: NodeId) {
        if self.get(before).is_some() {
            return;
        }
        let changes = before.iter().zip(after).enumerate();
        let changes = changes
            .filter(|(_, (old, new))| old != new)
            .map(|(i, (_, new))| (i as u32, *new));
        self.by_hash.insert(quick(before), self.all.len() as u32);
        self.all.push(Content {
            before: before.into(),
            changes: changes.collect(),
            next,
        });
    }
}
