//! The search itself: depth-first, by one or more workers.
//!
//! A search is made of rounds. In each it goes by certain steps; when it sees that more operations
//! have to be steps, it starts again. Early on it does so at once. A round that has come far is
//! finished first, so that what it has seen depends on its steps alone and not on the order in
//! which several workers went. The round after that is finished in any case, so all workers go from
//! its start.
//!
//! A round is made of sessions: all workers stop for a checkpoint, leave what they have not tried
//! as jobs, and go on with these, in this process or in a later one. Where a round is repaired, what
//! is gone to again is another session, see [`super::repair`].
//!
//! Where several workers come to a bound that is counted, what they have seen by then depends on
//! which of them was how fast. One worker alone searches then, up to that bound, so that the report
//! is the same for any number of them.

use super::checkpoint::{Checkpoint, CheckpointError, Identity};
use super::estimate::Estimate;
use super::hindsight::Hindsight;
use super::options::{Go, Options, Progress};
use super::repair::Again;
use super::sampling::sample;
use super::shared::{Remedy, Shared, StopOnPanic};
use super::together::{Recipe, joined};
use super::worker::{First, Worker};
use crate::engine::footprints::{Flow, Footprints};
use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::walk::Walk;
use crate::engine::weak::Behind;
use crate::model::Model;
use crate::outcome::{Interleavings, Report};
use std::sync::Arc;
use std::time::Instant;

/// Explores all interleavings of a model.
pub(super) fn explore<M: Model>(
    model: &Arc<M>,
    options: &Options,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Report<M::Outcome>, CheckpointError> {
    let began = Instant::now();
    if let Some(report) = explore_by(model, options, began, progress)? {
        return Ok(report);
    }
    let alone = Options {
        workers: 1,
        ..options.clone()
    };
    let report = explore_by(model, &alone, began, progress)?;
    Ok(report.expect("one worker has a report"))
}

/// As [`explore`]; `None` if one worker has to search alone.
fn explore_by<M: Model>(
    model: &Arc<M>,
    options: &Options,
    began: Instant,
    progress: &mut dyn FnMut(Progress) -> Go,
) -> Result<Option<Report<M::Outcome>>, CheckpointError> {
    let machine = Machine::new(model.clone(), false);
    let search = Search {
        model,
        options,
        identity: Identity::new(model.layout(), &machine, options),
        began,
    };
    let mut resumed = match &options.resume {
        None => None,
        Some(file) => Checkpoint::open(file, &search.identity)?,
    };
    if let (Some(file), None) = (&options.checkpoint, &resumed) {
        search.identity.write_beginning(file)?;
    }
    let mut start = if let Some(checkpoint) = &mut resumed {
        let known = checkpoint.known()?;
        search.configure(&machine, known.watch);
        Start {
            walk: search.walk(machine),
            flow: known.flow,
            footprints: known.used,
            behind: known.behind,
            restarts: known.restarts,
            is_far: false,
            estimate: Estimate::default(),
        }
    } else {
        search.configure(&machine, search.first_watch(progress));
        search.sampled(machine, 0)
    };
    loop {
        let (restarts, schedules_log10) = (start.restarts, start.estimate.log10());
        let mut tell = |now: Progress| {
            progress(Progress {
                schedules_log10,
                restarts,
                ..now
            })
        };
        match search.round(start, resumed.take(), &mut tell)? {
            Round::Over(report) => return Ok(Some(*report)),
            Round::Again(next) => start = *next,
            Round::Alone => return Ok(None),
        }
    }
}

/// What does not change from round to round.
struct Search<'a, M: Model> {
    model: &'a Arc<M>,
    options: &'a Options,
    identity: Identity,
    began: Instant,
}

/// What a round begins with.
struct Start<M: Model> {
    walk: Walk<M>,
    /// What has been seen of the tasks with the same steps.
    flow: Flow,
    /// What tasks touch, unless the search does without.
    footprints: Option<Arc<Footprints>>,
    /// What they touch behind their points, under weak memory, unless nothing is forgotten.
    behind: Option<Arc<Behind>>,
    /// How many rounds there were before.
    restarts: u64,
    /// The round before was finished, and so is this one: all workers go from its start.
    is_far: bool,
    /// About how many schedules there are.
    estimate: Estimate,
}

