//! The operations of the sync objects on a [`Machine`].

use super::record::{Observed, Op};
use super::{Frame, Granularity, MAX_CALLS, MAX_TASKS, Machine, Pending, SetUpFailed, State};
use crate::backend::{Backend, Condition, Mode, Order, Rmw, Waiting};
use crate::engine::weak::Strength;
use crate::event::{TaskId, What};
use crate::layout::{CellId, LockId};
use crate::model::{Entry, Model};

/// Codes of operations in a task's past.
mod code {
    pub(super) const LOAD: u64 = 1;
    pub(super) const STORE: u64 = 2;
    pub(super) const RMW: u64 = 3;
    pub(super) const COMPOUND: u64 = 4;
    pub(super) const LOCK: u64 = 5;
    pub(super) const TRY_LOCK: u64 = 6;
    pub(super) const UNLOCK: u64 = 7;
    pub(super) const WAIT: u64 = 8;
    pub(super) const SPAWN: u64 = 9;
}

impl<M: Model> Machine<M> {
    /// Before an access: suspends the task if the access is a step and somebody else could go.
    fn before_access(&self, cell: CellId, writes: bool) {
        let suspends = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let Some(current) = state.current else { return };
            state.operations += 1;
            let alone = state.is_alone(current);
            let task = &state.tasks[current.index()];
            !alone
                && state.watch.access(cell, writes, task.key, &task.held)
                && state.may_suspend(current)
        };
        self.check_operations();
        if suspends {
            self.suspend(Pending::Access { cell, writes });
        }
    }

    /// Before an update with an smp_mb() on both sides.
    fn before_mb(&self, cell: CellId) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let Some(current) = state.current else { return };
        if !state.is_alone(current) {
            state.watch.mb(cell, state.tasks[current.index()].key);
        }
    }

    /// Before an operation that is always possible: suspends the task if `is_step` says so.
    fn before_always(&self, is_step: impl FnOnce(&mut State, TaskId) -> bool) {
        let suspends = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let Some(current) = state.current else { return };
            is_step(state, current)
                && state.granularity != Granularity::Blocking
                && state.may_suspend(current)
        };
        if suspends {
            self.suspend(Pending::Always);
        }
    }

    fn check_operations(&self) {
        if self.state.borrow().operations > self.max_operations.get() {
            let most = self.max_operations.get();
            Backend::limit(
                self,
                &format!(
                    "a run has taken more than {most} operations: does a task loop without progress?"
                ),
            );
        }
    }

    /// The current task is about to do this: for the record of a step, if one is made.
    fn begin(&self, op: Op) {
        self.state.borrow_mut().begin(op);
    }

    /// What the operation that was begun last has observed.
    fn observed(&self, what: impl FnOnce() -> Observed) {
        if let Some(record) = &mut self.state.borrow_mut().record {
            record.observed(what());
        }
    }

    /// Appends an operation to the task's past.
    fn past(&self, code: u64, number: u32, observed: u64) {
        let mut state = self.state.borrow_mut();
        if let Some(task) = state.task() {
            task.unseen = 0;
            task.past.push((u64::from(number) << 8) | code);
            task.past.push(observed);
        }
    }

    /// Takes a lock that is free, in the same step as whatever found it free.
    fn take(&self, lock: LockId, mode: Mode) {
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let current = state.current.expect("a task takes the lock");
            state.world.take(current, lock, mode);
            state.tasks[current.index()].hold(lock, mode);
        }
        self.past(code::LOCK, lock.0, 0);
        if self.records() {
            self.record(What::Lock(lock));
        }
    }

    /// What is read where nobody sees it: outside of tasks, for the outcome.
    fn peeked(&self, cell: CellId) -> Option<u64> {
        let mut state = self.state.borrow_mut();
        state.peeking.then(|| {
            state.peeked[cell.index()] = true;
            state.looked_at.push(cell);
            state.world.cell(cell)
        })
    }

    /// What the current task reads.
    fn load_as(&self, cell: CellId, order: Order) -> u64 {
        let mut state = self.state.borrow_mut();
        let me = state.me();
        state.world.load(me, cell, order)
    }

    /// The current task's atomic update; gives the content before.
    fn rmw_as(&self, cell: CellId, op: Rmw, strength: Strength) -> u64 {
        let mut state = self.state.borrow_mut();
        let me = state.me();
        state.world.rmw(me, cell, op, strength)
    }

    fn record_write(&self, cell: CellId, old: u64, new: u64) {
        if self.records() {
            let newest = self.state.borrow().world.cell(cell);
            self.record(if newest == new {
                What::Write { cell, old, new }
            } else {
                What::WriteBefore { cell, new, newest }
            });
        }
    }

    /// Ends the set-up, in which there is no task to be suspended, if it is under way.
    fn fail_set_up(&self, why: impl FnOnce() -> String) {
        if self.state.borrow().current.is_none() {
            std::panic::resume_unwind(Box::new(SetUpFailed(why())));
        }
    }

    fn push_frame(&self, frame: Frame) {
        let depth = {
            let mut state = self.state.borrow_mut();
            state.reached.insert(frame.function);
            let frames = &mut state.doer().frames;
            frames.push(frame);
            frames.len()
        };
        if depth > MAX_CALLS {
            Backend::limit(self, &format!("calls nest more than {MAX_CALLS} deep"));
        }
    }

    /// The task's past is from now on only what it says here; gives whether it was here before, since it was
    /// resumed.
    fn forget_past(&self, label: &'static str, live: &[u64]) -> bool {
        let mut state = self.state.borrow_mut();
        if !state.checkpoints {
            return false;
        }
        let Some(task) = state.task() else {
            return false;
        };
        let mut past = crate::hash::Rolling::default();
        past.push_str(label);
        for frame in &task.frames {
            past.push_str(frame.function);
            past.push(frame.object);
        }
        for site in &task.sites {
            past.push_str(site);
        }
        for word in live {
            past.push(*word);
        }
        let hash = past.finish();
        task.past = past;
        // What came before must not tell its points apart: their part of the fingerprint is the same.
        task.unseen = 0;
        task.begins_anew = true;
        let here = (hash, state.world.hash(), state.tasks.len());
        state.checkpoints_passed.comes_to(here)
    }

    /// What is said of the current task, which goes round without a step.
    fn task_goes_round(&self) -> String {
        let mut state = self.state.borrow_mut();
        let Some(task) = state.task() else {
            return String::new();
        };
        let function = task.frames.last().map_or("", |frame| frame.function);
        self.goes_round(task.key.entry, function)
    }

    fn never_again(&self) {
        self.suspend(Pending::Ended);
        unreachable!("an ended task is not resumed");
    }
}

