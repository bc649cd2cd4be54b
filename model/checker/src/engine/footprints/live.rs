//! Live variables: which cells some task can still read.
//!
//! What stands in a cell that no task will read any more decides nothing but the outcome. So states
//! that differ in such dead cells alone are one (Bozga, Fernandez, Ghirvu, "State space reduction
//! based on live variables analysis", 1999), and what became of the dead cells is read off the
//! graph of states afterwards. A cell that has died stays dead: whoever reads it later could
//! have read it before.
//!
//! Which cells a task reads behind a point is learnt as footprints are, and looked at again at the
//! end of a round: all that is read behind a point must have been known when the round began, or
//! guessed (see [`super::unseen`]).
//! That is enough: suppose two states were taken for one, and a run from the second, of the least
//! length, reads a cell that was taken for dead. Up to there the same run goes from the first, which
//! was explored, so that the task has been seen to read it behind the point where it stood.

use super::{Flow, FlowPoint, Footprints, Foreseen, Known, Sum};
use crate::backend::Rmw;
use crate::engine::machine::record::Op;
use crate::engine::weak::Strength;
use crate::layout::CellId;

/// A set of cells, as bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cells(pub(super) Box<[u64]>);

impl Cells {
    /// No cells of so many.
    pub(super) fn none(cells: usize) -> Self {
        Self(vec![0; cells.div_ceil(64)].into())
    }

    /// All of so many cells.
    fn all(cells: usize) -> Self {
        let mut all = Self::none(cells);
        (0..cells).for_each(|cell| all.add(cell));
        all
    }

    pub(super) fn add(&mut self, cell: usize) {
        self.0[cell / 64] |= 1 << (cell % 64);
    }

    #[inline]
    pub(super) fn has(&self, cell: usize) -> bool {
        self.0[cell / 64] >> (cell % 64) & 1 != 0
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| b & !a == 0)
    }
}

impl Sum for Cells {
    fn bits(&self) -> &[u64] {
        &self.0
    }
    fn bits_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }
}

/// The cell that a task observes, or the first of the object's. A blind update observes nothing if
/// it can be told what it does, see [`is_plain`].
pub(super) fn read(op: &Op) -> Option<CellId> {
    match *op {
        Op::Load { cell, .. } | Op::Compound { first: cell, .. } => Some(cell),
        Op::Wait { condition, .. } => Some(condition.cell),
        Op::Rmw { cell, op, strength } => {
            (strength == Strength::Full || !is_plain(op)).then_some(cell)
        }
        Op::Release { cell, op } | Op::Ghost { cell, op } => (!is_plain(op)).then_some(cell),
        _ => None,
    }
}

/// Whether an update can be done later, to whatever the cell holds then, and be written down.
fn is_plain(op: Rmw) -> bool {
    match op {
        Rmw::Add(_) | Rmw::Or(_) | Rmw::And(_) | Rmw::Xchg(_) => true,
        Rmw::CmpXchg(..) | Rmw::Update(_) => false,
    }
}

impl Flow {
    /// What is read behind each point, and is foreseen to be.
    pub(super) fn live(&self, spans: &[u32], foreseen: &[Foreseen]) -> Vec<Cells> {
        let own = self.points.iter().map(|point| {
            let mut cells = Cells::none(spans.len());
            if let Some(first) = point.reads {
                let first = first.index();
                (first..first + spans[first] as usize).for_each(|cell| cells.add(cell));
            }
            cells
        });
        let only: Vec<Cells> = own.collect();
        let mut own = only.clone();
        for foreseen in foreseen {
            own[foreseen.at].extend(&only[foreseen.as_before]);
        }
        self.add_up(&own, |_| true)
    }
}

impl Footprints {
    /// The cells that no task reads any more, if what each of them reads has one of these numbers.
    pub(crate) fn dead(&self, live: &[u32]) -> Box<[u64]> {
        let mut dead = Cells::all(self.cells).0;
        for set in live {
            for (dead, live) in dead.iter_mut().zip(&self.live[*set as usize].0) {
                *dead &= !live;
            }
        }
        dead
    }

    /// Whether nothing is read behind a point that was not `taken` to be by a round that went by
    /// these footprints, by all that has been `seen` since. By number of the point.
    pub(crate) fn are_all(&self, taken: &[Known], seen: &Self, flow: &Flow) -> bool {
        let is_known = |(point, taken): (&FlowPoint, &Known)| {
            let now = seen.of(&point.likeness).live as usize;
            self.live[taken.live as usize].contains(&seen.live[now])
        };
        flow.points.iter().zip(taken).all(is_known)
    }
}

impl Known {
    /// Number of the set of cells that the task still reads.
    pub(crate) fn live(self) -> u32 {
        self.live
    }
}
