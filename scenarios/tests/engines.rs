//! What must hold for the engines on the kernel model: an outcome set does not depend on who
//! explores it, nor on any reduction.
//!
//! The scenario is the smallest with a race in it: one client, one instance. CPU0 registers the
//! IOMMU's driver, whose probe registers the instance and walks the bus; CPU1 looks for a driver
//! of the client. A third task, where there is one, is the deferred-probe worker.
//!
//! The exhaustive engine explores each of these to its end. Shuttle and, of the whole scenario,
//! loom do not come to theirs: what they find is a sample, and must be in the exhaustive set. Of
//! some cuts of the scenario loom has seen all that it can see (`LOOM_COMPLETES`); there its set
//! must be the exhaustive one.

use checker::engine::loom::Loads;
use checker::engine::shuttle::Scheduler;
use checker::engine::{dpor, exhaustive, loom, shuttle};
use checker::outcome::{Complete, Final, Report};
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use scenarios::litmus;
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Before bcb81ac6ae3c, the kernel of the late probes, and the newest.
const KERNELS: [&str; 3] = ["bcb81ac6ae3c^", "v6.16", "v7.3-rc7"];

const REGISTRATION: &str = "driver_register(arm-smmu-v3)";
const BIND: &str = "device_attach(client0)";
const WORKER: &str = "deferred_probe_work_func";
/// The registration without the IOMMU driver's probe around it.
const WALK: &str = "iommu_device_register(smmu0)";

/// A scenario on the board one-client.dts.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    /// Runs before the tasks.
    initial: &'static str,
    tasks: &'static [&'static str],
}

const REGISTRATION_AGAINST_BIND: Scenario = Scenario {
    initial: "driver_register(client-drv)",
    tasks: &[REGISTRATION, BIND],
};

const WITH_WORKER: Scenario = Scenario {
    initial: "driver_register(client-drv)",
    tasks: &[REGISTRATION, BIND, WORKER],
};

/// Smaller: the walk alone against the bind.
const WALK_AGAINST_BIND: Scenario = Scenario {
    initial: "driver_register(client-drv)",
    tasks: &[WALK, BIND],
};

/// Smaller still: the walk against the ADD_DEVICE notifier of a client without a driver.
const WALK_AGAINST_ADD: Scenario = Scenario {
    initial: "",
    tasks: &[WALK, "device_add(client0)"],
};

/// Both drivers are there and the client is bound: who comes first?
const UNBIND_AGAINST_BIND: Scenario = Scenario {
    initial: "driver_register(client-drv)\ndriver_register(arm-smmu-v3)",
    tasks: &["device_release_driver(client0)", BIND],
};

/// Both drivers are there; a bind against the worker's own.
const BIND_AGAINST_WORKER: Scenario = Scenario {
    initial: "driver_register(client-drv)\ndriver_register(arm-smmu-v3)",
    tasks: &[BIND, WORKER],
};

/// What loom explores to its end, with loads as read-modify-writes. The largest is the walk
/// against the notifier since bcb81ac6ae3c, 16678 executions on v6.16 and 10869 on v7.3-rc7; the
/// others have fewer than 200.
const LOOM_COMPLETES: [(&str, Scenario); 9] = [
    ("bcb81ac6ae3c^", WALK_AGAINST_BIND),
    ("bcb81ac6ae3c^", WALK_AGAINST_ADD),
    ("v6.16", WALK_AGAINST_ADD),
    ("v7.3-rc7", WALK_AGAINST_ADD),
    ("bcb81ac6ae3c^", BIND_AGAINST_WORKER),
    ("v6.16", BIND_AGAINST_WORKER),
    ("v7.3-rc7", BIND_AGAINST_WORKER),
    ("v6.16", UNBIND_AGAINST_BIND),
    ("v7.3-rc7", UNBIND_AGAINST_BIND),
];

