//! drivers/iommu/iommu.c, the part about who may use a group's DMA. Follows v7.3-rc7.

use crate::commit;
use crate::errno::{EBUSY, EPERM, EPROBE_DEFER};
use crate::ids::{DeviceId, Domain, GroupId};
use crate::kernel::{Kernel, Warn};

impl Kernel {
    /// iommu_device_use_default_domain()
    pub(crate) fn iommu_device_use_default_domain(&self, dev: DeviceId) -> i32 {
        if !self.has(commit::G512881EACFA7) {
            return 0;
        }
        self.on_device("iommu_device_use_default_domain", dev, || {
            let Some(id) = self.device(dev).iommu_group.read_once() else {
                let defers = self.has(commit::DEFER_WITHOUT_GROUP) || self.has(commit::JOIN_FIRST);
                return if defers && self.device(dev).iommu.read_once().is_some() {
                    -EPROBE_DEFER
                } else {
                    0
                };
            };
            let group = self.group(id);
            group.mutex.lock();
            let mut ret = 0;
            let has_no_domain =
                self.has(commit::B46064A18810) && group.default_domain.read_once().is_none();
            if has_no_domain || (self.has(commit::JOIN_FIRST) && !group.devices.contains(dev)) {
                ret = -EPROBE_DEFER;
            } else if group.owner_cnt.read_once() != 0
                && (group.domain.read_once() != group.default_domain.read_once()
                    || group.owner.read_once())
            {
                ret = -EBUSY;
            } else {
                group.owner_cnt.write_once(group.owner_cnt.read_once() + 1);
            }
            group.mutex.unlock();
            ret
        })
    }

    /// iommu_device_unuse_default_domain()
    pub(crate) fn iommu_device_unuse_default_domain(&self, dev: DeviceId) {
        if !self.has(commit::G512881EACFA7) {
            return;
        }
        self.on_device("iommu_device_unuse_default_domain", dev, || {
            let Some(id) = self.device(dev).iommu_group.read_once() else {
                return;
            };
            let group = self.group(id);
            group.mutex.lock();
            match group.owner_cnt.read_once() {
                0 => self.warn(dev, Warn::OwnerCnt),
                n => group.owner_cnt.write_once(n - 1),
            }
            group.mutex.unlock();
        });
    }

    /// iommu_group_claim_dma_owner(), on behalf of user space. Left out: allocating the blocking
    /// domain cannot fail, and there are no PASIDs.
    pub(crate) fn iommu_group_claim_dma_owner(&self, dev: DeviceId, id: GroupId) -> i32 {
        self.on_device("iommu_group_claim_dma_owner", dev, || {
            let group = self.group(id);
            group.mutex.lock();
            let domain = group.domain.read_once();
            let ret = if group.owner_cnt.read_once() != 0 {
                -EPERM
            } else if domain.is_some() && domain != group.default_domain.read_once() {
                -EBUSY
            } else {
                group.domain.write_once(Some(Domain::Blocking));
                group.owner.write_once(true);
                group.owner_cnt.write_once(1);
                0
            };
            group.mutex.unlock();
            ret
        })
    }

    /// iommu_attach_group(), of a domain that its owner made.
    pub(crate) fn iommu_attach_group(&self, dev: DeviceId, id: GroupId) {
        self.on_device("iommu_attach_group", dev, || {
            let group = self.group(id);
            group.mutex.lock();
            let domain = group.domain.read_once();
            if domain == group.default_domain.read_once() || domain == Some(Domain::Blocking) {
                group.domain.write_once(Some(Domain::Unmanaged));
            }
            group.mutex.unlock();
        });
    }

    /// iommu_group_release_dma_owner(). iommu_detach_group(), which comes before it, leaves the
    /// blocking domain for a moment that nobody can see: both are under the group's mutex.
    pub(crate) fn iommu_group_release_dma_owner(&self, dev: DeviceId, id: GroupId) {
        self.on_device("iommu_group_release_dma_owner", dev, || {
            let group = self.group(id);
            group.mutex.lock();
            if group.owner.read_once() {
                group.owner_cnt.write_once(0);
                group.owner.write_once(false);
                group.domain.write_once(group.default_domain.read_once());
            }
            group.mutex.unlock();
        });
    }
}
