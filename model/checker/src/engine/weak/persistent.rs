//! Persistent sets under weak memory: which tasks are let go at a state.
//!
//! As under sequential consistency ([`crate::engine::footprints`]), with what is different here:
//!
//! - a task may have several turns, one for each store that it may read, or place where its own may
//!   go. A set is of tasks, and all turns of each are taken;
//! - whoever takes a lock sees what was done by those who had it before, so the order in which a lock is
//!   taken counts, whatever it guards;
//! - the order of any two smp_mb() counts, and so of fully ordered read-modify-writes;
//! - no two updates of a cell commute: each goes right after the store that it reads.
//!
//! All else that an operation does, it does to the views of its task and to the stores of its cell. A
//! store that goes before others moves the places of theirs on in all views: that is a matter of names.

use crate::engine::footprints::{Claimed, Claims, Flow, Footprints, Known, Standing};
use crate::engine::schedule::Turn;
use crate::engine::walk::Walk;
use crate::event::TaskId;
use crate::model::Model;

/// Tasks that a set of them can tell apart.
const MOST: usize = 64;

/// What a search goes by that lets only so many tasks go at a state as are enough.
pub(super) struct PersistentSets {
    footprints: Footprints,
    /// What is known of the points, by number, as far as it was asked for.
    known: Vec<Known>,
    /// What the sets so far rely on.
    claims: Claims,
    enabled: Vec<TaskId>,
    /// The tasks that have not ended, what is known of them, and those that can go among them.
    alive: Vec<TaskId>,
    standings: Vec<Standing>,
    seeds: Vec<usize>,
}

impl PersistentSets {
    /// By what has been seen so far.
    pub(super) fn new<M: Model>(flow: &Flow, walk: &Walk<M>) -> Self {
        Self {
            footprints: walk.footprints(flow),
            known: vec![],
            claims: Claims::default(),
            enabled: vec![],
            alive: vec![],
            standings: vec![],
            seeds: vec![],
        }
    }

    /// Of the turns at a state, leaves those of the tasks that are let go.
    pub(super) fn choose<M: Model>(&mut self, walk: &Walk<M>, turns: &mut Vec<Turn>) {
        self.enabled.clear();
        self.enabled.extend(turns.iter().map(|turn| turn.task));
        self.enabled.dedup();
        if self.enabled.len() < 2 {
            return;
        }
        self.footprints.look_up(walk.automaton(), &mut self.known);
        let (alive, standings) = (&mut self.alive, &mut self.standings);
        walk.standings(&self.known, &self.enabled, alive, standings);
        if alive.len() > MOST {
            return;
        }
        let number = |task: &TaskId| alive.iter().position(|t| t == task);
        self.seeds.clear();
        self.seeds.extend(self.enabled.iter().filter_map(number));
        let set = self.footprints.persistent(standings, &self.seeds);
        self.claims.note(standings, set);
        turns.retain(|turn| number(&turn.task).is_none_or(|i| set >> i & 1 != 0));
    }

    /// Whether all that the sets have relied on is so by what has been seen meanwhile.
    pub(super) fn hold<M: Model>(&self, flow: &Flow, walk: &Walk<M>) -> bool {
        let Some(taken) = self.footprints.guesses(flow) else {
            return false;
        };
        let mut claimed = Claimed::default();
        claimed.add(&self.claims, walk.automaton());
        claimed.holds(&taken, &walk.footprints(flow), flow)
    }
}
