//! What a review comes to in a few sentences: of_xlate, who is grouped, and the late probe.

use super::finding::LATE_PROBE;
use super::{Calls, Comparison, Finding, GroupMove, Kind, Review, Xlate};
use crate::litmus::Verdict;

/// The sentences, in order; none if there is nothing to say.
pub(super) fn sentences(review: &Review) -> Vec<String> {
    let calls = |is: fn(&Calls, Of) -> bool, of: Of| {
        Where::of(review, |c| c.of_xlate.iter().any(|x| is(x, of)))
    };
    let groups =
        |is: fn(&GroupMove) -> bool| Where::of(review, |c| c.without_driver.iter().any(is));
    let late = |more| Where::of(review, |c| is_moved(c, more, |f| f.what == LATE_PROBE));
    let bare = |more| Where::of(review, |c| is_moved(c, more, |f| f.kind == Kind::NoGroup));
    let all = [
        (
            "of_xlate is called more often for a device",
            calls(rises, in_all),
        ),
        (
            "of_xlate is called less often for a device",
            calls(falls, in_all),
        ),
        (
            "A walk or the notifier, dev->driver being NULL, now calls it",
            calls(begins, no_driver),
        ),
        (
            "No walk and no notifier, dev->driver being NULL, calls it any more",
            calls(ends, no_driver),
        ),
        (
            "A bind, dev->driver being set, now calls it",
            calls(begins, driver_set),
        ),
        (
            "No bind, dev->driver being set, calls it any more",
            calls(ends, driver_set),
        ),
        (
            "The WARN of a late IOMMU probe can now be reached",
            late(true),
        ),
        (
            "The WARN of a late IOMMU probe can no longer be reached",
            late(false),
        ),
        (
            "A device without driver is now grouped",
            groups(|g| g.patched > g.base),
        ),
        (
            "A device without driver is no longer grouped",
            groups(|g| g.patched < g.base),
        ),
        (
            "A device whose IOMMU is there can now be left without it",
            bare(true),
        ),
        (
            "No device whose IOMMU is there is left without it any more",
            bare(false),
        ),
    ];
    let said = all.into_iter().filter(|(_, place)| place.scenarios > 0);
    said.map(|(what, place)| format!("{what}: {}.", place.text()))
        .collect()
}

type Of = fn(&Xlate) -> u64;

/// In how many scenarios.
struct Where {
    scenarios: usize,
    acpi: usize,
}

impl Where {
    fn of(review: &Review, is: impl Fn(&Comparison) -> bool) -> Self {
        let all = || review.scenarios.iter().filter(|c| is(c));
        Self {
            scenarios: all().count(),
            acpi: all().filter(|c| c.is_acpi).count(),
        }
    }

    fn text(&self) -> String {
        let s = if self.scenarios == 1 { "" } else { "s" };
        let acpi = match self.acpi {
            0 => String::new(),
            n => format!(", {n} of them with ACPI"),
        };
        format!("in {} scenario{s}{acpi}", self.scenarios)
    }
}

/// Whether something of this sort is new, or is gone.
fn is_moved(c: &Comparison, more: bool, is: impl Fn(&Finding) -> bool) -> bool {
    let mut findings = c.findings.iter().filter(|f| is(&f.finding));
    findings.any(|f| {
        let before = if more { f.base } else { f.patched };
        before == Verdict::Never && f.is_more() == more
    })
}

fn in_all(x: &Xlate) -> u64 {
    x.no_driver + x.driver_set
}

fn no_driver(x: &Xlate) -> u64 {
    x.no_driver
}

fn driver_set(x: &Xlate) -> u64 {
    x.driver_set
}

/// The most calls in an outcome, without the patch and with it.
fn most(c: &Calls, of: fn(&Xlate) -> u64) -> (u64, u64) {
    let most = |all: &[Xlate]| all.iter().map(of).max().unwrap_or(0);
    (most(&c.base), most(&c.patched))
}

fn rises(c: &Calls, of: fn(&Xlate) -> u64) -> bool {
    let (base, patched) = most(c, of);
    patched > base
}

fn falls(c: &Calls, of: fn(&Xlate) -> u64) -> bool {
    let (base, patched) = most(c, of);
    patched < base
}

fn begins(c: &Calls, of: fn(&Xlate) -> u64) -> bool {
    rises(c, of) && most(c, of).0 == 0
}

fn ends(c: &Calls, of: fn(&Xlate) -> u64) -> bool {
    falls(c, of) && most(c, of).1 == 0
}

/// How often a device that no driver is bound to has a group: among the outcomes in which none is.
/// `None` where one is in all.
pub(super) fn grouped(of: impl Iterator<Item = bool>) -> Option<Verdict> {
    let all: Vec<bool> = of.collect();
    match (all.contains(&true), all.contains(&false)) {
        (false, false) => None,
        (false, true) => Some(Verdict::Never),
        (true, false) => Some(Verdict::Always),
        (true, true) => Some(Verdict::Sometimes),
    }
}

#[cfg(test)]
mod tests {
    use super::{begins, ends, falls, in_all, no_driver, rises};
    use crate::review::{Calls, Xlate};

    #[test]
    fn calls_that_only_move_are_neither_more_nor_less() {
        let at = |no_driver, driver_set| Xlate {
            no_driver,
            driver_set,
        };
        let calls = Calls {
            device: "client0".to_owned(),
            base: vec![at(0, 1)],
            patched: vec![at(0, 1), at(1, 0)],
        };
        assert!(!rises(&calls, in_all) && !falls(&calls, in_all));
        assert!(begins(&calls, no_driver) && !ends(&calls, no_driver));
    }
}
