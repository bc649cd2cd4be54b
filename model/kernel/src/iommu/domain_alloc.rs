//! drivers/iommu/iommu.c, the part that finds the ops for a domain that a driver allocates.
//! Follows v6.12; what became of it stands behind its `has`.
//!
//! Left out: the domain itself, and the WARN if the devices of a bus have different ops.

use crate::commit;
use crate::errno::ENODEV;
use crate::ids::DeviceId;
use crate::kernel::Kernel;

impl Kernel {
    /// iommu_domain_alloc() for the bus of a device or, since f6440fcc9c7b has removed it,
    /// iommu_paging_domain_alloc() for the device itself.
    pub(crate) fn iommu_domain_alloc(&self, dev: DeviceId) -> i32 {
        self.on_device("iommu_domain_alloc", dev, || {
            if !self.has(commit::G17DE3F5FDD35) {
                let found = self.globals.bus_iommu_ops.read_once();
                return if found { 0 } else { -ENODEV };
            }
            if self.has(commit::F6440FCC9C7B) {
                return if self.dev_iommu_ops(dev) { 0 } else { -ENODEV };
            }
            // __iommu_domain_alloc_dev() goes through all devices, and nobody keeps them.
            let mut found = false;
            self.bus_for_each_dev(self.description(dev).bus, |other| {
                found |= self.dev_iommu_ops(other);
                0
            });
            if found { 0 } else { -ENODEV }
        })
    }

    /// dev_has_iommu() and, if so, dev_iommu_ops(): each reads `dev->iommu`.
    fn dev_iommu_ops(&self, dev: DeviceId) -> bool {
        let iommu = self.device(dev).iommu;
        let Some(pointer) = iommu.read_once() else {
            return false;
        };
        if self.dev_iommu(dev, pointer).iommu_dev.read_once().is_none() {
            return false;
        }
        let Some(pointer) = iommu.read_once() else {
            self.oops(dev, "dev_iommu_ops: dev->iommu is NULL")
        };
        if self.dev_iommu(dev, pointer).iommu_dev.read_once().is_none() {
            self.oops(dev, "dev_iommu_ops: dev->iommu->iommu_dev is NULL");
        }
        true
    }
}
