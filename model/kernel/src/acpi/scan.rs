//! drivers/acpi/scan.c: DMA configuration from ACPI. Follows v7.3-rc7.
//!
//! Left out: the DMA ops of a device without DMA (dma_dummy_ops), and acpi_arch_dma_setup(): DMA
//! masks, limits and `dev->dma_range_map` from `_DMA` and IORT.

use super::machine::Table;
use crate::board::IommuSpec;
use crate::commit;
use crate::errno::EPROBE_DEFER;
use crate::ids::DeviceId;
use crate::kernel::Kernel;

impl Kernel {
    /// acpi_dma_configure_id(), without an input id. All errors but -EPROBE_DEFER are ignored. For
    /// DEV_DMA_NOT_SUPPORTED no IOMMU is looked for.
    pub(crate) fn acpi_dma_configure_id(&self, dev: DeviceId) -> i32 {
        self.on_device("acpi_dma_configure_id", dev, || {
            if self.description(dev).no_dma {
                return 0;
            }
            let err = self.acpi_iommu_configure_id(dev);
            if err == -EPROBE_DEFER {
                return err;
            }
            self.arch_setup_dma_ops(dev, err == 0);
            0
        })
    }

    /// acpi_iommu_configure_id(): IORT, then RIMT (since cbf4fbc484e1), then VIOT. What an error
    /// leaves behind, a fwspec with some of the ids, stays (seen in v6.12.y and v7.2). The replay
    /// of iommu_probe_device() went with bcb81ac6ae3c.
    fn acpi_iommu_configure_id(&self, dev: DeviceId) -> i32 {
        self.on_device("acpi_iommu_configure_id", dev, || {
            let lock = self.globals.iommu_probe_device_lock;
            lock.lock();
            if self.dev_iommu_fwspec_get(dev).is_some() {
                lock.unlock();
                return 0;
            }
            // Asked by proposed patches alone, as of_iommu_configure() does.
            let asks = self.has(commit::ACPI_REPLAY) || self.has(commit::ACPI_CLEAN_UP);
            let present = asks && self.device(dev).iommu.read_once().is_some();
            let is_final = |err: i32| err == 0 || err == -EPROBE_DEFER;
            let mut err = self.iort_iommu_configure_id(dev);
            if !is_final(err) && self.has(commit::CBF4FBC484E1) {
                err = self.rimt_iommu_configure_id(dev);
            }
            if !is_final(err) {
                err = self.viot_iommu_configure(dev);
            }
            if err != 0 && self.has(commit::ACPI_CLEAN_UP) {
                self.of_iommu_undo(dev, present);
            }
            lock.unlock();
            let replays =
                !self.has(commit::BCB81AC6AE3C) || (!present && self.has(commit::ACPI_REPLAY));
            if err == 0 && replays {
                return self.iommu_probe_device(dev);
            }
            err
        })
    }

    /// acpi_iommu_fwspec_init(): the id comes from the table, the IOMMU's driver is not asked.
    pub(super) fn acpi_iommu_fwspec_init(&self, dev: DeviceId, spec: &IommuSpec) -> i32 {
        self.on_device("acpi_iommu_fwspec_init", dev, || {
            let ret = self.iommu_fwspec_init(dev, spec);
            if ret == 0 {
                self.iommu_fwspec_add_ids(dev, 1);
            }
            ret
        })
    }

    /// What a table says about a device, in the table's order.
    pub(super) fn acpi_specs(
        &self,
        dev: DeviceId,
        table: Table,
    ) -> impl Iterator<Item = &IommuSpec> {
        let of_table = move |s: &&IommuSpec| s.table == Some(table);
        self.description(dev).iommus.iter().filter(of_table)
    }
}
