//! A run of a model over the automata of its tasks: the world, the point that each task stands
//! at, and steps that can be taken back.

mod alive;
mod sight;

pub(crate) use alive::Alive;

use crate::backend::Mode;
use crate::engine::automaton::{Automaton, Next, Node, NodeId, Stops};
use crate::engine::cycle::CycleDetection;
use crate::engine::footprints::{Flow, Footprints, Foreseen};
use crate::engine::machine::Machine;
use crate::engine::machine::memory::Weak;
use crate::engine::machine::record::Op;
use crate::engine::machine::resume::Suspended;
use crate::engine::machine::world::{World, WorldPlace};
use crate::engine::marks::{Marks, TaskKey};
use crate::engine::schedule::Turn;
use crate::engine::weak::Strength;
use crate::event::TaskId;
use crate::layout::{CellId, CellKind};
use crate::model::{Entry, Model};
use crate::outcome::{DataRace, Final};
use std::cell::Cell;
use std::sync::Arc;

/// The tasks of a run.
#[derive(Default)]
struct Tasks {
    keys: Vec<TaskKey>,
    nodes: Vec<NodeId>,
    /// Sum of the tasks' parts of the fingerprint.
    hash: u128,
    /// Changes, to be taken back.
    moves: Vec<Move>,
    /// What tasks saw before, for each [`Move::Sight`].
    seen: Vec<Weak>,
    /// There is one behind the place that was asked for last: where that is gone back to, what tasks saw
    /// there is put back.
    is_sight_kept: Cell<bool>,
    /// The part of a step that was taken last has let others go on: see [`lets_others_go`].
    let_others_go: bool,
}

#[derive(Clone, Copy)]
enum Move {
    /// The task stood at this point.
    Step(TaskId, NodeId),
    /// A task was created.
    Spawn,
    /// What tasks see, under weak memory: it was the last of [`Tasks::seen`].
    Sight,
}

impl Tasks {
    fn push(&mut self, automaton: &Automaton, key: TaskKey, start: NodeId) {
        self.keys.push(key);
        self.nodes.push(start);
        self.hash = self.hash.wrapping_add(automaton.node(start).fingerprint);
    }

    /// The key of the next task with this entry.
    fn next(&self, entry: Entry) -> TaskKey {
        let nth = self.keys.iter().filter(|k| k.entry == entry).count() as u32;
        TaskKey { entry, nth }
    }
}

/// Where a run can be taken back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    world: WorldPlace,
    moves: usize,
}

/// What a walk of one step came to.
enum Walked {
    /// The point where the task is suspended.
    To(NodeId),
    /// What comes next is not known, or no copy of the task is there to go on from.
    Unknown,
    /// The task goes round without a step, through this point.
    Round(NodeId),
    /// The task goes on and on without a step.
    Endless,
}

/// A model, what is known of its tasks, and one run.
pub(crate) struct Walk<M: Model> {
    /// In a box, since it must stay in place while its tasks run.
    machine: Box<Machine<M>>,
    automaton: Automaton,
    /// Copies of tasks, suspended at the points of these numbers.
    suspended: Vec<Option<Suspended>>,
    marks: Marks,
    spans: Vec<u32>,
    tasks: Tasks,
    /// Where the run began.
    start: Place,
    kinds: Vec<CellKind>,
    /// Steps are transactions.
    pub(crate) transactions: bool,
    /// Under weak memory.
    is_weak: bool,
    limit: Option<String>,
    /// Something was learnt since the last look.
    news: bool,
}

/// Operations of one step after which a task is taken for one that never stops.
const MAX_OPERATIONS: u64 = 20_000_000;

/// Operations of one step, of which most have few, before it is looked whether the task goes round.
const LONG: u64 = 64;

impl<M: Model> Walk<M> {
    /// Starts a run by the steps that the machine goes by, which say under which memory.
    pub(crate) fn new(model: &Arc<M>, machine: Box<Machine<M>>) -> Self {
        machine.reset();
        if machine.watch().is_weak() {
            machine.be_weak();
        } else {
            Self::go_to_first_choice(&machine);
        }
        Self::begin(model, machine)
    }

    /// Everything up to the first state in which more than one task can go, or none.
    fn go_to_first_choice(machine: &Machine<M>) {
        let mut enabled = vec![];
        loop {
            machine.enabled(&mut enabled);
            let [only] = enabled[..] else { break };
            machine.step(only);
        }
        machine.suspend_at_each_step();
    }

