//! What tasks do between two events of the log, as far as the search has seen it, and which tasks
//! have to be let go.
//!
//! The log is in one order, so while nobody shows what stands next there, no task gets past the
//! next thing that it is to show: what it can do until then is its stretch. Let X be what stands
//! next in the log. Those who can show it, and those whom they wait for, or whose stretch
//! conflicts with what they are about to do, and so on, are enough to let go: whatever the others
//! do before one of these has gone commutes with that, and does not get the log any further. That
//! is a persistent set (Godefroid, 1996) that holds only up to X, and begins with a necessary
//! enabling set of X (Valmari, 1991).
//!
//! Of stretches is known what was seen of them, by places in the code (see
//! [`crate::engine::machine::announce::Stand::place`]). A search that has found no schedule is
//! gone through again with all that it has learnt, until it learns nothing more. That is enough:
//! take a run that begins where the search has been, shows nothing, and whose last step conflicts
//! with one that was let go in its stead, unknown to the search. What comes before it commutes
//! with that one, so it can be done after it as well; and what shows nothing the search goes on
//! with, there too where nothing can be found any more. So it has come to that step, and knows of
//! it.

mod futures;
mod labels;

use crate::backend::{Mode, Rmw};
use crate::engine::machine::record::Op;
use crate::engine::marks::Watch;
use crate::engine::weak::Strength;
use crate::event::TaskId;
use crate::layout::{CellId, LockId};
use futures::Futures;
pub(super) use labels::Labels;
use std::collections::{BTreeSet, HashMap};

/// Most tasks that a set of them can tell apart.
pub(super) const MOST: usize = 128;

/// A set of tasks, as bits.
pub(super) type Set = u128;

/// How an object is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Reads,
    /// Adds to it and does not look: two such commute, as the counting of probes under way does.
    Adds,
    Writes,
}

impl How {
    /// What it conflicts with.
    fn conflicts(self) -> &'static [How] {
        match self {
            How::Reads => &[How::Adds, How::Writes],
            How::Adds => &[How::Reads, How::Writes],
            How::Writes => &[How::Reads, How::Adds, How::Writes],
        }
    }
}

/// Something that is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Cell(CellId),
    Lock(LockId),
}

/// Why a task is not simply about to do something to the world.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waits {
    /// It is.
    No,
    /// For these, who hold the lock that it wants.
    Holders(Set),
    /// It is about to show what may stand next in the log, but the world has to be otherwise.
    World,
    /// It is about to show something, and the log has to come to that.
    Log,
}

/// A task that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) task: TaskId,
    /// Number of the place where it stands.
    pub(super) place: usize,
    pub(super) waits: Waits,
}

/// A step that a task has taken.
pub(super) struct Step<'a> {
    /// Number of the place where it stood.
    pub(super) from: usize,
    /// What it did.
    pub(super) ops: &'a [Op],
    /// Where it stands now, unless it has ended.
    pub(super) to: Option<usize>,
    /// Where the tasks stand that it has created.
    pub(super) begun: &'a [usize],
}

/// A place in the code of a task.
#[derive(Default)]
struct Place {
    /// What the step from here has been seen to touch.
    step: BTreeSet<(Object, How)>,
    /// Places that such a step leads to.
    after: BTreeSet<usize>,
    /// Places where the tasks begin that it creates.
    begun: BTreeSet<usize>,
    /// What the task is about to show here.
    labels: BTreeSet<u32>,
    /// Its number whatever the log is at.
    whatever: usize,
    sums: Sums,
}

/// What was summed up.
#[derive(Clone, Default, PartialEq, Eq)]
struct Sums {
    /// What the step touches, with [`How`], and what it conflicts with.
    step: Vec<u64>,
    against: Vec<u64>,
    /// What is touched from here to the next event that is shown.
    stretch: Vec<u64>,
    /// What is shown then.
    shows: Vec<u64>,
    /// What the tasks show first that are created on the way.
    begun: Vec<u64>,
}

