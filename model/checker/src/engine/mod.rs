//! The engines: whoever owns the world's cells and decides who runs next.

pub mod deadlock;
pub mod exhaustive;
pub mod loom;
pub(crate) mod machine;
pub mod marks;
pub mod schedule;
pub mod shuttle;
mod threads;
pub mod weak;
