//! What tasks touch behind their points, for those who ask what a task still sees of the others.

use super::Flow;
use super::live::Cells;
use crate::backend::Order;
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::engine::machine::record::{Likeness, Op};
use crate::engine::weak::Strength;
use crate::layout::{CellId, LockId};

/// One thing that a task does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Touch {
    /// It reads or writes a cell by itself.
    Cell(CellId),
    /// It writes a cell by itself.
    Write(CellId),
    /// It writes a cell by itself, and passes nothing on with it.
    RelaxedWrite(CellId),
    /// It takes a lock.
    Lock(LockId),
}

/// All that a task still does.
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    /// How many cells there are.
    cells: usize,
    /// For each of the three that can be done to a cell, the cells; behind them the locks.
    all: Cells,
}

impl Touched {
    /// Nothing, of so many cells and locks.
    fn none(cells: usize, locks: usize) -> Self {
        let all = Cells::none(3 * cells + locks);
        Self { cells, all }
    }

    #[inline]
    fn number(&self, touch: Touch) -> usize {
        match touch {
            Touch::Cell(cell) => cell.index(),
            Touch::Write(cell) => self.cells + cell.index(),
            Touch::RelaxedWrite(cell) => 2 * self.cells + cell.index(),
            Touch::Lock(lock) => 3 * self.cells + lock.index(),
        }
    }

    fn add(&mut self, touch: Touch) {
        self.all.add(self.number(touch));
    }

    /// What an operation does.
    fn add_op(&mut self, op: &Op) {
        let is_written = |releases: bool, cell: CellId| {
            let relaxed = (!releases).then_some(Touch::RelaxedWrite(cell));
            [Some(Touch::Cell(cell)), Some(Touch::Write(cell)), relaxed]
        };
        let touches = match *op {
            Op::Load { cell, .. } => [Some(Touch::Cell(cell)), None, None],
            Op::Wait { condition, .. } => [Some(Touch::Cell(condition.cell)), None, None],
            Op::Store { cell, order, .. } => is_written(order == Order::AcquireRelease, cell),
            Op::Rmw { cell, strength, .. } => is_written(strength != Strength::Relaxed, cell),
            Op::Release { cell, .. } => is_written(true, cell),
            Op::Lock { lock, .. } | Op::TryLock { lock } => [Some(Touch::Lock(lock)), None, None],
            Op::Start
            | Op::Compound { .. }
            | Op::Ghost { .. }
            | Op::Unlock { .. }
            | Op::Spawn { .. }
            | Op::Ended => [None; 3],
        };
        touches.into_iter().flatten().for_each(|t| self.add(t));
    }

    /// Whether this is among it.
    #[inline]
    pub(crate) fn has(&self, touch: Touch) -> bool {
        self.all.has(self.number(touch))
    }

    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.cells as u64);
        out.list(&self.all.0, |out, word| out.u64(*word));
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let cells = from.u64()? as usize;
        let all = Cells(from.list(Reader::u64)?.into());
        Ok(Self { cells, all })
    }

    /// Whether all of the other is among it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.all.contains(&other.all)
    }
}

impl Flow {
    /// What is done behind each point, of so many cells and locks.
    pub(crate) fn touched(
        &self,
        cells: usize,
        locks: usize,
    ) -> impl Iterator<Item = (Likeness, Touched)> {
        let own = self.points.iter().map(|point| {
            let mut own = Touched::none(cells, locks);
            own.add_op(&point.op);
            own.all
        });
        let sums = self.add_up(&own.collect::<Vec<_>>(), |_| true);
        let likenesses: Vec<Likeness> = self.points.iter().map(|p| p.likeness).collect();
        let all = sums.into_iter().map(move |all| Touched { cells, all });
        likenesses.into_iter().zip(all)
    }
}
