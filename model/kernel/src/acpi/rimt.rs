//! drivers/acpi/riscv/rimt.c: the RISC-V I/O Mapping Table. Follows v7.3-rc7; cbf4fbc484e1 and its
//! neighbours in v6.18-rc1 brought it.
//!
//! Before that commit a RISC-V IOMMU of ACPI has no driver in the kernel; here its driver binds and
//! registers it, and no client finds it.
//!
//! Left out: IOMMU_FWSPEC_PCI_RC_ATS, and IOMMUs that are PCI functions. Id mappings lead to their
//! IOMMU without a node between them. rimt_fwnode_lock is not there: an entry
//! of rimt_fwnode_list is one cell.

use super::machine::Table;
use crate::board::IommuSpec;
use crate::errno::ENODEV;
use crate::ids::{DeviceId, InstanceId};
use crate::kernel::Kernel;

impl Kernel {
    /// rimt_iommu_register(): the driver tells the fwnode of its device before it registers the
    /// instance. It stays known when the driver goes.
    pub(crate) fn rimt_iommu_register(&self, instance: InstanceId) {
        self.instance(instance).rimt_fwnode.write_once(true);
    }

    /// rimt_iommu_configure_id(), up to the first error: with rimt_plat_iommu_map() the mappings of a
    /// platform device, with pci_for_each_dma_alias() those of a PCI function's ids.
    pub(super) fn rimt_iommu_configure_id(&self, dev: DeviceId) -> i32 {
        self.on_device("rimt_iommu_configure_id", dev, || {
            let mut err = -ENODEV;
            for spec in self.acpi_specs(dev, Table::Rimt) {
                err = self.rimt_iommu_xlate(dev, spec);
                if err != 0 {
                    break;
                }
            }
            err
        })
    }

    /// rimt_iommu_xlate(). The device link keeps the client from probing before the IOMMU is bound
    /// and unbinds it first.
    fn rimt_iommu_xlate(&self, dev: DeviceId, spec: &IommuSpec) -> i32 {
        let known = |i: &InstanceId| self.instance(*i).rimt_fwnode.read_once();
        let Some(instance) = spec.instance.filter(known) else {
            return self.driver_deferred_probe_check_state();
        };
        self.device_link_add_autoremove(dev, self.hwdev(instance));
        self.acpi_iommu_fwspec_init(dev, spec)
    }
}
