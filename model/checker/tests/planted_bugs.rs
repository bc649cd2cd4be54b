//! A planted bug each, and its repaired twin. Every engine finds the bug as what it is, and none
//! finds anything in the twin.
//!
//! Loom and shuttle look for no data races, so they are not asked about those.

use checker::engine::dpor;
use checker::engine::exhaustive;
use checker::engine::loom::{self, Loads};
use checker::engine::marks::Marks;
use checker::engine::shuttle::{self, Scheduler};
use checker::heap::{DOUBLE_FREE, Heap, Pointer, USE_AFTER_FREE};
use checker::layout::Layout;
use checker::model::{Entry, Model};
use checker::outcome::{Complete, DataRace, Report};
use checker::sync::{Mutex, Plain, Shared};
use checker::task;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the tasks share.
struct World {
    layout: Layout,
    x: Shared<u64>,
    y: Shared<u64>,
    sleeping: Shared<bool>,
    wake: Shared<bool>,
    plain: Plain<u64>,
    a: Mutex,
    b: Mutex,
    heap: Heap,
    /// Points to an object when the tasks begin.
    pointer: Pointer,
    tasks: &'static [Body],
}

type Body = fn(&World);

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    x: u64,
    y: u64,
    faults: u64,
}

impl World {
    fn new(tasks: &'static [Body]) -> Self {
        let mut layout = Layout::new();
        let to = &mut layout;
        Self {
            x: Shared::new(to, "", "x", 0),
            y: Shared::new(to, "", "y", 0),
            sleeping: Shared::new(to, "", "sleeping", false),
            wake: Shared::new(to, "", "wake", false),
            plain: Plain::new(to, "", "plain", 0),
            a: Mutex::new(to, "", "a"),
            b: Mutex::new(to, "", "b"),
            heap: Heap::new(to, "", "object", 1),
            pointer: Shared::new(to, "", "pointer", None),
            layout,
            tasks,
        }
    }
}

impl Model for World {
    type Outcome = End;

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn set_up(&self) {
        self.pointer.write_once(Some(self.heap.alloc()));
        for arg in 0..self.tasks.len() as u64 {
            task::spawn(Entry { kind: 0, arg });
        }
    }

    fn run(&self, entry: Entry) {
        let name = ["P0", "P1", "P2"][entry.arg as usize];
        task::call(name, 0, String::new, || {
            self.tasks[entry.arg as usize](self);
        });
    }

    fn outcome(&self) -> End {
        End {
            x: self.x.read_once(),
            y: self.y.read_once(),
            faults: self.heap.faults(),
        }
    }

    fn task_name(&self, entry: Entry) -> String {
        format!("P{}", entry.arg)
    }
}

/// As what a bug is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// With this text.
    Deadlock(&'static str),
    /// Of the plain field, at these sites.
    DataRace([&'static str; 2]),
    /// These bits.
    Faults(u64),
    /// `x` and `y` at the end.
    Outcome(u64, u64),
}

impl Finding {
    /// The kinds of findings that go with it: a wrong outcome is wrong to the model alone.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Finding::Deadlock(_) => &["deadlock"],
            Finding::DataRace(_) => &["data race"],
            Finding::Faults(_) => &["fault"],
            Finding::Outcome(..) => &[],
        }
    }

    fn is_in(self, report: &Report<End>) -> bool {
        let mut ends = report.finals.keys();
        match self {
            Finding::Deadlock(text) => {
                ends.any(|f| f.deadlock.as_ref().is_some_and(|d| d.to_string() == text))
            }
            Finding::DataRace(sites) => report.data_races.contains_key(&DataRace {
                field: "plain".to_owned(),
                sites: sites.map(str::to_owned),
            }),
            Finding::Faults(bits) => ends.any(|f| f.outcome.faults == bits),
            Finding::Outcome(x, y) => ends.any(|f| (f.outcome.x, f.outcome.y) == (x, y)),
        }
    }
}

/// Which kinds of findings a report has, whatever the model.
fn kinds(report: &Report<End>) -> Vec<&'static str> {
    let ends = || report.finals.keys();
    let kinds = [
        ("deadlock", ends().any(|f| f.deadlock.is_some())),
        ("data race", !report.data_races.is_empty()),
        ("fault", ends().any(|f| f.outcome.faults != 0)),
    ];
    let found = kinds.into_iter().filter(|(_, is_there)| *is_there);
    found.map(|(kind, _)| kind).collect()
}

