//! Device tree: the tree itself, and what the kernel makes of it.

pub mod phandle;
pub mod tree;
