//! What is printed for programs is read back by programs, ours and others'.

#[path = "formats/answers.rs"]
mod answers;
#[path = "formats/graphs.rs"]
mod graphs;
#[path = "formats/perfetto.rs"]
mod perfetto;
#[path = "formats/runs.rs"]
mod runs;
#[path = "formats/terminal.rs"]
mod terminal;

use crate::files;
use checker::engine::exhaustive::{Go, Options, Trace};
use kernel::outcome::Outcome;
use scenarios::format::Run;
use scenarios::runner::names::Resolver;
use scenarios::runner::{Answer, Test};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const LATE: &str = "basics/late-probe-at-bind.litmus";
/// Has an oops with a lock held, and so a deadlock.
const STUCK: &str = "basics/two-instances-at-once.litmus";

fn file(scenario: &str) -> PathBuf {
    files::crate_folder().join(scenario)
}

fn test(scenario: &str) -> Test {
    let boards = files::crate_folder().join("boards");
    Test::load(&file(scenario), &boards).unwrap_or_else(|e| panic!("{e:?}"))
}

fn answer(test: &Test, kernel: &str) -> Answer {
    let answer = test.run(kernel, &Options::default(), &mut |_| Go::On);
    answer.unwrap_or_else(|e| panic!("{e:?}"))
}

/// The run to each outcome of a scenario.
fn runs(scenario: &str, kernel: &str, by_label: bool) -> Vec<(Trace<Outcome>, Run)> {
    let test = test(scenario);
    let answer = answer(&test, kernel);
    let names = if by_label {
        Resolver::new(&test, &answer.kernel)
    } else {
        Resolver::by_device_name(&test.board, answer.kernel.board())
    };
    let each = answer.outcomes().map(|(_, schedule, _)| {
        let trace = answer.replay(schedule);
        let of = ("it", kernel, &*schedule.to_string());
        let run = Run::new(&names, &answer.kernel, &trace, of);
        (trace, run)
    });
    each.collect()
}

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe-litmus"));
    command.args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

/// Whether another program is installed; else says that a check was not run, past the test harness,
/// which shows nothing of a test that passes.
fn is_there(other: &str, what: &str) -> bool {
    let found = Command::new(other)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    let is_there = found.is_ok();
    if !is_there {
        let _ = writeln!(
            std::io::stderr(),
            "NOT RUN: {what}: there is no `{other}` here"
        );
    }
    is_there
}

/// Runs another program with this on its standard input.
fn other(name: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    let _ = writer.join();
    output
}
