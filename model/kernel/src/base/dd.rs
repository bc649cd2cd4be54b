//! drivers/base/dd.c: binding drivers to devices. Follows v7.3-rc7.
//!
//! Left out: pinctrl, PM domains, sysfs, the driver's dev_groups, defer_all_probes, probe_count
//! (wait_for_device_probe() does not wait for it here). If several drivers match a device, they are tried
//! in the catalogue's order instead of that of their registration.

use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::{EAGAIN, EBUSY, ENODEV, EPROBE_DEFER};
use crate::ids::{DeviceId, DriverId};
use crate::kernel::{DeviceFlag, Kernel};
use crate::model::Task;
use checker::sync::Mutex;
use checker::task;
use checker::word::Word;

/// When arch_teardown_dma_ops() comes: before devres_release_all() or after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Teardown {
    First,
    Last,
}

impl Teardown {
    /// Which of the two commits made it the last is in this kernel, or not.
    fn since(is_fixed: bool) -> Self {
        if is_fixed { Self::Last } else { Self::First }
    }
}

impl Kernel {
    /// driver_attach()
    pub(crate) fn driver_attach(&self, drv: DriverId) {
        for bus in self.board.buses() {
            self.bus_for_each_dev(bus, |dev| {
                self.__driver_attach(dev, drv);
                0
            });
        }
    }

    /// __driver_attach(): matches without the device's lock, but for the few revisions that have
    /// dc23806a7c47.
    fn __driver_attach(&self, dev: DeviceId, drv: DriverId) {
        let device = self.device(dev);
        if self.has(commit::DC23806A7C47) {
            // driver_match_device_locked()
            device.mutex.lock();
            device.mutex.unlock();
        }
        if !self.driver_match_device(drv, dev) {
            return;
        }
        if self.driver_allows_async_probing(drv) {
            device.mutex.lock();
            let schedule =
                device.driver.read_once().is_none() && device.async_driver.get().is_none();
            if schedule {
                device.async_driver.set(Some(drv));
            }
            let unlocks_first = self.has(commit::G70FE758352CA);
            if unlocks_first {
                device.mutex.unlock();
            }
            if schedule {
                self.async_schedule(Task::DriverAttachAsync(dev));
            }
            if !unlocks_first {
                device.mutex.unlock();
            }
            return;
        }
        self.__device_driver_lock(dev);
        self.driver_probe_device(drv, dev);
        self.__device_driver_unlock(dev);
    }

    /// __device_driver_lock(): the device, and before 8c97a46af04b its parent as well. Of devices
    /// without a parent on the board that is platform_bus.
    fn __device_driver_lock(&self, dev: DeviceId) {
        if !self.has(commit::G8C97A46AF04B) {
            self.parent_mutex(dev).lock();
        }
        self.device(dev).mutex.lock();
    }

    /// __device_driver_unlock()
    fn __device_driver_unlock(&self, dev: DeviceId) {
        self.device(dev).mutex.unlock();
        if !self.has(commit::G8C97A46AF04B) {
            self.parent_mutex(dev).unlock();
        }
    }

    fn parent_mutex(&self, dev: DeviceId) -> Mutex {
        let parent = self.description(dev).parent;
        parent.map_or(self.globals.platform_bus, |p| self.device(p).mutex)
    }

    /// __driver_attach_async_helper()
    pub(crate) fn __driver_attach_async_helper(&self, dev: DeviceId) {
        self.on_device("__driver_attach_async_helper", dev, || {
            let device = self.device(dev);
            self.__device_driver_lock(dev);
            let drv = device
                .async_driver
                .get()
                .expect("it was set when this was scheduled");
            device.async_driver.set(None);
            self.driver_probe_device(drv, dev);
            self.__device_driver_unlock(dev);
        });
        self.async_done();
    }

    /// device_initial_probe()
    pub(crate) fn device_initial_probe(&self, dev: DeviceId) {
        self.__device_attach(dev, true);
    }

    /// __device_attach(): 1 if a driver was bound, 0 if none, or an error.
    pub(crate) fn __device_attach(&self, dev: DeviceId, allow_async: bool) -> i32 {
        let device = self.device(dev);
        let mut schedule = false;
        let mut ret = 0;
        device.mutex.lock();
        if !device.dead.get() {
            if device.driver.read_once().is_some() {
                // Not bound, but with a driver set: nobody leaves it so while the lock is free.
                ret = i32::from(device.bound.read_once());
            } else {
                let (result, have_async) = self.__device_attach_drivers(dev, allow_async, false);
                ret = result;
                schedule = ret == 0 && allow_async && have_async;
            }
        }
        let unlocks_first = self.has(commit::B232B02BF3C2);
        if unlocks_first {
            device.mutex.unlock();
        }
        if schedule {
            self.async_schedule(Task::DeviceAttachAsync(dev));
        }
        if !unlocks_first {
            device.mutex.unlock();
        }
        ret
    }

