//! drivers/iommu/iommu.c before the series that ends with f188056352bc ("iommu: Avoid
//! locking/unlocking for iommu_probe_device()", v6.6-rc1): how a device was probed, joined its group
//! and got its default domain, each under locks of its own or none. Follows v6.1; what a commit
//! changed stands behind its `has`.
//!
//! Two things are counted here that the kernel does not count: who is in ops->probe_device() and in
//! ops->attach_dev() for a device. IOMMU drivers rely on the core to keep others out.
//!
//! Left out, besides what iommu.rs leaves out: before 57365a04c921 (v6.1) a driver registered
//! its ops with the bus by itself, after its first instance, and only that one walked; attaching
//! cannot fail. iommu_release_device() is that of iommu.rs, which dev->iommu survives a little longer.

use crate::commit;
use crate::errno::ENODEV;
use crate::ids::{DeviceId, Domain, GroupId, InstanceId};
use crate::kernel::{Kernel, Warn};
use checker::sync::Shared;
use checker::task;

impl Kernel {
    /// iommu_probe_device()
    pub(crate) fn legacy_probe_device(&self, dev: DeviceId) -> i32 {
        let ret = self.legacy_probe_locked(dev, None);
        if ret != 0 {
            return ret;
        }
        let Some(id) = self.device(dev).iommu_group.read_once() else {
            self.iommu_release_device(dev);
            return -ENODEV;
        };
        let group = self.group(id);
        let allocates_locked = self.has(commit::G211FF31B3D33);
        let attaches_locked = self.has(commit::G556F99AC8866);
        if allocates_locked {
            group.mutex.lock();
        }
        self.iommu_alloc_default_domain(id);
        if allocates_locked && !attaches_locked {
            group.mutex.unlock();
        }
        if let Some(domain) = group.default_domain.read_once()
            && !group.owner.read_once()
        {
            self.legacy_attach_device(domain, dev, id);
        }
        if attaches_locked {
            group.mutex.unlock();
        }
        self.probe_finalize(dev);
        0
    }

    /// probe_iommu_group(): whether the device has been probed is asked before the lock is taken.
    pub(crate) fn legacy_probe_iommu_group(&self, dev: DeviceId, walk: InstanceId) -> i32 {
        if self.device(dev).iommu_group.read_once().is_some() {
            return 0;
        }
        let ret = self.legacy_probe_locked(dev, Some(walk));
        if ret == -ENODEV { 0 } else { ret }
    }

    /// __iommu_probe_device() under iommu_probe_device_lock, which is there since 01657bc14a39.
    fn legacy_probe_locked(&self, dev: DeviceId, walk: Option<InstanceId>) -> i32 {
        let lock = self.globals.iommu_probe_device_lock;
        let is_locked = self.has(commit::G01657BC14A39);
        if is_locked {
            lock.lock();
        }
        let ret = self.__legacy_iommu_probe_device(dev, walk);
        if is_locked {
            lock.unlock();
        }
        ret
    }

    /// __iommu_probe_device()
    fn __legacy_iommu_probe_device(&self, dev: DeviceId, walk: Option<InstanceId>) -> i32 {
        self.on_device("__iommu_probe_device", dev, || {
            if !self.dev_has_ops(dev) {
                return -ENODEV;
            }
            self.dev_iommu_get(dev);
            let probed = self.alone(dev, self.device(dev).probing, Warn::ProbesAtOnce, || {
                // The driver looks whether there is a fwspec, and whether it is for its ops.
                let fwspec = self.dev_iommu_fwspec_get(dev);
                let of_fwspec = self.iommu_fwspec_ops(fwspec);
                let instance = of_fwspec.or_else(|| self.bus_ops_without_fwspec());
                let instance = instance.ok_or(-ENODEV)?;
                self.ops_probe_device(dev, instance)
            });
            let instance = match probed {
                Ok(instance) => instance,
                Err(err) => {
                    self.dev_iommu_free(dev);
                    return err;
                }
            };
            let Some(pointer) = self.device(dev).iommu.read_once() else {
                self.oops(dev, "__iommu_probe_device: dev->iommu is NULL")
            };
            let iommu_dev = self.dev_iommu(dev, pointer).iommu_dev;
            iommu_dev.write_once(Some(instance));
            let group = self.iommu_group_get_for_dev(dev, instance);
            if let Some(walk) = walk {
                self.put_on_walk(group, walk);
            }
            0
        })
    }

