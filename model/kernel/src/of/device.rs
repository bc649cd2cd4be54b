//! drivers/of/device.c: DMA configuration from the device tree. Follows v7.3-rc7.
//!
//! Left out: DMA masks and limits, and restricted DMA pools.

use crate::commit;
use crate::errno::EPROBE_DEFER;
use crate::ids::DeviceId;
use crate::kernel::Kernel;
use checker::heap::Handle;
use checker::task;
use checker::word::Word;

impl Kernel {
    /// of_dma_configure_id()
    pub(crate) fn of_dma_configure_id(&self, dev: DeviceId) -> i32 {
        self.on_device("of_dma_configure_id", dev, || {
            let device = self.device(dev);
            let is_set =
                self.has(commit::BCB81AC6AE3C) && device.dma_range_map.read_once().is_some();
            let maps = device.dma_range_maps.filter(|_| !is_set);
            let map = maps.map(|maps| maps.alloc());
            if self.has(commit::DMA_RANGE_MAP_ONCE) {
                self.dma_range_map_offer(dev, map);
            } else if map.is_some() {
                device.dma_range_map.write_once(map);
            }
            // For checkpoints further in.
            let ret = task::part("map", map.to_word(), || self.of_iommu_configure(dev));
            if ret == -EPROBE_DEFER {
                if self.has(commit::DMA_RANGE_MAP_ONCE) {
                    return ret;
                }
                if let Some((maps, map)) = maps.zip(map) {
                    device.dma_range_map.write_once(None);
                    maps.free(map);
                }
                return ret;
            }
            self.arch_setup_dma_ops(dev, ret == 0);
            0
        })
    }

    /// What a proposed patch does: of two that make a map, the second frees its own.
    fn dma_range_map_offer(&self, dev: DeviceId, map: Option<Handle>) {
        let device = self.device(dev);
        if let Some((maps, map)) = device.dma_range_maps.zip(map)
            && device.dma_range_map.cmpxchg(None, Some(map)).is_some()
        {
            maps.free(map);
        }
    }

    /// kfree(dev->dma_range_map), in device_unbind_cleanup().
    pub(crate) fn dma_range_map_free(&self, dev: DeviceId) {
        let device = self.device(dev);
        if let Some(maps) = device.dma_range_maps
            && let Some(map) = device.dma_range_map.read_once()
        {
            maps.free(map);
        }
        device.dma_range_map.write_once(None);
    }
}
