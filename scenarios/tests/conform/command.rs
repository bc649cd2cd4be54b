//! The two commands as a person sees them.

use crate::cases::{BOOTS, traces};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// What the program prints, and its exit code.
fn run(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .args(arguments)
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

fn path(name: &str) -> String {
    traces().join(name).display().to_string()
}

fn conform(kernel: &str, board: &str, more: &[&str]) -> (String, String, Option<i32>) {
    let board = path(board);
    let mut arguments = vec!["conform", "--board", &board, "--kernel", kernel];
    arguments.extend(more);
    run(&arguments)
}

/// A file with this text; the folder goes with the test.
fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("trace.txt");
    let mut file = std::fs::File::create(&path).expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
    path
}

#[test]
fn what_is_rejected_names_the_line_and_what_the_model_allows() {
    let trace = path("smmu-last/6.16.12+deb13/trace.txt");
    let (out, _, code) = conform("6.12.107", "smmu-last/smmu-last.dts", &[&trace]);
    assert_eq!(code, Some(1), "{out}");
    let expected = "\
Rejected
Explained 28 of 210 events
    init-1 iommu_device_use_default_domain(9050000.smmuv3)
    init-1 iommu_device_use_default_domain(9050000.smmuv3) returns 0
    init-1 iommu_device_register(9050000.smmuv3)
    init-1 probe_iommu_group(timer)
    init-1 __iommu_probe_device(timer) dev->driver NULL
  * init-1 platform_dma_configure(timer)
    ";
    assert!(out.contains(expected), "{out}");
    assert!(out.contains("6.16.12+deb13/trace.txt:52: init-1"), "{out}");
    let instead =
        "Instead the model allows\n    initcalls: __iommu_probe_device(timer) returns -19\n";
    assert!(out.contains(instead), "{out}");
    assert!(
        out.contains("\nSearched: 0 states with a choice, "),
        "{out}"
    );
}

#[test]
fn several_boots_give_a_table_of_outcomes() {
    let folder = "repeat/smmu-async/7.2.13+deb14";
    let logs: Vec<String> = (1..=3)
        .map(|n| path(&format!("{folder}/outcome-{n}/trace.txt")))
        .collect();
    let single = path("repeat/smmu-async/single/7.2.13+deb14/trace.txt");
    let mut more = vec!["--async", "*", "--module", "virtio-mmio", &single];
    more.extend(logs.iter().map(String::as_str));
    let (out, err, code) = conform("7.2.13", crate::cases::ASYNC, &more);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(
        out.contains("Boots 4: explained 4, outcomes seen 3\n"),
        "{out}"
    );
    assert!(
        out.contains("Outcomes never seen: not explored, --explore STATES does\n"),
        "{out}"
    );
    // The single boot ended as the first of the three did.
    assert!(
        out.contains(&format!("seen 2: {single}, {}", logs[0])),
        "{out}"
    );
}

#[test]
fn outcomes_that_were_never_seen_are_bounded_and_say_so() {
    let log = path("repeat/smmu-async/7.2.13+deb14/outcome-3/trace.txt");
    let more = [
        "--async",
        "*",
        "--module",
        "virtio-mmio",
        "--explore",
        "200",
        &log,
        &log,
    ];
    let (out, _, code) = conform("7.2.13", crate::cases::ASYNC, &more);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("Explored: Complete no"), "{out}");
    assert!(out.contains("Outcomes never seen: at least "), "{out}");
}

#[test]
fn a_bound_is_no_rejection() {
    let log = path("repeat/smmu-async/single/6.12.107+deb13/trace.txt");
    let more = [
        "--async",
        "*",
        "--module",
        "virtio-mmio",
        "--max-states",
        "300",
        &log,
    ];
    let (out, _, code) = conform("7.2.13", crate::cases::ASYNC, &more);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("Not decided: stopped at the bound of 300 states"),
        "{out}"
    );
    assert!(!out.contains("Rejected"), "{out}");
}

#[test]
fn lines_that_are_not_understood_are_counted_and_listed() {
    let boot = &BOOTS[0];
    let text = format!("gibberish one\n{}gibberish two\n", boot.text());
    let folder = tempfile::tempdir().expect("a folder");
    let trace = file(&folder, &text);
    let trace = trace.display().to_string();
    let (out, _, code) = conform(boot.kernel, boot.board, &[&trace]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("not understood 2\n"), "{out}");
    assert!(
        out.contains(&format!("not understood: {trace}:1: gibberish one\n")),
        "{out}"
    );
    assert!(out.contains("gibberish two\n"), "{out}");
}

#[test]
fn a_reporters_prints_alone_can_be_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[    1.5] platform pwrseq0: arm_smmu_of_xlate\n\
                [    1.6] platform pwrseq1: arm_smmu_of_xlate\n\
                platform pwrseq1: arm_smmu_of_xlate\n";
    let trace = file(&folder, text);
    let trace = trace.display().to_string();
    let board = "smmu-last/smmu-last.dts";
    let (out, _, code) = conform("v6.16", board, &[&trace]);
    assert_eq!(code, Some(0), "{out}");
    // Before bcb81ac6ae3c each has its driver set.
    let (out, _, code) = conform("v6.12", board, &[&trace]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("Rejected\n"), "{out}");
}

