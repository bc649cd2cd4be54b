//! The search finds by itself what was found by hand, and what it writes is what `check` takes.

use checker::engine::exhaustive::{Go, Options as Exploration};
use scenarios::runner::Test;
use scenarios::search::space::{Combination, combinations};
use scenarios::search::{Distinct, Found, Options, search};
use std::collections::BTreeSet;
use std::path::Path;

fn found(only: &[&str], kernel: &str, workers: usize) -> Found {
    let options = Options {
        kernel: kernel.to_owned(),
        tasks: 2,
        only: only.iter().map(|o| (*o).to_owned()).collect(),
        max_states: 100_000,
        workers,
    };
    search(&options, &|| Go::On, &mut |_| {}).expect("the kernel is known")
}

/// The smallest boards with plain drivers.
const SMALLEST: [&str; 2] = ["dt-smmu-v3-one plain", "acpi-smmu-v3-one plain"];

/// Whether this is a finding on a bind beside a registration.
fn is_of(finding: &Distinct, board: &str, fault: &str) -> bool {
    let name = finding.example.name();
    name.starts_with(board)
        && ["register-iommu", "add-iommu"]
            .iter()
            .any(|r| name.contains(r))
        && ["register-clients", "bind client", "retry"]
            .iter()
            .any(|b| name.contains(b))
        && finding.signature.iter().any(|f| f.id == fault)
}

/// F1 on a device tree is a late probe, on ACPI a driver that runs without group; F2 is a switch of the DMA
/// ops under a driver. Nothing in the space names them.
#[test]
fn it_turns_up_f1_and_f2_by_itself() {
    let found = found(&SMALLEST, "v7.3-rc7", 2);
    assert!(found.is_complete());
    let has = |board, fault| found.findings.iter().any(|f| is_of(f, board, fault));
    assert!(has("dt-", "late-probe"), "F1 on a device tree");
    assert!(has("acpi-", "untranslated"), "F1 on ACPI");
    assert!(has("dt-", "i4"), "F2");
}

/// Before bcb81ac6ae3c there was neither.
#[test]
fn before_the_commit_that_brought_them_it_finds_neither() {
    let found = found(&SMALLEST, "bcb81ac6ae3c^", 2);
    let has = |board, fault| found.findings.iter().any(|f| is_of(f, board, fault));
    assert!(!has("dt-", "late-probe") && !has("acpi-", "untranslated") && !has("dt-", "i4"));
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let json = |workers| {
        let found = found(&SMALLEST, "v7.3-rc7", workers);
        serde_json::to_string(&found).expect("it is data")
    };
    assert_eq!(json(1), json(3));
}

/// Every combination is a test that is well formed, and no two are the same.
#[test]
fn each_combination_is_there_once() {
    let all = combinations(3);
    let names: BTreeSet<String> = all.iter().map(Combination::name).collect();
    assert_eq!(names.len(), all.len());
    for c in &all {
        let mut sorted = c.steps.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted, c.steps, "{}: canonical", c.name());
    }
}

/// What is written reads back, is well formed, and comes out as it says.
#[test]
fn a_finding_is_a_scenario() {
    let folder = tempfile::tempdir().expect("there is room");
    let found = found(&["dt-smmu-v3-one plain"], "v7.3-rc7", 2);
    let written = found
        .write(folder.path(), 100_000, &|| Go::On)
        .expect("it can be written");
    assert_eq!(written.len(), found.findings.len());
    for file in &written {
        let path = folder.path().join(format!("{}.litmus", file.name));
        as_stated(&path, &folder.path().join("boards"));
    }
}

fn as_stated(path: &Path, boards: &Path) {
    let test = Test::load(path, boards).expect("it is a test");
    for kernel in test.kernels() {
        let answer = test.run(kernel, &Exploration::default(), &mut |_| Go::On);
        let answer = answer.expect("it runs");
        assert!(answer.is_as_stated(), "{} on {kernel}", path.display());
    }
}

#[test]
fn a_search_that_is_stopped_says_what_is_left() {
    let options = Options {
        kernel: String::from("v7.3-rc7"),
        tasks: 2,
        only: vec![String::from("dt-smmu-v3-one plain")],
        max_states: 100_000,
        workers: 1,
    };
    let found = search(&options, &|| Go::Stop, &mut |_| {}).expect("the kernel is known");
    assert!(found.rows.is_empty() && found.asked > 0 && !found.is_complete());
    let text = scenarios::search::report::Text {
        found: &found,
        written: &[],
    };
    assert!(text.to_string().contains("interrupted"));
}
