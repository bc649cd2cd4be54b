//! The sync objects: small `Copy` handles into the world, named after what they stand for in
//! the kernel. They own nothing; what they do is up to the engine that runs ([`crate::backend`]).

use crate::backend::{Condition, Mode, Order, Rmw, Waiting, current};
use crate::layout::{CellId, CellKind, Layout, LockId, LockKind};
use crate::word::Word;
use std::marker::PhantomData;

macro_rules! field_handle {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T> {
            cell: CellId,
            of: PhantomData<fn() -> T>,
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T> Copy for $name<T> {}

        impl<T: Word> $name<T> {
            /// Lays the field out in a world.
            pub fn new(layout: &mut Layout, object: &str, field: &'static str, initial: T) -> Self {
                Self { cell: layout.cell(object, field, $kind, initial), of: PhantomData }
            }

            /// The cell behind it.
            pub fn cell(self) -> CellId {
                self.cell
            }
        }
    };
}

field_handle! {
    /// A field that is read by READ_ONCE and written by WRITE_ONCE, or updated atomically.
    Shared, CellKind::Shared
}

field_handle! {
    /// A plain C field. A conflicting pair of accesses that nothing orders is a data race.
    Plain, CellKind::Plain
}

field_handle! {
    /// Monitor state: part of the state, invisible to the tasks. Changes must commute, since
    /// they are no step of their own.
    Ghost, CellKind::Ghost
}

impl<T: Word> Shared<T> {
    /// READ_ONCE().
    pub fn read_once(self) -> T {
        T::from_word(current().load(self.cell, Order::Relaxed))
    }

    /// WRITE_ONCE().
    pub fn write_once(self, value: T) {
        current().store(self.cell, value.to_word(), Order::Relaxed);
    }

    /// Reads for a monitor: what the task does must not depend on it.
    pub fn monitor(self) -> T {
        T::from_word(current().monitor(self.cell))
    }

    /// smp_load_acquire().
    pub fn load_acquire(self) -> T {
        T::from_word(current().load(self.cell, Order::AcquireRelease))
    }

    /// smp_store_release().
    pub fn store_release(self, value: T) {
        current().store(self.cell, value.to_word(), Order::AcquireRelease);
    }

    /// cmpxchg(): gives what was there before.
    pub fn cmpxchg(self, expected: T, new: T) -> T {
        T::from_word(current().rmw(
            self.cell,
            Rmw::CmpXchg(expected.to_word(), new.to_word()),
            true,
            Order::Relaxed,
        ))
    }

    /// xchg(): gives what was there before.
    pub fn xchg(self, new: T) -> T {
        T::from_word(current().rmw(self.cell, Rmw::Xchg(new.to_word()), true, Order::Relaxed))
    }

    /// Waits until the field holds `value` (wait_event()).
    pub fn wait_until(self, value: T) {
        let condition = Condition {
            cell: self.cell,
            mask: u64::MAX,
            value: value.to_word(),
            negated: false,
        };
        current().wait(condition, Waiting::Busy, Order::Relaxed);
    }
}

impl Shared<u64> {
    /// atomic_add(): nobody looks at the result.
    pub fn add(self, n: u64) {
        current().rmw(self.cell, Rmw::Add(n), false, Order::Relaxed);
    }

    /// atomic_fetch_add().
    pub fn fetch_add(self, n: u64) -> u64 {
        current().rmw(self.cell, Rmw::Add(n), true, Order::Relaxed)
    }

    /// set_bit() and friends, without looking at the result.
    pub fn or(self, bits: u64) {
        current().rmw(self.cell, Rmw::Or(bits), false, Order::Relaxed);
    }

    /// Updates the content atomically; gives what was there before.
    pub fn fetch_update(self, f: fn(u64) -> u64) -> u64 {
        current().rmw(self.cell, Rmw::Update(f), true, Order::Relaxed)
    }

    /// Updates the content atomically, without looking at what was there.
    pub fn update(self, f: fn(u64) -> u64) {
        current().rmw(self.cell, Rmw::Update(f), false, Order::Relaxed);
    }

    /// Waits until none of these bits is set, and acquires (wait_for_completion()).
    pub fn wait_until_clear(self, bits: u64) {
        let condition = Condition {
            cell: self.cell,
            mask: bits,
            value: 0,
            negated: false,
        };
        current().wait(condition, Waiting::Busy, Order::AcquireRelease);
    }

    /// An idle worker's wait until one of these bits is set; acquires, since the worker takes its
    /// work off a list under the lock of its pool. `false`: it is sent home.
    pub fn wait_idle_for(self, bits: u64) -> bool {
        let condition = Condition {
            cell: self.cell,
            mask: bits,
            value: 0,
            negated: true,
        };
        current().wait(condition, Waiting::Idle, Order::AcquireRelease)
    }

    /// clear_bit() and friends, without looking at the result.
    pub fn and(self, bits: u64) {
        current().rmw(self.cell, Rmw::And(bits), false, Order::Relaxed);
    }

    /// As [`Shared::or`], under a lock that is not modelled: acquires and releases.
    pub fn or_locked(self, bits: u64) {
        current().rmw(self.cell, Rmw::Or(bits), false, Order::AcquireRelease);
    }