    fn begin(model: &Arc<M>, machine: Box<Machine<M>>) -> Self {
        machine.world().keep_changes();
        let marks = machine.marks();
        let world = machine.world().place();
        let is_weak = machine.watch().is_weak();
        let mut walk = Self {
            automaton: Automaton::default(),
            suspended: vec![],
            spans: model.layout().cells().iter().map(|c| c.span).collect(),
            kinds: model.layout().cells().iter().map(|c| c.kind).collect(),
            transactions: false,
            is_weak,
            limit: machine.limit(),
            tasks: Tasks::default(),
            start: Place { world, moves: 0 },
            marks,
            machine,
            news: true,
        };
        walk.enter();
        walk
    }

    /// Takes over the tasks of the machine's run.
    fn enter(&mut self) {
        for (i, key) in self.machine.tasks().into_iter().enumerate() {
            let (point, suspended) = self.machine.standing(TaskId(i as u32));
            let id = self.automaton.intern(&point, &self.marks);
            self.keep(id, suspended);
            if matches!(point.op, Op::Start) {
                self.automaton.add_start(key, id);
            }
            self.tasks.push(&self.automaton, key, id);
        }
    }

    /// The machine, to start over with.
    pub(crate) fn into_machine(self) -> Box<Machine<M>> {
        self.machine
    }

    /// What tasks touch that have been seen to do this.
    pub(crate) fn footprints(&self, flow: &Flow) -> Footprints {
        self.footprints_with(flow, &[])
    }

    /// As [`Walk::footprints`], and what it is foreseen that they read too.
    pub(crate) fn foreseen_footprints(&self, flow: &Flow) -> Footprints {
        self.footprints_with(flow, &flow.foreseen())
    }

    fn footprints_with(&self, flow: &Flow, foreseen: &[Foreseen]) -> Footprints {
        let kinds = self.transactions.then_some(&self.kinds[..]);
        let watch = self.machine.watch();
        Footprints::new(flow, &watch, &self.spans, kinds, foreseen)
    }

    /// What is known of the tasks, when the run is over.
    pub(crate) fn into_automaton(self) -> Automaton {
        self.automaton
    }

    /// The machine.
    pub(crate) fn machine(&self) -> &Machine<M> {
        &self.machine
    }

    /// What is known of the tasks.
    pub(crate) fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    /// The limit of the model that the run has hit, if any.
    pub(crate) fn limit(&self) -> Option<&str> {
        self.limit.as_deref()
    }

    /// Whether something was learnt since the last call.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Where the run is, to be gone back to.
    pub(crate) fn place(&self) -> Place {
        self.tasks.is_sight_kept.set(false);
        self.here()
    }

    fn here(&self) -> Place {
        Place {
            world: self.machine.world().place(),
            moves: self.tasks.moves.len(),
        }
    }

    /// Takes the run back to where it began.
    pub(crate) fn go_to_start(&mut self) {
        self.go_back(self.start);
    }

    /// Takes the run back to where it was.
    pub(crate) fn go_back(&mut self, place: Place) {
        self.tasks.is_sight_kept.set(false);
        self.take_back(place);
    }

    fn take_back(&mut self, place: Place) {
        self.machine.world().take_back(place.world);
        while self.tasks.moves.len() > place.moves {
            let hash = |node: NodeId| self.automaton.node(node).fingerprint;
            match self.tasks.moves.pop() {
                Some(Move::Step(task, old)) => {
                    let new = std::mem::replace(&mut self.tasks.nodes[task.index()], old);
                    let sum = self.tasks.hash.wrapping_sub(hash(new));
                    self.tasks.hash = sum.wrapping_add(hash(old));
                }
                Some(Move::Spawn) => {
                    self.tasks.keys.pop();
                    if let Some(new) = self.tasks.nodes.pop() {
                        self.tasks.hash = self.tasks.hash.wrapping_sub(hash(new));
                    }
                }
                Some(Move::Sight) => self.machine.world().set_weak(self.tasks.seen.pop()),
                None => return,
            }
        }
    }

    /// The fingerprint of the state.
    pub(crate) fn fingerprint(&self) -> u128 {
        if self.is_weak {
            return self.weak_fingerprint();
        }
        self.machine.world().hash().wrapping_add(self.tasks.hash)
    }

