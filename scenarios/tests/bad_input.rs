//! The command line on wrong input: exit code 2, one error on stderr that names the place, and
//! nothing on stdout. And its other exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SALVATOR: &str = "boards/r8a77965-salvator-xs.dts";
const LITMUS: &str = "basics/late-probe-at-bind.litmus";
/// A test of our own to make wrong: its lines stay where they are.
const LITMUS_TEXT: &str = "tests/bad_input/late-probe-at-bind.txt";
/// What a litmus test has to be called.
const LITMUS_FILE: &str = "late-probe-at-bind.litmus";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe-litmus"));
    command.args(arguments);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is text")
}

/// The input is refused with one error, one line of which has all of `parts`.
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{said}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    let errors = said
        .lines()
        .filter(|line| line.starts_with("  × ") || line.starts_with("error: "));
    let errors: Vec<&str> = errors.collect();
    assert_eq!(errors.len(), 1, "{arguments:?}\n{said}");
    for part in parts {
        assert!(errors[0].contains(part), "no `{part}` in\n{said}");
    }
    for noise in ["panicked", "RUST_BACKTRACE", "Error: "] {
        assert!(!said.contains(noise), "`{noise}` in\n{said}");
    }
}

/// A folder with one file in it.
fn folder(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let file = folder.path().join(name);
    std::fs::write(&file, content).expect("the folder is ours");
    (folder, file)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary files have simple names")
}

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(path).expect("the repository is whole")
}

/// `boot` refuses a board with this content, naming the file.
fn board_refused(name: &str, content: &[u8], parts: &[&str]) {
    let (_folder, file) = folder(name, content);
    refused(&["boot", text(&file)], &[&[text(&file)], parts].concat());
}

/// `check`, `explain` and `replay` refuse the test of this repository with `from` replaced by `to`.
fn litmus_refused(from: &str, to: &str, parts: &[&str]) {
    let original = source(LITMUS_TEXT);
    assert!(original.contains(from), "{from}");
    let (_folder, file) = folder(LITMUS_FILE, original.replace(from, to).as_bytes());
    let at = [&[text(&file)], parts].concat();
    let on = ["--boards", "boards"];
    refused(&[&["check", text(&file)], &on[..]].concat(), &at);
    let kernel = ["--kernel", "v6.16"];
    refused(&[&["explain", text(&file)], &on[..], &kernel].concat(), &at);
    refused(
        &[&["replay", text(&file), "0"], &on[..], &kernel].concat(),
        &at,
    );
}

/// The least blob: a header, an empty reservation map, a root without a name, no strings.
fn blob() -> Vec<u8> {
    let structure: [u32; 4] = [1, 0, 2, 9];
    let off_struct = 40 + 16;
    let total = off_struct + 16;
    let header = [0xd00d_feed, total, off_struct, total, 40, 17, 16, 0, 0, 16];
    let words = header.into_iter().chain([0; 4]).chain(structure);
    words.flat_map(u32::to_be_bytes).collect()
}

