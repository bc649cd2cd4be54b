//! The invariants of the probe path that the checker knows by name.
//!
//! Each is judged on how a run ended: for every client, or for the run as a whole. It holds, is
//! violated, or does not apply because what it speaks of did not happen. One that applies in no
//! outcome holds vacuously, which [`InvariantAnswer::is_vacuous`] tells and the report says.
//!
//! What they say follows mails, commit messages and comments of the kernel; the source stands with
//! each function. Numbers that are missing here are listed in `scenarios/README.md`, with why.

mod arm;
mod group;
mod probe;
mod vfio;

use super::names::Resolver;
use checker::heap::{DOUBLE_FREE, USE_AFTER_FREE};
use checker::outcome::Final;
use kernel::board::IommuSpec;
use kernel::drivers::catalogue::Kind;
use kernel::ids::DeviceId;
use kernel::kernel::Warn;
use kernel::outcome::{DeviceOutcome, GroupOutcome, Outcome};

/// An invariant: its name, what it says in a few words, how it is judged.
#[derive(Clone, Copy)]
pub struct Invariant {
    /// What tests call it.
    pub name: &'static str,
    /// What it says, in a few words.
    pub says: &'static str,
    judge: Judge,
}

/// `None`: it does not apply. Else whether it holds.
type Judgement = Option<bool>;

#[derive(Clone, Copy)]
enum Judge {
    /// For each client.
    Client(fn(&End<'_>, &DeviceOutcome) -> Judgement),
    /// For the run.
    Run(fn(&End<'_>) -> Judgement),
}

/// All of them, in the order of their numbers.
pub const ALL: [Invariant; 24] = [
    client("I1", "groups are joined in order of addition", probe_order),
    client("I2", "every device that is added is offered", offered),
    client("I3", "no probe at driver bind", no_late_probe),
    client("I4", "no switch under a bound driver", no_switch),
    client(
        "I5",
        "set up before its driver probes",
        probe::set_up_before_probe,
    ),
    client("I6", "owner_cnt is the number of users", group::ownership),
    client(
        "I7",
        "a claimed group is its owner's alone",
        group::exclusion,
    ),
    client("I8", "complete before a driver probes", group::completeness),
    client("I9", "probed once, listed once", group::one_probe),
    client("I10", "dev->iommu lives as long as it is used", lifetime),
    client("I11", "one of_xlate for each specifier", one_xlate),
    client("I12", "an id for each specifier", fwspec_ids),
    client("I13", "nobody is deferred for ever", no_lost_deferral),
    client("I14", "a group needs an instance", registration),
    Invariant {
        name: "I15",
        says: "no deadlock",
        judge: Judge::Run(no_deadlock),
    },
    client(
        "I16",
        "dma_configure reads dev->driver once",
        probe::callback_safety,
    ),
    client("I17", "a map of DMA ranges while bound", probe::range_map),
    client("I18", "teardown undoes setup", arm::teardown_symmetry),
    client("I19", "nothing is left after release", removal),
    client(
        "I20",
        "no bind before the ADD notifier",
        probe::add_notifier,
    ),
    client("I21", "a group has a domain", isolation),
    client(
        "I22",
        "no refusal by vfio for timing",
        vfio::no_early_refusal,
    ),
    client("I23", "finalized once and in time", arm::finalized),
    client("I24", "probed only if all instances are there", single_view),
];

const fn client(
    name: &'static str,
    says: &'static str,
    judge: fn(&End<'_>, &DeviceOutcome) -> Judgement,
) -> Invariant {
    Invariant {
        name,
        says,
        judge: Judge::Client(judge),
    }
}

/// The invariant of this name.
pub fn find(name: &str) -> Option<&'static Invariant> {
    ALL.iter().find(|i| i.name == name)
}

impl Invariant {
    /// Whether a run violates it: for this device, or for any if none is named.
    pub(crate) fn is_violated(
        &self,
        end: &Final<Outcome>,
        names: &Resolver<'_>,
        dev: Option<DeviceId>,
    ) -> bool {
        let end = End { end, names };
        match self.judge {
            Judge::Client(judge) => end
                .clients()
                .any(|d| dev.is_none_or(|dev| dev == d.device) && judge(&end, d) == Some(false)),
            Judge::Run(judge) => judge(&end) == Some(false),
        }
    }

    /// Judges all outcomes of an exploration.
    pub(crate) fn over<'a>(
        &self,
        ends: impl Iterator<Item = &'a Final<Outcome>>,
        names: &Resolver<'_>,
    ) -> InvariantAnswer {
        let mut answer = InvariantAnswer {
            name: self.name,
            says: self.says,
            applies: 0,
            violated: 0,
            devices: vec![],
        };
        for end in ends {
            let end = End { end, names };
            let judged: Vec<(Option<DeviceId>, Judgement)> = match self.judge {
                Judge::Client(judge) => {
                    let each = end.clients().map(|d| (Some(d.device), judge(&end, d)));
                    each.collect()
                }
                Judge::Run(judge) => vec![(None, judge(&end))],
            };
            let of = |holds| judged.iter().filter(move |(_, j)| *j == Some(holds));
            let violated = of(false).count() != 0;
            answer.violated += usize::from(violated);
            answer.applies += usize::from(violated || of(true).count() != 0);
            answer.devices.extend(of(false).filter_map(|(dev, _)| *dev));
        }
        answer.devices.sort();
        answer.devices.dedup();
        answer
    }
}

/// What an exploration says about an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantAnswer {
    /// Its name.
    pub name: &'static str,
    /// What it says, in a few words.
    pub says: &'static str,
    /// In how many outcomes there was something to judge.
    pub applies: usize,
    /// How many outcomes violate it.
    pub violated: usize,
    /// The devices that it is violated for. None if it is about the run as a whole.
    pub devices: Vec<DeviceId>,
}

impl InvariantAnswer {
    /// Whether it holds only because there was nothing to judge.
    pub fn is_vacuous(&self) -> bool {
        self.applies == 0
    }
}

/// How a run ended, and on which board.
struct End<'a> {
    end: &'a Final<Outcome>,
    names: &'a Resolver<'a>,
}

impl End<'_> {
    fn clients(&self) -> impl Iterator<Item = &DeviceOutcome> {
        self.end.outcome.clients.iter()
    }

