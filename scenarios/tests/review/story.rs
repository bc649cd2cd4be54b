//! What reviews of known patches have to say.

use super::{AMBARUS, STORY, data, review, root, scenario};
use scenarios::litmus::Verdict;
use scenarios::review::{Comparison, Kind, Level, Standing};
use std::collections::BTreeSet;

/// How often something of this kind was and is.
fn moved(c: &Comparison, kind: Kind) -> Option<(Verdict, Verdict)> {
    let found = c.findings.iter().find(|f| f.finding.kind == kind)?;
    Some((found.base, found.patched))
}

/// of_xlate is called more often, a bind can be warned of, and devices without driver are grouped.
#[test]
fn the_commit_that_moved_parsing_into_the_probe_path_tells_its_story() {
    let review = data(STORY, &[]);
    assert_eq!(review.added.len(), 1);
    assert_eq!(review.added[0].id, "bcb81ac6ae3c");
    assert!(review.removed.is_empty());
    let late = scenario(&review, "late-probe-at-bind");
    assert_eq!(
        (late.base.verdict, late.patched.verdict),
        (Verdict::Never, Verdict::Sometimes)
    );
    assert_eq!(
        moved(late, Kind::Warn),
        Some((Verdict::Never, Verdict::Sometimes))
    );
    let driverless = scenario(&review, "driverless-client");
    assert_eq!(driverless.standing, Standing::Better);
    assert_eq!(
        moved(driverless, Kind::NoGroup),
        Some((Verdict::Always, Verdict::Never))
    );
    for calls in review.scenarios.iter().flat_map(|c| &c.of_xlate) {
        assert!(calls.base.iter().all(|x| x.no_driver == 0), "{calls:?}");
    }
    let more = |c: &&Comparison| {
        let mut pairs = c.of_xlate.iter().flat_map(|calls| &calls.patched);
        pairs.any(|x| x.no_driver > 0)
    };
    assert_eq!(
        review.scenarios.iter().filter(more).count(),
        review.scenarios.len()
    );
}

/// A client of one IOMMU is never configured by the walk any more: that comes before `ready`.
#[test]
fn a_patch_that_always_asks_for_ready_stops_the_walk() {
    let review = data(AMBARUS, &[]);
    let mut seen = 0;
    for c in &review.scenarios {
        let text = std::fs::read_to_string(root().join(&c.file)).expect("it was just read");
        if text.contains("two-instances") {
            continue;
        }
        for calls in &c.of_xlate {
            assert!(calls.base.iter().any(|x| x.no_driver > 0), "{}", c.scenario);
            assert!(
                calls.patched.iter().all(|x| x.no_driver == 0),
                "{}",
                c.scenario
            );
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen}");
    let driverless = scenario(&review, "driverless-client");
    assert_eq!(driverless.standing, Standing::Worse);
    assert_eq!(driverless.level, Some(Level::Stuck));
    assert_eq!(
        moved(driverless, Kind::NoGroup),
        Some((Verdict::Never, Verdict::Always))
    );
    let reported = scenario(&review, "second-instance-not-ready");
    assert_eq!(reported.patched.verdict, Verdict::Never);
    assert_eq!(reported.standing, Standing::Better);
}

/// A fix that defers a bind is no loss where no task of the test retries, and a race on a field that
/// is racy anyway is no worse between other functions.
#[test]
fn a_fix_is_better_and_nothing_else() {
    let review = data("b46064a18810^..b46064a18810", &[]);
    let standings: BTreeSet<_> = review.scenarios.iter().map(|c| c.standing).collect();
    assert_eq!(
        standings,
        BTreeSet::from([Standing::Better, Standing::Unchanged])
    );
    let fixed = scenario(&review, "registration-against-bind");
    let (sometimes, never) = (Verdict::Sometimes, Verdict::Never);
    assert_eq!(
        (fixed.base.verdict, fixed.patched.verdict),
        (sometimes, never)
    );
    assert_eq!(moved(fixed, Kind::DmaOpsSwitched), Some((sometimes, never)));
    let deferred = |line: &String| line.contains(", deferred,");
    assert!(
        fixed.new.iter().any(|o| o.lines.iter().any(deferred)),
        "{:?}",
        fixed.new
    );
    let races = fixed
        .findings
        .iter()
        .filter(|f| f.finding.kind == Kind::DataRace);
    let levels: BTreeSet<_> = races.map(|f| f.level).collect();
    assert_eq!(levels, BTreeSet::from([Level::Other]));
}

/// What is said of ACPI on the list: such a device is bound without its IOMMU, always, and with the
/// patch nothing calls for it later.
#[test]
fn a_patch_that_always_asks_for_ready_takes_the_iommu_from_acpi() {
    let review = data(AMBARUS, &["seeds/acpi-loses-its-iommu"]);
    let lost = scenario(&review, "acpi-loses-its-iommu");
    assert_eq!(lost.standing, Standing::Worse);
    assert_eq!(
        (lost.base.verdict, lost.patched.verdict),
        (Verdict::Never, Verdict::Always)
    );
    assert_eq!(
        moved(lost, Kind::NoGroup),
        Some((Verdict::Never, Verdict::Always))
    );
}

/// Kernels that are modelled for one architecture leave out the scenarios of the other, by name; if
/// nothing is left, that is an error.
#[test]
fn scenarios_of_the_other_architecture_are_left_out() {
    let (arm, arm64) = ("museum/no-mapping-after-deferral", "driverless-client");
    let old = data("v4.20..v5.0", &[arm, arm64]);
    assert_eq!(old.left_out, ["driverless-client"]);
    assert_eq!(old.scenarios.len(), 1);
    let text = review("v4.20..v5.0", &[arm, arm64], &[]);
    let text = String::from_utf8(text.stdout).expect("stdout is text");
    assert!(
        text.ends_with("for their architecture\n  driverless-client\n"),
        "{text}"
    );
    let alone = review("v4.20..v5.0", &[arm64], &[]);
    assert_eq!(alone.status.code(), Some(2));
}

#[test]
fn what_is_worse_comes_first() {
    let review = data(AMBARUS, &[]);
    let order: Vec<_> = review
        .scenarios
        .iter()
        .map(|c| (c.standing, c.level))
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    let standings: BTreeSet<_> = order.iter().map(|(standing, _)| *standing).collect();
    assert!(standings.len() > 2, "{order:?}");
}

/// A patch against the same patch taken away: what one gains the other loses.
#[test]
fn the_other_way_round_everything_is() {
    let there = data(STORY, &["late-probe-at-bind", "driverless-client"]);
    let back = data(
        "bcb81ac6ae3c..bcb81ac6ae3c^",
        &["late-probe-at-bind", "driverless-client"],
    );
    assert_eq!(there.added, back.removed);
    for c in &there.scenarios {
        let other = scenario(&back, &c.scenario);
        assert_eq!((&c.base, &c.patched), (&other.patched, &other.base));
        assert_eq!((&c.new, &c.gone), (&other.gone, &other.new));
        assert_eq!(c.findings.len(), other.findings.len());
        for (f, g) in c.findings.iter().zip(&other.findings) {
            assert_eq!(
                (&f.finding, f.base, f.patched),
                (&g.finding, g.patched, g.base)
            );
        }
    }
    assert_eq!(
        scenario(&back, "driverless-client").standing,
        Standing::Worse
    );
    assert_eq!(
        scenario(&back, "late-probe-at-bind").standing,
        Standing::Better
    );
}
