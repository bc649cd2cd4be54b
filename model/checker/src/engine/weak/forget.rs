//! Forgetting what decides nothing any more, by what is ahead of the tasks of a state.
//!
//! What a task is bound to see before it does anything else it is taken to have seen:
//!
//! - what the lock hands on that it is about to take: who takes it before will hand on more;
//! - what all have seen who can end its wait, if whoever writes the field releases.
//!
//! Then is forgotten
//!
//! - how far a task has got along the stores of a cell that it touches no more, and the stores that only
//!   such tasks could still read;
//! - all but the newest store of a cell that nobody touches any more;
//! - what a lock hands on that nobody takes any more, or that all who still take it have seen;
//! - what only smp_rmb(), smp_wmb() and spinlocks look at, where there are none any more;
//! - and then also what a store carries that all who still touch its cell have seen.
//!
//! What a task touches is also touched by who creates it, so that it is looked at before it is there.

use super::cpu::Cpu;
use super::history::History;
use super::memory::WeakMemory;
use super::part::{Content, Part};
use super::view::View;
use crate::backend::{Condition, Mode, Order};
use crate::engine::footprints::Touch;
use crate::engine::machine::record::Op;
use crate::event::TaskId;
use crate::layout::{CellId, LockId, LockKind};

/// What is ahead of tasks.
pub(crate) trait Ahead {
    /// Whether a task, or one that it creates, may still do this.
    fn touches(&self, task: TaskId, touch: Touch) -> bool;

    /// What a task does next.
    fn next(&self, task: TaskId) -> Op;
}

impl WeakMemory {
    /// Forgets what no task will see any more. No task has an smp_rmb() or smp_wmb() before it.
    pub(crate) fn forget_untouched(&mut self, ahead: &dyn Ahead) {
        for i in 0..self.cpus.len() {
            self.look_ahead(TaskId(i as u32), ahead);
        }
        let with_spinlocks = self.takes_spinlocks(ahead);
        for cpu in self.cpus.iter_mut().flatten() {
            if cpu.has_kept(with_spinlocks) {
                cpu.change().keep_less(with_spinlocks);
            }
        }
        self.forget_stores(ahead);
        self.forget_locks(ahead);
        if !with_spinlocks {
            self.forget_carried(ahead);
        }
        self.histories.retain(History::is_needed);
    }

    /// Lets a task see what it is bound to see before it does anything else.
    fn look_ahead(&mut self, task: TaskId, ahead: &dyn Ahead) {
        if self.cpus[task.index()].is_none() {
            return;
        }
        let bound = match ahead.next(task) {
            Op::Lock { lock, mode } => match self.locks.get(lock) {
                Some(lock) => lock.hands_on(mode == Mode::Shared),
                None => return,
            },
            Op::Wait {
                condition,
                order: Order::AcquireRelease,
                ..
            } => self.passed_on(task, condition, ahead),
            _ => return,
        };
        let cpu = self.cpu(task);
        if !bound.entries().all(|at| cpu.knows(at, true)) {
            self.cpu_mut(task).acquire(&bound);
        }
    }

    /// What whatever ends a task's wait passes on at least.
    fn passed_on(&self, task: TaskId, condition: Condition, ahead: &dyn Ahead) -> View {
        let cell = condition.cell;
        let others = || self.tasks().filter(|(other, _)| *other != task);
        if others().any(|(other, _)| ahead.touches(other, Touch::RelaxedWrite(cell))) {
            return View::default();
        }
        let writers = others().filter(|(other, _)| ahead.touches(*other, Touch::Write(cell)));
        let mut views: Vec<&View> = writers.map(|(_, cpu)| &cpu.seen).collect();
        let Some(history) = self.histories.get(cell) else {
            // It carries nothing.
            let is_over = condition.holds(self.newest(cell));
            return if is_over {
                View::default()
            } else {
                View::meet(&views)
            };
        };
        let readable = &history.stores[self.cpu(task).read.at(cell) as usize..];
        let ends = readable.iter().filter(|store| condition.holds(store.value));
        views.extend(ends.map(|store| &store.view));
        View::meet(&views)
    }

    fn takes_spinlocks(&self, ahead: &dyn Ahead) -> bool {
        let mut locks = self.kinds.iter().zip(0..);
        locks.any(|(kind, i)| {
            *kind == LockKind::SpinLock && self.is_touched(Touch::Lock(LockId(i)), ahead)
        })
    }

    fn is_touched(&self, touch: Touch, ahead: &dyn Ahead) -> bool {
        self.tasks().any(|(task, _)| ahead.touches(task, touch))
    }

    fn tasks(&self) -> impl Iterator<Item = (TaskId, &Part<Cpu>)> {
        let tasks = (0..).map(TaskId).zip(&self.cpus);
        tasks.filter_map(|(task, cpu)| Some((task, cpu.as_ref()?)))
    }

    /// The stores that nobody can read who touches their cell.
    fn forget_stores(&mut self, ahead: &dyn Ahead) {
        for cell in self.histories.keys() {
            let mut floor = None;
            for (cpu, task) in self.cpus.iter_mut().zip(0..) {
                let Some(cpu) = cpu else { continue };
                if ahead.touches(TaskId(task), Touch::Cell(cell)) {
                    let mine = cpu.oldest_needed(cell);
                    floor = Some(floor.map_or(mine, |f: u32| f.min(mine)));
                } else if cpu.is_past(cell) {
                    cpu.change().leave(cell);
                }
            }
            match floor {
                None => {
                    self.histories.remove(cell);
                    self.each_view_past_oldest(cell, &mut |view| view.leave(cell));
                }
                Some(0) => {}
                Some(floor) => self.drop_oldest(cell, floor),
            }
        }
    }

    /// Whether all who still do this to something have seen the store of a cell at a place, and what
    /// follows it comes after that store.
    fn is_known(&self, by: Touch, at: (CellId, u32), ahead: &dyn Ahead) -> bool {
        let mut tasks = self.tasks().filter(|(task, _)| ahead.touches(*task, by));
        tasks.all(|(task, cpu)| cpu.knows(at, ahead.touches(task, Touch::Cell(at.0))))
    }

    /// What locks hand on. What a spinlock does, it hands on to stores too.
    fn forget_locks(&mut self, ahead: &dyn Ahead) {
        let mut locks = self.locks.clone();
        for (id, lock) in self.locks.iter() {
            let take = Touch::Lock(id);
            let is_spinlock = lock.kind == LockKind::SpinLock && self.is_touched(take, ahead);
            if !is_spinlock {
                let known = known_of(lock.views(), |at| self.is_known(take, at, ahead));
                locks.forget(id, &known);
            }
        }
        locks.retain(|lock| !lock.is_quiet());
        self.locks = locks;
    }

    /// What stores carry.
    fn forget_carried(&mut self, ahead: &dyn Ahead) {
        let mut histories = self.histories.clone();
        for (of, history) in self.histories.iter() {
            let touch = Touch::Cell(of);
            let known = known_of(history.views(), |at| {
                at.0 != of && self.is_known(touch, at, ahead)
            });
            histories.forget(of, &known);
        }
        self.histories = histories;
    }
}

/// What is known of what these views say.
fn known_of<'a>(
    views: impl IntoIterator<Item = &'a View>,
    is_known: impl Fn((CellId, u32)) -> bool,
) -> Vec<(CellId, u32)> {
    let entries = views.into_iter().flat_map(View::entries);
    entries.filter(|at| is_known(*at)).collect()
}
