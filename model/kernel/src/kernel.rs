//! One kernel: its revision, its configuration, the board, and the handles of all its state.

use crate::arm::archdata::{Archdata, MmuMapping};
use crate::asked::Asked;
use crate::base::deferred::TriggerCount;
use crate::board::{Board, DeviceDescription};
use crate::commit::CommitId;
use crate::config::{Arch, Config};
use crate::drivers::catalogue::Kind;
use crate::ids::{
    DeviceId, Domain, DriverId, FwnodeId, GroupId, InstanceId, LinkId, LinkState, LinksStatus,
};
use crate::iommu::exynos_iommu::Owners;
use crate::iommu::generic::GenericIommu;
use crate::model::{Start, Task};
use crate::pci::PciDev;
use crate::revision::Revision;
use checker::heap::{Handle, Heap, Pointer};
use checker::layout::Layout;
use checker::list::List;
use checker::sync::{Ghost, Mutex, Plain, RwSem, Shared, SpinLock, WaitGroup};
use checker::task::{self, Return};

/// dev_iommu objects that one device can have at once. Two only in races; a third shows a leak.
pub(crate) const DEV_IOMMU_SLOTS: usize = 4;

/// Maps of DMA ranges that one device can have at once: that of the walk, that of a bind, and one
/// that nobody points to any more.
const DMA_RANGE_MAP_SLOTS: usize = 4;

/// Groups that one device or instance can have at once.
pub(crate) const GROUP_SLOTS: u16 = 2;

/// Bits of `struct device`, in the shared word or in `dev->flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum DeviceFlag {
    /// `can_match`
    CanMatch = 1,
    /// `dma_iommu`
    DmaIommu = 2,
    /// `dma_coherent`
    DmaCoherent = 4,
    /// `ready_to_probe`
    ReadyToProbe = 8,
}

impl DeviceFlag {
    const ALL: [DeviceFlag; 4] = [
        DeviceFlag::CanMatch,
        DeviceFlag::DmaIommu,
        DeviceFlag::DmaCoherent,
        DeviceFlag::ReadyToProbe,
    ];

    /// As the kernel calls it.
    fn name(self) -> &'static str {
        match self {
            DeviceFlag::CanMatch => "dev->can_match",
            DeviceFlag::DmaIommu => "dev->dma_iommu",
            DeviceFlag::DmaCoherent => "dev->dma_coherent",
            DeviceFlag::ReadyToProbe => "dev->ready_to_probe",
        }
    }
}

/// Splats of one device, as bits of `Device::warns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Warn {
    /// "late IOMMU probe at driver bind, something fishy here!"
    LateProbe = 1,
    /// WARN_ON(!group->owner_cnt) and its like.
    OwnerCnt = 2,
    /// arm_smmu_probe_device() found `priv` set.
    PrivSet = 4,
    /// The task died in an oops.
    Oops = 8,
    /// iommu_setup_dma_ops() found no domain in the group (before b67483b3c44e).
    RetainsOps = 16,
    /// No splat but what the model sees: ops->probe_device() of the device runs twice at once.
    ProbesAtOnce = 32,
    /// No splat either: ops->attach_dev() of the device runs twice at once.
    AttachesAtOnce = 64,
    /// No splat either: the device is attached to another domain than its group has.
    OtherDomain = 128,
    /// No splat either: init_iova_domain() of a domain runs twice.
    IovaTwice = 256,
}

impl Warn {
    /// All, in the order of their bits.
    pub const ALL: [Warn; 9] = [
        Warn::LateProbe,
        Warn::OwnerCnt,
        Warn::PrivSet,
        Warn::Oops,
        Warn::RetainsOps,
        Warn::ProbesAtOnce,
        Warn::AttachesAtOnce,
        Warn::OtherDomain,
        Warn::IovaTwice,
    ];

    /// What the log says; in brackets where the kernel says nothing.
    pub fn text(self) -> &'static str {
        match self {
            Warn::LateProbe => "late IOMMU probe at driver bind, something fishy here!",
            Warn::OwnerCnt => "WARN_ON(!group->owner_cnt)",
            Warn::PrivSet => "WARN_ON_ONCE(dev_iommu_priv_get(dev))",
            Warn::Oops => "Oops",
            Warn::RetainsOps => "Failed to set up IOMMU; retaining platform DMA ops",
            Warn::ProbesAtOnce => "[probe_device() runs twice at once]",
            Warn::AttachesAtOnce => "[attach_dev() runs twice at once]",
            Warn::OtherDomain => "[attached to another domain than its group's]",
            Warn::IovaTwice => "[init_iova_domain() runs twice]",
        }
    }
}

