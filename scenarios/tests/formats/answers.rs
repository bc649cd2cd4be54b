//! `check` as KTAP and NDJSON; inversions of the lock order in words.

use super::{LATE, answer, file, is_there, other, program, runs, test, text};
use checker::backend::Mode;
use checker::engine::lock_order::{Acquisition, Edge, LockOrder, Taken};
use checker::layout::LockId;
use checker::model::Model;
use scenarios::format::{graphs, ktap, splat};
use scenarios::review::{Compared, Detail, Kind, OrderMove, Review, Standing, compare};
use scenarios::runner::report::Verdicts;
use scenarios::runner::{Answer, Test};
use serde_json::Value;

fn ktap_of(arguments: &[&str]) -> (String, Option<i32>) {
    let scenario = file(LATE).display().to_string();
    let all = [&["check", &scenario, "--format", "ktap"], arguments].concat();
    let output = program(&all);
    (text(&output.stdout), output.status.code())
}

/// Plans, numbers and results on both levels, as ktap.rst has them.
#[test]
fn ktap_has_a_plan_and_a_result_for_each_kernel() {
    let (out, code) = ktap_of(&[]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = out.lines().collect();
    let test = test(LATE);
    let kernels: Vec<&str> = test.kernels().collect();
    let head = [
        "KTAP version 1",
        "1..1",
        "  KTAP version 1",
        "  # Subtest: late-probe-at-bind",
    ];
    assert_eq!(lines[..4], head);
    assert_eq!(lines[4], format!("  1..{}", kernels.len()));
    let results: Vec<&str> = lines
        .iter()
        .filter_map(|l| l.strip_prefix("  ok "))
        .collect();
    let expected = kernels.iter().enumerate();
    let expected: Vec<String> = expected.map(|(i, k)| format!("{} {k}", i + 1)).collect();
    assert_eq!(results, expected);
    assert_eq!(lines[lines.len() - 1], "ok 1 late-probe-at-bind");
    let is_known = |l: &&str| {
        let l = l.trim_start();
        ["#", "ok ", "not ok ", "1..", "KTAP "]
            .iter()
            .any(|k| l.starts_with(k))
    };
    assert!(lines.iter().all(is_known), "{out}");
}

#[test]
fn a_kernel_of_which_nothing_is_stated_is_a_skip() {
    let (out, code) = ktap_of(&["--kernel", "v6.12"]);
    assert_eq!(code, Some(0));
    let line = "  ok 1 v6.12 # SKIP the scenario states nothing for this kernel";
    assert!(out.lines().any(|l| l == line), "{out}");
}

#[test]
fn what_was_cut_short_is_not_ok() {
    let (out, code) = ktap_of(&["--kernel", "v6.16", "--max-states", "3"]);
    assert_eq!(code, Some(1));
    assert!(out.lines().any(|l| l == "  not ok 1 v6.16"), "{out}");
    assert!(
        out.lines().any(|l| l == "not ok 1 late-probe-at-bind"),
        "{out}"
    );
}

/// TAP::Parser takes the outer level for TAP; the inner ones are comments to it.
#[test]
fn prove_counts_the_scenarios() {
    if !is_there("prove", "KTAP against perl's TAP::Parser") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, passes) in [
        (&[][..], true),
        (&["--kernel", "v6.16", "--max-states", "3"][..], false),
    ] {
        let file = folder.path().join("out.tap");
        std::fs::write(&file, ktap_of(arguments).0).expect("a file");
        let output = other("prove", &["-e", "cat", &file.display().to_string()], "");
        let out = text(&output.stdout);
        assert_eq!(output.status.success(), passes, "{out}");
        assert!(out.contains("Tests=1,"), "{out}");
    }
}

