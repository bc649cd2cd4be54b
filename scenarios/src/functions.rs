//! The functions that the model enters, and in which file of the kernel each is.

/// The file, from the root of the kernel tree, that has a function which the model enters; as of
/// v7.3-rc7, and the same for all of them back to v6.12. `None` for one that is not in the table.
///
/// `arm_smmu_of_xlate` is the one of SMMUv3, the only Arm SMMU that boards of scenarios have.
pub fn kernel_file(function: &str) -> Option<&'static str> {
    let mut all = MODELLED.iter().chain(&BY_DRIVER_OR_BUS);
    let row = all.find(|(_, functions)| functions.contains(&function));
    row.map(|(file, _)| *file)
}

/// The functions that the model names in a call. That these are all is a test of this crate.
pub fn modelled() -> impl Iterator<Item = &'static str> {
    MODELLED
        .iter()
        .flat_map(|(_, functions)| *functions)
        .copied()
}

/// Files, and the functions of each that the model names in a call.
const MODELLED: [(&str, &[&str]); 22] = [
    (
        "arch/arm/mm/dma-mapping.c",
        &[
            "arch_setup_dma_ops",
            "arch_teardown_dma_ops",
            "arm_iommu_attach_device",
            "arm_iommu_detach_device",
            "arm_setup_iommu_dma_ops",
            "arm_teardown_iommu_dma_ops",
        ],
    ),
    ("drivers/acpi/arm64/iort.c", &["iort_iommu_configure_id"]),
    ("drivers/acpi/riscv/rimt.c", &["rimt_iommu_configure_id"]),
    (
        "drivers/acpi/scan.c",
        &[
            "acpi_dma_configure_id",
            "acpi_iommu_configure_id",
            "acpi_iommu_fwspec_init",
        ],
    ),
    ("drivers/acpi/viot.c", &["viot_iommu_configure"]),
    (
        "drivers/base/core.c",
        &["device_add", "device_del", "device_shutdown"],
    ),
    (
        "drivers/base/dd.c",
        &[
            "__device_attach_async_helper",
            "__driver_attach_async_helper",
            "__driver_probe_device",
            "deferred_probe_initcall",
            "deferred_probe_timeout_work_func",
            "deferred_probe_work_func",
            "device_driver_attach",
            "device_release_driver",
            "driver_bound",
            "driver_probe_device",
            "really_probe",
            "wait_for_device_probe",
        ],
    ),
    ("drivers/base/devres.c", &["devres_release_all"]),
    ("drivers/base/driver.c", &["driver_register"]),
    (
        "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c",
        &["arm_smmu_device_shutdown"],
    ),
    ("drivers/iommu/dma-iommu.c", &["iommu_setup_dma_ops"]),
    (
        "drivers/iommu/iommu.c",
        &[
            "__iommu_probe_device",
            "iommu_attach_group",
            "iommu_device_register",
            "iommu_device_unregister",
            "iommu_device_unuse_default_domain",
            "iommu_device_use_default_domain",
            "iommu_domain_alloc",
            "iommu_fwspec_free",
            "iommu_fwspec_init",
            "iommu_group_claim_dma_owner",
            "iommu_group_release_dma_owner",
            "iommu_init_device",
            "iommu_probe_device",
            "iommu_release_device",
            "probe_iommu_group",
        ],
    ),
    ("drivers/iommu/ipmmu-vmsa.c", &["ipmmu_init_arm_mapping"]),
    ("drivers/iommu/of_iommu.c", &["of_iommu_configure"]),
    ("drivers/of/device.c", &["of_dma_configure_id"]),
    ("drivers/pci/bus.c", &["pci_bus_add_devices"]),
    ("drivers/pci/pci.c", &["pci_enable_acs"]),
    (
        "drivers/pci/probe.c",
        &["pci_device_add", "pci_host_probe", "pci_scan_child_bus"],
    ),
    (
        "drivers/vfio/container.c",
        &["vfio_container_attach_group", "vfio_group_detach_container"],
    ),
    ("drivers/vfio/group.c", &["vfio_device_set_group"]),
    ("kernel/dma/mapping.c", &["dmam_alloc_coherent"]),
    ("kernel/module/main.c", &["delete_module"]),
];

/// The same, of those that are named by what a driver or a bus has.
const BY_DRIVER_OR_BUS: [(&str, &[&str]); 6] = [
    ("drivers/bus/fsl-mc/fsl-mc-bus.c", &["fsl_mc_dma_configure"]),
    ("drivers/base/platform.c", &["platform_dma_configure"]),
    (
        "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c",
        &["arm_smmu_of_xlate"],
    ),
    ("drivers/iommu/ipmmu-vmsa.c", &["ipmmu_of_xlate"]),
    ("drivers/iommu/rockchip-iommu.c", &["rk_iommu_of_xlate"]),
    ("drivers/pci/pci-driver.c", &["pci_dma_configure"]),
];
