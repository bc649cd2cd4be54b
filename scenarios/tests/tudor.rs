//! The trace that Tudor Ambarus posted on 14 April 2026, as a schedule that is replayed: T86 binds the
//! client, T1 registers the second of its two instances. Step by step it is in
//! `scenarios/seeds/README.md`.

use checker::engine::named::NamedSchedule;
use kernel::kernel::Warn;
use scenarios::runner::{Memory, Test};
use scenarios::schedule;
use scenarios::witness::all_events;
use std::path::Path;

/// CPU1 is T86, CPU0 is T1.
const SCHEDULE: &str = "CPU1 until of_iommu_configure() takes iommu_probe_device_lock; \
    CPU0 until probe_iommu_group() takes iommu_probe_device_lock #4; \
    CPU1 until iommu_probe_device() takes iommu_probe_device_lock; \
    CPU0 until probe_iommu_group() takes iommu_probe_device_lock; \
    CPU1 to its end; CPU0 to its end";

/// What the trace has, in its order: the task, and a part of the line.
const TRACE: [(&str, &str); 9] = [
    // 1. The first instance is ready, the second is on the list and is not.
    ("P0", "smmu0: iommu->ready = 1"),
    ("P0", "iommu_device_register(smmu1)"),
    // 2. T86 gets past the gate: dev->iommu is set by the time it comes to the second.
    ("P1", "smmu0: iommu->ready is 1"),
    ("P1", "client-drv client0: rk_iommu_of_xlate"),
    ("P1", "client-drv client0: rk_iommu_of_xlate"),
    // 3. T1 wins the lock, and groups the client with dev->driver set.
    ("P0", "late IOMMU probe at driver bind"),
    // 4. T86 finds the group and no default domain in it, and is deferred.
    ("P1", "__iommu_probe_device => 0"),
    ("P1", "iommu_device_use_default_domain => -517"),
    ("P1", "client0: dev->driver = NULL"),
];

#[test]
fn the_trace_comes_out_as_it_was_posted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = folder.join("basics/second-instance-not-ready.litmus");
    let test = Test::load(&file, &folder.join("boards")).expect("it is a test");
    let kernel = test.kernel("v7.3-rc7").expect("it is a kernel");
    let schedule: NamedSchedule = SCHEDULE.parse().expect("it is a schedule");
    let trace = schedule::replay(&test, &kernel, Memory::Sequential, &schedule);
    assert!(trace.divergence.is_none(), "{:?}", trace.divergence);
    let lines = all_events(&test, &kernel, &trace);
    let mut at = lines.iter();
    for (task, text) in TRACE {
        let is_it = |line: &String| line.starts_with(task) && line.contains(text);
        assert!(
            at.any(is_it),
            "no `{text}` of {task} where it is expected in\n{}",
            lines.join("\n")
        );
    }
    let client = &trace.end.outcome.clients[0];
    assert!(client.warned(Warn::LateProbe) && client.deferred && client.driver.is_none());
}
