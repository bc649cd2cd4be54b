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

use super::graph::{Edges, Graph, Shortest};
use super::hindsight::Hindsight;
use super::shared::{Job, Open};
use super::visited::StateId;
use super::worker::{At, Worker};
use crate::engine::footprints::{
    Claimed, Claims, Conflicts, Flow, Footprints, Known, Place, Relied, Standing,
};
use crate::engine::walk;
use crate::event::TaskId;
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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

/// The place before the first state.
const START: Place = Place::MAX;

/// So many repairs of one round are enough.
const MOST_REPAIRS: usize = 16;

/// How much there is of a repaired round.
pub(super) struct Counts {
    pub(super) states: u64,
    pub(super) executions: u64,
}

/// Of each state on a way: the choices that lead on, and where.
type Ways = BTreeMap<Place, Vec<(u16, Place)>>;

/// A state on the way.
struct Stop {
    state: StateId,
    place: walk::Place,
    /// How much of the trail leads to it.
    depth: usize,
    choices: Vec<TaskId>,
    tried: usize,
}

impl Stop {
    /// Who goes on, and where to.
    fn next(&mut self, ways: &Ways) -> Option<(TaskId, StateId)> {
        let (choice, state) = ways[&self.state.0].get(self.tried)?;
        self.tried += 1;
        Some((self.choices[usize::from(*choice)], StateId(*state)))
    }
}

/// What is to be done.
pub(super) struct Repair {
    wrong: BTreeSet<Place>,
    ways: Ways,
    /// What is known now.
    grown: Footprints,
    flow: Flow,
    /// What is relied on everywhere else.
    claimed: Claimed,
}

/// What a worker goes by, and what it has relied on.
#[derive(Default)]
struct Knowledge {
    footprints: Option<Arc<Footprints>>,
    known: Vec<Known>,
    claims: Claims,
}

impl Reliances {
    /// Of a worker who keeps them, or does not.
    pub(super) fn new(are_kept: bool) -> Self {
        Self {
            own: are_kept.then(Relied::default),
            ..Self::default()
        }
    }

    /// The run sets out from a state, or the start.
    #[inline]
    pub(super) fn set_out(&mut self, from: Option<StateId>) {
        self.from = Some(from.map_or(START, |state| state.0));
    }

