//! What a run of the kernel comes to: the part that is compared.
//!
//! Only what a person could see from outside: of_xlate calls, drivers, groups, domains, DMA ops,
//! warnings. Groups are named by their members, not by number, so that two runs that differ only
//! in the order of numbers are the same outcome.

use crate::arm::archdata::{DmaOps, MappingOwner};
use crate::arm::finalize::Finalized;
use crate::board::IommuSpec;
use crate::drivers::catalogue::Kind;
use crate::ids::{DeviceId, Domain, DriverId, GroupId};
use crate::iommu::exynos_iommu::Owners;
use crate::kernel::{DeviceFlag, Kernel, Warn};

/// How a run ended, for everything on the board.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    /// Devices that name an IOMMU, in the board's order.
    pub clients: Vec<DeviceOutcome>,
    /// All other devices that a driver of the model can bind to.
    pub others: Vec<DeviceOutcome>,
    /// Instances that are registered, by device.
    pub registered: Vec<DeviceId>,
    /// Groups that have members.
    pub groups: Vec<GroupOutcome>,
    /// Drivers that are registered.
    pub drivers: Vec<DriverId>,
}

/// How a run ended for one device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of the kernel and notes of monitors, each by itself"
)]
pub struct DeviceOutcome {
    /// Which device.
    pub device: DeviceId,
    /// of_xlate calls while it had no driver.
    pub xlate_platform: u64,
    /// of_xlate calls while `dev->driver` was set.
    pub xlate_driver: u64,
    /// The driver that is bound to it.
    pub driver: Option<DriverId>,
    /// It waits on a deferred list.
    pub deferred: bool,
    /// It has a group.
    pub grouped: bool,
    /// Length of `fwspec->ids`, if it has a fwspec.
    pub fwspec_ids: Option<u64>,
    /// `dma_iommu`
    pub dma_iommu: bool,
    /// What `dma_iommu` was when its driver probed, if one did.
    pub probed_with_iommu: Option<bool>,
    /// Bits of [`Warn`].
    pub warns: u64,
    /// Use after free and double free of its `struct dev_iommu`
    /// ([`checker::heap::USE_AFTER_FREE`], [`checker::heap::DOUBLE_FREE`]).
    pub faults: u64,
    /// `struct dev_iommu` objects that nothing points to.
    pub leaked: u64,
    /// exynos-iommu.c lost a `struct exynos_iommu_owner` of it.
    pub owner_lost: bool,
    /// exynos-iommu.c probed it with a part of its SYSMMUs.
    pub probed_in_part: bool,
    /// It is on its bus's list: added, and not removed since.
    pub on_bus: bool,
    /// Its IOMMU's driver does not want it (`devices_allowlist` of ipmmu-vmsa).
    pub refused: bool,
    /// `dev->iommu` is set.
    pub has_dev_iommu: bool,
    /// `dma_coherent`
    pub dma_coherent: bool,
    /// It joined its group when a client of the same instance that was added before it had none.
    pub overtook: bool,
    /// Its driver probed before BUS_NOTIFY_ADD_DEVICE was over.
    pub probed_unnotified: bool,
    /// Its bus's dma_configure looked for `driver_managed_dma` where there is no driver.
    pub null_driver: bool,
    /// What there is on 32-bit ARM besides.
    pub arm: Option<ArmOutcome>,
    /// vfio has refused it.
    pub vfio_refused: bool,
    /// vfio has, and would not now.
    pub vfio_refused_early: bool,
    /// Whether its group was complete when its driver probed, if others belong into it.
    pub group_complete: Option<bool>,
    /// Its `dma_range_map`, if there are `dma-ranges`.
    pub range_map: Option<RangeMapOutcome>,
}

/// `dev->dma_range_map` at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RangeMapOutcome {
    /// It is set, to a map that was not freed.
    pub is_valid: bool,
    /// One was freed twice: bits of [`checker::heap`].
    pub faults: u64,
    /// Maps that nothing points to.
    pub leaked: u64,
}

