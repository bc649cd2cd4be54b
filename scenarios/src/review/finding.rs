//! What can be wrong with an outcome, and how bad that is.

use crate::runner::names::Resolver;
use checker::engine::lock_order::Inversion;
use checker::heap::{DOUBLE_FREE, USE_AFTER_FREE};
use checker::outcome::{Fairness, Final, Round};
use kernel::ids::DeviceId;
use kernel::kernel::Warn;
use kernel::outcome::{DeviceOutcome, GroupOutcome, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What iommu_probe_device() says of a bind that is the first to find its IOMMU.
pub(super) const LATE_PROBE: &str = "WARN late IOMMU probe at driver bind";

/// How bad a change is: the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// State is corrupt, or nobody goes on: oopses, uses after free, deadlocks, DMA ops switched
    /// under a driver, wrong counts of users.
    Corrupt,
    /// A device is left behind: deferred for good, without driver, without group.
    Stuck,
    /// The log has a splat: a WARN, a data race, a lock-order inversion, a leak.
    Splat,
    /// A verdict or an invariant of a test, with none of the above.
    Verdict,
    /// How often of_xlate is called.
    Counts,
    /// All else.
    Other,
}

impl Level {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Corrupt => "corrupt",
            Level::Stuck => "stuck",
            Level::Splat => "splat",
            Level::Verdict => "verdict",
            Level::Counts => "of_xlate",
            Level::Other => "other",
        }
    }

    /// Whether more of it is worse. More of_xlate calls are a change, and may be what it takes.
    pub fn is_bad(self) -> bool {
        self <= Level::Verdict
    }
}

/// What a finding is of. In this order they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A task dereferenced what it must not.
    Oops,
    /// A freed object is used.
    UseAfterFree,
    /// An object is freed twice.
    DoubleFree,
    /// Tasks wait for each other for ever.
    Deadlock,
    /// Tasks go round for ever, however fair the scheduler is.
    Livelock,
    /// What a driver mapped in its probe is not where the DMA API looks for it now.
    DmaOpsSwitched,
    /// `group->owner_cnt` is not the number of bound members.
    OwnerCnt,
    /// The fwspec has more or fewer ids than the device has specifiers.
    FwspecIds,
    /// `dev->iommu_group` and the group's list of members say different things.
    GroupPointer,
    /// The device has a group and no fwspec.
    NoFwspec,
    /// A device is on a deferred list at the end, although the workqueue retries.
    LostDeferral,
    /// A device has no driver at the end, and nothing will give it one.
    NoDriver,
    /// An IOMMU instance is not registered at the end.
    NotRegistered,
    /// A device has no group, although its IOMMU is registered.
    NoGroup,
    /// A device's group has no domain.
    NoDomain,
    /// A driver's DMA goes past the IOMMU, although that is registered.
    DirectDma,
    /// A WARN.
    Warn,
    /// An object to which nothing refers.
    Leak,
    /// Locks are taken in an order that could deadlock, as lockdep reports it.
    LockOrder,
    /// Two plain accesses that nothing orders, as KCSAN reports them.
    DataRace,
    /// Tasks can go round, and only strong fairness ends it, or how fair it is was not judged.
    GoesRound,
}

impl Kind {
    /// How bad it is.
    pub fn level(self) -> Level {
        match self {
            Kind::Oops
            | Kind::UseAfterFree
            | Kind::DoubleFree
            | Kind::Deadlock
            | Kind::Livelock
            | Kind::DmaOpsSwitched
            | Kind::OwnerCnt
            | Kind::FwspecIds
            | Kind::GroupPointer
            | Kind::NoFwspec => Level::Corrupt,
            Kind::LostDeferral
            | Kind::NoDriver
            | Kind::NotRegistered
            | Kind::NoGroup
            | Kind::NoDomain
            | Kind::DirectDma => Level::Stuck,
            Kind::Warn | Kind::Leak | Kind::LockOrder | Kind::DataRace => Level::Splat,
            Kind::GoesRound => Level::Other,
        }
    }
}

/// Something wrong, with the device or field that it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// What sort.
    pub kind: Kind,
    /// What it is, without the device: the same over all tests.
    pub what: String,
    /// The device, field, or tasks.
    pub of: String,
}

impl Finding {
    /// In words.
    pub fn text(&self) -> String {
        match self.kind {
            Kind::Deadlock | Kind::Livelock | Kind::LockOrder | Kind::GoesRound => {
                format!("{}: {}", self.what, self.of)
            }
            _ => format!("{}: {}", self.of, self.what),
        }
    }
}

/// Reads findings off outcomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder<'a> {
    /// What devices are called.
    pub(super) names: Resolver<'a>,
    /// Whether a task of the test retries what is deferred. Where none does, a deferral is what
    /// comes out, and not lost.
    pub(super) retries: bool,
}