    /// What [`Walk::fingerprint`] is a hash of, as far as it is kept: all cells but the dead, and the tasks'
    /// parts in order, of which the point where one stands is a hash already. Under weak memory a
    /// task's part has what it sees too, and there is all that is not the newest.
    pub(crate) fn content(&self) -> Vec<u64> {
        let world = self.machine.world();
        let cells = world.span(CellId(0), self.spans.len()).iter().zip(0..);
        let live = cells.map(|(content, i)| {
            let is_dead = world.is_dead(CellId(i));
            if is_dead { 0 } else { *content }
        });
        let mut content: Vec<u64> = live.collect();
        let parts = self.tasks.nodes.iter().zip(0..).filter_map(|(node, task)| {
            let point = self.automaton.node(*node).fingerprint;
            (point != 0).then(|| {
                let mut part = vec![(point >> 64) as u64, point as u64];
                if let Some(weak) = world.weak() {
                    weak.append_sight(TaskId(task), &mut part);
                }
                part
            })
        });
        let mut parts: Vec<Vec<u64>> = parts.collect();
        parts.sort_unstable();
        content.push(parts.len() as u64);
        content.extend(parts.into_iter().flatten());
        if let Some(weak) = world.weak() {
            weak.append(&mut content);
        }
        content
    }

    /// The points that the tasks stand at.
    pub(crate) fn nodes(&self) -> &[NodeId] {
        &self.tasks.nodes
    }

    /// The points that tasks stand at, and the sum of their parts of the fingerprint.
    #[inline]
    pub(crate) fn points(&self) -> (&[NodeId], u128) {
        (&self.tasks.nodes, self.tasks.hash)
    }

    /// The point that a task stands at, as the walk knows it.
    #[inline]
    pub(crate) fn node(&self, task: TaskId) -> &Node {
        self.automaton.node(self.tasks.nodes[task.index()])
    }

    /// Whether a task has ended.
    pub(crate) fn has_ended(&self, task: TaskId) -> bool {
        matches!(self.node(task).op, Op::Ended)
    }

    /// What a task runs.
    pub(crate) fn key(&self, task: TaskId) -> TaskKey {
        self.tasks.keys[task.index()]
    }

    /// The tasks that can go next, as [`Machine::enabled`] says it.
    pub(crate) fn enabled(&self, into: &mut Vec<TaskId>) {
        into.clear();
        let world = self.machine.world();
        for (i, node) in self.tasks.nodes.iter().enumerate() {
            let op = &self.automaton.node(*node).op;
            let id = TaskId(i as u32);
            if matches!(op, Op::Start) {
                into.clear();
                into.push(id);
                return;
            }
            let can_go = if self.is_weak {
                world.alternatives(id, op) > 0
            } else {
                world.enables(op)
            };
            if can_go {
                into.push(id);
            }
        }
    }

    /// Lets one task take a step. With [`Walk::transactions`], a step that begins by taking a lock
    /// goes on with the access that follows.
    ///
    /// To take a lock commutes with whatever others do before the next operation of the task, none
    /// of whom can touch the lock (Lipton, "Reduction: a method of proving properties of parallel
    /// programs", 1975; Flanagan & Qadeer, "Transactions for software model checking", 2003), unless
    /// somebody tries the lock. A second lock is not taken in the same step, since that could wait,
    /// neither is a plain field accessed, since others might be about to do so too, and once the task
    /// has dropped a lock the step is over.
    ///
    /// Under weak memory a turn says too what the step sees; there are no transactions.
    pub(crate) fn step(&mut self, turn: Turn) {
        self.step_in_parts(turn, |_| {});
    }

    /// Lets one task take a step; calls `before` before each part of it that another could come
    /// before if steps were no transactions.
    pub(crate) fn step_in_parts(&mut self, turn: Turn, mut before: impl FnMut(&Self)) {
        let task = turn.task;
        let is_lock = self.is_at_lock(task);
        before(self);
        if self.is_weak && !self.begin_turn(turn) {
            return;
        }
        self.part(task);
        if is_lock && self.goes_on(task) {
            before(self);
            self.part(task);
        }
    }

    /// Whether a task is about to take a lock that nobody tries: who tries it sees it taken.
    fn is_at_lock(&self, task: TaskId) -> bool {
        matches!(self.node(task).op, Op::Lock { lock, .. } if !self.marks.unlock(lock))
    }

    fn goes_on(&self, task: TaskId) -> bool {
        self.transactions
            && !self.tasks.let_others_go
            && is_access(&self.node(task).op, &self.kinds)
    }

