//! drivers/acpi/arm64/iort.c: the I/O Remapping Table. Follows v7.3-rc7; v6.12.y has the same.
//!
//! Left out: IOMMU_FWSPEC_PCI_RC_ATS; iort_named_component_init(); reserved regions; two ranges that
//! share an id, which iort_id_map() has a workaround for. Mappings lead to their SMMU without a node
//! between them, and were resolved when the board was read: iort_node_map_platform_id() for a named
//! component, iort_node_map_id() for the ids of a PCI function below a root complex.

use super::machine::Table;
use crate::board::IommuSpec;
use crate::errno::ENODEV;
use crate::ids::DeviceId;
use crate::kernel::Kernel;

impl Kernel {
    /// iort_iommu_configure_id(), up to the first error: with iort_nc_iommu_map() the mappings of the
    /// device's named component; with pci_for_each_dma_alias() those of a PCI function's id and of
    /// its aliases.
    pub(super) fn iort_iommu_configure_id(&self, dev: DeviceId) -> i32 {
        self.on_device("iort_iommu_configure_id", dev, || {
            let mut err = -ENODEV;
            for spec in self.acpi_specs(dev, Table::Iort) {
                err = self.iort_iommu_xlate(dev, spec);
                if err != 0 {
                    break;
                }
            }
            err
        })
    }

    /// iort_iommu_xlate(). A kernel that was built without the SMMU's driver
    /// (iort_iommu_driver_enabled()) gives up; one whose driver has not come yet defers.
    fn iort_iommu_xlate(&self, dev: DeviceId, spec: &IommuSpec) -> i32 {
        if !spec.available {
            return -ENODEV;
        }
        self.acpi_iommu_fwspec_init(dev, spec)
    }
}
