//! What tasks see under weak memory, as far as a walk has to do with it: what there is to choose, and
//! taking it back.

use super::{Move, Walk};
use crate::engine::machine::memory::Weak;
use crate::engine::schedule::Turn;
use crate::event::TaskId;
use crate::hash::Rolling;
use crate::layout::CellId;
use crate::model::Model;

impl<M: Model> Walk<M> {
    /// Whether it is under weak memory.
    #[inline]
    pub(crate) fn is_weak(&self) -> bool {
        self.is_weak
    }

    /// How many turns a task has.
    pub(crate) fn alternatives(&self, task: TaskId) -> u32 {
        let op = &self.node(task).op;
        self.machine.world().alternatives(task, op)
    }

    /// A cell whose accesses would have had to be steps, if that has shown.
    pub(crate) fn surprise(&self) -> Option<CellId> {
        self.machine.world().weak()?.surprise()
    }

    /// What tasks see; nothing under sequential consistency.
    pub(super) fn seen(&self) -> Option<Weak> {
        self.machine.world().weak().cloned()
    }

    /// What tasks see is about to change: it can be taken back to the last place from now on.
    pub(crate) fn keep_sight(&mut self) {
        if self.tasks.is_sight_kept.replace(true) {
            return;
        }
        if let Some(seen) = self.seen() {
            self.tasks.seen.push(seen);
            self.tasks.moves.push(Move::Sight);
        }
    }

    /// About how many bytes it takes to take back the way here.
    pub(crate) fn way_bytes(&self) -> u64 {
        let changes =
            self.machine.world().place().bytes() + self.tasks.moves.len() * size_of::<Move>();
        let seen = self.tasks.seen.iter().map(Weak::bytes);
        changes as u64 + seen.sum::<u64>()
    }

    /// Begins a turn: whether the task takes a step, and does not wait on.
    pub(super) fn begin_turn(&mut self, turn: Turn) -> bool {
        self.keep_sight();
        let op = self.node(turn.task).op;
        self.machine.world().begin_turn(turn, &op)
    }

    /// What tells a task apart from others: where it stands, and what it sees.
    pub(crate) fn standing(&self, task: TaskId) -> u128 {
        let point = self.node(task).fingerprint;
        let world = self.machine.world();
        let Some(sight) = world.weak().and_then(|weak| weak.sight(task)) else {
            return point;
        };
        let mut hash = Rolling::default();
        hash.push_hash(point);
        hash.push_hash(sight);
        hash.finish()
    }

    /// The fingerprint of the state. As under sequential consistency it is the same whichever of several
    /// tasks of one entry stands where.
    pub(super) fn weak_fingerprint(&self) -> u128 {
        let tasks = (0..self.tasks.nodes.len() as u32).map(TaskId);
        let standings = tasks.map(|task| self.standing(task));
        let sum = standings.fold(0, u128::wrapping_add);
        let world = self.machine.world();
        let mut hash = Rolling::default();
        hash.push_hash(world.hash());
        hash.push_hash(sum);
        if let Some(weak) = world.weak() {
            weak.append(&mut hash);
        }
        hash.finish()
    }
}
