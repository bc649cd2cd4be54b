//! A kernel as a [`checker::model::Model`]: its tasks, and how they begin.

use crate::arm::archdata::{DmaOps, Mapping, MappingOwner};
use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::ids::{DeviceId, Domain, DriverId, GroupId, InstanceId, LinkState, LinksStatus};
use crate::kernel::Kernel;
use crate::outcome::Outcome;
use crate::verb::{AllocatedBy, Verb};
use checker::layout::{CellId, Layout};
use checker::model::{Entry, Model};
use checker::task;
use checker::word::Word;

/// How a run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the initcalls on: devices and drivers come as the kernel adds them.
    Boot,
    /// After the boot: all devices are there but those that a task adds, and no driver is
    /// registered but by `initial`.
    Scenario {
        /// What is done first, by nobody else's leave.
        initial: Vec<Verb>,
        /// What each CPU does then.
        cpus: Vec<Vec<Verb>>,
    },
}

impl Start {
    /// Whether a task unloads the module of this driver.
    pub(crate) fn unloads(&self, drv: Option<DriverId>) -> bool {
        let Start::Scenario { initial, cpus } = self else {
            return false;
        };
        let mut verbs = initial.iter().chain(cpus.iter().flatten());
        verbs.any(|v| matches!(v, Verb::DeleteModule(d) if Some(*d) == drv))
    }
}

/// The tasks of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The thread that runs the initcalls, and loads the modules afterwards.
    Initcalls,
    /// The worker of deferred_probe_work.
    DeferredProbeWork,
    /// __driver_attach_async_helper()
    DriverAttachAsync(DeviceId),
    /// __device_attach_async_helper()
    DeviceAttachAsync(DeviceId),
    /// A CPU of the scenario.
    Cpu(u16),
    /// deferred_probe_timeout_work, where the configuration has it run.
    DeferredProbeTimeoutWork,
    /// The binds of devices that are not on the board.
    OtherBinds,
}

impl Task {
    /// As plain data.
    pub fn entry(self) -> Entry {
        match self {
            Task::Initcalls => Entry { kind: 0, arg: 0 },
            Task::DeferredProbeWork => Entry { kind: 1, arg: 0 },
            Task::DriverAttachAsync(dev) => Entry {
                kind: 2,
                arg: u64::from(dev.0),
            },
            Task::DeviceAttachAsync(dev) => Entry {
                kind: 3,
                arg: u64::from(dev.0),
            },
            Task::Cpu(n) => Entry {
                kind: 4,
                arg: u64::from(n),
            },
            Task::DeferredProbeTimeoutWork => Entry { kind: 5, arg: 0 },
            Task::OtherBinds => Entry { kind: 6, arg: 0 },
        }
    }

    /// Back from plain data.
    pub fn from_entry(entry: Entry) -> Self {
        match entry.kind {
            0 => Task::Initcalls,
            1 => Task::DeferredProbeWork,
            2 => Task::DriverAttachAsync(DeviceId(entry.arg as u16)),
            3 => Task::DeviceAttachAsync(DeviceId(entry.arg as u16)),
            4 => Task::Cpu(entry.arg as u16),
            5 => Task::DeferredProbeTimeoutWork,
            6 => Task::OtherBinds,
            other => unreachable!("the kernel makes no task of kind {other}"),
        }
    }
}

