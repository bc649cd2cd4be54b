//! drivers/iommu/ipmmu-vmsa.c: Renesas IPMMU. One root, which is no instance of the IOMMU core on
//! R-Car Gen3, and leaves, which are; on R-Car Gen2 each is an instance. Follows v7.3-rc7. What it
//! does on 32-bit ARM alone is in [`crate::arm::ipmmu_vmsa`].

use crate::commit;
use crate::errno::{ENODEV, EPROBE_DEFER};
use crate::ids::{DeviceId, DriverId, InstanceId};
use crate::kernel::Kernel;

/// `devices_allowlist`: what may use an IPMMU on R-Car Gen3 and its like.
const DEVICES_ALLOWLIST: [&str; 4] = [
    "ee100000.mmc",
    "ee120000.mmc",
    "ee140000.mmc",
    "ee160000.mmc",
];

/// `soc_needs_opt_in`, by the compatible of the SoC: R-Car Gen3, Gen4 and RZ/G2.
const SOC_NEEDS_OPT_IN: [&str; 10] = [
    "renesas,r8a774a1",
    "renesas,r8a774b1",
    "renesas,r8a774c0",
    "renesas,r8a774e1",
    "renesas,r8a7795",
    "renesas,r8a7796",
    "renesas,r8a77961",
    "renesas,r8a77965",
    "renesas,r8a77970",
    "renesas,r8a77990",
];

/// `soc_denylist`: SoCs whose IPMMU must not be used, with the prefix of the revision.
const SOC_DENYLIST: [(&str, &str); 3] = [
    ("renesas,r8a774a1", ""),
    ("renesas,r8a7795", "ES2."),
    ("renesas,r8a7796", ""),
];

impl Kernel {
    /// ipmmu_probe()
    pub(crate) fn ipmmu_probe(&self, dev: DeviceId) -> i32 {
        let is_gen2 = self.description(dev).ipmmu_gen2;
        let is_leaf = self.description(dev).ipmmu_leaf && !is_gen2;
        if let Some(instance) = self.description(dev).instance {
            self.ipmmu_alloc(instance);
        }
        if is_leaf && !self.ipmmu_find_root(dev) {
            return -EPROBE_DEFER;
        }
        let drvdata_first = self.has(commit::D9D3CEDE4167);
        let driver_data = self.device(dev).driver_data;
        if drvdata_first {
            driver_data.write_once(true);
        }
        if is_leaf || is_gen2 {
            let ret = self.iommu_driver_register(dev);
            if ret != 0 {
                return ret;
            }
        }
        if !drvdata_first {
            driver_data.write_once(true);
        }
        0
    }

    /// ipmmu_find_root(): the root among the devices that are bound to the driver.
    fn ipmmu_find_root(&self, leaf: DeviceId) -> bool {
        let instance = self.description(leaf).instance;
        let instance = instance.expect("a leaf that probes is an instance");
        let drv: DriverId = self.board.instances[instance.index()].driver;
        let list = self.drivers[drv.index()].klist_devices;
        let mut position = 0;
        while let Some((dev, next)) = list.next(position) {
            position = next;
            if !self.description(dev).ipmmu_leaf && self.device(dev).driver_data.read_once() {
                return true;
            }
        }
        false
    }

    /// ipmmu_device_is_allowed()
    pub(crate) fn ipmmu_device_is_allowed(&self, dev: DeviceId) -> bool {
        let soc = |compatible: &str| self.board.compatible.iter().any(|c| c == compatible);
        if !SOC_NEEDS_OPT_IN.iter().any(|c| soc(c)) {
            return true;
        }
        let revision = &self.config.soc_revision;
        if SOC_DENYLIST
            .iter()
            .any(|(c, r)| soc(c) && revision.starts_with(r))
        {
            return false;
        }
        let name = &self.device(dev).name;
        DEVICES_ALLOWLIST.contains(&name.as_str()) || self.config.allow.contains(name)
    }

    /// ipmmu_of_xlate()
    pub(crate) fn ipmmu_of_xlate(&self, dev: DeviceId, instance: InstanceId) -> i32 {
        if !self.ipmmu_device_is_allowed(dev) {
            return -ENODEV;
        }
        self.iommu_fwspec_add_ids(dev, 1);
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "to_ipmmu: dev->iommu is NULL")
        };
        let private = self.dev_iommu(dev, pointer).private;
        if private.read_once().is_none() {
            let is_set_up = self.device(self.hwdev(instance)).driver_data.read_once();
            private.write_once(is_set_up.then_some(instance));
        }
        0
    }

    /// ipmmu_probe_device()
    pub(crate) fn ipmmu_probe_device(&self, dev: DeviceId) -> Result<InstanceId, i32> {
        let instance = self.dev_iommu_priv_get(dev).ok_or(-ENODEV)?;
        self.monitor_probed(dev);
        Ok(instance)
    }
}
