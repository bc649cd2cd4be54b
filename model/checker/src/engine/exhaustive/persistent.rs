//! Which of the tasks that can go a worker lets go at a state.

use super::worker::Worker;
use crate::engine::automaton::NodeId;
use crate::engine::footprints::RelianceId;
use crate::engine::schedule::Turn;
use crate::model::Model;

impl<M: Model> Worker<'_, M> {
    /// Of the turns that can be taken, those that are, in `let_go`: in an order that depends on the
    /// state alone and not on how it was come to.
    pub(super) fn choose(&mut self) {
        self.choose_tasks();
        if !self.walk.is_weak() {
            return;
        }
        self.turns.clear();
        for turn in &self.let_go {
            let picks = 0..self.walk.alternatives(turn.task);
            self.turns.extend(picks.map(|pick| Turn { pick, ..*turn }));
        }
        std::mem::swap(&mut self.turns, &mut self.let_go);
    }

    /// As [`Worker::choose`], one turn of each task.
    fn choose_tasks(&mut self) {
        self.let_go.clear();
        self.let_go
            .extend(self.enabled.iter().copied().map(Turn::from));
        if self.let_go.len() < 2 {
            self.in_order.clone_from(&self.let_go);
            return;
        }
        self.put_in_order();
        if self.sleep.is_some() {
            self.in_order.clone_from(&self.let_go);
        }
        let is_kept =
            self.footprints.is_some() && self.sleep.is_none() && !self.preemptions.are_bounded();
        if is_kept {
            let points = self.walk.points();
            if let Some(choice) = self.by_points.choose(points, &mut self.let_go) {
                self.reliances.choose(choice.relies_on);
                return;
            }
            self.turns.clone_from(&self.let_go);
        }
        self.know();
        if self.preemptions.are_bounded() {
            self.keep_to_preemptions();
            return;
        }
        let relies_on = self.keep_to_persistent_set();
        self.reliances.choose(relies_on);
        if is_kept {
            let (points, could_go) = (self.walk.points(), &self.turns);
            self.by_points
                .keep_choice(points, could_go, &self.let_go, relies_on);
        }
    }

    /// Puts the tasks that can go in an order that depends on the state alone: by what they run and where
    /// they stand, and under weak memory, where several stand at one point, by what they see.
    fn put_in_order(&mut self) {
        let walk = &self.walk;
        let at = |t: &Turn| (walk.key(t.task).entry, walk.node(t.task).fingerprint);
        let standing = |t: &Turn| walk.standing(t.task);
        self.let_go.sort_unstable_by(|a, b| {
            let order = at(a).cmp(&at(b));
            order.then_with(|| standing(a).cmp(&standing(b)))
        });
    }

    /// Of the tasks that can go only those of a persistent set are let go. Gives what that relies on, if
    /// that is kept.
    fn keep_to_persistent_set(&mut self) -> Option<RelianceId> {
        let footprints = self.footprints.as_deref()?;
        let seen = (footprints, &self.known[..]);
        let (walk, alive) = (&self.walk, &mut self.alive);
        let begin = self.let_go.iter().map(|turn| turn.task);
        let set = alive.persistent(walk, seen, &self.enabled, begin)?;
        self.claims.note(alive.standings(), set);
        self.let_go.retain(|turn| alive.is_in(turn.task, set));
        self.reliances.number(alive.standings(), set)
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
