//! drivers/iommu/exynos-iommu.c: SYSMMUs of Exynos. A client can have several, each an instance of
//! its own; its `struct exynos_iommu_owner`, which `dev->iommu->priv` points to, lists them. Follows
//! v6.12 and v7.2, which agree here. What its probe does is in [`super::generic`].
//!
//! Nobody frees an owner: dev_iommu_free() knows nothing of it, and exynos_iommu_release_device()
//! takes the links away alone. With its `struct dev_iommu` it is lost.
//!
//! Left out: domains and page tables, the links to the SYSMMUs (stateless, for runtime PM), and
//! the list of an owner that was lost, in which a SYSMMU stays linked until the next of_xlate.

use crate::board::{Board, DeviceDescription};
use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::ENODEV;
use crate::ids::{DeviceId, InstanceId};
use crate::iommu::generic::GenericIommu;
use crate::kernel::{DEV_IOMMU_SLOTS, Kernel};
use checker::heap::Handle;
use checker::layout::Layout;
use checker::sync::{Ghost, Shared};

/// What a client of SYSMMUs has besides.
#[derive(Clone, Debug)]
pub(crate) struct Owners {
    /// `owner->controllers`, for each `struct dev_iommu` that can point to an owner: a bit for each
    /// instance. The first entry is `priv` of that.
    controllers: [Shared<u64>; DEV_IOMMU_SLOTS],
    /// An owner was lost.
    lost: Ghost<bool>,
    /// Its probe_device() ran with an owner that does not list all of its SYSMMUs.
    partial: Ghost<bool>,
}

impl Owners {
    /// Those of a device, if it is behind a SYSMMU.
    pub(crate) fn new(l: &mut Layout, d: &DeviceDescription, board: &Board) -> Option<Self> {
        let mut instances = d.iommus.iter().filter_map(|spec| spec.instance);
        instances.any(|i| is_sysmmu(board, i)).then(|| Self {
            controllers: std::array::from_fn(|_| Shared::new(l, &d.name, "owner->controllers", 0)),
            lost: Ghost::new(l, &d.name, "struct exynos_iommu_owner lost", false),
            partial: Ghost::new(l, &d.name, "probed with a part of its SYSMMUs", false),
        })
    }

    /// Whether an owner was lost, for the outcome.
    pub(crate) fn lost(&self) -> bool {
        self.lost.peek()
    }

    /// Whether it was probed with a part of its SYSMMUs, for the outcome.
    pub(crate) fn partial(&self) -> bool {
        self.partial.peek()
    }
}

/// Whether an instance is one of exynos-iommu.c.
pub(crate) fn is_sysmmu(board: &Board, instance: InstanceId) -> bool {
    board.instances[instance.index()].kind == Kind::Generic(GenericIommu::ExynosSysmmu)
}

impl Kernel {
    /// exynos_iommu_of_xlate()
    pub(crate) fn exynos_iommu_of_xlate(&self, dev: DeviceId, instance: InstanceId) -> i32 {
        let device = self.device(dev);
        let Some(pointer) = device.iommu.read_once() else {
            self.oops(dev, "dev_iommu_priv_get: dev->iommu is NULL")
        };
        let private = self.dev_iommu(dev, pointer).private;
        let has_owner = private.read_once().is_some();
        if !self.device(self.hwdev(instance)).driver_data.read_once() {
            return -ENODEV;
        }
        let controllers = self.controllers(dev, pointer);
        let bit = 1_u64 << instance.index();
        let known = if has_owner {
            controllers.read_once()
        } else {
            private.write_once(Some(instance));
            self.controllers_of_kept_owner(dev)
        };
        if known & bit == 0 {
            controllers.write_once(known | bit);
            // The node is in one list at most, whoever's it was in before.
            self.owner_node(instance).write_once(Some(dev));
        }
        0
    }

    /// exynos_iommu_probe_device(): goes through the owner's list, and takes the first.
    pub(crate) fn exynos_iommu_probe_device(&self, dev: DeviceId) -> Result<InstanceId, i32> {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "dev_iommu_priv_get: dev->iommu is NULL")
        };
        let first = self.dev_iommu(dev, pointer).private.read_once();
        let first = first.ok_or(-ENODEV)?;
        let listed = self.controllers(dev, pointer).read_once();
        let is_listed = |i: &InstanceId| listed & (1 << i.index()) != 0;
        for instance in self.board.instance_ids().filter(is_listed) {
            if self.owner_node(instance).read_once() != Some(dev) {
                self.oops(
                    dev,
                    "exynos_iommu_probe_device: owner->controllers runs into the list of another owner",
                )
            }
        }
        let wanted = self.description(dev).iommus.iter();
        let wanted = wanted.filter_map(|spec| spec.instance);
        if !wanted.into_iter().all(|i| is_listed(&i))
            && let Some(owners) = &self.device(dev).exynos_owners
        {
            owners.partial.set(true);
        }
        Ok(first)
    }

    /// A `struct dev_iommu` goes, and nobody else knows the owner that it pointed to.
    pub(crate) fn exynos_owner_lost(&self, dev: DeviceId, pointer: Handle) {
        let device = self.device(dev);
        let Some(owners) = &device.exynos_owners else {
            return;
        };
        let slot = pointer.slot as usize;
        let is_kept = self.has(commit::EXYNOS_KEEPS_OWNER);
        if !is_kept && device.dev_iommu[slot].private.monitor().is_some() {
            owners.lost.set(true);
        }
    }

    /// What is in the list of the owner that a client had: known with `exynos-keeps-owner` alone.
    fn controllers_of_kept_owner(&self, dev: DeviceId) -> u64 {
        if !self.has(commit::EXYNOS_KEEPS_OWNER) {
            return 0;
        }
        let sysmmus = self.board.instance_ids();
        let sysmmus = sysmmus.filter(|i| is_sysmmu(&self.board, *i));
        let its = sysmmus.filter(|i| self.owner_node(*i).read_once() == Some(dev));
        its.fold(0, |bits, i| bits | 1 << i.index())
    }

    fn controllers(&self, dev: DeviceId, pointer: Handle) -> Shared<u64> {
        let owners = self.device(dev).exynos_owners.as_ref();
        let owners = owners.expect("only clients of SYSMMUs come here");
        owners.controllers[pointer.slot as usize]
    }

    /// `data->owner_node`: whose list it was added to last.
    fn owner_node(&self, instance: InstanceId) -> Shared<Option<DeviceId>> {
        let node = self.instance(instance).owner_node;
        node.expect("only SYSMMUs come here")
    }
}
