//! Runs as ftrace's text, trace events, NDJSON; replay.

use super::{LATE, STUCK, file, is_there, other, program, runs, text};
use checker::event::What as Event;
use kernel::config::Config;
use kernel::revision::Revision;
use scenarios::format::Run;
use scenarios::format::{ftrace, ndjson, perfetto};
use scenarios::runner::names::Resolver;
use scenarios::trace::{Log, Rest, Subject, What};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

#[test]
fn our_reader_of_traces_reads_calls_returns_and_devices_back() {
    for (trace, run) in runs(LATE, "v6.16", false) {
        let printed = ftrace::print(&run);
        let log = Log::of_text("printed", &printed);
        assert_eq!(log.rest.get(&Rest::Unknown), None, "{:?}", log.unknown);
        assert_eq!(log.lines, printed.lines().count());
        let count =
            |is_it: fn(&Event) -> bool| trace.events.iter().filter(|e| is_it(&e.what)).count();
        let entered = count(|what| matches!(what, Event::Enter { .. }));
        let returned = count(|what| matches!(what, Event::Exit { .. }));
        let read = |is_it: fn(&What) -> bool| log.entries.iter().filter(|e| is_it(&e.what)).count();
        assert!(entered > 20 && returned > 10);
        assert_eq!(read(|what| matches!(what, What::Enter(_))), entered);
        assert_eq!(read(|what| matches!(what, What::Exit { .. })), returned);
        let names_its_device = |call: &scenarios::trace::Call| {
            call.function == "really_probe"
                && call.subject == Subject::Name("10000000.client".into())
        };
        assert!(log.entries.iter().any(|e| match &e.what {
            What::Enter(call) => names_its_device(call),
            _ => false,
        }));
        let times: Vec<_> = log.entries.iter().filter_map(|e| e.time).collect();
        assert_eq!(times.len(), log.entries.len());
        assert!(times.is_sorted());
    }
}

#[test]
fn errors_are_numbers_in_ftrace() {
    let printed: String = runs(LATE, "v6.16", false)
        .iter()
        .map(|(_, run)| ftrace::print(run))
        .collect();
    assert!(printed.contains(" ret=-517"), "a deferral is there");
    assert!(!printed.contains("EPROBE_DEFER"));
}

/// The default output of the tracer, by an expression of another program.
#[test]
fn perl_takes_each_line_for_one_of_the_tracer() {
    if !is_there("perl", "ftrace's text against an expression in perl") {
        return;
    }
    let line = r#"while (<STDIN>) {
        next if /^#/;
        /^\s*(.{1,16})-(\d+)\s+\[(\d{3})\] [.dDnNhHsS0-9b]{5}\s+(\d+)\.(\d{6}): (\w+): \S/
            or die "line $.: $_";
        $n++;
    } print "$n\n";"#;
    for (trace, run) in runs(STUCK, "v6.15", false) {
        let output = other("perl", &["-e", line], &ftrace::print(&run));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let count = text(&output.stdout).trim().parse::<usize>();
        assert_eq!(count, Ok(trace.events.len()));
    }
}

