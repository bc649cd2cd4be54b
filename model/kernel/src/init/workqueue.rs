//! kernel/workqueue.c: one work item and its worker. A work item never runs beside itself, and
//! an unbound workqueue always finds a worker, so each item has a task of its own here.

use crate::kernel::Work;

/// WORK_STRUCT_PENDING: queued, and not begun.
const PENDING: u64 = 1;
/// Its function runs.
const RUNNING: u64 = 2;

impl Work {
    /// queue_work(): nothing if the item is queued already.
    pub(crate) fn queue_work(self) {
        self.state.or(PENDING);
    }

    /// The worker waits for the item to be queued. `false`: it is sent home.
    pub(crate) fn wait(self) -> bool {
        self.state.wait_idle_for(PENDING)
    }

    /// The worker begins: from here on the item can be queued again.
    pub(crate) fn begin(self) {
        self.state.replace(RUNNING);
    }

    /// The worker is done with the item.
    pub(crate) fn end(self) {
        self.state.and(!RUNNING);
    }

    /// flush_work(): waits until the item is neither queued nor runs.
    pub(crate) fn flush_work(self) {
        self.state.wait_until(0);
    }
}
