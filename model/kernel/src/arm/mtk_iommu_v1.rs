//! drivers/iommu/mtk_iommu_v1.c, for 32-bit ARM alone: it has no of_xlate(). Its probe_device()
//! reads
//! `iommus` by itself, makes a fwspec of it and a mapping for all clients of the instance, which
//! probe_finalize() attaches. Follows v7.2 and v6.12, which agree here.
//!
//! Since 17de3f5fdd35 nobody calls that probe_device(): of_iommu_xlate() gives -ENODEV for ops
//! without of_xlate(), and for a device without fwspec there are no ops. Before, those of its bus
//! were asked.
//!
//! Left out: that arm_iommu_create_mapping() fails in probe_device() since it looks for the
//! device's own ops (v6.11), larbs of several kinds, -ENOMEM.

use super::archdata::MappingOwner;
use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::ENODEV;
use crate::ids::{DeviceId, InstanceId};
use crate::iommu::generic::GenericIommu;
use crate::kernel::Kernel;

impl Kernel {
    /// `bus->iommu_ops`, asked for a device without fwspec: of the model's drivers only this one has
    /// an answer then.
    pub(crate) fn bus_ops_without_fwspec(&self) -> Option<InstanceId> {
        let kind = |i: InstanceId| self.board.instances[i.index()].kind;
        let is_v1 = |i: &InstanceId| kind(*i) == Kind::Generic(GenericIommu::MtkIommuV1);
        let instance = self.board.instance_ids().find(is_v1)?;
        if self.has(commit::G17DE3F5FDD35) {
            return None;
        }
        self.iommu_from_fwnode(instance).then_some(instance)
    }

    /// mtk_iommu_v1_probe_device(), with mtk_iommu_v1_create_mapping() for each specifier.
    pub(crate) fn mtk_iommu_v1_probe_device(&self, dev: DeviceId) -> Result<InstanceId, i32> {
        for spec in &self.description(dev).iommus {
            let ret = self.iommu_fwspec_init(dev, spec);
            if ret != 0 {
                return Err(ret);
            }
            let Some(pointer) = self.device(dev).iommu.read_once() else {
                self.oops(dev, "dev_iommu_priv_get: dev->iommu is NULL")
            };
            let private = self.dev_iommu(dev, pointer).private;
            if private.read_once().is_none() {
                private.write_once(spec.instance);
            }
            self.iommu_fwspec_add_ids(dev, 1);
        }
        let instance = self.dev_iommu_priv_get(dev).ok_or(-ENODEV)?;
        if self.is_arm32() {
            let mapping = self.mmu_mapping(instance).mapping;
            if mapping.read_once().is_none() {
                let new = self.arm_iommu_create_mapping(MappingOwner::Instance(instance));
                mapping.write_once(Some(new));
            }
        }
        self.monitor_probed(dev);
        Ok(instance)
    }

    /// mtk_iommu_v1_probe_finalize(): that attaching failed is said in the log and no more.
    pub(crate) fn mtk_iommu_v1_probe_finalize(&self, dev: DeviceId, instance: InstanceId) {
        if !self.is_arm32() {
            return;
        }
        self.monitor_finalize(dev);
        if let Some(mapping) = self.mmu_mapping(instance).mapping.read_once() {
            self.arm_iommu_attach_device(dev, mapping);
        }
    }
}
