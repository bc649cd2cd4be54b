//! drivers/iommu/iommu.c: instances, fwspecs, groups, the walk over the buses. Follows v7.3-rc7;
//! what a commit changed stands behind its `has`.
//!
//! Left out: sysfs, module references, reserved regions, PASIDs, deferred attach, passthrough and
//! per-device domain types: every default domain is a DMA domain, on 32-bit ARM the identity domain.
//! The instance of a fwnode is found by its number; the list is asked only whether the instance is
//! on it.

use crate::base::bus::Notification;
use crate::board::IommuSpec;
use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::{EINVAL, ENODEV, EPROBE_DEFER};
use crate::ids::{Bus, DeviceId, Domain, FwnodeId, GroupId, InstanceId};
use crate::iommu::generic::GenericIommu;
use crate::kernel::{DeviceFlag, Kernel, Warn};
use checker::heap::Handle;
use checker::task;
use checker::word::Word;

impl Kernel {
    /// iommu_subsys_init(), a subsys_initcall: the devices of the device tree are there by then,
    /// without the notifier having seen them.
    pub(crate) fn iommu_subsys_init(&self) {
        self.bus_register_notifier();
    }

    // Instances.

    /// iommu_device_register()
    pub(crate) fn iommu_device_register(&self, instance: InstanceId) -> i32 {
        self.on_device("iommu_device_register", self.hwdev(instance), || {
            let g = &self.globals;
            if self.has(commit::DA33E87BD2BF) {
                // The driver allocated the instance anew for this probe.
                self.instance(instance).ready.write_once(false);
            }
            g.iommu_device_lock.lock();
            g.iommu_device_list.push_back(instance);
            g.iommu_device_lock.unlock();
            if !self.has(commit::G17DE3F5FDD35) {
                g.bus_iommu_ops.write_once(true);
            }
            for bus in self.board.buses() {
                let err = self.bus_iommu_probe(bus, instance);
                if err != 0 {
                    // Which error it is, for checkpoints further in.
                    task::part("err", err.to_word(), || {
                        self.iommu_device_unregister(instance);
                    });
                    return err;
                }
            }
            if self.has(commit::DA33E87BD2BF) {
                self.instance(instance).ready.write_once(true);
            }
            0
        })
    }

    /// iommu_device_unregister()
    pub(crate) fn iommu_device_unregister(&self, instance: InstanceId) {
        self.on_device("iommu_device_unregister", self.hwdev(instance), || {
            let unlists_first = self.has(commit::RELEASE_UNDER_PROBE_LOCK);
            if unlists_first {
                let lock = self.globals.iommu_probe_device_lock;
                lock.lock();
                self.iommu_device_list_del(instance);
                lock.unlock();
            }
            for bus in self.board.buses() {
                self.bus_for_each_dev(bus, |dev| {
                    self.remove_iommu_group(dev, instance);
                    0
                });
            }
            if !unlists_first {
                self.iommu_device_list_del(instance);
            }
            let singleton = self.instance(instance).singleton_group;
            if let Some(group) = singleton.read_once() {
                singleton.write_once(None);
                self.iommu_group_put(group);
            }
        });
    }

    /// list_del() of the instance, under iommu_device_lock.
    fn iommu_device_list_del(&self, instance: InstanceId) {
        let g = &self.globals;
        g.iommu_device_lock.lock();
        g.iommu_device_list.remove_compact(instance);
        g.iommu_device_lock.unlock();
    }

    /// What an IOMMU driver does in its probe: it registers the instance of its device.
    pub(crate) fn iommu_driver_register(&self, dev: DeviceId) -> i32 {
        let instance = self.description(dev).instance;
        self.iommu_device_register(instance.expect("the driver that probes makes an instance"))
    }

    /// What an IOMMU driver does when it is unbound: its instance goes.
    pub(crate) fn iommu_driver_remove(&self, instance: InstanceId) {
        if self.iommu_from_fwnode(instance) {
            self.iommu_device_unregister(instance);
        }
        self.ipmmu_remove(instance);
    }

