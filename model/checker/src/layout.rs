//! The layout of a model's world: which cells and locks there are, with their names.
//!
//! It is laid out once, when a scenario is set up, and never changes while the model runs.
//! The world itself is plain old data: one `u64` a cell.

use crate::word::Word;

/// Number of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(pub u32);

/// Number of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(pub u32);

impl CellId {
    /// As an index into the world.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl LockId {
    /// As an index into the table of locks.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a cell may be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// READ_ONCE / WRITE_ONCE, acquire / release or atomic read-modify-write: a conflict is no data race.
    Shared,
    /// A plain C access: a conflicting access that nothing orders is a data race.
    Plain,
    /// Monitor state: part of the state, invisible to the tasks.
    Ghost,
}

/// What kind of lock a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// `struct mutex`.
    Mutex,
    /// `spinlock_t`.
    SpinLock,
    /// `struct rw_semaphore`.
    RwSem,
}

/// One cell of the layout.
#[derive(Clone, Debug)]
pub struct CellInfo {
    /// The object that it belongs to, such as `client0`; empty for a global.
    pub object: String,
    /// The field, such as `dev->driver`.
    pub field: &'static str,
    /// How it may be accessed.
    pub kind: CellKind,
    /// Value before anything has run.
    pub initial: u64,
    /// How many cells this object spans, itself included: above 1 for the first cell of a list.
    pub span: u32,
}

/// One lock of the layout.
#[derive(Clone, Debug)]
pub struct LockInfo {
    /// The instance, such as `client0`; empty for a global.
    pub object: String,
    /// The lockdep class, such as `&dev->mutex`.
    pub class: &'static str,
    /// What kind of lock it is.
    pub kind: LockKind,
    /// Each instance is a class of its own.
    pub by_instance: bool,
}

/// All cells and locks of a world.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    cells: Vec<CellInfo>,
    locks: Vec<LockInfo>,
}

impl Layout {
    /// An empty layout.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one cell.
    pub fn cell<T: Word>(
        &mut self,
        object: &str,
        field: &'static str,
        kind: CellKind,
        initial: T,
    ) -> CellId {
        self.range(object, field, kind, &[initial.to_word()])
    }

    /// Adds consecutive cells that are accessed as one object; gives the first.
    pub fn range(
        &mut self,
        object: &str,
        field: &'static str,
        kind: CellKind,
        initial: &[u64],
    ) -> CellId {
        let id =
            CellId(u32::try_from(self.cells.len()).expect("a world has fewer than 2^32 cells"));
        for (i, word) in initial.iter().enumerate() {
            let span = if i == 0 { initial.len() as u32 } else { 1 };
            self.cells.push(CellInfo {
                object: object.to_owned(),
                field,
                kind,
                initial: *word,
                span,
            });
        }
        id
    }

    /// Adds one lock.
    pub fn lock(&mut self, object: &str, class: &'static str, kind: LockKind) -> LockId {
        let id =
            LockId(u32::try_from(self.locks.len()).expect("a world has fewer than 2^32 locks"));
        self.locks.push(LockInfo {
            object: object.to_owned(),
            class,
            kind,
            by_instance: false,
        });
        id
    }

    /// From now on each instance of a lock's class is a class of its own, for the lock order.
    pub fn tell_instances_apart(&mut self, lock: LockId) {
        self.locks[lock.index()].by_instance = true;
    }

    /// The cells in order.
    pub fn cells(&self) -> &[CellInfo] {
        &self.cells
    }

    /// The locks in order.
    pub fn locks(&self) -> &[LockInfo] {
        &self.locks
    }

    /// The world before anything has run.
    pub fn initial(&self) -> Vec<u64> {
        self.cells.iter().map(|c| c.initial).collect()
    }

    /// A cell's name as it stands in a witness: `client0: dev->driver`.
    pub fn cell_name(&self, cell: CellId) -> String {
        let info = &self.cells[cell.index()];
        joined(&info.object, info.field)
    }

    /// A lock's lockdep class: `&group->mutex`, or with the instance where each is its own.
    pub fn lock_class(&self, lock: LockId) -> String {
        let info = &self.locks[lock.index()];
        if info.by_instance {
            self.lock_name(lock)
        } else {
            info.class.to_owned()
        }
    }

    /// A lock's name: `client0: &dev->mutex`.
    pub fn lock_name(&self, lock: LockId) -> String {
        let info = &self.locks[lock.index()];
        joined(&info.object, info.class)
    }
}

fn joined(object: &str, field: &str) -> String {
    if object.is_empty() {
        field.to_owned()
    } else {
        format!("{object}: {field}")
    }
}
