//! What no task will see any more: see [`super::memory::WeakMemory::forget_untouched`].
//!
//! How far a task has got along the stores of a cell that it will not touch again decides nothing, and
//! neither do the stores of a cell that nobody will touch again. States that differ in this alone are
//! one, as with dead cells under sequential consistency ([`crate::engine::footprints`]). Which cells
//! a task touches behind a point is learnt in the same way: from random schedules, and from what the
//! search sees. Behind a point that has not been seen a task may touch everything. Behind one that has
//! it may touch more than has been seen, and then the search was wrong to forget, and begins again.
//!
//! That it sees this: suppose two states were taken for one, and a run from the second, of the least
//! length, touches a cell that was taken to be touched no more. Up to there the same run goes from
//! the first, which was explored, so that the task has been seen to touch it behind the point where it
//! stood.

use super::forget::Ahead;
use crate::engine::automaton::NodeId;
use crate::engine::exhaustive::codec::{Malformed, Reader, Writer};
use crate::engine::footprints::{Flow, Touch, Touched};
use crate::engine::machine::record::{Likeness, Op};
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;
use std::collections::HashMap;
use std::sync::Arc;

/// What tasks touch behind their points, as far as it has been seen when a round began.
pub(crate) struct Behind(HashMap<Likeness, Touched>);

impl Behind {
    /// What has been seen so far.
    pub(crate) fn new<M: Model>(flow: &Flow, walk: &Walk<M>) -> Self {
        Self(touched(flow, walk).collect())
    }

    /// Whether tasks have been seen to touch more than this says.
    pub(crate) fn is_outgrown<M: Model>(&self, flow: &Flow, walk: &Walk<M>) -> bool {
        touched(flow, walk).any(|(likeness, touched)| {
            let known = self.0.get(&likeness);
            known.is_some_and(|known| !known.contains(&touched))
        })
    }

    /// Writes it to a checkpoint.
    pub(crate) fn save(&self, out: &mut Writer) {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_unstable_by_key(|(likeness, _)| **likeness);
        out.list(&all, |out, (likeness, touched)| {
            likeness.save(out);
            touched.save(out);
        });
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(from: &mut Reader) -> Result<Self, Malformed> {
        let all = from.list(|from| Ok((Likeness::load(from)?, Touched::load(from)?)))?;
        Ok(Self(all.into_iter().collect()))
    }
}

/// What a worker forgets.
pub(crate) struct Live {
    behind: Arc<Behind>,
    /// By number of the point: what a task touches behind it; `None` if the point was not seen.
    known: Vec<Option<Touched>>,
}

impl Live {
    /// By what was seen when the round began.
    pub(crate) fn new(behind: Arc<Behind>) -> Self {
        let known = vec![];
        Self { behind, known }
    }

    /// What it goes by.
    pub(crate) fn behind(&self) -> &Behind {
        &self.behind
    }

    /// Forgets what no task of the state will see any more where the walk is.
    pub(crate) fn forget<M: Model>(&mut self, walk: &mut Walk<M>) {
        walk.keep_sight();
        let walk = &*walk;
        self.look_up(walk);
        let ahead = StatesAhead {
            walk,
            known: &self.known,
        };
        walk.machine().world().forget_untouched(&ahead);
    }

    /// Looks up what is known of the points that are new.
    fn look_up<M: Model>(&mut self, walk: &Walk<M>) {
        let automaton = walk.automaton();
        for at in self.known.len()..automaton.len() {
            let likeness = automaton.point(NodeId::new(at)).identity.likeness();
            self.known.push(self.behind.0.get(&likeness).cloned());
        }
    }
}

/// What is done behind each point.
fn touched<M: Model>(flow: &Flow, walk: &Walk<M>) -> impl Iterator<Item = (Likeness, Touched)> {
    let layout = walk.machine().model().layout();
    flow.touched(layout.cells().len(), layout.locks().len())
}

/// What is ahead of the tasks of a state.
struct StatesAhead<'a, M: Model> {
    walk: &'a Walk<M>,
    known: &'a [Option<Touched>],
}

impl<M: Model> Ahead for StatesAhead<'_, M> {
    fn touches(&self, task: TaskId, touch: Touch) -> bool {
        let known = &self.known[self.walk.nodes()[task.index()].index()];
        known.as_ref().is_none_or(|touched| touched.has(touch))
    }

    fn next(&self, task: TaskId) -> Op {
        self.walk.node(task).op
    }
}
