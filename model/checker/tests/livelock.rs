//! Tasks that go round for ever: who, on what, and how fair a scheduler would have to be for it.

use checker::engine::exhaustive::{Options, explore};
use checker::engine::named::{Named, NamedSchedule};
use checker::layout::Layout;
use checker::model::{Entry, Model};
use checker::outcome::{Complete, Fairness, Interleavings, Report};
use checker::sync::{Mutex, Shared};
use checker::task;
use std::sync::Arc;

type Body = fn(&World);

struct World {
    layout: Layout,
    x: Shared<u64>,
    y: Shared<u64>,
    a: Mutex,
    b: Mutex,
    tasks: &'static [Body],
    /// The tasks that are created: by their numbers among those above.
    created: Vec<u64>,
}

impl World {
    /// Each task once.
    fn new(tasks: &'static [Body]) -> Arc<Self> {
        Self::with(tasks, (0..tasks.len() as u64).collect())
    }

    fn with(tasks: &'static [Body], created: Vec<u64>) -> Arc<Self> {
        let mut layout = Layout::new();
        let to = &mut layout;
        Arc::new(Self {
            x: Shared::new(to, "", "x", 0),
            y: Shared::new(to, "", "y", 0),
            a: Mutex::new(to, "", "a"),
            b: Mutex::new(to, "", "b"),
            layout,
            tasks,
            created,
        })
    }
}

/// Takes one lock and tries the other; drops the first and begins again if that fails.
fn back_off(first: Mutex, second: Mutex) {
    loop {
        task::checkpoint("again", &[]);
        first.lock();
        let has_both = second.try_lock();
        if has_both {
            second.unlock();
        }
        first.unlock();
        if has_both {
            return;
        }
    }
}

fn spin_until(field: Shared<u64>) {
    loop {
        task::checkpoint("spin", &[]);
        if field.read_once() == 1 {
            return;
        }
    }
}

impl Model for World {
    type Outcome = (u64, u64);

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        for arg in &self.created {
            task::spawn(Entry { kind: 0, arg: *arg });
        }
    }

    fn run(&self, entry: Entry) {
        let name = ["P0", "P1", "P2"][entry.arg as usize];
        task::call(name, entry.arg, String::new, || {
            self.tasks[entry.arg as usize](self);
        });
    }

    fn outcome(&self) -> (u64, u64) {
        (self.x.read_once(), self.y.read_once())
    }

    fn task_name(&self, entry: Entry) -> String {
        format!("P{}", entry.arg)
    }
}

/// The report, which is the same however many workers there are. Every operation is a step: a loop
/// without a step has no state to come back to, and ends the search.
fn explored(tasks: &'static [Body]) -> Report<(u64, u64)> {
    explored_model(&World::new(tasks))
}

fn explored_model(model: &Arc<World>) -> Report<(u64, u64)> {
    let of = |workers| {
        let options = Options {
            workers,
            share_after: 0,
            lock_aware: false,
            ..Options::default()
        };
        explore(model, &options)
    };
    let report = of(1);
    assert_eq!(format!("{:?}", of(2)), format!("{report:?}"));
    assert_eq!(report.complete, Complete::Yes);
    report
}

/// All that goes round, in words.
fn rounds(report: &Report<(u64, u64)>) -> Vec<String> {
    assert_eq!(report.interleavings, Interleavings::Endless);
    report.rounds.keys().map(ToString::to_string).collect()
}

#[test]
fn two_tasks_that_back_off_from_each_other_are_a_livelock() {
    let report = explored(&[|w| back_off(w.a, w.b), |w| back_off(w.b, w.a)]);
    assert_eq!(
        rounds(&report),
        [
            "P0 can go round for ever on a, b: ends under weak fairness, by P1",
            "P1 can go round for ever on a, b: ends under weak fairness, by P0",
            "P0, P1 can go round for ever on a, b: a livelock, even under strong fairness",
        ]
    );
    let (_, how) = report.rounds.last_key_value().expect("there are three");
    let goes = |task| how.period.0.iter().any(|t| t.task.0 == task);
    assert!(goes(0) && goes(1), "{how:?}");
    // They can come to their end too.
    assert_eq!(report.finals.len(), 1);
}

