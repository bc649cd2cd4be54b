//! drivers/iommu/iommu.c, the part about who may use a group's DMA. Follows v7.3-rc7.

use crate::commit;
use crate::errno::{EBUSY, EPROBE_DEFER};
use crate::ids::DeviceId;
use crate::kernel::{Kernel, Warn};

impl Kernel {
    /// iommu_device_use_default_domain()
    pub(crate) fn iommu_device_use_default_domain(&self, dev: DeviceId) -> i32 {
        if !self.has(commit::G512881EACFA7) {
            return 0;
        }
        self.on_device("iommu_device_use_default_domain", dev, || {
            let Some(id) = self.device(dev).iommu_group.read_once() else {
                let defers = self.has(commit::DEFER_WITHOUT_GROUP);
                return if defers && self.device(dev).iommu.read_once().is_some() {
                    -EPROBE_DEFER
                } else {
                    0
                };
            };
            let group = self.group(id);
            group.mutex.lock();
            let mut ret = 0;
            if self.has(commit::B46064A18810) && group.default_domain.read_once().is_none() {
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
}
