//! Pipes, `--quiet`, completions and manual pages.

use super::{LATE, file, is_there, other, program, text};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// `probe-litmus check | head -1`
#[test]
fn a_reader_who_goes_away_is_no_panic() {
    let folder = file("basics");
    let mut child = Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .arg("check")
        .arg(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().expect("its output"));
    reader.read_line(&mut line).expect("a line");
    assert!(line.starts_with("Test "), "{line}");
    drop(reader);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(128 + 13));
}

#[test]
fn a_quiet_check_prints_only_what_is_not_as_stated() {
    let scenario = file(LATE).display().to_string();
    let output = program(&["check", "--quiet", &scenario]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let output = program(&[
        "--quiet",
        "check",
        &scenario,
        "--kernel",
        "v6.16",
        "--max-states",
        "3",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let out = text(&output.stdout);
    assert!(out.contains("Complete no"), "{out}");
}

#[test]
fn no_output_has_colours_without_a_terminal() {
    let scenario = file(LATE).display().to_string();
    for arguments in [
        &["--help"][..],
        &["check", &scenario, "--kernel", "v6.16"],
        &["check", "no-such-file.litmus"],
    ] {
        let output = program(arguments);
        for bytes in [&output.stdout, &output.stderr] {
            assert!(!bytes.contains(&0x1b), "{}", text(bytes));
        }
    }
}

#[test]
fn bash_reads_the_completions() {
    let output = program(&["completions", "bash"]);
    assert_eq!(output.status.code(), Some(0));
    let script = text(&output.stdout);
    assert!(script.contains("probe-litmus") && script.contains("explain"));
    if is_there("bash", "the completions against bash") {
        let output = other("bash", &["-n"], &script);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert_eq!(program(&["completions", shell]).status.code(), Some(0));
    }
    assert_eq!(program(&["completions", "sh"]).status.code(), Some(2));
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let page = text(&program(&["man"]).stdout);
    assert!(page.contains(".TH probe-litmus 1"), "{page}");
    let folder = tempfile::tempdir().expect("a folder");
    let new = folder.path().join("man/man1");
    let output = program(&["man", "-o", &new.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for command in ["check", "explain", "replay", "graph", "review"] {
        let file = new.join(format!("probe-litmus-{command}.1"));
        let page =
            std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(
            page.contains(&format!(".TH probe-litmus-{command} 1")),
            "{page}"
        );
    }
    let nowhere = new.join("probe-litmus.1/below").display().to_string();
    let output = program(&["man", "-o", &nowhere]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot write"));
}
