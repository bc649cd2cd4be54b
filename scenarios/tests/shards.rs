//! `check --shard` and `merge`: all shards of a run together are the run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two scenarios on three kernels: six jobs.
const RUN: &[&str] = &[
    "check",
    "basics/deferral-and-retry.litmus",
    "basics/driverless-client.litmus",
    "--kernel",
    "v6.12",
    "--kernel",
    "v6.16",
    "--kernel",
    "v7.3-rc7",
];

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe-litmus"));
    command.args(arguments);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.output().expect("the binary runs")
}

/// The files of the shards of a run.
fn shards(folder: &Path, run_of: &[&str], of: usize) -> Vec<PathBuf> {
    let shard = |number| {
        let text = format!("{number}/{of}");
        let output = run(&[run_of, &["--shard", &text]].concat());
        let file = folder.join(format!("{number}-of-{of}.txt"));
        std::fs::write(&file, output.stdout).expect("the folder is ours");
        file
    };
    (1..=of).map(shard).collect()
}

fn merge(files: &[PathBuf]) -> Output {
    let paths = files.iter().map(|f| f.to_str().expect("simple names"));
    run(&[&["merge"][..], &paths.collect::<Vec<_>>()].concat())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for temporary files")
}

/// Refused, with these words and no output.
fn refused(files: &[PathBuf], words: &str) {
    let output = merge(files);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    assert!(said.contains(words), "no `{words}` in {said}");
}

#[test]
fn all_shards_together_are_the_run_in_any_order() {
    let whole = run(RUN);
    let folder = folder();
    // More shards than there are jobs: some are empty.
    for of in [1, 3, 8] {
        let mut files = shards(folder.path(), RUN, of);
        files.reverse();
        let merged = merge(&files);
        let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text(&merged), text(&whole), "{of} shards");
        assert_eq!(merged.status.code(), whole.status.code(), "{of} shards");
    }
}

/// A bound is hit in each job, so the run exits with 1; and so does what is put together of it.
#[test]
fn the_exit_code_is_that_of_the_run() {
    let bounded = [RUN, &["--max-states", "10"]].concat();
    let folder = folder();
    let merged = merge(&shards(folder.path(), &bounded, 2));
    assert_eq!(run(&bounded).status.code(), Some(1));
    assert_eq!(merged.status.code(), Some(1));
}

#[test]
fn a_missing_shard_is_named() {
    let folder = folder();
    let files = shards(folder.path(), RUN, 3);
    refused(&files[..1], "found no shard 2/3, 3/3");
}

#[test]
fn a_shard_that_is_there_twice_is_refused() {
    let folder = folder();
    let files = shards(folder.path(), RUN, 2);
    let twice = [&files[..], &files[..1]].concat();
    refused(&twice, "this is shard 1/2 again");
}

#[test]
fn a_shard_of_another_run_is_refused() {
    let folder = folder();
    let ours = shards(folder.path(), RUN, 2);
    let elsewhere = tempfile::tempdir().expect("there is room for temporary files");
    let with_bound = [RUN, &["--max-states", "12345"]].concat();
    let theirs = shards(elsewhere.path(), &with_bound, 2);
    refused(&[ours[0].clone(), theirs[1].clone()], "of another run");
}

/// A shard that was interrupted has no last line; a line that is gone is missed; and what is no
/// shard at all is said to be none.
#[test]
fn a_damaged_shard_is_refused() {
    let folder = folder();
    let files = shards(folder.path(), RUN, 1);
    let text = std::fs::read_to_string(&files[0]).expect("it was written");
    let lines: Vec<&str> = text.lines().collect();
    let without = |gone: usize| {
        let mut left = lines.clone();
        left.remove(gone);
        left.join("\n") + "\n"
    };
    for (damaged, words) in [
        (without(lines.len() - 1), "damaged"),
        (without(4), "damaged"),
        (without(0), "found no shard"),
        (text.clone() + "more\n", "damaged"),
        (String::new(), "found no shard"),
    ] {
        std::fs::write(&files[0], damaged).expect("the folder is ours");
        refused(&files, words);
    }
}
