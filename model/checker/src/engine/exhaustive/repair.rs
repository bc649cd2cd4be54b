//! A round that has relied on what turned out not to be so is repaired, where that was at few
//! states: their choices are made again by what is known now, and all else stays.
//!
//! The outcome is the graph of a round that had gone by this from the start, see
//! [`Footprints::grown`]: at all other states the same tasks are let go. What nothing leads to any
//! more does not count.
//!
//! Only a round that has come far is repaired: others are soon begun again.
//!
//! What was relied on is kept for each state with a choice, and for the way to the next one. It is
//! not kept in a checkpoint: whoever goes on from one begins such a round again, to the same end. A
//! round that is being repaired cannot be written down, since some outcomes in it are not led to
//! before the end; so a checkpoint is written before, if at all.

mod again;
mod parents;
mod tree;

use super::graph::Graph;
use super::hindsight::Hindsight;
use super::order::Order;
use super::shared::locked;
use super::together::each;
use super::visited::StateId;
use super::worker::{At, Worker};
use crate::engine::footprints::{
    Claimed, Conflicts, Flow, Footprints, Known, Place, Places, RelianceId, Relied, START, Standing,
};
use crate::model::Model;
pub(super) use again::Again;
use parents::Parents;
use std::sync::{Arc, Mutex};

/// What all workers have relied on, part by part.
#[derive(Default)]
pub(super) struct Reliances {
    /// What this worker relies on now; `None` if that is not kept.
    pub(super) own: Option<Relied>,
    /// What the others did who have ended.
    pub(super) others: Vec<Option<Relied>>,
    /// What was relied on before the repairs, each with what was then taken to be known.
    before: Vec<(Vec<Known>, Vec<Relied>)>,
    /// The last place on the way of a run that goes from one to another.
    from: Option<Place>,
}

/// So many repairs of one round are enough.
const MOST_REPAIRS: usize = 16;

/// How much there is of a repaired round.
pub(super) struct Counts {
    pub(super) states: u64,
    pub(super) executions: u64,
}

impl Counts {
    /// Of what is behind the root: what nothing leads to any more does not count.
    pub(super) fn new(graph: &Graph, order: &Order) -> Self {
        let tried = |state: &u32| graph.choices(*state).count() as u64;
        let choices = order.states.iter().map(tried).filter(|n| *n > 0);
        let (states, choices) = choices.fold((0, 0), |(s, c), n| (s + 1, c + n));
        // Each state is gone on from once, and each further choice begins another execution.
        let executions = 1 + choices - states;
        Self { states, executions }
    }
}

/// What is to be done.
pub(super) struct Repair {
    wrong: Places,
    again: Again,
    /// What is known now.
    grown: Footprints,
    flow: Flow,
    /// What is relied on everywhere else.
    claimed: Claimed,
}

impl Reliances {
    /// Of a worker who keeps so many bytes of them, or none.
    pub(super) fn new(most: Option<u64>) -> Self {
        Self {
            own: most.map(Relied::new),
            ..Self::default()
        }
    }

    /// The run sets out from a state, or the start.
    #[inline]
    pub(super) fn set_out(&mut self, from: Option<StateId>) {
        self.from = Some(from.map_or(START, |state| state.0));
    }

    /// What it relies on to let the tasks of the set go and the others not.
    pub(super) fn number(&mut self, tasks: &[Standing], set: u64) -> Option<RelianceId> {
        self.own.as_mut()?.number(tasks, set)
    }

    /// Tasks are let go and others are not, which relies on that.
    #[inline]
    pub(super) fn choose(&mut self, relies_on: Option<RelianceId>) {
        if let (Some(_), Some(own)) = (self.from, &mut self.own) {
            own.open(relies_on);
        }
    }

    /// The run goes on from where there is no choice.
    #[inline]
    pub(super) fn pass(&mut self) {
        if let (Some(from), Some(own)) = (self.from, &mut self.own) {
            own.close(from);
        }
    }

    /// The run has come to a state.
    #[inline]
    pub(super) fn arrive(&mut self, at: StateId, is_new: bool) {
        self.from = None;
        match &mut self.own {
            Some(own) if is_new => own.close(at.0),
            Some(own) => own.drop_open(),
            None => {}
        }
    }

    /// Bytes of memory that they take.
    pub(super) fn bytes(&self) -> u64 {
        let before = self.before.iter().flat_map(|(_, parts)| parts);
        let now = self.own.iter().chain(self.others.iter().flatten());
        before.chain(now).map(Relied::bytes).sum()
    }

