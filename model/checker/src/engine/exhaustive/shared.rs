//! What the workers of a search share.

use super::exact::Exact;
use super::options::Options;
use super::visited::{StateId, Visited};
use crate::engine::footprints::Footprints;
use crate::engine::schedule::Turn;
use crate::engine::weak::Behind;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Untried choices of one path, that one worker leaves to another or to itself later.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The path: at each state with a choice, who goes.
    pub(super) way: Vec<Turn>,
    /// The states on it, its end included, that have untried choices, in order; at least one.
    pub(super) open: Vec<Open>,
}

/// Untried choices of one state of a path.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// How many steps lead to the state.
    pub(super) steps: u64,
    /// The state.
    pub(super) state: StateId,
    /// The number of the first of the choices.
    pub(super) first: usize,
    /// The choices.
    pub(super) turns: Vec<Turn>,
    /// The run that came to the state has not gone on from there.
    pub(super) is_fresh: bool,
    /// The part of all that each of the choices stands for.
    pub(super) share: f64,
}

impl Job {
    /// How many choices it has.
    pub(super) fn untried(&self) -> u64 {
        self.open.iter().map(|o| o.turns.len() as u64).sum()
    }
}

#[derive(Default)]
struct Jobs {
    queue: Vec<Job>,
    /// Workers that wait for a job.
    idle: usize,
}

/// Why a search stopped before its end.
#[derive(Clone, Debug)]
pub(super) struct Why {
    /// In words.
    pub(super) text: String,
    /// What can be done about it.
    pub(super) remedy: Remedy,
    /// Where it stopped depends on nothing but counts, if one worker searches.
    pub(super) is_counted: bool,
}

/// How a search that has stopped can get further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// By going on.
    GoOn,
    /// By going on with a higher bound.
    RaiseBound,
    /// Not at all.
    Nothing,
}

/// How far one worker has told the others that it is.
#[derive(Default)]
pub(super) struct Told {
    /// Bytes of edges.
    pub(super) edges: u64,
    /// Bytes of what states rely on.
    pub(super) relied: u64,
    /// Bytes that it takes to take back the way to where it is, under weak memory.
    pub(super) way: u64,
    /// Choices.
    pub(super) untried: u64,
    pub(super) done: f64,
}

