//! What tasks do from a place on, to their end, as far as the search has seen it. Other than a
//! stretch this goes on past what they show, and does not depend on the log.
//!
//! A task that shows nothing and whose step conflicts with none of that goes alone: in a run that
//! explains the log either it takes that step before anything that conflicts with it, so the step can
//! come first; or it never does, and then the step may be there as well. If the others do conflict,
//! unknown to the search, what they do before that can be done after the step too, what they show
//! included. So the search comes to it, and knows of it in the next round. For that a task that is
//! about to show what never fits must not end the way: it may only have gone too early.

use super::{How, Object, flow_back, set, unite};
use std::collections::{BTreeSet, HashMap};

/// A place in the code of a task, whatever the log is at.
#[derive(Default)]
struct Place {
    /// What the step from here has been seen to touch.
    step: BTreeSet<(Object, How)>,
    /// Places that it leads to, those of tasks that it creates among them.
    next: BTreeSet<usize>,
    /// What is touched from here on.
    sum: Vec<u64>,
}

/// What has been seen.
#[derive(Default)]
pub(super) struct Futures {
    numbers: HashMap<u128, usize>,
    places: Vec<Place>,
}

impl Futures {
    /// Number of a place.
    pub(super) fn number(&mut self, place: u128) -> usize {
        let fresh = self.places.len();
        let number = *self.numbers.entry(place).or_insert(fresh);
        if number == fresh {
            self.places.push(Place::default());
        }
        number
    }

    /// The step from a place touches this. Gives whether that is new.
    pub(super) fn touches(&mut self, place: usize, object: Object, how: How) -> bool {
        self.places[place].step.insert((object, how))
    }

    /// A step from a place leads to another. Gives whether that is new.
    pub(super) fn leads(&mut self, place: usize, to: usize) -> bool {
        self.places[place].next.insert(to)
    }

    /// Sums up what is touched from each place on. `number` numbers the objects that can conflict.
    pub(super) fn sum_up(&mut self, number: impl Fn(Object) -> Option<usize>) {
        let mut before: Vec<Vec<usize>> = vec![vec![]; self.places.len()];
        for (at, place) in self.places.iter_mut().enumerate() {
            place.sum.clear();
            for (object, how) in &place.step {
                if let Some(number) = number(*object) {
                    set(&mut place.sum, 3 * number + *how as usize);
                }
            }
            for next in &place.next {
                before[*next].push(at);
            }
        }
        flow_back(
            &mut self.places,
            &before,
            |place| &place.sum,
            |place, _, sum| unite(&mut place.sum, sum),
        );
    }

    /// What is touched from a place on, as bits.
    pub(super) fn of(&self, place: usize) -> &[u64] {
        &self.places[place].sum
    }
}