    fn specs(&self, d: &DeviceOutcome) -> &[IommuSpec] {
        &self.names.laid_out.devices[d.device.index()].iommus
    }

    fn group(&self, d: &DeviceOutcome) -> Option<&GroupOutcome> {
        self.end.outcome.group_of(d.device)
    }

    /// Whether the instance of each specifier is registered.
    fn all_registered(&self, d: &DeviceOutcome) -> bool {
        self.specs(d).iter().all(|s| self.is_registered(s))
    }

    fn is_registered(&self, spec: &IommuSpec) -> bool {
        spec.instance.is_some_and(|i| {
            let device = self.names.laid_out.instances[i.index()].device;
            self.end.outcome.registered.contains(&device)
        })
    }

    /// A task that died in an oops did not finish what is judged, and keeps its locks.
    fn has_oops(&self) -> bool {
        let mut all = self.clients().chain(&self.end.outcome.others);
        all.any(|d| d.warned(Warn::Oops))
    }

    /// Whether all tasks came to their end.
    fn is_quiet(&self) -> bool {
        self.end.deadlock.is_none() && !self.has_oops()
    }

    /// Whether its driver uses the DMA API, and so the group's default domain.
    fn uses_dma_api(&self, d: &DeviceOutcome) -> bool {
        d.driver
            .is_some_and(|drv| !self.names.laid_out.drivers[drv.index()].managed_dma)
    }
}

/// How often of_xlate was called.
fn xlates(d: &DeviceOutcome) -> u64 {
    d.xlate_platform + d.xlate_driver
}

/// I1, probe order: when a device joins its group, those of the same instance that were added
/// before it have one. Devices that a task adds have no place in the order, and behind one that was
/// removed nothing is judged; of several instances, the first counts.
///
/// Source: message of bcb81ac6ae3c, "in the order in which they are added".
fn probe_order(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let instance = |dev: &DeviceId| {
        let device = &end.names.laid_out.devices[dev.index()];
        device.iommus.first().and_then(|s| s.instance)
    };
    let own = instance(&d.device)?;
    let earlier = end.clients().take_while(|e| e.device != d.device);
    let mut of_same = earlier
        .filter(|e| instance(&e.device) == Some(own))
        .peekable();
    of_same.peek()?;
    let applies = of_same.all(|e| e.on_bus) && (d.grouped || d.overtook);
    applies.then_some(!d.overtook)
}

/// I2: every device whose instances are all registered is in a group, driver or not, unless the
/// IOMMU's driver does not want it, or firmware says that it has no DMA.
///
/// Source: message of bcb81ac6ae3c, "not at all dependent on driver binding".
fn offered(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let no_dma = end.names.laid_out.devices[d.device.index()].no_dma;
    let is_wanted = d.on_bus && !d.refused && !no_dma;
    let applies = end.is_quiet() && is_wanted && end.all_registered(d);
    applies.then(|| end.group(d).is_some())
}

