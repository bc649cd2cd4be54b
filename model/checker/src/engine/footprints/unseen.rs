//! What is taken to be known of points that had not been seen when the round began.
//!
//! A round that met such a point and knew nothing of it would have to be done again as soon as
//! something is read or touched behind it. So it is taken to be like those that were seen before
//! the same operation of the same code. That is a guess, and is looked at when the round is over
//! like all that the round goes by.
//!
//! A branch that had not been seen is foreseen where other points of the same place in the code have
//! led to it: the cell that is read first there is taken to be read. A cell that had been taken for
//! dead and is not makes the whole round wrong; a persistent set that is too small a few states only
//! (`exhaustive/repair.rs`), so nothing is foreseen of what is touched, which would make larger
//! sets everywhere.
//!
//! What a task reads behind a point it can still read at the point before, so of the cells that it
//! reads no more are guessed than there: a cell that has died must not come back, since states were
//! taken for one that differ in it. The point before a point is the same wherever it is come to,
//! unless the task's past begins anew there (`Point::begins_anew`): then the guess goes by the
//! operation alone, so that it does not depend on the way.

use super::live::Cells;
use super::{Flow, Footprint, Footprints, Known, Sum};
use crate::engine::automaton::{Automaton, NodeId};
use crate::engine::machine::record::{Likeness, Op};
use crate::model::Entry;
use std::collections::BTreeMap;

/// Points of the same code before the same operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Class {
    pub(super) entry: Entry,
    pub(super) kind: u8,
    pub(super) number: u32,
}

impl Class {
    pub(super) fn new(likeness: &Likeness, op: &Op) -> Self {
        let (kind, number) = super::saved::kind(op);
        Self {
            entry: likeness.entry,
            kind,
            number,
        }
    }
}

/// A place in the code: an operation of a function.
type Place = (Class, &'static str);

/// What a point has not been seen to lead to, but others of the same place in the code have: the
/// point, and one of those that were led to, by number.
pub(crate) struct Foreseen {
    pub(super) at: usize,
    pub(super) as_before: usize,
}

impl Footprints {
    /// What is known of the points of an automaton from number `known.len()` on.
    pub(crate) fn look_up(&self, automaton: &Automaton, known: &mut Vec<Known>) {
        for i in known.len()..automaton.len() {
            let (point, before) = automaton.point_and_before(NodeId::new(i));
            let likeness = point.identity.likeness();
            let of_point = self.known.get(&likeness).copied();
            let class = || Class::new(&likeness, &point.op);
            let of_point = of_point.unwrap_or_else(|| {
                let before = before.map(|before| known[before.index()]);
                self.guess(class(), before)
            });
            known.push(of_point);
        }
    }

    /// Of a point that was not seen; `before` is known of the point before it, if there is one.
    fn guess(&self, class: Class, before: Option<Known>) -> Known {
        let like = self.classes.get(&class).copied();
        let Some(before) = before else {
            return like.unwrap_or_default();
        };
        let like = like.unwrap_or(Known { step: 0, ..before });
        let fewer = self.live[before.live as usize].contains(&self.live[like.live as usize]);
        let live = if fewer { like.live } else { before.live };
        Known { live, ..like }
    }

    /// What this round took to be known of each of the points that have been seen since, by number;
    /// `None` if that was not the same on all ways, or cells that had died came back.
    pub(crate) fn guesses(&self, flow: &Flow) -> Option<Vec<Known>> {
        let mut all: Vec<Option<Known>> = vec![None; flow.points.len()];
        let mut work = vec![];
        for (at, point) in flow.points.iter().enumerate() {
            let known = self.known.get(&point.likeness).copied();
            let anew = || self.guess(Class::new(&point.likeness, &point.op), None);
            all[at] = known.or_else(|| point.begins_anew.then(anew));
            work.extend(all[at].map(|_| at));
        }
        while let Some(at) = work.pop() {
            let here = all[at]?;
            for next in &flow.successors[at] {
                let point = &flow.points[*next];
                let is_guessed = !self.known.contains_key(&point.likeness) && !point.begins_anew;
                let guess = || self.guess(Class::new(&point.likeness, &point.op), Some(here));
                match all[*next] {
                    None => {
                        all[*next] = Some(guess());
                        work.push(*next);
                    }
                    Some(other) if is_guessed && other != guess() => return None,
                    Some(_) => {}
                }
            }
        }
        // A point that nothing leads to begins anew.
        let all: Vec<Known> = all.into_iter().collect::<Option<_>>()?;
        let has = |at: usize| &self.live[all[at].live as usize];
        let stay_dead = |at: usize| {
            flow.successors[at]
                .iter()
                .all(|to| has(at).contains(has(*to)))
        };
        (0..all.len()).all(stay_dead).then_some(all)
    }
}

impl Flow {
    /// What is foreseen of all points.
    pub(crate) fn foreseen(&self) -> Vec<Foreseen> {
        let places: Vec<Place> = (0..self.points.len()).map(|at| self.place(at)).collect();
        let mut after: BTreeMap<Place, BTreeMap<Place, usize>> = BTreeMap::new();
        for (at, place) in places.iter().enumerate() {
            let after = after.entry(*place).or_default();
            for next in &self.successors[at] {
                after.entry(places[*next]).or_insert(*next);
            }
        }
        let of_point = |(at, place): (usize, &Place)| {
            let mut next: Vec<Place> = self.successors[at].iter().map(|n| places[*n]).collect();
            next.sort_unstable();
            let not_seen = after[place]
                .iter()
                .filter(|(p, _)| next.binary_search(p).is_err());
            let not_seen = not_seen.map(|(_, as_before)| *as_before);
            let all = not_seen.map(|as_before| Foreseen { at, as_before });
            all.collect::<Vec<_>>()
        };
        places.iter().enumerate().flat_map(of_point).collect()
    }

    fn place(&self, at: usize) -> Place {
        let point = &self.points[at];
        (Class::new(&point.likeness, &point.op), point.function)
    }

    /// All that is done at and behind the points of each class, `at` each of which it is this.
    pub(super) fn by_class<'a>(
        &self,
        at: impl Fn(usize) -> (&'a Footprint, &'a Footprint, &'a Cells),
    ) -> BTreeMap<Class, (Footprint, Footprint, Cells)> {
        let mut all: BTreeMap<Class, (Footprint, Footprint, Cells)> = BTreeMap::new();
        for (i, point) in self.points.iter().enumerate() {
            let (step, future, live) = at(i);
            let class = Class::new(&point.likeness, &point.op);
            let first = || (step.clone(), future.clone(), live.clone());
            let sum = all.entry(class).or_insert_with(first);
            sum.0.extend(step);
            sum.1.extend(future);
            sum.2.extend(live);
        }
        all
    }
}
