//! What a search knows of its steps, as bytes of a checkpoint.

use super::{CellWatch, LockWatch, Marks, TaskKey, Watch, Who};
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::layout::{CellId, LockId};
use crate::model::Entry;
use petgraph::graphmap::DiGraphMap;

impl Entry {
    pub(crate) fn save(self, out: &mut Writer) {
        out.u32(self.kind);
        out.u64(self.arg);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            kind: from.u32()?,
            arg: from.u64()?,
        })
    }
}

impl TaskKey {
    pub(crate) fn save(&self, out: &mut Writer) {
        self.entry.save(out);
        out.u32(self.nth);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            entry: Entry::load(from)?,
            nth: from.u32()?,
        })
    }
}

impl Marks {
    fn save(&self, out: &mut Writer) {
        for flags in [&self.cells, &self.locks, &self.tried] {
            out.list(flags, |out, flag| out.flag(*flag));
        }
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            cells: from.list(Reader::flag)?,
            locks: from.list(Reader::flag)?,
            tried: from.list(Reader::flag)?,
        })
    }
}

impl Who {
    fn save(self, out: &mut Writer) {
        match self {
            Who::Nobody => out.u8(0),
            Who::One(task) => {
                out.u8(1);
                task.save(out);
            }
            Who::Many => out.u8(2),
        }
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        match from.u8()? {
            0 => Ok(Who::Nobody),
            1 => Ok(Who::One(TaskKey::load(from)?)),
            2 => Ok(Who::Many),
            _ => Err(Malformed),
        }
    }
}

impl CellWatch {
    fn save(&self, out: &mut Writer) {
        self.who.save(out);
        out.flag(self.written);
        out.flag(self.common.is_some());
        if let Some(common) = &self.common {
            out.list(common, |out, lock| out.u32(lock.0));
        }
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let (who, written) = (Who::load(from)?, from.flag()?);
        let common = if from.flag()? {
            Some(from.list(|from| from.u32().map(LockId))?)
        } else {
            None
        };
        Ok(Self {
            who,
            written,
            common,
        })
    }
}

impl LockWatch {
    fn save(&self, out: &mut Writer) {
        self.who.save(out);
        for flag in [self.guards, self.interrupted, self.cyclic, self.exclusive] {
            out.flag(flag);
        }
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            who: Who::load(from)?,
            guards: from.flag()?,
            interrupted: from.flag()?,
            cyclic: from.flag()?,
            exclusive: from.flag()?,
        })
    }
}

impl Watch {
    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        self.marks.save(out);
        self.wanted.save(out);
        out.list(&self.cells, |out, cell| cell.save(out));
        out.list(&self.locks, |out, lock| lock.save(out));
        let order: Vec<_> = self.order.all_edges().collect();
        out.list(&order, |out, (outer, inner, ())| {
            out.u32(outer.0);
            out.u32(inner.0);
        });
        for flag in [self.changed, self.fixed, self.eager, self.is_weak] {
            out.flag(flag);
        }
        let (who, cells) = &self.mb;
        who.save(out);
        let cells: Vec<_> = cells.iter().collect();
        out.list(&cells, |out, cell| out.u32(cell.0));
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let (marks, wanted) = (Marks::load(from)?, Marks::load(from)?);
        let (cells, locks) = (from.list(CellWatch::load)?, from.list(LockWatch::load)?);
        let edges = from.list(|from| Ok((LockId(from.u32()?), LockId(from.u32()?))))?;
        Ok(Self {
            marks,
            wanted,
            cells,
            locks,
            order: edges.into_iter().collect::<DiGraphMap<_, ()>>(),
            changed: from.flag()?,
            fixed: from.flag()?,
            eager: from.flag()?,
            is_weak: from.flag()?,
            mb: {
                let who = Who::load(from)?;
                let cells = from.list(|from| from.u32().map(CellId))?;
                (who, cells.into_iter().collect())
            },
        })
    }
}