struct Planted {
    name: &'static str,
    finding: Finding,
    broken: &'static [Body],
    repaired: &'static [Body],
    /// `x` and `y` at the ends of the repaired twin.
    right: &'static [(u64, u64)],
}

fn locks_a_then_b(w: &World) {
    w.a.lock();
    w.b.lock();
    w.x.add(1);
    w.b.unlock();
    w.a.unlock();
}

fn locks_b_then_a(w: &World) {
    w.b.lock();
    w.a.lock();
    w.x.add(1);
    w.a.unlock();
    w.b.unlock();
}

/// wake_up(), which costs something and is left out if nobody sleeps.
fn sets_and_wakes(w: &World) {
    w.x.write_once(1);
    if w.sleeping.read_once() {
        w.wake.write_once(true);
    }
}

fn frees_by_xchg(w: &World) {
    if let Some(object) = w.pointer.xchg(None) {
        w.heap.free(object);
    }
}

fn uses(w: &World) {
    if let Some(object) = w.pointer.read_once() {
        w.heap.check(object);
    }
}

fn frees_after_a_look(w: &World) {
    if let Some(object) = w.pointer.read_once() {
        w.pointer.write_once(None);
        w.heap.free(object);
    }
}

fn increments(w: &World) {
    w.x.write_once(w.x.read_once() + 1);
}

fn claims_after_a_look(w: &World) {
    if w.x.read_once() == 0 {
        w.x.write_once(1);
        w.y.add(1);
    }
}

fn claims_by_cmpxchg(w: &World) {
    if w.x.cmpxchg(0, 1) == 0 {
        w.y.add(1);
    }
}

fn under_a(w: &World, body: Body) {
    w.a.lock();
    body(w);
    w.a.unlock();
}

const PLANTED: &[Planted] = &[
    Planted {
        name: "ABBA deadlock",
        finding: Finding::Deadlock("P0 waits for b, held by P1; P1 waits for a, held by P0"),
        broken: &[locks_a_then_b, locks_b_then_a],
        repaired: &[locks_a_then_b, locks_a_then_b],
        right: &[(2, 0)],
    },
    Planted {
        name: "self-deadlock",
        finding: Finding::Deadlock("P0 waits for a, held by itself"),
        broken: &[
            |w| under_a(w, |w| under_a(w, increments)),
            |w| under_a(w, increments),
        ],
        repaired: &[|w| under_a(w, increments), |w| under_a(w, increments)],
        right: &[(2, 0)],
    },
    Planted {
        name: "lost wake-up: the waiter says that it sleeps after its look at the condition",
        finding: Finding::Deadlock("P0 waits for wake"),
        broken: &[
            |w| {
                if w.x.read_once() == 0 {
                    w.sleeping.write_once(true);
                    w.wake.wait_until(true);
                }
            },
            sets_and_wakes,
        ],
        repaired: &[
            |w| {
                w.sleeping.write_once(true);
                if w.x.read_once() == 0 {
                    w.wake.wait_until(true);
                }
            },
            sets_and_wakes,
        ],
        right: &[(1, 0)],
    },
    Planted {
        name: "use after free",
        finding: Finding::Faults(USE_AFTER_FREE),
        broken: &[uses, frees_by_xchg],
        repaired: &[|w| under_a(w, uses), |w| under_a(w, frees_by_xchg)],
        right: &[(0, 0)],
    },
    Planted {
        name: "double free",
        finding: Finding::Faults(DOUBLE_FREE),
        broken: &[frees_after_a_look, frees_after_a_look],
        repaired: &[frees_by_xchg, frees_by_xchg],
        right: &[(0, 0)],
    },
    Planted {
        name: "lost update",
        finding: Finding::Outcome(1, 0),
        broken: &[increments, increments],
        repaired: &[|w| w.x.add(1), |w| w.x.add(1)],
        right: &[(2, 0)],
    },
    Planted {
        name: "check, then act",
        finding: Finding::Outcome(1, 2),
        broken: &[claims_after_a_look, claims_after_a_look],
        repaired: &[claims_by_cmpxchg, claims_by_cmpxchg],
        right: &[(1, 1)],
    },
    Planted {
        name: "data race on a plain field: one side takes another lock",
        finding: Finding::DataRace(["P0 (writes)", "P1 (reads)"]),
        broken: &[
            |w| under_a(w, |w| w.plain.set(1)),
            |w| {
                w.b.lock();
                w.plain.get();
                w.b.unlock();
            },
        ],
        repaired: &[
            |w| under_a(w, |w| w.plain.set(1)),
            |w| {
                under_a(w, |w| {
                    w.plain.get();
                });
            },
        ],
        right: &[(0, 0)],
    },
    Planted {
        name: "wait_event() on a condition that does not stay",
        finding: Finding::Deadlock("P0 waits for x"),
        broken: &[
            |w| {
                w.x.wait_until(1);
                w.y.add(1);
            },
            |w| {
                w.x.write_once(1);
                w.x.write_once(2);
            },
        ],
        repaired: &[
            |w| {
                w.x.wait_until(1);
                w.y.add(1);
            },
            |w| {
                w.x.write_once(1);
                w.y.add(1);
            },
        ],
        right: &[(1, 2)],
    },
];

