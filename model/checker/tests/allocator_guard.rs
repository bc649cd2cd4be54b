//! No suspended task owns heap memory: an allocator counts what the tasks allocate and free
//! between operations.

#![allow(
    unsafe_code,
    reason = "a global allocator cannot be had without; it calls that of the system"
)]

mod counting;
mod programs;

use checker::engine::exhaustive::{Options, explore};
use checker::layout::Layout;
use checker::model::{Entry, Model};
use checker::outcome::Complete;
use checker::sync::Shared;
use checker::task;
use counting::{Guarded, violations};
use programs::{Op, Program};
use std::sync::Arc;

/// Explores a model; gives what tasks held when they could be suspended. By replay and not by
/// snapshots: those would free twice what is held.
fn held<M: Model>(model: M) -> Vec<String> {
    let model = Arc::new(Guarded(Arc::new(model)));
    let options = Options {
        snapshots: false,
        ..Options::default()
    };
    let report = explore(&model, &options);
    assert_eq!(report.complete, Complete::Yes);
    violations()
}

/// Tasks that run `body` in a function called `probes`.
struct Two {
    layout: Layout,
    x: Shared<u64>,
    body: fn(&Two),
}

impl Two {
    fn new(body: fn(&Two)) -> Self {
        let mut layout = Layout::new();
        let x = Shared::new(&mut layout, "", "x", 0);
        Self { layout, x, body }
    }
}

impl Model for Two {
    type Outcome = u64;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        for arg in 0..2 {
            task::spawn(Entry { kind: 0, arg });
        }
    }

    fn run(&self, _: Entry) {
        task::call("probes", 0, String::new, || (self.body)(self));
    }

    fn outcome(&self) -> u64 {
        self.x.read_once()
    }

    fn task_name(&self, entry: Entry) -> String {
        format!("P{}", entry.arg)
    }
}

#[test]
fn memory_that_lives_across_an_operation_is_found() {
    let found = held(Two::new(|two| {
        let name = std::hint::black_box(vec![0u8; 40]);
        two.x.add(1);
        drop(name);
    }));
    let text = "probes owns 1 allocation on the heap where it can be suspended";
    assert_eq!(found.first().map(String::as_str), Some(text));
}

/// The caller holds it, and the callee can be suspended.
#[test]
fn memory_that_lives_across_a_call_is_found() {
    let found = held(Two::new(|two| {
        let name = std::hint::black_box(Box::new(two.x.read_once()));
        task::call("callee", 0, String::new, || two.x.add(*name));
    }));
    let text = "probes owns 1 allocation on the heap where it can be suspended";
    assert_eq!(found.first().map(String::as_str), Some(text));
}

#[test]
fn memory_that_is_freed_before_the_next_operation_is_none() {
    let found = held(Two::new(|two| {
        let seen = two.x.read_once();
        let text = std::hint::black_box(seen.to_string());
        let length = text.len() as u64;
        drop(text);
        two.x.add(length);
    }));
    assert_eq!(found, Vec::<String>::new());
}

/// All the operations there are, of which an engine allocates for some.
#[test]
fn operations_own_nothing() {
    let tasks = vec![
        vec![
            Op::Lock(0),
            Op::Load(0),
            Op::StoreLastPlus(0, 1),
            Op::Unlock(0),
            Op::GroupAdd,
            Op::GroupDone,
            Op::Push(1),
        ],
        vec![
            Op::TryLockOrSkip(0, 2),
            Op::Add(0, 1),
            Op::Unlock(0),
            Op::Pop,
            Op::GroupWait,
            Op::Spawn(3),
        ],
        vec![Op::DownWrite, Op::UpWrite, Op::WaitUntil(0, 2), Op::Oops],
        vec![Op::DownRead, Op::UpRead],
    ];
    let program = Program::new(1, 1, tasks).with_initial_tasks(3);
    assert_eq!(held(program), Vec::<String>::new());
}
