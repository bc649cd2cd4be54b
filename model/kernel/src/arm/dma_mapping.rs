//! arch/arm/mm/dma-mapping.c: which DMA ops a device has, and the mappings of IOMMU ops. Follows
//! v7.3-rc7; what a commit changed since v4.12-rc1 stands behind its `has`.
//!
//! Left out: allocation of addresses in a mapping, failures of allocations, LPAE (where NULL meant
//! no IOMMU before ae626eb97376 too), dmabounce. Until v6.10 arch_setup_dma_ops() was told the
//! IOMMU's ops by of_iommu_configure(); here it looks whether there is a group, as since then. In
//! the model the one is there where the other is. To a group that has a mapping no other can be
//! attached, as in v6.12; in v4.12, from memory, only if the group has a default domain.

use super::archdata::{DmaOps, Mapping, MappingOwner};
use crate::commit;
use crate::config::Arch;
use crate::errno::{EBUSY, EINVAL, ENODEV};
use crate::ids::{DeviceId, Domain, GroupId};
use crate::kernel::{DeviceFlag, Kernel};

impl Kernel {
    /// Whether this is a kernel for 32-bit ARM, with CONFIG_ARM_DMA_USE_IOMMU.
    pub(crate) fn is_arm32(&self) -> bool {
        self.config.arch == Arch::Arm
    }

    /// A bus notifier of the machine, as mach-highbank and mach-mvebu had them: it sets the DMA
    /// ops when a device is added. Since they are gone it sets dma_coherent alone.
    pub(crate) fn machine_bus_notifier(&self, dev: DeviceId) {
        if self.is_arm32() && self.config.machine_notifier && !self.has(commit::AE626EB97376) {
            self.set_dma_ops(dev, Some(DmaOps::Machine));
        }
    }

    fn set_dma_ops(&self, dev: DeviceId, ops: Option<DmaOps>) {
        self.archdata(dev).dma_ops.write_once(ops);
    }

    /// arch_setup_dma_ops() of 32-bit ARM.
    pub(crate) fn arm_arch_setup_dma_ops(&self, dev: DeviceId) {
        self.on_device("arch_setup_dma_ops", dev, || {
            if self.description(dev).dma_coherent {
                self.set_flag(dev, DeviceFlag::DmaCoherent, true);
            }
            let archdata = self.archdata(dev);
            if self.has(commit::G26B37B946A5C) && archdata.dma_ops.read_once().is_some() {
                self.monitor_setup(dev, false);
                return;
            }
            let ops = self.arm_dma_ops_to_set(dev);
            if ops.is_some() {
                self.set_dma_ops(dev, ops);
            }
            if self.has(commit::A93A121A9653) {
                let remembers = ops.is_some() || !self.has(commit::ARM_SETUP_IF_SET);
                archdata.dma_ops_setup.write_once(remembers);
            }
            self.monitor_setup(dev, ops.is_some());
        });
    }

    /// The ops that arch_setup_dma_ops() comes to. `None`: it leaves them alone.
    fn arm_dma_ops_to_set(&self, dev: DeviceId) -> Option<DmaOps> {
        let has_iommu = self.device(dev).iommu_group.read_once().is_some();
        let is_mapped = has_iommu && self.arm_setup_iommu_dma_ops(dev);
        // xen_setup_dma_ops() comes last.
        if self.config.xen {
            return Some(DmaOps::Xen);
        }
        if is_mapped {
            return Some(DmaOps::Iommu);
        }
        self.arm_get_dma_map_ops()
    }

    /// arm_get_dma_map_ops(): the ops of a device without IOMMU.
    fn arm_get_dma_map_ops(&self) -> Option<DmaOps> {
        (!self.has(commit::AE626EB97376)).then_some(DmaOps::Arm)
    }

    /// arch_teardown_dma_ops() of 32-bit ARM.
    pub(crate) fn arm_arch_teardown_dma_ops(&self, dev: DeviceId) {
        self.on_device("arch_teardown_dma_ops", dev, || {
            let before = self.shape(dev);
            let archdata = self.archdata(dev);
            if !self.has(commit::A93A121A9653) || archdata.dma_ops_setup.read_once() {
                self.arm_teardown_iommu_dma_ops(dev);
                if self.has(commit::FC67E6F120A3) {
                    self.set_dma_ops(dev, None);
                }
                if self.has(commit::ARM_SETUP_IF_SET) {
                    archdata.dma_ops_setup.write_once(false);
                }
            }
            self.monitor_teardown(dev, before);
        });
    }

