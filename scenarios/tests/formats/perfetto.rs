//! Trace events and ftrace's text, as Perfetto itself reads them: its trace processor, the WebAssembly that
//! ui.perfetto.dev runs, asked in SQL. `.ci/run` says where it comes from.

use super::{LATE, STUCK, is_there, other, runs, text};
use scenarios::format::{Run, ftrace, perfetto};
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;

/// The folder with Perfetto's engine, if there is one and something to run it.
fn engine() -> Option<PathBuf> {
    let what = "trace events against Perfetto's trace processor";
    let folder = std::env::var_os("PERFETTO_ENGINE").map(PathBuf::from);
    let Some(folder) = folder.filter(|f| f.join("engine_bundle.js").is_file()) else {
        let _ = writeln!(
            std::io::stderr(),
            "NOT RUN: {what}: PERFETTO_ENGINE names no folder with engine_bundle.js"
        );
        return None;
    };
    is_there("node", what).then_some(folder)
}

/// What the trace processor answers: for each query its rows.
fn ask(engine: &std::path::Path, trace: &str, queries: &[&str]) -> Vec<Vec<Value>> {
    let script = super::files::crate_folder().join("tests/formats/perfetto.mjs");
    let (script, engine) = (script.display().to_string(), engine.display().to_string());
    let arguments = [&[&*script, &*engine][..], queries].concat();
    let output = other("node", &arguments, trace);
    // The bundle is one line; what node shows of it is no help.
    let error: String = text(&output.stderr).chars().take(2000).collect();
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("a list of rows for each query")
}

const QUERIES: [&str; 5] = [
    "select name from stats where severity in ('error', 'data_loss') and value > 0",
    "select name from thread where name is not null order by name",
    "select t.name as thread, s.name as name, s.dur as dur from slice s \
     join thread_track k on s.track_id = k.id join thread t using (utid)",
    "select o.name as name, s.name as leads from flow f join slice o on f.slice_out = o.id \
     join slice s on f.slice_in = s.id where o.track_id != s.track_id and s.ts >= o.ts",
    "select name from slice where track_id not in (select id from thread_track) and dur >= 0",
];

/// The names of the events with one of these phases, sorted.
fn names(events: &[Value], phases: &[&str]) -> Vec<String> {
    let is_of = |e: &&Value| phases.contains(&e["ph"].as_str().expect("a phase"));
    let of = events.iter().filter(is_of);
    sorted(of.map(|e| &e["name"]))
}

fn sorted<'a>(names: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut names: Vec<String> = names
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

/// It takes the whole trace without an error; threads, slices, instants, locks and arrows are all
/// there, and every arrow leads to another thread, no earlier.
fn is_read(engine: &std::path::Path, run: &Run) -> usize {
    let trace = perfetto::print(run);
    let json: Value = serde_json::from_str(&trace).expect("JSON");
    let events = json["traceEvents"].as_array().expect("a list");
    let rows = ask(engine, &trace, &QUERIES);
    let [errors, threads, slices, arrows, locks] = &rows[..] else {
        panic!("{} answers", rows.len());
    };
    assert!(errors.is_empty(), "{errors:?}");
    let mut expected: Vec<&str> = run.tasks.iter().map(String::as_str).collect();
    expected.push("set-up");
    expected.sort_unstable();
    assert_eq!(sorted(threads.iter().map(|t| &t["name"])), expected);
    assert_eq!(
        sorted(slices.iter().map(|s| &s["name"])),
        names(events, &["B", "i"])
    );
    assert!(
        slices.iter().all(|s| s["dur"].as_i64() >= Some(0)),
        "all end"
    );
    assert_eq!(
        sorted(locks.iter().map(|l| &l["name"])),
        names(events, &["b"])
    );
    assert_eq!(arrows.len(), names(events, &["s"]).len(), "{arrows:?}");
    arrows.len()
}

#[test]
fn perfetto_reads_the_trace_events() {
    let Some(engine) = engine() else { return };
    let mut all = runs(LATE, "v6.16", true);
    all.truncate(3);
    all.extend(runs(STUCK, "v6.15", true).into_iter().take(2));
    let arrows: usize = all.iter().map(|(_, run)| is_read(&engine, run)).sum();
    assert!(arrows > 0, "somewhere a lock is taken by another task");
}

/// The reader is no rubber stamp: it refuses what is no JSON, and counts an arrow without an end.
#[test]
fn perfetto_finds_what_is_wrong_with_a_trace() {
    let Some(engine) = engine() else { return };
    let (_, run) = runs(LATE, "v6.16", true).remove(0);
    let mut json: Value = serde_json::from_str(&perfetto::print(&run)).expect("JSON");
    let events = json["traceEvents"].as_array_mut().expect("a list");
    let slices = events.len();
    events.retain(|e| e["ph"] != "B");
    assert!(events.len() < slices);
    let rows = ask(&engine, &json.to_string(), &QUERIES);
    assert!(
        !rows[0].is_empty(),
        "slices that end and never begin are an error"
    );
}

/// Every line of ftrace's text is one to it, with a thread for each task that has done something.
#[test]
fn perfetto_reads_the_text_of_ftrace() {
    let Some(engine) = engine() else { return };
    let queries = [
        "select sum(value) as n from stats where name like 'systrace%' or severity = 'data_loss'",
        "select name from thread where tid > 0",
    ];
    let (_, run) = runs(LATE, "v6.16", false).remove(0);
    let printed = ftrace::print(&run);
    let rows = ask(&engine, &printed, &queries);
    assert_eq!(rows[0][0]["n"], 0);
    let threads = sorted(rows[1].iter().map(|t| &t["name"]));
    assert!(threads.iter().all(|t| t.starts_with("CPU")), "{threads:?}");
    assert!(threads.len() >= 2, "{threads:?}");
    // A line that is none is seen.
    let broken = printed.replacen(": write: ", "", 1);
    assert_ne!(broken, printed);
    assert_eq!(ask(&engine, &broken, &queries)[0][0]["n"], 1);
}