/// By the names of their steps, the way to it and any number of periods are one run.
#[test]
fn what_goes_round_can_be_replayed_by_name() {
    let tasks: &[Body] = &[|w| spin_until(w.x), |w| w.x.write_once(1)];
    let (model, report) = (World::new(tasks), explored(tasks));
    let named = Named {
        model: &model,
        is_weak: false,
        name: &str::to_owned,
    };
    assert_eq!(report.rounds.len(), 1);
    for (round, how) in &report.rounds {
        let parts = named.in_a_row(&report.marks, &[&how.way, &how.period]);
        let parts = parts.expect("they fit");
        let [way, period] = &parts[..] else {
            panic!("{round}: {parts:?}");
        };
        let taken = |periods: usize| {
            let mut all = way.0.clone();
            all.extend(std::iter::repeat_n(&period.0, periods).flatten().cloned());
            // Whoever would go first of itself is the one that spins.
            let end: NamedSchedule = "P1 to its end".parse().expect("a schedule");
            all.extend(end.0);
            let trace = named.replay(&NamedSchedule(all));
            assert_eq!(trace.divergence, None, "{round}: {way}; {period}");
            trace.events.len()
        };
        let once = taken(1) - taken(0);
        assert!(once > 0, "{round}: {period}");
        assert_eq!(taken(3) - taken(2), once, "{round}: {period}");
    }
}

#[test]
fn one_order_of_the_locks_is_no_livelock() {
    let report = explored(&[
        |w| {
            w.a.lock();
            w.b.lock();
            w.b.unlock();
            w.a.unlock();
        },
        |w| {
            w.a.lock();
            w.b.lock();
            w.b.unlock();
            w.a.unlock();
        },
    ]);
    assert!(report.rounds.is_empty(), "{:?}", report.rounds);
}

#[test]
fn a_spin_loop_that_another_task_ends_is_fine_under_a_fair_scheduler() {
    let report = explored(&[|w| spin_until(w.x), |w| w.x.write_once(1)]);
    assert_eq!(
        rounds(&report),
        ["P0 can go round for ever on x: ends under weak fairness, by P1"]
    );
    let (_, how) = report.rounds.first_key_value().expect("there is one");
    assert_eq!(
        (how.way.to_string(), how.period.to_string()),
        (String::new(), "0".to_owned())
    );
}

/// Nobody ever writes `x`.
#[test]
fn two_spin_loops_that_nobody_ends_have_no_way_out() {
    let report = explored(&[
        |w| spin_until(w.x),
        |w| spin_until(w.x),
        |w| {
            w.y.write_once(1);
        },
    ]);
    let worst = report.rounds.keys().next_back();
    assert_eq!(
        worst.map(ToString::to_string).as_deref(),
        Some("P0, P1 can go round for ever on x: a livelock without a way out")
    );
    assert!(report.finals.is_empty());
}

/// When the other has ended there is nothing left to choose, and the search comes to its end even
/// so.
#[test]
fn a_task_that_spins_alone_has_no_way_out() {
    let report = explored(&[
        |w| spin_until(w.x),
        |w| {
            w.y.write_once(w.x.read_once() + 2);
            w.x.write_once(2);
        },
    ]);
    assert_eq!(
        rounds(&report),
        [
            "P0 can go round for ever on x: ends under weak fairness, by P1",
            "P0 can go round for ever on x: a livelock without a way out"
        ]
    );
    assert!(report.finals.is_empty());
}

/// Goes on at once, or goes round: in two parts, of which each has been seen to be left for the
/// other before both are seen to be left so. All under one lock, where nothing is a step.
fn goes_round_in_two_parts(w: &World) {
    w.a.lock();
    let mut is_second = w.x.read_once() == 1 && w.y.read_once() == 1;
    loop {
        task::checkpoint("part", &[u64::from(is_second)]);
        let is_over = if is_second {
            w.y.read_once() == 0
        } else {
            w.x.read_once() == 1
        };
        if is_over {
            break;
        }
        is_second = !is_second;
    }
    w.a.unlock();
}

