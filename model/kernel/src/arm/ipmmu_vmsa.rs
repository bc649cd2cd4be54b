//! drivers/iommu/ipmmu-vmsa.c, the part for 32-bit ARM without CONFIG_IOMMU_DMA: one mapping for
//! all clients of an instance, which the driver makes and attaches by itself. Follows v7.3-rc7.
//!
//! mtk_iommu_v1.c does the same ([`super::mtk_iommu_v1`]). Both attached in add_device of old
//! kernels, which the walk and the bus notifier called, or of_iommu_configure() in the bind: also
//! once for each device, and also before arch_setup_dma_ops() of that bind.
//!
//! Left out: page tables, and -ENOMEM.

use super::archdata::MappingOwner;
use crate::drivers::catalogue::Kind;
use crate::ids::{DeviceId, InstanceId};
use crate::kernel::Kernel;

impl Kernel {
    /// ipmmu_probe_finalize()
    pub(crate) fn ipmmu_probe_finalize(&self, dev: DeviceId) {
        if self.is_arm32() {
            self.monitor_finalize(dev);
            self.ipmmu_init_arm_mapping(dev);
        }
    }

    /// ipmmu_init_arm_mapping(). Its error path drops the reference that `mmu->mapping` stands for.
    fn ipmmu_init_arm_mapping(&self, dev: DeviceId) {
        self.on_device("ipmmu_init_arm_mapping", dev, || {
            let Some(instance) = self.dev_iommu_priv_get(dev) else {
                self.oops(dev, "ipmmu_init_arm_mapping: to_ipmmu(dev) is NULL")
            };
            let mmu = self.mmu_mapping(instance);
            let mapping = mmu.mapping.read_once().unwrap_or_else(|| {
                let new = self.arm_iommu_create_mapping(MappingOwner::Instance(instance));
                mmu.mapping.write_once(Some(new));
                new
            });
            if self.arm_iommu_attach_device(dev, mapping) < 0 {
                self.arm_iommu_release_mapping(dev, mmu.mapping.read_once());
            }
        });
    }

    /// ipmmu_release_device(): drops the reference of the device's attachment, without detaching.
    pub(crate) fn ipmmu_release_device(&self, dev: DeviceId) {
        if !self.is_arm32() {
            return;
        }
        if let Some(instance) = self.dev_iommu_priv_get(dev) {
            let mapping = self.mmu_mapping(instance).mapping.read_once();
            self.arm_iommu_release_mapping(dev, mapping);
        }
    }

    /// The end of ipmmu_remove(), after iommu_device_unregister().
    pub(crate) fn ipmmu_remove(&self, instance: InstanceId) {
        let is_ipmmu = self.board.instances[instance.index()].kind == Kind::IpmmuVmsa;
        if self.is_arm32() && is_ipmmu {
            let mapping = self.mmu_mapping(instance).mapping;
            self.arm_iommu_release_mapping(self.hwdev(instance), mapping.read_once());
        }
    }

    /// devm_kzalloc() of ipmmu_probe(): a new `struct ipmmu_vmsa_device`, without mapping.
    pub(crate) fn ipmmu_alloc(&self, instance: InstanceId) {
        if self.is_arm32() {
            self.mmu_mapping(instance).mapping.write_once(None);
        }
    }
}
