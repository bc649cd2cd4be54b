//! A view: of each cell, how far somebody has got along its stores.

use super::part::Append;
use crate::layout::CellId;
use smallvec::SmallVec;

/// Of each cell, the place of a store in the cell's coherence order. Places count from the
/// oldest store that is kept; a cell at place 0 is left out, so equal views are equal vectors
/// and a quiet memory has empty ones.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct View(SmallVec<[(CellId, u32); FEW]>);

/// So many cells need no memory beside the view: it is copied with its task at each step.
const FEW: usize = 8;

impl Clone for View {
    fn clone(&self) -> Self {
        Self(SmallVec::from_slice(&self.0))
    }
}

impl View {
    /// The place of the cell.
    pub(super) fn at(&self, cell: CellId) -> u32 {
        self.find(cell).map_or(0, |i| self.0[i].1)
    }

    fn find(&self, cell: CellId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&cell, |(c, _)| *c)
    }

    /// Whether it stands at the oldest store of every cell.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes on to `place`, if it is not there yet.
    pub(super) fn raise(&mut self, cell: CellId, place: u32) {
        match self.find(cell) {
            Ok(i) => self.0[i].1 = self.0[i].1.max(place),
            Err(i) if place > 0 => self.0.insert(i, (cell, place)),
            Err(_) => {}
        }
    }

    /// The least upper bound of both.
    pub(super) fn join(&mut self, other: &View) {
        for (cell, place) in &other.0 {
            self.raise(*cell, *place);
        }
    }

    /// A store was put at `place`: the stores from there on are one further.
    pub(super) fn inserted(&mut self, cell: CellId, place: u32) {
        if let Ok(i) = self.find(cell)
            && self.0[i].1 >= place
        {
            self.0[i].1 += 1;
        }
    }

    /// The `count` oldest stores are dropped. Who stood at one of them could not read it any
    /// more, and stands at the oldest that is left.
    pub(super) fn dropped(&mut self, cell: CellId, count: u32) {
        if let Ok(i) = self.find(cell) {
            if self.0[i].1 <= count {
                self.0.remove(i);
            } else {
                self.0[i].1 -= count;
            }
        }
    }

    /// The cells of which it is past the oldest store, with the places.
    pub(super) fn entries(&self) -> impl Iterator<Item = (CellId, u32)> + '_ {
        self.0.iter().copied()
    }

    /// The greatest lower bound of some.
    pub(super) fn meet(views: &[&View]) -> View {
        let Some((first, others)) = views.split_first() else {
            return View::default();
        };
        let least = |(cell, place): (CellId, u32)| {
            let places = others.iter().map(|view| view.at(cell));
            (cell, places.fold(place, u32::min))
        };
        View(first.entries().map(least).filter(|(_, p)| *p > 0).collect())
    }

    /// Leaves out what stands in it just so.
    pub(super) fn forget(&mut self, known: &[(CellId, u32)]) {
        self.0.retain(|entry| !known.contains(entry));
    }

    /// Goes back to the oldest store of a cell.
    pub(super) fn leave(&mut self, cell: CellId) {
        if let Ok(i) = self.find(cell) {
            self.0.remove(i);
        }
    }

    /// Goes back to the oldest store of each cell.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&self.0[..])
    }

    /// Appends it.
    pub(super) fn append(&self, into: &mut impl Append) {
        into.push(self.0.len() as u64);
        for (cell, place) in &self.0 {
            into.push((u64::from(cell.0) << 32) | u64::from(*place));
        }
    }
}
