//! What drives the rest: init/main.c, kernel/async.c and kernel/workqueue.c, as far as probing
//! needs them.

pub mod async_probe;
pub mod main;
pub mod workqueue;