    /// Lets one task go on to where it is suspended next.
    pub(crate) fn part(&mut self, task: TaskId) {
        self.tasks.let_others_go = false;
        let from = self.tasks.nodes[task.index()];
        let place = self.here();
        let before = self.seen();
        let walked = walk(
            &self.automaton,
            &self.spans,
            &mut self.machine.world(),
            &mut self.tasks,
            task,
        );
        let to = match walked {
            Walked::To(to) => {
                if matches!(self.automaton.node(to).op, Op::Ended) {
                    self.machine.world().end_task(task);
                }
                to
            }
            Walked::Unknown => {
                self.take_back(place);
                self.machine.world().set_weak(before);
                self.learn(task, from)
            }
            Walked::Round(at) => {
                let function = self.automaton.point(at).function;
                let entry = self.key(task).entry;
                let says = || self.machine.goes_round(entry, function);
                self.limit.get_or_insert_with(says);
                from
            }
            Walked::Endless => {
                self.limit.get_or_insert_with(|| {
                    format!(
                        "a task has taken {MAX_OPERATIONS} operations without a step: does it \
                         loop without progress?"
                    )
                });
                from
            }
        };
        self.tasks.nodes[task.index()] = to;
        self.tasks.moves.push(Move::Step(task, from));
        let hash = |node: NodeId| self.automaton.node(node).fingerprint;
        let sum = self.tasks.hash.wrapping_sub(hash(from));
        self.tasks.hash = sum.wrapping_add(hash(to));
    }

    /// Runs the step for real, and takes in what the task does.
    fn learn(&mut self, task: TaskId, from: NodeId) -> NodeId {
        self.news = true;
        let before = self.tasks.keys.len();
        let suspended = self.suspended.get(from.index()).and_then(Option::as_ref);
        let stepped = self.machine.step_from(&self.tasks.keys, task, suspended);
        let to = self.automaton.learn(from, &stepped.record, &self.marks);
        let done = stepped.record.points.iter().rev().skip(1);
        self.tasks.let_others_go |= done.map(|point| &point.op).any(lets_others_go);
        self.keep(to, stepped.suspended);
        for key in self.machine.tasks().into_iter().skip(before) {
            let start = self.start(key);
            self.tasks.push(&self.automaton, key, start);
            self.tasks.moves.push(Move::Spawn);
        }
        if self.limit.is_none() {
            self.limit = self.machine.limit();
        }
        to
    }

    /// Keeps a copy of the task suspended at a point, unless there is one.
    fn keep(&mut self, id: NodeId, suspended: Option<Suspended>) {
        if self.suspended.len() <= id.index() {
            self.suspended.resize_with(id.index() + 1, || None);
        }
        let slot = &mut self.suspended[id.index()];
        if let (None, Some(suspended)) = (&slot, suspended) {
            *slot = Some(suspended);
            self.automaton.can_resume(id);
        }
    }

    fn start(&mut self, key: TaskKey) -> NodeId {
        self.automaton.start(key).unwrap_or_else(|| {
            let point = self.machine.start(key);
            let id = self.automaton.intern(&point, &self.marks);
            self.automaton.add_start(key, id);
            id
        })
    }

    /// A task has been interrupted where it stands: those who watch the locks are told.
    pub(crate) fn interrupted(&mut self, task: TaskId) {
        let node = self.tasks.nodes[task.index()];
        if self.automaton.interrupt(node) {
            let held = &self.automaton.point(node).held;
            self.machine.watch().interrupted(held);
            self.news = true;
        }
    }

    /// Whether a task has not begun.
    pub(crate) fn begins(&self, task: TaskId) -> bool {
        matches!(self.node(task).op, Op::Start)
    }

    /// The outcome of the state, in which nobody can go on.
    pub(crate) fn finish(&self) -> Final<M::Outcome> {
        let points = self.tasks.nodes.iter().map(|n| self.automaton.point(*n));
        self.machine.finish_at(&points.collect::<Vec<_>>())
    }

    /// Conflicting accesses of plain fields that are both about to happen.
    pub(crate) fn data_races(&self, into: &mut Vec<DataRace>) {
        into.clear();
        let nodes = &self.tasks.nodes;
        for (i, first) in nodes.iter().enumerate() {
            let Some(cell) = accessed(&self.automaton.node(*first).op) else {
                continue;
            };
            for second in &nodes[i + 1..] {
                if accessed(&self.automaton.node(*second).op) == Some(cell) {
                    let points = (self.automaton.point(*first), self.automaton.point(*second));
                    into.extend(self.machine.data_race(points.0, points.1));
                }
            }
        }
    }
}

/// Whether an operation lets others go on: what they do then may belong between it and what the
/// task does next, so a transaction ends with it.
fn lets_others_go(op: &Op) -> bool {
    matches!(
        op,
        Op::Unlock { .. } | Op::Release { .. } | Op::Spawn { .. }
    )
}