/// I3: ops->probe_device() is not called for a device with a driver. Judged by the WARN, so not
/// before bcb81ac6ae3c, and only where the probe succeeded: a WARN for nothing is no late probe.
///
/// Source: the WARN in `__iommu_probe_device()`, drivers/iommu/iommu.c.
fn no_late_probe(_: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let late = d.warned(Warn::LateProbe);
    (d.grouped && (late || d.xlate_platform != 0)).then_some(!late)
}

/// I4: from the driver's probe to its end, the DMA API goes where it went, and the domain that it
/// maps in stays attached. Not for a driver that manages DMA by itself.
///
/// Source: message of b46064a18810, "switched to iommu-dma underfoot".
fn no_switch(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let then = d.probed_with_iommu.filter(|_| end.uses_dma_api(d))?;
    let detached = then && end.group(d).is_none();
    Some(!d.dma_ops_switched() && !detached)
}

/// I10: no freed `struct dev_iommu` is used, freed again or lost, and a configuration that failed
/// or was deferred leaves none behind: whoever has one has a fwspec.
///
/// Source: messages of a2e7e59a9426 and 3832862eb9c4.
fn lifetime(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    if d.faults & (USE_AFTER_FREE | DOUBLE_FREE) != 0 {
        return Some(false);
    }
    let is_empty = d.has_dev_iommu && d.fwspec_ids.is_none();
    let judged = end.is_quiet() && (d.has_dev_iommu || d.leaked != 0 || xlates(d) != 0);
    judged.then_some(d.leaked == 0 && !is_empty)
}

/// I11, strict: a device that is accepted had one of_xlate call for each of its specifiers. A
/// deferral at the second of two specifiers is enough for another call, on every kernel.
///
/// Source: Geert Uytterhoeven's expectation in the thread of bcb81ac6ae3c, March 2025.
fn one_xlate(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    end.group(d)?;
    Some(xlates(d) <= end.specs(d).len() as u64)
}

/// I12: the fwspec of a device in a group has an id for each specifier, and none twice. Rockchip
/// keeps none, and no more do
/// some of those in [`kernel::iommu::generic`].
///
/// Source: iommu_fwspec_add_ids(), as of_iommu_configure() uses it.
fn fwspec_ids(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    end.group(d)?;
    let kind = |s: &IommuSpec| {
        s.instance
            .map(|i| end.names.laid_out.instances[i.index()].kind)
    };
    let keeps_none = end.specs(d).iter().any(|s| match kind(s) {
        Some(Kind::Generic(driver)) => !driver.keeps_ids(),
        kind => kind == Some(Kind::Rockchip),
    });
    (!keeps_none).then(|| d.fwspec_ids == Some(end.specs(d).len() as u64))
}

/// I13: at the end no client is without driver, and waits for a retry or is forgotten, while its
/// driver is registered, its instances too, and its suppliers are bound. Judged where a task runs
/// the deferred work and no task unbinds or removes anything by hand.
///
/// Source: comment at driver_deferred_probe_trigger(), drivers/base/dd.c.
fn no_lost_deferral(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let laid_out = end.names.laid_out;
    let device = &laid_out.devices[d.device.index()];
    let is_bound = |dev: DeviceId| {
        let supplier = end.end.outcome.device(dev);
        supplier.is_none_or(|s| s.driver.is_some())
    };
    let has_driver = device
        .drivers
        .iter()
        .any(|drv| end.end.outcome.drivers.contains(drv));
    let suppliers = || {
        device
            .supplier_links
            .iter()
            .map(|l| laid_out.links[l.index()].supplier)
    };
    let can_bind = end.all_registered(d) && has_driver && suppliers().all(is_bound);
    // vfio does not take it, now or later.
    let is_refused = d.vfio_refused && !d.vfio_refused_early;
    let applies = end.names.retries && end.is_quiet() && d.on_bus && can_bind && !is_refused;
    applies.then_some(d.driver.is_some())
}

/// I14: nobody is in a group of an instance that is not registered, also when its registration
/// failed.
///
/// Source: the error path of iommu_device_register().
fn registration(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let none_left = !end.specs(d).iter().any(|s| end.is_registered(s));
    let applies = end.is_quiet() && none_left && xlates(d) != 0;
    applies.then(|| end.group(d).is_none() && !d.grouped)
}

/// I15, in part: no task waits for another that waits for it, or for itself. A lock order that could
/// deadlock, and does not, is of no outcome: the report has it beside the data races.
///
/// Source: Robin Murphy, 21 Aug 2023 and 2 Oct 2023, on device_lock() in the walk.
fn no_deadlock(end: &End<'_>) -> Judgement {
    (!end.has_oops()).then_some(end.end.deadlock.is_none())
}

