//! Which modelled steps scenarios and boots reach: functions, and rows of the commit table that
//! were asked for. A Never about code that nothing reaches would be vacuous.

use crate::boot::Boot;
use crate::runner::Answer;
use checker::event::What;
use kernel::asked::Asked;
use kernel::commit::CommitId;
use std::collections::BTreeSet;

/// The functions that the model names in a call. That these are all is a test of this crate.
pub const MODELLED: [&str; 53] = [
    "__device_attach_async_helper",
    "__driver_attach_async_helper",
    "__driver_probe_device",
    "__iommu_probe_device",
    "acpi_dma_configure_id",
    "acpi_iommu_configure_id",
    "acpi_iommu_fwspec_init",
    "arch_setup_dma_ops",
    "arch_teardown_dma_ops",
    "arm_iommu_attach_device",
    "arm_iommu_detach_device",
    "arm_setup_iommu_dma_ops",
    "arm_smmu_device_shutdown",
    "arm_teardown_iommu_dma_ops",
    "deferred_probe_initcall",
    "deferred_probe_timeout_work_func",
    "deferred_probe_work_func",
    "device_add",
    "device_del",
    "device_driver_attach",
    "device_release_driver",
    "device_shutdown",
    "devres_release_all",
    "dmam_alloc_coherent",
    "driver_bound",
    "driver_probe_device",
    "driver_register",
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
    "iommu_setup_dma_ops",
    "iort_iommu_configure_id",
    "ipmmu_init_arm_mapping",
    "of_dma_configure_id",
    "of_iommu_configure",
    "probe_iommu_group",
    "really_probe",
    "rimt_iommu_configure_id",
    "vfio_container_attach_group",
    "vfio_device_set_group",
    "vfio_group_detach_container",
    "viot_iommu_configure",
    "wait_for_device_probe",
];

/// Functions that no scenario of this project and no boot enters, and why.
pub const UNREACHED: [(&str, &str); 0] = [];

/// Rows of the commit table that no scenario of this project and no boot asks for, and why.
pub const UNASKED: [(&str, &str); 3] = [
    (
        "09515ef5ddad",
        "it is in every kernel that can be named: the oldest for 32-bit ARM",
    ),
    (
        "dcde1c4aa7ce",
        "no code of the model asks for it: dma_dev is not read since f48dcda8f6a4",
    ),
    ("7befbf128129", "no code of the model asks for it"),
];

/// What was reached so far.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    functions: BTreeSet<String>,
    asked: BTreeSet<CommitId>,
}

/// A step that nothing reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The function, or the commit.
    pub name: &'static str,
    /// Why, if that is known.
    pub reason: Option<&'static str>,
}

impl Coverage {
    /// What an exploration reached.
    pub fn add(&mut self, answer: &Answer) {
        let reached = answer.report.reached.iter();
        self.functions.extend(reached.map(|f| (*f).to_owned()));
        self.add_asked(&answer.kernel.asked);
    }

    /// What a boot reached.
    pub fn add_boot(&mut self, boot: &Boot) {
        let entered = boot.trace.events.iter().filter_map(|e| match &e.what {
            What::Enter { function, .. } => Some((*function).to_owned()),
            _ => None,
        });
        self.functions.extend(entered);
        self.add_asked(&boot.kernel.asked);
    }

    fn add_asked(&mut self, asked: &Asked) {
        self.asked
            .extend(CommitId::all().filter(|id| asked.contains(*id)));
    }

    /// Modelled functions that were not entered.
    pub fn unreached(&self) -> Vec<Gap> {
        let missing = MODELLED.iter().filter(|f| !self.functions.contains(**f));
        missing.map(|f| gap(f, &UNREACHED)).collect()
    }

    /// Rows of the table that were not asked for, the oldest first. A commit that takes another
    /// back has no branch of its own: it is asked for by that one.
    pub fn unasked(&self) -> Vec<Gap> {
        let is_branch = |id: &CommitId| id.reverts().is_none();
        let missing = CommitId::all()
            .filter(is_branch)
            .filter(|id| !self.asked.contains(id));
        missing.map(|id| gap(id.commit().id, &UNASKED)).collect()
    }

    /// How many rows are there to be asked for.
    pub fn rows() -> usize {
        CommitId::all().filter(|id| id.reverts().is_none()).count()
    }
}

fn gap(name: &'static str, reasons: &[(&str, &'static str)]) -> Gap {
    let reason = reasons.iter().find(|(of, _)| *of == name);
    Gap {
        name,
        reason: reason.map(|(_, why)| *why),
    }
}
