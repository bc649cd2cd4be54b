//! With a bound of preemptions all schedules with so many are explored, and no others.

use crate::programs::{Op, Program};
use crate::random;
use checker::engine::exhaustive::{Options, Trace, explore, replay};
use checker::engine::marks::Marks;
use checker::engine::schedule::{Schedule, Turn};
use checker::engine::weak;
use checker::event::{Event, TaskId, What};
use checker::outcome::{Complete, Final, Report};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The memory that tasks run under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    Sequential,
    Weak,
}

const MEMORIES: [Memory; 2] = [Memory::Sequential, Memory::Weak];

fn bounded(
    program: &Arc<Program>,
    memory: Memory,
    bound: Option<u64>,
    workers: usize,
) -> Report<Vec<u64>> {
    let options = Options {
        preemption_bound: bound,
        weak_memory: memory == Memory::Weak,
        workers,
        share_after: 0,
        ..Options::default()
    };
    explore(program, &options)
}

/// Every schedule with at most so many preemptions, one by one: by replays, which share nothing with
/// the search.
struct OneByOne<'a> {
    program: &'a Arc<Program>,
    memory: Memory,
    marks: &'a Marks,
    bound: u64,
    ends: BTreeSet<Final<Vec<u64>>>,
    /// So many replays are left.
    left: usize,
}

impl OneByOne<'_> {
    fn replay(&self, schedule: &Schedule) -> Trace<Vec<u64>> {
        match self.memory {
            Memory::Sequential => replay(self.program, self.marks, schedule),
            Memory::Weak => weak::replay(self.program, self.marks, schedule),
        }
    }

    /// All that begin like this; `None` if they are too many.
    /// Up to the last choice `before` events were said.
    fn go(&mut self, begin: &[Turn], preemptions: u64, before: usize) -> Option<()> {
        const NOBODY: TaskId = TaskId(99);
        self.left = self.left.checked_sub(1)?;
        let asked = Schedule([begin, &[NOBODY.into()]].concat());
        let trace = self.replay(&asked);
        let Some(events) = trace.diverged_at else {
            self.ends.insert(trace.end);
            return Some(());
        };
        // Before the first choice tasks begin. Nothing may be said of a step, such as a wait for what
        // is so already.
        let said = self.last_to_step(&trace.events[before..events]);
        let last = begin.last().map(|chosen| said.unwrap_or(chosen.task));
        let (_, can) = trace.divergence.as_deref()?.split_once("but only ")?;
        let can = can.trim_end_matches(" can go").split(", ");
        let turn = |text: &str| text.parse::<Schedule>().expect("a turn").0;
        let can: Vec<Turn> = can.flat_map(turn).collect();
        for turn in can.iter().copied() {
            let can_go = |task| can.iter().any(|turn| turn.task == task);
            let is_preempted = last.is_some_and(|last| last != turn.task && can_go(last));
            let preemptions = preemptions + u64::from(is_preempted);
            if preemptions <= self.bound {
                self.go(&[begin, &[turn]].concat(), preemptions, events)?;
            }
        }
        Some(())
    }

    /// The last task that has taken a step. One that is created begins at once, up to its first step.
    fn last_to_step(&self, events: &[Event]) -> Option<TaskId> {
        let created = |task| events.iter().any(|e| e.what == What::Spawn(task));
        let is_step = |what: &What| match what {
            What::Read { cell, .. }
            | What::Write { cell, .. }
            | What::StaleRead { cell, .. }
            | What::WriteBefore { cell, .. } => self.marks.cell(*cell),
            What::Lock(lock) => self.marks.lock(*lock),
            What::Unlock(lock) => self.marks.unlock(*lock),
            _ => false,
        };
        let steps = |event: &&Event| !created(event.task) || is_step(&event.what);
        events.iter().rev().find(steps).map(|event| event.task)
    }
}

