//! drivers/iommu/dma-iommu.c and the arm64 half of DMA ops selection
//! (arch/arm64/mm/dma-mapping.c). Follows v7.3-rc7.
//!
//! Left out: the IOVA allocator, flush queues and their failures, Xen, ARM32.

use crate::ids::{DeviceId, GroupId};
use crate::kernel::{DeviceFlag, Kernel};

impl Kernel {
    /// iommu_setup_dma_ops(), with the group's mutex held: every default domain here is a DMA
    /// domain.
    pub(crate) fn iommu_setup_dma_ops(&self, dev: DeviceId, _group: GroupId) {
        self.on_device("iommu_setup_dma_ops", dev, || {
            self.set_flag(dev, DeviceFlag::DmaIommu, true);
        });
    }

    /// arch_setup_dma_ops() of arm64.
    pub(crate) fn arch_setup_dma_ops(&self, dev: DeviceId) {
        let coherent = self.description(dev).dma_coherent;
        self.set_flag(dev, DeviceFlag::DmaCoherent, coherent);
    }

    /// arch_teardown_dma_ops() of arm64: nothing to do.
    #[expect(
        clippy::unused_self,
        reason = "the kernel's function, where other architectures act"
    )]
    pub(crate) fn arch_teardown_dma_ops(&self, _dev: DeviceId) {}

    /// use_dma_iommu(), as seen by the monitor of a driver's first mapping.
    pub(crate) fn use_dma_iommu(&self, dev: DeviceId) -> bool {
        self.monitor_flag(dev, DeviceFlag::DmaIommu)
    }
}
