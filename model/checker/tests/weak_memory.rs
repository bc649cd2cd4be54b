//! What [`WeakMemory`] does that no litmus test says: waiting, creating tasks, forgetting.

use checker::backend::{Condition, Order};
use checker::engine::weak::{Fence, WeakMemory};
use checker::event::TaskId;
use checker::layout::CellId;

const X: CellId = CellId(0);
const Y: CellId = CellId(1);
const A: TaskId = TaskId(0);
const B: TaskId = TaskId(1);

const Y_IS_ONE: Condition = Condition {
    cell: Y,
    mask: u64::MAX,
    value: 1,
    negated: false,
};

fn two_tasks() -> WeakMemory {
    let mut memory = WeakMemory::new(&[0, 0], &[]);
    memory.spawn(None, A);
    memory.spawn(None, B);
    memory
}

/// `x = 1; y = 1`, with an smp_wmb() between.
fn published() -> WeakMemory {
    let mut memory = two_tasks();
    memory.store(A, X, 1, Order::Relaxed, 0);
    memory.fence(A, Fence::Wmb);
    memory.store(A, Y, 1, Order::Relaxed, 0);
    memory
}

#[test]
fn wait_event_orders_no_later_load_and_wait_for_completion_does() {
    for (order, readable) in [(Order::Relaxed, 2), (Order::AcquireRelease, 1)] {
        let mut memory = published();
        assert_eq!(memory.ends_wait(B, Y_IS_ONE), 1);
        assert_eq!(memory.wait(B, Y_IS_ONE, order, 0), 1);
        assert_eq!(memory.readable(B, X), readable, "{order:?}");
    }
}

#[test]
fn a_store_that_is_no_longer_the_newest_can_end_a_wait() {
    let mut memory = published();
    memory.store(A, Y, 2, Order::Relaxed, 0);
    assert_eq!(memory.newest(Y), 2);
    assert_eq!(memory.wait(B, Y_IS_ONE, Order::Relaxed, 0), 1);
}

#[test]
fn a_child_sees_what_its_parent_has_seen() {
    let mut memory = published();
    memory.spawn(Some(A), TaskId(2));
    memory.spawn(Some(B), TaskId(3));
    assert_eq!(memory.readable(TaskId(2), X), 1);
    assert_eq!(memory.readable(TaskId(3), X), 2);
}

#[test]
fn what_only_a_task_that_has_ended_could_read_is_forgotten() {
    let mut memory = published();
    assert!(!memory.is_quiet());
    memory.end(B);
    assert!(memory.is_quiet());
    assert_eq!([memory.newest(X), memory.newest(Y)], [1, 1]);
}

/// How many stores there have been does not count, and what may still be read does.
#[test]
fn equal_futures_have_equal_fingerprints() {
    let mut long = two_tasks();
    for value in [3, 2, 1] {
        long.store(A, X, value, Order::Relaxed, 0);
        long.load(B, X, Order::Relaxed, 0);
    }
    let mut short = two_tasks();
    short.store(A, X, 1, Order::Relaxed, 0);
    assert_ne!(long.fingerprint(), short.fingerprint());
    short.load(B, X, Order::Relaxed, 0);
    assert_eq!(long.fingerprint(), short.fingerprint());
}