#[test]
fn bad_input_is_told_from_a_rejection() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = file(&folder, "nothing of use\n").display().to_string();
    let trace = path("smmu-last/6.16.12+deb13/trace.txt");
    let board = "smmu-last/smmu-last.dts";
    for (arguments, says) in [
        (vec![empty.as_str()], "nothing in it can be compared"),
        (vec!["absent.txt"], "absent.txt: "),
        (
            vec!["--module", "virtio_mio", &trace],
            "unknown driver `virtio_mio`",
        ),
        (vec!["--probe", "pwrseq0", &trace], "expected DEVICE=ERROR"),
        (
            vec!["--dmesg", &trace, &trace, &trace],
            "--dmesg: expected one TRACE",
        ),
    ] {
        let (_, err, code) = conform("v6.16", board, &arguments);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(says), "{err}");
    }
}

/// The events that it asks for are those that are compared, and fit the command line.
#[test]
fn trace_setup_probes_what_is_compared() {
    let board = path("rk-multi/rk-multi.dts");
    let (out, _, code) = run(&["trace-setup", "--kernel", "7.2.13", "--board", &board]);
    assert_eq!(code, Some(0));
    let line = out
        .lines()
        .find(|l| l.contains("kprobe_event="))
        .expect("a command line");
    assert!(line.len() < 2048, "{} characters", line.len());
    assert!(line.contains("rk_iommu_of_xlate") && !line.contains("ipmmu_of_xlate"));
    let (_, events) = line.split_once("kprobe_event=").expect("events");
    for event in events.split(';') {
        let place = event.split(',').nth(1).expect("a function");
        let name = scenarios::trace::function_name(place).expect("a name");
        let known = scenarios::conform::events::FUNCTIONS
            .iter()
            .chain(scenarios::conform::events::OTHERS);
        assert!(known.clone().any(|f| *f == name), "{name} is not compared");
    }
    let (all, _, _) = run(&["trace-setup", "--kernel", "6.12.107"]);
    assert!(all.contains("ipmmu_of_xlate") && !all.contains("iommu_init_device,d"));
}

/// With the symbols of the kernel, only what is there is asked for, each copy of a function, and
/// the rest is named.
#[test]
fn trace_setup_asks_for_what_the_symbols_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let symbols = file(
        &folder,
        "ffff800080000000 T _text\n\
         ffff800080a83228 t arm_smmu_of_xlate\n\
         ffff800080a8a7d0 t arm_smmu_of_xlate\n\
         ffff800080c00000 T iommu_fwspec_init\n\
         ffff800080c10000 t really_probe.isra.0\n",
    );
    let symbols = symbols.display().to_string();
    let board = path("smmu-last/smmu-last.dts");
    let (out, err, code) = run(&[
        "trace-setup",
        "--kernel",
        "6.12.107",
        "--board",
        &board,
        "--kallsyms",
        &symbols,
    ]);
    assert_eq!(code, Some(0), "{err}");
    let line = out.lines().find(|l| l.contains("kprobe_event="));
    let (_, events) = line
        .and_then(|l| l.split_once("kprobe_event="))
        .expect("events");
    let places: Vec<String> = events
        .split(';')
        .map(|e| e.split(',').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "p iommu_fwspec_init",
        "r iommu_fwspec_init",
        "p:p_arm_smmu_of_xlate_0 _text+11022888",
        "p:p_arm_smmu_of_xlate_1 _text+11053008",
        "r:r_arm_smmu_of_xlate_0 _text+11022888",
        "r:r_arm_smmu_of_xlate_1 _text+11053008",
    ];
    assert_eq!(places, expected);
    assert!(
        out.contains("#    driver_bound is not there: inlined, or not built\n"),
        "{out}"
    );
    let changed = "#    really_probe.isra.0 is left out: the compiler has changed its arguments\n";
    assert!(out.contains(changed), "{out}");
}

/// A log does not show that a driver was never there: the list of drivers does.
#[test]
fn the_list_of_drivers_says_what_was_never_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = path("virt/6.12.107-without-module/trace.txt");
    let (out, _, code) = conform("6.12.107", "virt/virt-clients.dts", &[&log]);
    assert_eq!(code, Some(1), "{out}");
    let drivers = file(
        &folder,
        "built-in /sys/bus/platform/drivers/arm-smmu-v3\n\
         built-in /sys/bus/platform/drivers/sram\n\
         built-in /sys/bus/platform/drivers/of_serial\n\
         built-in /sys/bus/platform/drivers/pwrseq_simple\n",
    );
    let drivers = drivers.display().to_string();
    let more = ["--drivers", &drivers, &log];
    let (out, err, code) = conform("6.12.107", "virt/virt-clients.dts", &more);
    assert_eq!(code, Some(0), "{out}{err}");
}