fn objects(ndjson: &str) -> Vec<Value> {
    let lines = ndjson.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

#[test]
fn a_run_is_a_head_its_events_and_an_end() {
    for (trace, run) in runs(STUCK, "v6.15", true) {
        let all = objects(&ndjson::run(&run));
        assert_eq!(all.len(), trace.events.len() + 2);
        assert_eq!(all[0]["record"], "run");
        assert_eq!(all[0]["format"], 1);
        assert_eq!(
            all[0]["tasks"].as_array().map(Vec::len),
            Some(trace.tasks.len())
        );
        for (step, event) in all[1..=trace.events.len()].iter().enumerate() {
            assert_eq!(event["record"], "event");
            assert_eq!(event["step"], step);
            assert!(event["event"].is_string() && event["depth"].is_u64());
        }
        let end = &all[all.len() - 1];
        assert_eq!(end["record"], "end");
        assert_eq!(end["deadlock"].is_array(), trace.end.deadlock.is_some());
    }
}

/// Calls of a thread nest, with the same names at both ends; locks are held by one at a time; each
/// arrow has two ends, on two threads, the second later.
#[test]
fn trace_events_nest_and_arrows_have_two_ends() {
    let mut arrows = 0;
    for (_, run) in runs(LATE, "v6.16", true)
        .into_iter()
        .chain(runs(STUCK, "v6.15", true))
    {
        let printed = perfetto::print(&run);
        let all: Value = serde_json::from_str(&printed).expect("JSON");
        let mut open: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let mut held: BTreeMap<u64, u64> = BTreeMap::new();
        let mut begun: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let number = |event: &Value, key: &str| event[key].as_u64();
        for event in all["traceEvents"].as_array().expect("a list") {
            let name = event["name"].as_str().expect("a name").to_owned();
            let tid = number(event, "tid").expect("a thread");
            let ts = number(event, "ts");
            let id = number(event, "id");
            match event["ph"].as_str().expect("a phase") {
                "M" => assert!(event["args"]["name"].is_string()),
                "B" => open.entry(tid).or_default().push(name),
                "E" => assert_eq!(open.entry(tid).or_default().pop(), Some(name)),
                "b" => assert_eq!(held.insert(id.expect("an id"), tid), None, "{name}"),
                "e" => assert_eq!(held.remove(&id.expect("an id")), Some(tid), "{name}"),
                "i" => assert_eq!(event["s"], "t"),
                "s" => {
                    let place = (tid, ts.expect("a time"));
                    assert_eq!(begun.insert(id.expect("an id"), place), None);
                }
                "f" => {
                    let (from, when) = begun.remove(&id.expect("an id")).expect("a beginning");
                    assert!(from != tid && Some(when) < ts);
                    arrows += 1;
                }
                other => panic!("phase {other}"),
            }
        }
        assert!(open.values().all(Vec::is_empty), "{open:?}");
        assert!(held.is_empty() && begun.is_empty());
    }
    assert!(arrows > 0, "somewhere a lock is handed over");
}

#[test]
fn python_reads_the_trace_events_too() {
    if !is_there("python3", "trace events against python's reader of JSON") {
        return;
    }
    let count = "import json,sys; print(len(json.load(sys.stdin)['traceEvents']))";
    let (_, run) = runs(LATE, "v6.16", true).remove(0);
    let output = other("python3", &["-c", count], &perfetto::print(&run));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn every_format_of_a_run_is_an_option_of_explain_and_of_replay() {
    let scenario = file(LATE).display().to_string();
    let begins = [
        ("text", "Test late-probe-at-bind"),
        ("ftrace", "# tracer: nop"),
        ("perfetto", "{"),
        ("ndjson", "{\"record\":\"run\""),
        ("dot", "digraph"),
        ("splat", "===="),
    ];
    for (format, begin) in begins {
        let of = [
            "explain", &scenario, "--kernel", "v6.16", "--format", format,
        ];
        let output = program(&of);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let out = text(&output.stdout);
        assert!(out.starts_with(begin), "{format}: {out}");
        let of = [
            "replay", &scenario, "--kernel", "v6.16", "0", "--format", format,
        ];
        let output = program(&of);
        let out = text(&output.stdout);
        assert!(
            format == "text" || out.starts_with(begin),
            "{format}: {out}"
        );
    }
}

/// Which choice, who was asked for, who could go, behind which step, and who they are.
#[test]
fn a_schedule_that_does_not_fit_says_where() {
    let scenario = file(LATE).display().to_string();
    let output = program(&["replay", &scenario, "--kernel", "v6.16", "0.7", "--verbose"]);
    assert_eq!(output.status.code(), Some(1));
    let out = text(&output.stdout);
    assert!(
        out.contains("does not fit this scenario: choice 2 is task 7, but only "),
        "{out}"
    );
    let place = out.lines().find(|l| l.starts_with("Behind step "));
    let step = place
        .and_then(|l| l.split(' ').nth(2))
        .and_then(|n| n.parse::<usize>().ok());
    let step = step.expect("a number of a step");
    assert!(
        out.lines()
            .any(|l| l.trim_start().starts_with(&format!("{step} P"))),
        "{out}"
    );
    assert!(out.lines().any(|l| l.starts_with("  1 CPU1 (")), "{out}");
}

#[test]
fn verbose_has_what_was_read_and_what_was_there_before_a_write() {
    let scenario = file(LATE).display().to_string();
    let output = program(&["replay", &scenario, "--kernel", "v6.16", "0", "--verbose"]);
    let out = text(&output.stdout);
    let line = |part: &str| out.lines().any(|l| l.contains(part));
    assert!(
        line("client0: dev->driver = client-drv (was NULL)"),
        "{out}"
    );
    assert!(line("client0: dev->driver is "), "{out}");
    assert!(
        out.lines()
            .next()
            .is_some_and(|l| l.trim_start().starts_with("0 "))
    );
}

/// A boot of a board on v6.16, as ftrace's text.
fn booted(board: &std::path::Path) -> String {
    let loaded = scenarios::board::load(board).unwrap_or_else(|e| panic!("{e:?}"));
    let revision = Revision::parse("v6.16").expect("a kernel");
    let booted = scenarios::boot::boot(&loaded, revision, Config::default());
    let booted = booted.unwrap_or_else(|e| panic!("{e:?}"));
    let names = Resolver::by_device_name(&loaded, booted.kernel.board());
    let of = ("boot", "v6.16", "");
    ftrace::print(&Run::new(&names, &booted.kernel, &booted.trace, of))
}

fn conform(board: &std::path::Path, trace: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("trace.txt");
    std::fs::write(&log, trace).expect("a file");
    let (board, log) = (board.display().to_string(), log.display().to_string());
    program(&["conform", "--board", &board, "--kernel", "v6.16", &log])
}

/// The model allows what it does itself, on every small board here and every ACPI machine. On the
/// R-Car boards drivers' own probes return now this and now that, of which `conform` says that it
/// cannot follow.
#[test]
fn conform_accepts_the_boots_of_the_model() {
    let is_followed = |b: &PathBuf| !b.display().to_string().contains("salvator");
    let boards = ["dts", "acpi"].map(|kind| super::files::below(&file("boards"), kind));
    let boards: Vec<_> = boards.into_iter().flatten().filter(is_followed).collect();
    assert!(boards.len() > 5);
    for board in boards {
        let output = conform(&board, &booted(&board));
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let name = board.display();
        assert_eq!(output.status.code(), Some(0), "{name}: {out}{err}");
    }
}

#[test]
fn conform_rejects_a_boot_of_the_model_without_one_of_its_calls() {
    let board = file("boards/one-client-two-smmus.dts");
    let printed = booted(&board);
    let first = printed
        .find("p_of_iommu_configure_0")
        .expect("it is called");
    let begin = printed[..first].rfind('\n').expect("a line before it") + 1;
    let end = first + printed[first..].find('\n').expect("its end") + 1;
    let cut = format!("{}{}", &printed[..begin], &printed[end..]);
    assert_eq!(conform(&board, &cut).status.code(), Some(1));
}
