//! What a search knows of its tasks, as bytes of a checkpoint.

use super::live::Cells;
use super::objects::{Commuting, Footprint, Object, words};
use super::unseen::Class;
use super::{Flow, FlowPoint, Footprints, Known};
use crate::backend::{Condition, Mode, Order, Rmw, Waiting};
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::engine::machine::record::{Likeness, Op};
use crate::engine::weak::Strength;
use crate::layout::{CellId, LockId};
use crate::model::Entry;

impl Likeness {
    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        self.entry.save(out);
        out.u128(self.hash);
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            entry: Entry::load(from)?,
            hash: from.u128()?,
        })
    }
}

/// Updates that commute with their like.
const OR: u8 = 10;
const ADD: u8 = 11;
/// A wait, which is no access that a transaction goes on with.
const WAIT: u8 = 12;

/// The kinds of objects.
const CELL: u8 = 0;
const LOCK: u8 = 1;
const MB: u8 = 2;

/// An operation, as far as [`super::Objects::touched`] looks at it: what it does to a cell cannot be
/// written down, and need not be.
pub(super) fn kind(op: &Op) -> (u8, u32) {
    if let Some((cell, kind)) = Commuting::of(op) {
        let kind = match kind {
            Commuting::Or => OR,
            Commuting::Add => ADD,
        };
        return (kind, cell.0);
    }
    match *op {
        Op::Load { cell, .. } => (1, cell.0),
        Op::Wait { condition, .. } => (WAIT, condition.cell.0),
        Op::Store { cell, .. } | Op::Rmw { cell, .. } | Op::Release { cell, .. } => (2, cell.0),
        Op::Compound { first, writes } => (3 + u8::from(writes), first.0),
        Op::Lock { lock, mode } => (5 + u8::from(mode == Mode::Shared), lock.0),
        Op::TryLock { lock } => (7, lock.0),
        Op::Unlock { lock, mode } => (8 + u8::from(mode == Mode::Shared), lock.0),
        Op::Ghost { .. } | Op::Spawn { .. } | Op::Start | Op::Ended => (0, 0),
    }
}

/// What a write orders.
const RELAXED: u8 = 0;
const RELEASE: u8 = 1;
const FULL: u8 = 2;

/// What an operation orders, as far as it decides what others see of what was before it.
fn orders(op: &Op) -> u8 {
    let strength = match *op {
        Op::Rmw { strength, .. } => strength,
        Op::Store {
            order: Order::AcquireRelease,
            ..
        }
        | Op::Release { .. } => Strength::Release,
        _ => Strength::Relaxed,
    };
    match strength {
        Strength::Relaxed => RELAXED,
        Strength::Release | Strength::AcquireRelease => RELEASE,
        Strength::Full => FULL,
    }
}

fn save_op(op: &Op, out: &mut Writer) {
    let (kind, number) = kind(op);
    out.u8(kind);
    out.u8(orders(op));
    out.u32(number);
}

fn load_op(from: &mut Reader) -> Result<Op, Malformed> {
    let (kind, orders, number) = (from.u8()?, from.u8()?, from.u32()?);
    let (cell, lock) = (CellId(number), LockId(number));
    let strength = match orders {
        RELAXED => Strength::Relaxed,
        RELEASE => Strength::Release,
        FULL => Strength::Full,
        _ => return Err(Malformed),
    };
    let mode = |is_shared| {
        if is_shared {
            Mode::Shared
        } else {
            Mode::Exclusive
        }
    };
    Ok(match kind {
        0 => Op::Ended,
        1 => Op::Load {
            cell,
            order: Order::Relaxed,
        },
        2 if strength == Strength::Full => Op::Rmw {
            cell,
            op: Rmw::Xchg(0),
            strength,
        },
        2 => Op::Store {
            cell,
            value: 0,
            order: if strength == Strength::Relaxed {
                Order::Relaxed
            } else {
                Order::AcquireRelease
            },
        },
        3 | 4 => Op::Compound {
            first: cell,
            writes: kind == 4,
        },
        5 | 6 => Op::Lock {
            lock,
            mode: mode(kind == 6),
        },
        7 => Op::TryLock { lock },
        8 | 9 => Op::Unlock {
            lock,
            mode: mode(kind == 9),
        },
        OR | ADD => Op::Rmw {
            cell,
            op: if kind == OR { Rmw::Or(0) } else { Rmw::Add(0) },
            strength,
        },
        WAIT => Op::Wait {
            condition: Condition {
                cell,
                mask: 0,
                value: 0,
                negated: false,
            },
            waiting: Waiting::Busy,
            order: Order::Relaxed,
        },
        _ => return Err(Malformed),
    })
}

