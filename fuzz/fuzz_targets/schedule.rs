//! Any text as a schedule: an error, or one that is printed as itself and that a kernel can be
//! replayed with, however wrong it is there. `cargo fuzz run schedule`.
#![no_main]

use checker::engine::exhaustive::{Options, explore};
use checker::engine::marks::Marks;
use checker::engine::replay::replay;
use checker::engine::schedule::Schedule;
use kernel::kernel::Kernel;
use libfuzzer_sys::fuzz_target;
use scenarios::runner::Test;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A small test, and which operations are steps in it.
fn small() -> &'static (Arc<Kernel>, Marks) {
    static SMALL: OnceLock<(Arc<Kernel>, Marks)> = OnceLock::new();
    SMALL.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
        let file = folder.join("basics/late-probe-at-bind.litmus");
        let test = Test::load(&file, &folder.join("boards")).expect("a test of ours");
        let kernel = test.kernel("v7.3-rc7").expect("one of its kernels");
        let report = explore(&kernel, &Options::default());
        (kernel, report.marks)
    })
}

fuzz_target!(|text: &str| {
    let Ok(schedule) = text.parse::<Schedule>() else {
        return;
    };
    let printed = schedule.to_string();
    assert_eq!(printed.parse::<Schedule>().as_ref(), Ok(&schedule));
    let (kernel, marks) = small();
    let _ = replay(kernel, marks, &schedule);
});
