//! What has been relied on at which state, so that the states where that was wrong can be gone to
//! again.

use super::claims::now;
use super::places::{Place, Places};
use super::{Blocker, Flow, Footprints, Known, Standing};
use crate::engine::numbered::Numbered;

/// What one worker has relied on, place by place: of some steps that they do not conflict with some
/// futures.
///
/// Choices are looked at before it is known where they belong to: the last record is open until then.
pub(crate) struct Relied {
    different: Different,
    records: Vec<(Place, RelianceId)>,
    /// What the record relies on that is open.
    open: Option<RelianceId>,
    /// Bytes that it may take.
    most: u64,
    /// It took more, and no record is kept.
    is_too_much: bool,
}

/// The number of something that is relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RelianceId(u32);

/// Different things that are relied on: that some steps do not conflict with some futures, each by
/// number.
#[derive(Default)]
struct Different {
    /// How many steps, these, and the futures.
    all: Numbered<Vec<u32>>,
    /// The one that was made last.
    last: Vec<u32>,
    /// Words of all.
    words: usize,
}

impl Different {
    /// That the steps do not conflict with the futures; `None` if there are none.
    fn number(
        &mut self,
        steps: impl Iterator<Item = u32>,
        futures: impl Iterator<Item = u32>,
    ) -> Option<RelianceId> {
        self.last.clear();
        self.last.push(0);
        self.last.extend(steps);
        let steps = self.last.len() - 1;
        self.last.extend(futures);
        if steps == 0 || self.last.len() == 1 + steps {
            return None;
        }
        self.last[0] = steps as u32;
        let count = self.all.all().len();
        let number = self.all.number(&self.last[..]);
        if number as usize == count {
            self.words += self.last.len();
        }
        Some(RelianceId(number))
    }

    /// Bytes of memory that they take, about.
    fn bytes(&self) -> u64 {
        let each = 2 * size_of::<(Vec<u32>, RelianceId)>();
        (self.all.all().len() * each + 2 * self.words * size_of::<u32>()) as u64
    }

    /// For each, by number, whether it is no longer so.
    fn wrong(&self, conflicts: &Conflicts) -> Vec<bool> {
        let is_wrong = |reliance: &[u32]| {
            let (steps, futures) = reliance[1..].split_at(reliance[0] as usize);
            let conflicts = |step| futures.iter().any(|future| conflicts.has(step, *future));
            steps.iter().any(|step| conflicts(*step))
        };
        self.all.all().iter().map(|all| is_wrong(all)).collect()
    }
}

impl Relied {
    /// Nothing yet; it may take so many bytes.
    pub(crate) fn new(most: u64) -> Self {
        Self {
            different: Different::default(),
            records: vec![],
            open: None,
            most,
            is_too_much: false,
        }
    }

    /// What it relies on to let the tasks of the set go and the others not, see
    /// [`super::Claims::note`]; `None` if that is nothing.
    pub(crate) fn number(&mut self, tasks: &[Standing], set: u64) -> Option<RelianceId> {
        if self.is_too_much {
            return None;
        }
        let of = |is_in: bool| {
            let of = tasks.iter().enumerate();
            let of = of.filter(move |(i, _)| (set >> i & 1 != 0) == is_in);
            of.map(|(_, task)| task)
        };
        let relies = |t: &&Standing| !matches!(t.waits_for, Some(Blocker::Holders(_)));
        let steps = of(true).filter(relies).map(|t| t.known.step);
        let futures = of(false).map(|t| t.known.future);
        self.different.number(steps, futures)
    }

    /// It is relied on at a place that is told later.
    #[inline]
    pub(crate) fn open(&mut self, relies_on: Option<RelianceId>) {
        self.open = relies_on;
    }

    /// The open record belongs to this place.
    #[inline]
    pub(crate) fn close(&mut self, at: Place) {
        let Some(open) = self.open.take() else { return };
        if self.is_too_much || self.records.last() == Some(&(at, open)) {
            return;
        }
        self.records.push((at, open));
        if self.bytes() > self.most {
            self.is_too_much = true;
            self.records = vec![];
            self.different = Different::default();
        }
    }

    /// The open record belongs to no place.
    #[inline]
    pub(crate) fn drop_open(&mut self) {
        self.open = None;
    }

    /// Bytes of memory that they take.
    pub(crate) fn bytes(&self) -> u64 {
        let records = self.records.capacity() * size_of::<(Place, RelianceId)>();
        records as u64 + self.different.bytes()
    }

    /// Whether all records are there.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_too_much
    }

    /// The places where something was relied on that is no longer so.
    pub(crate) fn wrong(&self, conflicts: &Conflicts) -> impl Iterator<Item = Place> {
        let wrong = self.different.wrong(conflicts);
        let records = self.records.iter();
        let records = records.filter(move |(_, relies_on)| wrong[relies_on.0 as usize]);
        records.map(|(place, _)| *place)
    }

    /// Forgets these places, which are gone to again.
    pub(crate) fn forget(&mut self, places: &Places) {
        self.records.retain(|(place, _)| !places.contains(*place));
    }
}

/// Which steps conflict with which futures by what is known now, each by the number that a round went
/// by.
pub(crate) struct Conflicts {
    /// Numbers are below this.
    count: usize,
    /// By step and future.
    all: Vec<bool>,
}

impl Conflicts {
    /// By what is `known` now of all points in `flow`; it was `taken` to be known otherwise.
    pub(crate) fn new(taken: &[Known], known: &Footprints, flow: &Flow) -> Self {
        let steps = now(taken, known, flow, |k| k.step);
        let futures = now(taken, known, flow, |k| k.future);
        let numbers = steps.keys().chain(futures.keys());
        let count = numbers.max().map_or(0, |most| *most as usize + 1);
        let mut all = vec![false; count * count];
        for (step, steps) in &steps {
            for (future, futures) in &futures {
                let conflicts = |step| futures.iter().any(|f| known.sets_conflict(step, *f));
                let at = *step as usize * count + *future as usize;
                all[at] = steps.iter().any(|step| conflicts(*step));
            }
        }
        Self { count, all }
    }

    fn has(&self, step: u32, future: u32) -> bool {
        self.all[step as usize * self.count + future as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes at so many places that step 1 does not conflict with future 2.
    fn noted(most: u64, places: u32) -> Relied {
        let mut relied = Relied::new(most);
        for place in 0..places {
            let number = relied.different.number([1].into_iter(), [2].into_iter());
            relied.open(number);
            relied.close(place);
        }
        relied
    }

    #[test]
    fn what_takes_more_than_it_may_is_not_kept_at_all() {
        let kept = noted(1 << 20, 1_000);
        assert!(kept.is_whole());
        assert_eq!(kept.records.len(), 1_000);
        let dropped = noted(1 << 10, 1_000);
        assert!(!dropped.is_whole());
        assert!(dropped.records.is_empty());
    }

    #[test]
    fn what_is_relied_on_at_many_places_is_kept_once() {
        assert_eq!(noted(1 << 20, 1_000).different.all.all().len(), 1);
    }

    #[test]
    fn who_conflicts_with_nobody_relies_on_nothing() {
        let mut different = Different::default();
        assert_eq!(different.number([].into_iter(), [2].into_iter()), None);
        assert_eq!(different.number([1].into_iter(), [].into_iter()), None);
    }
}
