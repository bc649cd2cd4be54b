//! drivers/iommu/iommu.c, the part that finds the ops for a domain that a driver allocates.
//! Follows v6.12, which is b4c0497169d5 for all that matters here; what became of it, and what had been
//! proposed in its place, stands behind its `has`.
//!
//! Left out: the domain itself, what comes of the ops that are found, and the WARN if the devices of
//! a bus have different ops. A `struct device` that was deleted stays readable: of what a proposal
//! does to one that is gone, only `dev->iommu` is seen.

use crate::commit;
use crate::ids::{DeviceId, GroupId};
use crate::kernel::Kernel;
use crate::verb::AllocatedBy;

impl Kernel {
    /// iommu_domain_alloc() for the bus of a device or, since f6440fcc9c7b has removed it,
    /// iommu_paging_domain_alloc() for the device itself.
    pub(crate) fn iommu_domain_alloc(&self, dev: DeviceId, by: AllocatedBy) {
        if by == AllocatedBy::BoundDriver && !self.device(dev).bound.read_once() {
            return;
        }
        let lock = self.device(dev).mutex;
        if by == AllocatedBy::Probe {
            lock.lock();
        }
        self.on_device("iommu_domain_alloc", dev, || self.domain_ops(dev));
        if by == AllocatedBy::Probe {
            lock.unlock();
        }
    }

    /// Where the ops come from.
    fn domain_ops(&self, dev: DeviceId) {
        if !self.has(commit::G17DE3F5FDD35) {
            self.globals.bus_iommu_ops.read_once();
        } else if self.has(commit::F6440FCC9C7B) {
            self.dev_iommu_ops(dev);
        } else if self.has(commit::DOMAIN_ALLOC_DEVICE) {
            self.domain_alloc_device(dev);
        } else if self.has(commit::DOMAIN_ALLOC_LOCK_ALL) {
            self.domain_alloc_lock_all(dev);
        } else if self.has(commit::DOMAIN_ALLOC_FIRST_GROUP) {
            self.domain_alloc_first_group(dev);
        } else if self.has(commit::DOMAIN_ALLOC_DEVICE_LOCK) {
            self.domain_alloc_device_lock(dev);
        } else {
            // __iommu_domain_alloc_dev() goes through all devices, and nobody keeps them.
            self.bus_for_each_dev(self.description(dev).bus, |other| {
                self.dev_iommu_ops(other);
                0
            });
        }
    }

    /// v4: the walk goes on to the end and passes the last device out, and its ops are asked for when
    /// the walk is over.
    fn domain_alloc_device(&self, dev: DeviceId) {
        let mut chosen: Option<DeviceId> = None;
        self.for_each_sibling(dev, |other| {
            if self.dev_iommu_ops(other) {
                chosen = Some(other);
            }
            false
        });
        if let Some(chosen) = chosen {
            self.must_have_ops(chosen);
        }
    }

    /// The diff that Robin Murphy pasted: the mutex of every group is taken, that of the first is
    /// dropped. A task that comes back with others held is one that died here, since it keeps them.
    fn domain_alloc_lock_all(&self, dev: DeviceId) {
        let mut chosen: Option<(DeviceId, GroupId)> = None;
        let mut left: Option<DeviceId> = None;
        self.for_each_sibling(dev, |other| {
            if let Some(id) = self.lock_group_of(other) {
                if chosen.is_some() {
                    left = Some(other);
                }
                let first = chosen.get_or_insert((other, id)).0;
                self.must_have_ops(other);
                self.must_have_ops(first);
            }
            false
        });
        if let Some((first, id)) = chosen {
            self.must_have_ops(first);
            self.group(id).mutex.unlock();
            self.iommu_group_put(id);
        }
        if let Some(left) = left {
            self.oops(
                left,
                "iommu_domain_alloc: comes back with group->mutex held",
            );
        }
    }

    /// Jason Gunthorpe's answer: the walk stops at the first group that has a device, and keeps its
    /// mutex.
    fn domain_alloc_first_group(&self, dev: DeviceId) {
        let mut chosen: Option<GroupId> = None;
        self.for_each_sibling(dev, |other| {
            chosen = self.lock_group_of(other);
            chosen.is_some()
        });
        if let Some(id) = chosen {
            self.ops_of_group(id);
        }
    }

    /// What he had asked for first: device_lock() of the device that is found, until the group is
    /// taken.
    fn domain_alloc_device_lock(&self, dev: DeviceId) {
        let mut chosen: Option<GroupId> = None;
        self.for_each_sibling(dev, |other| {
            let lock = self.device(other).mutex;
            lock.lock();
            chosen = self.iommu_group_get(other);
            lock.unlock();
            chosen.is_some()
        });
        if let Some(id) = chosen {
            self.group(id).mutex.lock();
            self.ops_of_group(id);
        }
    }

    /// bus_for_each_dev() on the bus of a device, until `each` is done: without a checkpoint, since
    /// what the callers have found so far is theirs.
    fn for_each_sibling(&self, dev: DeviceId, mut each: impl FnMut(DeviceId) -> bool) {
        let bus = self.description(dev).bus;
        let mut position = 0;
        while let Some((other, next)) = self.globals.klist_devices.next(position) {
            position = next;
            if self.description(other).bus == bus && each(other) {
                return;
            }
        }
    }

    /// __iommu_group_domain_alloc(): the ops of the group's first device, with its mutex held; then
    /// the group is let go.
    fn ops_of_group(&self, id: GroupId) {
        let group = self.group(id);
        if let Some((first, _)) = group.devices.next(0) {
            self.must_have_ops(first);
        }
        group.mutex.unlock();
        self.iommu_group_put(id);
    }

    /// The device's group with its mutex held, if there is one with devices.
    fn lock_group_of(&self, dev: DeviceId) -> Option<GroupId> {
        let id = self.iommu_group_get(dev)?;
        let group = self.group(id);
        group.mutex.lock();
        if group.devices.is_empty() {
            group.mutex.unlock();
            self.iommu_group_put(id);
            return None;
        }
        Some(id)
    }

    /// iommu_group_get(): nobody keeps `dev->iommu_group` while it is read and a reference taken.
    pub(crate) fn iommu_group_get(&self, dev: DeviceId) -> Option<GroupId> {
        let id = self.device(dev).iommu_group.read_once()?;
        if self.group(id).references.fetch_add(1) == 0 {
            self.oops(dev, "iommu_group_get: the group was freed");
        }
        Some(id)
    }

    /// dev_has_iommu() and, if so, dev_iommu_ops(): each reads `dev->iommu`.
    fn dev_iommu_ops(&self, dev: DeviceId) -> bool {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            return false;
        };
        if self.dev_iommu(dev, pointer).iommu_dev.read_once().is_none() {
            return false;
        }
        self.must_have_ops(dev);
        true
    }

    /// dev_iommu_ops()
    fn must_have_ops(&self, dev: DeviceId) {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "dev_iommu_ops: dev->iommu is NULL")
        };
        if self.dev_iommu(dev, pointer).iommu_dev.read_once().is_none() {
            self.oops(dev, "dev_iommu_ops: dev->iommu->iommu_dev is NULL");
        }
    }
}
