//! A run of a model over the automata of its tasks: the world, the point that each task stands
//! at, and steps that can be taken back.

mod alive;
mod sight;
mod step;

pub(crate) use alive::Alive;
use step::accessed;
pub(crate) use step::is_access;

use crate::engine::automaton::{Automaton, Node, NodeId};
use crate::engine::footprints::{Flow, Footprints, Foreseen};
use crate::engine::machine::Machine;
use crate::engine::machine::memory::Weak;
use crate::engine::machine::record::Op;
use crate::engine::machine::resume::Suspended;
use crate::engine::machine::world::WorldPlace;
use crate::engine::marks::{Marks, TaskKey};
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
