//! Model of the kernel.
pub mod commit;
pub mod of;
pub mod revision;
