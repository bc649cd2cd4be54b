//! arch/arm: what 32-bit ARM does about DMA, where arm64 has next to nothing.
//!
//! All of it is there only with [`Arch::Arm`](crate::config::Arch::Arm). The IOMMU core around it
//! is the one that the model has anyhow, also for kernels older than
//! [`OLDEST`](crate::revision::OLDEST): see [`revision`](crate::revision).

pub mod archdata;
pub mod devres;
pub mod dma_mapping;
pub mod finalize;
pub mod ipmmu_vmsa;
pub mod mtk_iommu_v1;
pub mod symmetry;