    /// __device_attach_async_helper()
    pub(crate) fn __device_attach_async_helper(&self, dev: DeviceId) {
        self.on_device("__device_attach_async_helper", dev, || {
            let device = self.device(dev);
            device.mutex.lock();
            if !device.dead.get() && device.driver.read_once().is_none() {
                self.__device_attach_drivers(dev, true, true);
            }
            device.mutex.unlock();
        });
        self.async_done();
    }

    /// bus_for_each_drv(__device_attach_driver): gives the result, and whether a driver that
    /// matches wants to probe asynchronously.
    fn __device_attach_drivers(
        &self,
        dev: DeviceId,
        check_async: bool,
        want_async: bool,
    ) -> (i32, bool) {
        let mut have_async = false;
        if !self.pci_dev_may_bind(dev) {
            return (0, false);
        }
        for drv in &self.description(dev).drivers {
            if !self.klist_next_driver(*drv) {
                continue;
            }
            let is_async = self.driver_allows_async_probing(*drv);
            have_async |= is_async;
            if check_async && is_async != want_async {
                self.klist_put_driver(*drv);
                continue;
            }
            // What the list of drivers held before this one, for checkpoints further in.
            let ret = task::part("have_async", u64::from(have_async), || {
                self.driver_probe_device(*drv, dev)
            });
            self.klist_put_driver(*drv);
            if ret < 0 {
                return (ret, have_async);
            }
            if ret == 0 {
                return (1, have_async);
            }
        }
        (0, have_async)
    }

    /// klist_next() of the bus's drivers: whether this one is on the list, and a reference to its
    /// node if it is to be waited for.
    fn klist_next_driver(&self, drv: DriverId) -> bool {
        if let Some(references) = self.drivers[drv.index()].knode_bus {
            references.add();
        }
        let is_listed = self.globals.klist_drivers.contains(drv);
        if !is_listed {
            self.klist_put_driver(drv);
        }
        is_listed
    }

    /// Drops that reference.
    fn klist_put_driver(&self, drv: DriverId) {
        if let Some(references) = self.drivers[drv.index()].knode_bus {
            references.done();
        }
    }

    /// driver_detach(): unbinds the driver's devices, the last one first.
    pub(crate) fn driver_detach(&self, drv: DriverId) {
        if self.driver_allows_async_probing(drv) {
            self.async_synchronize_full();
        }
        let list = self.drivers[drv.index()].klist_devices;
        while let Some(dev) = list.last() {
            self.device_release_driver(dev);
        }
    }

    /// driver_match_device(), by compatible, where PCI compares numbers.
    fn driver_match_device(&self, drv: DriverId, dev: DeviceId) -> bool {
        self.description(dev).drivers.contains(&drv) && self.pci_dev_may_bind(dev)
    }

    /// The list of a driver's devices is kept for those who look at it: drivers of IOMMUs, and who
    /// unloads a driver.
    fn keeps_klist_devices(&self, drv: DriverId) -> bool {
        let driver = &self.drivers[drv.index()];
        self.board.drivers[drv.index()].info.kind != Kind::Client || driver.knode_bus.is_some()
    }

    fn driver_allows_async_probing(&self, drv: DriverId) -> bool {
        self.board.drivers[drv.index()].is_async
    }

    /// device_driver_attach(): what a write to `bind` does. A deferral is not queued.
    pub(crate) fn device_driver_attach(&self, drv: DriverId, dev: DeviceId) -> i32 {
        self.on_device("device_driver_attach", dev, || {
            self.__device_driver_lock(dev);
            let ret = self.__driver_probe_device(drv, dev);
            self.__device_driver_unlock(dev);
            // Here the errors of the driver's own probe count as any other.
            let ret = -ret.abs();
            if ret == -EPROBE_DEFER { -EAGAIN } else { ret }
        })
    }

    /// driver_probe_device()
    fn driver_probe_device(&self, drv: DriverId, dev: DeviceId) -> i32 {
        self.on_device("driver_probe_device", dev, || {
            let g = &self.globals;
            g.deferred_trigger_count.remember(dev);
            // Which driver it is, for checkpoints further in.
            let ret = task::part("drv", u64::from(drv.0), || {
                self.__driver_probe_device(drv, dev)
            });
            if Self::is_deferral(ret) {
                self.driver_deferred_probe_add(dev);
                if self.has(commit::G58B116BCE136) && g.deferred_trigger_count.is_another(dev) {
                    self.driver_deferred_probe_trigger();
                }
            }
            ret
        })
    }

    /// __driver_probe_device()
    fn __driver_probe_device(&self, drv: DriverId, dev: DeviceId) -> i32 {
        self.on_device("__driver_probe_device", dev, || {
            let device = self.device(dev);
            if device.dead.get() {
                return -ENODEV;
            }
            if device.driver.read_once().is_some() {
                return -EBUSY;
            }
            if self.has(commit::A2225B6E834A) && !self.test_flag(dev, DeviceFlag::ReadyToProbe) {
                return -EPROBE_DEFER;
            }
            self.set_flag(dev, DeviceFlag::CanMatch, true);
            self.really_probe(dev, drv)
        })
    }

