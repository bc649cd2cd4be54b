//! Going once more to the states whose choices are made again: over a tree of ways, of which each
//! worker takes branches, and goes on from the states in them.

use super::parents::Parents;
use super::tree::{Branch, NONE, Tree};
use crate::engine::exhaustive::by_points::ByPoints;
use crate::engine::exhaustive::options::{Go, Progress};
use crate::engine::exhaustive::shared::Open;
use crate::engine::exhaustive::together::Taken;
use crate::engine::exhaustive::visited::StateId;
use crate::engine::exhaustive::worker::Worker;
use crate::engine::footprints::{Claims, Footprints, Known, Place, Places};
use crate::engine::schedule::Turn;
use crate::engine::walk;
use crate::model::Model;
use std::sync::Arc;

/// What is gone to again.
pub(in super::super) struct Again {
    tree: Tree,
    branches: Vec<Branch>,
    taken: Taken,
    /// What was taken to be known on the ways.
    before: Option<Arc<Footprints>>,
}

impl Again {
    /// The `wrong` states, for so many workers; `None` if the parents do not lead to all.
    pub(super) fn new(
        wrong: &Places,
        root: Place,
        parents: &Parents,
        workers: usize,
        before: Option<Arc<Footprints>>,
    ) -> Option<Self> {
        let tree = Tree::new(wrong, root, parents)?;
        Some(Self {
            branches: tree.branches(workers),
            tree,
            taken: Taken::default(),
            before,
        })
    }
}

/// A node on the way.
struct Stop {
    place: walk::Place,
    /// How much of the trail leads to it, and how many steps.
    depth: usize,
    steps: u64,
    choices: Vec<Turn>,
    /// The node to go on to next.
    next: u32,
}

/// What a worker goes by, and what it has relied on.
struct Knowledge {
    footprints: Option<Arc<Footprints>>,
    known: Vec<Known>,
    claims: Claims,
    by_points: ByPoints,
}

impl<M: Model> Worker<'_, M> {
    /// Takes branches, goes their ways by what was known before, and on from the states that are
    /// gone to again by what this worker knows.
    pub(in super::super) fn go_again(
        &mut self,
        again: &Again,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) {
        let mut before = Knowledge {
            footprints: again.before.clone(),
            known: vec![],
            claims: Claims::default(),
            by_points: ByPoints::default(),
        };
        while let Some(branch) = again.taken.next(&again.branches) {
            self.swap(&mut before);
            self.go_again_in(branch, &again.tree, &mut before, progress);
            self.swap(&mut before);
            if self.shared.is_over() {
                return;
            }
        }
    }

    /// As [`Worker::go_again`], in one branch. On the way this worker goes by what was known before;
    /// `now` is what it knows.
    fn go_again_in(
        &mut self,
        branch: &Branch,
        tree: &Tree,
        now: &mut Knowledge,
        progress: &mut dyn FnMut(Progress) -> Go,
    ) {
        let mut way: Vec<Stop> = vec![];
        let mut next = Some(branch.node);
        self.go_by(&branch.way);
        loop {
            if let Some(node) = next.take() {
                let node = tree.node(node);
                way.push(self.stop_at(if branch.is_whole { node.first } else { NONE }));
                if node.is_wrong {
                    self.swap(now);
                    self.go_on_again(StateId(node.state), progress);
                    self.swap(now);
                    if self.shared.is_over() {
                        return;
                    }
                }
            }
            let Some(stop) = way.last_mut() else { return };
            if stop.next == NONE {
                way.pop();
                continue;
            }
            next = Some(stop.next);
            let node = tree.node(stop.next);
            stop.next = node.next;
            let turn = stop.choices[usize::from(node.choice)];
            let (place, depth, steps) = (stop.place, stop.depth, stop.steps);
            self.go_back(place, depth, steps);
            self.step(turn);
        }
    }

    /// Chooses at the current state, and goes through everything behind it.
    fn go_on_again(&mut self, state: StateId, progress: &mut dyn FnMut(Progress) -> Go) {
        self.shared.is_chosen_again();
        self.reliances.set_out(None);
        self.choose();
        self.reliances.arrive(state, true);
        let open = Open {
            steps: self.steps,
            state,
            first: 0,
            turns: self.let_go.clone(),
            is_fresh: false,
            share: 0.0,
        };
        self.go_on_at(&open);
        self.search(progress);
    }

    /// Goes from the start by the numbers of choices.
    fn go_by(&mut self, choices: &[u16]) {
        self.begin();
        for choice in choices {
            self.forced(|_| ());
            self.step(self.let_go[usize::from(*choice)]);
        }
    }

    /// Goes on to the next state, behind which a node is next.
    fn stop_at(&mut self, next: u32) -> Stop {
        self.forced(|_| ());
        Stop {
            place: self.walk.place(),
            depth: self.trail.len(),
            steps: self.steps,
            choices: self.let_go.clone(),
            next,
        }
    }

    /// Goes by what somebody else knows, who goes by what this one does.
    fn swap(&mut self, other: &mut Knowledge) {
        std::mem::swap(&mut self.footprints, &mut other.footprints);
        std::mem::swap(&mut self.known, &mut other.known);
        std::mem::swap(&mut self.claims, &mut other.claims);
        std::mem::swap(&mut self.by_points, &mut other.by_points);
    }
}
