//! Persistent sets: of the tasks that can go at a state, some that are enough to let go.
//!
//! A set of tasks is enough if nothing that the others can do from there on, without those of the
//! set, touches what the set's next steps touch (Godefroid, "Partial-order methods for the
//! verification of concurrent systems", 1996). What a task can still touch is not known beforehand
//! but learnt: the search begins as if nobody touched anything, sees what each task does behind
//! each of its points ([`Automaton`]), and starts again with that, until it sees no more.
//!
//! Why that is sound although a search with too small sets sees too little: suppose a set T was
//! enough as far as seen, but some task u outside of it can touch, after steps v that are
//! independent of T's next step a, what a touches. Then v is possible after a too, u comes to the
//! same point there, and the search, which goes through a representative of each trace from
//! there (by induction on what is left of the run), sees u's operation behind u's point at T. So it
//! has been seen. This needs runs that end: where a schedule can go round, the search does without.
//!
//! Two tasks that are both about to access the same plain field conflict, so each is in every set
//! that the other is in: states that show a data race are not lost either.

mod claims;
mod grown;
mod live;
mod objects;
mod places;
mod relied;
mod saved;
mod touched;
mod unseen;

pub(crate) use claims::{Asleep, Claimed, Claims};
use live::Cells;
use objects::{Footprint, Object, Objects};
pub(crate) use places::{Place, Places, START};
pub(crate) use relied::{Conflicts, RelianceId, Relied};
pub(crate) use touched::{Touch, Touched};
use unseen::Class;
pub(crate) use unseen::Foreseen;

use crate::engine::automaton::{Automaton, NodeId, Stops};
use crate::engine::machine::record::{Likeness, Op};
use crate::engine::marks::Watch;
use crate::engine::numbered::Numbered;
use crate::engine::walk::is_access;
use crate::layout::{CellId, CellKind};
use std::collections::HashMap;

/// A set that is added up over the points behind a point.
trait Sum: Clone {
    fn bits(&self) -> &[u64];
    fn bits_mut(&mut self) -> &mut [u64];

    /// Adds all of another; gives whether there was something new.
    fn extend(&mut self, other: &Self) -> bool {
        let mut is_new = false;
        for (mine, theirs) in self.bits_mut().iter_mut().zip(other.bits()) {
            is_new |= *theirs & !*mine != 0;
            *mine |= theirs;
        }
        is_new
    }
}

/// What is known of a point, each by number: what the step behind it touches, what the task
/// touches ever after, and what it reads ever after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    step: u32,
    future: u32,
    live: u32,
}

/// A task that has not ended, as the choice of a persistent set sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// The point where it stands.
    pub(crate) node: NodeId,
    /// What is known of the point where it stands.
    pub(crate) known: Known,
    /// What it waits for; `None` if it can go.
    pub(crate) waits_for: Option<Blocker>,
}

/// Who can let a task go that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blocker {
    /// Those who hold the lock: bits say which tasks.
    Holders(u64),
    /// Those who touch the field.
    Writers,
}

/// What tasks touch behind their points, as far as it has been seen.
#[derive(Default)]
pub(crate) struct Footprints {
    /// What can conflict, by number.
    objects: Vec<Object>,
    known: HashMap<Likeness, Known>,
    sets: Vec<Footprint>,
    /// For points that were not seen: all that is known of points like them.
    classes: HashMap<Class, Known>,
    /// For each step and each future, by number: whether they conflict.
    conflicts: Vec<bool>,
    /// Sets of cells that are read, the first of none.
    live: Vec<Cells>,
    /// How many cells there are.
    cells: usize,
}

/// The points of tasks as one graph: all that has been seen of them in the rounds of a search that
/// had the same steps, whoever has seen it. Points that are alike are one: what is known of a state goes
/// by its fingerprint, which does not tell them apart either.
#[derive(Clone, Default)]
pub(crate) struct Flow {
    ids: HashMap<Likeness, usize>,
    points: Vec<FlowPoint>,
    successors: Vec<Vec<usize>>,
    predecessors: Vec<Vec<usize>>,
}