/// `struct dev_iommu`, with the fwspec that it points to.
#[derive(Clone, Copy, Debug)]
pub struct DevIommu {
    /// `fwspec`: NULL, or the IOMMU node that it is for (`fwspec->iommu_fwnode`).
    pub fwspec: Shared<Option<FwnodeId>>,
    /// `fwspec->num_ids`
    pub num_ids: Shared<u64>,
    /// `iommu_dev`
    pub iommu_dev: Shared<Option<InstanceId>>,
    /// `priv`, as far as the model needs it: the instance that a driver put there.
    pub private: Shared<Option<InstanceId>>,
}

/// `struct device` and its `struct device_private`.
#[derive(Clone, Debug)]
pub struct Device {
    /// `dev_name()`
    pub name: String,
    /// `dev->mutex`: device_lock()
    pub mutex: Mutex,
    /// `dev->driver`
    pub driver: Shared<Option<DriverId>>,
    /// `dev->iommu`
    pub iommu: Pointer,
    /// The objects that it points to.
    pub(crate) dev_iommu_heap: Heap,
    pub(crate) dev_iommu: [DevIommu; DEV_IOMMU_SLOTS],
    /// What exynos-iommu.c keeps of it, if it is behind a SYSMMU.
    pub(crate) exynos_owners: Option<Owners>,
    /// `dev->iommu_group`
    pub iommu_group: Shared<Option<GroupId>>,
    /// `dev->dma_range_map`
    pub dma_range_map: Pointer,
    /// The maps that it points to, where there are `dma-ranges`.
    pub(crate) dma_range_maps: Option<Heap>,
    /// Bitfield flags that share a word: a plain read and a plain write each.
    pub(crate) bitfield: Plain<u64>,
    /// `dev->flags`: atomic bits, a cell each, in the order of [`DeviceFlag::ALL`]. Nobody looks
    /// at two of them at once.
    pub(crate) flags: [Shared<bool>; 4],
    /// dev_get_drvdata(): whether it is set.
    pub driver_data: Shared<bool>,
    /// `p->dead`
    pub(crate) dead: Plain<bool>,
    /// `p->async_driver`
    pub(crate) async_driver: Plain<Option<DriverId>>,
    /// `klist_node_attached(&p->knode_driver)`: device_is_bound()
    pub(crate) bound: Shared<bool>,
    /// `links.status`
    pub(crate) links_status: Plain<LinksStatus>,
    /// `fwnode->dev` is set: links to it can be made.
    pub(crate) fwnode_dev: Plain<bool>,
    /// of_xlate calls with dev->driver NULL.
    pub(crate) xlate_platform: Ghost<u64>,
    /// of_xlate calls with dev->driver set.
    pub(crate) xlate_driver: Ghost<u64>,
    /// Bits of [`Warn`].
    pub(crate) warns: Ghost<u64>,
    /// Whether the DMA API went through the IOMMU when the driver probed; `None` if none did.
    pub(crate) probed_with: Ghost<Option<bool>>,
    /// BUS_NOTIFY_ADD_DEVICE is over: for a monitor alone, the kernel has no such flag.
    pub(crate) notified: Shared<bool>,
    /// Its driver probed before that.
    pub(crate) probed_unnotified: Ghost<bool>,
    /// It joined its group before a client of the same instance that was added earlier.
    pub(crate) overtook: Ghost<bool>,
    /// Its bus's dma_configure looked for `driver_managed_dma` where there is no driver.
    pub(crate) null_driver: Ghost<bool>,
    /// vfio has refused it.
    pub(crate) vfio_refused: Ghost<bool>,
    /// Whether all that belong into its group were there when its driver probed; `None` if it is alone
    /// in the group, or had none.
    pub(crate) group_complete: Ghost<Option<bool>>,
    /// How many tasks are in ops->probe_device() for it. The cell is the model's own, and used
    /// where iommu/legacy.rs is.
    pub(crate) probing: Shared<u64>,
    /// How many are in ops->attach_dev().
    pub(crate) attaching: Shared<u64>,
    /// arm-smmu.c: `s2crs[].group` of its stream, kept with the device that brought it.
    pub(crate) s2cr_group: Shared<Option<GroupId>>,
    /// `dma_ops` and `archdata`, on 32-bit ARM.
    pub archdata: Option<Archdata>,
    /// `to_pci_dev()`, of a function that a host bridge finds.
    pub(crate) pci: Option<PciDev>,
    /// What its driver's own probe returns.
    pub(crate) probe_result: i32,
}

