//! `probe-litmus boards` from outside: rows, sums, exit codes.

use super::folder;
use std::path::Path;
use std::process::{Command, Output};

fn boards(arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe-litmus"));
    command.arg("boards").args(arguments).args(paths);
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

#[test]
fn a_file_that_is_wrong_is_named_and_the_others_go_on() {
    let here = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &[u8]| std::fs::write(here.path().join(name), content);
    file("a.dtb", b"\xd0\x0d\xfe\xed and no more").expect("a file");
    let good = std::fs::read(folder().join("two-cells.dts")).expect("a board");
    file("b.dts", &good).expect("a file");
    file("c.dts", b"/dts-v1/; / { iommus = <7>; };").expect("a file");
    file("notes.txt", b"no board").expect("a file");
    let output = boards(&[], &[here.path()]);
    assert_eq!(output.status.code(), Some(2));
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        err.contains("a.dtb: byte 0x10: the file ends after 16 bytes"),
        "{err}"
    );
    assert!(
        err.contains("c.dts:1:25: /: iommus: no node has phandle 0x7"),
        "{err}"
    );
    assert!(
        out.contains("Boards 3: booted to the end 1, stopped early 0, not loaded 2"),
        "{out}"
    );
    assert!(out.contains("Clients 3: bound 3, in a group 3"), "{out}");
    assert!(
        out.lines().any(|l| l.ends_with("a.dtb: not loaded")),
        "{out}"
    );
}

#[test]
fn a_boot_that_does_not_end_is_exit_code_1() {
    // f48dcda8f6a4 is not there yet, and no instance has been registered before.
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards/two-instances.dts");
    let output = boards(&["--kernel", "bcb81ac6ae3c", "--summary"], &[&board]);
    assert_eq!(output.status.code(), Some(1));
    let out = text(&output.stdout);
    let expected = "stopped early: oops: 10000000.client: rk_iommu_of_xlate: dma_dev is NULL";
    assert!(out.contains(expected), "{out}");
    assert!(
        out.contains("Boards 1: booted to the end 0, stopped early 1"),
        "{out}"
    );
}

#[test]
fn the_rows_do_not_depend_on_the_workers() {
    let run = |workers| boards(&["--workers", workers], &[&folder()]).stdout;
    let one = run("1");
    assert!(text(&one).contains("not loaded 0"));
    assert_eq!(text(&one), text(&run("5")));
}

#[test]
fn a_path_without_boards_and_a_kernel_that_is_none_are_bad_input() {
    let here = tempfile::tempdir().expect("a folder");
    let output = boards(&[], &[here.path()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("found no .dtb, .dts or .acpi"));
    let output = boards(&["--kernel", "v9.9"], &[&folder()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--kernel: "));
}
