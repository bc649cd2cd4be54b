//! What was seen when clients and SMMU probed at once, against what the model allows: each of
//! the outcomes recorded over many boots of 7.2.13 with `driver_async_probe=*`.

#[path = "traces/summary.rs"]
#[allow(dead_code, reason = "shared with the trace tests")]
mod summary;

use checker::engine::exhaustive::{Go, Options};
use checker::outcome::{Complete, Final};
use kernel::kernel::Warn;
use kernel::outcome::Outcome;
use scenarios::litmus;
use scenarios::runner::Test;
use scenarios::runner::names::Resolver;
use scenarios::trace::file::File;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The board of the recordings, cut down to the SMMU and the two clients whose probes were seen
/// to overlap with its registration; the other clients probed before or after it in every boot.
const SCENARIO: &str = "LITMUS observed
(*
 * Result: Sometimes
 *
 * Does the model allow what was seen when two clients probe while their SMMU registers?
 *)
board smmu-two-pwrseq.dts
kernels 7.2.13+deb14-arm64

initial { driver_register(pwrseq_simple) }

P0 { driver_register(arm-smmu-v3) }
P1 { device_attach(pwrseq0) }
P2 { device_attach(pwrseq1) }
P3 { deferred_probe_work_func }

exists (WARN(pwrseq0))
";

const CLIENTS: [&str; 2] = ["pwrseq0", "pwrseq1"];

/// For each client: of_xlate calls with `dev->driver` NULL and set. And the number of warnings.
type Seen = ([(usize, usize); 2], usize);

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn recorded(outcome: &str) -> Seen {
    let file = folder("tests/traces/repeat/smmu-async/7.2.13+deb14")
        .join(outcome)
        .join("summary.md");
    let read = File::read(&file).and_then(|text| summary::parse(&text));
    let summary = read.unwrap_or_else(|e| panic!("{e}"));
    let calls = CLIENTS.map(|client| {
        let row = summary
            .rows
            .get(client)
            .unwrap_or_else(|| panic!("{}: no row for {client}", file.display()));
        (row.null, row.set)
    });
    (calls, summary.fishy)
}

fn modelled(end: &Final<Outcome>, names: &Resolver<'_>) -> Seen {
    let device = |name: &str| {
        let dev = names.device(name).expect("the board has the client");
        end.outcome
            .device(dev)
            .expect("a client is part of the outcome")
    };
    let calls = CLIENTS.map(|client| {
        let d = device(client);
        (d.xlate_platform as usize, d.xlate_driver as usize)
    });
    (
        calls,
        CLIENTS
            .iter()
            .filter(|c| device(c).warned(Warn::LateProbe))
            .count(),
    )
}

#[test]
fn every_recorded_outcome_of_asynchronous_probing_is_in_the_explored_set() {
    let litmus = litmus::parse("observed", SCENARIO).expect("the scenario is well formed");
    let test = Test::with_board(litmus, &folder("boards")).expect("the scenario makes sense");
    let revision = "7.2.13+deb14-arm64";
    let answer = test
        .run(revision, &Options::default(), &mut |_| Go::On)
        .expect("it can be explored");
    assert_eq!(answer.report.complete, Complete::Yes);
    let names = Resolver::new(&test, &answer.kernel);
    let allowed: BTreeSet<Seen> = answer
        .report
        .finals
        .keys()
        .map(|end| modelled(end, &names))
        .collect();
    let seen: Vec<Seen> = ["outcome-1", "outcome-2", "outcome-3"]
        .map(recorded)
        .to_vec();
    assert_eq!(
        seen.iter().collect::<BTreeSet<_>>().len(),
        3,
        "the recordings differ: {seen:?}"
    );
    for outcome in seen {
        assert!(
            allowed.contains(&outcome),
            "{outcome:?} was recorded, but the model allows only {allowed:?}"
        );
    }
}