    /// arm_setup_iommu_dma_ops(): whether the device has a mapping of its own now.
    fn arm_setup_iommu_dma_ops(&self, dev: DeviceId) -> bool {
        self.on_device("arm_setup_iommu_dma_ops", dev, || {
            let mapping = self.arm_iommu_create_mapping(MappingOwner::Device(dev));
            let attached = self.__arm_iommu_attach_device(dev, mapping) == 0;
            if !attached {
                self.arm_iommu_release_mapping(dev, Some(mapping));
            }
            attached
        })
    }

    /// arm_teardown_iommu_dma_ops(): it does not ask whose mapping it is.
    fn arm_teardown_iommu_dma_ops(&self, dev: DeviceId) {
        self.on_device("arm_teardown_iommu_dma_ops", dev, || {
            let Some(mapping) = self.archdata(dev).mapping.read_once() else {
                return;
            };
            if self.has(commit::A93A121A9653) {
                self.arm_iommu_detach_device(dev);
                self.arm_iommu_release_mapping(dev, Some(mapping));
                return;
            }
            self.__arm_iommu_detach_device(dev);
            self.arm_iommu_release_mapping(dev, Some(mapping));
            if self.has(commit::ARM_8674_1) {
                self.set_dma_ops(dev, None);
            }
        });
    }

    /// arm_iommu_create_mapping()
    pub(crate) fn arm_iommu_create_mapping(&self, owner: MappingOwner) -> Mapping {
        self.mapping_alloc(owner)
    }

    /// arm_iommu_release_mapping(), called for a device.
    pub(crate) fn arm_iommu_release_mapping(&self, dev: DeviceId, mapping: Option<Mapping>) {
        if let Some(mapping) = mapping {
            self.mapping_put(dev, mapping);
        }
    }

    /// arm_iommu_attach_device()
    pub(crate) fn arm_iommu_attach_device(&self, dev: DeviceId, mapping: Mapping) -> i32 {
        self.on_device("arm_iommu_attach_device", dev, || {
            let err = self.__arm_iommu_attach_device(dev, mapping);
            if err == 0 {
                self.set_dma_ops(dev, Some(DmaOps::Iommu));
            }
            err
        })
    }

    /// `__arm_iommu_attach_device()`
    fn __arm_iommu_attach_device(&self, dev: DeviceId, mapping: Mapping) -> i32 {
        self.mapping_check(dev, mapping);
        let err = self.iommu_attach_device(dev);
        if err == 0 {
            self.mapping_get(dev, mapping);
            self.archdata(dev).mapping.write_once(Some(mapping));
        }
        err
    }

    /// arm_iommu_detach_device()
    fn arm_iommu_detach_device(&self, dev: DeviceId) {
        self.on_device("arm_iommu_detach_device", dev, || {
            self.__arm_iommu_detach_device(dev);
            // "Non-IOMMU ops" is not NULL between 1874619a7df4 and ae626eb97376.
            let ops = self.arm_get_dma_map_ops();
            self.set_dma_ops(dev, ops.filter(|_| self.has(commit::G1874619A7DF4)));
        });
    }

    /// `__arm_iommu_detach_device()`
    fn __arm_iommu_detach_device(&self, dev: DeviceId) {
        let archdata = self.archdata(dev);
        if let Some(mapping) = archdata.mapping.read_once() {
            self.iommu_detach_device(dev);
            self.mapping_put(dev, mapping);
            archdata.mapping.write_once(None);
        }
    }

    /// iommu_attach_device() of drivers/iommu/iommu.c, for a mapping's domain.
    fn iommu_attach_device(&self, dev: DeviceId) -> i32 {
        let Some(id) = self.device(dev).iommu_group.read_once() else {
            return -ENODEV;
        };
        let group = self.group(id);
        group.mutex.lock();
        let domain = group.domain.read_once();
        let ret = if !self.is_singleton(id) {
            -EINVAL
        } else if domain.is_some() && domain != group.default_domain.read_once() {
            -EBUSY
        } else {
            group.domain.write_once(Some(Domain::Unmanaged));
            0
        };
        group.mutex.unlock();
        ret
    }

    /// list_count_nodes(&group->devices) == 1, with the group's mutex held.
    fn is_singleton(&self, id: GroupId) -> bool {
        let devices = self.group(id).devices;
        devices
            .next(0)
            .is_some_and(|(_, next)| devices.next(next).is_none())
    }

    /// iommu_detach_device() of drivers/iommu/iommu.c: back to the default domain.
    fn iommu_detach_device(&self, dev: DeviceId) {
        let Some(id) = self.device(dev).iommu_group.read_once() else {
            return;
        };
        let group = self.group(id);
        group.mutex.lock();
        group.domain.write_once(group.default_domain.read_once());
        group.mutex.unlock();
    }
}
