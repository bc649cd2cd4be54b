//! drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c. Follows v7.3-rc7. Left out: streams, PCI.

use crate::commit;
use crate::errno::{EBUSY, ENODEV};
use crate::ids::{DeviceId, InstanceId};
use crate::kernel::{Kernel, Warn};

impl Kernel {
    /// arm_smmu_device_probe(): drvdata is set before the instance is registered.
    pub(crate) fn arm_smmu_device_probe(&self, dev: DeviceId) -> i32 {
        self.device(dev).driver_data.write_once(true);
        self.iommu_driver_register(dev)
    }

    /// arm_smmu_of_xlate()
    pub(crate) fn arm_smmu_of_xlate(&self, dev: DeviceId) -> i32 {
        self.iommu_fwspec_add_ids(dev, 1);
        0
    }

    /// arm_smmu_get_by_fwnode(): over the platform bus since 7d835134d4e1, before that over the
    /// devices that are bound to the driver, which leaves out one that is still in its probe.
    /// arm-smmu.c has the same.
    pub(crate) fn arm_smmu_get_by_fwnode(&self, instance: InstanceId) -> bool {
        let smmu = self.hwdev(instance);
        if self.has(commit::G7D835134D4E1) {
            return self.device(smmu).driver_data.read_once();
        }
        let drv = self.board.instances[instance.index()].driver;
        self.drivers[drv.index()].klist_devices.contains(smmu)
    }

    /// arm_smmu_probe_device()
    pub(crate) fn arm_smmu_probe_device(
        &self,
        dev: DeviceId,
        instance: InstanceId,
    ) -> Result<InstanceId, i32> {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "dev_iommu_priv_get: dev->iommu is NULL")
        };
        if self.dev_iommu(dev, pointer).private.read_once().is_some() {
            self.warn(dev, Warn::PrivSet);
            return Err(-EBUSY);
        }
        if !self.arm_smmu_get_by_fwnode(instance) {
            return Err(-ENODEV);
        }
        self.dev_iommu(dev, pointer)
            .private
            .write_once(Some(instance));
        Ok(instance)
    }
}
