//! The last store of each cell.

use std::rc::Rc;

/// So many cells are copied when one of them changes.
const PIECE: usize = 32;

/// Of each cell, the last store in coherence order. Copies share it until one of them changes a cell, and
/// then all pieces but that one: a step changes few cells.
#[derive(Clone, Debug)]
pub(super) struct Newest(Rc<Vec<Rc<[u64]>>>);

impl Newest {
    /// Of these contents.
    pub(super) fn new(cells: &[u64]) -> Self {
        Self(Rc::new(cells.chunks(PIECE).map(Rc::from).collect()))
    }

    /// The content of a cell, by number.
    pub(super) fn get(&self, cell: usize) -> u64 {
        self.0[cell / PIECE][cell % PIECE]
    }

    /// Changes a cell.
    pub(super) fn set(&mut self, cell: usize, value: u64) {
        if self.get(cell) != value {
            let piece = &mut Rc::make_mut(&mut self.0)[cell / PIECE];
            Rc::make_mut(piece)[cell % PIECE] = value;
        }
    }

    /// All cells, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|piece| piece.iter().copied())
    }
}
