//! What can conflict, and the sets of it that are touched.
//!
//! Under weak memory that is more:
//!
//! - whoever takes a lock sees what was done by those who had it before, so the order in which a lock is
//!   taken counts, whatever it guards;
//! - the order of any two smp_mb() counts, and so of fully ordered read-modify-writes;
//! - no two updates of a cell commute: each goes right after the store that it reads.
//!
//! All else that an operation does, it does to the views of its task and to the stores of its cell. A
//! store that goes before others moves the places of theirs on in all views: that is a matter of names.

use super::{Flow, Sum};
use crate::backend::{Mode, Rmw};
use crate::engine::machine::record::Op;
use crate::engine::marks::Watch;
use crate::engine::weak::Strength;
use crate::layout::{CellId, LockId};
use std::collections::HashMap;

/// One of the things that can conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Cell(CellId),
    Lock(LockId),
    /// Under weak memory, what smp_mb() orders: the order of any two.
    Mb,
}

/// An update that nobody sees the result of, and that commutes with its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commuting {
    Or,
    Add,
}

impl Commuting {
    /// Which of them an operation is, if it is one.
    pub(super) fn of(op: &Op) -> Option<(CellId, Self)> {
        let Op::Rmw { cell, op, strength } = *op else {
            return None;
        };
        let kind = match op {
            Rmw::Or(_) => Self::Or,
            Rmw::Add(_) => Self::Add,
            Rmw::And(_) | Rmw::Xchg(_) | Rmw::CmpXchg(..) | Rmw::Update(_) => return None,
        };
        (strength != Strength::Full).then_some((cell, kind))
    }
}

/// What can conflict: fields that tasks share and somebody writes, and locks that somebody may
/// have to wait for.
pub(super) struct Objects {
    cells: Vec<Option<u32>>,
    locks: Vec<Option<u32>>,
    pub(super) all: Vec<Object>,
    /// Of each cell that is updated in a commuting way: in which one, or `None` if in several.
    updates: HashMap<CellId, Option<Commuting>>,
    /// Under weak memory, [`Object::Mb`].
    mb: Option<u32>,
}

impl Objects {
    /// By what has been seen of the accesses and of what tasks do.
    pub(super) fn new(watch: &Watch, flow: &Flow) -> Self {
        let is_weak = watch.is_weak();
        let mut all = vec![];
        let mut number = |is_one: bool, object: Object| {
            is_one.then(|| {
                all.push(object);
                all.len() as u32 - 1
            })
        };
        let cells = watch.shared_cells().zip(0..);
        let cells = cells.map(|(is_one, i)| number(is_one, Object::Cell(CellId(i))));
        let cells = cells.collect();
        let locks = watch.contended_locks().zip(0..);
        let locks = locks.map(|(is_one, i)| number(is_one, Object::Lock(LockId(i))));
        let locks = locks.collect();
        let mb = number(is_weak, Object::Mb);
        let mut updates: HashMap<CellId, Option<Commuting>> = HashMap::new();
        let points = flow.points.iter().filter(|_| !is_weak);
        for (cell, kind) in points.filter_map(|p| Commuting::of(&p.op)) {
            let known = updates.entry(cell).or_insert(Some(kind));
            if *known != Some(kind) {
                *known = None;
            }
        }
        Self {
            cells,
            locks,
            all,
            updates,
            mb,
        }
    }

    pub(super) fn words(&self) -> usize {
        words(self.all.len())
    }

    fn cell(&self, cell: CellId, access: u64, into: &mut Footprint) {
        if let Some(object) = self.cells[cell.index()] {
            into.add(object, access);
        }
    }

    fn lock(&self, lock: LockId, access: u64, into: &mut Footprint) {
        if let Some(object) = self.locks[lock.index()] {
            into.add(object, access);
        }
    }

    /// What an operation touches. Dropping a lock is touched by nobody: whoever wants the lock
    /// cannot go before. Where somebody tries the lock it is.
    pub(super) fn touched(&self, op: &Op, watch: &Watch, into: &mut Footprint) {
        if let Some((cell, kind)) = Commuting::of(op)
            && self.updates.get(&cell) == Some(&Some(kind))
        {
            return self.cell(cell, CHANGED, into);
        }
        if let (Some(mb), Some(Strength::Full)) = (self.mb, strength(op)) {
            into.add(mb, WRITTEN);
        }
        match *op {
            Op::Load { cell, .. } => self.cell(cell, SEEN, into),
            Op::Wait { condition, .. } => self.cell(condition.cell, SEEN, into),
            Op::Store { cell, .. } | Op::Rmw { cell, .. } | Op::Release { cell, .. } => {
                self.cell(cell, WRITTEN, into);
            }
            Op::Compound { first, writes } => {
                self.cell(first, if writes { WRITTEN } else { SEEN }, into);
            }
            Op::Lock { lock, mode } => {
                let is_exclusive = mode == Mode::Exclusive;
                self.lock(lock, if is_exclusive { WRITTEN } else { SEEN }, into);
            }
            Op::TryLock { lock } => self.lock(lock, WRITTEN, into),
            Op::Unlock { lock, .. } if watch.is_tried(lock) => self.lock(lock, WRITTEN, into),
            Op::Unlock { .. } | Op::Ghost { .. } | Op::Spawn { .. } | Op::Start | Op::Ended => {}
        }
    }
}

/// What an update orders.
fn strength(op: &Op) -> Option<Strength> {
    match *op {
        Op::Rmw { strength, .. } => Some(strength),
        _ => None,
    }
}

/// Words of a set of so many objects.
pub(super) fn words(objects: usize) -> usize {
    (2 * objects).div_ceil(64)
}

/// The order with any change of the object matters.
const SEEN: u64 = 1;
/// The object changes: in a way that commutes with its like, unless the order matters too.
const CHANGED: u64 = 2;
const WRITTEN: u64 = SEEN | CHANGED;

/// A set of objects that are touched, with two bits for each object: see [`SEEN`] and [`CHANGED`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Footprint(pub(super) Box<[u64]>);

impl Sum for Footprint {
    fn bits(&self) -> &[u64] {
        &self.0
    }
    fn bits_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }
}

/// The bit [`SEEN`] of all objects of a word.
const ALL_SEEN: u64 = 0x5555_5555_5555_5555;

impl Footprint {
    pub(super) fn empty(words: usize) -> Self {
        Self(vec![0; words].into())
    }

    fn add(&mut self, object: u32, access: u64) {
        self.0[object as usize / 32] |= access << (2 * (object % 32));
    }

    fn access(&self, object: u32) -> u64 {
        self.0[object as usize / 32] >> (2 * (object % 32)) & WRITTEN
    }

    /// Whether one changes what the other sees.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| {
            let both = ((a >> 1) & b & ALL_SEEN) | (a & (b >> 1) & ALL_SEEN);
            both != 0
        })
    }

    /// The same objects under other numbers: `numbers` by the old ones, `words` long.
    pub(super) fn renumbered(&self, numbers: &[u32], words: usize) -> Self {
        let mut all = Self::empty(words);
        for (old, new) in (0..).zip(numbers) {
            all.add(*new, self.access(old));
        }
        all
    }
}
