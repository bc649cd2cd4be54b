//! drivers/base/core.c: adding and removing devices. Follows v7.3-rc7.
//!
//! Left out: what device_shutdown() calls besides the drivers' shutdown(), which the SMMUs alone
//! have here; sysfs, device classes, children's klists, power management lists. device_unregister
//! of a device that others still reference leaves its state readable.

use crate::base::bus::Notification;
use crate::commit;
use crate::ids::DeviceId;
use crate::kernel::{DeviceFlag, Kernel};
use checker::task;

impl Kernel {
    /// device_add()
    pub(crate) fn device_add(&self, dev: DeviceId) {
        self.on_device("device_add", dev, || {
            self.bus_add_device(dev);
            self.bus_notify(dev, Notification::AddDevice);
            self.device(dev).notified.write_once(true);
            self.fw_devlink_link_device(dev);
            if self.has(commit::A2225B6E834A) {
                let device = self.device(dev);
                device.mutex.lock();
                self.set_flag(dev, DeviceFlag::ReadyToProbe, true);
                device.mutex.unlock();
            }
            self.bus_probe_device(dev);
        });
    }

    /// device_shutdown(): from the device that was added last to the first, bound or not.
    pub(crate) fn device_shutdown(&self) {
        task::call("device_shutdown", 0, String::new, || {
            for index in (0..self.board.devices.len() as u16).rev() {
                let dev = DeviceId(index);
                if !self.globals.klist_devices.contains(dev) {
                    continue;
                }
                task::part("dev", u64::from(index), || {
                    let mutex = self.device(dev).mutex;
                    mutex.lock();
                    if self.device(dev).driver.read_once().is_some() {
                        self.iommu_driver_shutdown(dev);
                    }
                    mutex.unlock();
                });
            }
        });
    }

    /// device_del()
    pub(crate) fn device_del(&self, dev: DeviceId) {
        self.on_device("device_del", dev, || {
            let device = self.device(dev);
            device.mutex.lock();
            device.dead.set(true);
            device.mutex.unlock();
            self.bus_notify(dev, Notification::DelDevice);
            self.bus_remove_device(dev);
            self.driver_deferred_probe_del(dev);
            self.device_links_purge(dev);
            self.bus_notify(dev, Notification::RemovedDevice);
        });
    }
}
