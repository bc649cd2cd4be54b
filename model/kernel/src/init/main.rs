//! init/main.c: the initcalls in order of level and link order, and what follows them.
//! Follows v7.3-rc7.
//!
//! of_platform_default_populate_init() is the only arch_initcall_sync here, and
//! deferred_probe_initcall() the first late_initcall: drivers/base is linked before the drivers
//! that register that late. acpi_init() comes first among the subsys_initcalls, although
//! drivers/pinctrl and drivers/gpio are linked before it. Modules that the catalogue knows are loaded in link order; user space
//! loads them in the order in which it meets their devices.

use crate::board::Firmware;
use crate::drivers::catalogue::Initcall;
use crate::ids::DriverId;
use crate::kernel::Kernel;
use checker::task;

impl Kernel {
    /// kernel_init(): the initcalls, then all that is asynchronous, then user space loads modules.
    pub(crate) fn kernel_init(&self) {
        for level in Initcall::ALL {
            self.do_initcall_level(level);
        }
        // Nothing is live but the call.
        task::checkpoint("kernel_init: initcalls", &[]);
        self.async_synchronize_full();
        for module in &self.config.loaded_modules {
            if let Some(drv) = self.board.driver_by_name(module) {
                self.load_module(drv);
            }
        }
        for drv in self.board.driver_ids().filter(|d| self.is_autoloaded(*d)) {
            self.load_module(drv);
        }
    }

    fn load_module(&self, drv: DriverId) {
        task::note("insmod", || {
            self.board.drivers[drv.index()].info.name.to_owned()
        });
        self.driver_register(drv);
        // do_init_module()
        self.async_synchronize_full();
    }

    /// Whether the catalogue has the driver as a module, and it is loaded for its devices.
    fn is_autoloaded(&self, drv: DriverId) -> bool {
        let info = self.board.drivers[drv.index()].info;
        let is_named = self.config.loaded_modules.iter().any(|m| m == info.name);
        info.is_module && self.config.load_modules && !is_named
    }

    /// do_initcall_level()
    fn do_initcall_level(&self, level: Initcall) {
        task::note("level", || format!("{level:?}").to_lowercase());
        // Of a device tree by of_platform_default_populate_init(), of ACPI by acpi_init(), which is
        // linked before iommu_subsys_init().
        let populates = match self.board.firmware {
            Firmware::DeviceTree => Initcall::ArchSync,
            Firmware::Acpi => Initcall::Subsys,
        };
        if level == populates {
            for dev in self.board.boot_devices() {
                self.device_add(dev);
            }
        }
        if level == Initcall::Subsys {
            self.iommu_subsys_init();
        }
        if level == Initcall::Late {
            self.deferred_probe_initcall();
        }
        for drv in self
            .board
            .driver_ids()
            .filter(|d| self.is_built_in(*d, level))
        {
            self.driver_register(drv);
        }
    }

    /// Whether the driver registers at this level. Drivers are numbered in link order.
    fn is_built_in(&self, drv: DriverId, level: Initcall) -> bool {
        let info = self.board.drivers[drv.index()].info;
        info.level == level
            && !info.is_module
            && !self.config.loaded_modules.iter().any(|m| m == info.name)
    }
}
