//! Every interleaving, states merged.
//!
//! Depth-first over the choices of a run, see `search.rs`. Two states are one if their fingerprints
//! are equal: all cells, the locks that tasks hold, and of each task what it is about to do and a
//! hash of what it has observed, of which the task is a deterministic function. With 128 bits, the
//! chance that any two of n different states are taken for one is below n² / 2¹²⁹ (10⁹ states:
//! 1.5·10⁻²¹).
//!
//! The states and the choices between them form a graph (`graph.rs`), off which the number of
//! schedules and the shortest schedule to each outcome are read. The graph does not depend on the
//! order in which it was gone through, and neither does anything in the report.
//!
//! Each reduction has its switch in [`Options`]. With [`Options::exact`] the states are kept beside
//! their fingerprints and compared, under weak memory with all stores and what each task has seen of
//! them. What a task has observed is a hash there too: that two different pasts of a task have the same
//! is not seen by it.
//!
//! A search can be written to a file and go on from there, see [`CheckpointFile`], to the same
//! report as if it had not been interrupted.

mod by_points;
mod checkpoint;
pub(crate) mod codec;
mod diagram;
mod ends;
mod estimate;
mod exact;
mod graph;
mod hindsight;
mod job;
mod live;
mod options;
mod order;
mod persistent;
mod preemptions;
mod repair;
mod report;
mod rounds;
mod sampling;
mod search;
mod shared;
mod sleep;
mod straighten;
mod together;
mod visited;
mod worker;

use crate::engine::machine::Machine;
use crate::engine::plain;
use crate::model::Model;
use crate::outcome::Report;
use std::sync::Arc;

pub use crate::engine::replay::{Trace, replay, run_default};
pub use checkpoint::{CheckpointError, Problem};
pub use options::{CheckpointFile, Go, Options, Progress};
pub use straighten::{MAX_CHOICES, MAX_STEPS, Straight, straighten};

/// Runs a model's set-up alone; says why it does not come to its end, if so: it waits, dies in an
/// oops, or hits a limit of the model. To explore such a model panics.
pub fn try_set_up<M: Model>(model: &Arc<M>) -> Result<(), String> {
    Machine::try_new(model.clone(), false).map(|_| ())
}

/// Explores all interleavings of a model.
pub fn explore<M: Model>(model: &Arc<M>, options: &Options) -> Report<M::Outcome> {
    explore_with(model, options, &mut |_| Go::On)
}

/// As [`explore`], calling `progress` every few thousand states.
///
/// # Panics
///
/// If a checkpoint cannot be read, or not be written at the beginning.
pub fn explore_with<M: Model>(
    model: &Arc<M>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Report<M::Outcome> {
    try_explore_with(model, options, progress).unwrap_or_else(|error| panic!("{error}"))
}

/// As [`explore_with`]; says what is wrong with a checkpoint.
///
/// # Panics
///
/// If several workers, or a bound of preemptions, are asked for together with sleep sets; or such a bound
/// without merging or automata.
///
/// # Errors
///
/// If a checkpoint cannot be read, is damaged, is one of something else, or cannot be written at
/// the beginning. What goes wrong with the disk later ends no search.
pub fn try_explore_with<M: Model>(
    model: &Arc<M>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Report<M::Outcome>, CheckpointError> {
    let has_sleep_sets = options.sleep_sets && options.persistent_sets && !options.weak_memory;
    assert!(
        !has_sleep_sets || options.workers == 1,
        "sleep sets are for one worker"
    );
    let has_graph = options.weak_memory || options.merge && options.automaton;
    let is_bounded = options.preemption_bound.is_some();
    assert!(
        !is_bounded || (!has_sleep_sets && has_graph),
        "a bound of preemptions needs merging and automata, and no sleep sets"
    );
    let can_be_saved = has_graph && !options.exact && (options.weak_memory || !options.sleep_sets);
    if let (false, Some(file)) = (can_be_saved, options.any_checkpoint()) {
        return Err(CheckpointError::new(file, Problem::Unsupported));
    }
    if has_graph {
        search::explore(model, options, progress)
    } else {
        Ok(plain::explore(model, options, progress))
    }
}
