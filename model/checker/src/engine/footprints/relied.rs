//! What has been relied on at which state, so that the states where that was wrong can be gone to
//! again.

use super::claims::now;
use super::places::{Place, Places};
use super::{Blocker, Flow, Footprints, Known, Standing};

/// What one worker has relied on, place by place: of some steps that they do not conflict with some
/// futures.
///
/// Choices are looked at before it is known where they belong to: the last record is open until then.
#[derive(Default)]
pub(crate) struct Relied {
    /// Records, one after the other: the place, how many steps, how many futures, and the numbers of
    /// these.
    words: Vec<u32>,
    /// Where the last record begins, if it is open.
    open: Option<usize>,
    /// There was too much of it, and it is not kept any more.
    is_too_much: bool,
}

/// Words before the numbers of a record.
const HEAD: usize = 3;

/// So many words of one worker are kept: 128 MiB.
const MOST: usize = 1 << 25;

impl Relied {
    /// The tasks of the set are let go and the others are not, at a place that is told later; see
    /// [`super::Claims::note`].
    pub(crate) fn open(&mut self, tasks: &[Standing], set: u64) {
        self.drop_open();
        let is_in = |i: usize| set >> i & 1 != 0;
        if self.is_too_much || (0..tasks.len()).all(is_in) {
            return;
        }
        let begin = self.words.len();
        self.words.extend([Place::MAX, 0, 0]);
        let inside = tasks.iter().enumerate().filter(|(i, _)| is_in(*i));
        let relies = |t: &Standing| !matches!(t.waits_for, Some(Blocker::Holders(_)));
        let steps = inside.filter(|(_, t)| relies(t)).map(|(_, t)| t.known.step);
        self.words.extend(steps);
        let futures = self.words.len();
        let outside = tasks.iter().enumerate().filter(|(i, _)| !is_in(*i));
        self.words.extend(outside.map(|(_, t)| t.known.future));
        self.words[begin + 1] = (futures - begin - HEAD) as u32;
        self.words[begin + 2] = (self.words.len() - futures) as u32;
        self.open = Some(begin);
        if self.words.len() >= MOST {
            self.is_too_much = true;
            self.words = vec![];
            self.open = None;
        }
    }

    /// The open record belongs to this place.
    #[inline]
    pub(crate) fn close(&mut self, at: Place) {
        if let Some(begin) = self.open.take() {
            self.words[begin] = at;
        }
    }

    /// The open record belongs to no place.
    #[inline]
    pub(crate) fn drop_open(&mut self) {
        if let Some(begin) = self.open.take() {
            self.words.truncate(begin);
        }
    }

    /// Bytes of memory that they take.
    pub(crate) fn bytes(&self) -> u64 {
        (self.words.capacity() * size_of::<u32>()) as u64
    }

    /// Whether all records are there.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_too_much
    }

    /// The records: the place, the steps, the futures.
    fn records(&self) -> impl Iterator<Item = (Place, &[u32], &[u32])> {
        let mut rest = &self.words[..];
        std::iter::from_fn(move || {
            let [place, steps, futures, ..] = *rest else {
                return None;
            };
            let (all, next) = rest[HEAD..].split_at((steps + futures) as usize);
            rest = next;
            let (steps, futures) = all.split_at(steps as usize);
            Some((place, steps, futures))
        })
    }

    /// The places where something was relied on that is no longer so.
    pub(crate) fn wrong(&self, conflicts: &Conflicts) -> impl Iterator<Item = Place> {
        let wrong = self.records().filter(|(_, steps, futures)| {
            let conflicts = |step| futures.iter().any(|future| conflicts.has(step, *future));
            steps.iter().any(|step| conflicts(*step))
        });
        wrong.map(|(place, ..)| place)
    }

    /// Forgets these places, which are gone to again.
    pub(crate) fn forget(&mut self, places: &Places) {
        let (mut from, mut to) = (0, 0);
        while let [place, steps, futures, ..] = self.words[from..] {
            let end = from + HEAD + (steps + futures) as usize;
            if !places.contains(place) {
                self.words.copy_within(from..end, to);
                to += end - from;
            }
            from = end;
        }
        self.words.truncate(to);
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