    /// The places where something was relied on that is not so. All up to now was `taken` to be so.
    /// `None` if not everything was kept.
    /// Looked for by so many workers.
    fn wrong(
        &mut self,
        taken: Vec<Known>,
        known: &Footprints,
        flow: &Flow,
        workers: usize,
    ) -> Option<Places> {
        let parts = std::iter::once(self.own.take()).chain(self.others.drain(..));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        if !parts.iter().all(Relied::is_whole) {
            return None;
        }
        self.before.push((taken, parts));
        let all = self.before.iter();
        let all = all.map(|(taken, parts)| (Conflicts::new(taken, known, flow), parts));
        let all: Vec<_> = all.collect();
        let parts = all
            .iter()
            .flat_map(|(c, parts)| parts.iter().map(move |p| (c, p)));
        let wrong = Mutex::new(Places::default());
        each(workers, parts.collect(), |(conflicts, part)| {
            let mut here = Places::default();
            here.extend(part.wrong(conflicts));
            locked(&wrong).unite(here);
        });
        Some(std::mem::take(&mut *locked(&wrong)))
    }

    /// Forgets these places, which are gone to again, and begins another part.
    fn forget(&mut self, wrong: &Places, workers: usize, most: Option<u64>) {
        let parts = self.before.iter_mut().flat_map(|(_, parts)| parts);
        each(workers, parts.collect(), |part| part.forget(wrong));
        self.own = most.map(Relied::new);
    }

    /// Whether the round has been repaired.
    pub(super) fn is_repaired(&self) -> bool {
        !self.before.is_empty()
    }
}

impl<M: Model> Worker<'_, M> {
    /// What is to be done about the states that are wrong; `None` if the round is right, or cannot be
    /// repaired.
    pub(super) fn needs_repair(&mut self, hindsight: &Hindsight) -> Option<Repair> {
        let too_often = self.reliances.before.len() >= MOST_REPAIRS;
        if hindsight.is_right || !self.is_far || too_often || self.reliances.own.is_none() {
            return None;
        }
        let grown = hindsight.grown(self.footprints.as_ref()?)?;
        let (flow, taken) = (&hindsight.flow, &hindsight.seen.as_ref()?.1);
        let claimed = self.claimed.as_known_now(taken, &grown, flow);
        let wrong =
            self.reliances
                .wrong(taken.clone(), &grown, flow, self.shared.options.workers)?;
        let again = self.again(&wrong)?;
        Some(Repair {
            wrong,
            again,
            grown,
            flow: flow.clone(),
            claimed,
        })
    }

    /// Takes out what was wrong, and goes by what is known now. Gives what is to be gone to again.
    pub(super) fn repair(&mut self, repair: Repair) -> Again {
        self.shared.set_again(repair.wrong.count());
        let workers = self.shared.options.workers;
        let most = self.shared.most_reliances();
        self.reliances.forget(&repair.wrong, workers, most);
        self.take_out(&repair.wrong);
        let grown = Arc::new(repair.grown);
        self.shared.set_footprints(grown.clone());
        self.footprints = Some(grown);
        self.known.clear();
        // Choices are to be noted again, too.
        self.by_points.clear();
        self.claimed = repair.claimed;
        self.flow = Arc::new(repair.flow);
        repair.again
    }

    /// Ways to some states, if there are few of them, and all can be gone to.
    fn again(&self, wrong: &Places) -> Option<Again> {
        let few = self.shared.states() / self.shared.options.repair?.max(1);
        if wrong.contains(START) || wrong.count() > few {
            return None;
        }
        let end = self.shared.visited.end();
        let workers = self.shared.options.workers;
        let parents = Parents::new(&self.found.edges, end, workers);
        let before = self.footprints.clone();
        Again::new(wrong, self.root?.0, &parents, workers, before)
    }

    /// Takes out what was found at these states' choices.
    fn take_out(&mut self, wrong: &Places) {
        let workers = self.shared.options.workers;
        each(workers, self.found.edges.iter_mut().collect(), |edges| {
            edges.retain(|state| !wrong.contains(state));
        });
        for places in self.found.data_races.values_mut() {
            places.retain(|at| match at {
                At::Choice(Some(state), _) => !wrong.contains(state.0),
                At::Choice(None, _) | At::State(_) => true,
            });
        }
    }
}