impl Device {
    /// The cell of a flag that is an atomic bit.
    fn flag(&self, flag: DeviceFlag) -> Shared<bool> {
        self.flags[(flag as u64).trailing_zeros() as usize]
    }
}

/// `struct iommu_group`.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// References to `devices_kobj`; 0 while the group is not allocated.
    pub(crate) references: Shared<u64>,
    /// `mutex`
    pub mutex: Mutex,
    /// `devices`
    pub devices: List<DeviceId>,
    /// `default_domain`
    pub default_domain: Shared<Option<Domain>>,
    /// `domain`
    pub domain: Shared<Option<Domain>>,
    /// `owner_cnt`
    pub owner_cnt: Shared<u64>,
    /// `owner`: whether it is set.
    pub(crate) owner: Shared<bool>,
    /// `entry` is on a walk's list.
    pub(crate) entry: Shared<bool>,
    /// How many domains were allocated for it, in iommu/legacy.rs.
    pub(crate) domains: Shared<u64>,
    /// `mutex` of its domain's iommu_dma_cookie (since ac9a5d522bb8).
    pub(crate) cookie_mutex: Mutex,
    /// `iovad->start_pfn` of that is set.
    pub(crate) start_pfn: Shared<bool>,
    /// How often init_iova_domain() has begun there.
    pub(crate) iova_inits: Shared<u64>,
}

/// `struct iommu_device`, and what belongs to its registration.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    /// Its fwnode is on rimt_fwnode_list.
    pub(crate) rimt_fwnode: Shared<bool>,
    /// `ready` (since da33e87bd2bf)
    pub ready: Shared<bool>,
    /// `singleton_group`
    pub(crate) singleton_group: Shared<Option<GroupId>>,
    /// bus_iommu_probe()'s `group_list`, on the stack of whoever registers the instance.
    pub(crate) group_list: List<GroupId>,
    /// arm-smmu.c: `stream_map_mutex`
    pub(crate) stream_map_mutex: Mutex,
    /// mtk_iommu.c: the instance is on its `hw_list`.
    pub(crate) hw_list: Shared<bool>,
    /// exynos-iommu.c: `data->owner_node`, as the client in whose owner's list it is.
    pub(crate) owner_node: Option<Shared<Option<DeviceId>>>,
    /// ipmmu-vmsa's `mmu->mapping`, on 32-bit ARM.
    pub mmu_mapping: Option<MmuMapping>,
}

/// `struct device_driver` and its `struct driver_private`.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// `p->klist_devices`: what is bound to it.
    pub(crate) klist_devices: List<DeviceId>,
    /// References to `p->knode_bus`, besides that of the list itself, where a task unloads the
    /// driver: klist_remove() waits for them.
    pub(crate) knode_bus: Option<WaitGroup>,
}

