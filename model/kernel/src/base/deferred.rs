//! drivers/base/dd.c, the part about deferred probing. Follows v7.3-rc7.
//!
//! Left out: device_pm_move_to_tail(), the reasons shown in debugfs, defer_all_probes (suspend),
//! and deferred_probe_extend_timeout(): when the timeout runs out is a task's choice.

use crate::commit;
use crate::errno::{ENODEV, EPROBE_DEFER, ETIMEDOUT};
use crate::ids::DeviceId;
use crate::kernel::{DeviceFlag, Kernel};
use crate::model::Task;
use checker::layout::{CellId, CellKind, Layout};
use checker::sync::compound;
use checker::task;

/// deferred_trigger_count, as far as anybody can tell its values apart.
///
/// driver_probe_device() remembers the count and asks later whether it is another. So each device
/// has a cell here: nothing while nobody remembers the count for it, 1 where the count
/// would be remembered, and 2 where it would go up after that. Whatever the count is, the
/// answer is the same, and two runs that differ only in the number of triggers, or in one that came
/// while nobody cared, are in the same state.
#[derive(Clone, Copy, Debug)]
pub struct TriggerCount {
    first: CellId,
}

/// The count is remembered, and has not changed since.
const REMEMBERED: u64 = 1;
/// The count is remembered, and has gone up since.
const GONE_UP: u64 = 2;

impl TriggerCount {
    pub(crate) fn new(layout: &mut Layout, devices: usize) -> Self {
        let flags = vec![0; devices.max(1)];
        Self {
            first: layout.range("", "deferred_trigger_count", CellKind::Shared, &flags),
        }
    }

    /// atomic_inc()
    fn inc(self) {
        compound(self.first, true, |flags| {
            for flag in flags.iter_mut().filter(|f| **f == REMEMBERED) {
                *flag = GONE_UP;
            }
            0
        });
    }

    /// atomic_read(), remembered for this device.
    pub(crate) fn remember(self, dev: DeviceId) {
        compound(self.first, true, |flags| {
            flags[dev.index()] = REMEMBERED;
            0
        });
    }

    /// Whether atomic_read() would give another count than the one remembered, which is forgotten,
    /// since nobody asks twice.
    pub(crate) fn is_another(self, dev: DeviceId) -> bool {
        compound(self.first, true, |flags| {
            u64::from(std::mem::take(&mut flags[dev.index()]) == GONE_UP)
        }) != 0
    }
}

impl Kernel {
    /// driver_deferred_probe_add(): only for a device that some driver matches.
    pub(crate) fn driver_deferred_probe_add(&self, dev: DeviceId) {
        let g = &self.globals;
        task::note("driver_deferred_probe_add", || {
            self.device(dev).name.clone()
        });
        if !self.test_flag(dev, DeviceFlag::CanMatch) {
            return;
        }
        g.deferred_probe_mutex.lock();
        let listed = g.deferred_probe_pending_list.contains(dev)
            || g.deferred_probe_active_list.contains(dev);
        if !listed {
            task::note("deferred", || self.device(dev).name.clone());
            g.deferred_probe_pending_list.push_back(dev);
        }
        g.deferred_probe_mutex.unlock();
    }

    /// driver_deferred_probe_del()
    pub(crate) fn driver_deferred_probe_del(&self, dev: DeviceId) {
        let g = &self.globals;
        g.deferred_probe_mutex.lock();
        if !g.deferred_probe_pending_list.remove_compact(dev) {
            g.deferred_probe_active_list.remove_compact(dev);
        }
        g.deferred_probe_mutex.unlock();
    }

    /// driver_deferred_probe_trigger()
    pub(crate) fn driver_deferred_probe_trigger(&self) {
        let g = &self.globals;
        if !g.driver_deferred_probe_enable.read_once() {
            return;
        }
        g.deferred_probe_mutex.lock();
        g.deferred_trigger_count.inc();
        g.deferred_probe_pending_list
            .splice_tail_to(g.deferred_probe_active_list);
        g.deferred_probe_mutex.unlock();
        g.deferred_probe_work.queue_work();
    }

