//! Model of the kernel.
pub mod of;