/// Global state.
#[derive(Clone, Copy, Debug)]
pub struct Globals {
    /// iommu_probe_device_lock
    pub(crate) iommu_probe_device_lock: Mutex,
    /// iommu_device_lock
    pub(crate) iommu_device_lock: SpinLock,
    /// iommu_device_list
    pub(crate) iommu_device_list: List<InstanceId>,
    /// `bus->iommu_ops` (before 17de3f5fdd35): whether they are set.
    pub(crate) bus_iommu_ops: Shared<bool>,
    /// The buses' `klist_devices`, both in one in order of addition; each device knows its bus.
    pub(crate) klist_devices: List<DeviceId>,
    /// The buses' `klist_drivers`.
    pub(crate) klist_drivers: List<DriverId>,
    /// `platform_bus.mutex`: the parent of devices that have none on the board.
    pub(crate) platform_bus: Mutex,
    /// The buses' notifier chain.
    pub(crate) bus_notifier: RwSem,
    /// There is something on it: iommu_bus_notifier(), since iommu_subsys_init().
    pub(crate) bus_notifier_head: Shared<bool>,
    /// deferred_probe_mutex
    pub(crate) deferred_probe_mutex: Mutex,
    /// deferred_probe_pending_list
    pub(crate) deferred_probe_pending_list: List<DeviceId>,
    /// deferred_probe_active_list
    pub(crate) deferred_probe_active_list: List<DeviceId>,
    /// deferred_trigger_count, see [`TriggerCount`]
    pub(crate) deferred_trigger_count: TriggerCount,
    /// driver_deferred_probe_enable
    pub(crate) driver_deferred_probe_enable: Shared<bool>,
    /// initcalls_done
    pub(crate) initcalls_done: Shared<bool>,
    /// driver_deferred_probe_timeout
    pub(crate) driver_deferred_probe_timeout: Shared<u32>,
    /// deferred_probe_work
    pub(crate) deferred_probe_work: Work,
    /// device_links_lock
    pub(crate) device_links_lock: Mutex,
    /// fwnode_link_lock
    pub(crate) fwnode_link_lock: Mutex,
    /// entry_count of the async domain.
    pub(crate) async_entry_count: WaitGroup,
    /// rockchip-iommu's dma_dev: whether it is set.
    pub(crate) rk_dma_dev: Shared<bool>,
    /// pci_acs_enable
    pub(crate) pci_acs_enable: Plain<bool>,
}

/// A `struct work_struct` with a worker of its own: a work item never runs beside itself.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Whether it is queued, and whether it runs.
    pub(crate) state: Shared<u64>,
}

/// A kernel, laid out and ready to run.
#[derive(Debug)]
pub struct Kernel {
    revision: Revision,
    pub(crate) config: Config,
    pub(crate) board: Board,
    pub(crate) layout: Layout,
    pub(crate) devices: Vec<Device>,
    pub(crate) groups: Vec<Group>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) drivers: Vec<Driver>,
    pub(crate) links: Vec<Plain<LinkState>>,
    pub(crate) globals: Globals,
    pub(crate) start: Start,
    /// Which commits the model has asked for.
    pub asked: Asked,
}

impl Kernel {
    /// Lays out a kernel of this revision on this board.
    pub fn new(revision: Revision, config: Config, board: Board, start: Start) -> Self {
        let mut layout = Layout::new();
        let globals = lay_out_globals(&mut layout, &board, &config);
        let devices = board
            .devices
            .iter()
            .map(|d| lay_out_device(&mut layout, d, &board, &config))
            .collect();
        let groups = group_names(&board)
            .iter()
            .map(|name| lay_out_group(&mut layout, name, &board))
            .collect();
        let instances = board.instances.iter().map(|i| {
            let name = board.devices[i.device.index()].name.clone();
            lay_out_instance(&mut layout, &name, i.kind, &board, &config)
        });
        let instances = instances.collect();
        let capacity = board.devices.len() * 2;
        let drivers = board.drivers.iter().map(|d| Driver {
            klist_devices: List::new(&mut layout, d.info.name, "drv->p->klist_devices", capacity),
            knode_bus: start
                .unloads(board.driver_by_name(d.info.name))
                .then(|| WaitGroup::new(&mut layout, d.info.name, "drv->p->knode_bus")),
        });
        let drivers = drivers.collect();
        let links = board.links.iter().map(|l| {
            let consumer = &board.devices[l.consumer.index()].name;
            let state = if l.by_fw_devlink {
                LinkState::Fwnode
            } else {
                LinkState::Gone
            };
            Plain::new(&mut layout, consumer, "link->status", state)
        });
        let links = links.collect();
        Self {
            revision,
            config,
            board,
            layout,
            devices,
            groups,
            instances,
            drivers,
            links,
            globals,
            start,
            asked: Asked::new(),
        }
    }

    /// Whether this kernel has a commit.
    pub fn has(&self, commit: CommitId) -> bool {
        let has = self.revision.has(commit);
        self.asked.note(commit, has);
        has
    }

    /// Its revision.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The board.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// A device's state.
    pub fn device(&self, dev: DeviceId) -> &Device {
        &self.devices[dev.index()]
    }

    /// A device as its node describes it.
    pub fn description(&self, dev: DeviceId) -> &DeviceDescription {
        &self.board.devices[dev.index()]
    }