/// Nobody can see it or stop it, so nothing that comes after can be said.
#[test]
fn a_task_that_goes_round_without_a_step_ends_the_search_and_is_named() {
    let cases: [&'static [Body]; 2] = [
        &[|w| spin_until(w.y), |w| w.x.write_once(1)],
        &[goes_round_in_two_parts, |w| {
            w.a.lock();
            w.x.write_once(1);
            w.y.write_once(1);
            w.a.unlock();
            w.a.lock();
            w.x.write_once(0);
            w.a.unlock();
        }],
    ];
    for (tasks, sampled) in cases.into_iter().flat_map(|t| [(t, true), (t, false)]) {
        let options = Options {
            sampled,
            ..Options::default()
        };
        let report = explore(&World::new(tasks), &options);
        assert_eq!(
            report.complete.to_string(),
            "no (P0 goes round for ever in P0 without doing anything that another task could see or stop)"
        );
    }
}

/// P1 can take the lock only while P0 does not hold it: weak fairness does not give it to P1.
#[test]
fn a_task_that_is_kept_from_a_lock_again_and_again_needs_strong_fairness() {
    let report = explored(&[
        |w| {
            loop {
                task::checkpoint("again", &[]);
                w.a.lock();
                let is_over = w.x.read_once() == 1;
                w.a.unlock();
                if is_over {
                    return;
                }
            }
        },
        |w| {
            w.a.lock();
            w.x.write_once(1);
            w.a.unlock();
        },
    ]);
    let worst = report.rounds.keys().next_back().expect("it goes round");
    assert_eq!(worst.fairness, Fairness::Weak, "{worst}");
    assert_eq!(worst.ended_by, ["P1"], "{worst}");
}

/// What two tasks of one entry have swapped is another state for fairness: else a period might come
/// back with each of them where the other was.
#[test]
fn a_period_of_tasks_of_one_entry_comes_back_for_each_of_them() {
    let tasks: &[Body] = &[|w| {
        loop {
            task::checkpoint("spin", &[]);
            if w.x.read_once() + w.y.read_once() > 0 {
                return;
            }
        }
    }];
    let report = explored_model(&World::with(tasks, vec![0, 0]));
    assert_eq!(
        rounds(&report),
        ["P0, P0 can go round for ever on x, y: a livelock without a way out"]
    );
    for how in report.rounds.values() {
        for task in [0, 1] {
            let steps = how.period.0.iter().filter(|t| t.task.0 == task).count();
            assert!(steps > 0 && steps.is_multiple_of(2), "{how:?}");
        }
    }
}

/// Reads so many times, tries the lock, and lets P1 see something while it holds it.
fn try_again<const READS: usize>(w: &World) {
    loop {
        task::checkpoint("again", &[]);
        for _ in 0..READS {
            if w.x.read_once() == 1 {
                return;
            }
        }
        if w.a.try_lock() {
            w.y.write_once(1);
            w.y.write_once(0);
            w.a.unlock();
        }
    }
}

/// While one tries the lock for ever, the other holds it and could go on; when it does, P1 can go.
/// That both go round without P1 is only so if one is taken for the other where they have swapped.
#[test]
fn tasks_of_one_entry_are_told_apart_by_fairness() {
    fn ends(w: &World) {
        w.y.wait_until(1);
        w.x.write_once(1);
    }
    let programs: [&'static [Body]; 3] = [
        &[try_again::<1>, ends],
        &[try_again::<2>, ends],
        &[try_again::<3>, ends],
    ];
    for tasks in programs {
        let report = explored_model(&World::with(tasks, vec![0, 0, 1]));
        assert_eq!(
            rounds(&report),
            [
                "P0 can go round for ever on a, x: ends under weak fairness, by P1",
                "P0, P0 can go round for ever on a, x, y: ends under strong fairness only, by P1",
            ]
        );
    }
}
