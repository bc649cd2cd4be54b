//! The boot of a whole board: what `probe-litmus boot` does.
//!
//! One schedule, the default one, is run and recorded; [`calls`] reads the of_xlate calls off the
//! record, [`report`] writes the log and the tables.

pub mod calls;
pub mod report;
pub mod survey;

use crate::board::Board;
use crate::setup::{self, SetupError};
use calls::XlateCall;
use checker::engine::exhaustive::{
    CheckpointError, Go, Options, Progress, Trace, run_default, try_explore_with,
};
use checker::event::{Event, TaskId, What};
use checker::outcome::Report;
use kernel::config::Config;
use kernel::kernel::Kernel;
use kernel::model::Start;
use kernel::outcome::Outcome;
use kernel::revision::Revision;
use std::sync::Arc;

/// One recorded boot.
#[derive(Debug)]
pub struct Boot {
    /// The kernel that was booted.
    pub kernel: Arc<Kernel>,
    /// All that happened.
    pub trace: Trace<Outcome>,
    /// The of_xlate calls in order.
    pub calls: Vec<XlateCall>,
}

/// Boots a board under the default schedule: the initcall thread first, then what it scheduled
/// asynchronously, then the deferred-probe workqueue.
pub fn boot(board: &Board, revision: Revision, config: Config) -> Result<Boot, SetupError> {
    let kernel = setup::kernel(board, revision, config, |_| Start::Boot)?;
    let trace = run_default(&kernel);
    let calls = calls::of_xlate_calls(&trace.events);
    Ok(Boot {
        kernel,
        trace,
        calls,
    })
}

/// Explores all schedules of a boot; says what is wrong with a checkpoint.
pub fn explore(
    kernel: &Arc<Kernel>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Report<Outcome>, CheckpointError> {
    try_explore_with(kernel, options, progress)
}

impl Boot {
    /// The log as the reporter's debug print makes it, one line a call:
    /// `platform ec700000.dma-controller: ipmmu_of_xlate`.
    pub fn log(&self) -> Vec<String> {
        self.calls.iter().map(ToString::to_string).collect()
    }

    /// What really_probe() returned for a device, in order.
    pub fn probes(&self, device: &str) -> Vec<i32> {
        let mut open: Vec<(TaskId, &'static str, bool)> = vec![];
        let mut returns = vec![];
        for event in &self.trace.events {
            match &event.what {
                What::Enter { function, object } => {
                    let is_it = *function == "really_probe" && object == device;
                    open.push((event.task, function, is_it));
                }
                What::Exit { function, ret } => {
                    let is_open =
                        |(t, f, _): &(TaskId, &str, bool)| *t == event.task && f == function;
                    let Some(call) = open.iter().rposition(is_open) else {
                        continue;
                    };
                    if open.remove(call).2 {
                        returns.extend(ret.parse::<i32>().ok());
                    }
                }
                _ => {}
            }
        }
        returns
    }

    /// The texts of all notes of one kind, in order.
    pub fn notes<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a str> {
        notes(&self.trace.events, wanted)
    }
}

/// The texts of all notes of one kind, in order.
pub fn notes<'a>(events: &'a [Event], wanted: &'a str) -> impl Iterator<Item = &'a str> {
    events.iter().filter_map(move |e| match &e.what {
        What::Note { kind, text } if *kind == wanted => Some(text.as_str()),
        _ => None,
    })
}
