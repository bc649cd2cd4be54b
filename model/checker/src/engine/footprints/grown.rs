//! What a round goes by once it has turned out that tasks touch more than it had taken them to.
//!
//! Nothing of what was taken to be touched is given up, and of a point that is known the cells that
//! are read stay the same: so states have the same fingerprints as before, and a persistent set
//! that was right is chosen again. (A set that was not the smallest cannot have become smaller, since
//! none has.) What the round has found stays, but for the states whose sets were wrong.

use super::objects::{Footprint, Object, words};
use super::{Flow, Footprints, Known, Sum};
use crate::engine::numbered::Numbered;
use std::collections::HashMap;

/// Sets of two numberings, and their unions in a third that begins with the first.
struct Unions<'a> {
    all: Numbered<Footprint>,
    others: &'a [Footprint],
    known: HashMap<(u32, u32), u32>,
}

impl Unions<'_> {
    fn of(&mut self, one: u32, other: u32) -> u32 {
        if let Some(union) = self.known.get(&(one, other)) {
            return *union;
        }
        let mut set = self.all.all()[one as usize].clone();
        set.extend(&self.others[other as usize]);
        let union = self.all.number(&set);
        self.known.insert((one, other), union);
        union
    }

    fn of_both(&mut self, one: Known, other: Known) -> Known {
        Known {
            step: self.of(one.step, other.step),
            future: self.of(one.future, other.future),
            live: one.live,
        }
    }
}

impl Footprints {
    /// These footprints, by which it was `taken` to be known of all points in `flow`, by number,
    /// with what has been `seen` meanwhile. Sets keep their numbers. `None` if something no longer
    /// conflicts at all.
    pub(crate) fn grown(&self, taken: &[Known], seen: &Self, flow: &Flow) -> Option<Self> {
        let mut unions = Unions {
            all: self.renumbered(&seen.objects)?,
            others: &seen.sets,
            known: HashMap::new(),
        };
        let known = flow.points.iter().zip(taken);
        let known = known.map(|(point, taken)| {
            let both = unions.of_both(*taken, seen.of(&point.likeness));
            (point.likeness, both)
        });
        let known = known.collect();
        let mut live = Numbered::of(self.live.clone());
        let mut classes: Vec<_> = seen.classes.iter().collect();
        classes.sort_unstable_by_key(|(class, _)| **class);
        let classes = classes.into_iter().map(|(class, now)| {
            let fresh = || Known {
                live: live.number(&seen.live[now.live as usize]),
                ..Known::default()
            };
            let before = self.classes.get(class).copied().unwrap_or_else(fresh);
            (*class, unions.of_both(before, *now))
        });
        let classes = classes.collect();
        let mut grown = Self {
            objects: seen.objects.clone(),
            known,
            sets: unions.all.into_all(),
            classes,
            conflicts: vec![],
            live: live.into_all(),
            cells: self.cells,
        };
        grown.relate();
        Some(grown)
    }

    /// The sets, in order, under the numbers that objects have among these.
    fn renumbered(&self, objects: &[Object]) -> Option<Numbered<Footprint>> {
        let numbers: HashMap<Object, u32> = objects.iter().copied().zip(0..).collect();
        let mine = self
            .objects
            .iter()
            .map(|object| numbers.get(object).copied());
        let mine: Vec<u32> = mine.collect::<Option<_>>()?;
        let sets = self.sets.iter();
        let sets = sets.map(|set| set.renumbered(&mine, words(objects.len())));
        Some(Numbered::of(sets.collect()))
    }
}
