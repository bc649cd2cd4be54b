//! Which cells are dead at a state: see [`crate::engine::footprints`].

use super::worker::Worker;
use crate::engine::machine::world::DeadId;
use crate::model::Model;
use std::collections::HashMap;

/// The sets of dead cells of one worker's run, by the numbers of what the tasks still read, in order.
#[derive(Default)]
pub(super) struct Dead(HashMap<Box<[u32]>, DeadId>);

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
        let (_, hash) = self.walk.points();
        let dead = self.by_points.dead(hash).or_else(|| {
            let dead = self.dead()?;
            self.by_points.keep_dead(hash, dead);
            Some(dead)
        });
        if let Some(dead) = dead {
            self.walk.machine().world().let_die(dead);
        }
    }

    /// The cells that are dead where the tasks stand.
    fn dead(&mut self) -> Option<DeadId> {
        self.know();
        let footprints = self.footprints.as_ref()?;
        let known = &self.known;
        let nodes = self.walk.nodes().iter();
        let mut read: Vec<u32> = nodes.map(|n| known[n.index()].live()).collect();
        read.sort_unstable();
        read.dedup();
        let mut world = self.walk.machine().world();
        let dead = self.dead.0.entry(read.into());
        Some(*dead.or_insert_with_key(|read| world.add_dead(footprints.dead(read))))
    }

    /// Looks up what is known of the points that are new.
    pub(super) fn know(&mut self) {
        let Some(footprints) = &self.footprints else {
            return;
        };
        footprints.look_up(self.walk.automaton(), &mut self.known);
    }
}
