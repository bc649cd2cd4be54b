//! drivers/iommu/dma-iommu.c and the arm64 half of DMA ops selection
//! (arch/arm64/mm/dma-mapping.c). Follows v7.3-rc7.
//!
//! Left out: the IOVA allocator but for who initialises it, flush queues and their failures, Xen.
//! 32-bit ARM has no dma-iommu.c and DMA ops of its own: [`crate::arm`].

use crate::arm::archdata::DmaOps;
use crate::commit;
use crate::ids::{DeviceId, GroupId};
use crate::kernel::{DeviceFlag, Kernel, Warn};
use checker::task;

impl Kernel {
    /// iommu_setup_dma_ops(), with the group's mutex held: every default domain here is a DMA
    /// domain. Before b67483b3c44e the core did not call it.
    pub(crate) fn iommu_setup_dma_ops(&self, dev: DeviceId, _group: GroupId) {
        if self.is_arm32() || !self.has(commit::B67483B3C44E) {
            return;
        }
        self.on_device("iommu_setup_dma_ops", dev, || {
            self.set_flag(dev, DeviceFlag::DmaIommu, true);
        });
    }

    /// iommu_setup_dma_ops() before b67483b3c44e, at bind: it takes the domain that the group has
    /// at this moment, under no lock.
    fn iommu_setup_dma_ops_at_bind(&self, dev: DeviceId) {
        self.on_device("iommu_setup_dma_ops", dev, || {
            // iommu_get_domain_for_dev()
            let group = self.device(dev).iommu_group.read_once();
            let Some(id) = group.filter(|g| self.group(*g).domain.read_once().is_some()) else {
                self.warn(dev, Warn::RetainsOps);
                return;
            };
            self.iommu_dma_init_domain(dev, id);
            self.set_flag(dev, DeviceFlag::DmaIommu, true);
        });
    }

    /// iommu_dma_init_domain(): whoever comes first initialises the allocator, which sets
    /// `start_pfn` on its way. Since b67483b3c44e it runs under the group's mutex and is part of
    /// [`Kernel::iommu_setup_dma_ops`].
    fn iommu_dma_init_domain(&self, dev: DeviceId, id: GroupId) {
        let group = self.group(id);
        let is_locked = self.has(commit::AC9A5D522BB8);
        if is_locked {
            group.cookie_mutex.lock();
        }
        if !group.start_pfn.read_once() {
            task::note("init_iova_domain", || self.device(dev).name.clone());
            if group.iova_inits.fetch_add(1) != 0 {
                self.warn(dev, Warn::IovaTwice);
            }
            group.start_pfn.write_once(true);
        }
        if is_locked {
            group.cookie_mutex.unlock();
        }
    }

    /// arch_setup_dma_ops(): that of arm64 here. `iommu`: the firmware names an IOMMU that is there.
    pub(crate) fn arch_setup_dma_ops(&self, dev: DeviceId, iommu: bool) {
        if self.is_arm32() {
            return self.arm_arch_setup_dma_ops(dev);
        }
        let coherent = self.description(dev).dma_coherent;
        self.set_flag(dev, DeviceFlag::DmaCoherent, coherent);
        if iommu && !self.has(commit::B67483B3C44E) {
            self.iommu_setup_dma_ops_at_bind(dev);
        }
    }

    /// arch_teardown_dma_ops(): that of arm64 cleared dev->dma_ops before b67483b3c44e; since then
    /// there is nothing to do.
    pub(crate) fn arch_teardown_dma_ops(&self, dev: DeviceId) {
        if self.is_arm32() {
            return self.arm_arch_teardown_dma_ops(dev);
        }
        if !self.has(commit::B67483B3C44E) {
            self.set_flag(dev, DeviceFlag::DmaIommu, false);
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
