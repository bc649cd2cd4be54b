//! What tasks do to the world, under sequential consistency or weak memory.
//!
//! The content of a cell always is its newest store: what the outcome is read off. Under weak
//! memory a [`WeakMemory`] beside the cells says what tasks see.
//!
//! Which operations of the world go past it, always to the newest, and why:
//!
//! - an operation on an object of several cells, such as a list: in the kernel lists are touched
//!   under a lock, their own (klists) or their owner's. It orders nothing here. That loses no order
//!   where the owner's lock is held; a klist's own spinlock would order more;
//! - monitor state, of which no task takes notice. What a task reads for a monitor is what its CPU
//!   sees there, and may be stale;
//! - taking a lock, and trying to: an atomic operation on the lock word. A try does not fail while
//!   the lock is free, and one that fails orders nothing.

use super::record::Op;
use super::world::World;
use crate::backend::{Condition, Mode, Order, Rmw};
use crate::engine::schedule::Turn;
use crate::engine::weak::{Ahead, Append, Strength, WeakMemory};
use crate::event::TaskId;
use crate::layout::{CellId, LockId, LockKind};
use std::rc::Rc;

/// The weak memory of a run.
///
/// Only the first operation of a step has a choice: it is the one that is not under a lock common
/// to all who touch the cell (see [`crate::engine::marks`]). Who holds such a lock has acquired
/// all that was done to the cell before, so the operations that follow find the newest alone.
#[derive(Clone, Debug)]
pub(crate) struct Weak {
    /// Copies share it until one of them changes it.
    memory: Rc<WeakMemory>,
    /// Which alternative the step's first operation takes; `None` after it.
    pick: Option<u32>,
    /// A cell of which a later operation had a choice: its accesses must become steps.
    surprise: Option<CellId>,
}

impl Weak {
    /// The memory, to change it.
    fn memory(&mut self) -> &mut WeakMemory {
        Rc::make_mut(&mut self.memory)
    }

    /// Appends all but the content of the cells, and what each task sees.
    pub(crate) fn append(&self, into: &mut impl Append) {
        self.memory.append_beyond_newest(into);
    }

    /// A hash of what a task sees, unless it has not begun or has ended.
    pub(crate) fn sight(&self, task: TaskId) -> Option<u128> {
        self.memory.sight(task)
    }

    /// Appends what [`Weak::sight`] is a hash of.
    pub(crate) fn append_sight(&self, task: TaskId, into: &mut Vec<u64>) {
        self.memory.append_sight(task, into);
    }

    /// About how many bytes it takes, if no copy shares any of it.
    pub(crate) fn bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// A cell whose accesses would have had to be steps, if that has shown.
    pub(crate) fn surprise(&self) -> Option<CellId> {
        self.surprise
    }

    fn choose(&mut self, cell: CellId, alternatives: u32) -> u32 {
        self.pick.take().unwrap_or_else(|| {
            if alternatives > 1 {
                self.surprise = Some(cell);
            }
            0
        })
    }
}

/// All choices in a world in which the tasks stand before these operations, in order. A task that
/// has not begun goes first and alone: its beginning is seen by nobody.
pub(crate) fn turns<'a>(world: &World, ops: impl Iterator<Item = &'a Op>, into: &mut Vec<Turn>) {
    into.clear();
    for (i, op) in ops.enumerate() {
        let task = TaskId(i as u32);
        if matches!(op, Op::Start) {
            into.clear();
            into.push(task.into());
            return;
        }
        let picks = 0..world.alternatives(task, op);
        into.extend(picks.map(|pick| Turn { task, pick }));
    }
}

impl World {
    /// From now on the tasks, so many, need not see the newest. They have seen all so far. `plain` says of
    /// which cells they see it all the same.
    pub(crate) fn be_weak(&mut self, locks: &[LockKind], plain: Rc<[bool]>, tasks: usize) {
        let mut memory = WeakMemory::new(&self.cells, locks);
        memory.keep_newest_of(plain);
        for task in 0..tasks {
            memory.spawn(None, TaskId(task as u32));
        }
        self.weak = Some(Weak {
            memory: Rc::new(memory),
            pick: None,
            surprise: None,
        });
    }

    /// From now on tasks see the newest.
    pub(crate) fn be_sequential(&mut self) {
        self.weak = None;
    }

    /// The weak memory, to be put back.
    pub(crate) fn weak(&self) -> Option<&Weak> {
        self.weak.as_ref()
    }

    /// Puts a weak memory back.
    pub(crate) fn set_weak(&mut self, weak: Option<Weak>) {
        self.weak = weak;
    }

    /// Forgets what tasks see of cells that they touch no more.
    pub(crate) fn forget_untouched(&mut self, ahead: &dyn Ahead) {
        if let Some(weak) = &mut self.weak {
            weak.memory().forget_untouched(ahead);
        }
    }

