//! Schedules that can go round for ever, and whether a fair scheduler would let them.
//!
//! They are the cycles of the graph of states, so they lie in its strongly connected components.
//! A run that goes round is weakly fair if no task that could go all the time never goes, and
//! strongly fair if no task that could go again and again never goes (Lamport, "The temporal logic
//! of actions", 1994). In a component there is a strongly fair run if in it, or in a part of it
//! that is one again when the states are gone where a task can go that never does, all tasks that
//! can go do (Emerson & Lei, "Modalities for model checking", 1987); and a weakly fair one if each
//! task goes in it or somewhere cannot. SPIN's search for non-progress cycles asks the same of
//! weak fairness (Holzmann, "The SPIN model checker", 2003).
//!
//! States are merged whichever of several tasks of one entry stands where, but to be fair to one of
//! them is not to be fair to another: so a component is unfolded first into states that tell tasks
//! apart (Emerson & Sistla, "Utilizing symmetry when model-checking under fairness assumptions",
//! 1997).

mod fairness;
mod passed;
mod slots;

use super::graph::{Graph, Shortest};
use super::preemptions::Preemptions;
use super::visited::StateId;
use super::worker::Worker;
use crate::engine::schedule::{Schedule, Turn};
use crate::engine::walk::Place;
use crate::event::TaskId;
use crate::model::Model;
use crate::outcome::{Fairness, GoesRound, Round};
use fairness::{Edge, connected, judged, period};
pub(super) use passed::Passing;
use passed::{Object, Tasks, bit};
use slots::{Slots, Standing};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A component of more states is not looked into.
const MOST_STATES: usize = 100_000;

/// A state on a path through a component.
struct OnPath {
    /// Its number in the component, and in the graph.
    number: u32,
    state: u32,
    place: Place,
    preemptions: Preemptions,
    slots: Slots,
    /// Who can go, and how many of them have.
    tasks: Vec<TaskId>,
    gone: usize,
}

/// A component, with the tasks told apart.
struct Unfolded {
    /// The states, by number: which of the graph it is, and who stands where.
    states: Vec<(u32, Standing)>,
    /// The choices that do not lead out of it, from the nearest states on.
    edges: Vec<Edge>,
    /// Some do.
    leaves: bool,
}

