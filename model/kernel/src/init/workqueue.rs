//! kernel/workqueue.c: one work item and its worker. A work item never runs beside itself, and
//! an unbound workqueue always finds a worker, so each item has a task of its own here. The state
//! is that of the item and its pool, which the kernel changes under the pool's lock.

use crate::kernel::Work;
use checker::task;

/// WORK_STRUCT_PENDING: queued, and not begun.
const PENDING: u64 = 1;
/// Its function runs.
const RUNNING: u64 = 2;
/// Somebody waits for the run that is queued.
const FLUSH_PENDING: u64 = 4;
/// Somebody waits for the run that is under way.
const FLUSH_RUNNING: u64 = 8;

impl Work {
    /// queue_work(): nothing if the item is queued already.
    pub(crate) fn queue_work(self) {
        self.state.or_locked(PENDING);
    }

    /// The worker waits for the item to be queued. `false`: it is sent home.
    pub(crate) fn wait(self) -> bool {
        self.state.wait_idle_for(PENDING)
    }

    /// The worker begins: from here on the item can be queued again.
    pub(crate) fn begin(self) {
        self.state.update(|state| {
            let is_flushed = state & FLUSH_PENDING != 0;
            RUNNING | if is_flushed { FLUSH_RUNNING } else { 0 }
        });
    }

    /// The worker is done with the item.
    pub(crate) fn end(self) {
        self.state.and_locked(!(RUNNING | FLUSH_RUNNING));
    }

    /// flush_work(): waits for the run that is queued or, if none is, for the one under way; not
    /// for one that is queued meanwhile. Two that flush at once wait for the later of the two.
    pub(crate) fn flush_work(self) {
        let before = self.state.fetch_update(|state| state | flushed(state));
        if flushed(before) != 0 {
            // Which of the two runs it waits for stands in the state. Callers have nothing live but
            // what the calls say that they are in.
            task::checkpoint("flush_work", &[]);
            self.state.wait_until_clear(FLUSH_PENDING | FLUSH_RUNNING);
        }
    }
}

/// What flush_work() waits for in this state.
fn flushed(state: u64) -> u64 {
    match state {
        s if s & PENDING != 0 => FLUSH_PENDING,
        s if s & RUNNING != 0 => FLUSH_RUNNING,
        _ => 0,
    }
}
