//! The scenario of the comparison: an IOMMU instance is registered while drivers bind to its
//! clients, with as many clients and tasks as asked for.
//!
//! It is a compact form of drivers/iommu/iommu.c and drivers/base/dd.c as of v6.15 with
//! 0c8e9c148e29 and b46064a18810. One instance, one group for all its clients, as
//! generic_single_device_group() makes it. `core.pml` beside this file is the same in Promela.
//!
//! | task | what it does |
//! |---|---|
//! | 0 | the IOMMU driver's probe: iommu_device_register(), the walk over the clients |
//! | 1 | driver_attach(): each client in turn, the first one first |
//! | 2 | deferred_probe_work_func(), for as long as its work is queued |
//! | 3 | device_initial_probe() of each client, the last one first |
//!
//! Left out: what the kernel model has beyond that, the count of owners of the group, and that
//! the walk takes ownership where it sees a driver.
#![allow(unreachable_pub, reason = "shared by the bench and a test")]

mod outcome;

use checker::layout::{CellId, CellKind, Layout};
use checker::list::List;
use checker::model::{Entry, Model};
use checker::sync::{Ghost, Mutex, Shared, compound};
use checker::task;

pub use outcome::{Case, ClientOutcome, MOST_CLIENTS, Outcome};

#[derive(Clone, Debug)]
struct Client {
    name: String,
    device_lock: Mutex,
    iommu: Shared<bool>,
    fwspec: Shared<bool>,
    driver: Shared<bool>,
    group: Shared<bool>,
    xlate_platform: Ghost<u64>,
    xlate_driver: Ghost<u64>,
    late: Ghost<u64>,
}

impl Client {
    fn new(layout: &mut Layout, i: usize) -> Self {
        let name = format!("client{i}");
        let (l, n) = (layout, name.as_str());
        Self {
            device_lock: Mutex::new(l, n, "&dev->mutex"),
            iommu: Shared::new(l, n, "dev->iommu", false),
            fwspec: Shared::new(l, n, "dev->iommu->fwspec", false),
            driver: Shared::new(l, n, "dev->driver", false),
            group: Shared::new(l, n, "dev->iommu_group", false),
            xlate_platform: Ghost::new(l, n, "of_xlate without driver", 0),
            xlate_driver: Ghost::new(l, n, "of_xlate with driver", 0),
            late: Ghost::new(l, n, "late probe", 0),
            name,
        }
    }
}

/// deferred_trigger_count, as far as anybody can tell its values apart: for each client, whether
/// somebody remembers the count, and whether it has gone up since.
#[derive(Clone, Copy, Debug)]
struct TriggerCount(CellId);

impl TriggerCount {
    const REMEMBERED: u64 = 1;
    const GONE_UP: u64 = 2;

    fn inc(self) {
        compound(self.0, true, |flags| {
            for flag in flags.iter_mut().filter(|f| **f == Self::REMEMBERED) {
                *flag = Self::GONE_UP;
            }
            0
        });
    }

    fn remember(self, i: usize) {
        compound(self.0, true, |flags| {
            flags[i] = Self::REMEMBERED;
            0
        });
    }

    fn is_another(self, i: usize) -> bool {
        compound(self.0, true, |flags| {
            u64::from(std::mem::take(&mut flags[i]) == Self::GONE_UP)
        }) != 0
    }
}

/// The scenario as a model.
#[derive(Clone, Debug)]
pub struct Registration {
    case: Case,
    layout: Layout,
    clients: Vec<Client>,
    iommu_device_lock: Mutex,
    iommu_probe_device_lock: Mutex,
    deferred_probe_mutex: Mutex,
    group_mutex: Mutex,
    listed: Shared<bool>,
    default_domain: Shared<bool>,
    entry: Shared<bool>,
    trigger_count: TriggerCount,
    pending: List<u8>,
    active: List<u8>,
    work: Shared<u64>,
}

const TASKS: [&str; 4] = [
    "iommu_device_register",
    "driver_attach",
    "deferred_probe_work_func",
    "device_initial_probe",
];

