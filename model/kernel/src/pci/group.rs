//! drivers/iommu/iommu.c: pci_device_group(). Follows v7.2, where it is as in v6.12.

use crate::ids::{DeviceId, GroupId};
use crate::kernel::Kernel;

impl Kernel {
    /// What most drivers do in their device_group(): pci_device_group() for a PCI function, else
    /// generic_device_group(). Functions that no host bridge of the board has found stand alone.
    pub(crate) fn pci_or_generic_device_group(&self, dev: DeviceId) -> GroupId {
        if self.description(dev).pci.is_some() {
            self.pci_device_group(dev)
        } else {
            self.generic_device_group(dev)
        }
    }

    /// pci_device_group(): upstream to where access control keeps devices apart, taking the first
    /// group on the way.
    fn pci_device_group(&self, dev: DeviceId) -> GroupId {
        let mut at = self.pci_function(dev).bridge;
        while let Some(bridge) = at {
            if self.pci_acs_path_enabled(bridge) {
                break;
            }
            if let Some(group) = self.device(bridge).iommu_group.read_once() {
                // iommu_group_get()
                self.group(group).references.add(1);
                return group;
            }
            at = self.pci_function(bridge).bridge;
        }
        self.generic_device_group(dev)
    }
}
