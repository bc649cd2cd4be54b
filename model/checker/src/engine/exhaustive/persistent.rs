//! Which of the tasks that can go a worker lets go at a state.

use super::worker::Worker;
use crate::engine::automaton::NodeId;
use crate::engine::footprints::{Flow, Footprints};
use crate::event::TaskId;
use crate::model::Model;
use std::sync::Arc;

impl<M: Model> Worker<'_, M> {
    /// The tasks that are let go, in an order that depends on the state alone and not on how it was
    /// come to.
    pub(super) fn canonical(&mut self) -> Vec<TaskId> {
        let mut tasks = self.enabled.clone();
        self.sort(&mut tasks);
        match self.footprints.clone() {
            Some(footprints) => self.persistent(&footprints, &tasks),
            None => tasks,
        }
    }

    /// The smallest persistent set that is found by beginning with one of the tasks that can go:
    /// those of it that can.
    fn persistent(&mut self, footprints: &Footprints, enabled: &[TaskId]) -> Vec<TaskId> {
        while self.known.len() < self.walk.automaton().len() {
            let node = NodeId::new(self.known.len());
            let known = footprints.of(&self.walk.automaton().point(node).identity);
            self.known.push(known);
        }
        let mut best = enabled.to_vec();
        for first in enabled {
            if best.len() == 1 {
                break;
            }
            let set = self.closure(footprints, *first, enabled);
            let able: Vec<TaskId> = enabled.iter().copied().filter(|t| set[t.index()]).collect();
            if able.len() < best.len() {
                best = able;
            }
        }
        best
    }

    /// The least persistent set with this task.
    fn closure(&self, footprints: &Footprints, first: TaskId, enabled: &[TaskId]) -> Vec<bool> {
        let nodes = self.walk.nodes();
        let mut set = vec![false; nodes.len()];
        let mut work = vec![first];
        set[first.index()] = true;
        while let Some(task) = work.pop() {
            let step = self.known[nodes[task.index()].index()];
            let is_blocked = !enabled.contains(&task);
            for other in (0..nodes.len()).filter(|o| !set[*o]).collect::<Vec<_>>() {
                let id = TaskId(other as u32);
                let adds = match is_blocked
                    .then(|| self.walk.keeps_waiting(task, id))
                    .flatten()
                {
                    Some(keeps) => keeps,
                    None => footprints.conflict(step, self.known[nodes[other].index()]),
                };
                if adds {
                    set[other] = true;
                    work.push(id);
                }
            }
        }
        set
    }

    /// Takes in what the tasks have been seen to do, once that has become more.
    pub(super) fn learn_footprints(&mut self) {
        if self.footprints.is_none() {
            return;
        }
        self.count_points();
        if self.points < self.known_points + self.known_points / 8 + 16 {
            return;
        }
        self.known_points = self.points;
        let mut flow = Flow::clone(&self.flow);
        flow.add(self.walk.automaton());
        let footprints = Footprints::new(&flow, &self.walk.machine().watch());
        self.footprints = Some(Arc::new(footprints));
        self.is_mixed = true;
        self.known.clear();
    }

    /// Counts the points that are new: seen neither before this worker began nor by it so far.
    fn count_points(&mut self) {
        let automaton = self.walk.automaton();
        let new = (self.counted..automaton.len())
            .filter(|at| {
                let point = automaton.point(NodeId::new(*at));
                !self.flow.contains(&point.identity)
            })
            .count();
        self.points += new;
        self.counted = automaton.len();
    }

    pub(super) fn sort(&self, tasks: &mut [TaskId]) {
        let nodes = self.walk.nodes();
        tasks.sort_unstable_by_key(|t| {
            let node = self.walk.automaton().node(nodes[t.index()]);
            (self.walk.key(*t).entry, node.fingerprint)
        });
    }
}
