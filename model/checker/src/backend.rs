//! How the sync objects reach the engine that runs them: one trait, and a pointer to the
//! engine of this thread.
//!
//! Tasks of every engine here are coroutines on the thread of their engine, so one pointer a
//! thread is enough. Dispatch happens at run time; the model has no type parameter for it.

#![allow(unsafe_code)]

use crate::event::What;
use crate::guard::Outside;
use crate::layout::{CellId, LockId};
use crate::model::Entry;
use std::cell::Cell;
use std::ops::Deref;

/// Memory order of an access, as in the kernel's memory-barriers.txt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// READ_ONCE, WRITE_ONCE, and plain accesses.
    Relaxed,
    /// smp_load_acquire, smp_store_release; an atomic operation that returns a value is both.
    AcquireRelease,
}

/// An atomic read-modify-write.
#[derive(Clone, Copy, Debug)]
pub enum Rmw {
    /// Adds, wrapping.
    Add(u64),
    /// Sets bits.
    Or(u64),
    /// Keeps bits.
    And(u64),
    /// Replaces the content.
    Xchg(u64),
    /// Replaces the first by the second; anything else stays.
    CmpXchg(u64, u64),
    /// Replaces the content by what the function makes of it.
    Update(fn(u64) -> u64),
}

impl Rmw {
    /// The content after it.
    pub fn apply(self, old: u64) -> u64 {
        match self {
            Rmw::Add(n) => old.wrapping_add(n),
            Rmw::Or(bits) => old | bits,
            Rmw::And(bits) => old & bits,
            Rmw::Xchg(new) => new,
            Rmw::Update(f) => f(old),
            Rmw::CmpXchg(expected, new) => {
                if old == expected {
                    new
                } else {
                    old
                }
            }
        }
    }
}

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// For oneself alone.
    Exclusive,
    /// Together with other readers.
    Shared,
}

/// A condition on one cell: `(content & mask) == value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The cell that is watched.
    pub cell: CellId,
    /// The bits that count.
    pub mask: u64,
    /// What they must be.
    pub value: u64,
    /// Whether the condition is that they are *not* `value`.
    pub negated: bool,
}

impl Condition {
    /// Whether it holds for this content.
    pub fn holds(&self, content: u64) -> bool {
        ((content & self.mask) == self.value) != self.negated
    }
}

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It must go on some day: to wait for ever is a deadlock.
    Busy,
    /// It is a worker without work: a world in which all others have ended is at rest.
    Idle,
}

/// An engine, as seen by the tasks that it runs.
pub trait Backend {
    /// Reads a cell; the value is observed by the task.
    fn load(&self, cell: CellId, order: Order) -> u64;
    /// Reads a cell for a monitor: a step like [`Backend::load`], but not observed by the task.
    fn monitor(&self, cell: CellId) -> u64;
    /// Writes a cell.
    fn store(&self, cell: CellId, value: u64, order: Order);
    /// Atomic update; gives the content before. `observed` says whether the task looks at it: then
    /// it is fully ordered, whatever `order` says.
    fn rmw(&self, cell: CellId, op: Rmw, observed: bool, order: Order) -> u64;
    /// Atomic update that can only let waiting tasks go on, of a cell that is otherwise only
    /// updated unseen: like dropping a lock.
    fn release(&self, cell: CellId, op: Rmw) {
        self.rmw(cell, op, false, Order::AcquireRelease);
    }
    /// One atomic step on all cells of an object of several cells; the result is observed.
    fn compound(&self, first: CellId, writes: bool, step: &mut dyn FnMut(&mut [u64]) -> u64)
    -> u64;
    /// Changes monitor state: no step of its own and seen by nobody.
    fn ghost(&self, cell: CellId, op: Rmw);
    /// Takes a lock, waiting for it.
    fn lock(&self, lock: LockId, mode: Mode);
    /// Takes a lock if that is possible at once.
    fn try_lock(&self, lock: LockId) -> bool;
    /// Drops a lock.
    fn unlock(&self, lock: LockId, mode: Mode);
    /// Waits until the condition holds. `false` when an idle worker is sent home instead. `order`
    /// is that of the load that finds it to hold.
    fn wait(&self, condition: Condition, waiting: Waiting, order: Order) -> bool;
    /// Creates a task.
    fn spawn(&self, entry: Entry);
    /// The task dies with its locks held. Does not return to the caller under an engine that explores.
    fn oops(&self, text: &str);
    /// A limit of the model is hit: the run ends here and the exploration is not complete.
    fn limit(&self, text: &str);
    /// Declares that from here on the task depends on its past only through `live`.
    fn checkpoint(&self, label: &'static str, live: &[u64]);
    /// A kernel function is entered.
    fn enter(&self, function: &'static str, object: u64);
    /// A part of a function is entered that has a number: a call that traces do not show.
    fn enter_part(&self, name: &'static str, number: u64) {
        self.enter(name, number);
    }
    /// The innermost function returns.
    fn exit(&self);
    /// Whether events are recorded.
    fn records(&self) -> bool;
    /// Records an event (only if [`Backend::records`]).
    fn record(&self, what: What);
}

thread_local! {
    static CURRENT: Cell<Option<*const dyn Backend>> = const { Cell::new(None) };
}

/// Runs `f` with `backend` as the engine of this thread.
pub fn with<R>(backend: &dyn Backend, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<*const dyn Backend>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    // SAFETY: only the lifetime is changed. The pointer is in CURRENT for no longer than this
    // call, and `backend` outlives the call; `Restore` takes it out again on unwinding too.
    #[expect(
        clippy::transmute_ptr_to_ptr,
        reason = "a cast cannot lengthen the lifetime of a trait object"
    )]
    let pointer: *const dyn Backend = unsafe {
        std::mem::transmute::<*const (dyn Backend + '_), *const (dyn Backend + 'static)>(backend)
    };
    let _restore = Restore(CURRENT.replace(Some(pointer)));
    f()
}

/// The engine of this thread, for one call: to be dropped when the call returns.
pub(crate) struct Current<'a> {
    backend: &'a dyn Backend,
    _outside: Outside,
}

impl<'a> Deref for Current<'a> {
    type Target = dyn Backend + 'a;

    fn deref(&self) -> &Self::Target {
        self.backend
    }
}

/// The engine of this thread.
///
/// # Panics
///
/// Outside of an engine: a sync object has no meaning there.
pub(crate) fn current<'a>() -> Current<'a> {
    let pointer = CURRENT
        .get()
        .expect("sync objects work only inside a task of an engine");
    // SAFETY: see `with`: the pointer is there only while its target lives. Callers are the sync
    // objects, which use it for one operation; a task that is suspended within an operation is
    // only ever resumed by the same engine, inside the same `with`, or never again.
    let backend = unsafe { &*pointer };
    Current {
        backend,
        _outside: Outside::enter(),
    }
}

/// Whether this thread is inside an engine.
pub fn is_active() -> bool {
    CURRENT.get().is_some()
}
