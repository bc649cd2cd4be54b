//! The words of a litmus test: verbs, predicates, options, and what each is applied to.
//!
//! A verb is the kernel function that it calls. The tables are data: a runner that has more verbs
//! passes a [`Vocabulary`] of its own to [`super::validate`].

use ArgKind::{Device, Driver, Errno, Instance, Number, OneOf, Optional, Text};

/// All words that a test may use.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// What tasks do.
    pub verbs: &'static [Signature],
    /// What conditions ask.
    pub predicates: &'static [Predicate],
    /// Keys of `config`; each takes one value.
    pub config: &'static [Signature],
    /// Options of `driver`; each takes one value or none.
    pub driver_options: &'static [Signature],
    /// Properties that need no proposition after their name.
    pub properties: &'static [&'static str],
}

/// A word and its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The word.
    pub name: &'static str,
    /// Its arguments. Optional ones come after the others, a repeated one last.
    pub args: &'static [ArgKind],
    /// One line on what it means.
    pub doc: &'static str,
    /// A correct use of it.
    pub example: &'static str,
}

/// A predicate: a signature and what it gives.
#[derive(Clone, Copy, Debug)]
pub struct Predicate {
    /// Name and arguments.
    pub signature: Signature,
    /// What it is compared with.
    pub gives: Gives,
}

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// A device of the board.
    Device,
    /// A driver that the model has.
    Driver,
    /// An IOMMU instance of the board.
    Instance,
    /// A number.
    Number,
    /// A string.
    Text,
    /// Any word.
    Word,
    /// An error such as `-EPROBE_DEFER`.
    Errno,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// May be left out.
    Optional(&'static ArgKind),
    /// Any number of times, also none.
    Repeated(&'static ArgKind),
}

/// What a predicate gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// It holds or does not: no comparison.
    Truth,
    /// A number: all comparisons.
    Number,
    /// One of these words: `=` and `!=`.
    OneOf(&'static [&'static str]),
    /// A device, or `none`: `=` and `!=`.
    DeviceOrNone,
    /// An error such as `-EPROBE_DEFER`, or 0: `=` and `!=`.
    Errno,
}

impl Default for Vocabulary {
    /// What the model of the driver core and the IOMMU core offers.
    fn default() -> Vocabulary {
        Vocabulary {
            verbs: &VERBS,
            predicates: &PREDICATES,
            config: &CONFIG,
            driver_options: &DRIVER_OPTIONS,
            properties: &PROPERTIES,
        }
    }
}

const fn word(
    name: &'static str,
    args: &'static [ArgKind],
    example: &'static str,
    doc: &'static str,
) -> Signature {
    Signature {
        name,
        args,
        doc,
        example,
    }
}

const fn gives(gives: Gives, signature: Signature) -> Predicate {
    Predicate { signature, gives }
}

const VERBS: [Signature; 18] = [
    word(
        "boot",
        &[],
        "boot",
        "all initcalls, in order: the whole board comes up",
    ),
    word(
        "driver_register",
        &[Driver],
        "driver_register(client-drv)",
        "insmod: binds every device that matches",
    ),
    word(
        "delete_module",
        &[Driver],
        "delete_module(client-drv)",
        "rmmod of a client driver: no longer on the list, and its devices are unbound",
    ),
    word(
        "device_add",
        &[Device],
        "device_add(client0)",
        "the device appears: klist, ADD notifier, first bind",
    ),
    word(
        "device_del",
        &[Device],
        "device_del(client0)",
        "the device goes: unbind, REMOVED notifier",
    ),
    word(
        "device_attach",
        &[Device],
        "device_attach(client0)",
        "looks for a driver, as bus_probe_device does",
    ),
    word(
        "device_driver_attach",
        &[Driver, Device],
        "device_driver_attach(client-drv, client0)",
        "a write to the driver's bind file in sysfs",
    ),
    word(
        "device_release_driver",
        &[Device],
        "device_release_driver(client0)",
        "a write to the driver's unbind file in sysfs",
    ),
    word(
        "deferred_probe_work_func",
        &[],
        "deferred_probe_work_func",
        "the deferred-probe workqueue: runs whenever it is queued",
    ),
    word(
        "deferred_probe_initcall",
        &[],
        "deferred_probe_initcall",
        "the late initcall: retries, arms the timeout",
    ),
    word(
        "deferred_probe_timeout_work_func",
        &[],
        "deferred_probe_timeout_work_func",
        "deferred_probe_timeout has run out",
    ),
    word(
        "wait_for_device_probe",
        &[],
        "wait_for_device_probe",
        "waits as initcalls do that need devices: for deferred and asynchronous probes",
    ),
    word(
        "device_shutdown",
        &[],
        "device_shutdown",
        "the machine goes down: shutdown() of the drivers, the last device first",
    ),
    word(
        "iommu_domain_alloc",
        &[Device, Optional(&OneOf(ALLOCATED_BY))],
        "iommu_domain_alloc(client0)",
        "the device's driver looks for the ops of a domain of its own; \
         with `probe`, in its probe, under device_lock(); with `bound`, once it is bound",
    ),
    word(
        "vfio_open",
        &[Device],
        "vfio_open(client0)",
        "user space claims the group of a device that is bound to a vfio driver",
    ),
    word(
        "vfio_close",
        &[Device],
        "vfio_close(client0)",
        "user space gives it back",
    ),
    word(
        "iommu_device_register",
        &[Instance],
        "iommu_device_register(smmu0)",
        "puts the instance on the list and walks the buses, without its driver's probe around it",
    ),
    word(
        "iommu_device_unregister",
        &[Instance],
        "iommu_device_unregister(smmu0)",
        "takes the instance away",
    ),
];

