//! Device tree: the tree itself, and what the kernel makes of it.

pub mod device;
pub mod map;
pub mod pci;
pub mod phandle;
pub mod platform;
pub mod property;
pub mod tree;