    /// What an IOMMU driver does when the machine goes down: an SMMU's instance went as well before
    /// ce31e6ca68bd and 32ea2c57dc21, as when it is unbound.
    pub(crate) fn iommu_driver_shutdown(&self, dev: DeviceId) {
        let Some(instance) = self.description(dev).instance else {
            return;
        };
        let unregisters = match self.board.instances[instance.index()].kind {
            Kind::Generic(GenericIommu::ArmSmmu) => !self.has(commit::CE31E6CA68BD),
            Kind::ArmSmmuV3 => !self.has(commit::G32EA2C57DC21),
            _ => false,
        };
        if unregisters {
            self.on_device("arm_smmu_device_shutdown", dev, || {
                self.iommu_device_unregister(instance);
            });
        }
    }

    /// remove_iommu_group()
    fn remove_iommu_group(&self, dev: DeviceId, instance: InstanceId) {
        self.with_release_lock(|| {
            let pointer = self.device(dev).iommu.read_once();
            let of = pointer.and_then(|p| self.dev_iommu(dev, p).iommu_dev.read_once());
            if of == Some(instance) {
                self.iommu_release_device(dev);
            }
        });
    }

    /// Runs what releases a device, or must not see one released, with iommu_probe_device_lock held, if a
    /// proposed patch says so.
    fn with_release_lock(&self, release: impl FnOnce()) {
        let locks = self.has(commit::RELEASE_UNDER_PROBE_LOCK);
        let lock = self.globals.iommu_probe_device_lock;
        if locks {
            lock.lock();
        }
        release();
        if locks {
            lock.unlock();
        }
    }

    /// Whether a proposed patch leaves the device alone, since it is not on its bus any more.
    fn is_left_alone(&self, dev: DeviceId) -> bool {
        self.has(commit::RELEASE_UNDER_PROBE_LOCK) && !self.globals.klist_devices.contains(dev)
    }

    /// iommu_from_fwnode(): whether the instance is on the list.
    pub(crate) fn iommu_from_fwnode(&self, instance: InstanceId) -> bool {
        let g = &self.globals;
        g.iommu_device_lock.lock();
        let listed = g.iommu_device_list.contains(instance);
        g.iommu_device_lock.unlock();
        listed
    }

    /// iommu_fwspec_ops(): the instance that a fwspec names, if it is on the list.
    pub(crate) fn iommu_fwspec_ops(&self, fwspec: Option<FwnodeId>) -> Option<InstanceId> {
        let fwnode = fwspec?;
        let of_node =
            |i: &InstanceId| self.description(self.hwdev(*i)).node.0 == u32::from(fwnode.0);
        self.board
            .instance_ids()
            .find(of_node)
            .filter(|i| self.iommu_from_fwnode(*i))
    }

    // struct dev_iommu and fwspec.

    /// dev_iommu_get()
    pub(crate) fn dev_iommu_get(&self, dev: DeviceId) -> Handle {
        let device = self.device(dev);
        if let Some(pointer) = device.iommu.read_once() {
            return pointer;
        }
        let pointer = device.dev_iommu_heap.alloc();
        let new = &device.dev_iommu[pointer.slot as usize];
        new.fwspec.write_once(None);
        new.num_ids.write_once(0);
        new.iommu_dev.write_once(None);
        new.private.write_once(None);
        device.iommu.write_once(Some(pointer));
        pointer
    }

    /// dev_iommu_free()
    pub(crate) fn dev_iommu_free(&self, dev: DeviceId) {
        let device = self.device(dev);
        let Some(pointer) = device.iommu.read_once() else {
            self.oops(dev, "dev_iommu_free: dev->iommu is NULL")
        };
        self.exynos_owner_lost(dev, pointer);
        device.iommu.write_once(None);
        device.dev_iommu_heap.free(pointer);
    }

    /// dev_iommu_priv_get()
    pub(crate) fn dev_iommu_priv_get(&self, dev: DeviceId) -> Option<InstanceId> {
        let pointer = self.device(dev).iommu.read_once()?;
        self.dev_iommu(dev, pointer).private.read_once()
    }