/// The report of each engine that can find such a thing.
fn reports(tasks: &'static [Body], finding: Finding) -> Vec<(&'static str, Report<End>)> {
    let model = Arc::new(World::new(tasks));
    let plain = exhaustive::Options {
        merge: false,
        lock_aware: false,
        checkpoints: false,
        snapshots: false,
        ..exhaustive::Options::default()
    };
    let merged = exhaustive::explore(&model, &exhaustive::Options::default());
    let marks = merged.marks.clone();
    let source_dpor = |marks| dpor::explore(&model, &dpor::Options::new(marks)).report;
    let mut reports = vec![
        ("exhaustive", merged),
        ("depth first", exhaustive::explore(&model, &plain)),
        ("source-DPOR", source_dpor(marks.clone())),
        (
            "source-DPOR, every operation a step",
            source_dpor(Marks::all(model.layout())),
        ),
    ];
    if !matches!(finding, Finding::DataRace(_)) {
        let options = loom::Options {
            loads: Loads::ReadModifyWrite,
            ..loom::Options::new(marks.clone())
        };
        let scheduler = Scheduler::Dfs {
            max_iterations: None,
        };
        let loom = loom::explore(&model, &options).expect("loom explores it");
        let options = shuttle::Options { marks, scheduler };
        reports.push(("loom", loom));
        reports.push(("shuttle", shuttle::explore(&model, &options)));
    }
    for (engine, report) in &reports {
        assert_eq!(report.complete, Complete::Yes, "{engine}");
    }
    reports
}

#[test]
fn every_engine_finds_the_planted_bug() {
    for bug in PLANTED {
        for (engine, report) in reports(bug.broken, bug.finding) {
            let (ends, races) = (report.finals.keys(), report.data_races.keys());
            assert!(
                bug.finding.is_in(&report),
                "{engine}: {}: {:?} is not in {ends:?}, {races:?}",
                bug.name,
                bug.finding,
            );
            let kinds = kinds(&report);
            assert_eq!(kinds, bug.finding.kinds(), "{engine}: {}", bug.name);
        }
    }
}

#[test]
fn no_engine_finds_anything_in_the_repaired_twin() {
    for bug in PLANTED {
        for (engine, report) in reports(bug.repaired, bug.finding) {
            let what = format!("{engine}: {}", bug.name);
            let ends: Vec<_> = report.finals.keys().collect();
            assert!(kinds(&report).is_empty(), "{what}: {ends:?}");
            let ends = report.finals.keys().map(|f| (f.outcome.x, f.outcome.y));
            let right = bug.right.iter().copied();
            assert_eq!(ends.collect::<BTreeSet<_>>(), right.collect(), "{what}");
        }
    }
}

/// Who has a schedule for the bug can show it: the schedules replay to what was found.
#[test]
fn the_bug_can_be_replayed() {
    for bug in PLANTED {
        let model = Arc::new(World::new(bug.broken));
        let marks = exhaustive::explore(&model, &exhaustive::Options::default()).marks;
        let found = dpor::explore(&model, &dpor::Options::new(marks.clone())).report;
        for (end, schedule) in &found.finals {
            let trace = exhaustive::replay(&model, &marks, schedule);
            assert_eq!((trace.divergence, &trace.end), (None, end), "{}", bug.name);
        }
    }
}
