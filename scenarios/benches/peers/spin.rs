//! SPIN: `core.pml` made into a verifier, and what that finds.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared by the bench and a test, which use the part they need"
)]

use super::scenario::Case;
use super::watch::{Watched, number_in, watch};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How the verifier is compiled: the fastest of those that are exact, see docs/peers.md.
pub const CFLAGS: &[&str] = &["-O2", "-DSAFETY", "-DNOFAIR", "-DMEMLIM=8192"];

/// What is missing, or `None` if SPIN and a C compiler are installed.
pub fn missing() -> Option<&'static str> {
    let runs = |program: &str, arg: &str| {
        let output = Command::new(program).arg(arg).output();
        output.is_ok_and(|o| o.status.success())
    };
    if !runs("spin", "-V") {
        return Some("spin: not installed");
    }
    if !runs("cc", "--version") {
        return Some("spin: cc is not installed");
    }
    None
}

/// Makes the verifier of a case in `directory`, and gives its path or what went wrong.
pub fn compile(case: Case, directory: &Path) -> Result<PathBuf, String> {
    let source = directory.join("core.pml");
    fs::write(&source, include_str!("core.pml")).map_err(|e| e.to_string())?;
    let size = [
        format!("-DD={}", case.clients),
        format!("-DT={}", case.tasks),
    ];
    let mut spin = Command::new("spin");
    run(spin
        .arg("-a")
        .args(size)
        .arg(&source)
        .current_dir(directory))?;
    let mut cc = Command::new("cc");
    run(cc
        .args(CFLAGS)
        .args(["-o", "pan", "pan.c"])
        .current_dir(directory))?;
    Ok(directory.join("pan"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&text)))
}

/// Runs a verifier with a table of 2 to the power of `slots` slots for states.
pub fn verify(pan: &Path, slots: u32, limit: Duration) -> Result<Watched, String> {
    let directory = pan.parent().expect("it was made in a directory");
    let mut command = Command::new(pan);
    command.args(["-m20000", "-n", &format!("-w{slots}")]);
    command.current_dir(directory);
    let watched = watch(&mut command, limit, Duration::ZERO).map_err(|e| e.to_string())?;
    let says = |text: &str| watched.lines.iter().any(|l| l.contains(text));
    let complete = says("errors: 0") && !says("Search not completed");
    if watched.ended && (!complete || says("max search depth too small")) {
        return Err(watched.lines.join("\n"));
    }
    Ok(watched)
}

/// States stored and transitions taken, of a verifier that has ended.
pub fn counts(watched: &Watched) -> (Option<u64>, Option<u64>) {
    (
        number_in(&watched.lines, "", "states, stored"),
        number_in(&watched.lines, "", "transitions (= stored+matched)"),
    )
}
