//! Which cells are dead at a state: see [`crate::engine::footprints`].

use super::worker::Worker;
use crate::engine::machine::world::DeadId;
use crate::hash::Words;
use crate::model::Model;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// The sets of dead cells of one worker's run.
#[derive(Default)]
pub(super) struct Dead {
    /// By the numbers of what the tasks still read, in order.
    known: HashMap<Box<[u32]>, DeadId, BuildHasherDefault<Words>>,
    /// The last of them.
    last: Vec<u32>,
    now: Vec<u32>,
    id: Option<DeadId>,
}

impl<M: Model> Worker<'_, M> {
    /// Leaves out of the fingerprint what no task will read any more; under weak memory forgets what none
    /// will see.
    pub(super) fn forget(&mut self) {
        if let Some(live) = &mut self.live {
            live.forget(&mut self.walk);
        }
        if !self.shared.options.live_variables || self.walk.is_weak() {
            return;
        }
        self.know();
        let Some(footprints) = &self.footprints else {
            return;
        };
        let dead = &mut self.dead;
        dead.now.clear();
        let known = &self.known;
        dead.now
            .extend(self.walk.nodes().iter().map(|n| known[n.index()].live()));
        dead.now.sort_unstable();
        dead.now.dedup();
        let mut world = self.walk.machine().world();
        let id = match dead.id {
            Some(id) if dead.now == dead.last => id,
            _ => *dead
                .known
                .entry(dead.now[..].into())
                .or_insert_with(|| world.add_dead(footprints.dead(&dead.now))),
        };
        dead.id = Some(id);
        std::mem::swap(&mut dead.last, &mut dead.now);
        world.let_die(id);
    }

    /// Looks up what is known of the points that are new.
    pub(super) fn know(&mut self) {
        let Some(footprints) = &self.footprints else {
            return;
        };
        footprints.look_up(self.walk.automaton(), &mut self.known);
    }
}