    /// The group is one whose default domain the walk sets up.
    fn put_on_walk(&self, id: GroupId, walk: InstanceId) {
        let group = self.group(id);
        let is_locked = self.has(commit::G01657BC14A39);
        if is_locked {
            group.mutex.lock();
        }
        if group.default_domain.read_once().is_none() && !group.entry.read_once() {
            group.entry.write_once(true);
            self.instance(walk).group_list.push_back(id);
        }
        if is_locked {
            group.mutex.unlock();
        }
    }

    /// iommu_group_get_for_dev()
    fn iommu_group_get_for_dev(&self, dev: DeviceId, instance: InstanceId) -> GroupId {
        if let Some(id) = self.device(dev).iommu_group.read_once() {
            return id;
        }
        let id = self.ops_device_group(dev, instance);
        self.iommu_group_add_device(dev, id);
        id
    }

    /// iommu_group_add_device()
    fn iommu_group_add_device(&self, dev: DeviceId, id: GroupId) {
        let group = self.group(id);
        self.device(dev).iommu_group.write_once(Some(id));
        group.mutex.lock();
        group.devices.push_back(dev);
        self.monitor_order(dev);
        if let Some(domain) = group.domain.read_once() {
            self.legacy_attach_device(domain, dev, id);
        }
        group.mutex.unlock();
        task::note("printk", || {
            format!("{}: Adding to iommu group {}", self.device(dev).name, id.0)
        });
    }

    /// iommu_alloc_default_domain(): under group->mutex since 211ff31b3d33.
    fn iommu_alloc_default_domain(&self, id: GroupId) {
        let group = self.group(id);
        if group.default_domain.read_once().is_some() {
            return;
        }
        let domain = match group.domains.fetch_add(1) {
            0 => Domain::Dma,
            1 => Domain::SecondDma,
            _ => task::limit("a group has more default domains than the model holds"),
        };
        group.default_domain.write_once(Some(domain));
        if group.domain.read_once().is_none() {
            group.domain.write_once(Some(domain));
        }
    }

    /// __iommu_attach_device(). What the DMA API maps for the device goes to its group's domain, so
    /// the monitor compares with that.
    fn legacy_attach_device(&self, domain: Domain, dev: DeviceId, id: GroupId) {
        self.alone(
            dev,
            self.device(dev).attaching,
            Warn::AttachesAtOnce,
            || {
                task::note("attach_dev", || self.device(dev).name.clone());
                if self.group(id).domain.monitor() != Some(domain) {
                    self.warn(dev, Warn::OtherDomain);
                }
            },
        );
    }

    /// The second pass of bus_iommu_probe() for one group, with __iommu_group_dma_attach().
    pub(crate) fn legacy_set_up_group(&self, id: GroupId) {
        let group = self.group(id);
        group.mutex.lock();
        group.entry.write_once(false);
        self.iommu_alloc_default_domain(id);
        let domain = group.default_domain.read_once();
        let mut position = 0;
        while let Some((dev, next)) = group.devices.next(position) {
            position = next;
            if let Some(domain) = domain {
                self.legacy_attach_device(domain, dev, id);
            }
        }
        group.mutex.unlock();
        // __iommu_group_dma_finalize()
        let mut position = 0;
        while let Some((dev, next)) = group.devices.next(position) {
            position = next;
            self.probe_finalize(dev);
        }
    }

    /// What else a new group's domain begins with, where a kernel looks at it.
    pub(crate) fn reset_legacy_domain(&self, id: GroupId) {
        let group = self.group(id);
        group.domains.write_once(0);
        group.start_pfn.write_once(false);
        group.iova_inits.write_once(0);
    }

    /// Calls into the IOMMU driver for a device, and notes if another task is in there.
    fn alone<R>(
        &self,
        dev: DeviceId,
        tasks: Shared<u64>,
        warn: Warn,
        call: impl FnOnce() -> R,
    ) -> R {
        if tasks.fetch_add(1) != 0 {
            self.warn(dev, warn);
        }
        let ret = call();
        tasks.add(1u64.wrapping_neg());
        ret
    }
}