#[test]
fn a_whole_blob_boots() {
    let (_folder, file) = folder("least.dtb", &blob());
    let output = run(&["boot", text(&file)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_truncated_blob_is_refused() {
    let whole = blob();
    for length in [4, 39, 40, whole.len() - 1] {
        board_refused("cut.dtb", &whole[..length], &["cut.dtb: byte 0x"]);
    }
}

#[test]
fn a_corrupted_blob_is_refused() {
    let mut corrupt = blob();
    corrupt[59] = 0x77;
    board_refused(
        "corrupt.dtb",
        &corrupt,
        &["corrupt.dtb: byte 0x38: found token 0x77"],
    );
    let mut no_magic = blob();
    no_magic[0] = 0;
    board_refused("magic.dtb", &no_magic, &["byte 0x0: found magic"]);
}

#[test]
fn a_dangling_phandle_is_refused_at_its_place() {
    let board = source("boards/one-client.dts");
    let number = board.replace("<&smmu0 0x10>", "<0x77 0x10>");
    board_refused(
        "t.dts",
        number.as_bytes(),
        &["t.dts:13:13: ", "no node has phandle 0x77"],
    );
    let label = board.replace("<&smmu0 0x10>", "<&smmu9 0x10>");
    board_refused(
        "t.dts",
        label.as_bytes(),
        &["t.dts:13:13: ", "no node has the label `smmu9`"],
    );
}

#[test]
fn an_empty_file_is_refused() {
    board_refused("empty.dts", b"", &["empty.dts:1:1: found the end of the"]);
    board_refused("empty.dtb", b"", &["empty.dtb: byte 0x0: "]);
    let (_folder, file) = folder("empty.litmus", b"");
    refused(&["check", text(&file)], &["empty.litmus:1:1: "]);
}

#[test]
fn a_file_that_is_none_is_refused() {
    let (folder, _file) = folder("t.txt", b"");
    let directory = text(folder.path());
    let cannot = [directory, ": cannot read the file: "].concat();
    refused(&["boot", directory], &[&cannot]);
    refused(&["explain", directory, "--kernel", "v6.16"], &[&cannot]);
    refused(&["check", directory], &[directory, "found no .litmus file"]);
    let missing = folder.path().join("no-such.litmus");
    let cannot = [text(&missing), ": cannot read the file: "].concat();
    refused(&["boot", text(&missing)], &[&cannot]);
    refused(&["check", text(&missing)], &[&cannot]);
    refused(&["check"], &["required arguments were not provided"]);
}

#[test]
fn a_litmus_test_with_an_unknown_name_is_refused_at_its_place() {
    litmus_refused(
        "device_attach(client0)",
        "device_atach(client0)",
        &[".litmus:16:6: unknown verb `device_atach`; did you mean `device_attach`?"],
    );
    litmus_refused(
        "v6.15 v6.16",
        "v6.15 v9.99",
        &[".litmus:10:42: unknown kernel `v9.99`", "newest"],
    );
    litmus_refused(
        "v6.15 v6.16",
        "v6.15 1234567890ab",
        &[".litmus:10:42: unknown kernel `1234567890ab`"],
    );
    litmus_refused(
        "device_attach(client0)",
        "device_attach(clinet0)",
        &[".litmus:16:20: unknown device `clinet0`; did you mean `client0`?"],
    );
    litmus_refused(
        "driver_register(arm-smmu-v3)",
        "driver_register(arm-smmu-v4)",
        &[".litmus:15:22: unknown driver `arm-smmu-v4`; did you mean `arm-smmu-v3`?"],
    );
    litmus_refused(
        "one-client.dts",
        "on-client.dts",
        &[".litmus:9:9: found no board `on-client.dts` in boards,"],
    );
}

#[test]
fn a_litmus_test_needs_one_worker_for_what_waits_for_it() {
    litmus_refused(
        "P2 { deferred_probe_work_func }",
        "P2 { deferred_probe_initcall }",
        &[".litmus:17:6: expected a task with `deferred_probe_work_func`"],
    );
    litmus_refused(
        "P1 { device_attach(client0) }",
        "P1 { deferred_probe_work_func }",
        &[".litmus:17:6: expected one task alone to run this work"],
    );
}

#[test]
fn modules_that_make_no_sense_are_refused() {
    let module = ["boot", SALVATOR, "--module", "ravb"];
    refused(
        &[&module[..], &["--module", "ravb"]].concat(),
        &["--module: `ravb` is loaded twice"],
    );
    refused(
        &[&module[..], &["--without", "ravb"]].concat(),
        &["--module: `ravb` is not built"],
    );
}

#[test]
fn a_driver_that_is_registered_in_a_probe_is_on_the_board() {
    litmus_refused(
        "result  bcb81ac6ae3c^ Never\n",
        "result  bcb81ac6ae3c^ Never\ndriver  arm-smmu-v3 : registers=qcom-tbu\n",
        &[&format!(
            "{LITMUS_FILE}:12:33: expected a driver of one of the board's devices"
        )],
    );
}

#[test]
fn a_kernel_that_never_was_is_refused() {
    litmus_refused(
        "kernels bcb81ac6ae3c^",
        "kernels \"v6.12 - 01657bc14a39\" bcb81ac6ae3c^",
        &["cannot be: f188056352bc", "is built on 01657bc14a39"],
    );
}

#[test]
fn a_litmus_test_without_result_is_refused() {
    litmus_refused(
        " * Result: Sometimes\n",
        "",
        &[".litmus:2:1: found no `Result:` in the comment"],
    );
}

/// Each of several errors in a file is said once.
#[test]
fn all_errors_of_a_litmus_test_are_said_once() {
    let wrong = source(LITMUS_TEXT)
        .replace("device_attach(client0)", "device_attach(clinet0)")
        .replace(
            "driver_register(arm-smmu-v3)",
            "driver_register(arm-smmu-v4)",
        );
    let (_folder, file) = folder(LITMUS_FILE, wrong.as_bytes());
    let output = run(&["check", text(&file), "--boards", "boards"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(stdout(&output), "");
    for error in ["unknown driver `arm-smmu-v4`", "unknown device `clinet0`"] {
        assert_eq!(said.matches(error).count(), 1, "{error} in\n{said}");
    }
}

/// Of several scenarios none is explored if one is wrong.
#[test]
fn everything_is_read_before_anything_is_explored() {
    refused(
        &["check", LITMUS, "basics/no-such.litmus"],
        &["basics/no-such.litmus: cannot read the file: "],
    );
    refused(
        &["check", LITMUS, "--kernel", "v6.16", "--kernel", "v9.99"],
        &["--kernel: `v9.99` is newer than "],
    );
}

#[test]
fn boot_refuses_unknown_names_and_says_what_was_meant() {
    let cases: [(&[&str], &[&str]); 9] = [
        (
            &["--kernel", "v9.99"],
            &[
                "--kernel: `v9.99` is newer than ",
                "the newest revision known",
            ],
        ),
        (
            &["--kernel", "1234567890ab"],
            &["--kernel: `1234567890ab` is not a commit of the table"],
        ),
        (
            &["--against", "v5.9"],
            &["--against: `v5.9`", "the model covers"],
        ),
        (
            &["--allow", "ee30000.sata"],
            &["--allow: unknown device `ee30000.sata`; did you mean `ee300000.sata`?"],
        ),
        (
            &["--async", "sata_rca"],
            &["--async: unknown driver `sata_rca`; did you mean `sata_rcar`?"],
        ),
        (
            &["--module", "nothing-like-it"],
            &["--module: unknown driver `nothing-like-it`"],
        ),
        (
            &["--probe", "ee100000.mmc"],
            &["'ee100000.mmc' for '--probe", "expected DEVICE=ERROR"],
        ),
        (
            &["--probe", "ee100000.mmc=-EFOO"],
            &["'ee100000.mmc=-EFOO' for '--probe", "expected DEVICE=ERROR"],
        ),
        (
            &["--probe", "ee10000.mmc=-EPROBE_DEFER"],
            &["--probe: unknown device `ee10000.mmc`; did you mean `ee100000.mmc`?"],
        ),
    ];
    for (options, parts) in cases {
        refused(&[&["boot", SALVATOR], options].concat(), parts);
    }
}

#[test]
fn replay_refuses_what_is_no_schedule() {
    for schedule in [
        "0..1",
        "0.+1",
        "0**1",
        "0*0",
        "0.0*18446744073709551615",
        "0*99999999999999999999",
    ] {
        refused(
            &["replay", LITMUS, "--kernel", "v6.16", schedule],
            &[
                &format!("'{schedule}' for '<SCHEDULE>'"),
                "expected TASK or TASK*TIMES",
            ],
        );
    }
    for (schedule, segment, expected) in [
        ("abc", "1: found `abc`", "expected `TASK until FUNCTION()"),
        ("CPU0 to its end;;", "2: found ``", "or `TASK to its end`"),
        (
            "CPU0 until f() eats x",
            "1: found",
            "expected reads, writes",
        ),
        (
            "CPU0 until f() reads x #0",
            "1: found",
            "from 1 on behind `#`",
        ),
    ] {
        refused(
            &["replay", LITMUS, "--kernel", "v6.16", schedule],
            &[&format!("segment {segment}"), expected],
        );
    }
}

#[test]
fn replay_says_where_a_schedule_does_not_fit() {
    let replay = |schedule: &str| run(&["replay", LITMUS, "--kernel", "v6.16", schedule]);
    let wrong = replay("0.7");
    assert_eq!(wrong.status.code(), Some(1), "{}", stderr(&wrong));
    let why = "The schedule does not fit this scenario: choice 2 is task 7, but only 0, 1 can go ";
    let said = stdout(&wrong).replace('\n', " ");
    assert!(said.ends_with(why), "{said}");

    let counted = ["--schedule", "counted"];
    let explain = [&["explain", LITMUS, "--kernel", "v6.16"][..], &counted].concat();
    let explained = stdout(&run(&explain));
    let schedule = explained.split_whitespace().last();
    let schedule = schedule.expect("explain ends with the schedule");
    let right = replay(schedule);
    assert_eq!(right.status.code(), Some(0), "{}", stderr(&right));

    let too_long = replay(&format!("{schedule}.0*3"));
    assert_eq!(too_long.status.code(), Some(1), "{}", stderr(&too_long));
    let why = "choices, 3 before the end of the schedule ";
    let said = stdout(&too_long).replace('\n', " ");
    assert!(said.ends_with(why), "{said}");
}

#[test]
fn explain_refuses_a_number_that_no_outcome_has() {
    refused(
        &["explain", LITMUS, "--kernel", "v6.16", "--outcome", "999"],
        &["--outcome: found 999, expected a number from 1 to "],
    );
}

#[test]
fn every_help_has_the_exit_codes_and_every_command_an_example() {
    for command in ["boot", "check", "explain", "replay", "kernels"] {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let help = stdout(&output);
        let example = format!("probe-litmus {command} ");
        assert!(help.contains("Example"), "{help}");
        let has_example = help.contains(&example) || command == "kernels";
        assert!(has_example, "{help}");
        assert!(help.contains("Exit codes: 0 "), "{help}");
    }
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("Exit codes: 0 "));
}

#[test]
fn what_runs_before_the_tasks_must_come_to_its_end() {
    for (initial, why) in [
        ("boot", "it waits for deferred_probe_work"),
        (
            "deferred_probe_work_func",
            "it waits for deferred_probe_work",
        ),
        (
            "driver_register(client-drv); driver_register(client-drv); driver_register(client-drv); \
             driver_register(client-drv); driver_register(client-drv)",
            "a list of the model holds at most 4 elements",
        ),
    ] {
        let from = "initial { driver_register(client-drv) }";
        let to = format!("initial {{ {initial} }}");
        litmus_refused(from, &to, &["`initial` does not come to its end", why]);
    }
}

#[test]
fn good_input_is_exit_code_0() {
    let good: [&[&str]; 4] = [
        &["boot", SALVATOR, "--allow", "ee300000.sata"],
        &["check", LITMUS],
        &["explain", LITMUS, "--kernel", "v6.16"],
        &["kernels"],
    ];
    for arguments in good {
        let output = run(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{said}");
        assert_eq!(said, "", "{arguments:?}");
        assert_ne!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_verdict_that_is_not_as_stated_is_exit_code_1() {
    let wrong = source(LITMUS_TEXT).replace("Result: Sometimes", "Result: Always");
    let (_folder, file) = folder(LITMUS_FILE, wrong.as_bytes());
    let output = run(&["check", text(&file), "--boards", "boards"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("Always"), "{}", stdout(&output));
}

#[test]
fn an_exploration_that_is_cut_short_is_exit_code_1() {
    let output = run(&["check", LITMUS, "--max-states", "10"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let bound = "Complete no (stopped at the bound of 10 states; ";
    assert!(stdout(&output).contains(bound), "{}", stdout(&output));
}

/// With none too many for the bound the answer is the same as without it.
#[test]
fn a_bound_of_preemptions_says_whether_schedules_were_left_out() {
    let check = |more: &[&str]| run(&[&["check", LITMUS], more].concat());
    for memory in ["sc", "weak"] {
        let check = |more: &[&str]| check(&[&["--memory", memory], more].concat());
        let output = check(&["--preemptions", "0"]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let bound = "Complete no (preemptions on a schedule: 0 at most; others were not explored)";
        assert!(stdout(&output).contains(bound), "{}", stdout(&output));
        let output = check(&["--preemptions", "1000"]);
        assert_eq!(output.status.code(), check(&[]).status.code());
        assert!(
            stdout(&output).contains("Complete yes"),
            "{}",
            stdout(&output)
        );
    }
    for (more, found) in [
        (["--engine", "loom"], "found --engine loom"),
        (["--on", "sleep-sets"], "found --on sleep-sets"),
        (["--off", "merge"], "found --off merge"),
    ] {
        let output = check(&[&["--preemptions", "1"], &more[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        assert!(stderr(&output).contains(found), "{}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_exploration_says_so_and_is_exit_code_1() {
    let child = Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .args(["boot", "boards/ipmmu-two-leaves.dts", "--explore"])
        .args(["--async", "*"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // The exploration would take minutes at least; by then it is under way.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("there is kill").success());
    let output = child.wait_with_output().expect("it ends");
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Complete no (interrupted after "), "{said}");
}

#[test]
fn weak_memory_has_a_bound_of_time() {
    let output = run(&["check", LITMUS, "--memory", "weak", "--max-seconds", "0"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let bound = "Complete no (stopped at the bound of 0 seconds";
    assert!(stdout(&output).contains(bound), "{}", stdout(&output));
}

/// Sleep sets are for one thread and need to know what tasks touch; the search with them finds the
/// same outcomes and does not say how many schedules there are.
#[test]
fn sleep_sets_say_what_they_do_without() {
    let check = |more: &[&str]| run(&[&["check", LITMUS, "--on", "sleep-sets"], more].concat());
    let refused = |more: &[&str], part: &str| {
        let output = check(more);
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    };
    refused(&["--workers", "2"], "found --workers 2, expected 1");
    refused(&["--off", "persistent-sets"], "found --off persistent-sets");
    refused(
        &["--kernel", "v6.16", "--checkpoint", "never"],
        "with sleep sets",
    );
    let (with, without) = (check(&[]), run(&["check", LITMUS]));
    assert_eq!(with.status.code(), without.status.code());
    let outcomes = |output: &Output| -> Vec<String> {
        let text = stdout(output);
        let lines = text.lines().filter(|l| l.contains("of_xlate"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(outcomes(&with), outcomes(&without));
    assert!(!outcomes(&with).is_empty());
    assert!(
        stdout(&with).contains("Interleavings at least"),
        "{}",
        stdout(&with)
    );
}

/// Source-DPOR merges no states; it finds the outcomes that the exhaustive engine finds.
#[test]
fn source_dpor_finds_the_same_outcomes() {
    let check = |more: &[&str]| {
        let arguments = [
            "check",
            "acpi/acpi-registration-against-bind.litmus",
            "--kernel",
            "v7.3-rc7",
        ];
        stdout(&run(&[&arguments, more].concat()))
    };
    let outcomes = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|l| l.contains("of_xlate"));
        lines.map(str::to_owned).collect()
    };
    let (ours, dpor) = (check(&[]), check(&["--engine", "source-dpor"]));
    assert!(!outcomes(&ours).is_empty(), "{ours}");
    assert_eq!(outcomes(&ours), outcomes(&dpor));
    assert!(dpor.contains("Complete yes"), "{dpor}");
    let bounded = check(&["--engine", "source-dpor", "--iterations", "1"]);
    assert!(
        bounded.contains("Complete no (stopped at the bound of 1 executions"),
        "{bounded}"
    );
}

#[test]
fn weak_memory_has_one_engine() {
    let check = |more: &[&str], part: &str| {
        let arguments = [&["check", LITMUS, "--memory", "weak"], more].concat();
        refused(&arguments, &["--memory weak: found ", part]);
    };
    check(&["--engine", "loom"], "--engine loom, expected");
    check(&["--engine", "shuttle"], "--engine shuttle, expected");
    check(&["--off", "merge"], "--off merge, expected lock-aware");
    check(&["--on", "sleep-sets"], "--on sleep-sets, which only");
    refused(
        &["check", LITMUS, "--memory", "tso"],
        &["'tso'", "--memory"],
    );
}

/// What `explain` prints under weak memory replays there, and is said to be weak by `check` alone
/// where it is.
#[test]
fn weak_memory_is_said_and_its_schedules_replay() {
    // Without the worker it is over soon.
    let original = source(LITMUS_TEXT);
    let (with, without) = ("P2 { deferred_probe_work_func }\n", "");
    assert!(original.contains(with));
    let small = original.replace(with, without);
    let (_folder, file) = folder(LITMUS_FILE, small.as_bytes());
    let file = text(&file);
    let on = ["--kernel", "v6.16", "--boards", "boards"];
    let counts = |more: &[&str]| {
        let said = stdout(&run(&[&["check", file], &on[..], more].concat()));
        said.lines().nth(1).expect("the counts").to_owned()
    };
    assert!(counts(&["--memory", "weak"]).ends_with("  Memory weak"));
    assert_eq!(counts(&[]), counts(&["--memory", "sc"]));
    assert!(!counts(&[]).contains("Memory"));
    let weak = |command: &str, more: &str| {
        let more: &[&str] = if more.is_empty() { &[] } else { &[more] };
        run(&[&[command, file, "--memory", "weak"], &on[..], more].concat())
    };
    let explained = stdout(&weak("explain", ""));
    assert!(explained.contains(" --memory weak"), "{explained}");
    let schedule = explained.split('\'').nth(1);
    let right = weak("replay", schedule.expect("explain ends with the schedule"));
    assert_eq!(right.status.code(), Some(0), "{}", stdout(&right));
}