    pub(crate) fn group(&self, group: GroupId) -> &Group {
        &self.groups[group.index()]
    }

    pub(crate) fn instance(&self, instance: InstanceId) -> &Instance {
        &self.instances[instance.index()]
    }

    /// The device behind an instance: `iommu->dev->parent`.
    pub(crate) fn hwdev(&self, instance: InstanceId) -> DeviceId {
        self.board.instances[instance.index()].device
    }

    pub(crate) fn link(&self, link: LinkId) -> Plain<LinkState> {
        self.links[link.index()]
    }

    /// `dev->iommu` as an object: the access is checked for use after free.
    pub(crate) fn dev_iommu(&self, dev: DeviceId, pointer: Handle) -> &DevIommu {
        let device = self.device(dev);
        device.dev_iommu_heap.check(pointer);
        &device.dev_iommu[pointer.slot as usize]
    }

    /// The groups that belong to a device: those that generic_device_group() can give it.
    #[expect(clippy::unused_self, reason = "the twin of groups_of_instance()")]
    pub(crate) fn groups_of_device(&self, dev: DeviceId) -> impl Iterator<Item = GroupId> + use<> {
        let first = dev.0 * GROUP_SLOTS;
        (first..first + GROUP_SLOTS).map(GroupId)
    }

    /// The groups that belong to an instance: those that generic_single_device_group() can give.
    pub(crate) fn groups_of_instance(
        &self,
        instance: InstanceId,
    ) -> impl Iterator<Item = GroupId> + use<> {
        let first = (self.board.devices.len() as u16 + instance.0) * GROUP_SLOTS;
        (first..first + GROUP_SLOTS).map(GroupId)
    }

    /// A kernel function that works on a device.
    pub(crate) fn on_device<R: Return>(
        &self,
        function: &'static str,
        dev: DeviceId,
        body: impl FnOnce() -> R,
    ) -> R {
        task::call(
            function,
            u64::from(dev.0),
            || self.device(dev).name.clone(),
            body,
        )
    }

    /// dev_WARN() and WARN_ON().
    pub(crate) fn warn(&self, dev: DeviceId, warn: Warn) {
        self.device(dev).warns.or(warn as u64);
        let driver = self.device(dev).driver.monitor();
        task::note("WARN", || {
            format!(
                "{} {}: {}",
                self.driver_string(driver),
                self.device(dev).name,
                warn.text()
            )
        });
    }

    /// A NULL pointer dereference and its like: the task dies with its locks held.
    pub(crate) fn oops(&self, dev: DeviceId, text: &str) -> ! {
        self.device(dev).warns.or(Warn::Oops as u64);
        task::note("Oops", || format!("{}: {text}", self.device(dev).name));
        task::oops(text)
    }

    /// dev_driver_string(): the driver's name or, without one, that of the bus.
    pub(crate) fn driver_string(&self, driver: Option<DriverId>) -> &'static str {
        driver.map_or("platform", |d| self.board.drivers[d.index()].info.name)
    }

    /// A task of this kernel.
    #[expect(clippy::unused_self, reason = "only a kernel makes its tasks")]
    pub(crate) fn spawn(&self, task: Task) {
        task::spawn(task.entry());
    }

    /// Sets a flag of `struct device`: an atomic bit since its conversion, before that a bitfield
    /// that shares its word with others.
    pub(crate) fn set_flag(&self, dev: DeviceId, flag: DeviceFlag, value: bool) {
        let device = self.device(dev);
        let bit = flag as u64;
        if self.is_atomic(flag) {
            device.flag(flag).write_once(value);
        } else {
            let word = device.bitfield.get();
            device
                .bitfield
                .set(if value { word | bit } else { word & !bit });
        }
    }

    /// Reads a flag of `struct device`.
    pub(crate) fn test_flag(&self, dev: DeviceId, flag: DeviceFlag) -> bool {
        let device = self.device(dev);
        if self.is_atomic(flag) {
            return device.flag(flag).read_once();
        }
        device.bitfield.get() & flag as u64 != 0
    }

    /// As [`Kernel::test_flag`], for a monitor.
    pub(crate) fn monitor_flag(&self, dev: DeviceId, flag: DeviceFlag) -> bool {
        let device = self.device(dev);
        if self.is_atomic(flag) {
            return device.flag(flag).monitor();
        }
        device.bitfield.monitor() & flag as u64 != 0
    }

    fn is_atomic(&self, flag: DeviceFlag) -> bool {
        use crate::commit;
        match flag {
            DeviceFlag::CanMatch => self.has(commit::F2648BB3150A),
            // Before b67483b3c44e it stands for dev->dma_ops, a pointer.
            DeviceFlag::DmaIommu => {
                self.has(commit::G7FA1E85CFE68) || !self.has(commit::B67483B3C44E)
            }
            DeviceFlag::DmaCoherent => self.has(commit::G3E2C1E213AC2),
            DeviceFlag::ReadyToProbe => true,
        }
    }
}