/// How a run ended for one device on 32-bit ARM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArmOutcome {
    /// `dev->dma_ops`
    pub dma_ops: Option<DmaOps>,
    /// Whose mapping it is attached to.
    pub mapping: Option<MappingOwner>,
    /// `mmu->mapping` of an IOMMU's device: references to the shared mapping, 0 if it was freed.
    pub references: Option<u64>,
    /// `dma_ops_setup`
    pub dma_ops_setup: bool,
    /// arch_teardown_dma_ops() was called.
    pub torn_down: bool,
    /// Bits of [`Asymmetry`](crate::arm::symmetry::Asymmetry).
    pub asymmetry: u64,
    /// It used a mapping that was freed: bits of [`checker::heap`].
    pub faults: u64,
    /// How often, and when, probe_finalize() was called.
    pub finalized: Finalized,
    /// Its driver's memory was freed through other DMA ops, or in another mapping.
    pub misfreed: bool,
}

impl DeviceOutcome {
    /// Whether this splat was in the log.
    pub fn warned(&self, warn: Warn) -> bool {
        self.warns & warn as u64 != 0
    }

    /// Whether the DMA API changed hands under the bound driver: what it mapped in its probe is
    /// not where it looks for it now.
    pub fn dma_ops_switched(&self) -> bool {
        self.driver.is_some()
            && self
                .probed_with_iommu
                .is_some_and(|then| then != self.dma_iommu)
    }
}

/// How a run ended for one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupOutcome {
    /// In the order in which they were added.
    pub members: Vec<DeviceId>,
    /// `default_domain`
    pub default_domain: Option<Domain>,
    /// `domain`
    pub domain: Option<Domain>,
    /// `owner_cnt`
    pub owner_cnt: u64,
    /// `owner`: whether user space has claimed it.
    pub owner: bool,
}

impl Outcome {
    /// The outcome of one device, if it is one that the model follows.
    pub fn device(&self, dev: DeviceId) -> Option<&DeviceOutcome> {
        self.clients
            .iter()
            .chain(&self.others)
            .find(|d| d.device == dev)
    }

    /// The group that a device is in.
    pub fn group_of(&self, dev: DeviceId) -> Option<&GroupOutcome> {
        self.groups.iter().find(|g| g.members.contains(&dev))
    }
}

impl Kernel {
    pub(crate) fn read_outcome(&self) -> Outcome {
        let deferred: Vec<DeviceId> = [
            self.globals.deferred_probe_pending_list,
            self.globals.deferred_probe_active_list,
        ]
        .iter()
        .flat_map(|l| l.peek())
        .collect();
        let read = |dev| self.read_device(dev, deferred.contains(&dev));
        let is_client = |dev: &DeviceId| !self.description(*dev).iommus.is_empty();
        let is_other =
            |dev: &DeviceId| !is_client(dev) && !self.description(*dev).drivers.is_empty();
        let mut groups: Vec<GroupOutcome> = (0..self.groups.len() as u16)
            .filter_map(|g| self.read_group(GroupId(g)))
            .collect();
        groups.sort();
        let mut registered: Vec<DeviceId> = self
            .globals
            .iommu_device_list
            .peek()
            .into_iter()
            .map(|i| self.hwdev(i))
            .collect();
        registered.sort();
        let mut drivers = self.globals.klist_drivers.peek();
        drivers.sort();
        Outcome {
            clients: self
                .board
                .device_ids()
                .filter(is_client)
                .map(read)
                .collect(),
            others: self.board.device_ids().filter(is_other).map(read).collect(),
            registered,
            groups,
            drivers,
        }
    }

