//! drivers/vfio/group.c and the capable() of IOMMU drivers, as far as a vfio driver's probe asks:
//! whether the device has a group, and an IOMMU that keeps its DMA coherent. Follows v6.2.
//!
//! Left out: all else that vfio does, groups without an IOMMU, and the ID registers of the SMMUs: that
//! an SMMU's table walk is coherent, `dma-coherent` of its node alone says.

use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::EINVAL;
use crate::ids::{DeviceId, InstanceId};
use crate::iommu::generic::GenericIommu;
use crate::kernel::Kernel;

impl Kernel {
    /// vfio_device_set_group(), with vfio_group_find_or_alloc().
    pub(crate) fn vfio_device_set_group(&self, dev: DeviceId) -> i32 {
        self.on_device("vfio_device_set_group", dev, || {
            let is_grouped = self.device(dev).iommu_group.read_once().is_some();
            if is_grouped && self.device_iommu_capable(dev) {
                0
            } else {
                -EINVAL
            }
        })
    }

    /// device_iommu_capable(), for IOMMU_CAP_CACHE_COHERENCY.
    fn device_iommu_capable(&self, dev: DeviceId) -> bool {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            return false;
        };
        let instance = self.dev_iommu(dev, pointer).iommu_dev.read_once();
        instance.is_some_and(|i| self.ops_capable(dev, i))
    }

    /// ops->capable(): false where a driver has none.
    fn ops_capable(&self, dev: DeviceId, instance: InstanceId) -> bool {
        let walk_is_coherent = self.description(self.hwdev(instance)).dma_coherent;
        match self.board.instances[instance.index()].kind {
            Kind::Generic(GenericIommu::ArmSmmu) => {
                !self.has(commit::DF198B37E72C)
                    || walk_is_coherent
                    // device_get_dma_attr()
                    || self.has(commit::AC9C5E92DD15) && self.description(dev).dma_coherent
            }
            Kind::ArmSmmuV3 => walk_is_coherent,
            Kind::IpmmuVmsa => true,
            _ => false,
        }
    }
}