/// Names of the groups' owners: devices first, then instances, [`GROUP_SLOTS`] each.
fn group_names(board: &Board) -> Vec<String> {
    let devices = board.devices.iter().map(|d| &d.name);
    let instances = board
        .instances
        .iter()
        .map(|i| &board.devices[i.device.index()].name);
    devices
        .chain(instances)
        .flat_map(|n| std::iter::repeat_n(format!("group of {n}"), GROUP_SLOTS as usize))
        .collect()
}

fn lay_out_globals(l: &mut Layout, board: &Board, config: &Config) -> Globals {
    let devices = board.devices.len();
    let timeout = if config.modules {
        config.deferred_probe_timeout
    } else {
        0
    };
    Globals {
        iommu_probe_device_lock: Mutex::new(l, "", "iommu_probe_device_lock"),
        iommu_device_lock: SpinLock::new(l, "", "iommu_device_lock"),
        iommu_device_list: List::new(l, "", "iommu_device_list", board.instances.len() * 4),
        bus_iommu_ops: Shared::new(l, "", "bus->iommu_ops", false),
        klist_devices: List::new(l, "", "bus->p->klist_devices", devices * 2),
        klist_drivers: List::new(l, "", "bus->p->klist_drivers", board.drivers.len() * 2),
        platform_bus: Mutex::new(l, "platform", "&dev->mutex"),
        bus_notifier: RwSem::new(l, "", "&priv->bus_notifier.rwsem"),
        bus_notifier_head: Shared::new(l, "", "priv->bus_notifier.head", false),
        deferred_probe_mutex: Mutex::new(l, "", "deferred_probe_mutex"),
        deferred_probe_pending_list: List::new(l, "", "deferred_probe_pending_list", devices),
        deferred_probe_active_list: List::new(l, "", "deferred_probe_active_list", devices),
        deferred_trigger_count: TriggerCount::new(l, devices),
        driver_deferred_probe_enable: Shared::new(l, "", "driver_deferred_probe_enable", false),
        initcalls_done: Shared::new(l, "", "initcalls_done", false),
        driver_deferred_probe_timeout: Shared::new(l, "", "driver_deferred_probe_timeout", timeout),
        deferred_probe_work: Work {
            state: Shared::new(l, "", "deferred_probe_work", 0),
        },
        device_links_lock: Mutex::new(l, "", "device_links_lock"),
        fwnode_link_lock: Mutex::new(l, "", "fwnode_link_lock"),
        async_entry_count: WaitGroup::new(l, "", "async entry_count"),
        rk_dma_dev: Shared::new(l, "", "dma_dev", false),
        pci_acs_enable: Plain::new(l, "", "pci_acs_enable", false),
    }
}

