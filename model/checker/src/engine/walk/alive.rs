//! The tasks of a state as the choice of a persistent set sees them.

use super::Walk;
use crate::engine::footprints::{Blocker, Footprints, Known, Standing};
use crate::engine::machine::record::Op;
use crate::event::TaskId;
use crate::layout::LockId;
use crate::model::Model;

/// Tasks that a set of them can tell apart.
const MOST: usize = 64;

/// Those that have not ended.
#[derive(Default)]
pub(crate) struct Alive {
    tasks: Vec<TaskId>,
    standings: Vec<Standing>,
    seeds: Vec<usize>,
}

impl Alive {
    /// A persistent set at the state where the walk is: see [`Footprints::persistent`]. `known` by
    /// point, the tasks that can go in order, and those of them to begin with. Nothing if there are
    /// more tasks than a set can tell apart.
    pub(crate) fn persistent<M: Model>(
        &mut self,
        walk: &Walk<M>,
        (footprints, known): (&Footprints, &[Known]),
        enabled: &[TaskId],
        begin: impl Iterator<Item = TaskId>,
    ) -> Option<u64> {
        self.look_at(walk, known, enabled);
        if self.tasks.len() > MOST {
            return None;
        }
        let tasks = &self.tasks;
        let number = |task: &TaskId| tasks.iter().position(|t| t == task);
        self.seeds.clear();
        self.seeds.extend(begin.filter_map(|task| number(&task)));
        Some(footprints.persistent(&self.standings, &self.seeds))
    }

    /// What is known of them.
    pub(crate) fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Whether a task that can go is in a set.
    pub(crate) fn is_in(&self, task: TaskId, set: u64) -> bool {
        let number = self.tasks.iter().position(|t| *t == task);
        number.is_none_or(|i| set >> i & 1 != 0)
    }

    fn look_at<M: Model>(&mut self, walk: &Walk<M>, known: &[Known], enabled: &[TaskId]) {
        self.tasks.clear();
        self.standings.clear();
        let nodes = walk.nodes();
        let all = (0..nodes.len() as u32).map(TaskId);
        // One that died with its locks held is needed, to say that nobody lets go of them.
        let holds_locks = |task: &TaskId| walk.automaton().holds_locks(nodes[task.index()]);
        let is_alive = |task: &TaskId| !walk.has_ended(*task) || holds_locks(task);
        self.tasks.extend(all.filter(is_alive));
        let mut enabled = enabled.iter().copied().peekable();
        let tasks = &self.tasks;
        self.standings.extend(tasks.iter().map(|task| {
            let waits_for = match walk.node(*task).op {
                _ if enabled.next_if_eq(task).is_some() => None,
                Op::Lock { lock, .. } => Some(Blocker::Holders(holders(walk, lock, tasks))),
                _ => Some(Blocker::Writers),
            };
            let node = nodes[task.index()];
            Standing {
                node,
                known: known[node.index()],
                waits_for,
            }
        }));
    }
}

/// Which of these tasks hold a lock, as bits.
fn holders<M: Model>(walk: &Walk<M>, lock: LockId, tasks: &[TaskId]) -> u64 {
    let holds = |task: &TaskId| {
        let point = walk.automaton().point(walk.nodes()[task.index()]);
        point.held.iter().any(|(l, _)| *l == lock)
    };
    let bits = tasks.iter().enumerate();
    bits.fold(0, |bits, (i, task)| {
        bits | (u64::from(holds(task)) << (i % 64))
    })
}