    /// The tasks of the set are let go and the others are not.
    #[inline]
    pub(super) fn choose(&mut self, tasks: &[Standing], set: u64) {
        if let (Some(_), Some(own)) = (self.from, &mut self.own) {
            own.open(tasks, set);
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
    fn wrong(
        &mut self,
        taken: Vec<Known>,
        known: &Footprints,
        flow: &Flow,
    ) -> Option<BTreeSet<Place>> {
        let parts = std::iter::once(self.own.take()).chain(self.others.drain(..));
        let parts = parts.collect::<Option<Vec<_>>>()?;
        if !parts.iter().all(Relied::is_whole) {
            return None;
        }
        self.before.push((taken, parts));
        let mut wrong = BTreeSet::new();
        for (taken, parts) in &self.before {
            let conflicts = Conflicts::new(taken, known, flow);
            for part in parts {
                wrong.extend(part.wrong(&conflicts));
            }
        }
        Some(wrong)
    }

    /// Forgets these places, which are gone to again, and begins another part.
    fn forget(&mut self, wrong: &BTreeSet<Place>) {
        let parts = self.before.iter_mut().flat_map(|(_, parts)| parts);
        parts.for_each(|part| part.forget(wrong));
        self.own = Some(Relied::default());
    }

    /// Whether the round has been repaired.
    fn is_repaired(&self) -> bool {
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
        let wrong = self.reliances.wrong(taken.clone(), &grown, flow)?;
        let ways = self.ways_to(&wrong)?;
        Some(Repair {
            wrong,
            ways,
            grown,
            flow: flow.clone(),
            claimed,
        })
    }

    /// Leaves the choices of all states that were wrong as jobs.
    pub(super) fn repair(&mut self, repair: Repair) {
        self.reliances.forget(&repair.wrong);
        let grown = Arc::new(repair.grown);
        self.shared.set_footprints(grown.clone());
        self.take_out(&repair.wrong);
        self.choose_again(&repair.ways, &repair.wrong, grown);
        self.claimed = repair.claimed;
        self.flow = Arc::new(repair.flow);
    }

    /// Ways to some states, if there are few of them, and all can be gone to.
    fn ways_to(&self, wrong: &BTreeSet<Place>) -> Option<Ways> {
        let few = self.shared.states() / self.shared.options.repair?.max(1);
        if wrong.contains(&START) || wrong.len() as u64 > few {
            return None;
        }
        let root = self.root?.0;
        let parents = self.parents();
        let mut ways = Ways::from([(root, vec![])]);
        for state in wrong {
            let mut way = vec![];
            let mut at = *state;
            while !ways.contains_key(&at) {
                let (parent, choice) = parents[at as usize]?;
                way.push((parent, choice, at));
                at = parent;
                if way.len() > parents.len() {
                    return None;
                }
            }
            for (parent, choice, state) in way.into_iter().rev() {
                ways.entry(parent).or_default().push((choice, state));
                ways.entry(state).or_default();
            }
        }
        Some(ways)
    }

    /// By number of the state: some state and choice of its that lead there.
    fn parents(&self) -> Vec<Option<(Place, u16)>> {
        let mut parents = vec![None; self.shared.visited.end() as usize];
        for piece in self.found.edges.iter().flat_map(Edges::iter) {
            for (choice, to) in (piece.first..).zip(piece.targets) {
                let parent = &mut parents[*to as usize];
                parent.get_or_insert((piece.state, choice as u16));
            }
        }
        parents
    }

    /// Takes out what was found at these states' choices.
    fn take_out(&mut self, wrong: &BTreeSet<Place>) {
        for edges in &mut self.found.edges {
            edges.retain(|state| !wrong.contains(&state));
        }
        for places in self.found.data_races.values_mut() {
            places.retain(|at| match at {
                At::Choice(Some(state), _) => !wrong.contains(&state.0),
                At::Choice(None, _) | At::State(_) => true,
            });
        }
    }

    /// Goes all the ways by what was known before, and leaves what is chosen by what is known now
    /// to the workers; from now on this one goes by that too.
    fn choose_again(&mut self, ways: &Ways, wrong: &BTreeSet<Place>, grown: Arc<Footprints>) {
        let mut other = Knowledge {
            footprints: Some(grown),
            ..Knowledge::default()
        };
        let mut path: Vec<Stop> = vec![];
        let mut open: Vec<Open> = vec![];
        let mut next = self.root;
        self.begin();
        loop {
            if let Some(state) = next.take() {
                path.push(self.stop_at(state));
                if wrong.contains(&state.0) {
                    self.swap(&mut other);
                    open.push(self.open_again(state));
                    self.swap(&mut other);
                }
            }
            let Some(stop) = path.last_mut() else { break };
            let (place, depth) = (stop.place, stop.depth);
            if let Some((task, state)) = stop.next(ways) {
                self.go_back(place, depth);
                self.step(task);
                next = Some(state);
                continue;
            }
            path.pop();
            // Of the states on the way that are not in a job yet this is the last.
            if open.last().is_some_and(|open| open.depth == depth) {
                self.go_back(place, depth);
                let (way, open) = (self.trail.clone(), std::mem::take(&mut open));
                self.shared.leave(Job { way, open });
            }
        }
        self.swap(&mut other);
    }

    /// Goes on to the next state, which is known.
    fn stop_at(&mut self, state: StateId) -> Stop {
        self.forced(|_| ());
        Stop {
            state,
            place: self.walk.place(),
            depth: self.trail.len(),
            choices: self.let_go.clone(),
            tried: 0,
        }
    }

    /// Chooses at the current state.
    fn open_again(&mut self, state: StateId) -> Open {
        self.reliances.set_out(None);
        self.choose();
        self.reliances.arrive(state, true);
        Open {
            depth: self.trail.len(),
            state,
            first: 0,
            tasks: self.let_go.clone(),
            is_fresh: false,
            share: 0.0,
        }
    }

    /// Goes by what somebody else knows, who goes by what this one does.
    fn swap(&mut self, other: &mut Knowledge) {
        std::mem::swap(&mut self.footprints, &mut other.footprints);
        std::mem::swap(&mut self.known, &mut other.known);
        std::mem::swap(&mut self.claims, &mut other.claims);
    }

    /// What nothing leads to any more does not count: says so if the round has been repaired.
    pub(super) fn count_again(&self, graph: &Graph, shortest: &Shortest<'_>) -> Option<Counts> {
        if !self.reliances.is_repaired() {
            return None;
        }
        let choices = |state: &u32| graph.choices(*state).count() as u64;
        let choices = shortest.states().iter().map(choices).filter(|n| *n > 0);
        let (states, choices) = choices.fold((0, 0), |(s, c), n| (s + 1, c + n));
        // Each state is gone on from once, and each further choice begins another execution.
        let executions = 1 + choices - states;
        Some(Counts { states, executions })
    }
}
