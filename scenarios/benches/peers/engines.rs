//! The child's side: one peer of this repository on one case, printed line by line.
//!
//! | line | what it says |
//! |---|---|
//! | `start` | what was made ready is ready: the clock starts |
//! | `outcome X` | an outcome; of engines that come to each again and again, one that was not seen before |
//! | `executions N` | so far |
//! | `seconds N`, `states N`, `complete yes`, `maxrss KIB` | once, at the end |
//! | `absent WHY` | there is no such engine |

use super::observed::Observed;
use super::scenario::{Case, Registration};
use super::watch::peak_of;
use checker::engine::marks::Marks;
use checker::engine::shuttle::Scheduler;
use checker::engine::{dpor, exhaustive, loom, shuttle};
use checker::model::Model;
use checker::outcome::Report;
use std::sync::Arc;
use std::time::Instant;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// [`exhaustive`].
    Exhaustive,
    /// [`exhaustive`] with two workers.
    TwoWorkers,
    /// [`exhaustive`] with sleep sets.
    SleepSets,
    /// [`dpor`]: source-DPOR.
    Dpor,
    /// [`loom`], loads as read-modify-writes.
    Loom,
    /// [`shuttle`], depth first.
    ShuttleDfs,
    /// The same without being told what can be left out.
    ShuttleDfsAll,
    /// [`shuttle`], probabilistic concurrency testing.
    ShuttlePct,
    /// SPIN, which is no engine of this repository.
    Spin,
}

impl Peer {
    /// All, in the order of the table.
    pub(crate) const ALL: [Peer; 9] = [
        Peer::Exhaustive,
        Peer::TwoWorkers,
        Peer::SleepSets,
        Peer::Spin,
        Peer::Dpor,
        Peer::Loom,
        Peer::ShuttleDfs,
        Peer::ShuttleDfsAll,
        Peer::ShuttlePct,
    ];

    /// As it stands in the table, and as an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Exhaustive => "probe-litmus",
            Peer::TwoWorkers => "probe-litmus x2",
            Peer::SleepSets => "probe-litmus, sleep sets",
            Peer::Dpor => "source-DPOR",
            Peer::Loom => "loom",
            Peer::ShuttleDfs => "shuttle-DFS",
            Peer::ShuttleDfsAll => "shuttle-DFS, every access",
            Peer::ShuttlePct => "shuttle-PCT",
            Peer::Spin => "SPIN",
        }
    }

    /// The peer of that name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// It samples, and never says that it has seen everything.
    pub(crate) fn samples(self) -> bool {
        self == Peer::ShuttlePct
    }

    /// It merges no states, so it comes to each outcome again and again.
    pub(crate) fn comes_again(self) -> bool {
        match self {
            Peer::Exhaustive | Peer::TwoWorkers | Peer::SleepSets | Peer::Spin => false,
            Peer::Dpor | Peer::Loom | Peer::ShuttleDfs | Peer::ShuttleDfsAll | Peer::ShuttlePct => {
                true
            }
        }
    }

    /// It explores with the steps that the exhaustive engine has found.
    pub(crate) fn needs_marks(self) -> bool {
        self.comes_again() && self != Peer::ShuttleDfsAll
    }
}

/// Executions of a sample, ordering constraints that it aims at, and where its chance starts.
pub(crate) const PCT: Scheduler = Scheduler::Pct {
    iterations: 10_000,
    depth: 3,
    seed: 1,
};

/// Prints what one peer finds.
pub(crate) fn print(peer: Peer, case: Case) {
    let marks = if peer.needs_marks() {
        marks(case)
    } else {
        Marks::all(Registration::new(case).layout())
    };
    // The memory of that search is not the peer's. Where the system has no such file, it is.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let model = Arc::new(Observed::new(Registration::new(case), peer.comes_again()));
    println!("start");
    let start = Instant::now();
    let Some(report) = explore(peer, &model, marks) else {
        println!("absent not in this repository yet");
        return;
    };
    model.flush();
    println!("seconds {:.6}", start.elapsed().as_secs_f64());
    for end in report.finals.keys() {
        assert_eq!(end.deadlock, None, "the scenario has no deadlock");
    }
    println!("states {}", report.states);
    println!("executions {}", report.executions);
    println!("complete {}", report.complete);
    if let Some(peak) = peak_of("self") {
        println!("maxrss {peak}");
    }
}

fn marks(case: Case) -> Marks {
    exhaustive::explore(&Arc::new(Registration::new(case)), &unbounded()).marks
}

fn unbounded() -> exhaustive::Options {
    exhaustive::Options {
        max_states: u64::MAX,
        // Nor does SPIN give a trail to each outcome.
        schedules: false,
        ..exhaustive::Options::default()
    }
}

fn explore<M: Model>(peer: Peer, model: &Arc<M>, marks: Marks) -> Option<Report<M::Outcome>> {
    let shuttle = |marks, scheduler| {
        let options = shuttle::Options { marks, scheduler };
        Some(shuttle::explore(model, &options))
    };
    match peer {
        Peer::Exhaustive => Some(exhaustive::explore(model, &unbounded())),
        Peer::SleepSets => {
            let options = exhaustive::Options {
                sleep_sets: true,
                ..unbounded()
            };
            Some(exhaustive::explore(model, &options))
        }
        Peer::TwoWorkers => {
            let options = exhaustive::Options {
                workers: 2,
                ..unbounded()
            };
            Some(exhaustive::explore(model, &options))
        }
        Peer::Dpor => Some(dpor::explore(model, &dpor::Options::new(marks)).report),
        Peer::Spin => None,
        Peer::Loom => {
            let report = loom::explore(model, &loom::Options::new(marks));
            Some(report.unwrap_or_else(|e| panic!("{e}")))
        }
        Peer::ShuttleDfs | Peer::ShuttleDfsAll => shuttle(
            marks,
            Scheduler::Dfs {
                max_iterations: None,
            },
        ),
        Peer::ShuttlePct => shuttle(marks, PCT),
    }
}
