//! A model of the Linux driver core and IOMMU core, by revision.
//!
//! A kernel developer opens [`iommu::iommu`] beside drivers/iommu/iommu.c and finds the same
//! function names in the same order: one Rust function for one C function, each lock taken and
//! dropped where C does. The newest kernel is the straight line; an older behaviour stands
//! behind [`kernel::Kernel::has`] at the place where the commit acted.
//!
//! Each access to a field that two tasks can touch is an operation of its own on an object of
//! [`checker::sync`]. This crate knows of no engine.
//!
//! What the whole model leaves out: sysfs, uevents, runtime PM, reference counts of devices
//! (a device that was deleted stays readable), pinctrl at bind, and wait_for_device_probe().

pub mod acpi;
pub mod arm;
pub mod asked;
pub mod base;
pub mod board;
pub mod commit;
pub mod config;
pub mod drivers;
pub mod errno;
pub mod ids;
pub mod init;
pub mod iommu;
pub mod kernel;
pub mod model;
pub mod of;
pub mod outcome;
pub mod pci;
pub mod revision;
pub mod verb;