impl Model for Kernel {
    type Outcome = Outcome;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        match &self.start {
            Start::Boot => {
                self.spawn(Task::Initcalls);
                self.spawn(Task::DeferredProbeWork);
            }
            Start::Scenario { initial, cpus } => self.set_up_scenario(initial, cpus),
        }
    }

    fn run(&self, entry: Entry) {
        match Task::from_entry(entry) {
            Task::Initcalls => self.kernel_init(),
            Task::DeferredProbeWork => self.deferred_probe_worker(),
            Task::DriverAttachAsync(dev) => self.__driver_attach_async_helper(dev),
            Task::DeviceAttachAsync(dev) => self.__device_attach_async_helper(dev),
            Task::Cpu(n) => self.run_cpu(n),
            Task::DeferredProbeTimeoutWork => self.deferred_probe_timeout_work_func(),
            Task::OtherBinds => self.other_binds(),
        }
    }

    fn outcome(&self) -> Outcome {
        self.read_outcome()
    }

    fn task_name(&self, entry: Entry) -> String {
        match Task::from_entry(entry) {
            Task::Initcalls => "initcalls".to_owned(),
            Task::DeferredProbeWork => "deferred_probe_work_func".to_owned(),
            Task::DriverAttachAsync(dev) | Task::DeviceAttachAsync(dev) => {
                format!("async probe {}", self.device(dev).name)
            }
            Task::Cpu(n) => self.cpu_name(n),
            Task::DeferredProbeTimeoutWork => "deferred_probe_timeout_work_func".to_owned(),
            Task::OtherBinds => "binds of other devices".to_owned(),
        }
    }

    /// The initcall thread first; then what was scheduled asynchronously, which is older than the
    /// queued work; then the work.
    fn turn(&self, entry: Entry) -> u32 {
        match Task::from_entry(entry) {
            Task::Initcalls | Task::Cpu(_) => 0,
            Task::DriverAttachAsync(_) | Task::DeviceAttachAsync(_) => 1,
            Task::DeferredProbeWork => 2,
            Task::DeferredProbeTimeoutWork | Task::OtherBinds => 3,
        }
    }

    fn show(&self, cell: CellId, value: u64) -> String {
        let field = self.layout.cells()[cell.index()].field;
        match field {
            "dev->driver" | "dev->p->async_driver" => named(value, |id: DriverId| {
                self.board.drivers[id.index()].info.name.to_owned()
            }),
            "dev->iommu_group" | "iommu->singleton_group" | "smmu->s2crs[].group" => {
                named(value, |_: GroupId| "group".to_owned())
            }
            "dev->iommu->iommu_dev" | "dev->iommu->priv" => named(value, |id: InstanceId| {
                self.device(self.hwdev(id)).name.clone()
            }),
            "dev->iommu" | "dev->iommu->fwspec" | "dev->dma_range_map" => {
                if value == 0 { "NULL" } else { "set" }.to_owned()
            }
            "group->default_domain" | "group->domain" => {
                named(value, |d: Domain| format!("{d:?}").to_lowercase())
            }
            "dev->dma_ops" => named(value, |ops: DmaOps| format!("{} ops", ops.name())),
            "dev->archdata.mapping" | "mmu->mapping" => named(value, |m: Mapping| match m.owner {
                MappingOwner::Device(_) => "a mapping of its own".to_owned(),
                MappingOwner::Instance(i) => {
                    format!("the mapping of {}", self.device(self.hwdev(i)).name)
                }
            }),
            "link->status" => format!("{:?}", LinkState::from_word(value)),
            "dev->links.status" => format!("{:?}", LinksStatus::from_word(value)),
            _ => value.to_string(),
        }
    }
}

/// A pointer as text.
fn named<T: Word>(value: u64, name: impl FnOnce(T) -> String) -> String {
    Option::<T>::from_word(value).map_or_else(|| "NULL".to_owned(), name)
}

impl Kernel {
    /// Whether a task of the scenario adds the device, so that it is not there from the start.
    pub(crate) fn is_added_later(&self, dev: DeviceId) -> bool {
        let Start::Scenario { initial, cpus } = &self.start else {
            return false;
        };
        let mut verbs = initial.iter().chain(cpus.iter().flatten());
        verbs.any(|v| *v == Verb::DeviceAdd(dev))
    }

    fn set_up_scenario(&self, initial: &[Verb], cpus: &[Vec<Verb>]) {
        let boots = cpus.iter().flatten().any(|v| *v == Verb::Boot);
        if !boots {
            self.globals.driver_deferred_probe_enable.write_once(true);
            self.globals.initcalls_done.write_once(true);
            self.iommu_subsys_init();
            let first = self.board.boot_devices();
            for dev in first.filter(|d| !self.is_added_later(*d)) {
                self.device_add(dev);
            }
        }
        for verb in initial {
            self.execute(*verb);
        }
        for n in 0..cpus.len() {
            self.spawn(Task::Cpu(n as u16));
        }
    }

    fn run_cpu(&self, n: u16) {
        let Start::Scenario { cpus, .. } = &self.start else {
            unreachable!("a boot has no CPUs of its own")
        };
        for (i, verb) in cpus[n as usize].iter().enumerate() {
            task::part("verb", i as u64, || self.execute(*verb));
            task::checkpoint("verb", &[i as u64]);
        }
    }

