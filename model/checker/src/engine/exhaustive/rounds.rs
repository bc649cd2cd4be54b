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

use super::graph::{Graph, Shortest, components};
use super::preemptions::Preemptions;
use super::visited::StateId;
use super::worker::Worker;
use crate::engine::machine::record::Op;
use crate::engine::schedule::{Schedule, Turn};
use crate::engine::walk::{Place, Walk};
use crate::event::TaskId;
use crate::layout::{CellId, LockId};
use crate::model::Model;
use crate::outcome::{Fairness, GoesRound, Round};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// A component of more states is not looked into.
const MOST_STATES: usize = 100_000;

/// Tasks by their number: those from 127 on are one.
type Tasks = u128;

fn bit(task: TaskId) -> Tasks {
    1 << task.0.min(127)
}

fn bits(tasks: &[TaskId]) -> Tasks {
    tasks.iter().fold(0, |all, t| all | bit(*t))
}

/// What a task steps on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Cell(CellId),
    Lock(LockId),
}

/// What has happened on the way from one state to the next.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    /// Who went.
    goes: Tasks,
    /// Who could have gone somewhere on it.
    can: Tasks,
    /// Who could have gone all the time.
    always: Tasks,
    on: BTreeSet<Object>,
    choices: Vec<TaskId>,
}

impl Passed {
    fn new() -> Self {
        Self {
            goes: 0,
            can: 0,
            always: Tasks::MAX,
            on: BTreeSet::new(),
            choices: vec![],
        }
    }

    /// A task is about to go, of those that can.
    pub(super) fn add<M: Model>(&mut self, walk: &Walk<M>, task: TaskId, enabled: &[TaskId]) {
        self.goes |= bit(task);
        self.can |= bits(enabled);
        self.always &= bits(enabled);
        if enabled.len() > 1 {
            self.choices.push(task);
        }
        let node = walk.nodes()[task.index()];
        self.on.extend(match walk.automaton().node(node).op {
            Op::Load { cell, .. }
            | Op::Store { cell, .. }
            | Op::Rmw { cell, .. }
            | Op::Release { cell, .. }
            | Op::Compound { first: cell, .. } => Some(Object::Cell(cell)),
            Op::Wait { condition, .. } => Some(Object::Cell(condition.cell)),
            Op::Lock { lock, .. } | Op::TryLock { lock } | Op::Unlock { lock, .. } => {
                Some(Object::Lock(lock))
            }
            Op::Start | Op::Ghost { .. } | Op::Spawn { .. } | Op::Ended => None,
        });
    }
}

/// A choice that does not lead out of its component.
struct Edge {
    from: u32,
    to: u32,
    passed: Passed,
}

/// A state on a path through a component.
struct OnPath {
    state: u32,
    place: Place,
    preemptions: Preemptions,
    /// Who can go, and how many of them have.
    tasks: Vec<TaskId>,
    gone: usize,
}

