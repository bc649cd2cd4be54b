//! drivers/iommu/iommu.c: pci_device_group(). Follows v7.2, where it is as in v6.12.

use crate::ids::{DeviceId, GroupId};
use crate::kernel::Kernel;
use crate::pci::PortType;

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

    /// pci_device_group(): that of the bridge whose requests these look like, behind conventional
    /// PCI; else upstream to where access control keeps devices apart, taking the first group on
    /// the way.
    fn pci_device_group(&self, dev: DeviceId) -> GroupId {
        let mut granule = dev;
        // pci_for_each_dma_alias(): get_pci_alias_or_group()
        for bridge in self.bridges_above(dev) {
            if self.pci_function(bridge).port == PortType::PciBridge {
                granule = bridge;
                if let Some(group) = self.iommu_group_get(bridge) {
                    return group;
                }
            }
        }
        for bridge in self.bridges_above(granule) {
            if self.pci_acs_path_enabled(bridge) {
                break;
            }
            if let Some(group) = self.iommu_group_get(bridge) {
                return group;
            }
        }
        self.generic_device_group(dev)
    }

    /// The bridges from a function's bus up to the root bus.
    fn bridges_above(&self, dev: DeviceId) -> impl Iterator<Item = DeviceId> {
        let above = |d: &DeviceId| self.pci_function(*d).bridge;
        std::iter::successors(above(&dev), above)
    }
}
