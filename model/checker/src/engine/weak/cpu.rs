//! What one task knows of the memory, and what a lock hands on.

use super::part::Content;
use super::view::View;
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
        self.acquire(&lock.hands_on(shared));
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

    /// The place in a cell's stores from which on it may still read or put something.
    pub(super) fn oldest_needed(&self, cell: CellId) -> u32 {
        self.read.at(cell).min(self.write.at(cell))
    }

    /// Whether it has got past the oldest store of a cell, for its own accesses.
    pub(super) fn is_past(&self, cell: CellId) -> bool {
        self.read.at(cell) > 0 || self.write.at(cell) > 0
    }

    /// Whether it has seen the store of a cell at a place, and its own accesses to that cell, if there
    /// are any, come after it.
    pub(super) fn knows(&self, (cell, place): (CellId, u32), touches: bool) -> bool {
        let is_behind = |view: &View| view.at(cell) >= place;
        is_behind(&self.seen) && (!touches || is_behind(&self.read) && is_behind(&self.write))
    }

    /// The task will touch a cell no more.
    pub(super) fn leave(&mut self, cell: CellId) {
        self.read.leave(cell);
        self.write.leave(cell);
    }

    /// Whether it has kept what only fences, or spinlocks, look at.
    pub(super) fn has_kept(&self, with_spinlocks: bool) -> bool {
        let of_spinlocks = [&self.wrote, &self.unlocked.seen, &self.unlocked.wrote];
        let has_any = of_spinlocks.iter().any(|view| !view.is_empty());
        !self.loaded.is_empty() || !with_spinlocks && has_any
    }

    /// There will be no smp_rmb() and no smp_wmb() any more, and perhaps no spinlocks.
    pub(super) fn keep_less(&mut self, with_spinlocks: bool) {
        self.loaded.clear();
        if !with_spinlocks {
            self.wrote.clear();
            self.unlocked = Handover::default();
        }
    }
}

impl Content for Cpu {
    fn views(&self) -> impl Iterator<Item = &View> {
        [
            &self.read,
            &self.write,
            &self.loaded,
            &self.seen,
            &self.wrote,
            &self.carried,
            &self.unlocked.seen,
            &self.unlocked.wrote,
        ]
        .into_iter()
    }

    fn each_view(&mut self, change: &mut dyn FnMut(&mut View)) {
        let views = [
            &mut self.read,
            &mut self.write,
            &mut self.loaded,
            &mut self.seen,
            &mut self.wrote,
            &mut self.carried,
            &mut self.unlocked.seen,
            &mut self.unlocked.wrote,
        ];
        views.into_iter().for_each(change);
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

    /// What whoever takes it acquires.
    pub(super) fn hands_on(&self, shared: bool) -> View {
        let mut view = self.exclusive.seen.clone();
        if !shared {
            view.join(&self.shared);
        }
        view
    }

    /// Whether it hands on nothing.
    pub(super) fn is_quiet(&self) -> bool {
        self.views().all(View::is_empty)
    }
}

impl Content for Lock {
    fn views(&self) -> impl Iterator<Item = &View> {
        [&self.exclusive.seen, &self.exclusive.wrote, &self.shared].into_iter()
    }

    fn each_view(&mut self, change: &mut dyn FnMut(&mut View)) {
        let Handover { seen, wrote } = &mut self.exclusive;
        [seen, wrote, &mut self.shared].into_iter().for_each(change);
    }
}
