//! drivers/base/dd.c, the part about deferred probing. Follows v7.3-rc7.
//!
//! Left out: device_pm_move_to_tail(), the reasons shown in debugfs, defer_all_probes (suspend),
//! and deferred_probe_extend_timeout(): when the timeout runs out is a task's choice.

use crate::errno::{ENODEV, EPROBE_DEFER, ETIMEDOUT};
use crate::ids::DeviceId;
use crate::kernel::{DeviceFlag, Kernel};
use checker::task;

impl Kernel {
    /// driver_deferred_probe_add(): only for a device that some driver matches.
    pub(crate) fn driver_deferred_probe_add(&self, dev: DeviceId) {
        let g = &self.globals;
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
        g.deferred_trigger_count.add(1);
        g.deferred_probe_pending_list
            .splice_tail_to(g.deferred_probe_active_list);
        g.deferred_probe_mutex.unlock();
        g.deferred_probe_work.queue_work();
    }

    /// The worker that runs deferred_probe_work, for as long as it is queued.
    pub(crate) fn deferred_probe_worker(&self) {
        let work = self.globals.deferred_probe_work;
        task::checkpoint("deferred_probe_worker", &[]);
        while work.pending.wait_idle_while(false) {
            work.pending.write_once(false);
            self.deferred_probe_work_func();
            work.unfinished.add(1u64.wrapping_neg());
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
                g.deferred_probe_mutex.lock();
            }
            g.deferred_probe_mutex.unlock();
        });
    }

    /// deferred_probe_initcall(), a late_initcall.
    pub(crate) fn deferred_probe_initcall(&self) {
        task::call("deferred_probe_initcall", 0, String::new, || {
            let g = &self.globals;
            g.driver_deferred_probe_enable.write_once(true);
            self.driver_deferred_probe_trigger();
            g.deferred_probe_work.flush_work();
            g.initcalls_done.write_once(true);
            self.driver_deferred_probe_trigger();
            g.deferred_probe_work.flush_work();
        });
    }

    /// deferred_probe_timeout_work_func()
    pub(crate) fn deferred_probe_timeout_work_func(&self) {
        task::call("deferred_probe_timeout_work_func", 0, String::new, || {
            self.globals.driver_deferred_probe_timeout.write_once(0);
            self.driver_deferred_probe_trigger();
            self.globals.deferred_probe_work.flush_work();
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
