//! The memory: what each operation may choose, and what it does.

use super::Fence;
use super::cpu::{Cpu, Lock};
use super::history::{History, Store};
use super::newest::Newest;
use super::part::{Append, Part};
use super::parts::Parts;
use super::view::View;
use crate::backend::{Condition, Mode, Order};
use crate::event::TaskId;
use crate::hash::Rolling;
use crate::layout::{CellId, LockId, LockKind};
use std::rc::Rc;

/// The memory of a world as its tasks see it. A choice is a number below what the method next to
/// it says; choice 0 always is the newest, and choices of 0 alone are sequential consistency.
#[derive(Clone, Debug)]
pub struct WeakMemory {
    newest: Newest,
    /// Of the cells of which there is more to know than the newest store.
    pub(super) histories: Parts<CellId, History>,
    /// By task; `None` has not begun or has ended.
    pub(super) cpus: Vec<Option<Part<Cpu>>>,
    pub(super) kinds: Rc<[LockKind]>,
    /// Of the locks that hand something on.
    pub(super) locks: Parts<LockId, Lock>,
    /// What the smp_mb() of all tasks so far have seen.
    pub(super) fences: View,
    /// By cell: all who look see the newest. Empty if that is so of none.
    plain: Rc<[bool]>,
}

impl WeakMemory {
    /// The memory before anything has run: one store a cell. Nobody is there yet.
    pub fn new(cells: &[u64], locks: &[LockKind]) -> Self {
        Self {
            newest: Newest::new(cells),
            histories: Parts::default(),
            cpus: vec![],
            kinds: locks.into(),
            locks: Parts::default(),
            fences: View::default(),
            plain: Rc::default(),
        }
    }

    /// For each cell: all who access it, whether by themselves or under a lock, see the newest and put
    /// their stores last. So nothing need be kept of it but that, and what its store carries.
    pub(crate) fn keep_newest_of(&mut self, plain: Rc<[bool]>) {
        self.plain = plain;
    }

    fn is_plain(&self, cell: CellId) -> bool {
        self.plain.get(cell.index()).is_some_and(|plain| *plain)
    }

    /// A task begins. It sees all that its parent has seen; one without a parent sees the newest.
    pub fn spawn(&mut self, parent: Option<TaskId>, child: TaskId) {
        let mut cpu = parent.map_or_else(Cpu::default, |p| Cpu::child(self.cpu(p)));
        if parent.is_none() {
            for (cell, history) in self.histories.iter() {
                cpu.acquire(&view_of(cell, history.len() - 1));
            }
        }
        if self.cpus.len() <= child.index() {
            self.cpus.resize(child.index() + 1, None);
        }
        self.cpus[child.index()] = Some(Part::new(cpu));
    }

    /// A task has ended: what it alone could still read is forgotten.
    pub fn end(&mut self, task: TaskId) {
        self.cpus[task.index()] = None;
        self.forget();
    }

    /// The content of the cell once all is over: the last store in coherence order.
    pub fn newest(&self, cell: CellId) -> u64 {
        self.newest.get(cell.index())
    }

    /// Whether every task sees only the newest of every cell.
    pub fn is_quiet(&self) -> bool {
        self.histories.is_empty()
    }

    /// How many stores a load may read.
    pub fn readable(&self, task: TaskId, cell: CellId) -> u32 {
        self.len(cell) - self.cpu(task).read.at(cell)
    }

    /// READ_ONCE() or a plain read, or smp_load_acquire(); `choice` is below
    /// [`WeakMemory::readable`].
    pub fn load(&mut self, task: TaskId, cell: CellId, order: Order, choice: u32) -> u64 {
        assert!(choice < self.readable(task, cell), "a store to be read");
        self.read(task, cell, order, self.len(cell) - 1 - choice)
    }

    pub(super) fn read(&mut self, task: TaskId, cell: CellId, order: Order, place: u32) -> u64 {
        if self.histories.get(cell).is_none() {
            return self.newest(cell);
        }
        let store = self.at(cell, place);
        let cpu = self.cpu_mut(task);
        cpu.has_read(cell, place, &store.view, true);
        if order == Order::AcquireRelease {
            cpu.acquire(&store.view);
        }
        self.forget();
        store.value
    }

    /// Of the stores that a load may read, those with which the condition holds, newest first.
    fn satisfying(&self, task: TaskId, condition: Condition) -> impl Iterator<Item = u32> {
        let (cell, oldest) = (condition.cell, self.cpu(task).read.at(condition.cell));
        let places = (oldest..self.len(cell)).rev();
        places.filter(move |p| condition.holds(self.value(cell, *p)))
    }