    /// As [`Shared::and`], under a lock that is not modelled: acquires and releases.
    pub fn and_locked(self, bits: u64) {
        current().rmw(self.cell, Rmw::And(bits), false, Order::AcquireRelease);
    }
}

impl<T: Word> Plain<T> {
    /// A plain read.
    pub fn get(self) -> T {
        T::from_word(current().load(self.cell, Order::Relaxed))
    }

    /// Reads for a monitor: what the task does must not depend on it.
    pub fn monitor(self) -> T {
        T::from_word(current().monitor(self.cell))
    }

    /// A plain write.
    pub fn set(self, value: T) {
        current().store(self.cell, value.to_word(), Order::Relaxed);
    }
}

impl<T: Word> Ghost<T> {
    /// Reads the monitor: only for [`crate::model::Model::outcome`], never for a task.
    pub fn peek(self) -> T {
        T::from_word(current().load(self.cell, Order::Relaxed))
    }

    /// Sets the monitor. All tasks that set it must set the same value, or be ordered.
    pub fn set(self, value: T) {
        current().ghost(self.cell, Rmw::Xchg(value.to_word()));
    }
}

impl Ghost<u64> {
    /// Counts.
    pub fn add(self, n: u64) {
        current().ghost(self.cell, Rmw::Add(n));
    }

    /// Sets bits.
    pub fn or(self, bits: u64) {
        current().ghost(self.cell, Rmw::Or(bits));
    }
}

macro_rules! lock_handle {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            lock: LockId,
        }

        impl $name {
            /// Lays the lock out in a world. `class` is its lockdep class.
            pub fn new(layout: &mut Layout, object: &str, class: &'static str) -> Self {
                Self { lock: layout.lock(object, class, $kind) }
            }

            /// Its number.
            pub fn id(self) -> LockId {
                self.lock
            }
        }
    };
}

lock_handle! {
    /// `struct mutex`: owns no data, as in the kernel. Not recursive.
    Mutex, LockKind::Mutex
}

lock_handle! {
    /// `spinlock_t`.
    SpinLock, LockKind::SpinLock
}

lock_handle! {
    /// `struct rw_semaphore`.
    RwSem, LockKind::RwSem
}

impl Mutex {
    /// For locks that are taken in an order of their own, as devices' are from parent to child:
    /// each instance is a class of its own in the lock order. lockdep takes no notice of such
    /// locks at all (lockdep_set_novalidate_class()), and so sees less.
    #[must_use]
    pub fn told_apart(self, layout: &mut Layout) -> Self {
        layout.tell_instances_apart(self.lock);
        self
    }

    /// mutex_lock().
    pub fn lock(self) {
        current().lock(self.lock, Mode::Exclusive);
    }

    /// mutex_trylock().
    pub fn try_lock(self) -> bool {
        current().try_lock(self.lock)
    }

    /// mutex_unlock().
    pub fn unlock(self) {
        current().unlock(self.lock, Mode::Exclusive);
    }
}

impl SpinLock {
    /// spin_lock().
    pub fn lock(self) {
        current().lock(self.lock, Mode::Exclusive);
    }

    /// spin_unlock().
    pub fn unlock(self) {
        current().unlock(self.lock, Mode::Exclusive);
    }
}

impl RwSem {
    /// down_read().
    pub fn down_read(self) {
        current().lock(self.lock, Mode::Shared);
    }

    /// up_read().
    pub fn up_read(self) {
        current().unlock(self.lock, Mode::Shared);
    }

    /// down_write().
    pub fn down_write(self) {
        current().lock(self.lock, Mode::Exclusive);
    }

    /// up_write().
    pub fn up_write(self) {
        current().unlock(self.lock, Mode::Exclusive);
    }
}

/// One atomic step on all cells of an object of several cells: for objects that a model builds
/// itself. The result is observed.
pub fn compound(first: CellId, writes: bool, mut step: impl FnMut(&mut [u64]) -> u64) -> u64 {
    current().compound(first, writes, &mut step)
}

/// A count of things under way, for others to wait until there are none: in the kernel, a counter
/// with a wait queue that is woken when it reaches zero. Nobody can read it otherwise, so [`done`]
/// is like dropping a lock: it only lets others go on, and is no step of its own. It releases, and
/// [`wait`] acquires: in the kernel both take the spinlock of the list of what is under way.
///
/// [`done`]: WaitGroup::done
/// [`wait`]: WaitGroup::wait
#[derive(Clone, Copy, Debug)]
pub struct WaitGroup {
    count: CellId,
}

impl WaitGroup {
    /// Lays it out, with nothing under way.
    pub fn new(layout: &mut Layout, object: &str, field: &'static str) -> Self {
        Self {
            count: layout.cell(object, field, CellKind::Shared, 0u64),
        }
    }

    /// One more is under way.
    pub fn add(self) {
        current().rmw(self.count, Rmw::Add(1), false, Order::Relaxed);
    }

    /// One is done.
    pub fn done(self) {
        current().release(self.count, Rmw::Add(1u64.wrapping_neg()));
    }

    /// Waits until none is under way.
    pub fn wait(self) {
        let condition = Condition {
            cell: self.count,
            mask: u64::MAX,
            value: 0,
            negated: false,
        };
        current().wait(condition, Waiting::Busy, Order::AcquireRelease);
    }
}
