//! The command: its folder, its exit codes, what it says.

use super::files;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn report(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe-litmus"));
    command.current_dir(files::crate_folder());
    command.arg("report").arg("-o").arg(folder).args(more);
    command.output().expect("the program of this crate runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder that goes away with the test.
fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

const QUICK: &str = "museum/driver-read-twice.litmus";

#[test]
fn a_site_is_written_and_the_next_one_replaces_it() {
    let folder = folder();
    let site = folder.path().join("new/site");
    let first = report(&site, &[QUICK, "basics/rebind-by-hand.litmus"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert_eq!(said.trim(), site.join("index.html").display().to_string());
    assert!(site.join("scenario/rebind-by-hand.html").is_file());
    std::fs::write(site.join("notes.txt"), "mine").expect("a file");

    let second = report(&site, &[QUICK, "--workers", "1"]);
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert!(
        !site.join("scenario/rebind-by-hand.html").exists(),
        "a page of the earlier report"
    );
    assert_eq!(read(&site.join("notes.txt")), "mine");
}

#[test]
fn the_bytes_are_the_same_with_any_number_of_workers() {
    let folder = folder();
    let page = |workers: &str| {
        let site = folder.path().join(workers);
        let output = report(
            &site,
            &["--workers", workers, "basics/late-probe-at-bind.litmus"],
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let names = [
            "index.html",
            "timeline.html",
            "scenario/late-probe-at-bind.html",
        ];
        names.map(|name| read(&site.join(name)))
    };
    assert!(page("1") == page("3"));
}

#[test]
fn what_is_cut_short_is_called_bounded() {
    let folder = folder();
    let output = report(folder.path(), &["--max-states", "10", QUICK]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let index = read(&folder.path().join("index.html"));
    assert_eq!(
        index.matches("<small>bounded</small>").count(),
        5,
        "in each cell"
    );
    assert!(index.contains("5 of them bounded"), "above the table");
    let page = read(&folder.path().join("scenario/driver-read-twice.html"));
    assert!(
        page.contains("<b>Bounded.</b>") && page.contains("10 states"),
        "{page}"
    );
}

#[test]
fn bad_input_is_refused() {
    let empty = folder();
    let foreign = folder();
    std::fs::write(foreign.path().join("thesis.tex"), "mine").expect("a file");
    let forged = folder();
    let marker = forged.path().join(".probe-litmus-report");
    std::fs::write(&marker, "probe-litmus report, files:\n../thesis.tex\n").expect("a file");
    let broken = folder();
    std::fs::write(broken.path().join(".probe-litmus-report"), "no\n").expect("a file");
    let twice = folder();
    let copy = twice.path().join("driver-read-twice.litmus");
    std::fs::copy(files::crate_folder().join(QUICK), &copy).expect("a copy");
    let file = foreign.path().join("thesis.tex");
    let copied = copy.display().to_string();
    let cases: [(&Path, &[&str], &str); 7] = [
        (
            foreign.path(),
            &[QUICK],
            "no earlier report, such as `thesis.tex`",
        ),
        (
            forged.path(),
            &[QUICK],
            ".probe-litmus-report:2: found `../thesis.tex`",
        ),
        (
            broken.path(),
            &[QUICK],
            ".probe-litmus-report:1: found `no`",
        ),
        (&file, &[QUICK], "thesis.tex: "),
        (
            empty.path(),
            &["none.litmus"],
            "none.litmus: cannot read the file",
        ),
        (
            empty.path(),
            &[QUICK, "--resume", "x"],
            "--resume: a checkpoint is of one scenario",
        ),
        (
            empty.path(),
            &[QUICK, &copied, "--boards", "boards"],
            "found a second scenario `driver-read-twice`",
        ),
    ];
    for (folder, more, expected) in cases {
        let output = report(folder, more);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{more:?}\n{said}");
        let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.contains(expected), "no `{expected}` in\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert_eq!(read(&foreign.path().join("thesis.tex")), "mine");
    let new = empty.path().join("new");
    assert_eq!(report(&new, &["none.litmus"]).status.code(), Some(2));
    assert!(!new.exists(), "a folder for a report that cannot be");
    assert!(!foreign.path().join("index.html").exists());
}

#[test]
fn the_help_has_an_example() {
    let output = Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .args(["report", "--help"])
        .output()
        .expect("the program of this crate runs");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(help.contains("probe-litmus report -o report"), "{help}");
    assert!(help.contains("Exit codes:"), "{help}");
}