/// What has been seen.
#[derive(Default)]
pub(super) struct Stretches {
    numbers: HashMap<u128, usize>,
    places: Vec<Place>,
    futures: Futures,
    /// What was learnt since it was summed up.
    news: usize,
    /// Whether something was learnt in this round.
    has_news: bool,
    /// The same of what tasks do past what they show.
    has_later_news: bool,
    /// Objects that can conflict at all, when it was summed up.
    counted: Vec<bool>,
}

impl Stretches {
    /// Number of the place where a task stands; `whatever` is the place alone, whatever the log is
    /// at.
    pub(super) fn stands(
        &mut self,
        place: u128,
        whatever: u128,
        op: Option<&Op>,
        watch: &Watch,
    ) -> usize {
        let fresh = self.places.len();
        let number = *self.numbers.entry(place).or_insert(fresh);
        if number == fresh {
            let whatever = self.futures.number(whatever);
            self.places.push(Place {
                whatever,
                ..Place::default()
            });
            if let Some(op) = op {
                self.touch(number, op, watch);
            }
        }
        number
    }

    /// A task is about to show this.
    pub(super) fn is_about_to_show(&mut self, place: usize, label: u32) {
        if self.places[place].labels.insert(label) {
            self.learnt();
        }
    }

    /// A task has gone from a place to another and shown nothing; it has created others.
    pub(super) fn went(&mut self, step: &Step<'_>, watch: &Watch) {
        for op in step.ops {
            self.touch(step.from, op, watch);
        }
        self.leads(step);
        let mut is_new = false;
        if let Some(to) = step.to {
            is_new |= self.places[step.from].after.insert(to);
        }
        for first in step.begun {
            is_new |= self.places[step.from].begun.insert(*first);
        }
        if is_new {
            self.learnt();
        }
    }

    /// A task has gone from a place to another and shown something; it has created others.
    pub(super) fn showed(&mut self, step: &Step<'_>, watch: &Watch) {
        self.leads(step);
        let whatever = self.places[step.from].whatever;
        for (object, how) in step.ops.iter().filter_map(|op| touched(op, watch)) {
            let is_new = self.futures.touches(whatever, object, how);
            self.learnt_later(is_new);
        }
    }

    /// A step leads from a place to another, or to where others begin.
    fn leads(&mut self, step: &Step<'_>) {
        let whatever = self.places[step.from].whatever;
        for next in step.to.iter().chain(step.begun) {
            let next = self.places[*next].whatever;
            let is_new = self.futures.leads(whatever, next);
            self.learnt_later(is_new);
        }
    }

    /// Whether the log takes what is shown at this place depends on these cells.
    pub(super) fn looked_at(&mut self, place: usize, cells: &[CellId]) {
        for cell in cells {
            self.add(place, Object::Cell(*cell), How::Reads);
        }
    }

    fn touch(&mut self, place: usize, op: &Op, watch: &Watch) {
        if let Some((object, how)) = touched(op, watch) {
            self.add(place, object, how);
        }
    }

    fn add(&mut self, place: usize, object: Object, how: How) {
        let at = &mut self.places[place];
        let is_new = at.step.insert((object, how));
        let is_later_new = self.futures.touches(at.whatever, object, how);
        if is_new {
            self.learnt();
        }
        self.learnt_later(is_later_new);
    }

    fn learnt_later(&mut self, is_new: bool) {
        self.news += usize::from(is_new);
        self.has_later_news |= is_new;
    }

    fn learnt(&mut self) {
        self.news += 1;
        self.has_news = true;
    }

    /// Whether something was learnt since the last call. What is done past what is shown counts if
    /// some task went alone.
    pub(super) fn take_news(&mut self, watch: &Watch, went_alone: bool) -> bool {
        let has_news = std::mem::take(&mut self.has_news);
        let has_later_news = std::mem::take(&mut self.has_later_news);
        has_news || has_later_news && went_alone || self.counted != countable(watch)
    }

