//! ACPI machines from outside: `boards`, `boot` and `review` take them, `conform` says that it does
//! not.

use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

/// What a run prints that ends with this exit code.
fn prints(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out + &err
}

const BOARD: &str = "scenarios/boards/acpi-one-client.acpi";

#[test]
fn every_machine_boots_to_its_end() {
    let machines = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("boards"));
    let machines = machines.expect("the folder is there");
    let machines = machines.map(|e| e.expect("a folder can be read").path());
    let is_acpi = |p: &std::path::PathBuf| p.extension().is_some_and(|e| e == "acpi");
    let count = machines.filter(is_acpi).count();
    assert_ne!(count, 0);
    let out = prints(&["boards", "scenarios/boards"], 0);
    let rows = out.lines().filter(|l| is_acpi(&l.into()));
    assert_eq!(rows.count(), count, "{out}");
    assert!(out.contains("stopped early 0, not loaded 0"), "{out}");
}

#[test]
fn a_boot_shows_the_group_under_the_kernels_name() {
    let group = "domain DMA, owner_cnt 1: TEST0001:00";
    let newest = prints(&["boot", BOARD, "--kernel", "v7.3-rc7"], 0);
    assert!(newest.contains(group), "{newest}");
    let patched = "v7.3-rc7 + ambarus-ready-always";
    let patched = prints(&["boot", BOARD, "--kernel", patched], 0);
    assert!(patched.contains("Groups 0"), "{patched}");
}

#[test]
fn a_review_says_that_devices_of_acpi_lose_their_iommu() {
    let range = "v7.3-rc7..v7.3-rc7+ambarus-ready-always";
    let scenario = "scenarios/seeds/acpi-loses-its-iommu.litmus";
    let review = prints(&["review", range, scenario, "--each"], 1);
    for line in [
        "acpi-loses-its-iommu: worse (stuck)",
        "verdict   Never -> Always",
        "stuck     + client0: no group, although its IOMMU is there: new, always",
    ] {
        assert!(review.contains(line), "{line}\n{review}");
    }
}

/// That it accepts what the model does on them is tested with the other boards.
#[test]
fn conform_takes_an_acpi_machine() {
    let arguments = [
        "conform",
        "--board",
        BOARD,
        "--kernel",
        "v6.16",
        "no-trace.txt",
    ];
    let out = prints(&arguments, 2);
    assert!(out.contains("no-trace.txt: "), "{out}");
}

#[test]
fn what_is_wrong_is_shown_in_its_file() {
    let here = tempfile::tempdir().expect("a folder");
    let file = here.path().join("bad.acpi");
    std::fs::write(&file, "device a {\n\thid TEST0001;\n}\n").expect("a file");
    let file = file.display().to_string();
    let out = prints(&["boot", &file], 2);
    // The message may be wrapped, so it is looked for in parts.
    for part in ["bad.acpi:1:8:", "has no `cca`", "device a {"] {
        assert!(out.contains(part), "{part}\n{out}");
    }
}