impl Registration {
    /// Lays out the scenario.
    ///
    /// # Panics
    ///
    /// If there are more clients or tasks than it has.
    pub fn new(case: Case) -> Self {
        assert!((1..=MOST_CLIENTS).contains(&case.clients), "{case}");
        assert!((2..=TASKS.len()).contains(&case.tasks), "{case}");
        let mut layout = Layout::new();
        let l = &mut layout;
        let d = case.clients;
        let count = l.range("", "deferred_trigger_count", CellKind::Shared, &vec![0; d]);
        Self {
            case,
            clients: (0..d).map(|i| Client::new(l, i)).collect(),
            iommu_device_lock: Mutex::new(l, "", "iommu_device_lock"),
            iommu_probe_device_lock: Mutex::new(l, "", "iommu_probe_device_lock"),
            deferred_probe_mutex: Mutex::new(l, "", "deferred_probe_mutex"),
            group_mutex: Mutex::new(l, "", "&group->mutex"),
            listed: Shared::new(l, "", "iommu_device_list", false),
            default_domain: Shared::new(l, "", "group->default_domain", false),
            entry: Shared::new(l, "", "group->entry", false),
            trigger_count: TriggerCount(count),
            pending: List::new(l, "", "deferred_probe_pending_list", d),
            active: List::new(l, "", "deferred_probe_active_list", d),
            work: Shared::new(l, "", "deferred_probe_work", 0),
            layout,
        }
    }

    fn iommu_device_register(&self) {
        self.iommu_device_lock.lock();
        self.listed.write_once(true);
        self.iommu_device_lock.unlock();
        self.bus_iommu_probe();
        // driver_bound() of the IOMMU's own device.
        self.driver_deferred_probe_trigger();
    }

    /// The walk. It takes no device's lock.
    fn bus_iommu_probe(&self) {
        for i in 0..self.case.clients {
            self.on_client("probe_iommu_group", i, || {
                self.iommu_probe_device(i, true);
                task::checkpoint("probe_iommu_group: done", &[]);
            });
        }
        self.group_mutex.lock();
        if self.entry.read_once() {
            self.entry.write_once(false);
            self.default_domain.write_once(true);
        }
        self.group_mutex.unlock();
        task::checkpoint("bus_iommu_probe: done", &[]);
    }

    /// probe_iommu_group() and iommu_probe_device().
    fn iommu_probe_device(&self, i: usize, walk: bool) {
        self.iommu_probe_device_lock.lock();
        self.__iommu_probe_device(i, walk);
        self.iommu_probe_device_lock.unlock();
    }

    /// With iommu_probe_device_lock held.
    fn __iommu_probe_device(&self, i: usize, walk: bool) {
        let c = &self.clients[i];
        if c.group.read_once() {
            return;
        }
        if !c.iommu.read_once() {
            c.iommu.write_once(true);
            c.fwspec.write_once(false);
        }
        if !self.iommu_configure_firmware(i, walk) {
            return;
        }
        if !c.fwspec.read_once() || !self.iommu_from_fwnode() {
            c.iommu.write_once(false);
            return;
        }
        if c.driver.monitor() {
            c.late.or(1);
        }
        c.group.write_once(true);
        self.iommu_join_group(walk);
    }

    /// `false`: somebody else has finished the client meanwhile.
    fn iommu_configure_firmware(&self, i: usize, walk: bool) -> bool {
        let c = &self.clients[i];
        if c.fwspec.read_once() || c.driver.read_once() {
            return true;
        }
        self.iommu_probe_device_lock.unlock();
        self.of_iommu_configure(i);
        task::checkpoint("iommu_init_device: configured", &[u64::from(walk)]);
        self.iommu_probe_device_lock.lock();
        c.iommu.read_once() && !c.group.read_once()
    }

    fn iommu_join_group(&self, walk: bool) {
        self.group_mutex.lock();
        if !self.default_domain.read_once() {
            let field = if walk {
                self.entry
            } else {
                self.default_domain
            };
            field.write_once(true);
        }
        self.group_mutex.unlock();
    }

    fn iommu_from_fwnode(&self) -> bool {
        self.iommu_device_lock.lock();
        let listed = self.listed.read_once();
        self.iommu_device_lock.unlock();
        listed
    }

    /// `false`: -EPROBE_DEFER.
    fn of_iommu_configure(&self, i: usize) -> bool {
        let c = &self.clients[i];
        self.iommu_probe_device_lock.lock();
        let present = c.iommu.read_once();
        if present && c.fwspec.read_once() {
            self.iommu_probe_device_lock.unlock();
            return true;
        }
        let listed = self.iommu_from_fwnode();
        if listed {
            c.iommu.write_once(true);
            c.fwspec.write_once(true);
            let with_driver = c.driver.monitor();
            let count = if with_driver {
                c.xlate_driver
            } else {
                c.xlate_platform
            };
            count.add(1);
        }
        self.iommu_probe_device_lock.unlock();
        if listed && !present {
            self.iommu_probe_device(i, false);
        }
        listed
    }