impl Finder<'_> {
    /// All that is wrong with an outcome.
    pub(super) fn of_outcome(&self, end: &Final<Outcome>) -> BTreeSet<Finding> {
        let mut found = BTreeSet::new();
        for d in end.outcome.clients.iter().chain(&end.outcome.others) {
            let of = self.names.display(d.device);
            let mut add = |kind, what: &str| {
                let (what, of) = (what.to_owned(), of.clone());
                found.insert(Finding { kind, what, of });
            };
            faults(d, &mut add);
            self.left_behind(d, end, &mut add);
            self.state(d, end, &mut add);
        }
        if let Some(deadlock) = &end.deadlock {
            let waits: Vec<String> = deadlock.waits.iter().map(|w| self.relabel(w)).collect();
            found.insert(Finding {
                kind: Kind::Deadlock,
                what: "deadlock".to_owned(),
                of: waits.join("; "),
            });
        }
        found
    }

    /// A way in which tasks can go round for ever; none if every fair scheduler ends it.
    pub(super) fn of_round(&self, round: &Round) -> Option<Finding> {
        let kind = match round.fairness {
            Fairness::None => return None,
            Fairness::Weak | Fairness::Unknown => Kind::GoesRound,
            Fairness::Livelock | Fairness::NoWayOut => Kind::Livelock,
        };
        let what = match kind {
            Kind::Livelock => "livelock".to_owned(),
            _ => format!("can go round for ever: {}", round.fairness),
        };
        let parts = [round.tasks.join(", "), round.on.join(", ")];
        let of = self.relabel(&parts.join(" on "));
        Some(Finding { kind, what, of })
    }

    /// A cycle of the lock order.
    pub(super) fn of_inversion(&self, inversion: &Inversion) -> Finding {
        let classes: Vec<&str> = inversion.classes().collect();
        Finding {
            kind: Kind::LockOrder,
            what: "lock-order inversion".to_owned(),
            of: self.relabel(&classes.join(" -> ")),
        }
    }

    /// A data race on a field of this name.
    pub(super) fn of_race(&self, field: &str) -> Finding {
        Finding {
            kind: Kind::DataRace,
            what: "data race".to_owned(),
            of: self.relabel(field),
        }
    }

    fn relabel(&self, text: &str) -> String {
        self.names.relabel(text)
    }

    /// Drivers, groups and DMA that a device should have and does not.
    fn left_behind(
        &self,
        d: &DeviceOutcome,
        end: &Final<Outcome>,
        add: &mut dyn FnMut(Kind, &str),
    ) {
        let description = &self.names.laid_out.devices[d.device.index()];
        if d.deferred && self.retries {
            add(Kind::LostDeferral, "left on a deferred list");
        }
        if d.driver.is_none() && !d.deferred && !d.warned(Warn::Oops) {
            add(Kind::NoDriver, "no driver");
        }
        if description.instance.is_some() && !end.outcome.registered.contains(&d.device) {
            add(Kind::NotRegistered, "IOMMU not registered");
        }
        let Some(group) = end.outcome.group_of(d.device) else {
            if self.has_iommu(d.device, end) {
                add(Kind::NoGroup, "no group, although its IOMMU is there");
            }
            return;
        };
        if group.domain.is_none() {
            add(Kind::NoDomain, "group without domain");
        }
        if d.driver.is_some() && !d.dma_iommu {
            add(Kind::DirectDma, "direct DMA, although it has a group");
        }
    }

    /// Whether all instances that the device names are registered at the end, and there are any.
    fn has_iommu(&self, dev: DeviceId, end: &Final<Outcome>) -> bool {
        let laid_out = self.names.laid_out;
        let specs = &laid_out.devices[dev.index()].iommus;
        let is_registered = |i: kernel::ids::InstanceId| {
            let hwdev = laid_out.instances[i.index()].device;
            end.outcome.registered.contains(&hwdev)
        };
        !specs.is_empty() && specs.iter().all(|s| s.instance.is_some_and(is_registered))
    }

    /// State of a device that does not fit together.
    fn state(&self, d: &DeviceOutcome, end: &Final<Outcome>, add: &mut dyn FnMut(Kind, &str)) {
        let group = end.outcome.group_of(d.device);
        if d.dma_ops_switched() {
            add(Kind::DmaOpsSwitched, "DMA ops switched under the driver");
        }
        if group.is_some_and(|g| g.owner_cnt != users(g, end)) {
            add(Kind::OwnerCnt, "owner_cnt is not the number of users");
        }
        if d.grouped != group.is_some() {
            add(
                Kind::GroupPointer,
                "dev->iommu_group does not fit its group",
            );
        }
        let specs = &self.names.laid_out.devices[d.device.index()].iommus;
        match d.fwspec_ids {
            // Not every driver keeps ids there.
            Some(ids) if ids != specs.len() as u64 && ids != 0 => {
                add(Kind::FwspecIds, "wrong number of ids in its fwspec");
            }
            None if d.grouped => add(Kind::NoFwspec, "group without fwspec"),
            _ => {}
        }
    }
}

/// How many members are bound.
fn users(group: &GroupOutcome, end: &Final<Outcome>) -> u64 {
    let is_bound = |dev: &&DeviceId| {
        end.outcome
            .device(**dev)
            .is_some_and(|d| d.driver.is_some())
    };
    group.members.iter().filter(is_bound).count() as u64
}

fn faults(d: &DeviceOutcome, add: &mut dyn FnMut(Kind, &str)) {
    for warn in Warn::ALL.into_iter().filter(|w| d.warned(*w)) {
        match warn {
            Warn::Oops => add(Kind::Oops, "Oops"),
            Warn::LateProbe => add(Kind::Warn, LATE_PROBE),
            Warn::OwnerCnt
            | Warn::PrivSet
            | Warn::RetainsOps
            | Warn::ProbesAtOnce
            | Warn::AttachesAtOnce
            | Warn::OtherDomain
            | Warn::IovaTwice => add(Kind::Warn, warn.text()),
        }
    }
    if d.faults & USE_AFTER_FREE != 0 {
        add(Kind::UseAfterFree, "use after free of struct dev_iommu");
    }
    if d.faults & DOUBLE_FREE != 0 {
        add(Kind::DoubleFree, "double free of struct dev_iommu");
    }
    if d.leaked != 0 {
        add(Kind::Leak, "struct dev_iommu leaked");
    }
    if d.owner_lost {
        add(Kind::Leak, "struct exynos_iommu_owner leaked");
    }
}
