//! Whether weak memory can strand a device: it finds its IOMMU not registered, defers, and
//! nobody ever retries it.
//!
//! P0 is driver_probe_device() of the device (drivers/base/dd.c): it remembers
//! deferred_trigger_count (r0), looks for the IOMMU (r1), puts the device on the pending list if
//! there is none, and reads the count again (r2). P1 is the probe of the IOMMU:
//! iommu_device_register() (drivers/iommu/iommu.c), then driver_deferred_probe_trigger(), which
//! counts up and takes what is on the pending list (r0). `s` is iommu_device_lock and `m` is
//! deferred_probe_mutex. The device is stranded if the trigger found nothing on the list and
//! both reads of the count gave the same.
//!
//! `docs/herd` has the same tests for herd7 and the Linux-kernel memory model, with the same
//! results.

use crate::weak::Litmus;
use crate::weak::explore::Choices;

/// P0 deferred, P1's trigger missed it, and the count stood still: before it was counted up, or
/// already after.
const STRANDED: [&str; 2] = ["0:r1=0 1:r0=0 0:r0=0 0:r2=0", "0:r1=0 1:r0=0 0:r0=1 0:r2=1"];

const DEFER: &str = "if(r1=0) m.lock pending=1 m.unlock r2=c fi";
const TRIGGER: &str = "m.lock c++ r0=pending m.unlock";

fn is_stranded(probe: &str, register: &str, choices: Choices) -> bool {
    let litmus = Litmus::parse(&format!("{probe} {DEFER} | {register} {TRIGGER}"));
    let outcomes = litmus.outcomes_with(choices, true);
    let missed = |o| litmus.holds("0:r1=0 1:r0=0", o);
    assert!(outcomes.iter().any(missed), "the trigger can miss it");
    outcomes
        .iter()
        .any(|o| STRANDED.iter().any(|c| litmus.holds(c, o)))
}

/// v6.12: an IOMMU is ready once it is on the list, and the list has a spinlock.
#[test]
fn no_device_is_stranded_where_the_list_under_its_lock_says_what_is_ready() {
    let probe = "r0=c s.lock r1=ready s.unlock";
    let register = "s.lock ready=1 s.unlock";
    assert!(!is_stranded(probe, register, Choices::All));
}

/// Both sides must take the lock.
#[test]
fn without_the_lock_a_device_is_stranded_by_weak_memory_alone() {
    let locked = ("r0=c s.lock r1=ready s.unlock", "s.lock ready=1 s.unlock");
    let bare = ("r0=c r1=ready", "ready=1");
    for (probe, register) in [bare, (bare.0, locked.1), (locked.0, bare.1)] {
        assert!(
            is_stranded(probe, register, Choices::All),
            "{probe} | {register}"
        );
        assert!(
            !is_stranded(probe, register, Choices::Newest),
            "{probe} | {register}"
        );
    }
}

/// The comparison of the counts is what retries a device that the trigger missed, under
/// sequential consistency already.
#[test]
fn without_the_comparison_a_device_is_stranded_under_sequential_consistency() {
    let text = format!("s.lock r1=ready s.unlock {DEFER} | s.lock ready=1 s.unlock {TRIGGER}");
    let litmus = Litmus::parse(&text);
    let newest = litmus.outcomes_with(Choices::Newest, true);
    assert!(newest.iter().any(|o| litmus.holds("0:r1=0 1:r0=0", o)));
}

/// Since da33e87bd2bf: the list says what is listed, and `iommu->ready` what is ready. It is read
/// and written without a lock; driver_deferred_probe_del() takes the mutex before the trigger.
const PROBE_ONCE: &str = "s.lock r3=listed s.unlock r1=ready";
const REGISTER_ONCE: &str = "s.lock listed=1 s.unlock ready=1";
const DEL: &str = "m.lock m.unlock";

#[test]
fn a_flag_without_a_lock_strands_a_device_if_nothing_else_orders_it() {
    let probe = format!("r0=c {PROBE_ONCE}");
    let register = format!("{REGISTER_ONCE} {DEL}");
    assert!(is_stranded(&probe, &register, Choices::All));
    assert!(!is_stranded(&probe, &register, Choices::Newest));
}

/// What orders it in the kernel are spinlocks that are there for something else: devtree_lock
/// (`d`) between the count and iommu_device_lock; those of klist_add_tail() (`k`) and
/// device_pm_check_callbacks() (`p`, with CONFIG_PM_SLEEP) between the flag and the count.
#[test]
fn other_spinlocks_on_the_way_order_the_flag_and_both_sides_need_them() {
    let probe = |other| format!("r0=c {other} {PROBE_ONCE}");
    let register = |other| format!("{REGISTER_ONCE} {other} {DEL}");
    let (d, k_p) = ("d.lock d.unlock", "k.lock k.unlock p.lock p.unlock");
    assert!(!is_stranded(&probe(d), &register(k_p), Choices::All));
    assert!(is_stranded(&probe(d), &register(""), Choices::All));
    assert!(is_stranded(&probe(""), &register(k_p), Choices::All));
}

/// What would order it by itself, whatever else is taken on the way: smp_rmb() between the count
/// and the flag, and smp_wmb() between the flag and the count.
#[test]
fn a_pair_of_barriers_orders_the_flag() {
    let (probe, register) = (
        format!("r0=c rmb {PROBE_ONCE}"),
        format!("{REGISTER_ONCE} wmb {DEL}"),
    );
    assert!(!is_stranded(&probe, &register, Choices::All));
}
