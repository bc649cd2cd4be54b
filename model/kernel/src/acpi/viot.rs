//! drivers/acpi/viot.c: the Virtual I/O Translation Table. Follows v7.3-rc7; v6.12.y has the same.
//!
//! Left out: PCI ranges, since the model has no PCI. A virtio-iommu that is a PCI function is known
//! by its fwnode, and nobody ever registers it.

use super::machine::Table;
use crate::errno::{EINVAL, ENODEV};
use crate::ids::{Bus, DeviceId};
use crate::kernel::Kernel;

impl Kernel {
    /// viot_iommu_configure() with viot_mmio_dev_iommu_init() and viot_dev_iommu_init(): for
    /// platform devices, the first endpoint with the device's address.
    pub(super) fn viot_iommu_configure(&self, dev: DeviceId) -> i32 {
        self.on_device("viot_iommu_configure", dev, || {
            let endpoint = self.acpi_specs(dev, Table::Viot).next();
            let is_platform = self.description(dev).bus == Bus::Platform;
            let Some(spec) = endpoint.filter(|s| is_platform && s.available) else {
                return -ENODEV;
            };
            if spec.node == self.description(dev).node {
                // "We're not translating ourself"
                return -EINVAL;
            }
            self.acpi_iommu_fwspec_init(dev, spec)
        })
    }
}
