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
//! not kept in a checkpoint; whoever goes on from one begins such a round again, to the same end.

use super::graph::{Choice, Edges, Graph, Shortest};
use super::shared::{Job, Open};
use super::visited::StateId;
use super::worker::{At, Worker};
use crate::engine::footprints::{Claims, Flow, Footprints, Known, Place, Relied, Standing};
use crate::event::TaskId;
use crate::model::Model;
use std::collections::BTreeSet;
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
    /// The round has been repaired.
    pub(super) is_repaired: bool,
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

/// A state that is gone to again, and who goes on the way there.
struct Again {
    state: StateId,
    way: Vec<TaskId>,
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

    /// Closes a part, after which other footprints hold; `false` if not everything was kept.
    fn close(&mut self, taken: Vec<Known>) -> bool {
        let parts = std::iter::once(self.own.take()).chain(self.others.drain(..));
        let parts = parts.collect::<Option<Vec<_>>>();
        let whole = parts.filter(|parts| parts.iter().all(Relied::is_whole));
        let is_whole = whole.is_some();
        self.before.extend(whole.map(|parts| (taken, parts)));
        is_whole
    }

    /// Takes out the places where something was relied on that is not so.
    fn take_wrong(&mut self, known: &Footprints, flow: &Flow) -> BTreeSet<Place> {
        let mut wrong = BTreeSet::new();
        for (taken, parts) in &self.before {
            for part in parts {
                part.find_wrong(taken, known, flow, &mut wrong);
            }
        }
        let parts = self.before.iter_mut().flat_map(|(_, parts)| parts);
        parts.for_each(|part| part.forget(&wrong));
        wrong
    }
}

impl Edges {
    /// Those of some states alone.
    fn of_states(&self, is_one: impl Fn(u32) -> bool) -> Self {
        let mut rest = Self::default();
        rest.lists_mut().clone_from(self.lists());
        for piece in self.iter().filter(|piece| is_one(piece.state)) {
            let choices: Vec<Choice> = piece.choices().collect();
            rest.push(StateId(piece.state), piece.first, &choices);
        }
        rest
    }
}

/// The choices to a state; `None` if it is not known how to get there.
fn choices_to(root: StateId, to: StateId, parents: &[Option<(u32, u16)>]) -> Option<Vec<usize>> {
    let mut choices = vec![];
    let mut at = to.0;
    while at != root.0 {
        let (parent, choice) = parents[at as usize]?;
        choices.push(usize::from(choice));
        at = parent;
        if choices.len() > parents.len() {
            return None;
        }
    }
    choices.reverse();
    Some(choices)
}

