//! The same scenario under the exhaustive engine and its peers, as a table: docs/peers.md.
//!
//! `cargo bench -p scenarios --bench peers -- --seconds 10`; with `--tasks 2` for two tasks alone.
//! Without `--bench`, as cargo runs it in `cargo test --benches`, the smallest cases only. That all
//! find the same outcomes is asserted; times are not.

#[path = "engines.rs"]
mod engines;
#[path = "observed.rs"]
mod observed;
#[path = "core.rs"]
mod scenario;
#[path = "spin.rs"]
mod spin;
#[path = "table.rs"]
mod table;
#[path = "watch.rs"]
mod watch;

use engines::Peer;
use scenario::{Case, MOST_CLIENTS};
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;
use table::{Row, Table};
use watch::{Watched, number_in};

/// Seconds that a peer has for a case, if the caller does not say.
const SECONDS: f64 = 2.0;

/// Who is asked here though it did not end with fewer clients: the largest case on which an
/// execution for each class of equivalent ones is compared with states.
const ASKED_ALL_THE_SAME: (Peer, Case) = (
    Peer::Dpor,
    Case {
        clients: 3,
        tasks: 3,
    },
);

/// What the caller asks for.
struct Arguments {
    /// Limit of each peer in each case.
    limit: Duration,
    /// Tasks and most clients.
    cases: Vec<(usize, usize)>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, peer, clients, tasks] = &arguments[..]
        && flag == "--child"
    {
        let number = |text: &String| text.parse().expect("a number");
        let peer = Peer::of_name(peer).expect("a peer");
        let case = Case {
            clients: number(clients),
            tasks: number(tasks),
        };
        return engines::print(peer, case);
    }
    let arguments = parse(&arguments);
    let mut table = Table::new(arguments.limit);
    for (tasks, most) in arguments.cases {
        compare(tasks, most, &mut table);
    }
    println!("{table}");
}

fn parse(arguments: &[String]) -> Arguments {
    let limit = Duration::from_secs_f64(value(arguments, "--seconds").unwrap_or(SECONDS));
    let mut cases = if arguments.iter().any(|a| a == "--bench") {
        (2..=4).map(|tasks| (tasks, MOST_CLIENTS)).collect()
    } else {
        vec![(2, 1), (3, 1)]
    };
    if let Some(wanted) = value::<usize>(arguments, "--tasks") {
        cases.retain(|(tasks, _)| *tasks == wanted);
        assert!(!cases.is_empty(), "--tasks is 2, 3 or 4");
    }
    Arguments { limit, cases }
}

/// The number behind a flag, if it is given.
fn value<N: FromStr>(arguments: &[String], flag: &str) -> Option<N> {
    let at = arguments.iter().position(|a| a == flag)?;
    let number = arguments.get(at + 1).and_then(|text| text.parse().ok());
    Some(number.unwrap_or_else(|| panic!("{flag} needs a number")))
}

/// All peers on 1, 2, ... clients. Who does not end is not asked again with more clients.
fn compare(tasks: usize, most: usize, table: &mut Table) {
    let mut asked: Vec<Peer> = Peer::ALL.to_vec();
    let mut states = 0;
    for clients in 1..=most {
        let case = Case { clients, tasks };
        let mut rows = vec![];
        let is_asked = |p: &Peer| asked.contains(p) || (*p, case) == ASKED_ALL_THE_SAME;
        for peer in Peer::ALL.into_iter().filter(is_asked).collect::<Vec<_>>() {
            let explored = rows
                .iter()
                .any(|r: &Row| r.peer == Peer::Exhaustive && r.ended);
            if peer.needs_marks() && !explored {
                continue;
            }
            eprintln!("{case}: {}", peer.name());
            let row = run(peer, case, slots(case, &rows, states), table.limit);
            states = row.states.unwrap_or(states);
            if !row.ended && !peer.samples() {
                asked.retain(|p| *p != peer);
            }
            rows.push(row);
        }
        agree(case, &mut rows);
        table.add(case, rows);
        if !asked.iter().any(|p| !p.samples()) {
            return;
        }
    }
}

/// How large SPIN's table for states is to be, as an exponent of two: neither too small nor mostly
/// empty. `before`: how many states the case with one client less has.
fn slots(case: Case, rows: &[Row], before: u64) -> u32 {
    let ours = rows.iter().find(|r| r.peer == Peer::Exhaustive && r.ended);
    // With one client more there are about so many times the states.
    let more = match case.tasks {
        2 => 8,
        3 => 16,
        _ => 128,
    };
    let states = ours.and_then(|r| r.states).unwrap_or(before * more);
    (states.max(1).ilog2() + 1).clamp(16, 27)
}

/// Every peer that has ended found the same, and the others nothing else. Fills in how many
/// outcomes there are, which is not known if nobody has ended.
fn agree(case: Case, rows: &mut [Row]) {
    let all = rows.iter().find(|r| r.ended && !r.peer.samples());
    let Some(all) = all.map(|r| r.outcomes.clone()) else {
        return;
    };
    for row in rows.iter_mut().filter(|r| r.note.is_none()) {
        let name = row.peer.name();
        if row.ended && !row.peer.samples() {
            assert_eq!(row.outcomes, all, "{case}: outcomes of {name}");
        }
        assert!(row.outcomes.is_subset(&all), "{case}: {name} has others");
        row.of = Some(all.len());
    }
}

fn run(peer: Peer, case: Case, slots: u32, limit: Duration) -> Row {
    if peer == Peer::Spin {
        return run_spin(case, slots, limit);
    }
    let this = std::env::current_exe().expect("the system knows what is running");
    let mut command = Command::new(this);
    let (clients, tasks) = (case.clients.to_string(), case.tasks.to_string());
    command.args(["--child", peer.name(), &clients, &tasks]);
    // The search for the steps ended in time when it ran by itself; now it may be slower.
    let ready = if peer.needs_marks() {
        limit * 3
    } else {
        Duration::ZERO
    };
    let watched = watch::watch(&mut command, limit, ready).expect("this program starts itself");
    if let Some(why) = watched.lines.iter().find_map(|l| l.strip_prefix("absent ")) {
        return Row::absent(peer, why);
    }
    let failed = watched.in_time && !watched.ended;
    assert!(!failed, "{case}: {} failed", peer.name());
    let complete = watched.lines.iter().any(|l| l == "complete yes");
    let states = number_in(&watched.lines, "states ", "").filter(|n| *n > 0);
    // Of a search that was cut short these are the ends that it has reached, which is no measure.
    let executions = number_in(&watched.lines, "executions ", "")
        .filter(|_| watched.ended || peer.comes_again());
    assert!(complete || peer.samples() || !watched.ended, "{case}");
    row(peer, &watched, states, executions)
}

fn run_spin(case: Case, slots: u32, limit: Duration) -> Row {
    if let Some(what) = spin::missing() {
        return Row::absent(Peer::Spin, what);
    }
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let pan = spin::compile(case, directory.path()).unwrap_or_else(|e| panic!("{e}"));
    let watched = spin::verify(&pan, slots, limit).unwrap_or_else(|e| panic!("{e}"));
    let (states, transitions) = spin::counts(&watched);
    row(Peer::Spin, &watched, states, transitions)
}

fn row(peer: Peer, watched: &Watched, states: Option<u64>, edges: Option<u64>) -> Row {
    Row {
        peer,
        ended: watched.ended,
        outcomes: watched.outcomes(),
        of: None,
        states,
        edges,
        seconds: watched.seconds,
        peak_kib: watched.peak_kib,
        note: None,
    }
}
