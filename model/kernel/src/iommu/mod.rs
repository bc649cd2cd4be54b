//! drivers/iommu: the IOMMU core, its device tree half, and the IOMMU drivers.

pub mod arm_smmu_v3;
pub mod completeness;
pub mod dma_iommu;
pub mod domain_alloc;
pub mod exynos_iommu;
pub mod generic;
#[expect(clippy::module_inception, reason = "drivers/iommu has an iommu.c")]
pub mod iommu;
pub mod ipmmu_vmsa;
pub mod legacy;
pub mod of_iommu;
pub mod ownership;
pub mod rockchip_iommu;
