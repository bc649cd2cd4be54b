//! drivers/acpi/viot.c: the Virtual I/O Translation Table. Follows v7.3-rc7; v6.12.y has the same.
//!
//! A virtio-iommu that is a PCI function is known by its fwnode, and nobody ever registers it.

use super::machine::Table;
use crate::board::IommuSpec;
use crate::errno::{EINVAL, ENODEV};
use crate::ids::{Bus, DeviceId};
use crate::kernel::Kernel;

impl Kernel {
    /// viot_iommu_configure(): with viot_mmio_dev_iommu_init() for platform devices, the first
    /// endpoint with the device's address; with pci_for_each_dma_alias() for PCI functions, the
    /// ranges of its ids, up to the first error.
    pub(super) fn viot_iommu_configure(&self, dev: DeviceId) -> i32 {
        self.on_device("viot_iommu_configure", dev, || {
            let most = match self.description(dev).bus {
                Bus::Platform => 1,
                Bus::Pci => usize::MAX,
                Bus::Amba | Bus::FslMc => 0,
            };
            let mut err = -ENODEV;
            for spec in self.acpi_specs(dev, Table::Viot).take(most) {
                err = self.viot_dev_iommu_init(dev, spec);
                if err != 0 {
                    break;
                }
            }
            err
        })
    }

    /// viot_dev_iommu_init()
    fn viot_dev_iommu_init(&self, dev: DeviceId, spec: &IommuSpec) -> i32 {
        if !spec.available {
            return -ENODEV;
        }
        if spec.node == self.description(dev).node {
            // "We're not translating ourself"
            return -EINVAL;
        }
        self.acpi_iommu_fwspec_init(dev, spec)
    }
}
