//! How fair a run is that goes round over some choices, and one period of it.

use super::super::graph::components;
use super::passed::{Passed, Tasks};
use crate::outcome::Fairness;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// A choice that does not lead out of its component.
pub(super) struct Edge {
    /// The states, by number in the component.
    pub(super) from: u32,
    pub(super) to: u32,
    /// The slot of the task that was let go.
    pub(super) slot: u32,
    pub(super) passed: Passed,
}

/// Some choices of one component: by number.
pub(super) type Part = Vec<usize>;

/// Which parts of a whole that is strongly connected a run can stay in, and how fair it is then; with
/// the tasks that would end it.
pub(super) fn judged(edges: &[Edge], whole: Part, leaves: bool) -> Vec<(Fairness, Part, Tasks)> {
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
    let always = |all, e: &usize| all & edges[*e].passed.always;
    let starves = whole.iter().fold(Tasks::MAX, always) & !goes;
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

/// The parts of a whole that is strongly connected in which all tasks that can go do, in the order of
/// their edges.
fn strongly_fair(edges: &[Edge], whole: Part) -> Vec<Part> {
    let mut fair = vec![];
    let mut work = vec![whole];
    while let Some(part) = work.pop() {
        let starves = union(edges, &part, |p| p.can) & !union(edges, &part, |p| p.goes);
        if starves == 0 {
            fair.push(part);
        } else {
            let is_left = |e: &usize| edges[*e].passed.can & starves == 0;
            let left: Part = part.into_iter().filter(is_left).collect();
            work.extend(connected(edges, &left));
        }
    }
    fair.sort();
    fair
}

/// The strongly connected components that these edges make, in the order of their edges.
pub(super) fn connected(edges: &[Edge], part: &[usize]) -> Vec<Part> {
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
    let mut parts: Vec<Part> = parts.into_values().collect();
    parts.sort();
    parts
}

/// One period of going round in a part: short, and with all that the fairness asks for.
pub(super) fn period(edges: &[Edge], part: &[usize], fairness: Fairness) -> Vec<usize> {
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
