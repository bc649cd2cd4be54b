//! What goes by the points alone where tasks stand, and by what the worker takes to be known of these:
//! it need not be worked out again where tasks stand as they did a while ago.
//!
//! Each state has one place in a table, by the hash of where the tasks stand, where the last one that
//! had it is found.

use crate::engine::automaton::NodeId;
use crate::engine::footprints::RelianceId;
use crate::engine::machine::world::DeadId;
use crate::engine::schedule::Turn;
use crate::event::TaskId;
use smallvec::SmallVec;

/// Places at first, and at most: with more, they are farther away from the processor.
const FIRST: usize = 1 << 6;
const MOST: usize = 1 << 14;

/// What is known by where tasks stand.
#[derive(Default)]
pub(super) struct ByPoints {
    choices: Table<Choice>,
    /// With the hash of where the tasks stand. It is a part of the state's fingerprint, which the dead
    /// cells are left out of: whoever takes two of them for one takes such states for one.
    dead: Table<(u128, Option<DeadId>)>,
}

/// Of the tasks that could go some were let go.
#[derive(Clone, Default)]
pub(super) struct Choice {
    nodes: SmallVec<[NodeId; 8]>,
    could_go: SmallVec<[TaskId; 4]>,
    let_go: SmallVec<[TaskId; 4]>,
    /// What that relies on, if it is kept.
    pub(super) relies_on: Option<RelianceId>,
}

/// A table that forgets.
#[derive(Default)]
struct Table<T> {
    /// A power of two of them, or none.
    places: Vec<T>,
    /// How many have been put there since it was made.
    puts: usize,
}

impl<T: Clone + Default> Table<T> {
    #[inline]
    fn get(&self, hash: u128) -> Option<&T> {
        let mask = self.places.len().wrapping_sub(1);
        self.places.get(hash as usize & mask)
    }

    /// The place for something new.
    fn put(&mut self, hash: u128) -> &mut T {
        let places = self.places.len();
        if self.puts == places && places < MOST {
            self.places.clear();
            self.places.resize((2 * places).max(FIRST), T::default());
            self.puts = 0;
        }
        self.puts += 1;
        let mask = self.places.len() - 1;
        &mut self.places[hash as usize & mask]
    }
}

impl ByPoints {
    /// Looks for the choice of these tasks, in this order, where all stand at such points. Leaves those
    /// that are let go; `None` if it is not known.
    #[inline]
    pub(super) fn choose(
        &self,
        (nodes, hash): (&[NodeId], u128),
        tasks: &mut Vec<Turn>,
    ) -> Option<&Choice> {
        let choice = self.choices.get(hash)?;
        let could_go = tasks.iter().map(|turn| turn.task);
        let is_it = choice.nodes[..] == *nodes && could_go.eq(choice.could_go.iter().copied());
        if !is_it {
            return None;
        }
        tasks.clear();
        tasks.extend(choice.let_go.iter().map(|task| Turn::from(*task)));
        Some(choice)
    }

    /// Keeps a choice.
    pub(super) fn keep_choice(
        &mut self,
        (nodes, hash): (&[NodeId], u128),
        could_go: &[Turn],
        let_go: &[Turn],
        relies_on: Option<RelianceId>,
    ) {
        *self.choices.put(hash) = Choice {
            nodes: nodes.into(),
            could_go: could_go.iter().map(|turn| turn.task).collect(),
            let_go: let_go.iter().map(|turn| turn.task).collect(),
            relies_on,
        };
    }

    /// The dead cells.
    #[inline]
    pub(super) fn dead(&self, hash: u128) -> Option<DeadId> {
        let (of, dead) = self.dead.get(hash)?;
        dead.filter(|_| *of == hash)
    }

    /// Keeps the dead cells.
    pub(super) fn keep_dead(&mut self, hash: u128, dead: DeadId) {
        *self.dead.put(hash) = (hash, Some(dead));
    }

    /// Forgets all, since something else is taken to be known.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