    /// Whether something was learnt since [`Stretches::take_news`].
    pub(super) fn has_news(&self) -> bool {
        self.has_news
    }

    /// Sums up anew if so much more has been seen that it is worth it.
    pub(super) fn keep_up(&mut self, watch: &Watch) {
        if self.news >= 32 + self.places.len() / 8 {
            self.sum_up(watch);
        }
    }

    /// Sums up what is done in each stretch.
    pub(super) fn sum_up(&mut self, watch: &Watch) {
        self.news = 0;
        self.counted = countable(watch);
        let cells = watch.shared_cells().count();
        let mut fresh = 0..;
        let numbers = self.counted.iter();
        let numbers: Vec<Option<usize>> = numbers
            .map(|counts| if *counts { fresh.next() } else { None })
            .collect();
        let number = |object: Object| match object {
            Object::Cell(cell) => numbers[cell.index()],
            Object::Lock(lock) => numbers[cells + lock.index()],
        };
        for place in &mut self.places {
            place.sums = Sums::default();
            for (object, how) in &place.step {
                let Some(number) = number(*object) else {
                    continue;
                };
                set(&mut place.sums.step, 3 * number + *how as usize);
                for other in how.conflicts() {
                    set(&mut place.sums.against, 3 * number + *other as usize);
                }
            }
            place.sums.stretch = place.sums.step.clone();
            for label in &place.labels {
                set(&mut place.sums.shows, *label as usize);
            }
        }
        self.futures.sum_up(number);
        self.flow_back();
    }

    /// Adds what is known of a place to those before it, and so on.
    fn flow_back(&mut self) {
        let mut before: Vec<Vec<usize>> = vec![vec![]; self.places.len()];
        for (at, place) in self.places.iter().enumerate() {
            for next in place.after.iter().chain(&place.begun) {
                before[*next].push(at);
            }
        }
        flow_back(
            &mut self.places,
            &before,
            |place| &place.sums,
            |place, at, sums| {
                let mut is_new = unite(&mut place.sums.stretch, &sums.stretch);
                if place.after.contains(&at) {
                    is_new |= unite(&mut place.sums.shows, &sums.shows);
                }
                if place.begun.contains(&at) {
                    is_new |= unite(&mut place.sums.begun, &sums.shows);
                }
                is_new | unite(&mut place.sums.begun, &sums.begun)
            },
        );
    }

    /// Whether a task at this place may show one of these next, or one that it creates may.
    pub(super) fn may_show(&self, place: usize, labels: &[u64]) -> bool {
        let Place {
            labels: own, sums, ..
        } = &self.places[place];
        let has = |l: &u32| {
            labels
                .get(*l as usize / 64)
                .is_some_and(|w| w >> (l % 64) & 1 != 0)
        };
        own.iter().any(has) || meet(&sums.shows, labels) || meet(&sums.begun, labels)
    }

    /// The tasks that have to be let go so that one of these gets on: bits by the order of `tasks`.
    pub(super) fn enough(&self, tasks: &[Standing], first: Set) -> Set {
        let mut set = first;
        let mut work = first;
        while work != 0 {
            let at = work.trailing_zeros() as usize;
            work &= work - 1;
            let more = match tasks[at].waits {
                Waits::Log => 0,
                Waits::Holders(holders) => holders,
                Waits::No | Waits::World => self.conflicting(tasks, at),
            };
            work |= more & !set;
            set |= more;
        }
        set
    }

    /// Whether nothing that the others will ever do, whatever the log shows, conflicts with what a
    /// task is about to do.
    pub(super) fn is_alone(&self, tasks: &[Standing], at: usize) -> bool {
        let place = &self.places[tasks[at].place];
        let mut others = tasks.iter().enumerate().filter(|(i, _)| *i != at);
        let future = |task: &Standing| self.futures.of(self.places[task.place].whatever);
        place.begun.is_empty() && others.all(|(_, o)| !meet(&place.sums.against, future(o)))
    }

