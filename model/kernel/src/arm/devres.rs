//! kernel/dma/mapping.c and drivers/base/devres.c: memory for DMA that a driver gets in its probe
//! and that goes when it is unbound. Follows v7.3-rc7.
//!
//! Whoever frees must go through the ops, and into the mapping, that it was allocated from. What C
//! does else is not followed: it is noted, and the memory is gone.

use super::archdata::{DmaOps, Mapping};
use crate::ids::{DeviceId, DriverId};
use crate::kernel::Kernel;
use checker::task;

impl Kernel {
    /// A driver's use of the DMA API: a mapping, or memory that devres keeps.
    pub(crate) fn use_dma(&self, dev: DeviceId, drv: DriverId) {
        if !self.is_arm32() {
            return;
        }
        let name = self.board.drivers[drv.index()].info.name;
        if self.config.managed_memory.contains(name) {
            self.dmam_alloc_coherent(dev);
        } else {
            self.dma_mapping_in_use(dev, "arm_iommu_map_page: dev->archdata.mapping is NULL");
        }
    }

    /// dmam_alloc_coherent()
    fn dmam_alloc_coherent(&self, dev: DeviceId) {
        self.on_device("dmam_alloc_coherent", dev, || {
            let oops = "arm_iommu_alloc_attrs: dev->archdata.mapping is NULL";
            let (dma_ops, mapping) = self.dma_mapping_in_use(dev, oops);
            let memory = &self.archdata(dev).memory;
            memory.dma_ops.write_once(dma_ops);
            memory.mapping.write_once(mapping);
            memory.allocated.write_once(true);
        });
    }

    /// The ops that the DMA API calls, and the mapping that IOMMU ops take for granted.
    fn dma_mapping_in_use(&self, dev: DeviceId, oops: &str) -> (Option<DmaOps>, Option<Mapping>) {
        let archdata = self.archdata(dev);
        let dma_ops = archdata.dma_ops.read_once();
        let mapping = archdata.mapping.read_once();
        if dma_ops == Some(DmaOps::Iommu) {
            let Some(mapping) = mapping else {
                self.oops(dev, oops)
            };
            self.mapping_check(dev, mapping);
        }
        (dma_ops, mapping)
    }

    /// devres_release_all(), of that memory.
    pub(crate) fn devres_release_all(&self, dev: DeviceId) {
        if !self.is_arm32() || !self.archdata(dev).memory.allocated.read_once() {
            return;
        }
        self.on_device("devres_release_all", dev, || {
            let archdata = self.archdata(dev);
            archdata.memory.allocated.write_once(false);
            let oops = "arm_iommu_free_attrs: dev->archdata.mapping is NULL";
            let (dma_ops, mapping) = self.dma_mapping_in_use(dev, oops);
            let from_ops = archdata.memory.dma_ops.read_once();
            let from_mapping = archdata.memory.mapping.read_once();
            let is_iommu = dma_ops == Some(DmaOps::Iommu);
            if from_ops != dma_ops || (is_iommu && from_mapping != mapping) {
                archdata.misfreed.set(true);
                self.note_misfreed(dev, from_ops, dma_ops);
            }
        });
    }

    fn note_misfreed(&self, dev: DeviceId, from: Option<DmaOps>, to: Option<DmaOps>) {
        let name = |ops: Option<DmaOps>| ops.map_or("NULL", DmaOps::name);
        let another = if from == to {
            ", in another mapping"
        } else {
            ""
        };
        task::note("BUG", || {
            format!(
                "{}: memory from {} ops is freed through {} ops{another}",
                self.device(dev).name,
                name(from),
                name(to),
            )
        });
    }
}