#[derive(Clone)]
struct FlowPoint {
    likeness: Likeness,
    op: Op,
    /// The innermost function.
    function: &'static str,
    /// A task may go on past it within a step.
    goes_on: bool,
    /// See [`crate::engine::machine::record::Point`].
    begins_anew: bool,
    /// The cell that the task observes there, or the first of the object's.
    reads: Option<CellId>,
}

impl Flow {
    /// Takes in what an automaton knows.
    pub(crate) fn add(&mut self, automaton: &Automaton) {
        for node in automaton.ids() {
            let point = FlowPoint {
                likeness: automaton.point(node).identity.likeness(),
                function: automaton.point(node).function,
                op: automaton.node(node).op,
                goes_on: automaton.node(node).stops != Stops::Always,
                begins_anew: automaton.point(node).begins_anew,
                reads: live::read(&automaton.node(node).op),
            };
            self.add_point(point);
        }
        for node in automaton.ids() {
            let from = self.ids[&automaton.point(node).identity.likeness()];
            let children = match automaton.node(node).op {
                Op::Spawn { entry } => automaton.starts_of(entry),
                _ => vec![],
            };
            for next in automaton.successors(node).into_iter().chain(children) {
                let to = self.ids[&automaton.point(next).identity.likeness()];
                self.link(from, to);
            }
        }
    }

    fn add_point(&mut self, point: FlowPoint) {
        let fresh = self.points.len();
        let at = *self.ids.entry(point.likeness).or_insert(fresh);
        if at == fresh {
            self.points.push(point);
            self.successors.push(vec![]);
            self.predecessors.push(vec![]);
        } else {
            self.points[at].begins_anew |= point.begins_anew;
        }
    }

    fn link(&mut self, from: usize, to: usize) {
        if !self.successors[from].contains(&to) {
            self.successors[from].push(to);
            self.predecessors[to].push(from);
        }
    }

    /// Number of points.
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether a point has been seen.
    pub(crate) fn contains(&self, likeness: &Likeness) -> bool {
        self.ids.contains_key(likeness)
    }

    fn op(&self, at: usize) -> &Op {
        &self.points[at].op
    }

    /// Whether a task may go on past a point within a step.
    fn goes_on(&self, at: usize) -> bool {
        self.points[at].goes_on
    }

    /// Adds to the steps that begin with taking a lock what the transaction goes on to touch.
    fn add_transactions(&self, steps: &mut [Footprint], kinds: &[CellKind]) {
        let continues = |at: usize| !self.goes_on(at) && is_access(self.op(at), kinds);
        let nothing = Footprint::empty(steps.first().map_or(0, |s| s.0.len()));
        let mut more = vec![nothing; steps.len()];
        let mut work = vec![];
        for at in (0..steps.len()).filter(|at| continues(*at)) {
            for before in &self.predecessors[at] {
                more[*before].extend(&steps[at]);
                work.push(*before);
            }
        }
        self.flow_back(&mut more, work, |at| self.goes_on(at));
        for (at, step) in steps.iter_mut().enumerate() {
            if matches!(self.op(at), Op::Lock { .. }) {
                step.extend(&more[at]);
            }
        }
    }

    /// Adds up what is touched behind each point: as far as `passes` lets it flow back.
    fn add_up<S: Sum>(&self, own: &[S], passes: impl Fn(usize) -> bool) -> Vec<S> {
        let mut sums = own.to_vec();
        self.flow_back(&mut sums, (0..own.len()).collect(), passes);
        sums
    }

    /// Adds what there is at the points of `work` to those before, and so on.
    fn flow_back<S: Sum>(
        &self,
        sums: &mut [S],
        mut work: Vec<usize>,
        passes: impl Fn(usize) -> bool,
    ) {
        while let Some(at) = work.pop() {
            if !passes(at) {
                continue;
            }
            let sum = sums[at].clone();
            for before in &self.predecessors[at] {
                if sums[*before].extend(&sum) {
                    work.push(*before);
                }
            }
        }
    }
}

