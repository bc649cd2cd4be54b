//! Which driver binds to what, when it registers, and what kind of driver it is: facts of the
//! kernel's source, one row a driver.
//!
//! Drivers of one initcall level register in link order, which follows drivers/Makefile: pinctrl,
//! gpio, clk, dma, soc, virtio, reset, tty, iommu, base, misc, mfd, ata, spi, net, i2c, media,
//! mmc. A row's `link_order` is its folder's place in that list (v6.12 to v7.3).

use crate::ids::Bus;
use crate::iommu::generic::GenericIommu;

/// Which drivers a kernel has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Catalogue {
    /// [`CATALOGUE`]: what the project's own boards and scenarios need, all built in.
    #[default]
    Own,
    /// Those of an arm64 defconfig, with modules.
    Arm64,
}

impl Catalogue {
    /// The drivers, by level and link order.
    pub fn drivers(self) -> &'static [DriverInfo] {
        match self {
            Catalogue::Own => CATALOGUE,
            Catalogue::Arm64 => &super::arm64::DRIVERS,
        }
    }
}

/// Initcall levels, as in include/linux/init.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Initcall {
    /// early_initcall
    Early,
    /// pure_initcall
    Pure,
    /// core_initcall
    Core,
    /// postcore_initcall
    Postcore,
    /// arch_initcall
    Arch,
    /// arch_initcall_sync: of_platform_default_populate_init() runs here.
    ArchSync,
    /// subsys_initcall
    Subsys,
    /// fs_initcall
    Fs,
    /// device_initcall, and module_init() of what is built in.
    Device,
    /// late_initcall
    Late,
}

impl Initcall {
    /// All levels in order.
    pub const ALL: [Initcall; 10] = [
        Initcall::Early,
        Initcall::Pure,
        Initcall::Core,
        Initcall::Postcore,
        Initcall::Arch,
        Initcall::ArchSync,
        Initcall::Subsys,
        Initcall::Fs,
        Initcall::Device,
        Initcall::Late,
    ];
}

/// What a driver's probe function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// drivers/iommu/ipmmu-vmsa.c
    IpmmuVmsa,
    /// drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c
    ArmSmmuV3,
    /// drivers/iommu/rockchip-iommu.c
    Rockchip,
    /// One of those that a few facts tell apart.
    Generic(GenericIommu),
    /// A driver whose probe does nothing that the model looks at.
    Client,
}

/// One driver.
#[derive(Clone, Copy, Debug)]
pub struct DriverInfo {
    /// `device_driver.name`.
    pub name: &'static str,
    /// Compatibles of its match table, as far as boards use them.
    pub compatibles: &'static [&'static str],
    /// Initcall level of its registration.
    pub level: Initcall,
    /// Place among the drivers of its level.
    pub link_order: u16,
    /// PROBE_PREFER_ASYNCHRONOUS.
    pub prefers_async: bool,
    /// Its probe calls of_platform_populate(): nodes below become devices.
    pub populates: bool,
    /// A module: loaded, if at all, when the initcalls are over.
    pub is_module: bool,
    /// The bus whose devices it matches; `None`: either.
    pub bus: Option<Bus>,
    /// What its probe does.
    pub kind: Kind,
    /// Where this stands.
    pub source: &'static str,
}

const fn client(
    name: &'static str,
    compatibles: &'static [&'static str],
    level: Initcall,
    link_order: u16,
    source: &'static str,
) -> DriverInfo {
    DriverInfo {
        name,
        compatibles,
        level,
        link_order,
        prefers_async: false,
        populates: false,
        is_module: false,
        bus: None,
        kind: Kind::Client,
        source,
    }
}

const fn iommu(
    name: &'static str,
    compatibles: &'static [&'static str],
    kind: Kind,
    source: &'static str,
) -> DriverInfo {
    DriverInfo {
        name,
        compatibles,
        level: Initcall::Device,
        link_order: 80,
        prefers_async: false,
        populates: false,
        is_module: false,
        bus: None,
        kind,
        source,
    }
}

/// Stands for the drivers that no catalogue has, where that is asked for
/// ([`Config::any_driver`](crate::config::Config::any_driver)).
pub static ANY_DRIVER: DriverInfo = client(
    "any-driver",
    &[],
    Initcall::Device,
    u16::MAX,
    "none: stands for the driver of a device without one",
);

