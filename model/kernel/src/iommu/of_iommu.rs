//! drivers/iommu/of_iommu.c: a device's IOMMUs from the device tree. Follows v7.3-rc7.
//!
//! What of_iommu_configure_dev_id() finds in the `iommu-map` of a bus stands in the board: for PCI
//! functions on boards of our own ([`crate::pci`]); fsl-mc and CDX objects and host1x contexts no
//! tree lists. The bus's own device has `iommus` or no IOMMU. Before 17de3f5fdd35 a deferral left a
//! fwspec without ops behind, which the next attempt threw away; here it is freed at once, as
//! later. No walk picks the device up either way.

use crate::board::IommuSpec;
use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::ENODEV;
use crate::ids::{DeviceId, FwnodeId};
use crate::kernel::Kernel;
use checker::task;

impl Kernel {
    /// of_iommu_configure()
    pub(crate) fn of_iommu_configure(&self, dev: DeviceId) -> i32 {
        self.on_device("of_iommu_configure", dev, || {
            let lock = self.globals.iommu_probe_device_lock;
            let is_locked = self.has(commit::A2E7E59A9426);
            if is_locked {
                lock.lock();
            }
            if self.dev_iommu_fwspec_get(dev).is_some() {
                if is_locked {
                    lock.unlock();
                }
                return 0;
            }
            let present = self.device(dev).iommu.read_once().is_some();
            if self.description(dev).pci.is_some() {
                self.pci_request_acs();
            }
            let err = self.of_iommu_configure_dev(dev);
            if err != 0 {
                self.of_iommu_undo(dev, present);
            }
            if is_locked {
                lock.unlock();
            }
            let replays = if self.has(commit::F188056352BC) {
                (!present || !self.has(commit::BCB81AC6AE3C)) && !self.has(commit::NO_REPLAY)
            } else {
                // device_iommu_mapped()
                self.device(dev).iommu_group.read_once().is_none()
            };
            if err == 0 && replays {
                return self.iommu_probe_device(dev);
            }
            err
        })
    }

    /// What is left behind when some specifier could not be handled.
    pub(crate) fn of_iommu_undo(&self, dev: DeviceId, present: bool) {
        if present || !self.has(commit::G3832862EB9C4) {
            self.iommu_fwspec_free(dev);
        } else if self.device(dev).iommu.read_once().is_some() {
            self.dev_iommu_free(dev);
        }
    }

    /// of_iommu_configure_dev(): the entries of `iommus` in order, up to the first error.
    fn of_iommu_configure_dev(&self, dev: DeviceId) -> i32 {
        let mut err = -ENODEV;
        for spec in &self.description(dev).iommus {
            err = self.of_iommu_xlate(dev, spec);
            if err != 0 {
                break;
            }
        }
        err
    }

    /// of_iommu_xlate()
    fn of_iommu_xlate(&self, dev: DeviceId, spec: &IommuSpec) -> i32 {
        if !spec.available {
            return -ENODEV;
        }
        let ret = self.iommu_fwspec_init(dev, spec);
        if ret != 0 {
            return ret;
        }
        // The instance is looked up once more. It was listed a moment ago, and is used unchecked.
        let Some(instance) = spec.instance.filter(|i| self.iommu_from_fwnode(*i)) else {
            self.oops(
                dev,
                "of_iommu_xlate: ops->of_xlate of an instance that is gone",
            )
        };
        let kind = self.board.instances[instance.index()].kind;
        let function = match kind {
            Kind::IpmmuVmsa => Some("ipmmu_of_xlate"),
            Kind::ArmSmmuV3 => Some("arm_smmu_of_xlate"),
            Kind::Rockchip => Some("rk_iommu_of_xlate"),
            Kind::Generic(driver) => driver.of_xlate(),
            Kind::Client => unreachable!("a client driver makes no instance"),
        };
        let Some(function) = function else {
            return -ENODEV;
        };
        let driver = self.device(dev).driver.monitor();
        let counter = if driver.is_some() {
            self.device(dev).xlate_driver
        } else {
            self.device(dev).xlate_platform
        };
        counter.add(1);
        task::note("of_xlate", || {
            format!(
                "{} {}: {function}",
                self.driver_string(driver),
                self.device(dev).name
            )
        });
        self.on_device(function, dev, || match kind {
            Kind::IpmmuVmsa => self.ipmmu_of_xlate(dev, instance),
            Kind::ArmSmmuV3 => self.arm_smmu_of_xlate(dev),
            Kind::Rockchip => self.rk_iommu_of_xlate(dev, instance),
            Kind::Generic(driver) => self.generic_of_xlate(driver, dev, spec, instance),
            Kind::Client => unreachable!("a client driver makes no instance"),
        })
    }

    /// The fwnode of a specifier's IOMMU.
    pub(crate) fn fwnode(spec: &IommuSpec) -> FwnodeId {
        FwnodeId(u16::try_from(spec.node.0).expect("a board has fewer than 65536 nodes"))
    }
}