/// What loom explores to its end also where loads are loads, which may be stale.
const LOOM_COMPLETES_WITH_STALE_LOADS: [(&str, Scenario); 6] = [
    ("bcb81ac6ae3c^", WALK_AGAINST_BIND),
    ("bcb81ac6ae3c^", WALK_AGAINST_ADD),
    ("bcb81ac6ae3c^", BIND_AGAINST_WORKER),
    ("v7.3-rc7", BIND_AGAINST_WORKER),
    ("v6.16", UNBIND_AGAINST_BIND),
    ("v7.3-rc7", UNBIND_AGAINST_BIND),
];

/// What loom does not come to the end of in hundreds of thousands of executions.
fn too_large_for_loom() -> impl Iterator<Item = (&'static str, Scenario)> {
    let whole = KERNELS
        .into_iter()
        .flat_map(|k| [(k, REGISTRATION_AGAINST_BIND), (k, WITH_WORKER)]);
    whole.chain([
        ("v6.16", WALK_AGAINST_BIND),
        ("v7.3-rc7", WALK_AGAINST_BIND),
    ])
}

impl Scenario {
    fn on(self, kernel: &str) -> Arc<Kernel> {
        let tasks = (0..).zip(self.tasks);
        let tasks: Vec<String> = tasks.map(|(n, t)| format!("P{n} {{ {t} }}\n")).collect();
        let tasks = tasks.concat();
        let initial = match self.initial {
            "" => String::new(),
            calls => format!("initial {{ {calls} }}\n"),
        };
        let text = format!(
            "LITMUS engines\n(*\n * Result: Never\n *\n * Does it hang?\n *)\n\
             board one-client.dts\nkernels \"{kernel}\"\n{initial}{tasks}exists (deadlock)\n"
        );
        let litmus = litmus::parse("engines.litmus", &text).unwrap_or_else(|e| panic!("{e}"));
        let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        let test = Test::with_board(litmus, &boards).unwrap_or_else(|e| panic!("{e}"));
        test.kernel(kernel).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Everything, by the default engine.
fn all(model: &Arc<Kernel>) -> Report<Outcome> {
    let report = exhaustive::explore(model, &exhaustive::Options::default());
    assert_eq!(report.complete, Complete::Yes);
    assert!(report.finals.keys().all(|end| end.deadlock.is_none()));
    report
}

fn run_loom(model: &Arc<Kernel>, options: &loom::Options) -> Report<Outcome> {
    loom::explore(model, options).unwrap_or_else(|e| panic!("{e}"))
}

/// How many outcomes are not in the exhaustive set.
fn beyond(sample: &Report<Outcome>, all: &Report<Outcome>) -> usize {
    let new = |end: &&Final<Outcome>| !all.finals.contains_key(*end);
    sample.finals.keys().filter(new).count()
}

#[test]
fn loom_comes_to_its_end_with_the_same_outcomes() {
    for (kernel, scenario) in LOOM_COMPLETES {
        let model = scenario.on(kernel);
        let expected = all(&model);
        let report = run_loom(&model, &loom::Options::new(expected.marks.clone()));
        let context = format!("{kernel} {scenario:?}");
        assert_eq!(report.complete, Complete::Yes, "{context}");
        assert_eq!(report.outcomes(), expected.outcomes(), "{context}");
    }
}

/// Some of these have one outcome only. These have more.
#[test]
fn what_loom_completes_is_not_trivial() {
    let sizes = LOOM_COMPLETES.map(|(kernel, scenario)| all(&scenario.on(kernel)).finals.len());
    assert_eq!(sizes, [2, 1, 3, 3, 1, 1, 1, 2, 2]);
}

#[test]
fn loom_comes_to_its_end_with_the_same_outcomes_also_with_stale_loads() {
    for (kernel, scenario) in LOOM_COMPLETES_WITH_STALE_LOADS {
        let model = scenario.on(kernel);
        let expected = all(&model);
        let options = loom::Options {
            loads: Loads::Load,
            ..loom::Options::new(expected.marks.clone())
        };
        let report = run_loom(&model, &options);
        let context = format!("{kernel} {scenario:?}");
        assert_eq!(report.complete, Complete::Yes, "{context}");
        assert_eq!(report.outcomes(), expected.outcomes(), "{context}");
    }
}

/// Bounded twice: by the number of executions, and by two interruptions in each.
#[test]
fn where_loom_is_bounded_it_finds_nothing_new() {
    for (kernel, scenario) in too_large_for_loom() {
        let model = scenario.on(kernel);
        let expected = all(&model);
        assert!(expected.finals.len() > 1);
        let context = format!("{kernel} {scenario:?}");
        let options = loom::Options {
            max_executions: Some(2_000),
            ..loom::Options::new(expected.marks.clone())
        };
        let report = run_loom(&model, &options);
        assert_eq!(
            report.complete.to_string(),
            "no (loom was stopped after 2000 executions)",
            "{context}"
        );
        assert_eq!(beyond(&report, &expected), 0, "{context}");
        let options = loom::Options {
            preemption_bound: Some(2),
            ..loom::Options::new(expected.marks.clone())
        };
        let report = run_loom(&model, &options);
        assert_eq!(
            report.complete.to_string(),
            "no (loom interrupted tasks at most 2 times in each execution)",
            "{context}"
        );
        assert_eq!(beyond(&report, &expected), 0, "{context}");
        assert!(!report.finals.is_empty(), "{context}");
    }
}

/// The flags of struct device in one word: whoever writes one of them writes them all, from what
/// he has read. What stale loads add is due to that alone, as far as two interruptions show. Most of
/// it is not coherent: see `weak_memory.rs`.
#[test]
fn stale_loads_add_outcomes_only_where_the_flags_share_a_word() {
    let added = |kernel: &str| {
        let model = REGISTRATION_AGAINST_BIND.on(kernel);
        let expected = all(&model);
        let options = loom::Options {
            loads: Loads::Load,
            preemption_bound: Some(2),
            ..loom::Options::new(expected.marks.clone())
        };
        beyond(&run_loom(&model, &options), &expected)
    };
    assert_eq!(added("v6.16"), 10);
    let atomic_flags = "v6.16 + f2648bb3150a + 7fa1e85cfe68 + 7befbf128129 + 3e2c1e213ac2";
    assert_eq!(added(atomic_flags), 0);
    assert_eq!(added("v7.3-rc7"), 0);
}

#[test]
fn every_reduction_leaves_the_outcomes_as_they_are() {
    let whole = KERNELS
        .into_iter()
        .flat_map(|k| [(k, REGISTRATION_AGAINST_BIND), (k, WITH_WORKER)]);
    for (kernel, scenario) in whole.chain(LOOM_COMPLETES) {
        let model = scenario.on(kernel);
        let expected = all(&model);
        // Persistent sets are not the same where there are other steps: what is saved by fewer
        // steps is counted without them.
        let all_tasks = exhaustive::Options {
            persistent_sets: false,
            ..exhaustive::Options::default()
        };
        let states = exhaustive::explore(&model, &all_tasks).states;
        for (lock_aware, checkpoints) in [(true, false), (false, true), (false, false)] {
            let options = exhaustive::Options {
                lock_aware,
                checkpoints,
                ..all_tasks.clone()
            };
            let report = exhaustive::explore(&model, &options);
            let context = format!("{kernel} {scenario:?} {options:?}");
            assert_eq!(report.complete, Complete::Yes, "{context}");
            assert_eq!(report.outcomes(), expected.outcomes(), "{context}");
            assert!(report.states >= states, "{context}");
        }
    }
}

/// Without merging every interleaving is run from its start: on what is small enough.
#[test]
fn merging_states_leaves_the_outcomes_as_they_are() {
    for (kernel, scenario) in LOOM_COMPLETES {
        let model = scenario.on(kernel);
        let options = exhaustive::Options {
            merge: false,
            checkpoints: false,
            ..exhaustive::Options::default()
        };
        let report = exhaustive::explore(&model, &options);
        let context = format!("{kernel} {scenario:?}");
        assert_eq!(report.complete, Complete::Yes, "{context}");
        assert_eq!(report.outcomes(), all(&model).outcomes(), "{context}");
    }
}

/// Every operation is a choice, and every interleaving is run from its start. Small enough for this
/// are tasks that do all of their work under one device_lock, and tasks that find nothing to do.
#[test]
fn all_reductions_at_once_leave_the_outcomes_as_they_are() {
    const TWO_DEVICES: Scenario = Scenario {
        initial: "",
        tasks: &[BIND, "device_attach(smmu0)"],
    };
    for kernel in KERNELS {
        for scenario in [UNBIND_AGAINST_BIND, TWO_DEVICES] {
            let model = scenario.on(kernel);
            let options = exhaustive::Options {
                merge: false,
                lock_aware: false,
                checkpoints: false,
                ..exhaustive::Options::default()
            };
            let report = exhaustive::explore(&model, &options);
            let context = format!("{kernel} {scenario:?}");
            assert_eq!(report.complete, Complete::Yes, "{context}");
            assert_eq!(report.outcomes(), all(&model).outcomes(), "{context}");
        }
    }
}

/// Never complete, and said so; always inside. PCT finds more than one outcome of each.
#[test]
fn shuttle_finds_nothing_new() {
    let pct = Scheduler::Pct {
        iterations: 3_000,
        depth: 5,
        seed: 1,
    };
    let random = Scheduler::Random {
        iterations: 3_000,
        seed: 1,
    };
    let dfs = Scheduler::Dfs {
        max_iterations: Some(5_000),
    };
    for (kernel, scenario) in too_large_for_loom() {
        let model = scenario.on(kernel);
        let expected = all(&model);
        let mut found = BTreeSet::new();
        for scheduler in [pct, random, dfs] {
            let options = shuttle::Options {
                marks: expected.marks.clone(),
                scheduler,
            };
            let report = shuttle::explore(&model, &options);
            let context = format!("{kernel} {scenario:?} {scheduler:?}");
            assert_ne!(report.complete, Complete::Yes, "{context}");
            assert_eq!(beyond(&report, &expected), 0, "{context}");
            found.extend(report.outcomes());
        }
        assert!(found.len() > 1, "{kernel} {scenario:?}");
    }
}

/// Where shuttle's depth-first search, which has no reduction but the marks, comes to its end.
#[test]
fn shuttle_comes_to_its_end_with_the_same_outcomes() {
    let small = KERNELS
        .into_iter()
        .flat_map(|k| [(k, BIND_AGAINST_WORKER), (k, UNBIND_AGAINST_BIND)]);
    for (kernel, scenario) in small.chain([("bcb81ac6ae3c^", WALK_AGAINST_BIND)]) {
        let model = scenario.on(kernel);
        let expected = all(&model);
        let options = shuttle::Options {
            marks: expected.marks.clone(),
            scheduler: Scheduler::Dfs {
                max_iterations: Some(20_000),
            },
        };
        let report = shuttle::explore(&model, &options);
        let context = format!("{kernel} {scenario:?}");
        assert_eq!(report.complete, Complete::Yes, "{context}");
        assert_eq!(report.outcomes(), expected.outcomes(), "{context}");
    }
}

/// Source-DPOR comes to its end also where loom does not, but for the worker; its schedules lead
/// to its outcomes. The largest is the registration on v6.16: 18310 executions.
#[test]
fn source_dpor_comes_to_its_end_with_the_same_outcomes() {
    let large = too_large_for_loom().filter(|(_, scenario)| scenario.tasks.len() == 2);
    for (kernel, scenario) in LOOM_COMPLETES.into_iter().chain(large) {
        let model = scenario.on(kernel);
        let expected = all(&model);
        let options = dpor::Options {
            max_executions: Some(100_000),
            ..dpor::Options::new(expected.marks.clone())
        };
        let found = dpor::explore(&model, &options);
        let context = format!("{kernel} {scenario:?}");
        println!(
            "{context}: {} executions, {} cut short",
            found.report.executions, found.sleep_set_blocked
        );
        assert_eq!(found.report.complete, Complete::Yes, "{context}");
        assert_eq!(found.report.outcomes(), expected.outcomes(), "{context}");
        for (end, schedule) in &found.report.finals {
            let trace = exhaustive::replay(&model, &expected.marks, schedule);
            assert_eq!((trace.divergence, &trace.end), (None, end), "{context}");
        }
    }
}
