//! One step: over the automaton as far as that knows it, and for real where it does not.

use super::{Move, Tasks, Walk};
use crate::backend::Mode;
use crate::engine::automaton::{Automaton, Next, NodeId, Stops};
use crate::engine::cycle::CycleDetection;
use crate::engine::machine::record::Op;
use crate::engine::machine::resume::Suspended;
use crate::engine::machine::world::World;
use crate::engine::marks::TaskKey;
use crate::engine::schedule::Turn;
use crate::engine::weak::Strength;
use crate::event::TaskId;
use crate::layout::{CellId, CellKind};
use crate::model::Model;

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

/// Operations of one step after which a task is taken for one that never stops.
const MAX_OPERATIONS: u64 = 20_000_000;

/// Operations of one step, of which most have few, before it is looked whether the task goes round.
const LONG: u64 = 64;

impl<M: Model> Walk<M> {
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
    pub(super) fn keep(&mut self, id: NodeId, suspended: Option<Suspended>) {
        if self.suspended.len() <= id.index() {
            self.suspended.resize_with(id.index() + 1, || None);
        }
        let slot = &mut self.suspended[id.index()];
        if let (None, Some(suspended)) = (&slot, suspended) {
            *slot = Some(suspended);
            self.automaton.can_resume(id);
        }
    }

    pub(super) fn start(&mut self, key: TaskKey) -> NodeId {
        self.automaton.start(key).unwrap_or_else(|| {
            let point = self.machine.start(key);
            let id = self.automaton.intern(&point, &self.marks);
            self.automaton.add_start(key, id);
            id
        })
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
pub(super) fn accessed(op: &Op) -> Option<CellId> {
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