impl Flow {
    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(&self.points, |out, point| {
            point.likeness.save(out);
            save_op(&point.op, out);
            out.text(point.function);
            out.flag(point.goes_on);
            out.flag(point.begins_anew);
            out.u32(point.reads.map_or(u32::MAX, |cell| cell.0));
        });
        for successors in &self.successors {
            out.list(successors, |out, to| out.u32(*to as u32));
        }
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let points = from.list(|from| {
            Ok(FlowPoint {
                likeness: Likeness::load(from)?,
                op: load_op(from)?,
                function: from.name()?,
                goes_on: from.flag()?,
                begins_anew: from.flag()?,
                reads: Some(from.u32()?).filter(|n| *n != u32::MAX).map(CellId),
            })
        })?;
        let count = points.len();
        let mut flow = Self::default();
        for point in points {
            flow.add_point(point);
        }
        if flow.len() != count {
            return Err(Malformed);
        }
        for at in 0..count {
            for to in from.list(Reader::u32)? {
                if to as usize >= count {
                    return Err(Malformed);
                }
                flow.link(at, to as usize);
            }
        }
        Ok(flow)
    }
}

impl Footprints {
    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.list(&self.objects, |out, object| {
            let (kind, number) = match object {
                Object::Cell(cell) => (CELL, cell.0),
                Object::Lock(lock) => (LOCK, lock.0),
                Object::Mb => (MB, 0),
            };
            out.u8(kind);
            out.u32(number);
        });
        out.list(&self.sets, |out, set| {
            out.list(&set.0, |out, word| out.u64(*word));
        });
        out.list(&self.live, |out, cells| {
            out.list(&cells.0, |out, word| out.u64(*word));
        });
        out.u64(self.cells as u64);
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_unstable_by_key(|(likeness, _)| **likeness);
        out.list(&known, |out, (likeness, known)| {
            likeness.save(out);
            known.save(out);
        });
        let mut classes: Vec<_> = self.classes.iter().collect();
        classes.sort_unstable_by_key(|(class, _)| **class);
        out.list(&classes, |out, (class, known)| {
            class.save(out);
            known.save(out);
        });
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let objects = from.list(|from| {
            let (kind, number) = (from.u8()?, from.u32()?);
            match kind {
                CELL => Ok(Object::Cell(CellId(number))),
                LOCK => Ok(Object::Lock(LockId(number))),
                MB => Ok(Object::Mb),
                _ => Err(Malformed),
            }
        })?;
        let sets = from.list(|from| Ok(Footprint(from.list(Reader::u64)?.into())))?;
        if sets.iter().any(|set| set.0.len() != words(objects.len())) {
            return Err(Malformed);
        }
        let live = from.list(|from| Ok(Cells(from.list(Reader::u64)?.into())))?;
        let cells = from.u64()? as usize;
        if live.iter().any(|set| set.0.len() != cells.div_ceil(64)) {
            return Err(Malformed);
        }
        let known_sets = |from: &mut Reader| {
            let known = Known::load(from)?;
            let is_in_range = (known.step.max(known.future) as usize) < sets.len()
                && (known.live as usize) < live.len();
            is_in_range.then_some(known).ok_or(Malformed)
        };
        let known = from.list(|from| Ok((Likeness::load(from)?, known_sets(from)?)))?;
        let classes = from.list(|from| Ok((Class::load(from)?, known_sets(from)?)))?;
        let mut all = Self {
            objects,
            known: known.into_iter().collect(),
            classes: classes.into_iter().collect(),
            sets,
            conflicts: vec![],
            live,
            cells,
        };
        all.relate();
        Ok(all)
    }
}

impl Known {
    fn save(self, out: &mut Writer) {
        out.u32(self.step);
        out.u32(self.future);
        out.u32(self.live);
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            step: from.u32()?,
            future: from.u32()?,
            live: from.u32()?,
        })
    }
}

impl Class {
    fn save(self, out: &mut Writer) {
        self.entry.save(out);
        out.u8(self.kind);
        out.u32(self.number);
    }

    fn load(from: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            entry: Entry::load(from)?,
            kind: from.u8()?,
            number: from.u32()?,
        })
    }
}
