//! The drivers that the model knows, and how they probe.

pub mod catalogue;
pub mod client;
