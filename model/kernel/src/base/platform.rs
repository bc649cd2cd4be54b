//! drivers/base/platform.c: DMA configuration of the platform bus; drivers/amba/bus.c has the
//! same but for one read, and drivers/pci/pci-driver.c and drivers/bus/fsl-mc/fsl-mc-bus.c have the
//! same. Follows v7.3-rc7.

use crate::board::Fwnode;
use crate::commit;
use crate::ids::{Bus, DeviceId, DriverId};
use crate::kernel::Kernel;
use checker::task;
use checker::word::Word;

impl Kernel {
    /// platform_dma_configure(), and those of the other buses, which differ in names, and that of
    /// amba in that it reads dev->driver twice: what 95deee37a123 mended for the platform bus was
    /// posted for amba too ("amba: Fix driver_managed_dma check", April 2025) and is not in v7.2.
    pub(crate) fn platform_dma_configure(&self, dev: DeviceId) -> i32 {
        let function = self.dma_configure_name(dev);
        self.on_device(function, dev, || {
            let drv = self.device(dev).driver.read_once();
            // What was read here, for checkpoints further in.
            let ret = task::part("drv", drv.to_word(), || {
                match self.description(dev).fwnode {
                    Fwnode::OfNode => self.of_dma_configure_id(dev),
                    Fwnode::AcpiDevice => self.acpi_dma_configure_id(dev),
                    Fwnode::Static => 0,
                }
            });
            if self.description(dev).pci.is_some() && self.has(commit::C41E2FB67E26) {
                self.pci_enable_acs(dev);
            }
            if ret != 0 || self.skips_default_domain(dev, drv) {
                return ret;
            }
            let ret = self.iommu_device_use_default_domain(dev);
            if ret != 0 {
                self.arch_teardown_dma_ops(dev);
            }
            ret
        })
    }

    fn dma_configure_name(&self, dev: DeviceId) -> &'static str {
        match self.description(dev).bus {
            Bus::Platform | Bus::Amba => "platform_dma_configure",
            Bus::Pci => "pci_dma_configure",
            Bus::FslMc => "fsl_mc_dma_configure",
        }
    }

    /// Whether the caller is not a driver that uses the DMA API: the walk, or a driver that
    /// manages DMA by itself.
    fn skips_default_domain(&self, dev: DeviceId, drv: Option<DriverId>) -> bool {
        let reads_once = match self.description(dev).bus {
            Bus::Platform => commit::G95DEEE37A123,
            Bus::Amba => commit::AMBA_DRIVER_READ_ONCE,
            Bus::Pci => commit::G78447D4545B2,
            Bus::FslMc => commit::G152F33EE30EE,
        };
        if self.has(reads_once) {
            return drv.is_none_or(|d| self.driver_managed_dma(d));
        }
        if self.has(commit::BCB81AC6AE3C) && self.device(dev).driver.read_once().is_none() {
            return true;
        }
        let Some(drv) = drv else {
            // dev->driver was NULL when the driver was computed from it, and is set now: what is
            // read is memory in front of address 0.
            self.device(dev).null_driver.set(true);
            let text = match self.description(dev).bus {
                Bus::Platform | Bus::Amba => {
                    "platform_dma_configure: driver_managed_dma read through a NULL driver"
                }
                Bus::Pci => "pci_dma_configure: driver_managed_dma read through a NULL driver",
                Bus::FslMc => "fsl_mc_dma_configure: driver_managed_dma read through a NULL driver",
            };
            self.oops(dev, text)
        };
        self.driver_managed_dma(drv)
    }

    fn driver_managed_dma(&self, drv: DriverId) -> bool {
        self.board.drivers[drv.index()].managed_dma
    }

    /// platform_dma_cleanup()
    pub(crate) fn platform_dma_cleanup(&self, dev: DeviceId, drv: DriverId) {
        if !self.driver_managed_dma(drv) {
            self.iommu_device_unuse_default_domain(dev);
        }
    }
}