#[test]
fn ndjson_has_a_line_for_each_kernel() {
    let scenario = file(LATE).display().to_string();
    let output = program(&["check", &scenario, "--format", "ndjson"]);
    let out = text(&output.stdout);
    let test = test(LATE);
    assert_eq!(out.lines().count(), test.kernels().count());
    for (line, kernel) in out.lines().zip(test.kernels()) {
        let it: Value = serde_json::from_str(line).expect("JSON");
        let answer = answer(&test, kernel);
        assert_eq!(it["kernel"], kernel);
        assert_eq!(it["observed"], answer.observed.word());
        assert_eq!(it["expected"], it["observed"]);
        assert_eq!(it["outcomes"], answer.holds.len());
        assert_eq!(it["states"], answer.report.states);
        let layout = answer.kernel.layout();
        let edges = answer.report.lock_order.class_edges(layout).len();
        assert_eq!(it["lock_order"].as_array().map(Vec::len), Some(edges));
        assert_eq!(it["inversions"], serde_json::json!([]));
    }
}

#[test]
fn shards_are_text() {
    let scenario = file(LATE).display().to_string();
    let output = program(&["check", &scenario, "--shard", "1/2", "--format", "ktap"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--shard: found --format"));
}

/// An answer as if some driver took the locks of an edge the other way round. No scenario has one.
fn inverted() -> (Test, Answer) {
    let test = test(LATE);
    let mut answer = answer(&test, "v6.16");
    let layout = answer.kernel.layout();
    let lock = |class: &str| {
        let at = layout.locks().iter().position(|l| l.class == class);
        LockId(at.expect("there is such a lock") as u32)
    };
    let (probe, group) = (lock("iommu_probe_device_lock"), lock("&group->mutex"));
    let order = &answer.report.lock_order;
    let is_there = order
        .edges()
        .find(|(e, _)| (e.outer.lock, e.inner.lock) == (probe, group));
    assert!(
        is_there.is_some(),
        "iommu_probe_device_lock -> &group->mutex"
    );
    let taken = |lock, function| Acquisition {
        lock,
        mode: Mode::Exclusive,
        function,
    };
    let other = Edge {
        outer: taken(group, "some_group_function"),
        inner: taken(probe, "some_probe_function"),
    };
    let how = Taken {
        calls: vec!["a_driver", "some_probe_function"],
        by: None,
    };
    let edges = order.edges().map(|(e, t)| (*e, t.clone()));
    answer.report.lock_order = edges.chain([(other, how)]).collect::<LockOrder>();
    (test, answer)
}

#[test]
fn an_inversion_is_said_and_told_apart_from_a_deadlock() {
    let (test, answer) = inverted();
    let verdicts = Verdicts {
        test: &test,
        answer: &answer,
    };
    let said = verdicts.to_string();
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let at = lines
        .iter()
        .position(|l| l.starts_with("Lock-order inversion (I15)"));
    let at = at.unwrap_or_else(|| panic!("{said}"));
    let three = lines[at..].join(" ");
    assert!(
        three.contains("&group->mutex -> iommu_probe_device_lock, though no run deadlocks"),
        "{said}"
    );
    assert!(three.contains("&group->mutex, taken in some_group_function, then iommu_probe_device_lock in some_probe_function"), "{said}");
    assert!(said.lines().all(|l| l.chars().count() <= 80), "{said}");
}

#[test]
fn an_inversion_is_red_not_ok_by_itself_and_a_splat() {
    let (test, answer) = inverted();
    assert!(
        graphs::lock_order(&test, &answer)
            .to_string()
            .contains("color=\"red\"")
    );
    let ktap = ktap::scenario(1, &test, std::slice::from_ref(&answer));
    assert!(ktap.contains("# Lock-order inversion (I15)"), "{ktap}");
    let (_, run) = runs(LATE, "v6.16", true).remove(0);
    let splat = splat::print(&test, &answer, &run);
    for line in [
        "WARNING: possible circular locking dependency detected",
        "v6.16 Not tainted",
        "CPU0 (driver_register arm-smmu-v3) is trying to acquire lock:",
        "but task is already holding lock:",
        "(iommu_probe_device_lock), at: iommu_init_device",
        "which lock already depends on the new lock.",
        "the existing dependency chain (in reverse order) is:",
        "-> #1 (iommu_probe_device_lock):",
        "       some_probe_function",
        "       a_driver",
        "-> #0 (&group->mutex):",
        "  &group->mutex --> iommu_probe_device_lock --> &group->mutex",
        " Possible unsafe locking scenario:",
        "       CPU0                    CPU1",
        "  lock(iommu_probe_device_lock);",
        "  lock(&group->mutex);",
        " *** DEADLOCK ***",
        "(No run of this scenario deadlocks.)",
    ] {
        assert!(splat.lines().any(|l| l == line), "{line}\n{splat}");
    }
}

/// KCSAN's, and the hung tasks of a deadlock.
#[test]
fn data_races_and_hung_tasks_are_splats() {
    let late = test(LATE);
    let of_late = answer(&late, "v6.16");
    assert!(!of_late.report.data_races.is_empty());
    let (_, run) = runs(LATE, "v6.16", true).remove(0);
    let splat = splat::print(&late, &of_late, &run);
    let races = splat.matches("BUG: KCSAN: data-race in ").count();
    assert_eq!(races, of_late.report.data_races.len(), "{splat}");
    let stuck = test(super::STUCK);
    let of_stuck = answer(&stuck, "v6.15");
    let all = runs(super::STUCK, "v6.15", true);
    let (trace, run) = all
        .iter()
        .find(|(trace, _)| trace.end.deadlock.is_some())
        .expect("some run hangs");
    let splat = splat::print(&stuck, &of_stuck, run);
    let hangs = trace
        .end
        .deadlock
        .iter()
        .map(|d| d.waits.len())
        .sum::<usize>();
    assert_eq!(
        splat.matches(" blocked for ever.").count(),
        hangs,
        "{splat}"
    );
}

/// An edge that is new is listed; the cycle that it closes is a finding, and worse.
#[test]
fn a_review_has_the_edge_and_the_inversion_that_a_patch_brings() {
    let (test, patched) = inverted();
    let base = answer(&test, "v6.16");
    let compared = compare(Compared {
        test: &test,
        file: LATE,
        options: &[],
        base: &base,
        patched: &patched,
    });
    let gained = OrderMove {
        outer: "&group->mutex".to_owned(),
        inner: "iommu_probe_device_lock".to_owned(),
        is_gained: true,
    };
    assert_eq!(compared.lock_order, [gained]);
    let found: Vec<_> = compared.findings.iter().collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].finding.kind, Kind::LockOrder);
    assert_eq!(
        found[0].finding.text(),
        "lock-order inversion: &group->mutex -> iommu_probe_device_lock"
    );
    assert_eq!(compared.standing, Standing::Worse);
    let review = Review::new("a", "b", vec![compared]);
    let text = scenarios::review::text::print(&review, Detail::Each);
    let line = "  + &group->mutex -> iommu_probe_device_lock: in 1";
    assert!(text.lines().any(|l| l == line), "{text}");
}

/// Every field and every kind of event that is printed stands in `docs/formats.md`.
#[test]
fn the_documentation_names_every_field() {
    let docs = super::files::crate_folder().join("../docs/formats.md");
    let docs = std::fs::read_to_string(docs).expect("the page is there");
    let (test, answer) = inverted();
    let mut lines = scenarios::format::ndjson::answer(&test, &answer);
    for (_, run) in runs(super::STUCK, "v6.15", true) {
        lines += &scenarios::format::ndjson::run(&run);
    }
    let mut names = std::collections::BTreeSet::new();
    for line in lines.lines() {
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
            panic!("{line}");
        };
        names.extend(
            fields
                .get("event")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        let inner = fields.values().filter_map(Value::as_array).flatten();
        let inner = inner.filter_map(Value::as_object).flat_map(|o| o.keys());
        names.extend(inner.chain(fields.keys()).cloned());
    }
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        assert!(
            docs.contains(&format!("`{name}`")),
            "docs/formats.md: {name}"
        );
    }
}