    /// The worker that runs deferred_probe_work, for as long as it is queued.
    pub(crate) fn deferred_probe_worker(&self) {
        let work = self.globals.deferred_probe_work;
        task::checkpoint("deferred_probe_worker", &[]);
        while work.wait() {
            work.begin();
            self.deferred_probe_work_func();
            work.end();
            task::checkpoint("deferred_probe_worker", &[]);
        }
    }

    /// deferred_probe_work_func()
    pub(crate) fn deferred_probe_work_func(&self) {
        task::call("deferred_probe_work_func", 0, String::new, || {
            let g = &self.globals;
            g.deferred_probe_mutex.lock();
            while let Some(dev) = g.deferred_probe_active_list.pop_front() {
                g.deferred_probe_mutex.unlock();
                self.bus_probe_device(dev);
                task::checkpoint("deferred_probe_work_func", &[]);
                g.deferred_probe_mutex.lock();
            }
            g.deferred_probe_mutex.unlock();
        });
    }

    /// deferred_probe_initcall(), a late_initcall.
    ///
    /// At the checkpoints no local is live: it has none, do_initcall_level() has not begun with the
    /// drivers of its level, and which level that is this function says.
    pub(crate) fn deferred_probe_initcall(&self) {
        task::call("deferred_probe_initcall", 0, String::new, || {
            let g = &self.globals;
            g.driver_deferred_probe_enable.write_once(true);
            self.trigger_and_flush(0);
            g.initcalls_done.write_once(true);
            self.trigger_and_flush(1);
        });
        if self.config.timeout_runs_out {
            self.spawn(Task::DeferredProbeTimeoutWork);
        }
        if self.config.other_binds > 0 {
            self.spawn(Task::OtherBinds);
        }
    }

    /// What deferred_probe_initcall() does twice.
    fn trigger_and_flush(&self, nth: u64) {
        self.driver_deferred_probe_trigger();
        // What the lists and the work were like is of no use any more.
        task::checkpoint("deferred_probe_initcall: triggered", &[nth]);
        task::part("nth", nth, || {
            self.globals.deferred_probe_work.flush_work();
        });
        task::checkpoint("deferred_probe_initcall: flushed", &[nth]);
    }

    /// What driver_bound() does for devices that are not on the board, as far as those of the board
    /// see it.
    pub(crate) fn other_binds(&self) {
        for n in 0..self.config.other_binds {
            self.driver_deferred_probe_trigger();
            task::checkpoint("other_binds", &[u64::from(n)]);
        }
    }

    /// deferred_probe_timeout_work_func()
    pub(crate) fn deferred_probe_timeout_work_func(&self) {
        task::call("deferred_probe_timeout_work_func", 0, String::new, || {
            self.fw_devlink_drivers_done();
            self.globals.driver_deferred_probe_timeout.write_once(0);
            self.driver_deferred_probe_trigger();
            self.globals.deferred_probe_work.flush_work();
        });
    }

    /// wait_for_device_probe(). Left out: probe_count.
    pub(crate) fn wait_for_device_probe(&self) {
        task::call("wait_for_device_probe", 0, String::new, || {
            let g = &self.globals;
            if !self.has(commit::G5EE76C256E92) {
                // probe_timeout_waitqueue
                g.driver_deferred_probe_timeout.wait_until(0);
            }
            g.deferred_probe_work.flush_work();
            self.async_synchronize_full();
        });
    }

    /// driver_deferred_probe_check_state()
    pub(crate) fn driver_deferred_probe_check_state(&self) -> i32 {
        if !self.config.modules && self.globals.initcalls_done.read_once() {
            return -ENODEV;
        }
        if self.globals.driver_deferred_probe_timeout.read_once() == 0
            && self.globals.initcalls_done.read_once()
        {
            return -ETIMEDOUT;
        }
        -EPROBE_DEFER
    }

    /// Whether this result asks for another try: really_probe() makes the driver's own errors
    /// positive.
    pub(crate) fn is_deferral(ret: i32) -> bool {
        ret.abs() == EPROBE_DEFER
    }
}
