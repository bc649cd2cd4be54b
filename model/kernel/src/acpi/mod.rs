//! drivers/acpi: which IOMMU a device is behind on a machine that ACPI describes.
//!
//! [`machine`] is what the namespace and the static tables say, [`layout`] makes a board of it.
//! The other files are the kernel's: [`scan`] for drivers/acpi/scan.c, [`iort`] for
//! drivers/acpi/arm64/iort.c, [`rimt`] for drivers/acpi/riscv/rimt.c and [`viot`] for
//! drivers/acpi/viot.c. They follow v7.3-rc7; an older behaviour stands behind `has`, as far back as
//! v6.12.
//!
//! What differs from a device tree, and is why this folder exists:
//!
//! - The ids of a device stand in tables. No IOMMU driver's of_xlate is asked, so the of_xlate log
//!   of an ACPI machine is empty.
//! - acpi_iommu_configure_id() undoes nothing when it fails half-way, and since bcb81ac6ae3c it
//!   does not replay iommu_probe_device().
//! - fw_devlink makes no link from a client to its IOMMU. The link that rimt_iommu_xlate() makes by
//!   itself is in [`rimt`].
//! - The devices are there at subsys_initcall, SMMUs before all that the namespace has.

pub mod iort;
pub mod layout;
pub mod machine;
pub mod rimt;
pub mod scan;
pub mod viot;
