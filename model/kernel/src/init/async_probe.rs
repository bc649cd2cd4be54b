//! kernel/async.c: asynchronous function calls. Left out: the fallback to a synchronous call
//! when memory is short or too much is queued.

use crate::kernel::Kernel;
use crate::model::Task;

impl Kernel {
    /// async_schedule_dev()
    pub(crate) fn async_schedule(&self, task: Task) {
        self.globals.async_entry_count.add();
        self.spawn(task);
    }

    /// The end of an asynchronous call.
    pub(crate) fn async_done(&self) {
        self.globals.async_entry_count.done();
    }

    /// async_synchronize_full()
    pub(crate) fn async_synchronize_full(&self) {
        self.globals.async_entry_count.wait();
    }
}
