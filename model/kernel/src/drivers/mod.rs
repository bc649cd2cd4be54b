//! The drivers that the model knows, and how they probe.

mod arm64;
pub mod catalogue;
pub mod client;
pub mod vfio;
