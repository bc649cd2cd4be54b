//! What the workers of a search share.

use super::options::Options;
use super::visited::{StateId, Visited};
use crate::event::TaskId;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

/// Some choices of a state that one worker leaves to another.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The way to the state: at each state with a choice, who goes.
    pub(super) prefix: Vec<TaskId>,
    /// The state.
    pub(super) state: StateId,
    /// All tasks that are let go there. Not to be found out again: what is let go depends on what
    /// the worker that came there first knew.
    pub(super) tasks: Vec<TaskId>,
    /// The choices that are left, by their number among these.
    pub(super) choices: std::ops::Range<usize>,
}

#[derive(Default)]
struct Jobs {
    queue: Vec<Job>,
    /// Workers that wait for a job.
    idle: usize,
}

/// Shared by all workers.
pub(super) struct Shared<'a> {
    pub(super) options: &'a Options,
    pub(super) visited: Visited,
    states: AtomicU64,
    /// Bytes of all workers' edges.
    edges: AtomicU64,
    stop: AtomicBool,
    /// Why the search has stopped before its end.
    why: Mutex<Option<String>>,
    jobs: Mutex<Jobs>,
    wake: Condvar,
    /// How many workers wait for a job.
    hungry: AtomicUsize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<'a> Shared<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        /// Parts of the set of visited states when several workers share it: 2 to the power of this.
        const BITS: u32 = 8;
        Self {
            options,
            visited: Visited::new(if options.workers > 1 { BITS } else { 0 }),
            states: AtomicU64::new(0),
            edges: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            why: Mutex::default(),
            jobs: Mutex::default(),
            wake: Condvar::new(),
            hungry: AtomicUsize::new(0),
        }
    }

    /// Counts a state; gives how many there are.
    pub(super) fn count(&self) -> u64 {
        self.states.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// States so far.
    pub(super) fn states(&self) -> u64 {
        self.states.load(Ordering::Relaxed)
    }

    /// Counts more bytes of edges; gives about how many bytes the search takes, with what it takes
    /// to read the report off the graph.
    pub(super) fn memory(&self, more_edges: u64) -> u64 {
        /// Bytes for each state, and as many for the edges again, when the graph is put together.
        const GRAPH: u64 = 28;
        let edges = self.edges.fetch_add(more_edges, Ordering::Relaxed) + more_edges;
        self.visited.bytes() + 2 * edges + GRAPH * self.states()
    }

    /// Whether the workers are to stop.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Stops all workers. `why` they stop before the end, if so.
    pub(super) fn stop(&self, why: Option<String>) {
        if let Some(why) = why {
            locked(&self.why).get_or_insert(why);
        }
        self.stop.store(true, Ordering::Relaxed);
        let _jobs = locked(&self.jobs);
        self.wake.notify_all();
    }

    /// Why the search was stopped before its end, if it was.
    pub(super) fn why(&self) -> Option<String> {
        locked(&self.why).clone()
    }

    /// Whether some worker waits for a job.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0
    }

    /// Leaves a job to whoever waits.
    pub(super) fn leave(&self, job: Job) {
        let mut jobs = locked(&self.jobs);
        jobs.queue.push(job);
        let waiting = jobs.idle.saturating_sub(jobs.queue.len());
        self.hungry.store(waiting, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Waits for a job; `None` once all workers wait, or are to stop.
    pub(super) fn take(&self) -> Option<Job> {
        let mut jobs = locked(&self.jobs);
        jobs.idle += 1;
        loop {
            if self.is_over() {
                return None;
            }
            if let Some(job) = jobs.queue.pop() {
                jobs.idle -= 1;
                let waiting = jobs.idle.saturating_sub(jobs.queue.len());
                self.hungry.store(waiting, Ordering::Relaxed);
                return Some(job);
            }
            if jobs.idle == self.options.workers {
                self.stop.store(true, Ordering::Relaxed);
                self.wake.notify_all();
                return None;
            }
            let waiting = jobs.idle - jobs.queue.len();
            self.hungry.store(waiting, Ordering::Relaxed);
            jobs = self
                .wake
                .wait(jobs)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

/// Stops the others when a worker panics.
pub(super) struct StopOnPanic<'a, 'b>(pub(super) &'a Shared<'b>);

impl Drop for StopOnPanic<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(None);
        }
    }
}