const ALLOCATED_BY: &[&str] = &["probe", "bound"];

const WHEN: &[&str] = &["platform", "driver"];

const PREDICATES: [Predicate; 25] = [
    gives(
        Gives::Number,
        word(
            "of_xlate",
            &[Device, Optional(&OneOf(WHEN))],
            "of_xlate(client0, platform) = 1",
            "how often of_xlate was called for the device: in all, \
             or with `dev->driver` NULL or set",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "WARN",
            &[Device, Optional(&Text)],
            "WARN(client0, \"late IOMMU probe at driver bind\")",
            "a WARN for the device whose text contains this one; in brackets what the kernel does \
             not say",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "bound",
            &[Device, Optional(&Driver)],
            "bound(client0)",
            "has a driver, or this one",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "deferred",
            &[Device],
            "deferred(client0)",
            "is on one of the deferred-probe lists",
        ),
    ),
    gives(
        Gives::DeviceOrNone,
        word(
            "group",
            &[Device],
            "group(client0) = none",
            "its IOMMU group, named after the member that comes first on the board",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "same_group",
            &[Device, Device],
            "same_group(client0, client1)",
            "both are in one IOMMU group",
        ),
    ),
    gives(
        Gives::OneOf(&["direct", "iommu"]),
        word(
            "dma",
            &[Device],
            "dma(client0) = iommu",
            "where its DMA mappings come from",
        ),
    ),
    gives(
        Gives::OneOf(&["none", "direct", "iommu"]),
        word(
            "dma_at_probe",
            &[Device],
            "dma_at_probe(client0) = direct",
            "where its DMA mappings came from when its driver probed",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "dma_switched",
            &[Device],
            "dma_switched(client0)",
            "its DMA ops are not those that its driver probed with",
        ),
    ),
    gives(
        Gives::OneOf(&["none", "DMA", "blocked", "identity", "unmanaged"]),
        word(
            "domain",
            &[Device],
            "domain(client0) = DMA",
            "the domain that it is attached to, as sysfs calls it",
        ),
    ),
    gives(
        Gives::Number,
        word(
            "owner_cnt",
            &[Device],
            "owner_cnt(client0) = 1",
            "group->owner_cnt of its group: how many drivers of members use the DMA API",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "registered",
            &[Instance],
            "registered(smmu0)",
            "the instance is on iommu_device_list",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "oops",
            &[Optional(&Device)],
            "oops(client0)",
            "a task dereferenced what it must not, for this device",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "deadlock",
            &[],
            "deadlock",
            "tasks wait for each other, or one for itself",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "use_after_free",
            &[Optional(&Device)],
            "use_after_free(client0)",
            "a freed struct dev_iommu is used, of any device or of this one; \
             on ARM also a freed struct dma_iommu_mapping",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "double_free",
            &[Optional(&Device)],
            "double_free(client0)",
            "a struct dev_iommu or a map of DMA ranges is freed twice, of any device or of this one",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "leak",
            &[Optional(&Device)],
            "leak(client0)",
            "a struct dev_iommu, a map of DMA ranges or an owner of SYSMMUs to which nothing refers \
             at the end, of any device or of this one",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "dev_iommu",
            &[Device],
            "dev_iommu(client0)",
            "`dev->iommu` is set",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "dma_coherent",
            &[Device],
            "dma_coherent(client0)",
            "`dev->dma_coherent` is set",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "snoops",
            &[Device],
            "snoops(client0)",
            "its DMA sees the caches where it is mapped with IOMMU_CACHE: a fact of the board, by \
             itself or by a coherent SMMU that translates at stage 1",
        ),
    ),
    gives(
        Gives::OneOf(&["none", "arm", "iommu", "xen", "machine"]),
        word(
            "dma_ops",
            &[Device],
            "dma_ops(client0) = iommu",
            "`dev->dma_ops` on ARM: NULL, arm_dma_ops, iommu_ops, those of Xen or of the machine",
        ),
    ),
    gives(
        Gives::OneOf(&["none", "own", "shared"]),
        word(
            "mapping",
            &[Device],
            "mapping(client0) = shared",
            "the mapping that it is attached to on ARM: one of its own, or its IOMMU driver's",
        ),
    ),
    gives(
        Gives::Number,
        word(
            "mapping_refs",
            &[Instance],
            "mapping_refs(smmu0) = 2",
            "references to the mapping that an IOMMU driver on ARM shares; 0 if there is none",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "misfreed",
            &[Optional(&Device)],
            "misfreed(client0)",
            "on ARM, DMA memory is freed through other DMA ops than it was allocated from, or in \
             another mapping",
        ),
    ),
    gives(
        Gives::Truth,
        word(
            "violated",
            &[OneOf(&PROPERTIES), Optional(&Device)],
            "violated(I4, client0)",
            "an invariant that the checker knows is violated, for any device or for this one",
        ),
    ),
];

