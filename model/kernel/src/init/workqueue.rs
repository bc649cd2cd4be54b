//! kernel/workqueue.c: one work item and its worker. A work item never runs beside itself, and
//! an unbound workqueue always finds a worker, so each item has a task of its own here.

use crate::kernel::Work;

impl Work {
    /// queue_work(): nothing if the item is queued already.
    pub(crate) fn queue_work(self) {
        if !self.pending.cmpxchg(false, true) {
            self.unfinished.add(1);
        }
    }

    /// flush_work(): waits until the item has neither been queued nor runs. The kernel waits only
    /// for the run that was queued or under way at the call, not for one that is queued meanwhile.
    pub(crate) fn flush_work(self) {
        self.unfinished.wait_until(0);
    }
}
