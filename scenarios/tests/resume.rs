//! The program is killed in the middle of an exploration, and goes on from its last checkpoint.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Two clients probe while their SMMU registers: some hundred thousand states.
const SCENARIO: &str = "LITMUS killed
(*
 * Result: Sometimes
 *
 * Does the exploration go on after it was killed?
 *)
board smmu-two-pwrseq.dts
kernels 7.2.13+deb14-arm64

initial { driver_register(pwrseq_simple) }

P0 { driver_register(arm-smmu-v3) }
P1 { device_attach(pwrseq0) }
P2 { device_attach(pwrseq1) }
P3 { deferred_probe_work_func }

exists (WARN(pwrseq0))
";

struct Folder {
    _guard: tempfile::TempDir,
    scenario: PathBuf,
    checkpoint: PathBuf,
}

fn folder() -> Folder {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let scenario = folder.path().join("killed.litmus");
    std::fs::write(&scenario, SCENARIO).expect("the folder is ours");
    Folder {
        scenario,
        checkpoint: folder.path().join("checkpoint"),
        _guard: folder,
    }
}

fn check(scenario: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe-litmus"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
        .arg("check")
        .arg(scenario)
        .args(["--boards", "boards"]);
    command.args(arguments);
    command
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is text");
    (text(&output.stdout), text(&output.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary files have simple names")
}

/// Waits until there is a checkpoint of a search that has come some way, and kills the program.
fn kill_in_the_middle(mut child: Child, checkpoint: &Path) {
    /// A checkpoint of nothing is smaller, and one with some thousand states is larger.
    const SOME_WAY: u64 = 100_000;
    let has_come_some_way = || {
        let size = std::fs::metadata(checkpoint).map(|m| m.len());
        size.is_ok_and(|size| size > SOME_WAY)
    };
    while !has_come_some_way() {
        let over = child.try_wait().expect("it is our child");
        assert!(over.is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    // SIGKILL on Unix.
    child.kill().expect("it runs");
    let status = child.wait().expect("it is our child");
    assert!(status.code().is_none(), "it was killed: {status}");
}

#[test]
fn a_killed_exploration_goes_on_to_the_same_output() {
    let files = folder();
    let checkpoint = path(&files.checkpoint);
    let whole = files.checkpoint.with_extension("whole");
    let expected = check(&files.scenario, &["--checkpoint", path(&whole)])
        .output()
        .expect("the binary runs");
    let (expected, _) = said(&expected);
    assert!(expected.contains("Complete yes"), "{expected}");
    let child = check(
        &files.scenario,
        &["--checkpoint", checkpoint, "--checkpoint-seconds", "0"],
    )
    .stdout(Stdio::null())
    .spawn()
    .expect("the binary runs");
    kill_in_the_middle(child, &files.checkpoint);
    let resumed = check(&files.scenario, &["--resume", checkpoint])
        .output()
        .expect("the binary runs");
    let (stdout, stderr) = said(&resumed);
    assert_eq!(stdout, expected, "{stderr}");
}

#[test]
fn a_bound_says_how_to_go_on_and_the_checkpoint_of_another_kernel_is_refused() {
    let files = folder();
    let checkpoint = path(&files.checkpoint);
    let bounded = check(
        &files.scenario,
        &["--checkpoint", checkpoint, "--max-states", "2000"],
    );
    let (stdout, stderr) = said(&{ bounded }.output().expect("the binary runs"));
    assert!(stdout.contains("go on from the checkpoint"), "{stdout}");
    let advice = format!("to go on: the same command with --resume {checkpoint}");
    assert_eq!(stderr.lines().collect::<Vec<_>>(), [advice.as_str()]);
    let other = check(
        &files.scenario,
        &["--resume", checkpoint, "--kernel", "v6.15"],
    )
    .output();
    let other = other.expect("the binary runs");
    assert_eq!(other.status.code(), Some(2));
    let (stdout, stderr) = said(&other);
    assert_eq!(stdout, "");
    for part in ["checkpoint", "its label is", "7.2.13+deb14-arm64", "v6.15"] {
        assert!(stderr.contains(part), "no `{part}` in\n{stderr}");
    }
}

#[test]
fn one_checkpoint_is_of_one_exploration() {
    let files = folder();
    let arguments = ["basics", "--checkpoint", path(&files.checkpoint)];
    let output = check(&files.scenario, &arguments).output();
    let output = output.expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    let (_, stderr) = said(&output);
    assert!(
        stderr.contains("a checkpoint is of one scenario on one"),
        "{stderr}"
    );
    assert!(!files.checkpoint.exists(), "nothing was begun");
}