fn lay_out_device(l: &mut Layout, d: &DeviceDescription, board: &Board, config: &Config) -> Device {
    let n = d.name.as_str();
    Device {
        name: d.name.clone(),
        mutex: Mutex::new(l, n, "&dev->mutex").told_apart(l),
        driver: Shared::new(l, n, "dev->driver", None),
        iommu: Shared::new(l, n, "dev->iommu", None),
        dev_iommu_heap: Heap::new(l, n, "struct dev_iommu", DEV_IOMMU_SLOTS),
        dev_iommu: std::array::from_fn(|_| DevIommu {
            fwspec: Shared::new(l, n, "dev->iommu->fwspec", None),
            num_ids: Shared::new(l, n, "fwspec->num_ids", 0),
            iommu_dev: Shared::new(l, n, "dev->iommu->iommu_dev", None),
            private: Shared::new(l, n, "dev->iommu->priv", None),
        }),
        exynos_owners: Owners::new(l, d, board),
        iommu_group: Shared::new(l, n, "dev->iommu_group", None),
        dma_range_map: Shared::new(l, n, "dev->dma_range_map", None),
        dma_range_maps: d
            .dma_ranges
            .then(|| Heap::new(l, n, "struct bus_dma_region", DMA_RANGE_MAP_SLOTS)),
        bitfield: Plain::new(l, n, "dev bitfield", 0),
        flags: DeviceFlag::ALL.map(|flag| Shared::new(l, n, flag.name(), false)),
        driver_data: Shared::new(l, n, "dev->driver_data", false),
        dead: Plain::new(l, n, "dev->p->dead", false),
        async_driver: Plain::new(l, n, "dev->p->async_driver", None),
        bound: Shared::new(l, n, "dev->p->knode_driver", false),
        links_status: Plain::new(l, n, "dev->links.status", LinksStatus::NoDriver),
        fwnode_dev: Plain::new(l, n, "dev->fwnode->dev", false),
        xlate_platform: Ghost::new(l, n, "of_xlate calls, no driver", 0),
        xlate_driver: Ghost::new(l, n, "of_xlate calls, driver set", 0),
        warns: Ghost::new(l, n, "warnings", 0),
        probed_with: Ghost::new(l, n, "DMA ops at probe", None),
        notified: Shared::new(l, n, "BUS_NOTIFY_ADD_DEVICE over", false),
        probed_unnotified: Ghost::new(l, n, "probed before its ADD notifier", false),
        overtook: Ghost::new(l, n, "joined before an earlier device", false),
        null_driver: Ghost::new(l, n, "driver_managed_dma of no driver", false),
        vfio_refused: Ghost::new(l, n, "refused by vfio", false),
        group_complete: Ghost::new(l, n, "group complete at probe", None),
        probing: Shared::new(l, n, "tasks in probe_device()", 0),
        attaching: Shared::new(l, n, "tasks in attach_dev()", 0),
        s2cr_group: Shared::new(l, n, "smmu->s2crs[].group", None),
        archdata: (config.arch == Arch::Arm).then(|| Archdata::new(l, n)),
        pci: d.pci.map(|_| PciDev::new(l, n)),
        probe_result: config.probe_results.get(n).copied().unwrap_or(0),
    }
}

fn lay_out_group(l: &mut Layout, n: &str, board: &Board) -> Group {
    // A member can be listed twice by a race, and leaves a hole when it goes.
    let capacity = 4 + 2 * board
        .devices
        .iter()
        .filter(|d| !d.iommus.is_empty())
        .count();
    Group {
        references: Shared::new(l, n, "group->devices_kobj references", 0),
        mutex: Mutex::new(l, n, "&group->mutex"),
        devices: List::new(l, n, "group->devices", capacity),
        default_domain: Shared::new(l, n, "group->default_domain", None),
        domain: Shared::new(l, n, "group->domain", None),
        owner_cnt: Shared::new(l, n, "group->owner_cnt", 0),
        owner: Shared::new(l, n, "group->owner", false),
        entry: Shared::new(l, n, "group->entry", false),
        domains: Shared::new(l, n, "domains of the group", 0),
        cookie_mutex: Mutex::new(l, n, "&cookie->mutex"),
        start_pfn: Shared::new(l, n, "iovad->start_pfn", false),
        iova_inits: Shared::new(l, n, "calls of init_iova_domain()", 0),
    }
}

fn lay_out_instance(
    l: &mut Layout,
    n: &str,
    kind: Kind,
    board: &Board,
    config: &Config,
) -> Instance {
    Instance {
        rimt_fwnode: Shared::new(l, n, "rimt_fwnode_list", false),
        ready: Shared::new(l, n, "iommu->ready", false),
        singleton_group: Shared::new(l, n, "iommu->singleton_group", None),
        group_list: List::new(l, n, "group_list", board.devices.len() + 4),
        stream_map_mutex: Mutex::new(l, n, "&smmu->stream_map_mutex"),
        hw_list: Shared::new(l, n, "hw_list", false),
        owner_node: (kind == Kind::Generic(GenericIommu::ExynosSysmmu))
            .then(|| Shared::new(l, n, "data->owner_node", None)),
        mmu_mapping: (config.arch == Arch::Arm).then(|| MmuMapping::new(l, n)),
    }
}
