//! The operations of the sync objects on a [`World`].

use super::log::{Effect, Operation};
use super::{Doing, Gone, Library, MAX_OPERATIONS, Phase, World, locked};
use crate::backend::{Backend, Condition, Mode, Order, Rmw, Waiting};
use crate::event::What;
use crate::layout::{CellId, LockId};
use crate::model::{Entry, Model};
use std::panic::resume_unwind;
use std::sync::Arc;

/// Neither changes anything, and is a read-modify-write nevertheless.
const TOUCH: Rmw = Rmw::Add(0);

fn access(cell: CellId, writes: bool) -> Operation {
    Operation::Access { cell, writes }
}

impl<M: Model, L: Library> World<M, L> {
    /// Runs `f` on a marked object's atomic: a scheduling point. `None` if it is not marked.
    /// `operation` is what it is a step of; `None` if nobody can tell when it happens.
    fn on<R>(
        &self,
        atomic: Option<Arc<L::Atomic>>,
        operation: impl Into<Option<Operation>>,
        f: impl FnOnce(&L::Atomic) -> R,
    ) -> Option<R> {
        let atomic = atomic?;
        let me = locked(&self.state).running;
        if let Some(operation) = operation.into() {
            self.log(|log| log.announce(me, operation));
        }
        let result = f(&atomic);
        self.go_on(me);
        Some(result)
    }

    /// The atomic of a marked cell, while tasks run.
    fn cell_atomic(&self, cell: CellId) -> Option<Arc<L::Atomic>> {
        let mut state = locked(&self.state);
        if state.phase == Phase::Alone {
            return None;
        }
        state.operations += 1;
        let is_endless = state.operations > MAX_OPERATIONS;
        let atomic = state.cell_atomics[cell.index()].clone();
        drop(state);
        if is_endless {
            let most = MAX_OPERATIONS;
            self.limit(&format!(
                "a run has taken more than {most} operations: does a task loop without progress?"
            ));
        }
        atomic
    }

    /// The scheduling point of a marked lock.
    fn touch_lock(&self, lock: LockId, operation: impl Into<Option<Operation>>) {
        let atomic = locked(&self.state).lock_atomics[lock.index()].clone();
        self.on(atomic, operation, |a| {
            L::rmw(a, TOUCH, Order::AcquireRelease)
        });
    }

    /// An atomic update, which is a step of `operation`.
    fn update(&self, cell: CellId, op: Rmw, order: Order, operation: Option<Operation>) -> u64 {
        let seen = self.on(self.cell_atomic(cell), operation, |a| L::rmw(a, op, order));
        let old = seen.unwrap_or_else(|| self.content(cell));
        self.write(cell, op.apply(old));
        old
    }

    fn content(&self, cell: CellId) -> u64 {
        locked(&self.state).cells[cell.index()]
    }

    /// Writes a cell, and sets those going who have waited for that.
    fn write(&self, cell: CellId, value: u64) {
        let content = std::mem::replace(&mut locked(&self.state).cells[cell.index()], value);
        self.wrote(cell, content, value);
    }

    /// Sets those going whose condition holds now.
    fn wrote(&self, cell: CellId, old: u64, new: u64) {
        self.log(|log| log.effects.push(Effect::Wrote { cell, old, new }));
        let (me, threads) = {
            let mut state = locked(&self.state);
            let threads = state.set_going(|doing, cells| match doing {
                Doing::Waits(condition, _) => condition.holds(cells[condition.cell.index()]),
                _ => false,
            });
            (state.running, threads)
        };
        self.unpark(me, &threads);
    }

    /// Takes a lock if it is free.
    fn take(&self, lock: LockId, mode: Mode) -> bool {
        let taken = {
            let mut state = locked(&self.state);
            let me = state.running;
            state.locks[lock.index()].take(mode, me)
        };
        if taken {
            self.log(|log| log.effects.push(Effect::Took { lock, mode }));
        }
        taken
    }

    fn is_alone(&self) -> bool {
        locked(&self.state).phase == Phase::Alone
    }

    /// Ends the run: whoever waits is unwound, and so is the current task.
    fn abandon(&self) -> ! {
        let (me, threads) = {
            let mut state = locked(&self.state);
            state.phase = Phase::Ending;
            (state.running, state.set_all_going())
        };
        self.unpark(me, &threads);
        resume_unwind(Box::new(Gone));
    }
}

impl<M: Model, L: Library> Backend for World<M, L> {
    fn load(&self, cell: CellId, order: Order) -> u64 {
        let operation = access(cell, false);
        let seen = self.on(self.cell_atomic(cell), operation, |atomic| {
            if self.sequential {
                L::rmw(atomic, TOUCH, Order::AcquireRelease)
            } else {
                L::load(atomic, order)
            }
        });
        if self.sequential {
            debug_assert!(
                seen.is_none_or(|s| s == self.content(cell)),
                "the order is sequential"
            );
        }
        seen.unwrap_or_else(|| self.content(cell))
    }

    fn monitor(&self, cell: CellId) -> u64 {
        self.load(cell, Order::Relaxed)
    }

    fn store(&self, cell: CellId, value: u64, order: Order) {
        self.on(self.cell_atomic(cell), access(cell, true), |atomic| {
            if self.sequential {
                L::rmw(atomic, Rmw::Xchg(value), Order::AcquireRelease);
            } else {
                L::store(atomic, value, order);
            }
        });
        self.write(cell, value);
    }