    fn execute(&self, verb: Verb) {
        match verb {
            Verb::DriverRegister(drv) => self.driver_register(drv),
            Verb::DeleteModule(drv) => self.delete_module(drv),
            Verb::DeviceAdd(dev) => self.device_add(dev),
            Verb::DeviceDel(dev) => self.device_del(dev),
            Verb::DeviceAttach(dev) => {
                self.__device_attach(dev, false);
            }
            Verb::DeviceDriverAttach(drv, dev) => {
                self.device_driver_attach(drv, dev);
            }
            Verb::DeviceReleaseDriver(dev) => {
                if !self.suppresses_bind_attrs(dev) {
                    self.device_release_driver(dev);
                }
            }
            Verb::DeferredProbeWorkFunc => self.deferred_probe_worker(),
            Verb::DeferredProbeInitcall => self.deferred_probe_initcall(),
            Verb::DeferredProbeTimeoutWorkFunc => self.deferred_probe_timeout_work_func(),
            Verb::WaitForDeviceProbe => self.wait_for_device_probe(),
            Verb::DeviceShutdown => self.device_shutdown(),
            Verb::IommuDomainAlloc(dev, by) => self.iommu_domain_alloc(dev, by),
            Verb::VfioOpen(dev) => self.vfio_container_attach_group(dev),
            Verb::VfioClose(dev) => self.vfio_group_detach_container(dev),
            Verb::IommuDeviceRegister(i) => {
                self.iommu_device_register(i);
            }
            Verb::IommuDeviceUnregister(i) => self.iommu_device_unregister(i),
            Verb::Boot => self.kernel_init(),
        }
    }

    /// Whether there is no `unbind` file to write to. Only what a proposed patch changes: a test can
    /// write to the file of any other driver, also of one that has none.
    fn suppresses_bind_attrs(&self, dev: DeviceId) -> bool {
        let instance = self.description(dev).instance;
        let kind = instance.map(|i| self.board.instances[i.index()].kind);
        self.has(commit::IPMMU_NO_UNBIND) && kind == Some(Kind::IpmmuVmsa)
    }

    /// `CPU0 (driver_register arm-smmu-v3)`
    fn cpu_name(&self, n: u16) -> String {
        let Start::Scenario { cpus, .. } = &self.start else {
            unreachable!("a boot has no CPUs of its own")
        };
        let verbs: Vec<String> = cpus[n as usize]
            .iter()
            .map(|v| self.verb_name(*v))
            .collect();
        format!("CPU{n} ({})", verbs.join("; "))
    }

    fn verb_name(&self, verb: Verb) -> String {
        let dev = |d: DeviceId| &self.device(d).name;
        let drv = |d: DriverId| self.board.drivers[d.index()].info.name;
        match verb {
            Verb::DriverRegister(d) => format!("driver_register {}", drv(d)),
            Verb::DeleteModule(d) => format!("delete_module {}", drv(d)),
            Verb::DeviceAdd(d) => format!("device_add {}", dev(d)),
            Verb::DeviceDel(d) => format!("device_del {}", dev(d)),
            Verb::DeviceAttach(d) => format!("device_attach {}", dev(d)),
            Verb::DeviceDriverAttach(v, d) => format!("device_driver_attach {} {}", drv(v), dev(d)),
            Verb::DeviceReleaseDriver(d) => format!("device_release_driver {}", dev(d)),
            Verb::DeferredProbeWorkFunc => "deferred_probe_work_func".to_owned(),
            Verb::DeferredProbeInitcall => "deferred_probe_initcall".to_owned(),
            Verb::DeferredProbeTimeoutWorkFunc => "deferred_probe_timeout_work_func".to_owned(),
            Verb::WaitForDeviceProbe => "wait_for_device_probe".to_owned(),
            Verb::DeviceShutdown => "device_shutdown".to_owned(),
            Verb::IommuDomainAlloc(d, by) => {
                let by = match by {
                    AllocatedBy::Anybody => "",
                    AllocatedBy::Probe => " probe",
                    AllocatedBy::BoundDriver => " bound",
                };
                format!("iommu_domain_alloc {}{by}", dev(d))
            }
            Verb::VfioOpen(d) => {
                format!("vfio_open {}", dev(d))
            }
            Verb::VfioClose(d) => {
                format!("vfio_close {}", dev(d))
            }
            Verb::IommuDeviceRegister(i) => format!("iommu_device_register {}", dev(self.hwdev(i))),
            Verb::IommuDeviceUnregister(i) => {
                format!("iommu_device_unregister {}", dev(self.hwdev(i)))
            }
            Verb::Boot => "boot".to_owned(),
        }
    }
}
