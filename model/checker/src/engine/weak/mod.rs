//! Weak memory: what a task may read when it need not be the newest.
//!
//! [`WeakMemory`] is a data structure without tasks of its own. Of each cell it keeps the stores
//! in coherence order; of each task, how far along them it has got (its views); with each store,
//! what must have propagated to whoever sees it. A load may read any store that its task's view
//! has not left behind. This is the view machine of Kang et al., "A promising semantics for
//! relaxed-memory concurrency" (POPL 2017) without promises, as in Dang et al., "RustBelt meets
//! relaxed memory" (POPL 2020), with the views changed to those of the Linux-kernel memory model
//! (LKMM): tools/memory-model/linux-kernel.cat and lock.cat of v6.12.
//!
//! # The kernel's primitives
//!
//! | kernel | here |
//! |---|---|
//! | READ_ONCE(), atomic_read(), a plain read | [`WeakMemory::load`], relaxed |
//! | WRITE_ONCE(), atomic_set(), a plain write | [`WeakMemory::store`], relaxed |
//! | smp_load_acquire() | load, acquire: later accesses see all that the store carried |
//! | smp_store_release(), rcu_assign_pointer() | store, release: carries all that was seen |
//! | xchg(), cmpxchg(), atomic_fetch_add() | [`WeakMemory::rmw`] that returns: between two smp_mb() |
//! | a cmpxchg() that fails | a relaxed load, maybe stale (atomic_t.txt: unordered) |
//! | atomic_add(), set_bit() | rmw that does not: relaxed, nothing to smp_rmb() |
//! | smp_mb(), smp_rmb(), smp_wmb() | [`WeakMemory::fence`] |
//! | smp_mb__after_spinlock(), smp_mb__{before,after}_atomic() | [`Fence::Mb`] at its place |
//! | spin_lock(), spin_unlock() | acquire, release, and `po-unlock-lock-po` |
//! | mutex, down_write(), up_write() | acquire and release, no more |
//! | down_read(), up_read() | acquires from writers; only a later writer acquires from it |
//! | wait_event() | [`WeakMemory::wait`], relaxed; who has slept has had an smp_mb() before it |
//! | wait_for_completion(), flush_work() | wait, acquire |
//! | queue_work(), kthread_run() | [`WeakMemory::spawn`]: the child sees what the parent has seen |
//!
//! smp_wmb() orders stores of the same task and is not cumulative; a release and smp_mb() are:
//! they pass on what the task has read, with all that this carried (`A-cumul`). smp_rmb() orders
//! loads against loads, not against stores. A store that was overwritten by a read-modify-write
//! goes on carrying through it (`rmw-sequence`).
//!
//! `po-unlock-lock-po`: what stands before a spin_unlock() comes before what stands after a later
//! spin_lock(), of any spinlock on the same CPU, or of the same one on the next CPU that takes it;
//! stores propagate in this order to everybody, not only to who takes the lock. A store before
//! and a load after can still be seen the other way round (SB). The LKMM says this of spinlocks
//! alone, so mutexes do without. A trylock that fails orders nothing, and is left to the engine.
//!
//! wake_up() is a full barrier only if it wakes somebody up (memory-barriers.txt, "Sleep and
//! wake-up functions"), so it is none here. Nothing orders the condition's load against later
//! loads. That a sleeper misses its wake-up is left out: both sides take the wait queue's lock.
//!
//! Plain accesses are relaxed accesses. That they race is reported by others.
//!
//! # Where stores go
//!
//! A store may go anywhere in coherence order after what its task knows of
//! ([`WeakMemory::store_places`]), before newer stores too, as in 2+2W and in the LKMM. Choice 0
//! is the end. Nothing is put between a read-modify-write and the store that it read.
//!
//! # Deviations from the LKMM
//!
//! Weaker, so that more is allowed here:
//!
//! - dependencies order nothing: address dependencies (which the LKMM has respected for loads
//!   since v4.15), data and control dependencies to stores. The task's code is Rust, and nobody
//!   tracks what flows where. A pointer that was read relaxed may lead to stale content;
//! - after an smp_mb(), what it ordered goes on along stores and loads only with a fence, acquire
//!   or release at each step. The LKMM takes any step of `hb`, so also that a task reads a cell
//!   and then overwrites it (`overwrite & int`), and a dependency.
//!
//! Stronger, so that less is allowed here:
//!
//! - no load buffering. Each task does its accesses in program order, and reads what has been
//!   written: program order and reads-from have no cycle (RC11; Lahav et al., "Repairing
//!   sequential consistency in C/C++11", PLDI 2017). The same goes for the order in which fences
//!   have their effect, so that an execution in which a task's store must overtake its earlier
//!   load between two smp_mb() of others is missing too (ISA2+mb+po+mb).
//!
//! As the LKMM, and other than x86 and ARMv8, it is not multicopy atomic: two tasks may see the
//! stores of two others in opposite orders (IRIW).
//!
//! So a `Never` found here is one of the LKMM if it does not depend on load buffering. Of a
//! `Sometimes`, the schedule has to be looked at for dependencies. `tests/weak_litmus.rs` pins
//! each deviation; `tests/weak_herd.rs` compares with herd7.
//!
//! RCU and SRCU are not here.
//!
//! # The search
//!
//! That of [`crate::engine::exhaustive`], with [`weak_memory`]. A transition is a task and an
//! alternative of the first operation of its step. Steps are those of the lock-aware reduction,
//! every taking of a lock that another task takes too, and every smp_mb(). What tasks do is learnt as
//! under sequential consistency, since a task is a function of what it observes, whoever says what
//! that is. What no task will see any more is forgotten.
//!
//! [`weak_memory`]: crate::engine::exhaustive::Options::weak_memory

mod cpu;
mod forget;
mod history;
mod live;
mod memory;
mod newest;
mod part;
mod parts;
mod replay;
mod update;
mod view;

pub(crate) use forget::Ahead;
pub(crate) use live::{Behind, Live};
pub use memory::WeakMemory;
pub(crate) use part::Append;
pub use replay::replay;
pub use update::Strength;

/// A fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// smp_mb(), and smp_mb__after_spinlock() right after taking a spinlock.
    Mb,
    /// smp_rmb(): loads before it against loads after it.
    Rmb,
    /// smp_wmb(): stores before it against stores after it.
    Wmb,
}