impl<M: Model> Backend for Machine<M> {
    fn load(&self, cell: CellId, order: Order) -> u64 {
        if let Some(content) = self.peeked(cell) {
            return content;
        }
        self.begin(Op::Load { cell, order });
        self.before_access(cell, false);
        let value = self.load_as(cell, order);
        self.observed(|| Observed::Value(value));
        self.past(code::LOAD, cell.0, value);
        if self.records() {
            let newest = self.state.borrow().world.cell(cell);
            self.record(if value == newest {
                What::Read { cell, value }
            } else {
                What::StaleRead {
                    cell,
                    value,
                    newest,
                }
            });
        }
        value
    }

    fn monitor(&self, cell: CellId) -> u64 {
        if let Some(content) = self.peeked(cell) {
            return content;
        }
        let order = Order::Relaxed;
        self.begin(Op::Load { cell, order });
        self.before_access(cell, false);
        let value = self.load_as(cell, order);
        self.observed(|| Observed::Value(value));
        self.past(code::LOAD, cell.0, 0);
        self.state.borrow_mut().unseen(value);
        value
    }

    fn store(&self, cell: CellId, value: u64, order: Order) {
        self.begin(Op::Store { cell, value, order });
        self.before_access(cell, true);
        let old = self.state.borrow().world.cells[cell.index()];
        {
            let mut state = self.state.borrow_mut();
            let me = state.me();
            state.world.store(me, cell, value, order);
        }
        self.past(code::STORE, cell.0, 0);
        self.record_write(cell, old, value);
    }