/// I19: a device that was released is in no group and has no IOMMU DMA ops, and one that was
/// removed has no dev->iommu.
///
/// Source: iommu_release_device(); message of 280e5a301005.
fn removal(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let listed = end.group(d).is_some() || d.grouped;
    let applies = end.is_quiet() && (!d.on_bus || !listed) && (xlates(d) != 0 || listed);
    let removed = d.on_bus || !(listed || d.has_dev_iommu);
    applies.then_some(removed && !d.dma_iommu)
}

/// I21: a device in a group is attached to a domain, also without driver.
///
/// Source: message of bcb81ac6ae3c, on devices without driver.
fn isolation(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let group = end.group(d).filter(|_| end.is_quiet())?;
    Some(group.domain.is_some())
}

/// I24: a device that is in a group has all of its instances, and exynos-iommu.c never probes one
/// that has a part of its SYSMMUs.
///
/// Source: Jason Gunthorpe, 23 Mar 2026: probe_device() "cannot return some half setup device".
fn single_view(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let applies = end.is_quiet() && end.group(d).is_some() && end.specs(d).len() > 1;
    applies.then(|| end.all_registered(d) && !d.probed_in_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::litmus::{self, Vocabulary};
    use crate::runner::report::Verdicts;
    use crate::runner::{Answer, Test};
    use checker::engine::exhaustive::{Go, Options};
    use std::path::Path;

    /// What a test may name is what there is to judge.
    #[test]
    fn the_vocabulary_has_the_same_names() {
        let names: Vec<&str> = ALL.iter().map(|i| i.name).collect();
        assert_eq!(names, Vocabulary::default().properties);
    }

    /// The answer to a test of one client on v7.3-rc7, and what is printed of it.
    fn answer(tasks: &str, property: &str) -> (Answer, String) {
        let text = format!(
            "LITMUS t\n(*\n * Result: Never\n *\n * Is it so?\n *)\n\
             board one-client.dts\nkernels v7.3-rc7\n\
             initial {{ driver_register(client-drv) }}\n{tasks}\n{property}\n\
             exists (oops(client0))\n"
        );
        let litmus = litmus::parse("t", &text).expect("it is well formed");
        let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        let test = Test::with_board(litmus, &boards).expect("it is a test");
        let answer = test
            .run("v7.3-rc7", &Options::default(), &mut |_| Go::On)
            .expect("it runs");
        let printed = Verdicts {
            test: &test,
            answer: &answer,
        };
        let printed = printed.to_string();
        (answer, printed)
    }

    const BIND: &str = "P0 { device_attach(client0) }";
    const BIND_AND_REGISTER: &str =
        "P0 { device_attach(client0) }\nP1 { driver_register(arm-smmu-v3) }";

    /// Nothing is bound, so nothing can be switched under a driver.
    #[test]
    fn what_nothing_was_judged_for_does_not_hold() {
        let (answer, printed) = answer(BIND, "always I4");
        assert!(printed.contains("Always I4: VACUOUS"), "{printed}");
        assert!(!answer.is_as_stated());
    }

    #[test]
    fn a_violation_names_invariant_and_device() {
        let (answer, printed) = answer(BIND_AND_REGISTER, "always I4 I9");
        assert!(printed.contains("Always I4: VIOLATED"), "{printed}");
        assert!(printed.contains("Always I9: holds"), "{printed}");
        let line = "Invariant I4 (no switch under a bound driver) VIOLATED for client0,";
        assert!(printed.contains(line), "{printed}");
        assert!(!answer.is_as_stated());
        let i4 = answer.invariants.iter().find(|i| i.name == "I4");
        let i4 = i4.expect("it is judged");
        assert_eq!(i4.devices.len(), 1);
        assert!(0 < i4.violated && i4.violated < i4.applies && i4.applies < answer.holds.len());
    }

    /// The condition and the line of the report speak of the same outcomes.
    #[test]
    fn violated_is_true_where_the_report_counts() {
        let property = "sometimes switched: violated(I4, client0) /\\ violated(I4)";
        let (answer, printed) = answer(BIND_AND_REGISTER, property);
        assert!(printed.contains("Sometimes switched: reached"), "{printed}");
        let i4 = find("I4").expect("it is known");
        let board = crate::board::load(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("boards/one-client.dts"),
        )
        .expect("it is a board");
        let names = Resolver::by_label(&board, answer.kernel.board());
        let violated = answer.report.finals.keys();
        let violated = violated
            .filter(|end| i4.is_violated(end, &names, None))
            .count();
        let counted = answer.invariants.iter().find(|i| i.name == "I4");
        assert_eq!(Some(violated), counted.map(|i| i.violated));
    }
}
