//! drivers/vfio/group.c, drivers/vfio/container.c and the capable() of IOMMU drivers, as far as a vfio
//! driver's probe asks (whether the device has a group, and an IOMMU that keeps its DMA coherent), and
//! as user space claims the group then. Follows v6.2; the claim is the same in v7.2.
//!
//! Left out: all else that vfio does, iommufd, groups without an IOMMU, that unbinding a vfio driver
//! waits until user space has closed the device, and the ID registers of the SMMUs: that an SMMU's
//! table walk is coherent, `dma-coherent` of its node alone says. The capability does not ask which
//! stage translates, in the kernel as here: [`Board::snoops`](crate::board::Board::snoops) does.

use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::{EINVAL, EPROBE_DEFER};
use crate::ids::{DeviceId, InstanceId};
use crate::iommu::generic::GenericIommu;
use crate::kernel::Kernel;

impl Kernel {
    /// vfio_device_set_group(), with vfio_group_find_or_alloc(). A monitor notes that it refused.
    pub(crate) fn vfio_device_set_group(&self, dev: DeviceId) -> i32 {
        self.on_device("vfio_device_set_group", dev, || {
            let is_grouped = self.device(dev).iommu_group.read_once().is_some();
            let defers = self.has(commit::VFIO_WAITS_FOR_GROUP);
            if is_grouped && self.device_iommu_capable(dev) {
                0
            } else if defers && !is_grouped && self.device(dev).iommu.read_once().is_some() {
                -EPROBE_DEFER
            } else {
                self.device(dev).vfio_refused.set(true);
                -EINVAL
            }
        })
    }

    /// device_iommu_capable(), for IOMMU_CAP_CACHE_COHERENCY.
    pub(crate) fn device_iommu_capable(&self, dev: DeviceId) -> bool {
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
                    || self.has(commit::AC9C5E92DD15) && self.description(dev).dma_coherent
                    || self.has(commit::COHERENT_UNLESS_NOT) && self.is_not_non_coherent(dev)
            }
            Kind::ArmSmmuV3 => walk_is_coherent,
            Kind::IpmmuVmsa => true,
            _ => false,
        }
    }

    /// device_get_dma_attr(dev) != DEV_DMA_NON_COHERENT
    fn is_not_non_coherent(&self, dev: DeviceId) -> bool {
        let description = self.description(dev);
        description.dma_coherent || description.no_dma
    }

    /// vfio_container_attach_group(): user space opens the group of a device and puts it into a
    /// container, which claims the group and attaches a domain of its own. There is a group to open
    /// once the device is bound to a vfio driver.
    pub(crate) fn vfio_container_attach_group(&self, dev: DeviceId) {
        self.on_device("vfio_container_attach_group", dev, || {
            let device = self.device(dev);
            let drv = device.driver.read_once();
            let is_vfio = drv.is_some_and(|d| self.board.drivers[d.index()].is_vfio);
            if !is_vfio || !device.bound.read_once() {
                return;
            }
            let Some(group) = device.iommu_group.read_once() else {
                return;
            };
            if self.iommu_group_claim_dma_owner(dev, group) == 0 {
                self.iommu_attach_group(dev, group);
            }
        });
    }

    /// vfio_group_detach_container(): user space closes it.
    pub(crate) fn vfio_group_detach_container(&self, dev: DeviceId) {
        self.on_device("vfio_group_detach_container", dev, || {
            if let Some(group) = self.device(dev).iommu_group.read_once() {
                self.iommu_group_release_dma_owner(dev, group);
            }
        });
    }
}