    /// How many stores may end a wait. Choice 0 is the newest of them, which need not be the
    /// newest of the cell: the condition may not hold any more. A deadlock is judged by
    /// [`WeakMemory::newest`]: who waits sees that in the end.
    pub fn ends_wait(&self, task: TaskId, condition: Condition) -> u32 {
        self.satisfying(task, condition).count() as u32
    }

    /// The load that ends a wait: relaxed for wait_event(), acquire for wait_for_completion() and
    /// flush_work(). Who has slept has had an smp_mb() before, in set_current_state().
    pub fn wait(&mut self, task: TaskId, condition: Condition, order: Order, choice: u32) -> u64 {
        let chosen = self.satisfying(task, condition).nth(choice as usize);
        let place = chosen.expect("a store that ends the wait");
        self.read(task, condition.cell, order, place)
    }

    /// How many places in coherence order a store may take: at the end, or before stores of
    /// others that this task has not seen.
    pub fn store_places(&self, task: TaskId, cell: CellId, order: Order) -> u32 {
        let floor = self.store_floor(task, cell, order);
        let history = self.histories.get(cell);
        history.map_or(1, |h| h.open_from(floor).count() as u32)
    }

    fn store_floor(&self, task: TaskId, cell: CellId, order: Order) -> u32 {
        let cpu = self.cpu(task);
        match order {
            Order::Relaxed => cpu.write.at(cell),
            Order::AcquireRelease => cpu.seen.at(cell),
        }
    }

    /// WRITE_ONCE() or a plain write, or smp_store_release(); `choice` is below
    /// [`WeakMemory::store_places`].
    pub fn store(&mut self, task: TaskId, cell: CellId, value: u64, order: Order, choice: u32) {
        let floor = self.store_floor(task, cell, order);
        let after = match self.histories.get(cell) {
            None => Some(0).filter(|_| choice == 0),
            Some(h) => h.open_from(floor).nth(choice as usize),
        };
        let after = after.expect("a place for the store");
        let view = self
            .cpu(task)
            .carries(order == Order::AcquireRelease)
            .clone();
        self.put(task, cell, value, after, view, false);
    }

    /// Puts a store of the task right after the place `after`.
    pub(super) fn put(
        &mut self,
        task: TaskId,
        cell: CellId,
        value: u64,
        after: u32,
        view: View,
        rmw: bool,
    ) {
        if self.is_plain(cell) {
            return self.put_only(task, cell, value, view);
        }
        let place = after + 1;
        let is_newest = place == self.len(cell);
        if !is_newest {
            self.each_view_past_oldest(cell, &mut |view| view.inserted(cell, place));
        }
        let mut view = view;
        view.inserted(cell, place);
        view.raise(cell, place);
        self.cpu_mut(task).has_written(cell, place, &view);
        let stores = &mut self.history(cell).stores;
        let store = Store {
            value,
            view,
            atomic: rmw,
        };
        stores.insert(place as usize, store);
        if is_newest {
            self.newest.set(cell.index(), value);
        }
        self.forget();
    }

    /// Puts a store of the task in a cell of which only the newest is kept.
    fn put_only(&mut self, task: TaskId, cell: CellId, value: u64, view: View) {
        self.newest.set(cell.index(), value);
        if view.is_empty() {
            self.histories.remove(cell);
            return;
        }
        self.cpu_mut(task).has_written(cell, 0, &view);
        let store = Store {
            value,
            view,
            atomic: false,
        };
        self.history(cell).stores = vec![store];
    }

    /// A fence.
    pub fn fence(&mut self, task: TaskId, fence: Fence) {
        let cpu = self.cpus[task.index()].as_mut().expect("the task runs");
        let cpu = cpu.change();
        match fence {
            Fence::Mb => cpu.mb(&mut self.fences),
            Fence::Rmb => cpu.rmb(),
            Fence::Wmb => cpu.wmb(),
        }
        self.forget();
    }

    /// Takes a lock that is free.
    pub fn lock(&mut self, task: TaskId, lock: LockId, mode: Mode) {
        let cpu = self.cpus[task.index()].as_mut().expect("the task runs");
        let quiet = Lock::new(self.kinds[lock.index()]);
        let lock = self.locks.get(lock).map_or(&quiet, |lock| lock);
        cpu.change().lock(lock, mode == Mode::Shared);
        self.forget();
    }

    /// Drops a lock.
    pub fn unlock(&mut self, task: TaskId, lock: LockId, mode: Mode) {
        let cpu = self.cpus[task.index()].as_mut().expect("the task runs");
        let kind = self.kinds[lock.index()];
        let lock = self.locks.change(lock, || Lock::new(kind));
        match mode {
            Mode::Exclusive => cpu.change().unlock(lock),
            Mode::Shared => cpu.unlock_shared(lock),
        }
    }

