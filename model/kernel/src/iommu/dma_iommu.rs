//! drivers/iommu/dma-iommu.c and the arm64 half of DMA ops selection
//! (arch/arm64/mm/dma-mapping.c). Follows v7.3-rc7.
//!
//! Left out: the IOVA allocator, flush queues and their failures, Xen. 32-bit ARM has no
//! dma-iommu.c and DMA ops of its own: [`crate::arm`].

use crate::arm::archdata::DmaOps;
use crate::ids::{DeviceId, GroupId};
use crate::kernel::{DeviceFlag, Kernel};

impl Kernel {
    /// iommu_setup_dma_ops(), with the group's mutex held: every default domain here is a DMA
    /// domain.
    pub(crate) fn iommu_setup_dma_ops(&self, dev: DeviceId, _group: GroupId) {
        if self.is_arm32() {
            return;
        }
        self.on_device("iommu_setup_dma_ops", dev, || {
            self.set_flag(dev, DeviceFlag::DmaIommu, true);
        });
    }

    /// arch_setup_dma_ops(): that of arm64 here.
    pub(crate) fn arch_setup_dma_ops(&self, dev: DeviceId) {
        if self.is_arm32() {
            return self.arm_arch_setup_dma_ops(dev);
        }
        let coherent = self.description(dev).dma_coherent;
        self.set_flag(dev, DeviceFlag::DmaCoherent, coherent);
    }

    /// arch_teardown_dma_ops(): on arm64 there is nothing to do.
    pub(crate) fn arch_teardown_dma_ops(&self, dev: DeviceId) {
        if self.is_arm32() {
            self.arm_arch_teardown_dma_ops(dev);
        }
    }

    /// use_dma_iommu(), as seen by the monitor of a driver's first mapping.
    pub(crate) fn use_dma_iommu(&self, dev: DeviceId) -> bool {
        if self.is_arm32() {
            return self.archdata(dev).dma_ops.monitor() == Some(DmaOps::Iommu);
        }
        self.monitor_flag(dev, DeviceFlag::DmaIommu)
    }
}
