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
use crate::engine::footprints::{Flow, Touch, Touched};
use crate::engine::machine::record::{Likeness, Op};
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;
use std::collections::HashMap;

/// What tasks touch, as far as it has been seen when a search began.
pub(super) struct Live {
    touched: HashMap<Likeness, Touched>,
    /// By number of the point: what a task touches behind it; `None` if the point was not seen.
    known: Vec<Option<Touched>>,
}

impl Live {
    /// What has been seen so far.
    pub(super) fn new<M: Model>(flow: &Flow, walk: &Walk<M>) -> Self {
        Self {
            touched: touched(flow, walk).collect(),
            known: vec![],
        }
    }

    /// Forgets what no task of a state will see any more.
    pub(super) fn forget<M: Model>(&mut self, walk: &Walk<M>) {
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
            self.known.push(self.touched.get(&likeness).cloned());
        }
    }

    /// Whether tasks have been seen to touch more than this says.
    pub(super) fn is_outgrown<M: Model>(&self, flow: &Flow, walk: &Walk<M>) -> bool {
        touched(flow, walk).any(|(likeness, touched)| {
            let known = self.touched.get(&likeness);
            known.is_some_and(|known| !known.contains(&touched))
        })
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
