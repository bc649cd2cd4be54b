//! IOMMU drivers that differ, for the probe path, in a few facts alone: arm-smmu.c, qcom_iommu.c,
//! mtk_iommu.c, mtk_iommu_v1.c, exynos-iommu.c, apple-dart.c, sun50i-iommu.c, tegra-smmu.c,
//! sprd-iommu.c, vsi-iommu.c, virtio-iommu.c and riscv/iommu.c. Follows v7.2 on every revision, but
//! for what 229e6ee43d2a, 7d835134d4e1, 97cb1fa02726 and b1a1347912a7 changed in arm-smmu.c,
//! 38e8844005e6 in mtk_iommu.c and 72b6f7cd89ce in virtio-iommu.c.
//!
//! All set their drvdata, then register; arm-smmu.c does so since 7d835134d4e1, virtio-iommu.c since
//! 72b6f7cd89ce. The PCI function or the transport, and the virtio device of a virtio-iommu are one
//! platform device here. Left out: stream
//! numbers out of range, contexts of qcom_iommu, regions and shared page tables of Mediatek (one
//! group for each instance), DARTs of different page sizes, Tegra's table of groups, -EINVAL for
//! streams of two groups, and the links from a client to its IOMMU that are for runtime PM alone. A
//! group that is shared through a stream is found through the devices that have the stream.

use crate::board::{Firmware, IommuSpec};
use crate::commit;
use crate::drivers::catalogue::Kind;
use crate::errno::{EINVAL, ENODEV, EPROBE_DEFER};
use crate::ids::{DeviceId, GroupId, InstanceId};
use crate::kernel::Kernel;

/// Which driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenericIommu {
    /// drivers/iommu/arm/arm-smmu/arm-smmu.c: SMMUv1 and v2, with the Qualcomm and Nvidia parts.
    ArmSmmu,
    /// drivers/iommu/arm/arm-smmu/qcom_iommu.c
    QcomIommu,
    /// drivers/iommu/mtk_iommu.c
    MtkIommu,
    /// drivers/iommu/mtk_iommu_v1.c: [`crate::arm::mtk_iommu_v1`]
    MtkIommuV1,
    /// drivers/iommu/exynos-iommu.c: [`super::exynos_iommu`]
    ExynosSysmmu,
    /// drivers/iommu/apple-dart.c
    AppleDart,
    /// drivers/iommu/sun50i-iommu.c
    Sun50i,
    /// drivers/iommu/tegra-smmu.c: drivers/memory/tegra/mc.c registers it, on SoCs that have it.
    TegraSmmu,
    /// drivers/iommu/sprd-iommu.c
    Sprd,
    /// drivers/iommu/riscv/iommu.c
    Riscv,
    /// drivers/iommu/vsi-iommu.c
    Vsi,
    /// drivers/iommu/virtio-iommu.c
    Virtio,
}

/// How device_group() finds a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// generic_device_group()
    Device,
    /// generic_single_device_group(), or one that the driver keeps for the instance.
    Instance,
    /// That of a device with the same stream, else one for the device.
    Stream,
}

/// What dev_iommu_priv_get() is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Private {
    /// Set by probe_device(), for the instance that the fwspec names.
    Probed,
    /// Set by of_xlate() for the first specifier.
    First,
    /// As before; a specifier for another instance is -EINVAL.
    Only,
    /// Set by of_xlate() for each specifier anew.
    Last,
}

/// The facts of one driver.
struct Facts {
    driver: &'static str,
    of_xlate: Option<&'static str>,
    /// Ids that of_xlate() adds to the fwspec.
    ids: u64,
    /// Another number of cells than one is -EINVAL.
    one_cell: bool,
    private: Private,
    grouping: Grouping,
}

impl GenericIommu {
    /// All of them.
    pub const ALL: [GenericIommu; 12] = [
        GenericIommu::ArmSmmu,
        GenericIommu::QcomIommu,
        GenericIommu::MtkIommu,
        GenericIommu::MtkIommuV1,
        GenericIommu::ExynosSysmmu,
        GenericIommu::AppleDart,
        GenericIommu::Sun50i,
        GenericIommu::TegraSmmu,
        GenericIommu::Sprd,
        GenericIommu::Riscv,
        GenericIommu::Vsi,
        GenericIommu::Virtio,
    ];

