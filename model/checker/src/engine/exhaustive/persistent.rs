//! Which of the tasks that can go a worker lets go at a state.

use super::worker::Worker;
use crate::engine::automaton::NodeId;
use crate::event::TaskId;
use crate::model::Model;

impl<M: Model> Worker<'_, M> {
    /// Of the tasks that can go, those that are let go, in `let_go`: in an order that depends on the
    /// state alone and not on how it was come to.
    pub(super) fn choose(&mut self) {
        /// Tasks that a set of them can tell apart.
        const MOST: usize = 64;
        self.let_go.clone_from(&self.enabled);
        if self.let_go.len() < 2 {
            self.in_order.clone_from(&self.let_go);
            return;
        }
        let walk = &self.walk;
        let standing = |t: &TaskId| (walk.key(*t).entry, walk.node(*t).fingerprint);
        self.let_go.sort_unstable_by_key(standing);
        if self.sleep.is_some() {
            self.in_order.clone_from(&self.let_go);
        }
        self.know();
        if self.preemptions.are_bounded() {
            self.keep_to_preemptions();
            return;
        }
        let Some(footprints) = &self.footprints else {
            return;
        };
        let walk = &self.walk;
        let enabled = &self.enabled;
        walk.standings(&self.known, enabled, &mut self.alive, &mut self.standings);
        if self.alive.len() > MOST {
            return;
        }
        let alive = &self.alive;
        let number = |task: &TaskId| alive.iter().position(|t| t == task);
        self.seeds.clear();
        self.seeds.extend(self.let_go.iter().filter_map(number));
        let set = footprints.persistent(&self.standings, &self.seeds);
        self.claims.note(&self.standings, set);
        self.reliances.choose(&self.standings, set);
        self.let_go
            .retain(|task| number(task).is_none_or(|i| set >> i & 1 != 0));
    }

    /// Whether so much more has been seen of the tasks than the round goes by that it is better
    /// begun again.
    pub(super) fn has_learnt_much(&mut self) -> bool {
        if self.footprints.is_none() {
            return false;
        }
        self.count_points();
        self.points >= self.known_points + self.known_points / 8 + 16
    }

    /// Counts the points that are new: seen neither before this worker began nor by it so far.
    fn count_points(&mut self) {
        let automaton = self.walk.automaton();
        let new = (self.counted..automaton.len())
            .filter(|at| {
                let point = automaton.point(NodeId::new(*at));
                !self.flow.contains(&point.identity.likeness())
            })
            .count();
        self.points += new;
        self.counted = automaton.len();
    }
}
