//! What weak memory adds on the kernel model, where a driver's registration races with the bind of
//! a device behind its IOMMU. Each search comes to its end.

use checker::engine::exhaustive::{self, Options};
use checker::engine::loom::{self, Loads};
use checker::engine::weak;
use checker::event::What;
use checker::model::Model;
use checker::outcome::{Complete, Final, Report};
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use scenarios::litmus;
use scenarios::runner::Test;
use std::path::Path;
use std::sync::Arc;

const REGISTRATION: &str = "driver_register(arm-smmu-v3)";
const BIND: &str = "device_attach(client0)";
const WORKER: &str = "deferred_probe_work_func";

/// A scenario on the board one-client.dts, with the client's driver there.
fn kernel(revision: &str, tasks: &[&str]) -> Arc<Kernel> {
    let tasks = (0..).zip(tasks);
    let tasks: Vec<String> = tasks.map(|(n, t)| format!("P{n} {{ {t} }}\n")).collect();
    let text = format!(
        "LITMUS weak-memory\n(*\n * Result: Never\n *\n * Does it hang?\n *)\n\
         board one-client.dts\nkernels \"{revision}\"\n\
         initial {{ driver_register(client-drv) }}\n{}exists (deadlock)\n",
        tasks.concat()
    );
    let litmus = litmus::parse("weak-memory.litmus", &text).unwrap_or_else(|e| panic!("{e}"));
    let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
    let test = Test::with_board(litmus, &boards).unwrap_or_else(|e| panic!("{e}"));
    test.kernel(revision).unwrap_or_else(|e| panic!("{e}"))
}

/// Both explorations to their ends, and what weak memory adds; it takes nothing away.
fn added(model: &Arc<Kernel>) -> (Report<Outcome>, Vec<Final<Outcome>>) {
    let sequential = exhaustive::explore(model, &Options::default());
    let weak = Options {
        weak_memory: true,
        ..Options::default()
    };
    let report = exhaustive::explore(model, &weak);
    assert_eq!(sequential.complete, Complete::Yes);
    assert_eq!(report.complete, Complete::Yes);
    let (all, expected) = (report.outcomes(), sequential.outcomes());
    assert!(all.is_superset(&expected));
    let added = all.difference(&expected).cloned().collect();
    (report, added)
}

const ATOMIC_FLAGS: &str = "v6.16 + f2648bb3150a + 7fa1e85cfe68 + 7befbf128129 + 3e2c1e213ac2";

/// The flags of struct device in one word, of which `dma_iommu` is lost to another CPU's store of the
/// same word. Under weak memory that CPU may have read `dev->iommu_group` from before the store too.
#[test]
fn weak_memory_adds_outcomes_only_where_the_flags_share_a_word() {
    for (revision, expected) in [
        ("v6.12", 0),
        ("v6.16", 2),
        (ATOMIC_FLAGS, 0),
        ("v7.3-rc7", 0),
    ] {
        let model = kernel(revision, &[REGISTRATION, BIND]);
        let (report, added) = added(&model);
        assert_eq!(added.len(), expected, "{revision}");
        for end in added {
            let schedule = &report.finals[&end];
            let past_newest = schedule.0.iter().filter(|turn| turn.pick > 0);
            assert_eq!(past_newest.count(), 1, "{schedule}");
            let trace = weak::replay(&model, &report.marks, schedule);
            assert_eq!((trace.divergence, &trace.end), (None, &end), "{schedule}");
            let is_stale_group = |what: &What| match what {
                What::StaleRead { cell, .. } => model
                    .layout()
                    .cell_name(*cell)
                    .ends_with("dev->iommu_group"),
                _ => false,
            };
            let stale = trace.events.iter().any(|e| is_stale_group(&e.what));
            assert!(stale, "{schedule}");
            assert!(end.outcome.clients.iter().all(|c| !c.dma_iommu));
        }
    }
}

/// Of the 10 outcomes that loom adds on v6.16, 8 are not coherent: loom lets reads disagree with
/// the order in which it makes the stores of the flags, and the outcome goes by that order
/// (`loom_gives_a_last_store_that_no_read_agrees_with` in the checker's tests).
#[test]
fn what_loom_adds_is_there_but_for_what_is_not_coherent() {
    for (revision, only_loom) in [("v6.16", 8), (ATOMIC_FLAGS, 0), ("v7.3-rc7", 0)] {
        let model = kernel(revision, &[REGISTRATION, BIND]);
        let (report, _) = added(&model);
        let options = loom::Options {
            loads: Loads::Load,
            preemption_bound: Some(2),
            ..loom::Options::new(report.marks.clone())
        };
        let found = loom::explore(&model, &options).unwrap_or_else(|e| panic!("{e}"));
        let beyond = found.outcomes();
        let beyond = beyond.difference(&report.outcomes()).count();
        assert_eq!(beyond, only_loom, "{revision}");
    }
}

/// The IOMMU registers, the client looks for its driver, and the worker retries: no outcome leaves
/// the client deferred. Every schedule and every choice is covered, within what the model says:
/// the trigger count is read as it is, never stale, and the spinlocks of klists order nothing.
#[test]
fn no_client_is_left_deferred_under_weak_memory() {
    for revision in ["v6.12", "v7.3-rc7"] {
        let (report, added) = added(&kernel(revision, &[REGISTRATION, BIND, WORKER]));
        assert!(added.is_empty(), "{revision}");
        let mut clients = report.finals.keys().flat_map(|f| &f.outcome.clients);
        assert!(clients.all(|c| !c.deferred), "{revision}");
    }
}

/// The states themselves tell apart what their fingerprints do, and no more: all stores, and what each CPU
/// and lock has seen of them.
#[test]
fn an_exact_search_finds_the_same() {
    let model = kernel("v7.3-rc7", &[REGISTRATION, BIND, WORKER]);
    let explored = |exact| {
        let options = Options {
            weak_memory: true,
            exact,
            ..Options::default()
        };
        exhaustive::explore(&model, &options)
    };
    let (expected, found) = (explored(false), explored(true));
    assert_eq!(found.complete, Complete::Yes);
    assert_eq!(found.finals, expected.finals);
    assert_eq!(found.states, expected.states);
}

/// Without the worker there is nobody to retry it: it can be left deferred.
#[test]
fn without_the_worker_a_client_is_left_deferred() {
    for revision in ["v6.12", "v7.3-rc7"] {
        let (report, _) = added(&kernel(revision, &[REGISTRATION, BIND]));
        let mut clients = report.finals.keys().flat_map(|f| &f.outcome.clients);
        assert!(clients.any(|c| c.deferred), "{revision}");
    }
}