/// The catalogue, by level and link order.
pub const CATALOGUE: &[DriverInfo] = &[
    DriverInfo {
        level: Initcall::Core,
        ..iommu(
            "exynos-sysmmu",
            &["samsung,exynos-sysmmu"],
            Kind::Generic(GenericIommu::ExynosSysmmu),
            "drivers/iommu/exynos-iommu.c",
        )
    },
    client(
        "sram",
        &["mmio-sram"],
        Initcall::Postcore,
        100,
        "drivers/misc/sram.c",
    ),
    client(
        "pcieport",
        &["pciclass,0604"],
        Initcall::Device,
        30,
        "drivers/pci/pcie/portdrv.c",
    ),
    DriverInfo {
        populates: true,
        ..client(
            "pcie-host",
            &["test,pcie-host"],
            Initcall::Device,
            31,
            "none: stands for the driver of any host bridge in drivers/pci/controller",
        )
    },
    client(
        "rcar-dmac",
        &["renesas,rcar-dmac", "renesas,rcar-gen4-dmac"],
        Initcall::Device,
        40,
        "drivers/dma/sh/rcar-dmac.c",
    ),
    client(
        "virtio-mmio",
        &["virtio,mmio"],
        Initcall::Device,
        60,
        "drivers/virtio/virtio_mmio.c",
    ),
    client(
        "of_serial",
        &["ns16550a", "ns16550", "snps,dw-apb-uart-ns16550"],
        Initcall::Device,
        70,
        "drivers/tty/serial/8250/8250_of.c",
    ),
    iommu(
        "ipmmu-vmsa",
        &[
            "renesas,ipmmu-r8a774a1",
            "renesas,ipmmu-r8a7795",
            "renesas,ipmmu-r8a7796",
            "renesas,ipmmu-r8a77965",
            "renesas,ipmmu-vmsa",
        ],
        Kind::IpmmuVmsa,
        "drivers/iommu/ipmmu-vmsa.c",
    ),
    iommu(
        "rk_iommu",
        &["rockchip,iommu", "rockchip,rk3568-iommu"],
        Kind::Rockchip,
        "drivers/iommu/rockchip-iommu.c",
    ),
    iommu(
        "riscv,iommu",
        &["riscv,iommu"],
        Kind::Generic(GenericIommu::Riscv),
        "drivers/iommu/riscv/iommu-platform.c",
    ),
    iommu(
        "arm-smmu-v3",
        &["arm,smmu-v3"],
        Kind::ArmSmmuV3,
        "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c",
    ),
    iommu(
        "arm-smmu",
        &["arm,smmu-v2", "arm,mmu-500"],
        Kind::Generic(GenericIommu::ArmSmmu),
        "drivers/iommu/arm/arm-smmu/arm-smmu.c",
    ),
    iommu(
        "mtk-iommu",
        &["mediatek,mt8183-m4u"],
        Kind::Generic(GenericIommu::MtkIommu),
        "drivers/iommu/mtk_iommu.c",
    ),
    iommu(
        "mtk-iommu-v1",
        &["mediatek,mt2701-m4u"],
        Kind::Generic(GenericIommu::MtkIommuV1),
        "drivers/iommu/mtk_iommu_v1.c",
    ),
    iommu(
        "sun50i-iommu",
        &["allwinner,sun50i-h6-iommu"],
        Kind::Generic(GenericIommu::Sun50i),
        "drivers/iommu/sun50i-iommu.c",
    ),
    // "LNRO0005" behind which VIOT says that there is one is another name of it.
    iommu(
        "virtio_iommu",
        &["virtio,pci-iommu"],
        Kind::Generic(GenericIommu::Virtio),
        "drivers/iommu/virtio-iommu.c",
    ),
    // Stands for the driver that another one registers in its probe.
    client(
        "qcom-tbu",
        &["qcom,sdm845-tbu"],
        Initcall::Device,
        90,
        "drivers/iommu/arm/arm-smmu/arm-smmu-qcom-debug.c",
    ),
    client(
        "sata_rcar",
        &[
            "renesas,rcar-gen3-sata",
            "renesas,sata-r8a7795",
            "renesas,sata-r8a77965",
        ],
        Initcall::Device,
        120,
        "drivers/ata/sata_rcar.c",
    ),
    client(
        "ravb",
        &["renesas,etheravb-rcar-gen3"],
        Initcall::Device,
        140,
        "drivers/net/ethernet/renesas/ravb_main.c",
    ),
    client(
        "rcar-fcp",
        &["renesas,fcpf", "renesas,fcpv"],
        Initcall::Device,
        150,
        "drivers/media/platform/renesas/rcar-fcp.c",
    ),
    client(
        "pwrseq_simple",
        &["mmc-pwrseq-simple"],
        Initcall::Device,
        160,
        "drivers/mmc/core/pwrseq_simple.c",
    ),
    DriverInfo {
        name: "renesas_sdhi_internal_dmac",
        compatibles: &["renesas,rcar-gen3-sdhi"],
        level: Initcall::Device,
        link_order: 165,
        prefers_async: true,
        populates: false,
        is_module: false,
        bus: None,
        kind: Kind::Client,
        source: "drivers/mmc/host/renesas_sdhi_internal_dmac.c",
    },
    // Clients of scenarios, not of any real board.
    client(
        "client-drv",
        &["test,client"],
        Initcall::Device,
        200,
        "none: stands for any client driver",
    ),
];

/// The row of a driver.
pub fn find(name: &str) -> Option<&'static DriverInfo> {
    CATALOGUE.iter().find(|d| d.name == name)
}

#[cfg(test)]
mod tests {
    use super::CATALOGUE;

    #[test]
    fn the_catalogue_stands_in_link_order() {
        assert!(CATALOGUE.is_sorted_by_key(|d| (d.level, d.link_order)));
    }

    #[test]
    fn every_driver_has_one_row() {
        for (i, d) in CATALOGUE.iter().enumerate() {
            assert!(
                CATALOGUE[i + 1..].iter().all(|other| other.name != d.name),
                "{}",
                d.name
            );
        }
    }
}