    /// dev_iommu_fwspec_get()
    pub(crate) fn dev_iommu_fwspec_get(&self, dev: DeviceId) -> Option<FwnodeId> {
        let pointer = self.device(dev).iommu.read_once()?;
        self.dev_iommu(dev, pointer).fwspec.read_once()
    }

    /// iommu_fwspec_init()
    pub(crate) fn iommu_fwspec_init(&self, dev: DeviceId, spec: &IommuSpec) -> i32 {
        self.on_device("iommu_fwspec_init", dev, || {
            let Some(instance) = spec.instance.filter(|i| self.iommu_from_fwnode(*i)) else {
                let is_acpi = spec.table.is_some();
                if is_acpi && !self.has(commit::G46B3DF8EB9BD) {
                    // of_iommu_xlate() asked driver_deferred_probe_check_state(), nobody on ACPI.
                    return -EPROBE_DEFER;
                }
                return self.driver_deferred_probe_check_state();
            };
            if self.has(commit::DA33E87BD2BF) && self.iommu_is_not_ready(dev, instance) {
                return -EPROBE_DEFER;
            }
            if let Some(fwspec) = self.dev_iommu_fwspec_get(dev) {
                return self.iommu_fwspec_compare(fwspec, spec, instance);
            }
            let pointer = self.dev_iommu_get(dev);
            let dev_iommu = self.dev_iommu(dev, pointer);
            dev_iommu.num_ids.write_once(0);
            dev_iommu.fwspec.write_once(Some(Self::fwnode(spec)));
            0
        })
    }

    /// The gate of da33e87bd2bf: nobody but the walk itself, which has set `dev->iommu` by then,
    /// may use an instance that is still being registered.
    fn iommu_is_not_ready(&self, dev: DeviceId, instance: InstanceId) -> bool {
        let ready = self.instance(instance).ready;
        if self.has(commit::AMBARUS_READY_ALWAYS) {
            return !ready.read_once();
        }
        self.device(dev).iommu.read_once().is_none() && !ready.read_once()
    }

    /// A further specifier must be for the same driver.
    fn iommu_fwspec_compare(
        &self,
        fwspec: FwnodeId,
        spec: &IommuSpec,
        instance: InstanceId,
    ) -> i32 {
        if self.has(commit::AMBARUS_FWNODE) {
            return if fwspec == Self::fwnode(spec) {
                0
            } else {
                -EINVAL
            };
        }
        let kind = |i: InstanceId| self.board.instances[i.index()].kind;
        match self.iommu_fwspec_ops(Some(fwspec)) {
            Some(first) if kind(first) == kind(instance) => 0,
            _ => -EINVAL,
        }
    }

    /// iommu_fwspec_add_ids(): `n` more ids.
    pub(crate) fn iommu_fwspec_add_ids(&self, dev: DeviceId, n: u64) {
        if let Some(pointer) = self.device(dev).iommu.read_once() {
            let dev_iommu = self.dev_iommu(dev, pointer);
            let num_ids = dev_iommu.num_ids.read_once();
            dev_iommu.num_ids.write_once(num_ids + n);
        }
    }

    /// iommu_fwspec_free()
    pub(crate) fn iommu_fwspec_free(&self, dev: DeviceId) {
        self.on_device("iommu_fwspec_free", dev, || {
            if let Some(pointer) = self.device(dev).iommu.read_once() {
                self.dev_iommu(dev, pointer).fwspec.write_once(None);
            }
        });
    }

    // Groups.

    /// iommu_group_alloc(), in one of the slots of the group's owner.
    pub(crate) fn iommu_group_alloc(&self, mut slots: impl Iterator<Item = GroupId>) -> GroupId {
        // Before 01657bc14a39 two tasks can be here at once; they do not get the same memory.
        let is_free = |g: &GroupId| {
            let references = self.group(*g).references;
            if self.has(commit::G01657BC14A39) {
                references.read_once() == 0
            } else {
                references.cmpxchg(0, 1) == 0
            }
        };
        let Some(id) = slots.find(is_free) else {
            task::limit("a device or an instance has more groups at once than the model holds")
        };
        let group = self.group(id);
        group.references.write_once(1);
        group.default_domain.write_once(None);
        group.domain.write_once(None);
        group.owner_cnt.write_once(0);
        if !self.has(commit::B67483B3C44E) {
            self.reset_legacy_domain(id);
        }
        task::note("iommu_group_alloc", || id.0.to_string());
        id
    }