/// Shared by all workers.
pub(super) struct Shared<'a> {
    pub(super) options: &'a Options,
    pub(super) visited: Visited,
    /// When this process began to search.
    pub(super) began: Instant,
    /// When the last checkpoint was written, and how long to wait for the next at least.
    saved: Mutex<(Instant, Duration)>,
    /// The states themselves, where fingerprints are to be checked.
    pub(super) exact: Option<Exact>,
    /// What tasks touch, as all go by it in this round, unless the search does without.
    footprints: Mutex<Option<Arc<Footprints>>>,
    /// What tasks touch behind their points, under weak memory, unless nothing is forgotten.
    pub(super) behind: Option<Arc<Behind>>,
    /// What states rely on is kept.
    keeps_reliances: bool,
    states: AtomicU64,
    /// States whose choices are still to be made again.
    again: AtomicU64,
    /// Sums over all workers.
    told: Mutex<Told>,
    stop: AtomicBool,
    broken_off: AtomicBool,
    /// The workers stop to go on later.
    pause: AtomicBool,
    /// No more checkpoints are written.
    is_last: AtomicBool,
    why: Mutex<Option<Why>>,
    had_help: AtomicBool,
    /// A schedule was left out that has too many preemptions.
    left_out: AtomicBool,
    jobs: Mutex<Jobs>,
    wake: Condvar,
    /// How many workers wait for a job.
    hungry: AtomicUsize,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        options: &'a Options,
        began: Instant,
        footprints: Option<Arc<Footprints>>,
        behind: Option<Arc<Behind>>,
        is_resumed: bool,
    ) -> Self {
        Self {
            options,
            behind,
            visited: Visited::default(),
            began,
            saved: Mutex::new((Instant::now(), Duration::ZERO)),
            exact: options.exact.then(Exact::default),
            keeps_reliances: options.repair.is_some()
                && !options.weak_memory
                && !options.sleep_sets
                && options.preemption_bound.is_none()
                && !is_resumed
                && footprints.is_some(),
            footprints: Mutex::new(footprints),
            states: AtomicU64::new(0),
            again: AtomicU64::new(0),
            told: Mutex::default(),
            stop: AtomicBool::new(false),
            broken_off: AtomicBool::new(false),
            pause: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
            why: Mutex::default(),
            had_help: AtomicBool::new(false),
            left_out: AtomicBool::new(false),
            jobs: Mutex::default(),
            wake: Condvar::new(),
            hungry: AtomicUsize::new(0),
        }
    }

    /// Bytes that a worker may take to keep what states rely on, if it is kept: all together take an
    /// eighth of the memory that there is, and as much again after each repair.
    pub(super) fn most_reliances(&self) -> Option<u64> {
        /// In any case.
        const MOST: u64 = 1 << 30;
        let workers = self.options.workers.max(1) as u64;
        let part = self.options.max_memory / 8 / workers;
        self.keeps_reliances.then_some(part.min(MOST))
    }

    /// What tasks touch, as all go by it, unless the search does without.
    pub(super) fn footprints(&self) -> Option<Arc<Footprints>> {
        locked(&self.footprints).clone()
    }

    /// From now on all go by this.
    pub(super) fn set_footprints(&self, footprints: Arc<Footprints>) {
        *locked(&self.footprints) = Some(footprints);
    }

    /// Counts states; gives how many there are.
    pub(super) fn count(&self, states: u64) -> u64 {
        self.states.fetch_add(states, Ordering::Relaxed) + states
    }

    /// States so far.
    pub(super) fn states(&self) -> u64 {
        self.states.load(Ordering::Relaxed)
    }

    /// There are so many states: a search goes on that had them.
    pub(super) fn set_states(&self, states: u64) {
        self.states.store(states, Ordering::Relaxed);
    }

    /// Takes in how far a worker is, who has `before` told how far it was.
    pub(super) fn tell(&self, before: &mut Told, now: Told) {
        let mut sum = locked(&self.told);
        sum.edges = sum.edges - before.edges + now.edges;
        sum.relied = sum.relied - before.relied + now.relied;
        sum.way = sum.way - before.way + now.way;
        sum.untried = sum.untried - before.untried + now.untried;
        sum.done += now.done - before.done;
        *before = now;
    }

    /// The choices of so many states are to be made again.
    pub(super) fn set_again(&self, states: u64) {
        self.again.store(states, Ordering::Relaxed);
    }

    /// The choices of one of them are made.
    pub(super) fn is_chosen_again(&self) {
        self.again.fetch_sub(1, Ordering::Relaxed);
    }

    /// Choices that the workers have not tried, as far as they have told: at least one of each
    /// state whose choices are still to be made again.
    pub(super) fn untried(&self) -> u64 {
        let jobs = locked(&self.jobs);
        let left: u64 = jobs.queue.iter().map(Job::untried).sum();
        let again = self.again.load(Ordering::Relaxed);
        locked(&self.told).untried + left + again
    }

    /// The part of the tree of choices that is done, as far as the workers have told.
    pub(super) fn done(&self) -> f64 {
        locked(&self.told).done
    }

    /// About how many bytes the search takes, with what it takes to read the report off the graph:
    /// but for the diagrams of what dead cells can hold, of which nobody knows before.
    pub(super) fn memory(&self) -> u64 {
        /// Bytes for each state when the report is read off the graph.
        const GRAPH: u64 = 48;
        /// So many times the bytes of the edges, which are put together by where they begin and by
        /// where they lead.
        const EDGES: u64 = 6;
        let (edges, others) = {
            let told = locked(&self.told);
            (told.edges, told.relied + told.way)
        };
        self.visited.bytes() + EDGES * edges + others + GRAPH * self.states()
    }

    /// Whether the search has gone on for longer than it may.
    pub(super) fn is_too_late(&self) -> bool {
        let most = self.options.max_seconds;
        most.is_some_and(|most| self.began.elapsed().as_secs() >= most)
    }

    /// From now on no checkpoint is written.
    pub(super) fn write_no_more(&self) {
        self.is_last.store(true, Ordering::Relaxed);
    }

    /// Whether it is time for another checkpoint.
    pub(super) fn is_due(&self) -> bool {
        let (last, wait) = *locked(&self.saved);
        let file = self.options.checkpoint.as_ref();
        let file = file.filter(|_| !self.is_last.load(Ordering::Relaxed));
        file.is_some_and(|file| last.elapsed() >= file.interval.max(wait))
    }

    /// Whether the workers are to stop.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Stops all workers at the end of the search.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let _jobs = locked(&self.jobs);
        self.wake.notify_all();
    }

    /// Stops all workers, since the round has to be begun again.
    pub(super) fn break_off(&self) {
        self.broken_off.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Whether the round has to be begun again, whatever it has found.
    pub(super) fn was_broken_off(&self) -> bool {
        self.broken_off.load(Ordering::Relaxed)
    }

    /// Stops all workers before the end of the search.
    pub(super) fn stop_early(&self, text: String, remedy: Remedy) {
        self.stop_for(Why {
            text,
            remedy,
            is_counted: false,
        });
    }

    /// As [`Shared::stop_early`], at a bound that is counted.
    pub(super) fn stop_at_bound(&self, text: String, remedy: Remedy) {
        self.stop_for(Why {
            text,
            remedy,
            is_counted: true,
        });
    }

    fn stop_for(&self, why: Why) {
        locked(&self.why).get_or_insert(why);
        self.stop();
    }

    /// Others than the first worker search too.
    pub(super) fn has_help(&self) {
        self.had_help.store(true, Ordering::Relaxed);
    }

    /// Whether others than the first worker have searched too.
    pub(super) fn had_help(&self) -> bool {
        self.had_help.load(Ordering::Relaxed)
    }

    /// A schedule is left out that has too many preemptions.
    pub(super) fn leaves_out(&self) {
        if !self.has_left_out() {
            self.left_out.store(true, Ordering::Relaxed);
        }
    }

    /// Whether schedules were left out that have too many preemptions.
    pub(super) fn has_left_out(&self) -> bool {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Stops all workers, to go on when [`Shared::go_on_after_checkpoint`] says so.
    pub(super) fn pause(&self) {
        self.pause.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Whether all have stopped to go on.
    pub(super) fn is_paused(&self) -> bool {
        self.pause.load(Ordering::Relaxed)
    }

    /// After a pause, when no worker is left; writing the checkpoint took so long.
    pub(super) fn go_on_after_checkpoint(&self, checkpoint_took: Duration) {
        self.go_on();
        *locked(&self.saved) = (Instant::now(), 10 * checkpoint_took);
    }

    /// Lets workers begin with the jobs that are left.
    pub(super) fn go_on(&self) {
        self.stop.store(false, Ordering::Relaxed);
        self.pause.store(false, Ordering::Relaxed);
        self.hungry.store(0, Ordering::Relaxed);
        locked(&self.jobs).idle = 0;
    }

    /// Why the search was stopped before its end, if it was.
    pub(super) fn why(&self) -> Option<Why> {
        locked(&self.why).clone()
    }

    /// Whether some worker waits for a job.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0
    }

    /// The jobs that are left when no worker is.
    pub(super) fn jobs(&self) -> Vec<Job> {
        locked(&self.jobs).queue.clone()
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
            self.0.stop();
        }
    }
}
