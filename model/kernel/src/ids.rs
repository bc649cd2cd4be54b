//! Numbers of the objects of one kernel. They are fixed when the board is laid out.

use checker::{word_enum, word_id};

word_id! {
    /// A `struct device` that the board can have.
    pub struct DeviceId(u16);
}
word_id! {
    /// A `struct device_driver`.
    pub struct DriverId(u16);
}
word_id! {
    /// A `struct iommu_device`: an IOMMU instance.
    pub struct InstanceId(u16);
}
word_id! {
    /// A `struct iommu_group`.
    pub struct GroupId(u16);
}
word_id! {
    /// A `struct fwnode_handle` of a device tree node.
    pub struct FwnodeId(u16);
}
word_id! {
    /// A `struct device_link` that fw_devlink can make.
    pub struct LinkId(u16);
}

word_enum! {
    /// What a group's domain is. A group's default domain is its own, so the type names it.
    pub enum Domain {
        /// IOMMU_DOMAIN_DMA.
        Dma,
        /// Another IOMMU_DOMAIN_DMA of the same group, which only a race makes (before
        /// 211ff31b3d33).
        SecondDma,
        /// The blocking domain.
        Blocking,
        /// IOMMU_DOMAIN_IDENTITY: the default domain on 32-bit ARM.
        Identity,
        /// IOMMU_DOMAIN_UNMANAGED: that of a mapping, on 32-bit ARM.
        Unmanaged,
    }
}

impl Domain {
    /// As it looks from outside, where one DMA domain is like another.
    pub(crate) fn seen(self) -> Self {
        match self {
            Domain::SecondDma => Domain::Dma,
            other => other,
        }
    }

    /// What sysfs calls it: `type` of a group.
    pub fn name(self) -> &'static str {
        match self {
            Domain::Dma | Domain::SecondDma => "DMA",
            Domain::Blocking => "blocked",
            Domain::Identity => "identity",
            Domain::Unmanaged => "unmanaged",
        }
    }
}

word_enum! {
    /// enum dl_dev_state (include/linux/device.h).
    pub enum LinksStatus {
        /// DL_DEV_NO_DRIVER
        NoDriver,
        /// DL_DEV_PROBING
        Probing,
        /// DL_DEV_DRIVER_BOUND
        DriverBound,
        /// DL_DEV_UNBINDING
        Unbinding,
    }
}

word_enum! {
    /// enum device_link_state, and the two states in which there is no device link.
    pub enum LinkState {
        /// Only a fwnode link: one of the two devices has not been added.
        Fwnode,
        /// DL_STATE_DORMANT
        Dormant,
        /// DL_STATE_AVAILABLE
        Available,
        /// DL_STATE_CONSUMER_PROBE
        ConsumerProbe,
        /// DL_STATE_ACTIVE
        Active,
        /// Dropped, or never to be made.
        Gone,
    }
}

word_enum! {
    /// Which bus type a device is on. The model has those that of_platform populates, and stand-ins
    /// for two that find their devices by themselves.
    pub enum Bus {
        /// platform_bus_type
        Platform,
        /// amba_bustype
        Amba,
        /// pci_bus_type
        Pci,
        /// fsl_mc_bus_type
        FslMc,
    }
}
