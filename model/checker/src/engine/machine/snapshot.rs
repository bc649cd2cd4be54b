//! Where a run can be put back to: where its tasks began, and states that were copied.

use super::Machine;
use super::stacks::Saved;
use super::task::{Pending, Task};
use super::world::LockState;
use crate::model::Model;

/// A state of a run that can be put back.
#[derive(Default)]
pub(crate) struct Snapshot {
    cells: Vec<u64>,
    cells_hash: u128,
    locks: Vec<LockState>,
    tasks: Vec<Task>,
    was_alone: bool,
    operations: u64,
    stacks: Vec<Option<Saved>>,
}

impl<M: Model> Machine<M> {
    /// Back to where the tasks begin.
    pub(crate) fn reset(&self) {
        self.stacks.borrow_mut().abandon();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        state.world.reset(&self.base.cells, self.base.cells_hash);
        state.tasks.clear();
        state.current = None;
        state.world.be_sequential();
        state.limit = None;
        state.was_alone = true;
        state.operations = 0;
        if let Some(events) = &mut state.events {
            events.clone_from(&self.base.events);
        }
        for entry in &self.base.tasks {
            state.create(*entry);
        }
    }

    /// Copies the state, to be put back by [`Machine::restore`] of the same machine. `old` is a
    /// snapshot that is no longer needed, for its memory.
    pub(crate) fn snapshot(&self, old: Snapshot) -> Snapshot {
        let mut copy = old;
        let state = self.state.borrow();
        let stacks = self.stacks.borrow();
        copy.cells.clone_from(&state.world.cells);
        copy.cells_hash = state.world.cells_hash;
        copy.locks.clone_from(&state.world.locks);
        copy.tasks.clone_from(&state.tasks);
        copy.was_alone = state.was_alone;
        copy.operations = state.operations;
        copy.stacks.resize_with(state.tasks.len(), || None);
        for (i, task) in state.tasks.iter().enumerate() {
            let has_stack = !matches!(task.pending, Pending::Start | Pending::Ended);
            let old = copy.stacks[i].take();
            let slot = task.slot as usize;
            copy.stacks[i] = has_stack
                .then(|| stacks.save(slot, task.local, old))
                .flatten();
        }
        copy
    }

    /// Puts a state back.
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state.borrow_mut();
        let mut stacks = self.stacks.borrow_mut();
        for task in state.tasks.iter().skip(snapshot.tasks.len()) {
            stacks.restore(task.slot as usize, None);
        }
        for (task, saved) in snapshot.tasks.iter().zip(&snapshot.stacks) {
            stacks.restore(task.slot as usize, saved.as_ref());
        }
        state.world.cells.copy_from_slice(&snapshot.cells);
        state.world.cells_hash = snapshot.cells_hash;
        state.world.locks.clone_from(&snapshot.locks);
        state.tasks.clone_from(&snapshot.tasks);
        state.was_alone = snapshot.was_alone;
        state.operations = snapshot.operations;
        state.limit = None;
    }
}