    /// The same for memories with the same future, if the tasks have the same. Places count from
    /// the oldest store that is kept, so how many there have been does not matter.
    pub fn fingerprint(&self) -> u128 {
        let mut hash = Rolling::default();
        for value in self.newest.iter() {
            hash.push(value);
        }
        self.append_beyond_newest(&mut hash);
        for cpu in &self.cpus {
            hash.push(u64::from(cpu.is_some()));
            if let Some(cpu) = cpu {
                hash.push_part(cpu);
            }
        }
        hash.finish()
    }

    /// A hash of what a task sees, unless it has not begun or has ended.
    pub(crate) fn sight(&self, task: TaskId) -> Option<u128> {
        Some(self.cpus.get(task.index())?.as_ref()?.hash())
    }

    /// Appends what [`WeakMemory::sight`] is a hash of.
    pub(crate) fn append_sight(&self, task: TaskId, into: &mut Vec<u64>) {
        if let Some(Some(cpu)) = self.cpus.get(task.index()) {
            into.push_part(cpu);
        }
    }

    /// Appends all but the newest stores, and what each task sees.
    pub(crate) fn append_beyond_newest(&self, into: &mut impl Append) {
        /// Where a list ends: no number of a cell or lock.
        const END: u64 = u64::MAX;
        for (cell, history) in self.histories.iter() {
            into.push(u64::from(cell.0));
            into.push_part(history);
        }
        into.push(END);
        for (id, lock) in self.locks.iter() {
            if !lock.is_quiet() {
                into.push(u64::from(id.0));
                into.push_part(lock);
            }
        }
        into.push(END);
        self.fences.append(into);
    }

    /// About how many bytes it takes, if no copy shares any of it.
    pub(crate) fn bytes(&self) -> u64 {
        let cpus = self.cpus.iter().flatten().map(Part::bytes);
        (self.histories.bytes() + cpus.sum::<usize>() + self.locks.bytes()) as u64
    }

    /// Forgets the stores that nobody can read and nothing can be put after any more. What a
    /// message, a lock or a fence has seen counts for nothing here: it can only move a task on.
    fn forget(&mut self) {
        let floors: Vec<(CellId, u32)> = self
            .histories
            .iter()
            .map(|(cell, history)| (cell, self.oldest_needed(cell, history.len())))
            .filter(|(_, floor)| *floor > 0)
            .collect();
        for (cell, floor) in &floors {
            self.drop_oldest(*cell, *floor);
        }
        if !floors.is_empty() {
            self.histories.retain(History::is_needed);
        }
    }

    pub(super) fn drop_oldest(&mut self, cell: CellId, count: u32) {
        self.history(cell).drop_oldest(count);
        self.each_view_past_oldest(cell, &mut |view| view.dropped(cell, count));
    }

    fn oldest_needed(&self, cell: CellId, len: u32) -> u32 {
        let cpus = self.cpus.iter().flatten();
        cpus.map(|cpu| cpu.oldest_needed(cell))
            .min()
            .unwrap_or(len - 1)
    }

    /// Changes all views that are past the oldest store of a cell, and perhaps others.
    pub(super) fn each_view_past_oldest(
        &mut self,
        cell: CellId,
        change: &mut dyn FnMut(&mut View),
    ) {
        self.histories.each_view_past(cell, change);
        let cpus = self.cpus.iter_mut().flatten();
        cpus.for_each(|cpu| cpu.each_view_past(cell, change));
        self.locks.each_view_past(cell, change);
        change(&mut self.fences);
    }

    pub(super) fn cpu(&self, task: TaskId) -> &Cpu {
        self.cpus[task.index()].as_ref().expect("the task runs")
    }

    pub(super) fn cpu_mut(&mut self, task: TaskId) -> &mut Cpu {
        let cpu = self.cpus[task.index()].as_mut();
        cpu.expect("the task runs").change()
    }

    fn history(&mut self, cell: CellId) -> &mut History {
        let newest = self.newest(cell);
        self.histories.change(cell, || History::of(newest))
    }

    pub(super) fn len(&self, cell: CellId) -> u32 {
        self.histories.get(cell).map_or(1, |h| h.len())
    }

    pub(super) fn value(&self, cell: CellId, place: u32) -> u64 {
        match self.histories.get(cell) {
            Some(history) => history.stores[place as usize].value,
            None => self.newest(cell),
        }
    }

    pub(super) fn at(&self, cell: CellId, place: u32) -> Store {
        match self.histories.get(cell) {
            Some(history) => history.stores[place as usize].clone(),
            None => History::of(self.newest(cell)).stores.remove(0),
        }
    }
}

fn view_of(cell: CellId, place: u32) -> View {
    let mut view = View::default();
    view.raise(cell, place);
    view
}
