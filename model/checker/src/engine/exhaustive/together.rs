//! Work that several workers do together, each with a run of its own.

use super::shared::{Shared, locked};
use super::worker::Worker;
use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::Watch;
use crate::engine::walk::Walk;
use crate::model::Model;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ScopedJoinHandle;

/// What one more worker is made of, in a thread of its own.
pub(super) struct Recipe<'a, M: Model> {
    model: Arc<M>,
    /// The steps that the round goes by.
    pub(super) watch: Watch,
    transactions: bool,
    shared: &'a Shared<'a>,
}

impl<'a, M: Model> Recipe<'a, M> {
    /// A worker that goes by the same steps as this one.
    pub(super) fn of(worker: &Worker<'a, M>) -> Self {
        Self {
            model: worker.walk.machine().model().clone(),
            watch: worker.walk.machine().watch().clone(),
            transactions: worker.walk.transactions,
            shared: worker.shared,
        }
    }

    /// The worker, at the start. What it has to know of the tasks it learns anew.
    pub(super) fn worker(self) -> Worker<'a, M> {
        let machine = Machine::new(self.model.clone(), false);
        let checkpoints = self.shared.options.checkpoints;
        machine.configure(Granularity::Steps, self.watch, checkpoints);
        let mut walk = Walk::new(&self.model, machine);
        walk.transactions = self.transactions;
        Worker::new(walk, Arc::default(), self.shared)
    }
}

/// What a thread has come to, or its panic.
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let end = thread.join();
    end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// How many of some items workers have taken.
#[derive(Default)]
pub(super) struct Taken(AtomicUsize);

impl Taken {
    /// The next of the items that nobody has taken.
    pub(super) fn next<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Does two things: at once if there is more than one worker, else one after the other.
pub(super) fn both<A, B: Send>(
    workers: usize,
    here: impl FnOnce() -> A,
    aside: impl FnOnce() -> B + Send,
) -> (A, B) {
    if workers == 1 {
        return (here(), aside());
    }
    std::thread::scope(|scope| {
        let aside = scope.spawn(aside);
        (here(), joined(aside))
    })
}

/// Does a piece of work for each of a few items, by at most so many workers.
pub(super) fn each<T: Send>(workers: usize, items: Vec<T>, work: impl Fn(T) + Sync) {
    let workers = workers.min(items.len());
    let items = Mutex::new(items.into_iter());
    let take = || locked(&items).next();
    let do_all = || std::iter::from_fn(take).for_each(&work);
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(do_all);
        }
        do_all();
    });
}

/// Fewer pieces of work than this are no reason to make another worker.
const FEW: usize = 16;

impl<M: Model> Worker<'_, M> {
    /// Does a piece of work for each of `items`. Each worker adds up its part of them; which ones
    /// these are differs from run to run.
    pub(super) fn together<T: Sync, S: Default + Send>(
        &mut self,
        items: &[T],
        work: impl Fn(&mut Worker<'_, M>, &T, &mut S) + Sync,
    ) -> Vec<S> {
        let taken = Taken::default();
        let do_all = |worker: &mut Worker<'_, M>| {
            let mut sum = S::default();
            while let Some(item) = taken.next(items) {
                work(worker, item, &mut sum);
            }
            sum
        };
        let others = if items.len() < FEW {
            0
        } else {
            self.shared.options.workers - 1
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..others)
                .map(|_| {
                    let recipe = Recipe::of(self);
                    let do_all = &do_all;
                    scope.spawn(move || do_all(&mut recipe.worker()))
                })
                .collect();
            let mut sums = vec![do_all(self)];
            sums.extend(others.into_iter().map(joined));
            sums
        })
    }
}