    /// The name of its of_xlate(); `None` if it has none.
    pub fn of_xlate(self) -> Option<&'static str> {
        self.facts().of_xlate
    }

    fn facts(self) -> Facts {
        use {Grouping as G, Private as P};
        let facts = |driver, of_xlate, ids, one_cell, private, grouping| Facts {
            driver,
            of_xlate,
            ids,
            one_cell,
            private,
            grouping,
        };
        match self {
            Self::ArmSmmu => facts(
                "arm-smmu",
                Some("arm_smmu_of_xlate"),
                1,
                false,
                P::Probed,
                G::Stream,
            ),
            Self::QcomIommu => facts(
                "qcom-iommu",
                Some("qcom_iommu_of_xlate"),
                1,
                true,
                P::Only,
                G::Device,
            ),
            Self::MtkIommu => facts(
                "mtk-iommu",
                Some("mtk_iommu_of_xlate"),
                1,
                true,
                P::First,
                G::Instance,
            ),
            Self::MtkIommuV1 => facts("mtk-iommu-v1", None, 1, true, P::First, G::Device),
            Self::ExynosSysmmu => facts(
                "exynos-sysmmu",
                Some("exynos_iommu_of_xlate"),
                0,
                false,
                P::First,
                G::Device,
            ),
            Self::AppleDart => facts(
                "apple-dart",
                Some("apple_dart_of_xlate"),
                0,
                true,
                P::First,
                G::Stream,
            ),
            Self::Sun50i => facts(
                "sun50i-iommu",
                Some("sun50i_iommu_of_xlate"),
                1,
                false,
                P::Last,
                G::Instance,
            ),
            Self::TegraSmmu => facts(
                "tegra-mc",
                Some("tegra_smmu_of_xlate"),
                1,
                false,
                P::Last,
                G::Stream,
            ),
            Self::Sprd => facts(
                "sprd-iommu",
                Some("sprd_iommu_of_xlate"),
                0,
                false,
                P::First,
                G::Instance,
            ),
            Self::Riscv => facts(
                "riscv,iommu",
                Some("riscv_iommu_of_xlate"),
                1,
                false,
                P::Probed,
                G::Device,
            ),
            Self::Vsi => facts(
                "vsi_iommu",
                Some("vsi_iommu_of_xlate"),
                1,
                false,
                P::Probed,
                G::Instance,
            ),
            Self::Virtio => facts(
                "virtio_iommu",
                Some("viommu_of_xlate"),
                1,
                false,
                P::Probed,
                G::Device,
            ),
        }
    }

    /// The driver of this name, if it is one of these.
    pub fn of_driver(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.facts().driver == name)
    }

    /// Whether its of_xlate() adds ids to the fwspec.
    pub fn keeps_ids(self) -> bool {
        self.facts().ids != 0
    }

    /// How its device_group() finds a group.
    pub(crate) fn grouping(self) -> Grouping {
        self.facts().grouping
    }

    /// Whether devices with a stream in common are in one group.
    pub(crate) fn groups_by_stream(self) -> bool {
        self.facts().grouping == Grouping::Stream
    }
}

impl Kernel {
    /// The driver's probe. A Mediatek IOMMU waits until its larbs have drivers
    /// (mtk_iommu_mm_dts_parse()).
    pub(crate) fn generic_iommu_probe(&self, dev: DeviceId) -> i32 {
        let larbs = &self.description(dev).larbs;
        if larbs
            .iter()
            .any(|l| self.device(*l).driver.read_once().is_none())
        {
            return -EPROBE_DEFER;
        }
        let Some(instance) = self.description(dev).instance else {
            self.of_platform_populate(dev);
            return 0;
        };
        let Kind::Generic(driver) = self.board.instances[instance.index()].kind else {
            unreachable!("the instance is that of the driver that probes")
        };
        let drvdata_first = match driver {
            GenericIommu::ArmSmmu => self.has(commit::G7D835134D4E1),
            GenericIommu::Virtio => self.has(commit::G72B6F7CD89CE),
            _ => true,
        };
        let driver_data = self.device(dev).driver_data;
        if drvdata_first {
            driver_data.write_once(true);
        }
        // qcom_iommu has its contexts as devices, the others have none.
        self.of_platform_populate(dev);
        let kind = self.board.instances[instance.index()].kind;
        if kind == Kind::Generic(GenericIommu::Riscv) && self.board.firmware == Firmware::Acpi {
            self.rimt_iommu_register(instance);
        }
        if driver == GenericIommu::Sun50i && !self.has(commit::F188056352BC) {
            self.sun50i_group_alloc(instance);
        }
        let is_mtk = driver == GenericIommu::MtkIommu;
        let listed_first = self.has(commit::G38E8844005E6);
        if is_mtk && listed_first {
            self.instance(instance).hw_list.write_once(true);
        }
        let ret = self.iommu_device_register(instance);
        if ret == 0 && !drvdata_first {
            driver_data.write_once(true);
        }
        if ret == 0 && is_mtk && !listed_first {
            self.instance(instance).hw_list.write_once(true);
        }
        // viommu_probe() does not look at what iommu_device_register() returns.
        if driver == GenericIommu::Virtio {
            0
        } else {
            ret
        }
    }

    /// sun50i_iommu_probe() allocated the group that all its devices are in, where
    /// generic_single_device_group() does so now.
    fn sun50i_group_alloc(&self, instance: InstanceId) {
        let group = self.iommu_group_alloc(self.groups_of_instance(instance));
        let singleton = self.instance(instance).singleton_group;
        singleton.write_once(Some(group));
    }