impl<M: Model> Worker<'_, M> {
    /// Every way of going round, the nearest of each kind.
    pub(super) fn rounds(
        &mut self,
        graph: &Graph,
        shortest: &Shortest<'_>,
    ) -> BTreeMap<Round, GoesRound> {
        let mut all = graph.rounds(shortest);
        all.sort_by_key(|component| component.first().map(|s| shortest.rank(*s)));
        let mut found = BTreeMap::new();
        for component in all {
            let Some(unfolded) = self.unfold(graph, shortest, &component) else {
                let way = self.way_to(shortest, component[0]);
                let period = Schedule::default();
                let unknown = GoesRound { way, period };
                found.entry(not_judged()).or_insert(unknown);
                continue;
            };
            let edges = &unfolded.edges;
            let whole = connected(edges, &(0..edges.len()).collect::<Vec<_>>());
            let parts = whole
                .into_iter()
                .flat_map(|part| judged(edges, part, unfolded.leaves));
            for (fairness, part, ended_by) in parts {
                let period = period(edges, &part, fairness);
                let round = self.round(fairness, edges, &period, ended_by);
                if let Entry::Vacant(new) = found.entry(round) {
                    new.insert(self.goes_round(shortest, &unfolded, &period));
                }
            }
        }
        found
    }

    /// Goes to a state from the start; gives the schedule.
    fn way_to(&mut self, shortest: &Shortest<'_>, state: u32) -> Schedule {
        let way = shortest.to(StateId(state)).expect("the search was there");
        self.go_to(&way, None)
    }

    /// The component of these states with the tasks told apart, as far as it can be come to from the
    /// first; `None` if that is too much.
    fn unfold(
        &mut self,
        graph: &Graph,
        shortest: &Shortest<'_>,
        component: &[u32],
    ) -> Option<Unfolded> {
        // Unfolded there are no fewer.
        if component.len() > MOST_STATES {
            return None;
        }
        let is_inside = {
            let inside: BTreeSet<u32> = component.iter().copied().collect();
            move |state: u32| inside.contains(&state)
        };
        self.way_to(shortest, component[0]);
        let mut numbers = HashMap::new();
        let mut edges = vec![];
        let root = Slots::new(&self.walk);
        numbers.insert((component[0], root.standing(&self.walk)), 0);
        let mut path = vec![self.on_path(0, component[0], root)];
        while let Some(here) = path.last_mut() {
            let (from, place, preemptions) = (here.number, here.place, here.preemptions);
            let Some(task) = here.tasks.get(here.gone).copied() else {
                path.pop();
                continue;
            };
            let target = graph.successors(here.state).get(here.gone).copied();
            here.gone += 1;
            let Some(target) = target.filter(|t| is_inside(*t)) else {
                continue;
            };
            let slots = here.slots.clone();
            self.walk.go_back(place);
            self.preemptions = preemptions;
            let slot = slots.of(task);
            let Passing { slots, passed, .. } = self.pass(task, slots);
            let fresh = numbers.len() as u32;
            let state = (target, slots.standing(&self.walk));
            let to = *numbers.entry(state).or_insert(fresh);
            edges.push(Edge {
                from,
                to,
                slot,
                passed,
            });
            if to == fresh {
                if numbers.len() > MOST_STATES {
                    return None;
                }
                path.push(self.on_path(to, target, slots));
            }
        }
        let states = in_order(numbers);
        edges.sort_by_key(|e| (shortest.rank(states[e.from as usize].0), e.from));
        let mut targets = component.iter().flat_map(|state| graph.successors(*state));
        let leaves = targets.any(|target| !is_inside(*target));
        Some(Unfolded {
            states,
            edges,
            leaves,
        })
    }

    /// The state where the run is, with the tasks that can go in the order of the choices of a search
    /// without persistent sets.
    fn on_path(&mut self, number: u32, state: u32, slots: Slots) -> OnPath {
        self.walk.enabled(&mut self.enabled);
        self.choose();
        OnPath {
            number,
            state,
            place: self.walk.place(),
            preemptions: self.preemptions,
            slots,
            tasks: self.let_go.iter().map(|turn| turn.task).collect(),
            gone: 0,
        }
    }

    /// Lets a task go, and those that must after it.
    fn pass(&mut self, task: TaskId, slots: Slots) -> Passing {
        self.walk.enabled(&mut self.enabled);
        self.passing = Some(Passing::new(slots));
        self.step(task.into());
        self.forced(|_| ());
        let mut passing = self.passing.take().expect("it was put there");
        passing.slots.follow(&self.walk);
        passing
    }

    /// How to come to where a period begins, and the period.
    fn goes_round(
        &mut self,
        shortest: &Shortest<'_>,
        unfolded: &Unfolded,
        period: &[usize],
    ) -> GoesRound {
        let edges = period.iter().map(|e| &unfolded.edges[*e]);
        let (state, standing) = &unfolded.states[unfolded.edges[period[0]].from as usize];
        let way = self.way_to(shortest, *state);
        let fingerprint = self.fingerprint();
        let mut slots = Slots::at(&self.walk, standing);
        let mut choices = vec![];
        for edge in edges {
            let passing = self.pass(slots.task(edge.slot), slots);
            choices.extend(passing.choices.into_iter().map(Turn::from));
            slots = passing.slots;
        }
        assert_eq!(
            (&slots.standing(&self.walk), self.fingerprint()),
            (standing, fingerprint),
            "the period comes back to where it began"
        );
        let period = Schedule(choices);
        GoesRound { way, period }
    }

    fn round(
        &self,
        fairness: Fairness,
        edges: &[Edge],
        period: &[usize],
        ended_by: Tasks,
    ) -> Round {
        let passed = || period.iter().map(|e| &edges[*e].passed);
        let who: BTreeSet<_> = passed().flat_map(|p| &p.who).copied().collect();
        let model = self.walk.machine().model();
        let named = |tasks: Tasks| {
            let of = who.iter().filter(|(slot, _)| tasks & bit(*slot) != 0);
            of.map(|(_, entry)| model.task_name(*entry)).collect()
        };
        let layout = model.layout();
        let on: BTreeSet<String> = passed()
            .flat_map(|p| &p.on)
            .map(|object| match object {
                Object::Cell(cell) => layout.cell_name(*cell),
                Object::Lock(lock) => layout.lock_name(*lock),
            })
            .collect();
        Round {
            fairness,
            tasks: named(passed().fold(0, |all, p| all | p.goes)),
            on: on.into_iter().collect(),
            ended_by: named(ended_by),
        }
    }
}

/// The states, by their numbers.
fn in_order(numbers: HashMap<(u32, Standing), u32>) -> Vec<(u32, Standing)> {
    let mut states = vec![(0, vec![]); numbers.len()];
    for (state, number) in numbers {
        states[number as usize] = state;
    }
    states
}

/// What is said of a component that is too large.
fn not_judged() -> Round {
    Round {
        fairness: Fairness::Unknown,
        tasks: vec![],
        on: vec![],
        ended_by: vec![],
    }
}
