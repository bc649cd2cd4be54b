//! The monitor of invariant I8, group completeness: when a driver probes, all devices that belong into
//! its device's group are in it. The kernel has no such state; the monitor
//! observes what it reads as a task does, since what it keeps depends on it.

use crate::drivers::catalogue::Kind;
use crate::ids::{DeviceId, InstanceId};
use crate::iommu::generic::Grouping;
use crate::kernel::Kernel;

impl Kernel {
    /// Notes whether the group of a device whose driver probes is complete. Not asked for: a device
    /// that a task adds, one that was deleted, and one that its IOMMU's driver does not want.
    pub(crate) fn monitor_group(&self, dev: DeviceId) {
        let device = self.device(dev);
        let mates = || self.board.device_ids().filter(|d| self.are_mates(dev, *d));
        if mates().next().is_none() || self.is_added_later(dev) {
            return;
        }
        let Some(group) = device.iommu_group.read_once() else {
            return;
        };
        let complete = mates().all(|mate| {
            self.device(mate).iommu_group.read_once() == Some(group)
                || !self.globals.klist_devices.contains(mate)
        });
        device.group_complete.set(Some(complete));
    }

    /// Whether device_group() puts another device into the group of this one.
    fn are_mates(&self, dev: DeviceId, other: DeviceId) -> bool {
        let Some(instance) = self.grouping_instance(dev) else {
            return false;
        };
        let grouping = match self.board.instances[instance.index()].kind {
            Kind::Generic(driver) => driver.grouping(),
            Kind::ArmSmmuV3 | Kind::Client => Grouping::Device,
            Kind::IpmmuVmsa if self.is_arm32() => Grouping::Device,
            Kind::IpmmuVmsa | Kind::Rockchip => Grouping::Instance,
        };
        let is_one_of_them = match grouping {
            Grouping::Device => false,
            Grouping::Stream => self.description(dev).same_stream.contains(&other),
            Grouping::Instance => self.grouping_instance(other) == Some(instance),
        };
        is_one_of_them && other != dev && !self.is_added_later(other) && !self.refuses(other)
    }

    /// The instance that makes a device's group: of several the first, but with Rockchip the last, since
    /// each rk_iommu_of_xlate() takes the place of the one before (v7.2).
    fn grouping_instance(&self, dev: DeviceId) -> Option<InstanceId> {
        let instances = || self.description(dev).iommus.iter().map(|s| s.instance);
        let first = instances().next().flatten()?;
        match self.board.instances[first.index()].kind {
            Kind::Rockchip => instances().next_back().flatten(),
            _ => Some(first),
        }
    }
}
