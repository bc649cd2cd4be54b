//! What one task knows of the memory, and what a lock hands on.

use super::view::View;
use crate::hash::Rolling;
use crate::layout::{CellId, LockKind};

/// The views of one task. `coherence` in comments: a task never reads or overwrites a store
/// older than one it has read or written.
#[derive(Clone, Debug, Default)]
pub(super) struct Cpu {
    /// Loads read nothing older: coherence, acquire, rmb, mb.
    pub(super) read: View,
    /// Stores are put after it: coherence, acquire, wmb, mb.
    pub(super) write: View,
    /// What rmb makes loads wait for: all that was loaded, but not what an atomic operation
    /// without return value read (`R4rmb` in linux-kernel.cat).
    loaded: View,
    /// All that has propagated here before: what a release or mb passes on (`A-cumul`).
    pub(super) seen: View,
    /// The task's own stores with what they carry: what wmb passes on, which is not cumulative.
    wrote: View,
    /// What each later store carries, relaxed ones too: set by wmb, mb and `po-unlock-lock-po`.
    carried: View,
    /// As it was when the task dropped a spinlock last.
    unlocked: Handover,
}

/// What dropping a lock leaves behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Handover {
    /// All that its holder had seen: release.
    seen: View,
    /// Its holder's own stores: the `cumul-fence` part of `po-unlock-lock-po`.
    wrote: View,
}

/// A lock.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) kind: LockKind,
    /// By who held it exclusively.
    pub(super) exclusive: Handover,
    /// By readers: only who takes it exclusively after them acquires this.
    pub(super) shared: View,
}

impl Cpu {
    /// A task that begins with all that `parent` has seen.
    pub(super) fn child(parent: &Cpu) -> Self {
        let seen = || parent.seen.clone();
        Self {
            read: seen(),
            write: seen(),
            loaded: seen(),
            seen: seen(),
            ..Self::default()
        }
    }

    /// Has read the store at `place`, which carries `view`.
    pub(super) fn has_read(&mut self, cell: CellId, place: u32, view: &View, returns: bool) {
        self.read.raise(cell, place);
        self.write.raise(cell, place);
        self.seen.raise(cell, place);
        self.seen.join(view);
        if returns {
            self.loaded.raise(cell, place);
            self.loaded.join(view);
        }
    }

    /// All that follows comes after what carries `view` (`acq-po`).
    pub(super) fn acquire(&mut self, view: &View) {
        self.read.join(view);
        self.write.join(view);
        self.loaded.join(view);
        self.seen.join(view);
    }

    /// What a store carries besides itself.
    pub(super) fn carries(&self, release: bool) -> &View {
        if release { &self.seen } else { &self.carried }
    }

    /// Has put a store at `place` that carries `view`.
    pub(super) fn has_written(&mut self, cell: CellId, place: u32, view: &View) {
        self.read.raise(cell, place);
        self.write.raise(cell, place);
        self.seen.join(view);
        self.wrote.join(view);
    }

    /// smp_rmb()
    pub(super) fn rmb(&mut self) {
        self.read.join(&self.loaded);
    }

    /// smp_wmb()
    pub(super) fn wmb(&mut self) {
        self.carried.join(&self.wrote);
        self.write.join(&self.wrote);
    }

    /// smp_mb(): `fences` is what all such fences so far have seen.
    pub(super) fn mb(&mut self, fences: &mut View) {
        fences.join(&self.seen);
        self.acquire(fences);
        self.carried.join(fences);
    }

    /// Takes a lock.
    pub(super) fn lock(&mut self, lock: &Lock, shared: bool) {
        self.acquire(&lock.exclusive.seen);
        if !shared {
            self.acquire(&lock.shared);
        }
        if lock.kind == LockKind::SpinLock {
            self.unlock_lock(&lock.exclusive);
        }
    }

    /// `po-unlock-lock-po`, and the write of the lock itself (`LKW`), which carries what its
    /// predecessors in the lock's coherence order do (`rmw-sequence`).
    fn unlock_lock(&mut self, previous: &Handover) {
        let own = std::mem::take(&mut self.unlocked);
        self.read.join(&own.seen);
        self.write.join(&own.seen);
        for wrote in [&own.wrote, &previous.wrote] {
            self.carried.join(wrote);
            self.write.join(wrote);
        }
        self.unlocked = own;
        self.wrote.join(&self.carried);
        self.wrote.join(&previous.seen);
    }

    /// Drops a lock that was held exclusively.
    pub(super) fn unlock(&mut self, lock: &mut Lock) {
        lock.exclusive.seen.clone_from(&self.seen);
        lock.shared = View::default();
        if lock.kind == LockKind::SpinLock {
            lock.exclusive.wrote.clone_from(&self.wrote);
            self.unlocked.clone_from(&lock.exclusive);
            // The store that drops the lock is a release, and wmb orders it as any other.
            self.wrote.join(&self.seen);
        }
    }

    /// Drops a lock that was held shared.
    pub(super) fn unlock_shared(&self, lock: &mut Lock) {
        lock.shared.join(&self.seen);
    }

    /// All its views.
    pub(super) fn views(&mut self) -> [&mut View; 8] {
        [
            &mut self.read,
            &mut self.write,
            &mut self.loaded,
            &mut self.seen,
            &mut self.wrote,
            &mut self.carried,
            &mut self.unlocked.seen,
            &mut self.unlocked.wrote,
        ]
    }

    /// Appends them to a hash.
    pub(super) fn hash(&self, into: &mut Rolling) {
        self.read.hash(into);
        self.write.hash(into);
        self.loaded.hash(into);
        self.seen.hash(into);
        self.wrote.hash(into);
        self.carried.hash(into);
        self.unlocked.hash(into);
    }
}

impl Handover {
    fn hash(&self, into: &mut Rolling) {
        self.seen.hash(into);
        self.wrote.hash(into);
    }
}

impl Lock {
    /// A lock that nobody has held.
    pub(super) fn new(kind: LockKind) -> Self {
        Self {
            kind,
            exclusive: Handover::default(),
            shared: View::default(),
        }
    }

    /// All its views.
    pub(super) fn views(&mut self) -> [&mut View; 3] {
        [
            &mut self.exclusive.seen,
            &mut self.exclusive.wrote,
            &mut self.shared,
        ]
    }

    /// Appends them to a hash.
    pub(super) fn hash(&self, into: &mut Rolling) {
        self.exclusive.hash(into);
        self.shared.hash(into);
    }
}