/// How a round ends.
enum Round<M: Model> {
    Over(Box<Report<M::Outcome>>),
    /// More operations turned out to be steps, or tasks touch more than was known; or it is better
    /// to do without knowing that.
    Again(Box<Start<M>>),
    /// The search came to a bound by several workers.
    Alone,
}

impl<M: Model> Search<'_, M> {
    fn configure(&self, machine: &Machine<M>, watch: Watch) {
        machine.configure(Granularity::Steps, watch, self.options.checkpoints);
    }

    /// What is taken to be known of the steps before anything was seen.
    fn first_watch(&self, progress: &mut dyn FnMut(Progress) -> Go) -> Watch {
        let layout = self.model.layout();
        match (self.options.lock_aware, self.options.weak_memory) {
            (true, false) => Watch::optimistic(layout),
            (true, true) => self.watch_of_sequential(progress).weak(),
            (false, false) => Watch::fixed(layout, Marks::all(layout)),
            (false, true) => Watch::fixed(layout, Marks::all(layout)).weak(),
        }
    }

    /// What has to be a step under sequential consistency: it has to be one under weak memory too, and is
    /// soon found there.
    fn watch_of_sequential(&self, progress: &mut dyn FnMut(Progress) -> Go) -> Watch {
        let options = Options {
            weak_memory: false,
            sleep_sets: false,
            exact: false,
            checkpoint: None,
            resume: None,
            ..self.options.clone()
        };
        let report = super::explore_with(self.model, &options, progress);
        Watch::beginning_with(self.model.layout(), report.marks)
    }

    fn walk(&self, machine: Box<Machine<M>>) -> Walk<M> {
        let mut walk = Walk::new(self.model, machine);
        // To take a lock later keeps what comes of a schedule, but not how often tasks are preempted:
        // who waited for the lock does not then.
        let are_kept = self.options.preemption_bound.is_none() && !self.options.weak_memory;
        walk.transactions = self.options.transactions && are_kept;
        walk
    }

    /// What tasks touch behind their points, by what was seen so far; only under weak memory.
    fn behind(&self, flow: &Flow, walk: &Walk<M>) -> Option<Arc<Behind>> {
        self.forgets().then(|| Arc::new(Behind::new(flow, walk)))
    }

    /// Whether it is forgotten what no task will see any more.
    fn forgets(&self) -> bool {
        self.options.weak_memory && self.options.live_variables
    }

    /// Begins with the steps that the machine goes by, and with what random schedules show of the
    /// tasks; or with more steps, if they show that.
    fn sampled(&self, machine: Box<Machine<M>>, mut restarts: u64) -> Start<M> {
        let mut walk = self.walk(machine);
        let mut flow = Flow::default();
        let mut footprints = None;
        let mut estimate = Estimate::default();
        if self.options.persistent_sets || self.forgets() {
            loop {
                if self.options.sampled {
                    estimate = sample(&mut walk);
                }
                let mut watch = walk.machine().watch().clone();
                if !watch.has_changed() {
                    break;
                }
                watch.activate();
                restarts += 1;
                let machine = walk.into_machine();
                self.configure(&machine, watch);
                walk = self.walk(machine);
            }
            flow.add(walk.automaton());
        }
        if self.options.persistent_sets {
            footprints = Some(Arc::new(walk.foreseen_footprints(&flow)));
        }
        Start {
            behind: self.behind(&flow, &walk),
            walk,
            flow,
            footprints,
            restarts,
            is_far: false,
            estimate,
        }
    }

    fn round(
        &self,
        start: Start<M>,
        resumed: Option<Checkpoint>,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) -> Result<Round<M>, CheckpointError> {
        let shared = Shared::new(
            self.options,
            self.began,
            start.footprints,
            start.behind,
            resumed.is_some(),
        );
        let mut leader = Worker::new(start.walk, Arc::new(start.flow), &shared);
        if start.is_far {
            leader.get_far();
        }
        if let Some(checkpoint) = resumed {
            let scout = Recipe::of(&leader).worker();
            checkpoint.restore(&mut leader, scout)?;
        }
        let save = |leader: &Worker<'_, M>| {
            let file = self.options.checkpoint.as_ref()?;
            Some(self.identity.write(file, leader, start.restarts))
        };
        let mut saved_before_repair = None;
        let mut again = None;
        loop {
            self.session(&mut leader, again.take().as_ref(), progress);
            let why = shared.why();
            let is_counted = why.as_ref().is_some_and(|why| why.is_counted);
            if is_counted && shared.had_help() && self.options.any_checkpoint().is_none() {
                return Ok(Round::Alone);
            }
            let can_go_on = why
                .as_ref()
                .map_or(shared.is_paused(), |why| why.remedy != Remedy::Nothing);
            let now = Instant::now();
            let saved = match saved_before_repair.take() {
                None if can_go_on => save(&leader),
                before => before,
            };
            if why.is_some() {
                return Ok(Round::Over(Box::new(leader.report(why, saved).0)));
            }
            if shared.is_paused() {
                // That a checkpoint cannot be written does not end the search.
                shared.go_on_after_checkpoint(now.elapsed());
                continue;
            }
            let hindsight = leader.hindsight();
            if let Some(repair) = hindsight.as_ref().and_then(|h| leader.needs_repair(h)) {
                saved_before_repair = saved.or_else(|| save(&leader));
                shared.write_no_more();
                again = Some(leader.repair(repair));
                shared.go_on();
            } else {
                return Ok(self.judge(leader, hindsight, start.restarts, start.estimate));
            }
        }
    }

    /// Lets all workers go until they stop, and gives what they have found to the leader.
    fn session(
        &self,
        leader: &mut Worker<'_, M>,
        again: Option<&Again>,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) {
        let shared = leader.shared;
        let helpers = std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..self.options.workers)
                .map(|_| {
                    let mut recipe = Recipe::of(leader);
                    scope.spawn(move || {
                        let _guard = StopOnPanic(shared);
                        recipe.watch.wait_for_settle();
                        // A worker is made when there is something to do.
                        let first = match again {
                            Some(again) => First::Again(again),
                            None => First::Job(shared.take()?),
                        };
                        let mut worker = recipe.worker();
                        worker.help(first);
                        Some(worker.into_found())
                    })
                })
                .collect();
            let _guard = StopOnPanic(shared);
            leader.lead(again, progress);
            let found = helpers.into_iter().filter_map(joined);
            found.collect::<Vec<_>>()
        });
        for helper in helpers {
            leader.take_in(helper);
        }
    }

    /// Says how the round ends, in which nothing has stopped the search but perhaps that more
    /// operations turned out to be steps.
    fn judge(
        &self,
        leader: Worker<'_, M>,
        hindsight: Option<Hindsight>,
        restarts: u64,
        estimate: Estimate,
    ) -> Round<M> {
        let more_steps = leader.has_more_steps().then(|| {
            let mut watch = leader.walk.machine().watch();
            watch.activate();
            watch.clone()
        });
        let is_far = leader.is_far;
        let again = |walk, flow, footprints| {
            Round::Again(Box::new(Start {
                behind: self.behind(&flow, &walk),
                walk,
                flow,
                footprints,
                restarts: restarts + 1,
                is_far,
                estimate,
            }))
        };
        if let Some(watch) = more_steps {
            let machine = leader.walk.into_machine();
            self.configure(&machine, watch);
            return Round::Again(Box::new(self.sampled(machine, restarts + 1)));
        }
        let flow = match hindsight {
            Some(wrong) if !wrong.is_right => {
                let foreseen = || leader.walk.foreseen_footprints(&wrong.flow);
                let next = |used: &Arc<_>| wrong.grown(used).unwrap_or_else(foreseen);
                let next = leader.footprints.as_ref().map(next).map(Arc::new);
                return again(leader.walk, wrong.flow, next);
            }
            right => right.map(|right| right.flow).unwrap_or_default(),
        };
        let has_footprints = leader.footprints.is_some();
        let (report, mut walk) = leader.report(None, None);
        let is_endless = report.interleavings == Interleavings::Endless;
        if is_endless && (has_footprints || walk.transactions) {
            walk.transactions = false;
            return again(walk, flow, None);
        }
        Round::Over(Box::new(report))
    }
}
