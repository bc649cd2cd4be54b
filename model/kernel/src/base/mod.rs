//! drivers/base: the driver core.

pub mod bus;
pub mod core;
pub mod dd;
pub mod deferred;
pub mod links;
pub mod platform;