/// Some choices of one component: by number.
type Part = Vec<usize>;

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
            if component.len() > MOST_STATES {
                let way = self.way_to(shortest, component[0]);
                let period = Schedule::default();
                let unknown = GoesRound { way, period };
                found.entry(not_judged()).or_insert(unknown);
                continue;
            }
            let (way, edges, names) = self.edges_of(graph, shortest, &component);
            let leaves = component.iter().any(|state| {
                let mut targets = graph.successors(*state).iter();
                targets.any(|t| {
                    component
                        .binary_search_by_key(&shortest.rank(*t), |s| shortest.rank(*s))
                        .is_err()
                })
            });
            for (fairness, part, ended_by) in judged(&edges, leaves) {
                let period = period(&edges, &part, fairness);
                let round = self.round(fairness, &edges, &period, ended_by, &names);
                let way = if edges[period[0]].from == component[0] {
                    way.clone()
                } else {
                    self.way_to(shortest, edges[period[0]].from)
                };
                let period = period.iter().flat_map(|e| edges[*e].passed.choices.clone());
                let period = Schedule(period.map(Turn::from).collect());
                found.entry(round).or_insert(GoesRound { way, period });
            }
        }
        found
    }

    /// Goes to a state from the start; gives the schedule.
    fn way_to(&mut self, shortest: &Shortest<'_>, state: u32) -> Schedule {
        let way = shortest.to(StateId(state)).expect("the search was there");
        self.go_to(&way, None)
    }

    /// The way to the first state of a component, its choices that lead to states of it, and the
    /// names of the tasks.
    fn edges_of(
        &mut self,
        graph: &Graph,
        shortest: &Shortest<'_>,
        component: &[u32],
    ) -> (Schedule, Vec<Edge>, Vec<String>) {
        let way = self.way_to(shortest, component[0]);
        let mut is_open: HashMap<u32, bool> = component.iter().map(|s| (*s, true)).collect();
        is_open.insert(component[0], false);
        let mut edges = vec![];
        let mut path = vec![self.on_path(component[0])];
        while let Some(here) = path.last_mut() {
            let (state, place, at) = (here.state, here.place, here.gone);
            let Some(task) = here.tasks.get(at).copied() else {
                path.pop();
                continue;
            };
            here.gone += 1;
            let preemptions = here.preemptions;
            let target = graph.successors(state).get(at).copied();
            let Some((to, open)) = target.and_then(|t| Some((t, is_open.get_mut(&t)?))) else {
                continue;
            };
            let is_new = std::mem::take(open);
            self.walk.go_back(place);
            self.preemptions = preemptions;
            let passed = self.pass(task);
            edges.push(Edge {
                from: state,
                to,
                passed,
            });
            if is_new {
                path.push(self.on_path(to));
            }
        }
        edges.sort_by_key(|e| shortest.rank(e.from));
        let names = (0..self.walk.nodes().len() as u32).map(|t| self.walk.name(TaskId(t)));
        let names = names.collect();
        (way, edges, names)
    }

    /// The state where the run is, with the tasks that can go in the order of the choices of a search
    /// without persistent sets.
    fn on_path(&mut self, state: u32) -> OnPath {
        self.walk.enabled(&mut self.enabled);
        self.choose();
        OnPath {
            state,
            place: self.walk.place(),
            preemptions: self.preemptions,
            tasks: self.let_go.clone(),
            gone: 0,
        }
    }

    /// Lets a task go, and those that must after it.
    fn pass(&mut self, task: TaskId) -> Passed {
        self.walk.enabled(&mut self.enabled);
        self.passed = Some(Passed::new());
        self.step(task);
        self.forced(|_| ());
        self.passed.take().expect("it was put there")
    }

    fn round(
        &self,
        fairness: Fairness,
        edges: &[Edge],
        period: &[usize],
        ended_by: Tasks,
        names: &[String],
    ) -> Round {
        let passed = || period.iter().map(|e| &edges[*e].passed);
        let named = |tasks: Tasks| {
            let numbered = (0..).zip(names);
            let of = numbered.filter(|(t, _)| tasks & bit(TaskId(*t)) != 0);
            of.map(|(_, name)| name.clone()).collect()
        };
        let layout = self.walk.machine().model().layout();
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

/// What is said of a component that is too large.
fn not_judged() -> Round {
    Round {
        fairness: Fairness::Unknown,
        tasks: vec![],
        on: vec![],
        ended_by: vec![],
    }
}

/// Which parts of a component a run can stay in, and how fair it is then; with the tasks that
/// would end it.
fn judged(edges: &[Edge], leaves: bool) -> Vec<(Fairness, Part, Tasks)> {
    let whole: Part = (0..edges.len()).collect();
    let fair = strongly_fair(edges, whole.clone());
    if !fair.is_empty() {
        let fairness = if leaves {
            Fairness::Livelock
        } else {
            Fairness::NoWayOut
        };
        return fair.into_iter().map(|part| (fairness, part, 0)).collect();
    }
    let goes = union(edges, &whole, |p| p.goes);
    let starves = edges
        .iter()
        .fold(Tasks::MAX, |all, e| all & e.passed.always)
        & !goes;
    if starves == 0 {
        let ended_by = union(edges, &whole, |p| p.can) & !goes;
        vec![(Fairness::Weak, whole, ended_by)]
    } else {
        vec![(Fairness::None, whole, starves)]
    }
}

fn union(edges: &[Edge], part: &[usize], of: fn(&Passed) -> Tasks) -> Tasks {
    part.iter().fold(0, |all, e| all | of(&edges[*e].passed))
}

/// The parts in which all tasks that can go do, in the order of their edges.
fn strongly_fair(edges: &[Edge], whole: Part) -> Vec<Part> {
    let mut fair = vec![];
    let mut work = vec![whole];
    while let Some(part) = work.pop() {
        for part in connected(edges, &part) {
            let starves = union(edges, &part, |p| p.can) & !union(edges, &part, |p| p.goes);
            if starves == 0 {
                fair.push(part);
            } else {
                let is_left = |e: &usize| edges[*e].passed.can & starves == 0;
                work.push(part.into_iter().filter(is_left).collect());
            }
        }
    }
    fair.sort();
    fair
}

/// The strongly connected components that these edges make.
fn connected(edges: &[Edge], part: &[usize]) -> Vec<Part> {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut successors: Vec<Vec<u32>> = vec![];
    for e in part {
        for state in [edges[*e].from, edges[*e].to] {
            let fresh = successors.len() as u32;
            if *numbers.entry(state).or_insert(fresh) == fresh {
                successors.push(vec![]);
            }
        }
        successors[numbers[&edges[*e].from] as usize].push(numbers[&edges[*e].to]);
    }
    let of = components(successors.len(), |s| &successors[s as usize]);
    let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
    for e in part {
        let [from, to] = [edges[*e].from, edges[*e].to].map(|s| of[numbers[&s] as usize]);
        if from == to {
            parts.entry(from).or_default().push(*e);
        }
    }
    parts.into_values().collect()
}

/// One period of going round in a part: short, and with all that the fairness asks for.
fn period(edges: &[Edge], part: &[usize], fairness: Fairness) -> Vec<usize> {
    let goes = union(edges, part, |p| p.goes);
    let can = union(edges, part, |p| p.can);
    let start = edges[part[0]].from;
    let mut at = start;
    let mut period: Vec<usize> = vec![];
    let mut go = |period: &mut Vec<usize>, is_goal: &dyn Fn(&Edge) -> bool| {
        if !period.iter().any(|e: &usize| is_goal(&edges[*e])) {
            period.extend(nearest(edges, part, at, is_goal));
            at = period.last().map_or(start, |e| edges[*e].to);
        }
    };
    if fairness != Fairness::None {
        for task in (0..128).map(|t| 1 << t) {
            if goes & task != 0 {
                go(&mut period, &|e| e.passed.goes & task != 0);
            } else if can & task != 0 {
                go(&mut period, &|e| e.passed.always & task == 0);
            }
        }
    }
    if period.last().is_none_or(|e| edges[*e].to != start) {
        let home = nearest(
            edges,
            part,
            period.last().map_or(start, |e| edges[*e].to),
            &|e| e.to == start,
        );
        period.extend(home);
    }
    period
}

/// The shortest way over these edges that ends with such a one.
fn nearest(
    edges: &[Edge],
    part: &[usize],
    from: u32,
    is_goal: &dyn Fn(&Edge) -> bool,
) -> Vec<usize> {
    let mut leaving: HashMap<u32, Vec<usize>> = HashMap::new();
    for e in part {
        leaving.entry(edges[*e].from).or_default().push(*e);
    }
    let mut before: HashMap<u32, Option<usize>> = HashMap::from([(from, None)]);
    let mut queue = VecDeque::from([from]);
    while let Some(state) = queue.pop_front() {
        for e in leaving.get(&state).into_iter().flatten() {
            if is_goal(&edges[*e]) {
                let mut way = vec![*e];
                let mut at = state;
                while let Some(Some(last)) = before.get(&at) {
                    way.push(*last);
                    at = edges[*last].from;
                }
                way.reverse();
                return way;
            }
            let to = edges[*e].to;
            before.entry(to).or_insert_with(|| {
                queue.push_back(to);
                Some(*e)
            });
        }
    }
    unreachable!("the part is strongly connected and has such an edge")
}