const CONFIG: [Signature; 7] = [
    word(
        "modules",
        &[OneOf(&["y", "n"])],
        "config modules n",
        "CONFIG_MODULES: without it, deferral ends at late init",
    ),
    word(
        "fw_devlink",
        &[OneOf(&["off", "on", "strict"])],
        "config fw_devlink strict",
        "fw_devlink=; `strict` is `on` with fw_devlink.strict=1",
    ),
    word(
        "deferred_probe_timeout",
        &[Number],
        "config deferred_probe_timeout 0",
        "seconds; 0: the timeout has run out",
    ),
    word(
        "async_memory",
        &[OneOf(&["y", "n"])],
        "config async_memory n",
        "`n`: async_schedule finds no memory and makes the call by itself",
    ),
    word(
        "arch",
        &[OneOf(&["arm64", "arm"])],
        "config arch arm",
        "`arm` is 32-bit ARM with CONFIG_ARM_DMA_USE_IOMMU, `arm64` the default",
    ),
    word(
        "xen",
        &[OneOf(&["y", "n"])],
        "config xen y",
        "on ARM: this is Xen's initial domain",
    ),
    word(
        "machine_notifier",
        &[OneOf(&["y", "n"])],
        "config machine_notifier y",
        "on ARM before v6.0: a bus notifier sets DMA ops, as mach-highbank and mach-mvebu do",
    ),
];

const DRIVER_OPTIONS: [Signature; 8] = [
    word(
        "async",
        &[],
        "driver client-drv : async",
        "PROBE_PREFER_ASYNCHRONOUS",
    ),
    word(
        "managed-dma",
        &[],
        "driver client-drv : managed-dma",
        "driver_managed_dma, as vfio drivers have it",
    ),
    word(
        "probe",
        &[Errno],
        "driver client-drv on client0 : probe=-EPROBE_DEFER",
        "what the driver's probe returns, instead of 0",
    ),
    word(
        "vfio",
        &[],
        "driver client-drv : vfio",
        "a vfio driver: it wants a group and a coherent IOMMU, and manages DMA by itself",
    ),
    word(
        "registers",
        &[Driver],
        "driver arm-smmu-v3 : registers=client-drv",
        "the driver that its probe registers, if that is not registered yet",
    ),
    word(
        "configures",
        &[Device],
        "driver client-drv on client0 : configures=client1",
        "its probe calls of_dma_configure() for this device too, which is somebody else's",
    ),
    word(
        "stage2",
        &[],
        "driver arm-smmu-v3 : stage2",
        "the SMMU has stage 2 of translation alone",
    ),
    word(
        "managed-memory",
        &[],
        "driver client-drv : managed-memory",
        "on ARM: its probe gets memory from dmam_alloc_coherent()",
    ),
];

/// The invariants that the checker knows by name: [`crate::runner::invariants::ALL`].
const PROPERTIES: [&str; 24] = [
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "I15",
    "I16", "I17", "I18", "I19", "I20", "I21", "I22", "I23", "I24",
];