/// Whether an operation accesses a field that is not a plain one.
pub(crate) fn is_access(op: &Op, kinds: &[CellKind]) -> bool {
    accessed(op).is_some_and(|cell| kinds[cell.index()] == CellKind::Shared)
}

/// The cell that a suspended task is about to access.
#[inline]
fn accessed(op: &Op) -> Option<CellId> {
    match *op {
        Op::Load { cell, .. }
        | Op::Store { cell, .. }
        | Op::Rmw { cell, .. }
        | Op::Compound { first: cell, .. } => Some(cell),
        _ => None,
    }
}

/// Takes one step over the automaton.
fn walk(
    automaton: &Automaton,
    spans: &[u32],
    world: &mut World,
    tasks: &mut Tasks,
    task: TaskId,
) -> Walked {
    let mut at = tasks.nodes[task.index()];
    let mut passed = None;
    for operation in 0..MAX_OPERATIONS {
        let node = automaton.node(at);
        if operation > 0 {
            let stops = match node.stops {
                Stops::Never => false,
                Stops::Always => true,
                Stops::IfBlocked => !world.enables(&node.op),
            };
            let is_over = matches!(node.op, Op::Ended);
            if stops {
                return if node.can_resume || is_over {
                    Walked::To(at)
                } else {
                    Walked::Unknown
                };
            }
        }
        let Some(next) = operate(automaton, spans, world, tasks, task, at) else {
            return Walked::Unknown;
        };
        tasks.let_others_go |= lets_others_go(&automaton.node(at).op);
        at = next;
        if operation > LONG && goes_round_through(at, world, tasks, &mut passed) {
            return Walked::Round(at);
        }
    }
    Walked::Endless
}

/// All that the rest of a step depends on: the point, the world and how many tasks there are.
type Passed = CycleDetection<(NodeId, u128, usize)>;

/// Whether a task that takes a long step has been here before.
#[cold]
fn goes_round_through(
    at: NodeId,
    world: &World,
    tasks: &Tasks,
    passed: &mut Option<Box<Passed>>,
) -> bool {
    let passed = passed.get_or_insert_default();
    passed.comes_to((at, world.hash(), tasks.nodes.len()))
}

/// Does the operation at a point; gives the next point if it is known.
#[inline]
fn operate(
    automaton: &Automaton,
    spans: &[u32],
    world: &mut World,
    tasks: &mut Tasks,
    task: TaskId,
    at: NodeId,
) -> Option<NodeId> {
    let node = automaton.node(at);
    let after = |value: u64| match node.next {
        Next::One(next) => Some(next),
        Next::Values(table) => automaton.by_value(table, value),
        Next::Unknown | Next::Contents(_) => None,
    };
    match node.op {
        Op::Start => after(0),
        Op::Wait {
            condition, order, ..
        } => {
            world.end_wait(task, condition, order);
            after(0)
        }
        Op::Load { cell, order } => after(world.load(task, cell, order)),
        Op::Store { cell, value, order } => {
            let next = after(0)?;
            world.store(task, cell, value, order);
            Some(next)
        }
        Op::Rmw { cell, op, strength } => after(world.rmw(task, cell, op, strength)),
        Op::Release { cell, op } => after(world.rmw(task, cell, op, Strength::Release)),
        Op::Ghost { cell, op } => {
            let next = after(0)?;
            world.update(cell, op);
            Some(next)
        }
        Op::Compound { first, .. } => {
            let Next::Contents(table) = node.next else {
                return None;
            };
            let cells = world.span(first, spans[first.index()] as usize);
            let content = automaton.by_content(table, cells)?;
            for (i, new) in &content.changes {
                world.set(CellId(first.0 + i), *new);
            }
            Some(content.next)
        }
        Op::Lock { lock, mode } => {
            let next = after(0)?;
            world.take(task, lock, mode);
            Some(next)
        }
        Op::TryLock { lock } => {
            let free = world.is_free(lock, Mode::Exclusive);
            let next = after(u64::from(free))?;
            if free {
                world.take(task, lock, Mode::Exclusive);
            }
            Some(next)
        }
        Op::Unlock { lock, mode } => {
            let next = after(0)?;
            world.drop_lock(task, lock, mode);
            Some(next)
        }
        Op::Spawn { entry } => {
            let next = after(0)?;
            let key = tasks.next(entry);
            let start = automaton.start(key)?;
            world.begin_task(task, TaskId(tasks.nodes.len() as u32));
            tasks.push(automaton, key, start);
            tasks.moves.push(Move::Spawn);
            Some(next)
        }
        Op::Ended => None,
    }
}
