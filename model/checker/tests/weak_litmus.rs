//! [`checker::engine::weak`] against the Linux-kernel memory model: the kernel's own litmus tests
//! and some of ours, each with the kernel's verdict and where we deviate from it.

use crate::weak::Litmus;
use crate::weak::explore::Choices;
use crate::weak::rows::{Deviation, KERNEL, NOT_EXPRESSED, OURS, Row, Verdict};

fn check(rows: &[Row]) {
    for (name, text, condition, kernel, deviation) in rows {
        let expected = match (kernel, deviation) {
            (result, Deviation::None) => *result == Verdict::Sometimes,
            (Verdict::Never, Deviation::Weaker(_)) => true,
            (Verdict::Sometimes, Deviation::Stronger(_)) => false,
            _ => panic!("{name}: no such deviation"),
        };
        let is = Litmus::parse(text).is_sometimes(condition);
        assert_eq!(is, expected, "{name}: {text}");
    }
}

#[test]
fn the_kernels_litmus_tests_come_out_as_they_say_but_for_the_deviations() {
    check(KERNEL);
}

#[test]
fn every_litmus_test_of_the_kernel_is_in_the_table_or_has_a_reason_why_not() {
    assert_eq!(KERNEL.len() + NOT_EXPRESSED.len(), 35);
    let mut names: Vec<_> = KERNEL.iter().map(|r| r.0).collect();
    names.extend(NOT_EXPRESSED.iter().map(|r| r.0));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 35, "no name stands there twice");
}

#[test]
fn our_litmus_tests_come_out_as_herd7_says_but_for_the_deviations() {
    check(OURS);
}

/// Choice 0 is sequential consistency: no row comes out that needs anything weak.
#[test]
fn the_newest_choices_alone_are_sequentially_consistent() {
    let weak = [
        "SB+poonceonces",
        "MP+poonceonces",
        "IRIW+poonceonces+OnceOnce",
        "R+poonceonces",
        "S+poonceonces",
        "2+2W",
        "SB+incs",
    ];
    for (name, text, condition, ..) in KERNEL.iter().chain(OURS) {
        let litmus = Litmus::parse(text);
        let newest = litmus.outcomes_with(Choices::Newest, true);
        assert!(newest.is_subset(&litmus.outcomes()), "{name}");
        if weak.contains(name) {
            assert!(!newest.iter().any(|o| litmus.holds(condition, o)), "{name}");
        }
    }
}

/// Two memories of one fingerprint have the same future: outcomes do not depend on merging.
#[test]
fn merging_states_of_one_fingerprint_loses_no_outcome() {
    for (name, text, ..) in KERNEL.iter().chain(OURS) {
        let litmus = Litmus::parse(text);
        if litmus.tasks.iter().map(Vec::len).sum::<usize>() <= 8 {
            let all = litmus.outcomes_with(Choices::All, false);
            assert_eq!(litmus.outcomes(), all, "{name}");
        }
    }
}

/// What the kernel promises of its mutexes is acquire and release: no `po-unlock-lock-po`.
#[test]
fn mutexes_do_not_order_stores_for_others_as_spinlocks_do() {
    let condition = "1:r1=1 1:r2=0";
    let text = "s.lock x=1 s.unlock t.lock y=1 t.unlock | r1=y rmb r2=x";
    assert!(!Litmus::parse(text).is_sometimes(condition));
    let text = "m.lock x=1 m.unlock m2.lock y=1 m2.unlock | r1=y rmb r2=x";
    assert!(Litmus::parse(text).is_sometimes(condition));
}

#[test]
fn mutexes_acquire_and_release() {
    let text = "m.lock x=1 m.unlock | m.lock r0=x r1=x m.unlock";
    assert!(!Litmus::parse(text).is_sometimes("1:r0=1 1:r1=0"));
    let text = "x=1 m.lock y=1 m.unlock | m.lock r0=y m.unlock r1=x";
    assert!(!Litmus::parse(text).is_sometimes("1:r0=1 1:r1=0"));
}

#[test]
fn readers_acquire_from_writers_and_writers_from_readers_but_readers_not_from_readers() {
    let sometimes = |text: &str| Litmus::parse(text).is_sometimes("1:r0=1 1:r1=0");
    let before = "x=1 w.down_write y=1 w.up_write";
    assert!(!sometimes(&format!(
        "{before} | w.down_read r0=y w.up_read r1=x"
    )));
    let before = "x=1 w.down_read y=1 w.up_read";
    assert!(!sometimes(&format!(
        "{before} | w.down_write r0=y w.up_write r1=x"
    )));
    assert!(sometimes(&format!(
        "{before} | w.down_read r0=y w.up_read r1=x"
    )));
}