    /// viommu_get_by_fwnode(): over the virtio bus since 72b6f7cd89ce, before that over the devices
    /// that are bound to the driver.
    fn viommu_get_by_fwnode(&self, instance: InstanceId) -> bool {
        let dev = self.hwdev(instance);
        if self.has(commit::G72B6F7CD89CE) {
            return self.device(dev).driver_data.read_once();
        }
        let drv = self.board.instances[instance.index()].driver;
        self.drivers[drv.index()].klist_devices.contains(dev)
    }

    /// ops->of_xlate()
    pub(crate) fn generic_of_xlate(
        &self,
        driver: GenericIommu,
        dev: DeviceId,
        spec: &IommuSpec,
        instance: InstanceId,
    ) -> i32 {
        if driver == GenericIommu::ExynosSysmmu {
            return self.exynos_iommu_of_xlate(dev, instance);
        }
        let facts = driver.facts();
        if facts.one_cell && spec.args.len() != 1 {
            return -EINVAL;
        }
        if facts.private != Private::Probed {
            let Some(pointer) = self.device(dev).iommu.read_once() else {
                self.oops(dev, "dev_iommu_priv_set: dev->iommu is NULL")
            };
            let private = self.dev_iommu(dev, pointer).private;
            let before = private.read_once();
            let is_set_up = self.device(self.hwdev(instance)).driver_data.read_once();
            let own = is_set_up.then_some(instance);
            match facts.private {
                Private::Only if before.is_some() && before != own => return -EINVAL,
                Private::Last => private.write_once(own),
                _ if before.is_none() => private.write_once(own),
                _ => {}
            }
        }
        if facts.ids > 0 {
            self.iommu_fwspec_add_ids(dev, facts.ids);
        }
        0
    }

    /// ops->probe_device()
    pub(crate) fn generic_probe_device(
        &self,
        driver: GenericIommu,
        dev: DeviceId,
        instance: InstanceId,
    ) -> Result<InstanceId, i32> {
        if driver == GenericIommu::MtkIommuV1 {
            return self.mtk_iommu_v1_probe_device(dev);
        }
        if driver == GenericIommu::ExynosSysmmu {
            return self.exynos_iommu_probe_device(dev);
        }
        if driver.facts().private != Private::Probed {
            return self.dev_iommu_priv_get(dev).ok_or(-ENODEV);
        }
        if driver == GenericIommu::ArmSmmu && !self.arm_smmu_get_by_fwnode(instance) {
            if self.has(commit::G229E6EE43D2A) && !self.has(commit::G97CB1FA02726) {
                return Err(-EPROBE_DEFER);
            }
            self.oops(dev, "arm_smmu_probe_device: smmu is NULL")
        }
        if driver == GenericIommu::Virtio && !self.viommu_get_by_fwnode(instance) {
            return Err(-ENODEV);
        }
        let Some(pointer) = self.device(dev).iommu.read_once() else {
            self.oops(dev, "dev_iommu_priv_set: dev->iommu is NULL")
        };
        self.dev_iommu(dev, pointer)
            .private
            .write_once(Some(instance));
        Ok(instance)
    }

    /// ops->device_group()
    pub(crate) fn generic_iommu_group(
        &self,
        driver: GenericIommu,
        dev: DeviceId,
        instance: InstanceId,
    ) -> GroupId {
        let is_mtk = driver == GenericIommu::MtkIommu;
        if is_mtk && !self.instance(instance).hw_list.read_once() {
            self.oops(
                dev,
                "mtk_iommu_device_group: the first entry of an empty hw_list",
            )
        }
        match driver.facts().grouping {
            Grouping::Stream
                if driver == GenericIommu::ArmSmmu && !self.has(commit::F188056352BC) =>
            {
                self.s2cr_group(dev, instance)
            }
            Grouping::Device => self.pci_or_generic_device_group(dev),
            Grouping::Instance => self.generic_single_device_group(instance),
            Grouping::Stream => self.stream_group(dev),
        }
    }

    /// arm_smmu_device_group(), where it can run for two devices at once: the group of the stream is
    /// remembered in the SMMU, under stream_map_mutex since b1a1347912a7.
    fn s2cr_group(&self, dev: DeviceId, instance: InstanceId) -> GroupId {
        let mutex = self.instance(instance).stream_map_mutex;
        let is_locked = self.has(commit::B1A1347912A7);
        if is_locked {
            mutex.lock();
        }
        let same_stream = self.description(dev).same_stream.iter();
        let mut known = same_stream.filter_map(|d| self.device(*d).s2cr_group.read_once());
        let group = match known.next() {
            Some(group) => {
                // iommu_group_ref_get()
                self.group(group).references.add(1);
                group
            }
            None => self.generic_device_group(dev),
        };
        self.device(dev).s2cr_group.write_once(Some(group));
        if is_locked {
            mutex.unlock();
        }
        group
    }

    /// The group of the streams, which their first device brought.
    fn stream_group(&self, dev: DeviceId) -> GroupId {
        for other in &self.description(dev).same_stream {
            if let Some(group) = self.device(*other).iommu_group.read_once() {
                // iommu_group_ref_get()
                self.group(group).references.add(1);
                return group;
            }
        }
        self.pci_or_generic_device_group(dev)
    }
}
