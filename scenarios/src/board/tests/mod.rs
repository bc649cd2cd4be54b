//! Tests of the readers: text, blobs, and the boards of this project against real ones.

mod acpi;
mod blobs;
mod boards;
mod text;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Board, from_bytes};

/// Says on the real standard error (which the test harness does not swallow) that a part of a
/// test did not run.
fn not_run(what: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: {what}");
}

/// A real blob: `shared/boards` beside the checkout, or beside the main checkout if this is a
/// linked worktree.
fn real_blob(name: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let beside = |checkout: &Path| Some(checkout.parent()?.join("shared/boards").join(name));
    let found = beside(root).and_then(|path| std::fs::read(path).ok());
    let found = found.or_else(|| std::fs::read(beside(&main_checkout(root)?)?).ok());
    if found.is_none() {
        not_run(&format!(
            "comparison with {name}: shared/boards/{name} absent"
        ));
    }
    found
}

/// Where the main checkout of a linked worktree is: its `.git` is a file that says so.
fn main_checkout(worktree: &Path) -> Option<PathBuf> {
    let link = std::fs::read_to_string(worktree.join(".git")).ok()?;
    let git_dir = Path::new(link.strip_prefix("gitdir:")?.trim());
    Some(git_dir.ancestors().nth(3)?.to_owned())
}

/// What dtc makes of `input`, `None` with a notice if there is no dtc.
fn dtc(from: &str, to: &str, input: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new("dtc");
    command.args(["-q", "-I", from, "-O", to, "-o", "-", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        not_run("comparison with dtc: dtc absent");
        return None;
    };
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("dtc runs");
    let _ = writer.join();
    assert!(output.status.success(), "dtc refuses the input");
    Some(output.stdout)
}

/// A board that must load.
fn board(file_name: &str, bytes: &[u8]) -> Board {
    from_bytes(file_name, bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// The one-line form of the error that must come.
fn error(file_name: &str, bytes: &[u8]) -> String {
    match from_bytes(file_name, bytes) {
        Ok(board) => panic!("no error, but {:?}", board.tree),
        Err(error) => error.to_string(),
    }
}