    /// The tasks in whose stretch something conflicts with what a task is about to do.
    fn conflicting(&self, tasks: &[Standing], at: usize) -> Set {
        let against = &self.places[tasks[at].place].sums.against;
        let others = tasks.iter().enumerate().filter(|(i, _)| *i != at);
        let those = others.filter(|(_, o)| meet(against, &self.places[o.place].sums.stretch));
        those.fold(0, |bits, (i, _)| bits | 1 << i)
    }
}

/// Adds the `sum` of each place to those `before` it, until nothing is new. `add` is given a place, and
/// the number of the next one with its sum; it says whether something was new.
fn flow_back<P, S: Clone>(
    places: &mut [P],
    before: &[Vec<usize>],
    sum: impl Fn(&P) -> &S,
    mut add: impl FnMut(&mut P, usize, &S) -> bool,
) {
    let mut work: Vec<usize> = (0..places.len()).collect();
    let mut waits = vec![true; places.len()];
    while let Some(at) = work.pop() {
        waits[at] = false;
        let next = sum(&places[at]).clone();
        for from in &before[at] {
            let is_new = add(&mut places[*from], at, &next);
            if is_new && !std::mem::replace(&mut waits[*from], true) {
                work.push(*from);
            }
        }
    }
}

/// What an operation touches, as [`crate::engine::footprints`] has it.
fn touched(op: &Op, watch: &Watch) -> Option<(Object, How)> {
    let writes = |does: bool| if does { How::Writes } else { How::Reads };
    Some(match *op {
        Op::Load { cell, .. } => (Object::Cell(cell), How::Reads),
        Op::Wait { condition, .. } => (Object::Cell(condition.cell), How::Reads),
        Op::Rmw {
            cell,
            op: Rmw::Add(_),
            strength,
        } if strength != Strength::Full => (Object::Cell(cell), How::Adds),
        Op::Release {
            cell,
            op: Rmw::Add(_),
        } => (Object::Cell(cell), How::Adds),
        Op::Store { cell, .. } | Op::Rmw { cell, .. } | Op::Release { cell, .. } => {
            (Object::Cell(cell), How::Writes)
        }
        Op::Compound { first, writes: w } => (Object::Cell(first), writes(w)),
        Op::Lock { lock, mode } => (Object::Lock(lock), writes(mode == Mode::Exclusive)),
        Op::TryLock { lock } => (Object::Lock(lock), How::Writes),
        Op::Unlock { lock, .. } if watch.is_tried(lock) => (Object::Lock(lock), How::Writes),
        Op::Unlock { .. } | Op::Ghost { .. } | Op::Spawn { .. } | Op::Start | Op::Ended => {
            return None;
        }
    })
}

/// Which objects can conflict: cells that tasks share and somebody writes, and locks that somebody
/// may have to wait for.
fn countable(watch: &Watch) -> Vec<bool> {
    watch
        .shared_cells()
        .chain(watch.contended_locks())
        .collect()
}

/// Adds one to a set.
pub(super) fn set(bits: &mut Vec<u64>, number: usize) {
    if bits.len() <= number / 64 {
        bits.resize(number / 64 + 1, 0);
    }
    bits[number / 64] |= 1 << (number % 64);
}

/// Adds all of a set to another; gives whether there was something new.
fn unite(bits: &mut Vec<u64>, more: &[u64]) -> bool {
    if bits.len() < more.len() {
        bits.resize(more.len(), 0);
    }
    let mut is_new = false;
    for (mine, theirs) in bits.iter_mut().zip(more) {
        is_new |= *theirs & !*mine != 0;
        *mine |= theirs;
    }
    is_new
}

/// Whether two sets have something in common.
fn meet(one: &[u64], other: &[u64]) -> bool {
    one.iter().zip(other).any(|(a, b)| a & b != 0)
}
