//! The search finds by itself what was found by hand, and what it writes is what `check` takes.

use checker::engine::exhaustive::{Go, Options as Exploration};
use scenarios::runner::Test;
use scenarios::search::journal::Of;
use scenarios::search::space::{Combination, combinations};
use scenarios::search::step::Step;
use scenarios::search::{Distinct, Found, Journal, Options, search};
use scenarios::shards::Shard;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn found(only: &[&str], kernel: &str, workers: usize) -> Found {
    let options = Options {
        kernel: kernel.to_owned(),
        tasks: 2,
        only: only.iter().map(|o| (*o).to_owned()).collect(),
        max_states: 100_000,
        workers,
        shard: None,
    };
    search(&options, None, &|| Go::On, &mut || {}).expect("the kernel is known")
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

/// F1 leaves a client without group, on ACPI for good and under a driver; F2 is a switch of the DMA ops
/// under a driver. Nothing in the space names them, and their runs have the steps of F1 and F2.
#[test]
fn it_turns_up_f1_and_f2_by_itself() {
    let found = found(&SMALLEST, "v7.3-rc7", 2);
    assert!(found.is_complete());
    let has = |board, fault, cause: &str| {
        let is_by = |f: &&Distinct| f.causes.iter().any(|c| c == cause);
        let mut by_cause = found.findings.iter().filter(is_by);
        by_cause.any(|f| is_of(f, board, fault))
    };
    let (f1, f2) = (
        "walk-skips-a-binding-client",
        "driver-starts-without-its-domain",
    );
    assert!(has("dt-", "i2", f1), "F1 on a device tree");
    assert!(has("acpi-", "untranslated", f1), "F1 on ACPI");
    assert!(has("dt-", "i4", f2), "F2");
    assert!(!has("acpi-", "untranslated", f2), "F2 is in no run of F1");
    assert!(has("dt-", "late-probe", "warning-of-a-deferred-bind"));
}

/// Each finding there comes about by a cause that is known.
#[test]
fn no_run_is_without_the_steps_of_a_known_cause() {
    let found = found(&SMALLEST, "v7.3-rc7", 2);
    let runs: Vec<&Distinct> = found
        .findings
        .iter()
        .filter(|f| f.schedule.is_some())
        .collect();
    assert!(runs.len() > 10);
    for finding in runs {
        let name = finding.example.name();
        assert!(
            !finding.causes.is_empty(),
            "{name}: {:?}",
            finding.signature
        );
    }
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

fn options(only: &str, shard: Option<Shard>) -> Options {
    Options {
        kernel: String::from("v7.3-rc7"),
        tasks: 2,
        only: vec![only.to_owned()],
        max_states: 100_000,
        workers: 1,
        shard,
    }
}

#[test]
fn a_search_that_is_stopped_says_what_is_left() {
    let options = options("dt-smmu-v3-one plain", None);
    let found = search(&options, None, &|| Go::Stop, &mut || {}).expect("the kernel is known");
    assert!(found.rows.is_empty() && !found.is_complete());
    assert_eq!(found.left.len(), found.asked);
    assert_eq!(found.table().lines().count(), found.asked);
    assert!(found.table().contains("no (not explored)"));
    let text = scenarios::search::report::Text {
        found: &found,
        written: &[],
    };
    assert!(text.to_string().contains("interrupted"));
}

fn of(kernel: &str) -> Of {
    Of {
        kernel: kernel.to_owned(),
        program: String::from("this one"),
    }
}

fn json(found: &Found) -> String {
    serde_json::to_string(found).expect("it is data")
}

const FEW: &str = "dt-smmu-v3-one plain: register-iommu";

/// Stopped after each few combinations and begun again, it finds the same, and explores none twice.
#[test]
fn a_search_that_is_stopped_goes_on() {
    let folder = tempfile::tempdir().expect("there is room");
    let options = options(FEW, None);
    let whole = search(&options, None, &|| Go::On, &mut || {}).expect("the kernel is known");
    let mut explored = 0;
    loop {
        let journal = Journal::open(folder.path(), None, &of("v7.3-rc7")).expect("it is one");
        assert_eq!(journal.len(), explored, "each row was written down");
        let done = AtomicUsize::new(0);
        let go = || {
            if done.load(Ordering::Relaxed) < explored + 3 {
                Go::On
            } else {
                Go::Stop
            }
        };
        let mut each = || {
            done.fetch_add(1, Ordering::Relaxed);
        };
        let found = search(&options, Some(&journal), &go, &mut each).expect("it goes on");
        assert!(found.rows.len() > explored, "it has come further");
        explored = found.rows.len();
        if found.left.is_empty() {
            assert_eq!(json(&found), json(&whole));
            break;
        }
    }
}

/// Shards put together are the whole search, and nothing is explored when they are.
#[test]
fn shards_put_together_are_one_search() {
    let folder = tempfile::tempdir().expect("there is room");
    for number in [2, 1] {
        let shard = Some(Shard { number, of: 2 });
        let journal = Journal::open(folder.path(), shard, &of("v7.3-rc7")).expect("it is one");
        let part = search(&options(FEW, shard), Some(&journal), &|| Go::On, &mut || {});
        assert!(part.expect("it is searched").is_complete());
    }
    let journal = Journal::open(folder.path(), None, &of("v7.3-rc7")).expect("it is one");
    let options = options(FEW, None);
    assert_eq!(journal.len(), options.combinations().len());
    let joined = search(&options, Some(&journal), &|| Go::On, &mut || {}).expect("it is searched");
    let whole = search(&options, None, &|| Go::On, &mut || {}).expect("it is searched");
    assert_eq!(json(&joined), json(&whole));
    let again = Journal::open(folder.path(), None, &of("v7.3-rc7")).expect("it is one");
    assert_eq!(again.len(), journal.len(), "nothing was explored again");
}

/// Rows of another kernel are refused, and so are lines that are none; half a line is dropped.
#[test]
fn a_journal_of_something_else_is_refused() {
    let folder = tempfile::tempdir().expect("there is room");
    let open = |kernel| Journal::open(folder.path(), None, &of(kernel));
    assert!(open("v7.3-rc7").expect("it is one").is_empty());
    let error = open("v6.16").expect_err("it is of another kernel");
    assert!(
        error.to_string().contains("found rows of v7.3-rc7 by"),
        "{error}"
    );
    let file = folder.path().join("rows.ndjson");
    let first = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, format!("{first}{{\"combina")).expect("it can be written");
    assert!(open("v7.3-rc7").expect("it is one").is_empty());
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), first);
    std::fs::write(&file, format!("{first}nonsense\n")).expect("it can be written");
    let error = open("v7.3-rc7").expect_err("it is damaged");
    assert!(
        error
            .to_string()
            .ends_with("rows.ndjson:2: found no row of a search"),
        "{error}"
    );
}

/// What nobody does is left out, whatever is done beside it.
#[test]
fn what_nobody_does_is_not_in_the_space() {
    for c in combinations(3) {
        let (name, has) = (c.name(), |s: Step| c.has(s));
        let claims = c.steps.iter().filter(|s| s.is_claim()).count();
        assert!(claims <= 1, "{name}: a group is opened by one at a time");
        assert!(
            c.steps.len() < 3 || c.steps.iter().all(|s| !s.is_double()),
            "{name}: no triple does two things in a task"
        );
        for client in 0..c.layout.clients() {
            let mut of_client = c.steps.iter().filter(|s| s.client() == Some(client));
            let allocates = has(Step::AllocDomain(client)) || has(Step::BindAlloc(client));
            assert!(
                !allocates || !of_client.any(|s| s.unbinds()),
                "{name}: a driver allocates while it is bound"
            );
        }
    }
}
