//! Device trees of real boards. They are not part of this repository: `shared/boards` beside it.

use scenarios::board::{self, Board};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The blob of a board; without it, a notice on the real standard error, which the test harness
/// does not swallow.
pub(crate) fn real(name: &str) -> Option<Board> {
    let blob = Path::new("shared/boards").join(format!("{name}.dtb"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let beside = root
        .into_iter()
        .flat_map(|root| [Some(root.to_owned()), main_checkout(root)])
        .filter_map(|checkout| Some(checkout?.parent()?.join(&blob)));
    let found = beside.into_iter().find(|path| path.is_file());
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "NOT RUN: {} absent", blob.display());
    }
    Some(board::load(&found?).unwrap_or_else(|e| panic!("{e}")))
}

/// Where the main checkout of a linked worktree is: its `.git` is a file that says so.
fn main_checkout(worktree: &Path) -> Option<PathBuf> {
    let link = std::fs::read_to_string(worktree.join(".git")).ok()?;
    let git_dir = Path::new(link.strip_prefix("gitdir:")?.trim());
    Some(git_dir.ancestors().nth(3)?.to_owned())
}