    /// iommu_group_put()
    pub(crate) fn iommu_group_put(&self, id: GroupId) {
        let references = self.group(id).references;
        if references.fetch_add(1u64.wrapping_neg()) == 0 {
            references.add(1);
            task::note("BUG", || {
                format!("iommu_group {} is put once too often", id.0)
            });
        }
    }

    /// generic_device_group(): one group for each device.
    pub(crate) fn generic_device_group(&self, dev: DeviceId) -> GroupId {
        self.iommu_group_alloc(self.groups_of_device(dev))
    }

    /// generic_single_device_group(): one group for each instance, which holds a reference of its
    /// own.
    pub(crate) fn generic_single_device_group(&self, instance: InstanceId) -> GroupId {
        let singleton = self.instance(instance).singleton_group;
        let group = singleton.read_once().unwrap_or_else(|| {
            let group = self.iommu_group_alloc(self.groups_of_instance(instance));
            singleton.write_once(Some(group));
            group
        });
        // iommu_group_ref_get()
        self.group(group).references.add(1);
        group
    }

    // Probing.

    /// iommu_probe_device(): the bus notifier and the replay.
    pub(crate) fn iommu_probe_device(&self, dev: DeviceId) -> i32 {
        self.on_device("iommu_probe_device", dev, || {
            if !self.has(commit::F188056352BC) {
                return self.legacy_probe_device(dev);
            }
            let lock = self.globals.iommu_probe_device_lock;
            lock.lock();
            let ret = self.__iommu_probe_device(dev, None);
            lock.unlock();
            if ret == 0 {
                self.probe_finalize(dev);
            }
            ret
        })
    }