    /// really_probe(): an error of the driver's own probe comes back positive.
    fn really_probe(&self, dev: DeviceId, drv: DriverId) -> i32 {
        self.on_device("really_probe", dev, || {
            let ret = self.device_links_check_suppliers(dev);
            if ret != 0 {
                return ret;
            }
            let device = self.device(dev);
            device.driver.write_once(Some(drv));
            let ret = self.platform_dma_configure(dev);
            task::checkpoint("really_probe: configured", &[ret.to_word()]);
            if ret != 0 {
                // Until 0b777eee88d7 there was nothing to tear down for dma_failed.
                let teardown = self.has(commit::G0B777EEE88D7).then_some(Teardown::Last);
                self.probe_failed(dev, teardown);
                return ret;
            }
            let ret = self.call_driver_probe(dev, drv);
            task::checkpoint("really_probe: probed", &[ret.to_word()]);
            if ret != 0 {
                self.platform_dma_cleanup(dev, drv);
                let teardown = Teardown::since(self.has(commit::G0B777EEE88D7));
                self.probe_failed(dev, Some(teardown));
                return ret.abs();
            }
            self.driver_bound(dev, drv);
            0
        })
    }

    fn probe_failed(&self, dev: DeviceId, teardown: Option<Teardown>) {
        self.device_links_no_driver(dev);
        self.device_unbind_cleanup(dev, teardown);
    }

    /// call_driver_probe(): the driver's own probe function.
    fn call_driver_probe(&self, dev: DeviceId, drv: DriverId) -> i32 {
        if let Some(other) = self.board.drivers[drv.index()].registers {
            self.register_once(other);
        }
        match self.board.drivers[drv.index()].info.kind {
            Kind::IpmmuVmsa => self.ipmmu_probe(dev),
            Kind::ArmSmmuV3 => self.arm_smmu_device_probe(dev),
            Kind::Rockchip => self.rk_iommu_probe(dev),
            Kind::Generic(_) => self.generic_iommu_probe(dev),
            Kind::Client => self.client_probe(dev, drv),
        }
    }

    /// A driver whose probe registers another one, as that of arm-smmu-qcom.c does for its TBUs.
    fn register_once(&self, drv: DriverId) {
        if !self.globals.klist_drivers.contains(drv) {
            self.driver_register(drv);
        }
    }

    /// device_unbind_cleanup(), and what did its work before there was one.
    fn device_unbind_cleanup(&self, dev: DeviceId, teardown: Option<Teardown>) {
        let device = self.device(dev);
        if teardown == Some(Teardown::First) {
            self.arch_teardown_dma_ops(dev);
        }
        self.devres_release_all(dev);
        if teardown == Some(Teardown::Last) {
            self.arch_teardown_dma_ops(dev);
        }
        if !self.has(commit::DMA_RANGE_MAP_ONCE) {
            self.dma_range_map_free(dev);
        }
        device.driver.write_once(None);
        device.driver_data.write_once(false);
    }

    /// driver_bound()
    fn driver_bound(&self, dev: DeviceId, drv: DriverId) {
        self.on_device("driver_bound", dev, || {
            if self.keeps_klist_devices(drv) {
                self.drivers[drv.index()].klist_devices.push_back(dev);
            }
            self.device(dev).bound.write_once(true);
            self.device_links_driver_bound(dev);
            self.driver_deferred_probe_del(dev);
            self.driver_deferred_probe_trigger();
        });
    }

    /// device_release_driver(): what a write to `unbind` does, and device_del().
    pub(crate) fn device_release_driver(&self, dev: DeviceId) {
        self.on_device("device_release_driver", dev, || {
            self.__device_driver_lock(dev);
            self.__device_release_driver(dev);
            self.__device_driver_unlock(dev);
        });
    }

    /// __device_release_driver(). Consumers are unbound first, with the lock dropped.
    fn __device_release_driver(&self, dev: DeviceId) {
        let device = self.device(dev);
        let Some(drv) = device.driver.read_once() else {
            return;
        };
        while let Some(consumer) = self.device_links_busy_consumer(dev) {
            self.__device_driver_unlock(dev);
            task::part("drv", u64::from(drv.0), || {
                self.device_release_driver(consumer);
            });
            self.__device_driver_lock(dev);
            if device.driver.read_once() != Some(drv) {
                return;
            }
        }
        if let Some(instance) = self.description(dev).instance {
            self.iommu_driver_remove(instance);
        }
        self.platform_dma_cleanup(dev, drv);
        let teardown = Teardown::since(self.has(commit::G376991DB4B64));
        self.device_unbind_cleanup(dev, Some(teardown));
        self.device_links_driver_cleanup(dev);
        if self.keeps_klist_devices(drv) {
            self.drivers[drv.index()].klist_devices.remove(dev);
        }
        device.bound.write_once(false);
    }
}
