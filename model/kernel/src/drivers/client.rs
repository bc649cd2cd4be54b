//! Client drivers: what a driver of a DMA master does in its probe, as far as the IOMMU core
//! can tell.

use crate::ids::{DeviceId, DriverId};
use crate::kernel::Kernel;
use checker::task;

impl Kernel {
    /// A client driver's probe: what the configuration says for this device, on 32-bit ARM after
    /// it has used the DMA API. Whether the DMA
    /// API would go through the IOMMU at this moment is noted by the monitor.
    pub(crate) fn client_probe(&self, dev: DeviceId, drv: DriverId) -> i32 {
        let ret = self.configure_another(dev);
        if ret != 0 {
            return ret;
        }
        self.use_dma(dev, drv);
        let ret = if self.board.drivers[drv.index()].is_vfio {
            self.vfio_device_set_group(dev)
        } else {
            self.device(dev).probe_result
        };
        if ret == 0 {
            let uses_iommu = self.use_dma_iommu(dev);
            self.device(dev).probed_with.set(Some(uses_iommu));
            if !self.device(dev).notified.monitor() {
                self.device(dev).probed_unnotified.set(true);
            }
            self.monitor_group(dev);
            if self.is_pci_host(dev) {
                self.pci_host_probe(dev);
            } else {
                self.of_platform_populate(dev);
            }
        }
        ret
    }

    /// of_dma_configure() for a device that is not the driver's own, as that of an Adreno GPU calls
    /// it for the GMU (a6xx_gmu_init()): no bus around it, no device_lock() of that device, and
    /// nobody asks iommu_device_use_default_domain().
    fn configure_another(&self, dev: DeviceId) -> i32 {
        let Some(other) = self.config.configures.get(&self.device(dev).name) else {
            return 0;
        };
        let other = self.board.device_by_name(other);
        other.map_or(0, |other| self.of_dma_configure_id(other))
    }

    /// of_platform_populate(), at the end of a probe: the devices of the nodes below, unless they
    /// are there from a probe before. Left out: of_platform_depopulate().
    pub(crate) fn of_platform_populate(&self, dev: DeviceId) {
        for (n, child) in self.description(dev).populates.iter().enumerate() {
            if !self.globals.klist_devices.contains(*child) {
                // How far the loop is, for checkpoints further in.
                task::part("child", n as u64, || self.device_add(*child));
            }
        }
    }
}