impl<M: Model> Worker<'_, M> {
    /// What is taken to be known if this round is begun again or repaired, by what has been `seen`
    /// of all points in `flow`.
    pub(super) fn grown(
        &self,
        used: &Footprints,
        seen: &Footprints,
        flow: &Flow,
    ) -> Option<(Vec<Known>, Footprints)> {
        let taken = used.guesses(flow)?;
        let are_live = !self.shared.options.live_variables || used.are_all(&taken, seen, flow);
        let grown = are_live.then(|| used.grown(&taken, seen, flow))??;
        Some((taken, grown))
    }

    /// Leaves the choices of all states that were wrong as jobs, when all workers have ended;
    /// `false` if the round is right, or cannot be repaired.
    pub(super) fn repair(&mut self) -> bool {
        let Some(used) = self.footprints.clone() else {
            return false;
        };
        let is_broken_off = self.shared.was_broken_off();
        let too_often = self.reliances.before.len() >= MOST_REPAIRS;
        let can_be = self.is_far && !is_broken_off && !too_often;
        if !can_be || self.reliances.own.is_none() || self.has_more_steps() {
            return false;
        }
        let mut flow = Flow::clone(&self.flow);
        flow.add(self.walk.automaton());
        let seen = self.walk.footprints(&flow);
        let Some((taken, grown)) = self.grown(&used, &seen, &flow) else {
            return false;
        };
        self.claimed.add(&self.claims, self.walk.automaton());
        self.claims = Claims::default();
        if self.claimed.holds(&taken, &seen, &flow) {
            return false;
        }
        let claimed = self.claimed.as_known_now(&taken, &grown, &flow);
        if !self.reliances.close(taken) {
            return false;
        }
        let wrong = self.reliances.take_wrong(&grown, &flow);
        let Some(ways) = self.ways_to(&wrong) else {
            return false;
        };
        self.claimed = claimed;
        self.take_out(&wrong);
        self.go_by(grown, flow);
        self.leave_again(&ways);
        true
    }

    /// Whether more operations turned out to be steps.
    fn has_more_steps(&self) -> bool {
        let mut watch = self.walk.machine().watch();
        watch.settle();
        watch.has_changed()
    }

    /// The ways to some states, if there are few of them, and all can be gone to.
    fn ways_to(&mut self, wrong: &BTreeSet<Place>) -> Option<Vec<Again>> {
        let root = self.root?;
        let few = self.shared.states() / self.shared.options.repair?.max(1);
        if wrong.contains(&START) || wrong.len() as u64 > few {
            return None;
        }
        let parents = self.parents();
        let ways = wrong.iter().map(|state| {
            let state = StateId(*state);
            let way = self.trail_to(&choices_to(root, state, &parents)?);
            Some(Again { state, way })
        });
        ways.collect()
    }

    /// By number of the state: some state and choice of its that lead there.
    fn parents(&self) -> Vec<Option<(u32, u16)>> {
        let mut parents = vec![None; self.shared.visited.end() as usize];
        for piece in self.found.edges.iter().flat_map(Edges::iter) {
            for (choice, to) in (piece.first..).zip(piece.targets) {
                let parent = &mut parents[*to as usize];
                parent.get_or_insert((piece.state, choice as u16));
            }
        }
        parents
    }

    /// Goes from the start over these choices; gives who goes wherever more than one could.
    fn trail_to(&mut self, choices: &[usize]) -> Vec<TaskId> {
        self.begin();
        let mut choices = choices.iter();
        loop {
            self.forced(|_| ());
            let task = choices.next().and_then(|c| self.let_go.get(*c));
            let Some(task) = task.copied() else { break };
            self.step(task);
        }
        self.trail.clone()
    }

    /// Takes out what was found at these states' choices.
    fn take_out(&mut self, wrong: &BTreeSet<Place>) {
        for edges in &mut self.found.edges {
            *edges = edges.of_states(|state| !wrong.contains(&state));
        }
        for places in self.found.data_races.values_mut() {
            places.retain(|at| match at {
                At::Choice(Some(state), _) => !wrong.contains(&state.0),
                At::Choice(None, _) | At::State(_) => true,
            });
        }
    }

    /// All workers go by this from now on.
    fn go_by(&mut self, grown: Footprints, flow: Flow) {
        let grown = Arc::new(grown);
        self.shared.set_footprints(grown.clone());
        self.footprints = Some(grown);
        self.flow = Arc::new(flow);
        self.known.clear();
        self.reliances.own = Some(Relied::default());
        self.reliances.is_repaired = true;
    }

    /// Chooses again at these states, and leaves what is chosen to the workers.
    fn leave_again(&mut self, ways: &[Again]) {
        for Again { state, way } in ways {
            self.begin();
            for task in way {
                self.sole();
                self.step(*task);
            }
            self.sole();
            self.reliances.set_out(None);
            self.choose();
            self.reliances.arrive(*state, true);
            let open = Open {
                depth: way.len(),
                state: *state,
                first: 0,
                tasks: self.let_go.clone(),
                is_fresh: false,
                share: 0.0,
            };
            self.shared.leave(Job {
                way: way.clone(),
                open: vec![open],
            });
        }
    }

    /// What nothing leads to any more does not count: says so if the round has been repaired.
    pub(super) fn count_again(&self, graph: &Graph, shortest: &Shortest<'_>) -> Option<Counts> {
        if !self.reliances.is_repaired {
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