    fn read_device(&self, dev: DeviceId, deferred: bool) -> DeviceOutcome {
        let device = self.device(dev);
        let pointer = device.iommu.read_once();
        let bound = device.bound.read_once();
        let vfio_refused = device.vfio_refused.peek();
        let dev_iommu = pointer.map(|p| &device.dev_iommu[p.slot as usize]);
        DeviceOutcome {
            device: dev,
            xlate_platform: device.xlate_platform.peek(),
            xlate_driver: device.xlate_driver.peek(),
            driver: device.driver.read_once().filter(|_| bound),
            deferred,
            grouped: device.iommu_group.read_once().is_some(),
            fwspec_ids: dev_iommu.and_then(|d| d.fwspec.read_once().map(|_| d.num_ids.read_once())),
            dma_iommu: match &device.archdata {
                Some(archdata) => archdata.dma_ops.read_once() == Some(DmaOps::Iommu),
                None => self.test_flag(dev, DeviceFlag::DmaIommu),
            },
            probed_with_iommu: device.probed_with.peek(),
            warns: device.warns.peek(),
            faults: device.dev_iommu_heap.faults(),
            leaked: device
                .dev_iommu_heap
                .live()
                .saturating_sub(u64::from(pointer.is_some())),
            probed_in_part: device.exynos_owners.as_ref().is_some_and(Owners::partial),
            owner_lost: device.exynos_owners.as_ref().is_some_and(Owners::lost),
            on_bus: self.globals.klist_devices.peek().contains(&dev),
            refused: self.refuses(dev),
            has_dev_iommu: pointer.is_some(),
            dma_coherent: self.test_flag(dev, DeviceFlag::DmaCoherent),
            overtook: device.overtook.peek(),
            probed_unnotified: device.probed_unnotified.peek(),
            null_driver: device.null_driver.peek(),
            arm: self.is_arm32().then(|| self.read_archdata(dev)),
            vfio_refused,
            vfio_refused_early: vfio_refused
                && device.iommu_group.read_once().is_some()
                && self.device_iommu_capable(dev),
            group_complete: device.group_complete.peek(),
            range_map: device.dma_range_maps.map(|maps| {
                let map = device.dma_range_map.read_once();
                RangeMapOutcome {
                    is_valid: map.is_some_and(|map| maps.is_live(map)),
                    faults: maps.faults(),
                    leaked: maps.live().saturating_sub(u64::from(map.is_some())),
                }
            }),
        }
    }

    fn read_archdata(&self, dev: DeviceId) -> ArmOutcome {
        let archdata = self.archdata(dev);
        let instance = self.description(dev).instance;
        let shared = instance.map(|i| self.mmu_mapping(i));
        ArmOutcome {
            dma_ops: archdata.dma_ops.read_once(),
            mapping: archdata.mapping.read_once().map(|m| m.owner),
            references: shared
                .filter(|m| m.mapping.read_once().is_some())
                .map(|m| m.mappings.references()),
            dma_ops_setup: archdata.dma_ops_setup.read_once(),
            torn_down: archdata.symmetry.torn_down.peek(),
            asymmetry: archdata.symmetry.broken.peek(),
            faults: archdata.faults.peek(),
            finalized: self.read_finalized(dev),
            misfreed: archdata.misfreed.peek(),
        }
    }

    /// Whether the driver of one of its IOMMUs has it on no list of devices that it wants.
    pub(crate) fn refuses(&self, dev: DeviceId) -> bool {
        let kind = |spec: &IommuSpec| Some(self.board.instances[spec.instance?.index()].kind);
        self.description(dev)
            .iommus
            .iter()
            .any(|s| kind(s) == Some(Kind::IpmmuVmsa) && !self.ipmmu_device_is_allowed(dev))
    }

    fn read_group(&self, id: GroupId) -> Option<GroupOutcome> {
        let group = self.group(id);
        let members = group.devices.peek();
        (!members.is_empty()).then(|| GroupOutcome {
            members,
            default_domain: group.default_domain.read_once().map(Domain::seen),
            domain: group.domain.read_once().map(Domain::seen),
            owner_cnt: group.owner_cnt.read_once(),
            owner: group.owner.read_once(),
        })
    }
}
