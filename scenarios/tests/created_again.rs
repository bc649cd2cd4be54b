//! A task that is created again and again: states are the same whichever of them stands where, so
//! what the search knows of the points where they stand must be the same too. It was not, and ways that
//! were read off the graph led elsewhere.

use checker::engine::exhaustive::{Go, Options};
use checker::outcome::Complete;
use scenarios::litmus;
use scenarios::runner::Test;
use std::path::Path;

/// Each retry of the deferred client is one more asynchronous probe.
const SCENARIO: &str = "LITMUS created-again
(*
 * Result: Never
 *
 * Can an IPMMU that is unbound while it registers hang a client's asynchronous probes?
 *)
board one-ipmmu.dts
kernels v7.3-rc7
allow client0
driver client-drv : async

initial { driver_register(client-drv) }

P0 { driver_register(ipmmu-vmsa) }
P1 { device_release_driver(leaf0) }
P2 { deferred_probe_work_func }

exists (deadlock)
";

#[test]
fn each_way_leads_where_it_says_though_a_task_is_created_again() {
    let litmus = litmus::parse("created-again", SCENARIO).expect("the scenario is well formed");
    let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
    let test = Test::with_board(litmus, &boards).expect("the scenario makes sense");
    // The engine goes each way, and asserts that it leads to its outcome.
    let explored = |options: &Options| {
        let answer = test.run("v7.3-rc7", options, &mut |_| Go::On);
        let report = answer.expect("it can be explored").report;
        assert_eq!(report.complete, Complete::Yes);
        report
    };
    let all = explored(&Options::default());
    let with_sleep_sets = explored(&Options {
        sleep_sets: true,
        ..Options::default()
    });
    assert_eq!(all.outcomes(), with_sleep_sets.outcomes());
    assert!(all.finals.len() > 50, "{}", all.finals.len());
    assert!(all.finals.keys().all(|end| end.deadlock.is_none()));
}
