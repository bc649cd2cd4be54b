//! An allocator that counts what tasks hold, and a model whose tasks are counted.
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "shared between test crates, of which each is a program"
)]

use checker::guard;
use checker::layout::{CellId, Layout};
use checker::model::{Entry, Model};
use std::alloc::{GlobalAlloc, System};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

thread_local! {
    /// Allocations of the task that runs on this thread minus what it has freed.
    static HELD: Cell<i64> = const { Cell::new(0) };
    static VIOLATIONS: RefCell<Vec<String>> = const { RefCell::new(vec![]) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Counts an allocation or a free of a task's own code.
fn count(change: i64) {
    if guard::in_task() {
        // Where thread-local variables are gone there is no task either.
        let _ = HELD.try_with(|held| held.set(held.get() + change));
    }
}

// SAFETY: all is left to the allocator of the system; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
        count(1);
        // SAFETY: the caller keeps to the contract of `GlobalAlloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: std::alloc::Layout) {
        count(-1);
        // SAFETY: as above; the memory came from `System`.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// A task begins an operation, or ends.
fn probe(function: &'static str) {
    let held = HELD.replace(0);
    // What was counted as held before is freed later: then it is less than nothing.
    if held > 0 {
        let allocations = if held == 1 {
            "allocation"
        } else {
            "allocations"
        };
        let text =
            format!("{function} owns {held} {allocations} on the heap where it can be suspended");
        VIOLATIONS.with_borrow_mut(|all| {
            if !all.contains(&text) {
                all.push(text);
            }
        });
    }
}

/// What tasks of this thread held where they could be suspended, each once; taken out.
pub fn violations() -> Vec<String> {
    VIOLATIONS.take()
}

/// The model, with its tasks under the probe.
pub struct Guarded<M>(pub Arc<M>);

impl<M: Model> Model for Guarded<M> {
    type Outcome = M::Outcome;

    fn layout(&self) -> &Layout {
        self.0.layout()
    }

    fn set_up(&self) {
        self.0.set_up();
    }

    fn run(&self, entry: Entry) {
        guard::task(probe, || self.0.run(entry));
    }

    fn outcome(&self) -> M::Outcome {
        self.0.outcome()
    }

    fn task_name(&self, entry: Entry) -> String {
        self.0.task_name(entry)
    }

    fn turn(&self, entry: Entry) -> u32 {
        self.0.turn(entry)
    }

    fn show(&self, cell: CellId, value: u64) -> String {
        self.0.show(cell, value)
    }
}
