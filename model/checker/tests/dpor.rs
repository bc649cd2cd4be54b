//! Source-DPOR runs one execution for each class of executions that differ only in the order of
//! independent operations: the numbers of classes of textbook programs.

use crate::programs::{Op, Program};
use checker::engine::dpor::{Exploration, Options, explore};
use checker::engine::exhaustive;
use checker::engine::marks::Marks;
use checker::layout::Layout;
use checker::model::{Entry, Model};
use checker::outcome::Complete;
use checker::sync::Shared;
use checker::task;
use std::sync::Arc;

/// With every operation as a step; the outcomes are those of the exhaustive engine, without marks
/// and merging of its own.
fn explored<M: Model>(model: M) -> Exploration<M::Outcome> {
    let model = Arc::new(model);
    let found = explore(&model, &Options::new(Marks::all(model.layout())));
    assert_eq!(found.report.complete, Complete::Yes);
    let plain = exhaustive::Options {
        merge: false,
        lock_aware: false,
        checkpoints: false,
        ..exhaustive::Options::default()
    };
    let expected = exhaustive::explore(&model, &plain);
    assert_eq!(expected.complete, Complete::Yes);
    assert_eq!(found.report.outcomes(), expected.outcomes());
    found
}

/// Executions that came to their end, and those that a sleep set cut short.
fn executions(fields: usize, locks: usize, tasks: Vec<Vec<Op>>) -> (u64, u64) {
    let found = explored(Program::new(fields, locks, tasks));
    (found.report.executions, found.sleep_set_blocked)
}

#[test]
fn two_writers_of_one_cell_come_in_two_orders() {
    let writers = vec![vec![Op::Store(0, 1)], vec![Op::Store(0, 2)]];
    assert_eq!(executions(1, 0, writers), (2, 0));
}

#[test]
fn writers_of_one_cell_come_in_all_orders() {
    let writers = (1..=4).map(|v| vec![Op::Store(0, v)]).collect();
    assert_eq!(executions(1, 0, writers), (24, 0));
}

#[test]
fn independent_tasks_come_in_one_order() {
    let writers = (0..4).map(|f| vec![Op::Store(f, 1), Op::Load(f)]).collect();
    assert_eq!(executions(4, 0, writers), (1, 0));
}

#[test]
fn readers_of_a_cell_come_in_one_order() {
    let readers = vec![vec![Op::Load(0), Op::Load(0)]; 4];
    assert_eq!(executions(1, 0, readers), (1, 0));
}

/// readers(n), a benchmark of the paper: each reader comes before or after the writer.
#[test]
fn each_of_n_readers_comes_before_or_after_the_writer() {
    for n in 1..=6 {
        let writer = vec![Op::Store(0, 1)];
        let mut tasks = vec![writer];
        tasks.resize(n + 1, vec![Op::Load(0)]);
        assert_eq!(executions(1, 0, tasks.clone()).0, 1 << n, "{n} readers");
        tasks.rotate_left(1);
        assert_eq!(executions(1, 0, tasks).0, 1 << n, "{n} readers, then one");
    }
}

#[test]
fn critical_sections_come_in_all_orders() {
    let section = vec![Op::Lock(0), Op::Load(0), Op::Add(0, 1), Op::Unlock(0)];
    assert_eq!(executions(1, 1, vec![section; 3]).0, 6);
}

#[test]
fn critical_sections_of_different_locks_come_in_one_order() {
    let section = |n| vec![Op::Lock(n), Op::Add(n, 1), Op::Unlock(n)];
    let tasks = vec![section(0), section(1), section(2)];
    assert_eq!(executions(3, 3, tasks), (1, 0));
}

#[test]
fn shared_critical_sections_come_in_one_order() {
    let section = vec![Op::DownRead, Op::Load(0), Op::UpRead];
    assert_eq!(executions(1, 0, vec![section; 3]), (1, 0));
}

/// Both orders of the critical sections, and the deadlock.
#[test]
fn abba_has_three_classes() {
    let ab = vec![Op::Lock(0), Op::Lock(1), Op::Unlock(1), Op::Unlock(0)];
    let ba = vec![Op::Lock(1), Op::Lock(0), Op::Unlock(0), Op::Unlock(1)];
    assert_eq!(executions(0, 2, vec![ab, ba]).0, 3);
}

