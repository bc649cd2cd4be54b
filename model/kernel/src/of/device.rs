//! drivers/of/device.c: DMA configuration from the device tree. Follows v7.3-rc7.
//!
//! Left out: DMA masks and limits, and restricted DMA pools.

use crate::commit;
use crate::errno::EPROBE_DEFER;
use crate::ids::DeviceId;
use crate::kernel::Kernel;
use checker::task;

impl Kernel {
    /// of_dma_configure_id()
    pub(crate) fn of_dma_configure_id(&self, dev: DeviceId) -> i32 {
        self.on_device("of_dma_configure_id", dev, || {
            let device = self.device(dev);
            let is_set = self.has(commit::BCB81AC6AE3C) && device.dma_range_map.read_once();
            let set_map = !is_set && self.description(dev).dma_ranges;
            if set_map {
                device.dma_range_map.write_once(true);
            }
            // For checkpoints further in.
            let ret = task::part("set_map", u64::from(set_map), || {
                self.of_iommu_configure(dev)
            });
            if ret == -EPROBE_DEFER {
                if set_map {
                    device.dma_range_map.write_once(false);
                }
                return ret;
            }
            self.arch_setup_dma_ops(dev, ret == 0);
            0
        })
    }
}