    fn rmw(&self, cell: CellId, op: Rmw, observed: bool, order: Order) -> u64 {
        let is_ordered = self.sequential || observed || order == Order::AcquireRelease;
        let order = if is_ordered {
            Order::AcquireRelease
        } else {
            Order::Relaxed
        };
        self.update(cell, op, order, access(cell, true).into())
    }

    fn release(&self, cell: CellId, op: Rmw) {
        self.update(cell, op, Order::AcquireRelease, None);
    }

    fn compound(
        &self,
        first: CellId,
        writes: bool,
        step: &mut dyn FnMut(&mut [u64]) -> u64,
    ) -> u64 {
        // The content is plain; the atomic only says when.
        self.on(self.cell_atomic(first), access(first, writes), |a| {
            L::rmw(a, TOUCH, Order::AcquireRelease)
        });
        let span = self.model.layout().cells()[first.index()].span as usize;
        let old = self.content(first);
        let result = step(&mut locked(&self.state).cells[first.index()..][..span]);
        if writes {
            self.wrote(first, old, self.content(first));
        }
        result
    }

    fn ghost(&self, cell: CellId, op: Rmw) {
        let content = &mut locked(&self.state).cells[cell.index()];
        *content = op.apply(*content);
    }

    fn lock(&self, lock: LockId, mode: Mode) {
        if self.is_alone() {
            return;
        }
        let me = locked(&self.state).running;
        let operation = Operation::Lock { lock, mode };
        loop {
            self.touch_lock(lock, operation);
            if self.take(lock, mode) {
                return;
            }
            self.log(|log| log.announce(me, operation));
            self.park(me, Doing::Locks(lock));
        }
    }

    fn try_lock(&self, lock: LockId) -> bool {
        if self.is_alone() {
            return true;
        }
        // A try is always a step of the exhaustive engine, and so it is for a scheduler whose
        // schedules are to fit.
        let atomic = locked(&self.state).lock_atomics[lock.index()].clone();
        let atomic = atomic.or_else(|| self.log.as_ref().map(|_| Arc::new(L::atomic(0))));
        self.on(atomic, Operation::TryLock(lock), |a| {
            L::rmw(a, TOUCH, Order::AcquireRelease)
        });
        self.take(lock, Mode::Exclusive)
    }

    fn unlock(&self, lock: LockId, mode: Mode) {
        if self.is_alone() {
            return;
        }
        // Under sequential consistency nobody can tell when a lock is dropped that nobody
        // tries. Otherwise this is what hands the writes under the lock to its next owner.
        if self.marks.unlock(lock) || !self.sequential {
            let is_step = self.marks.unlock(lock);
            self.touch_lock(lock, is_step.then_some(Operation::Unlock { lock, mode }));
        }
        self.log(|log| log.effects.push(Effect::Dropped { lock, mode }));
        let (me, threads) = {
            let mut state = locked(&self.state);
            let me = state.running;
            state.locks[lock.index()].drop(mode, me);
            (me, state.set_going(|doing, _| doing == Doing::Locks(lock)))
        };
        self.unpark(me, &threads);
    }

    fn wait(&self, condition: Condition, waiting: Waiting, _order: Order) -> bool {
        let me = locked(&self.state).running;
        let operation = Operation::Wait(condition);
        loop {
            // Who goes to sleep looks at the newest value: a wake-up is never lost.
            self.on(self.cell_atomic(condition.cell), operation, |a| {
                L::rmw(a, TOUCH, Order::AcquireRelease)
            });
            if condition.holds(self.content(condition.cell)) {
                return true;
            }
            self.log(|log| log.announce(me, operation));
            self.park(me, Doing::Waits(condition, waiting));
        }
    }

    fn spawn(&self, entry: Entry) {
        {
            let mut state = locked(&self.state);
            if state.phase == Phase::Alone {
                state.tasks.push(super::Task {
                    entry,
                    doing: Doing::Runs,
                    thread: None,
                });
                return;
            }
            state.too_many_tasks |= state.tasks.len() >= L::MOST_TASKS;
        }
        if self.had_too_many_tasks() {
            self.limit(&format!("{} runs at most {} tasks", L::NAME, L::MOST_TASKS));
        }
        let me = locked(&self.state).running;
        self.start(entry);
        locked(&self.state).running = me;
    }

    fn oops(&self, _text: &str) {
        {
            let mut state = locked(&self.state);
            let me = state.running;
            state.tasks[me].doing = Doing::Died;
        }
        resume_unwind(Box::new(Gone));
    }

    fn limit(&self, text: &str) {
        {
            let mut state = locked(&self.state);
            assert!(state.phase != Phase::Alone, "limit: {text}");
            state.limit.get_or_insert_with(|| text.to_owned());
        }
        self.abandon();
    }

    fn checkpoint(&self, _label: &'static str, _live: &[u64]) {}

    fn enter(&self, function: &'static str, _object: u64) {
        if !self.is_alone() {
            let me = locked(&self.state).running;
            self.log(|log| log.enter(me, function));
        }
    }

    fn exit(&self) {
        if !self.is_alone() {
            let me = locked(&self.state).running;
            self.log(|log| log.exit(me));
        }
    }

    fn records(&self) -> bool {
        false
    }

    fn record(&self, _what: What) {}
}