    /// `false`: -EPROBE_DEFER.
    fn iommu_device_use_default_domain(&self, i: usize) -> bool {
        if !self.clients[i].group.read_once() {
            return true;
        }
        self.group_mutex.lock();
        let set = self.default_domain.read_once();
        self.group_mutex.unlock();
        set
    }

    /// __driver_attach() and __device_attach().
    fn attach(&self, i: usize) {
        self.on_client("attach", i, || {
            let c = &self.clients[i];
            c.device_lock.lock();
            if !c.driver.read_once() {
                self.driver_probe_device(i);
            }
            c.device_lock.unlock();
            task::checkpoint("attach: done", &[]);
        });
    }

    /// driver_probe_device(), really_probe() and driver_bound(), with the device's lock held.
    fn driver_probe_device(&self, i: usize) {
        let c = &self.clients[i];
        self.trigger_count.remember(i);
        c.driver.write_once(true);
        let configured = self.of_iommu_configure(i);
        task::checkpoint("platform_dma_configure", &[u64::from(configured)]);
        let configured = configured && self.iommu_device_use_default_domain(i);
        task::checkpoint("really_probe: configured", &[u64::from(configured)]);
        if configured {
            self.driver_deferred_probe_del(i);
            self.driver_deferred_probe_trigger();
            return;
        }
        c.driver.write_once(false);
        self.driver_deferred_probe_add(i);
        if self.trigger_count.is_another(i) {
            self.driver_deferred_probe_trigger();
        }
    }

    fn driver_deferred_probe_add(&self, i: usize) {
        let dev = i as u8;
        self.deferred_probe_mutex.lock();
        if !self.pending.contains(dev) && !self.active.contains(dev) {
            self.pending.push_back(dev);
        }
        self.deferred_probe_mutex.unlock();
        task::checkpoint("driver_deferred_probe_add", &[]);
    }

    fn driver_deferred_probe_del(&self, i: usize) {
        let dev = i as u8;
        self.deferred_probe_mutex.lock();
        if !self.pending.remove_compact(dev) {
            self.active.remove_compact(dev);
        }
        self.deferred_probe_mutex.unlock();
        task::checkpoint("driver_deferred_probe_del", &[]);
    }

    fn driver_deferred_probe_trigger(&self) {
        self.deferred_probe_mutex.lock();
        self.trigger_count.inc();
        self.pending.splice_tail_to(self.active);
        self.deferred_probe_mutex.unlock();
        task::checkpoint("driver_deferred_probe_trigger", &[]);
        if self.has_worker() {
            self.work.or(1);
        }
    }

    fn has_worker(&self) -> bool {
        self.case.tasks > 2
    }

    fn deferred_probe_worker(&self) {
        task::checkpoint("deferred_probe_worker", &[]);
        while self.work.wait_idle_for(1) {
            self.work.and(0);
            self.deferred_probe_work_func();
            task::checkpoint("deferred_probe_worker", &[]);
        }
    }

    fn deferred_probe_work_func(&self) {
        loop {
            self.deferred_probe_mutex.lock();
            let next = self.active.pop_front();
            self.deferred_probe_mutex.unlock();
            let Some(dev) = next else { return };
            self.attach(usize::from(dev));
            task::checkpoint("deferred_probe_work_func", &[]);
        }
    }

    fn on_client<R: task::Return>(
        &self,
        function: &'static str,
        i: usize,
        body: impl FnOnce() -> R,
    ) -> R {
        let name = || self.clients[i].name.clone();
        task::call(function, i as u64, name, body)
    }

    fn client_outcome(&self, i: usize) -> ClientOutcome {
        let c = &self.clients[i];
        let dev = i as u8;
        ClientOutcome {
            platform: c.xlate_platform.peek(),
            driver: c.xlate_driver.peek(),
            bound: c.driver.read_once(),
            group: c.group.read_once(),
            deferred: self.pending.contains(dev) || self.active.contains(dev),
            late: c.late.peek() != 0,
        }
    }
}

impl Model for Registration {
    type Outcome = Outcome;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        for kind in 0..self.case.tasks as u32 {
            task::spawn(Entry { kind, arg: 0 });
        }
    }

    fn run(&self, entry: Entry) {
        let clients = 0..self.case.clients;
        match entry.kind {
            0 => self.iommu_device_register(),
            1 => clients.for_each(|i| self.attach(i)),
            2 => self.deferred_probe_worker(),
            _ => clients.rev().for_each(|i| self.attach(i)),
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome(
            (0..self.case.clients)
                .map(|i| self.client_outcome(i))
                .collect(),
        )
    }

    fn task_name(&self, entry: Entry) -> String {
        TASKS[entry.kind as usize].to_owned()
    }
}
