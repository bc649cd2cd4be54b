//! What becomes of cells that no task reads any more: see [`crate::engine::footprints`].

use crate::backend::Rmw;
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::engine::numbered::Numbered;
use crate::layout::CellId;

/// A change of a dead cell, whatever it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// It holds this: it has just died, or was written.
    Is(u64),
    /// Added, wrapping.
    Add(u64),
    /// Bits are set.
    Or(u64),
    /// Bits are kept.
    And(u64),
    /// It was no use to call it dead: what it holds is in the state.
    Lives,
}

/// A dead cell, and a change of it.
pub(crate) type Effect = (CellId, Change);

impl Change {
    /// An update that nobody looks at, which has led to `new`.
    pub(crate) fn new(op: Rmw, new: u64) -> Self {
        match op {
            Rmw::Add(n) => Change::Add(n),
            Rmw::Or(bits) => Change::Or(bits),
            Rmw::And(bits) => Change::And(bits),
            Rmw::Xchg(_) | Rmw::CmpXchg(..) | Rmw::Update(_) => Change::Is(new),
        }
    }

    /// The content after it, if it is still no part of the state.
    pub(crate) fn apply(self, old: Option<u64>) -> Option<u64> {
        match self {
            Change::Is(value) => Some(value),
            Change::Add(n) => old.map(|old| old.wrapping_add(n)),
            Change::Or(bits) => old.map(|old| old | bits),
            Change::And(bits) => old.map(|old| old & bits),
            Change::Lives => None,
        }
    }

    fn save(self, out: &mut Writer) {
        let (kind, number) = match self {
            Change::Is(value) => (0, value),
            Change::Add(n) => (1, n),
            Change::Or(bits) => (2, bits),
            Change::And(bits) => (3, bits),
            Change::Lives => (4, 0),
        };
        out.u8(kind);
        out.u64(number);
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let (kind, number) = (from.u8()?, from.u64()?);
        match kind {
            0 => Ok(Change::Is(number)),
            1 => Ok(Change::Add(number)),
            2 => Ok(Change::Or(number)),
            3 => Ok(Change::And(number)),
            4 => Ok(Change::Lives),
            _ => Err(Malformed),
        }
    }
}

/// Lists of effects by number, each once; number 0 is the empty one.
#[derive(Clone, Debug)]
pub(crate) struct EffectLists(Numbered<Vec<Effect>>);

impl Default for EffectLists {
    fn default() -> Self {
        Self(Numbered::of(vec![vec![]]))
    }
}

impl EffectLists {
    /// The number of a list.
    #[inline]
    pub(crate) fn number(&mut self, list: &[Effect]) -> u32 {
        // Most are empty.
        if list.is_empty() {
            return 0;
        }
        self.0.number(list)
    }

    /// All lists, in order of their numbers.
    pub(crate) fn all(&self) -> &[Vec<Effect>] {
        self.0.all()
    }

    /// Writes them to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(self.all(), |out, list| {
            out.list(list, |out, (cell, change)| {
                out.u32(cell.0);
                change.save(out);
            });
        });
    }

    /// Reads them from a checkpoint: in order of their numbers there, the numbers here.
    pub(crate) fn load(&mut self, from: &mut Reader) -> Result<Vec<u32>, Malformed> {
        from.list(|from| {
            let list = from.list(|from| Ok((CellId(from.u32()?), Change::load(from)?)))?;
            Ok(self.number(&list))
        })
    }
}
