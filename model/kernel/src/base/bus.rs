//! drivers/base/bus.c: the buses' lists of devices and drivers, and their notifier chain. Of
//! kernel/module/main.c: that a module goes, and its driver with it. Follows v7.3-rc7.
//!
//! The platform and the amba bus share one list each of devices and drivers here. A walk of one
//! bus skips the devices of the other, which gives the order that two lists would have.

use crate::ids::{Bus, DeviceId, DriverId};
use crate::kernel::Kernel;
use checker::task;
use checker::word::Word;

/// enum bus_notifier_event, as far as the IOMMU core listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// BUS_NOTIFY_ADD_DEVICE
    AddDevice,
    /// BUS_NOTIFY_DEL_DEVICE
    DelDevice,
    /// BUS_NOTIFY_REMOVED_DEVICE
    RemovedDevice,
}

impl Kernel {
    /// bus_add_device(): from here on the walks see the device.
    pub(crate) fn bus_add_device(&self, dev: DeviceId) {
        self.globals.klist_devices.push_back(dev);
    }

    /// bus_probe_device(). `drivers_autoprobe` is always on.
    pub(crate) fn bus_probe_device(&self, dev: DeviceId) {
        self.device_initial_probe(dev);
    }

    /// bus_remove_device()
    pub(crate) fn bus_remove_device(&self, dev: DeviceId) {
        self.globals.klist_devices.remove(dev);
        self.device_release_driver(dev);
    }

    /// bus_for_each_dev(): stops at the first result other than 0 and gives it.
    pub(crate) fn bus_for_each_dev(&self, bus: Bus, mut each: impl FnMut(DeviceId) -> i32) -> i32 {
        let mut position = 0;
        loop {
            // Callers have nothing live but the bus: whose driver, instance or device it is about
            // stands in the calls.
            task::checkpoint("bus_for_each_dev", &[bus.to_word(), u64::from(position)]);
            let Some((dev, next)) = self.globals.klist_devices.next(position) else {
                return 0;
            };
            position = next;
            if self.description(dev).bus != bus {
                continue;
            }
            // For checkpoints further in: a device that was removed and added again is on the list
            // at another position.
            let ret = task::part("position", u64::from(position), || each(dev));
            if ret != 0 {
                return ret;
            }
        }
    }

    /// bus_notify(): the listeners of the model are the IOMMU core and, on some 32-bit ARM, the
    /// machine, which registered before.
    pub(crate) fn bus_notify(&self, dev: DeviceId, notification: Notification) {
        if !self.globals.bus_notifier_head.read_once() {
            return;
        }
        self.globals.bus_notifier.down_read();
        if matches!(notification, Notification::AddDevice) {
            self.machine_bus_notifier(dev);
        }
        self.iommu_bus_notifier(dev, notification);
        self.globals.bus_notifier.up_read();
    }

    /// bus_register_notifier(), for iommu_bus_notifier().
    pub(crate) fn bus_register_notifier(&self) {
        self.globals.bus_notifier.down_write();
        self.globals.bus_notifier_head.write_once(true);
        self.globals.bus_notifier.up_write();
    }

    /// driver_register() with bus_add_driver(): the driver is on the list before it attaches.
    pub(crate) fn driver_register(&self, drv: DriverId) {
        task::call(
            "driver_register",
            u64::from(drv.0),
            || self.driver_name(drv),
            || {
                self.globals.klist_drivers.push_back(drv);
                self.driver_attach(drv);
            },
        );
    }

    /// delete_module(): the module of a client driver is unloaded. Nothing but its own devices
    /// keeps such a module, and they do not; an IOMMU's driver is kept by every device behind it.
    pub(crate) fn delete_module(&self, drv: DriverId) {
        task::call(
            "delete_module",
            u64::from(drv.0),
            || self.driver_name(drv),
            || self.bus_remove_driver(drv),
        );
    }

    /// bus_remove_driver(), of driver_unregister(): the driver leaves the list, whoever stands at
    /// it there has gone on, and its devices are unbound.
    fn bus_remove_driver(&self, drv: DriverId) {
        if !self.globals.klist_drivers.contains(drv) {
            return;
        }
        self.globals.klist_drivers.remove(drv);
        if let Some(references) = self.drivers[drv.index()].knode_bus {
            references.wait();
        }
        self.driver_detach(drv);
    }

    fn driver_name(&self, drv: DriverId) -> String {
        self.board.drivers[drv.index()].info.name.to_owned()
    }
}
