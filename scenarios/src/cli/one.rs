//! One scenario on one kernel: what `explain`, `replay` and `graph` begin with.

use super::machine::Machine;
use super::progress::Watch;
use super::{Boards, MemoryModel};
use checker::engine::exhaustive::Options;
use clap::Args;
use kernel::kernel::Kernel;
use miette::miette;
use scenarios::runner::{Answer, Test};
use std::path::PathBuf;
use std::sync::Arc;

/// Which scenario on which kernel, and how it is explored.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Scenario file
    pub(crate) scenario: PathBuf,
    /// Kernel revision
    #[arg(long, value_name = "REV")]
    pub(crate) kernel: String,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    pub(crate) memory: MemoryModel,
    #[command(flatten)]
    pub(crate) boards: Boards,
}

impl One {
    /// Sets it up, and explores nothing.
    pub(crate) fn set_up(&self) -> miette::Result<(Test, Arc<Kernel>)> {
        let test = Test::load(&self.scenario, &self.boards.of(&self.scenario))?;
        let kernel = test.kernel(&self.kernel)?;
        Ok((test, kernel))
    }

    /// Explores it.
    pub(crate) fn explore(&self) -> miette::Result<(Test, Answer)> {
        let test = Test::load(&self.scenario, &self.boards.of(&self.scenario))?;
        let watch = Watch::new(&test.litmus.name.value);
        let options = self.machine.of(&Options::default());
        let memory = self.memory.get();
        let answer = test.run_in(memory, &self.kernel, &options, &mut |p| watch.look(p))?;
        Ok((test, answer))
    }
}

/// The place of the outcome that `--outcome` names, by its number in the list of `check`; without the
/// option the first that is `wanted`, if there is one.
pub(crate) fn chosen<T>(
    outcomes: &[T],
    number: Option<usize>,
    wanted: impl FnMut(&T) -> bool,
) -> miette::Result<Option<usize>> {
    let Some(n) = number else {
        return Ok(outcomes.iter().position(wanted));
    };
    let total = outcomes.len();
    match n.checked_sub(1).filter(|i| *i < total) {
        Some(i) => Ok(Some(i)),
        None => Err(miette!(
            "--outcome: found {n}, expected a number from 1 to {total}"
        )),
    }
}