    /// How many alternatives a task has that is suspended before `op`; 0 if it must wait.
    pub(crate) fn alternatives(&self, task: TaskId, op: &Op) -> u32 {
        let Some(Weak { memory, .. }) = &self.weak else {
            return u32::from(self.enables(op));
        };
        match *op {
            Op::Load { cell, .. } => memory.readable(task, cell),
            Op::Store { cell, order, .. } => memory.store_places(task, cell, order),
            Op::Rmw { cell, op, strength } => memory.update_choices(task, cell, op, strength),
            Op::Wait { condition, .. } => {
                let ends = memory.ends_wait(task, condition);
                ends + u32::from(ends > 0 && !self.holds(condition))
            }
            _ => u32::from(self.enables(op)),
        }
    }

    /// The task is about to take a step that begins with `op`: whether it does. Otherwise it has
    /// seen the newest of what it waits for, which the condition does not hold of, and waits on.
    pub(crate) fn begin_turn(&mut self, turn: Turn, op: &Op) -> bool {
        let Some(weak) = &mut self.weak else {
            return true;
        };
        weak.pick = Some(turn.pick);
        match *op {
            Op::Wait { condition, .. }
                if turn.pick == weak.memory.ends_wait(turn.task, condition) =>
            {
                let cell = condition.cell;
                weak.memory().load(turn.task, cell, Order::Relaxed, 0);
                false
            }
            _ => true,
        }
    }

    /// Reads a cell.
    #[inline]
    pub(crate) fn load(&mut self, task: TaskId, cell: CellId, order: Order) -> u64 {
        match &mut self.weak {
            Some(weak) => {
                let choice = weak.choose(cell, weak.memory.readable(task, cell));
                weak.memory().load(task, cell, order, choice)
            }
            None => self.cell(cell),
        }
    }

    /// Writes a cell.
    #[inline]
    pub(crate) fn store(&mut self, task: TaskId, cell: CellId, value: u64, order: Order) {
        let mut newest = value;
        if let Some(weak) = &mut self.weak {
            let choice = weak.choose(cell, weak.memory.store_places(task, cell, order));
            weak.memory().store(task, cell, value, order, choice);
            newest = weak.memory.newest(cell);
        }
        self.set(cell, newest);
    }

    /// An atomic update; gives the content before.
    #[inline]
    pub(crate) fn rmw(&mut self, task: TaskId, cell: CellId, op: Rmw, strength: Strength) -> u64 {
        let Some(weak) = &mut self.weak else {
            let old = self.cell(cell);
            self.update(cell, op);
            return old;
        };
        let choices = weak.memory.update_choices(task, cell, op, strength);
        let choice = weak.choose(cell, choices);
        let old = weak.memory().update(task, cell, op, strength, choice);
        let newest = weak.memory.newest(cell);
        self.set(cell, newest);
        old
    }

    /// The condition of a wait holds: the load that finds it.
    #[inline]
    pub(crate) fn end_wait(&mut self, task: TaskId, condition: Condition, order: Order) {
        if let Some(weak) = &mut self.weak {
            let ends = weak.memory.ends_wait(task, condition);
            let choice = weak.choose(condition.cell, ends);
            weak.memory().wait(task, condition, order, choice);
        }
    }

    /// Takes a lock that is free.
    #[inline]
    pub(crate) fn take(&mut self, task: TaskId, lock: LockId, mode: Mode) {
        let slot = self.lock_to_change(lock);
        match mode {
            Mode::Exclusive => slot.owner = Some(task),
            Mode::Shared => slot.readers += 1,
        }
        if let Some(weak) = &mut self.weak {
            weak.pick = None;
            weak.memory().lock(task, lock, mode);
        }
    }

    /// Drops a lock.
    #[inline]
    pub(crate) fn drop_lock(&mut self, task: TaskId, lock: LockId, mode: Mode) {
        let slot = self.lock_to_change(lock);
        match mode {
            Mode::Exclusive => assert!(
                slot.owner.take() == Some(task),
                "a lock is dropped by its owner"
            ),
            Mode::Shared => slot.readers -= 1,
        }
        if let Some(weak) = &mut self.weak {
            weak.pick = None;
            weak.memory().unlock(task, lock, mode);
        }
    }

    /// A task creates another.
    pub(crate) fn begin_task(&mut self, parent: TaskId, child: TaskId) {
        if let Some(weak) = &mut self.weak {
            weak.memory().spawn(Some(parent), child);
        }
    }

    /// A task has ended.
    pub(crate) fn end_task(&mut self, task: TaskId) {
        if let Some(weak) = &mut self.weak {
            weak.memory().end(task);
        }
    }
}
