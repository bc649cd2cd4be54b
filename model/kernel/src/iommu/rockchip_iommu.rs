//! drivers/iommu/rockchip-iommu.c. Follows v7.3-rc7.

use crate::commit;
use crate::errno::ENODEV;
use crate::ids::{DeviceId, InstanceId};
use crate::kernel::Kernel;

impl Kernel {
    /// rk_iommu_probe(): before f90aa59eb299 the global `dma_dev` was set only after the instance
    /// had been registered.
    pub(crate) fn rk_iommu_probe(&self, dev: DeviceId) -> i32 {
        self.device(dev).driver_data.write_once(true);
        let dma_dev = self.globals.rk_dma_dev;
        let sensible_order = self.has(commit::F90AA59EB299);
        if sensible_order && !dma_dev.read_once() {
            dma_dev.write_once(true);
        }
        let ret = self.iommu_driver_register(dev);
        if ret != 0 {
            return ret;
        }
        if !sensible_order && !dma_dev.read_once() {
            dma_dev.write_once(true);
        }
        0
    }

    /// rk_iommu_of_xlate(): before f48dcda8f6a4 its memory belonged to `dma_dev`.
    pub(crate) fn rk_iommu_of_xlate(&self, dev: DeviceId, instance: InstanceId) -> i32 {
        if !self.has(commit::F48DCDA8F6A4) && !self.globals.rk_dma_dev.read_once() {
            self.oops(dev, "rk_iommu_of_xlate: dma_dev is NULL");
        }
        if !self.device(self.hwdev(instance)).driver_data.read_once() {
            self.oops(dev, "rk_iommu_of_xlate: the IOMMU's drvdata is NULL");
        }
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "dev_iommu_priv_set: dev->iommu is NULL")
        };
        self.dev_iommu(dev, pointer)
            .private
            .write_once(Some(instance));
        0
    }

    /// rk_iommu_probe_device(): the last specifier's instance is the one that counts.
    pub(crate) fn rk_iommu_probe_device(&self, dev: DeviceId) -> Result<InstanceId, i32> {
        self.dev_iommu_priv_get(dev).ok_or(-ENODEV)
    }
}
