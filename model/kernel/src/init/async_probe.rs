//! kernel/async.c: asynchronous function calls. When memory is short or too much is queued, the
//! caller makes the call by itself: here always or never, as the configuration says.

use crate::kernel::Kernel;
use crate::model::Task;
use checker::model::Model;

impl Kernel {
    /// async_schedule_dev()
    pub(crate) fn async_schedule(&self, task: Task) {
        self.globals.async_entry_count.add();
        if self.config.async_memory {
            self.spawn(task);
        } else {
            self.run(task.entry());
        }
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