    fn rmw(&self, cell: CellId, op: Rmw, observed: bool, order: Order) -> u64 {
        let strength = match order {
            _ if observed => Strength::Full,
            Order::Relaxed => Strength::Relaxed,
            Order::AcquireRelease => Strength::AcquireRelease,
        };
        self.begin(Op::Rmw { cell, op, strength });
        if strength == Strength::Full {
            self.before_mb(cell);
        }
        self.before_access(cell, true);
        let old = self.rmw_as(cell, op, strength);
        if observed {
            self.observed(|| Observed::Value(old));
        }
        self.past(code::RMW, cell.0, if observed { old } else { 0 });
        self.record_write(cell, old, op.apply(old));
        old
    }

    fn release(&self, cell: CellId, op: Rmw) {
        self.begin(Op::Release { cell, op });
        let old = self.rmw_as(cell, op, Strength::Release);
        self.past(code::RMW, cell.0, 0);
        self.record_write(cell, old, op.apply(old));
    }

    fn compound(
        &self,
        first: CellId,
        writes: bool,
        step: &mut dyn FnMut(&mut [u64]) -> u64,
    ) -> u64 {
        let range = first.index()..first.index() + self.spans[first.index()] as usize;
        if self.state.borrow().peeking {
            let mut state = self.state.borrow_mut();
            state.peeked[range.clone()].fill(true);
            state.looked_at.push(first);
            return step(&mut state.world.cells[range]);
        }
        self.begin(Op::Compound { first, writes });
        self.before_access(first, writes);
        let result = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let before = state.world.cells[range.clone()].to_vec();
            let result = step(&mut state.world.cells[range.clone()]);
            for (i, old) in range.clone().zip(&before).filter(|_| writes) {
                let new = std::mem::replace(&mut state.world.cells[i], *old);
                state.world.set(CellId(i as u32), new);
            }
            if let Some(record) = &mut state.record {
                let after = state.world.cells[range].to_vec();
                record.observed(Observed::Content { before, after });
            }
            result
        };
        self.past(code::COMPOUND, first.0, result);
        result
    }

    fn ghost(&self, cell: CellId, op: Rmw) {
        self.begin(Op::Ghost { cell, op });
        let mut state = self.state.borrow_mut();
        state.world.update(cell, op);
        state.unseen(1);
    }

    fn lock(&self, lock: LockId, mode: Mode) {
        self.begin(Op::Lock { lock, mode });
        let (suspends, is_free) = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            state.note_lock_order(lock, mode);
            let Some(current) = state.current else {
                assert!(
                    state.world.locks[lock.index()].is_free(mode),
                    "set-up waits for a lock for ever"
                );
                state.set_up.hold(lock, mode);
                return;
            };
            state.operations += 1;
            let alone = state.is_alone(current);
            let task = &state.tasks[current.index()];
            let is_step = !alone && state.watch.lock(lock, mode, task.key, &task.held);
            let is_free = state.world.locks[lock.index()].is_free(mode);
            let suspends = (is_step && state.may_suspend(current)) || !is_free;
            (suspends, is_free)
        };
        if !is_free && self.records() {
            self.record(What::Wait);
        }
        if suspends {
            self.suspend(Pending::Lock { lock, mode });
        }
        self.take(lock, mode);
    }

    fn try_lock(&self, lock: LockId) -> bool {
        self.begin(Op::TryLock { lock });
        self.before_always(|state, task| {
            let key = state.tasks[task.index()].key;
            state.watch.tried(lock, key);
            true
        });
        let free = self.state.borrow().world.locks[lock.index()].is_free(Mode::Exclusive);
        self.observed(|| Observed::Value(u64::from(free)));
        self.past(code::TRY_LOCK, lock.0, u64::from(free));
        if free {
            self.take(lock, Mode::Exclusive);
        }
        free
    }

    fn unlock(&self, lock: LockId, mode: Mode) {
        self.begin(Op::Unlock { lock, mode });
        self.before_always(|state, _| state.watch.unlock_is_step(lock));
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            state.doer().let_go(lock, mode);
            let Some(current) = state.current else { return };
            state.world.drop_lock(current, lock, mode);
        }
        self.past(code::UNLOCK, lock.0, 0);
        if self.records() {
            self.record(What::Unlock(lock));
        }
    }

    fn wait(&self, condition: Condition, waiting: Waiting, order: Order) -> bool {
        if self.state.borrow().current.is_none() {
            if !condition.holds(self.state.borrow().world.cells[condition.cell.index()]) {
                let field = || self.model.layout().cell_name(condition.cell);
                self.fail_set_up(|| {
                    format!("it waits for {}, and nobody is there to wake it", field())
                });
            }
            return true;
        }
        self.begin(Op::Wait {
            condition,
            waiting,
            order,
        });
        let (suspends, holds) = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let current = state.current.expect("only a task waits");
            let task = &state.tasks[current.index()];
            let is_step = state
                .watch
                .access(condition.cell, false, task.key, &task.held)
                && state.granularity != Granularity::Blocking;
            let holds = condition.holds(state.world.cells[condition.cell.index()]);
            ((is_step && state.may_suspend(current)) || !holds, holds)
        };
        if !holds && self.records() {
            self.record(What::Wait);
        }
        if suspends {
            self.suspend(Pending::Wait { condition, waiting });
        }
        {
            let mut state = self.state.borrow_mut();
            let me = state.me();
            state.world.end_wait(me, condition, order);
        }
        self.past(code::WAIT, condition.cell.0, 0);
        true
    }

    fn spawn(&self, entry: Entry) {
        self.begin(Op::Spawn { entry });
        if self.state.borrow().tasks.len() >= MAX_TASKS {
            Backend::limit(
                self,
                &format!("a run has created more than {MAX_TASKS} tasks"),
            );
        }
        let id = {
            let mut state = self.state.borrow_mut();
            let id = state.create(entry);
            let me = state.me();
            state.world.begin_task(me, id);
            id
        };
        self.past(code::SPAWN, entry.kind, entry.arg);
        if self.records() {
            self.record(What::Spawn(id));
        }
    }

    fn oops(&self, text: &str) {
        self.fail_set_up(|| format!("it dies in an oops: {text}"));
        if self.records() {
            self.record(What::Oops(text.to_owned()));
        }
        if let Some(task) = self.state.borrow_mut().task() {
            task.died = true;
        }
        self.begin(Op::Ended);
        self.never_again();
    }

    fn limit(&self, text: &str) {
        self.fail_set_up(|| text.to_owned());
        self.state
            .borrow_mut()
            .limit
            .get_or_insert_with(|| text.to_owned());
        self.begin(Op::Ended);
        self.never_again();
    }

    fn checkpoint(&self, label: &'static str, live: &[u64]) {
        if self.forget_past(label, live) {
            Backend::limit(self, &self.task_goes_round());
        }
    }

    fn enter(&self, function: &'static str, object: u64) {
        self.push_frame(Frame {
            function,
            object,
            is_part: false,
        });
    }

    fn enter_part(&self, function: &'static str, object: u64) {
        self.push_frame(Frame {
            function,
            object,
            is_part: true,
        });
    }

    fn exit(&self) {
        self.state.borrow_mut().doer().frames.pop();
    }

    fn records(&self) -> bool {
        let state = self.state.borrow();
        (state.events.is_some() || state.announces) && !state.peeking
    }

    fn record(&self, what: What) {
        if let Some(what) = self.announce(what) {
            self.state.borrow_mut().push_event(what);
        }
    }
}
