//! What is decided before the kernel runs: its configuration, its command line, what the
//! devices' drivers find.

use crate::drivers::catalogue::Catalogue;
use std::collections::{BTreeMap, BTreeSet};

/// The architecture, as far as the model knows of a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arch {
    /// arm64: DMA goes through an IOMMU by `dma_iommu`, which the IOMMU core sets.
    #[default]
    Arm64,
    /// 32-bit ARM with CONFIG_ARM_DMA_USE_IOMMU: by `dma_ops` and mappings ([`crate::arm`]).
    Arm,
}

/// Kernel configuration and command line, as far as the model looks at them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches that do not depend on each other"
)]
pub struct Config {
    /// The architecture.
    pub arch: Arch,
    /// `xen_initial_domain()`: only 32-bit ARM looks at it here.
    pub xen: bool,
    /// A bus notifier of the machine sets DMA ops of its own (32-bit ARM before v6.0).
    pub machine_notifier: bool,
    /// CONFIG_MODULES.
    pub modules: bool,
    /// fw_devlink=on (the default, also rpm) or off.
    pub fw_devlink: bool,
    /// fw_devlink.strict=1: optional suppliers count too.
    pub fw_devlink_strict: bool,
    /// deferred_probe_timeout= in seconds; 0 is over at once. The default is 10 with modules
    /// and 0 without.
    pub deferred_probe_timeout: u32,
    /// driver_async_probe=: names of drivers, or `*`.
    pub async_probe: BTreeSet<String>,
    /// Devices that an out-of-tree patch adds to ipmmu-vmsa's allow list.
    pub allow: BTreeSet<String>,
    /// `soc_device_match()`'s revision of the SoC, such as `ES2.0`.
    pub soc_revision: String,
    /// Which drivers there are.
    pub catalogue: Catalogue,
    /// What the catalogue has as a module is loaded once the initcalls are over and
    /// [`Config::loaded_modules`] are, in link order; else never.
    pub load_modules: bool,
    /// A device that no driver of the catalogue matches has one all the same, a client driver.
    pub any_driver: bool,
    /// Drivers that are not built.
    pub absent: BTreeSet<String>,
    /// Devices that wait for all their suppliers, those too that no driver of the catalogue matches
    /// and that are taken as ready else.
    pub waiting: BTreeSet<String>,
    /// deferred_probe_timeout runs out some time after the initcalls of a boot. Else it never does,
    /// unless a test says so.
    pub timeout_runs_out: bool,
    /// How many devices that are not on the board are bound after the initcalls of a boot: each has
    /// the deferred devices tried again.
    pub other_binds: u16,
    /// Drivers that are modules, loaded in this order once the initcalls are over.
    pub loaded_modules: Vec<String>,
    /// What the driver's own probe function returns, by device; 0 where nothing is said.
    pub probe_results: BTreeMap<String, i32>,
    /// Drivers whose `driver_managed_dma` is set.
    pub managed_dma: BTreeSet<String>,
    /// Drivers that give their devices to vfio, which sets `driver_managed_dma` as well.
    pub vfio: BTreeSet<String>,
    /// Which driver a driver's probe registers, if the board has devices for both.
    pub registers: BTreeMap<String, String>,
    /// async_schedule() finds memory to queue a call; else it makes the call by itself.
    pub async_memory: bool,
    /// SMMUs that have stage 2 of translation alone, by device.
    pub stage2_only: BTreeSet<String>,
    /// Whose DMA a device's driver configures in its probe besides: of_dma_configure() for somebody
    /// else's device. Both by name.
    pub configures: BTreeMap<String, String>,
    /// Drivers that get managed memory for DMA in their probe. Only followed on 32-bit ARM.
    pub managed_memory: BTreeSet<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            arch: Arch::default(),
            xen: false,
            machine_notifier: false,
            modules: true,
            fw_devlink: true,
            fw_devlink_strict: false,
            deferred_probe_timeout: 10,
            async_probe: BTreeSet::new(),
            allow: BTreeSet::new(),
            soc_revision: String::new(),
            catalogue: Catalogue::Own,
            load_modules: true,
            any_driver: false,
            absent: BTreeSet::new(),
            waiting: BTreeSet::new(),
            timeout_runs_out: false,
            other_binds: 0,
            loaded_modules: vec![],
            probe_results: BTreeMap::new(),
            managed_dma: BTreeSet::new(),
            vfio: BTreeSet::new(),
            registers: BTreeMap::new(),
            async_memory: true,
            stage2_only: BTreeSet::new(),
            configures: BTreeMap::new(),
            managed_memory: BTreeSet::new(),
        }
    }
}

impl Config {
    /// fw_devlink=on or off; `strict` is on with fw_devlink.strict=1.
    pub fn set_fw_devlink(&mut self, mode: &str) {
        self.fw_devlink = mode != "off";
        self.fw_devlink_strict = mode == "strict";
    }
}