/// Explores a program with each bound, and by replays; counts the bounds with fewer outcomes than without.
fn compare(
    program: &Arc<Program>,
    memory: Memory,
    compared: &Cell<[usize; 3]>,
) -> Result<(), TestCaseError> {
    let all = bounded(program, memory, None, 1);
    for bound in 0..3 {
        let mut one_by_one = OneByOne {
            program,
            memory,
            marks: &all.marks,
            bound: bound as u64,
            ends: BTreeSet::new(),
            left: if memory == Memory::Weak { 2_000 } else { 700 },
        };
        if one_by_one.go(&[], 0, 0).is_none() {
            break;
        }
        let report = bounded(program, memory, Some(bound as u64), 1);
        let found: BTreeSet<_> = report.finals.into_keys().collect();
        let only = |these: &BTreeSet<Final<Vec<u64>>>, those: &BTreeSet<Final<Vec<u64>>>| {
            let only = these.difference(those);
            only.cloned().collect::<Vec<_>>()
        };
        let missed = only(&one_by_one.ends, &found);
        let more = only(&found, &one_by_one.ends);
        let differ = (missed, more);
        prop_assert_eq!(
            differ,
            (vec![], vec![]),
            "missed and found too much with {} preemptions",
            bound
        );
        let is_less = found.len() < all.finals.len();
        prop_assert!(!is_less || report.complete != Complete::Yes);
        let mut counts = compared.get();
        counts[bound] += usize::from(is_less);
        compared.set(counts);
    }
    Ok(())
}

type Holds<'a> = &'a dyn Fn(&Arc<Program>) -> Result<(), TestCaseError>;

/// Compares random programs under either memory; with no preemption and with one, at least so many of
/// them have fewer outcomes.
fn compare_all(programs: impl Fn(Holds), least: [[usize; 2]; 2]) {
    for (memory, least) in MEMORIES.into_iter().zip(least) {
        let compared = Cell::new([0; 3]);
        programs(&|program| compare(program, memory, &compared));
        let compared = compared.get();
        let is_enough = compared[0] >= least[0] && compared[1] >= least[1];
        assert!(is_enough, "{memory:?}: {compared:?}");
    }
}

#[test]
fn all_schedules_with_so_many_preemptions_are_explored_and_no_others() {
    compare_all(|holds| random::check(800, holds), [[41, 3], [25, 1]]);
}

#[test]
fn who_went_last_is_told_apart_from_a_task_like_it() {
    compare_all(|holds| random::check_repeated(40, holds), [[21, 6], [5, 0]]);
}

#[test]
fn a_bound_that_leaves_nothing_out_is_said_to() {
    for memory in MEMORIES {
        random::check(128, |program| {
            let all = bounded(program, memory, None, 1);
            let report = bounded(program, memory, Some(1_000), 1);
            prop_assert_eq!(&report.complete, &Complete::Yes);
            prop_assert!(report.finals.keys().eq(all.finals.keys()));
            Ok(())
        });
    }
}

#[test]
fn the_number_of_workers_changes_nothing() {
    for memory in MEMORIES {
        random::check(64, |program| {
            let one = bounded(program, memory, Some(1), 1);
            let two = bounded(program, memory, Some(1), 2);
            prop_assert_eq!(one.finals, two.finals);
            prop_assert_eq!(one.complete, two.complete);
            prop_assert_eq!(one.states, two.states);
            Ok(())
        });
    }
}

/// The least bound with which each outcome is found.
fn least(program: Program) -> BTreeMap<Final<Vec<u64>>, u64> {
    let program = Arc::new(program);
    let mut least = BTreeMap::new();
    for bound in 0.. {
        let report = bounded(&program, Memory::Sequential, Some(bound), 1);
        for end in report.finals.into_keys() {
            least.entry(end).or_insert(bound);
        }
        if report.complete == Complete::Yes {
            break;
        }
    }
    least
}

#[test]
fn an_outcome_is_found_with_as_many_preemptions_as_it_takes() {
    let writes = vec![Op::Store(0, 1), Op::Store(0, 2)];
    let read = |to| vec![Op::Load(0), Op::StoreLastPlus(to, 0)];
    let found = least(Program::new(
        3,
        0,
        vec![writes, [read(1), read(2)].concat()],
    ));
    let found: BTreeMap<_, _> = found.into_iter().map(|(end, n)| (end.outcome, n)).collect();
    let expected = [
        (vec![2, 0, 0], 0),
        (vec![2, 2, 2], 0),
        (vec![2, 0, 2], 1),
        (vec![2, 1, 1], 1),
        (vec![2, 0, 1], 2),
        (vec![2, 1, 2], 2),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

/// Who waits for a lock is not preempted.
#[test]
fn a_deadlock_of_two_locks_takes_one_preemption() {
    let both = |a, b| vec![Op::Lock(a), Op::Lock(b), Op::Unlock(b), Op::Unlock(a)];
    let found = least(Program::new(1, 2, vec![both(0, 1), both(1, 0)]));
    let found: Vec<_> = found
        .into_iter()
        .map(|(end, n)| (end.deadlock.is_some(), n))
        .collect();
    assert_eq!(found, [(false, 0), (true, 1)]);
}