impl Footprints {
    /// Of all that the tasks have been seen to do. `spans` says of how many cells the object is
    /// that begins with a cell; `kinds` of cells are given if steps are transactions; `foreseen` is
    /// taken to be read too.
    pub(crate) fn new(
        flow: &Flow,
        watch: &Watch,
        spans: &[u32],
        kinds: Option<&[CellKind]>,
        foreseen: &[Foreseen],
    ) -> Self {
        let objects = Objects::new(watch, flow);
        let words = objects.words();
        let own: Vec<Footprint> = (0..flow.len())
            .map(|at| {
                let mut footprint = Footprint::empty(words);
                objects.touched(flow.op(at), watch, &mut footprint);
                footprint
            })
            .collect();
        let mut steps = flow.add_up(&own, |at| flow.goes_on(at));
        if let Some(kinds) = kinds {
            flow.add_transactions(&mut steps, kinds);
        }
        let futures = flow.add_up(&own, |_| true);
        let live = flow.live(spans, foreseen);
        let mut sets = Numbered::of(vec![Footprint::empty(words)]);
        let mut live_sets = Numbered::of(vec![Cells::none(spans.len())]);
        let mut number = |sets_of: (&Footprint, &Footprint, &Cells)| Known {
            step: sets.number(sets_of.0),
            future: sets.number(sets_of.1),
            live: live_sets.number(sets_of.2),
        };
        let at = |at: usize| (&steps[at], &futures[at], &live[at]);
        let known = flow.points.iter().enumerate();
        let known = known.map(|(i, point)| (point.likeness, number(at(i))));
        let known = known.collect();
        let by_class = flow.by_class(at);
        let classes = by_class.iter();
        let classes = classes.map(|(class, (s, f, l))| (*class, number((s, f, l))));
        let classes = classes.collect();
        let mut all = Self {
            objects: objects.all,
            classes,
            known,
            sets: sets.into_all(),
            conflicts: vec![],
            live: live_sets.into_all(),
            cells: spans.len(),
        };
        all.relate();
        all
    }

    fn relate(&mut self) {
        let sets = &self.sets;
        self.conflicts = sets
            .iter()
            .flat_map(|step| sets.iter().map(|future| step.conflicts(future)))
            .collect();
    }

    /// What is known of a point that has been seen.
    fn of(&self, likeness: &Likeness) -> Known {
        self.known[likeness]
    }

    /// Whether a task's next step may conflict with something that another does ever after.
    #[inline]
    pub(crate) fn conflict(&self, step: Known, future: Known) -> bool {
        self.sets_conflict(step.step, future.future)
    }

    /// Whether the next steps of two tasks may conflict.
    #[inline]
    pub(crate) fn steps_conflict(&self, one: Known, other: Known) -> bool {
        self.sets_conflict(one.step, other.step)
    }

    #[inline]
    fn sets_conflict(&self, step: u32, future: u32) -> bool {
        let sets = self.sets.len();
        sets > 0 && self.conflicts[step as usize * sets + future as usize]
    }

    /// The smallest persistent set that is found by beginning with one of the tasks that can go, of
    /// those in `seeds` in this order: bits say which of `tasks`. There are at most 64 tasks.
    pub(crate) fn persistent(&self, tasks: &[Standing], seeds: &[usize]) -> u64 {
        let mut needs = [0; 64];
        let mut able = 0;
        for (i, task) in tasks.iter().enumerate() {
            needs[i] = self.needs(tasks, task);
            able |= u64::from(task.waits_for.is_none()) << i;
        }
        let mut best = !0;
        let mut fewest = seeds.len() as u32;
        for seed in seeds {
            let set = closure(&needs[..tasks.len()], *seed);
            let count = (set & able).count_ones();
            if count < fewest {
                (best, fewest) = (set, count);
            }
            if fewest == 1 {
                break;
            }
        }
        best
    }

    /// Who has to be in a persistent set because of this task.
    fn needs(&self, tasks: &[Standing], task: &Standing) -> u64 {
        match task.waits_for {
            Some(Blocker::Holders(holders)) => holders,
            _ => tasks.iter().enumerate().fold(0, |all, (i, other)| {
                all | (u64::from(self.conflict(task.known, other.known)) << i)
            }),
        }
    }
}

/// The least set with this task and all that its tasks need.
fn closure(needs: &[u64], first: usize) -> u64 {
    let mut set = 1 << first;
    let mut work: u64 = set;
    while work != 0 {
        let task = work.trailing_zeros() as usize;
        work &= work - 1;
        let more = needs[task] & !set;
        set |= more;
        work |= more;
    }
    set
}
