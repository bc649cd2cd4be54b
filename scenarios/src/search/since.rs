//! Since which commit a finding is there: bisected over the model's table.

use super::space::Combination;
use super::test::Asked;
use crate::litmus::Verdict;
use crate::runner::TestError;
use checker::engine::exhaustive::{Go, Options};
use checker::outcome::Complete;
use kernel::commit::{self, Commit};
use kernel::revision::{OLDEST, Revision};

/// The verdict of a test on a kernel, and whether it was explored to its end.
pub(super) fn verdict(
    combination: &Combination,
    asked: &Asked,
    kernel: &str,
    max_states: u64,
) -> Result<(Verdict, bool), TestError> {
    let options = Options {
        max_states,
        schedules: false,
        ..Options::default()
    };
    let answer = combination
        .test(asked)?
        .run(kernel, &options, &mut |_| Go::On)?;
    Ok((answer.observed, answer.report.complete == Complete::Yes))
}

/// The mainline commits after the oldest tag that this kernel has, the oldest first.
fn commits(kernel: Revision) -> Vec<&'static Commit> {
    let is_later = |c: &&Commit| c.version > OLDEST && c.is_mainline();
    let has = |c: &&Commit| commit::find(c.id).is_ok_and(|id| kernel.has(id));
    commit::table().filter(is_later).filter(has).collect()
}

/// The commit that brought it; `None` if the oldest kernel has it. That is bisected: it is there at
/// the commit and not at the one before, and what it was in between is not asked.
pub(super) fn since(
    kernel: &str,
    is_there: &mut dyn FnMut(&str) -> Result<bool, TestError>,
) -> Result<Option<&'static str>, TestError> {
    let revision = Revision::parse(kernel).map_err(|e| TestError::Kernel(e.to_string()))?;
    if is_there(&OLDEST.to_string())? {
        return Ok(None);
    }
    let commits = commits(revision);
    let (mut without, mut with) = (0, commits.len());
    // Before `without` it is not there; at `with` it is, since it is at the end.
    while without < with {
        let middle = usize::midpoint(without, with);
        if is_there(commits[middle].id)? {
            with = middle;
        } else {
            without = middle + 1;
        }
    }
    Ok(commits.get(with).map(|c| c.id))
}