/// The writer can have the lock before both readers, or after both: while the one has it, the
/// other must get it too. No execution has the writer between them.
#[test]
fn a_writer_comes_before_readers_that_wait_for_each_other() {
    let reader = |mine, other| {
        vec![
            Op::DownRead,
            Op::Store(mine, 1),
            Op::WaitUntil(other, 1),
            Op::UpRead,
        ]
    };
    let writer = vec![
        Op::DownWrite,
        Op::Load(0),
        Op::StoreLastPlus(2, 0),
        Op::UpWrite,
    ];
    let tasks = vec![reader(0, 1), reader(1, 0), writer];
    let found = explored(Program::new(3, 0, tasks)).report;
    let seen: Vec<u64> = found.finals.keys().map(|f| f.outcome[2]).collect();
    assert!(seen.contains(&0) && seen.contains(&1), "{seen:?}");
}

/// The condition holds only between two of the writes, and not right before the last one.
#[test]
fn a_wait_comes_between_any_two_writes() {
    let writer = vec![Op::Store(0, 1), Op::Store(0, 2), Op::Store(0, 3)];
    let waiter = vec![Op::WaitUntil(0, 1), Op::Store(1, 7)];
    for tasks in [
        vec![writer.clone(), waiter.clone()],
        vec![waiter, writer.clone()],
    ] {
        let found = explored(Program::new(2, 0, tasks)).report;
        assert_eq!(found.finals.len(), 2, "it is missed, or it is not");
        assert_eq!(found.executions, 2);
    }
}

/// lastzero(n), a benchmark of the paper: task j sets a[j] to a[j - 1] + 1; one task looks for the last zero.
struct LastZero {
    layout: Layout,
    array: Vec<Shared<u64>>,
}

impl LastZero {
    fn new(n: usize) -> Self {
        let mut layout = Layout::new();
        let cell = |_| Shared::new(&mut layout, "", "a", 0);
        let array = (0..=n).map(cell).collect();
        Self { layout, array }
    }
}

impl Model for LastZero {
    type Outcome = Vec<u64>;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        for arg in 0..self.array.len() as u64 {
            task::spawn(Entry { kind: 0, arg });
        }
    }

    fn run(&self, entry: Entry) {
        match entry.arg as usize {
            0 => {
                let mut all = self.array.iter().rev();
                all.find(|a| a.read_once() == 0).expect("the first stays 0");
            }
            j => self.array[j].write_once(self.array[j - 1].read_once() + 1),
        }
    }

    fn outcome(&self) -> Vec<u64> {
        self.array.iter().map(|a| a.read_once()).collect()
    }

    fn task_name(&self, entry: Entry) -> String {
        format!("P{}", entry.arg)
    }
}

/// What a sleep set cuts short depends on who is tried first; how many classes there are does not.
#[test]
fn last_zero_has_one_execution_for_each_class() {
    for n in 2..=6 {
        let model = Arc::new(LastZero::new(n));
        let found = explore(&model, &Options::new(Marks::all(model.layout())));
        let expected = exhaustive::explore(&model, &exhaustive::Options::default());
        assert_eq!(found.report.outcomes(), expected.outcomes());
        let classes = (n as u64 + 3) << (n - 2);
        assert_eq!(found.report.executions, classes, "lastzero({n})");
    }
}

#[test]
fn a_bound_is_said_in_words() {
    let tasks = vec![vec![Op::Store(0, 1)]; 4];
    let model = Arc::new(Program::new(1, 0, tasks));
    let bounded = |max_executions| {
        let options = Options {
            max_executions,
            ..Options::new(Marks::all(model.layout()))
        };
        explore(&model, &options).report
    };
    let cut = bounded(Some(23));
    let text = "no (stopped at the bound of 23 executions)";
    assert_eq!(
        (cut.complete.to_string().as_str(), cut.executions),
        (text, 23)
    );
    assert_eq!(bounded(Some(24)).complete, Complete::Yes);
    assert_eq!(bounded(None).executions, 24);
}

/// A limit of the model ends the exploration, also in the middle of a run.
#[test]
fn a_limit_of_the_model_is_said() {
    let tasks = vec![vec![Op::Push(1); 5]; 2];
    let model = Arc::new(Program::new(0, 0, tasks));
    let found = explore(&model, &Options::new(Marks::all(model.layout())));
    assert_eq!(
        found.report.complete.to_string(),
        "no (a list of the model holds at most 8 elements)"
    );
}

/// Two explorations give the same report, schedules included.
#[test]
fn an_exploration_is_deterministic() {
    let increment = vec![Op::Load(0), Op::StoreLastPlus(0, 1)];
    let reports = [(); 2].map(|()| {
        let found = explored(Program::new(1, 0, vec![increment.clone(); 3])).report;
        (found.finals, found.executions, found.depth)
    });
    assert_eq!(reports[0], reports[1]);
}