    /// ops->probe_finalize(): the ops are looked up without a lock (dev_iommu_ops()). Of the
    /// model's drivers ipmmu-vmsa and mtk_iommu_v1 have one, which act on 32-bit ARM alone.
    pub(crate) fn probe_finalize(&self, dev: DeviceId) {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "dev_iommu_ops: dev->iommu is NULL")
        };
        let Some(instance) = self.dev_iommu(dev, pointer).iommu_dev.read_once() else {
            self.oops(dev, "dev_iommu_ops: dev->iommu->iommu_dev is NULL")
        };
        match self.board.instances[instance.index()].kind {
            Kind::IpmmuVmsa => self.ipmmu_probe_finalize(dev),
            Kind::Generic(GenericIommu::MtkIommuV1) => {
                self.mtk_iommu_v1_probe_finalize(dev, instance);
            }
            _ => {}
        }
    }

    /// probe_iommu_group(): one device of the walk.
    fn probe_iommu_group(&self, dev: DeviceId, walk: InstanceId) -> i32 {
        self.on_device("probe_iommu_group", dev, || {
            if !self.has(commit::F188056352BC) {
                return self.legacy_probe_iommu_group(dev, walk);
            }
            // The series that was in linux-next for v6.6: see the row.
            let is_own = self.hwdev(walk) == dev;
            if is_own && self.has(commit::B19CA5922DFF) {
                return 0;
            }
            let locks_device = self.has(commit::A16B5D1681AB);
            if locks_device {
                self.device(dev).mutex.lock();
            }
            let lock = self.globals.iommu_probe_device_lock;
            lock.lock();
            let ret = self.__iommu_probe_device(dev, Some(walk));
            lock.unlock();
            if locks_device {
                self.device(dev).mutex.unlock();
            }
            if ret == -ENODEV { 0 } else { ret }
        })
    }

    /// __iommu_probe_device(), with iommu_probe_device_lock held. `walk`: on whose list a new
    /// group is put.
    fn __iommu_probe_device(&self, dev: DeviceId, walk: Option<InstanceId>) -> i32 {
        self.on_device("__iommu_probe_device", dev, || {
            let device = self.device(dev);
            // Before fd598f71b669 the ops were looked for first, and nothing was done without.
            if !self.has(commit::FD598F71B669) && !self.dev_has_ops(dev) {
                return -ENODEV;
            }
            if device.iommu_group.read_once().is_some() {
                return 0;
            }
            if self.is_left_alone(dev) {
                return -ENODEV;
            }
            let ret = self.iommu_init_device(dev);
            if ret != 0 {
                return ret;
            }
            if self.has(commit::G73D2F10957F5) && device.driver.read_once().is_some() {
                self.warn(dev, Warn::LateProbe);
            }
            self.iommu_join_group(dev, walk);
            0
        })
    }

    /// Whether there are ops for the device: before 17de3f5fdd35 those of its bus, for any device,
    /// since then those of its fwspec.
    pub(crate) fn dev_has_ops(&self, dev: DeviceId) -> bool {
        if !self.has(commit::G17DE3F5FDD35) {
            return self.globals.bus_iommu_ops.read_once();
        }
        let fwspec = self.dev_iommu_fwspec_get(dev);
        self.iommu_fwspec_ops(fwspec).is_some()
    }

    /// The second half of __iommu_probe_device(): the device joins its group.
    fn iommu_join_group(&self, dev: DeviceId, walk: Option<InstanceId>) {
        let Some(id) = self.device(dev).iommu_group.read_once() else {
            self.oops(dev, "__iommu_probe_device: dev->iommu_group is NULL")
        };
        let group = self.group(id);
        task::note("printk", || {
            format!("{}: Adding to iommu group {}", self.device(dev).name, id.0)
        });
        group.mutex.lock();
        group.devices.push_back(dev);
        self.monitor_order(dev);
        let default_domain = group.default_domain.read_once();
        if group.domain.read_once().is_none() && default_domain.is_none() {
            match walk {
                None => self.iommu_setup_default_domain(id),
                Some(walk) => {
                    if !group.entry.read_once() {
                        group.entry.write_once(true);
                        self.instance(walk).group_list.push_back(id);
                    }
                }
            }
        }
        if group.default_domain.read_once().is_some() {
            if self.has(commit::OPS_FOR_ALL) {
                self.setup_dma_ops_of_all(id);
            } else {
                self.iommu_setup_dma_ops(dev, id);
            }
        }
        group.mutex.unlock();
    }

    /// iommu_setup_dma_ops() for each device of a group, with its mutex held.
    fn setup_dma_ops_of_all(&self, id: GroupId) {
        let group = self.group(id);
        let mut position = 0;
        while let Some((dev, next)) = group.devices.next(position) {
            position = next;
            self.iommu_setup_dma_ops(dev, id);
        }
    }

    /// Monitor: whether a device joins its group when one that was added before it, with the same
    /// instance and wanted by it, has none. A device that a task adds has no place in the order.
    pub(crate) fn monitor_order(&self, dev: DeviceId) {
        let instance = |d| self.description(d).iommus.first().and_then(|s| s.instance);
        let earlier = self.board.device_ids().take_while(|d| *d != dev);
        let mut waits = earlier.filter(|d| {
            instance(*d) == instance(dev) && !self.is_added_later(*d) && !self.refuses(*d)
        });
        if !self.is_added_later(dev)
            && waits.any(|d| self.device(d).iommu_group.monitor().is_none())
        {
            self.device(dev).overtook.set(true);
        }
    }

    /// iommu_init_device(), with iommu_probe_device_lock held on entry and on return.
    fn iommu_init_device(&self, dev: DeviceId) -> i32 {
        self.on_device("iommu_init_device", dev, || {
            self.dev_iommu_get(dev);
            if self.has(commit::BCB81AC6AE3C) && !self.iommu_configure_firmware(dev) {
                return -ENODEV;
            }
            let Some(pointer) = self.device(dev).iommu.read_once() else {
                self.oops(dev, "iommu_init_device: dev->iommu is NULL")
            };
            let fwspec = self.dev_iommu(dev, pointer).fwspec.read_once();
            let of_fwspec = self.iommu_fwspec_ops(fwspec);
            let Some(instance) = of_fwspec.or_else(|| self.bus_ops_without_fwspec()) else {
                return self.iommu_init_failed(dev, -ENODEV);
            };
            let warns_early = self.has(commit::BCB81AC6AE3C) && !self.has(commit::G73D2F10957F5);
            if warns_early && self.device(dev).driver.read_once().is_some() {
                self.warn(dev, Warn::LateProbe);
            }
            match self.ops_probe_device(dev, instance) {
                Ok(probed) => {
                    self.dev_iommu(dev, pointer)
                        .iommu_dev
                        .write_once(Some(probed));
                    let group = self.ops_device_group(dev, probed);
                    self.device(dev).iommu_group.write_once(Some(group));
                    0
                }
                Err(err) => self.iommu_init_failed(dev, err),
            }
        })
    }

    /// Runs the firmware parsing through the bus, for a device without driver. `false`: another
    /// walk has finished or undone the device meanwhile.
    fn iommu_configure_firmware(&self, dev: DeviceId) -> bool {
        let rechecks = self.has(commit::G0C8E9C148E29);
        if rechecks {
            // iommu_release_device() takes no lock that would keep it from coming in between.
            let Some(pointer) = self.device(dev).iommu.read_once() else {
                self.oops(dev, "iommu_init_device: dev->iommu is NULL")
            };
            if self.dev_iommu(dev, pointer).fwspec.read_once().is_some() {
                return true;
            }
        }
        if self.device(dev).driver.read_once().is_some() {
            return true;
        }
        let lock = self.globals.iommu_probe_device_lock;
        lock.unlock();
        self.platform_dma_configure(dev);
        task::checkpoint("iommu_init_device: configured", &[]);
        lock.lock();
        if self.is_left_alone(dev) {
            return false;
        }
        let device = self.device(dev);
        !rechecks
            || (device.iommu.read_once().is_some() && device.iommu_group.read_once().is_none())
    }

    /// err_free of iommu_init_device().
    fn iommu_init_failed(&self, dev: DeviceId, err: i32) -> i32 {
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "iommu_init_device: dev->iommu is NULL")
        };
        self.dev_iommu(dev, pointer).iommu_dev.write_once(None);
        self.dev_iommu_free(dev);
        err
    }

    /// ops->probe_device()
    pub(crate) fn ops_probe_device(
        &self,
        dev: DeviceId,
        instance: InstanceId,
    ) -> Result<InstanceId, i32> {
        match self.board.instances[instance.index()].kind {
            Kind::IpmmuVmsa => self.ipmmu_probe_device(dev),
            Kind::ArmSmmuV3 => self.arm_smmu_probe_device(dev, instance),
            Kind::Rockchip => self.rk_iommu_probe_device(dev),
            Kind::Generic(driver) => self.generic_probe_device(driver, dev, instance),
            Kind::Client => unreachable!("a client driver makes no instance"),
        }
    }

    /// ops->device_group()
    pub(crate) fn ops_device_group(&self, dev: DeviceId, instance: InstanceId) -> GroupId {
        match self.board.instances[instance.index()].kind {
            Kind::ArmSmmuV3 => self.pci_or_generic_device_group(dev),
            Kind::Generic(driver) => self.generic_iommu_group(driver, dev, instance),
            Kind::IpmmuVmsa if self.is_arm32() => self.generic_device_group(dev),
            _ => self.generic_single_device_group(instance),
        }
    }

    /// bus_iommu_probe(): first every device, then every new group.
    pub(crate) fn bus_iommu_probe(&self, bus: Bus, walk: InstanceId) -> i32 {
        let group_list = self.instance(walk).group_list;
        let ret = self.bus_for_each_dev(bus, |dev| self.probe_iommu_group(dev, walk));
        if ret != 0 {
            // The list goes with the stack. Groups on it keep an `entry` that is not empty, so no
            // later walk takes them.
            while group_list.pop_front().is_some() {}
            return ret;
        }
        loop {
            // The instance stands in the call of iommu_device_register().
            task::checkpoint("bus_iommu_probe: second pass", &[bus.to_word()]);
            let Some(id) = group_list.pop_front() else {
                return 0;
            };
            if !self.has(commit::F188056352BC) {
                self.legacy_set_up_group(id);
                continue;
            }
            self.with_release_lock(|| self.set_up_group(id, walk));
        }
    }

    /// One group of the second pass of bus_iommu_probe().
    fn set_up_group(&self, id: GroupId, walk: InstanceId) {
        let group = self.group(id);
        group.mutex.lock();
        group.entry.write_once(false);
        if group.devices.is_empty() {
            if self.has(commit::RELEASE_UNDER_PROBE_LOCK) {
                group.mutex.unlock();
                return;
            }
            self.oops(
                self.hwdev(walk),
                "iommu_group_first_dev: the group's devices are gone",
            )
        }
        self.iommu_setup_default_domain(id);
        self.setup_dma_ops_of_all(id);
        group.mutex.unlock();
        // Without the mutex, as a FIXME there says.
        let mut position = 0;
        while let Some((dev, next)) = group.devices.next(position) {
            position = next;
            self.probe_finalize(dev);
        }
    }

    /// iommu_setup_default_domain(), with the group's mutex held: a DMA domain, on 32-bit ARM the
    /// identity domain, attached to all.
    fn iommu_setup_default_domain(&self, id: GroupId) {
        let group = self.group(id);
        if group.default_domain.read_once().is_some() {
            return;
        }
        let domain = if self.is_arm32() {
            Domain::Identity
        } else {
            Domain::Dma
        };
        group.default_domain.write_once(Some(domain));
        let is_left = self.has(commit::OWNER_KEEPS_DOMAIN) && group.owner.read_once();
        if !is_left {
            group.domain.write_once(Some(domain));
        }
    }

    // Removal.

    /// iommu_release_device(), without iommu_probe_device_lock but with a proposed patch.
    pub(crate) fn iommu_release_device(&self, dev: DeviceId) {
        self.on_device("iommu_release_device", dev, || {
            let device = self.device(dev);
            if let Some(id) = device.iommu_group.read_once() {
                self.__iommu_group_remove_device(dev, id);
            }
            if device.iommu.read_once().is_some() {
                self.dev_iommu_free(dev);
            }
        });
    }

    /// __iommu_group_remove_device()
    fn __iommu_group_remove_device(&self, dev: DeviceId, id: GroupId) {
        let group = self.group(id);
        group.mutex.lock();
        if group.devices.remove(dev) {
            let empty = group.devices.is_empty();
            if empty && group.owner_cnt.read_once() != 0 {
                self.warn(dev, Warn::OwnerCnt);
            }
            let pointer = self.device(dev).iommu.read_once();
            if pointer.is_some_and(|p| self.dev_iommu(dev, p).iommu_dev.read_once().is_some()) {
                self.iommu_deinit_device(dev, id, empty);
            } else {
                self.device(dev).iommu_group.write_once(None);
            }
        }
        group.mutex.unlock();
        self.iommu_group_put(id);
    }

    /// iommu_deinit_device(), with the group's mutex held.
    fn iommu_deinit_device(&self, dev: DeviceId, id: GroupId, empty: bool) {
        self.ops_release_device(dev);
        if empty {
            self.group(id).default_domain.write_once(None);
            self.group(id).domain.write_once(None);
        }
        self.device(dev).iommu_group.write_once(None);
        self.dev_iommu_free(dev);
        if self.has(commit::G280E5A301005) {
            self.set_flag(dev, DeviceFlag::DmaIommu, false);
        }
    }

    /// ops->release_device(): only that of ipmmu-vmsa does something here.
    fn ops_release_device(&self, dev: DeviceId) {
        let is_ipmmu = |i: &InstanceId| self.board.instances[i.index()].kind == Kind::IpmmuVmsa;
        if self.is_arm32() && self.dev_iommu_priv_get(dev).as_ref().is_some_and(is_ipmmu) {
            self.ipmmu_release_device(dev);
        }
    }

    /// iommu_bus_notifier()
    pub(crate) fn iommu_bus_notifier(&self, dev: DeviceId, notification: Notification) {
        match notification {
            Notification::AddDevice => {
                self.iommu_probe_device(dev);
            }
            Notification::RemovedDevice => {
                self.with_release_lock(|| self.iommu_release_device(dev));
            }
            Notification::DelDevice => {}
        }
    }
}
