//! What a run comes to: its outcome, a deadlock, data races, a limit.

use super::Machine;
use super::task::{Pending, Task};
use crate::backend::Waiting;
use crate::engine::deadlock::{Blocked, Standing, deadlock};
use crate::layout::{CellId, CellKind};
use crate::model::{Entry, Model};
use crate::outcome::{DataRace, Deadlock, Final};

impl<M: Model> Machine<M> {
    /// The outcome of a world in which nobody can go on.
    pub(crate) fn finish(&self) -> Final<M::Outcome> {
        Final {
            outcome: self.peek(|| self.model.outcome()),
            deadlock: self.deadlock(),
        }
    }

    /// The limit of the model that the run has hit, if any.
    pub(crate) fn limit(&self) -> Option<String> {
        self.state.borrow().limit.clone()
    }

    /// What is said of a task that goes round in a function without a step.
    pub(crate) fn goes_round(&self, entry: Entry, function: &str) -> String {
        let task = self.model.task_name(entry);
        format!(
            "{task} goes round for ever in {function} without doing anything that another task could \
             see or stop"
        )
    }

    /// Conflicting accesses of plain fields that are both about to happen.
    pub(crate) fn data_races(&self) -> Vec<DataRace> {
        let state = self.state.borrow();
        let mut races = vec![];
        for (i, first) in state.tasks.iter().enumerate() {
            let Pending::Access { cell, writes } = first.pending else {
                continue;
            };
            if !self.is_plain(cell) {
                continue;
            }
            for second in &state.tasks[i + 1..] {
                let Pending::Access {
                    cell: other,
                    writes: also_writes,
                } = second.pending
                else {
                    continue;
                };
                if cell == other && (writes || also_writes) {
                    let function = |task: &Task| task.frames.last().map_or("?", |f| f.function);
                    let sites = [(function(first), writes), (function(second), also_writes)];
                    races.push(self.race(cell, sites));
                }
            }
        }
        races
    }

    pub(super) fn is_plain(&self, cell: CellId) -> bool {
        self.kinds[cell.index()] == CellKind::Plain
    }

    /// A data race on a field between two functions, with whether each writes.
    pub(super) fn race(&self, cell: CellId, sites: [(&str, bool); 2]) -> DataRace {
        let mut sites = sites.map(|(function, writes)| {
            format!("{function} ({})", if writes { "writes" } else { "reads" })
        });
        sites.sort();
        DataRace {
            field: self.model.layout().cell_name(cell),
            sites,
        }
    }

    fn deadlock(&self) -> Option<Deadlock> {
        let state = self.state.borrow();
        let layout = self.model.layout();
        let standing = |task: &Task| Standing {
            name: self.model.task_name(task.entry),
            died: task.died,
            blocked: match task.pending {
                Pending::Lock { lock, .. } => {
                    let holds = |t: &Task| t.held.iter().any(|(held, _)| *held == lock);
                    let holder = state.tasks.iter().position(holds);
                    Blocked::Lock(layout.lock_name(lock), holder)
                }
                Pending::Wait {
                    condition,
                    waiting: Waiting::Busy,
                } => Blocked::Field(layout.cell_name(condition.cell)),
                _ => Blocked::Not,
            },
        };
        deadlock(&state.tasks.iter().map(standing).collect::<Vec<_>>())
    }
}
