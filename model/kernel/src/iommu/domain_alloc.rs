//! drivers/iommu/iommu.c, the part that finds the ops for a domain that a driver allocates.
//! Follows v6.12; what became of it stands behind its `has`.
//!
//! Left out: the domain itself, what comes of the ops that are found, and the WARN if the devices of
//! a bus have different ops.

use crate::commit;
use crate::ids::DeviceId;
use crate::kernel::Kernel;

impl Kernel {
    /// iommu_domain_alloc() for the bus of a device or, since f6440fcc9c7b has removed it,
    /// iommu_paging_domain_alloc() for the device itself.
    pub(crate) fn iommu_domain_alloc(&self, dev: DeviceId) {
        self.on_device("iommu_domain_alloc", dev, || {
            if !self.has(commit::G17DE3F5FDD35) {
                self.globals.bus_iommu_ops.read_once();
                return;
            }
            if self.has(commit::F6440FCC9C7B) {
                self.dev_iommu_ops(dev);
                return;
            }
            // __iommu_domain_alloc_dev() goes through all devices, and nobody keeps them.
            self.bus_for_each_dev(self.description(dev).bus, |other| {
                self.dev_iommu_ops(other);
                0
            });
        });
    }

    /// dev_has_iommu() and, if so, dev_iommu_ops(): each reads `dev->iommu`.
    fn dev_iommu_ops(&self, dev: DeviceId) {
        let iommu = self.device(dev).iommu;
        let Some(pointer) = iommu.read_once() else {
            return;
        };
        if self.dev_iommu(dev, pointer).iommu_dev.read_once().is_none() {
            return;
        }
        let Some(pointer) = iommu.read_once() else {
            self.oops(dev, "dev_iommu_ops: dev->iommu is NULL")
        };
        if self.dev_iommu(dev, pointer).iommu_dev.read_once().is_none() {
            self.oops(dev, "dev_iommu_ops: dev->iommu->iommu_dev is NULL");
        }
    }
}
