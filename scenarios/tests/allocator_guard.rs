//! No task of the kernel's model owns heap memory where it can be suspended: every scenario, on
//! the first and on the last kernel that it names.

#![allow(
    unsafe_code,
    reason = "a global allocator cannot be had without; it calls that of the system"
)]

#[path = "../../model/checker/tests/counting/mod.rs"]
mod counting;
mod files;

use checker::engine::exhaustive::{Options, explore};
use counting::{Guarded, violations};
use files::{crate_folder, scenario_files};
use scenarios::runner::Test;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a search reaches within this many states is enough: it tries each choice of a state
/// before those of the states before it, and comes to an end of every task over and over.
const MAX_STATES: u64 = 2_000;

#[test]
fn no_task_owns_heap_memory_where_it_can_be_suspended() {
    let root = crate_folder();
    let mut executions = 0;
    for path in scenario_files() {
        let test = Test::load(&path, &root.join("boards")).expect("the scenario can be read");
        let kernels = test.kernels().take(1).chain(test.kernels().last());
        for kernel in kernels.collect::<BTreeSet<_>>() {
            let model = test.kernel(kernel).expect("the scenario can be laid out");
            let options = Options {
                snapshots: false,
                max_states: MAX_STATES,
                ..Options::default()
            };
            executions += explore(&Arc::new(Guarded(model)), &options).executions;
            let name = &test.litmus.name.value;
            assert_eq!(violations(), Vec::<String>::new(), "{name} on {kernel}");
        }
    }
    assert!(executions > 1_000, "{executions}");
}
