//! Going once more to the states whose choices are made again: over a tree of ways, of which each
//! worker takes branches, and goes on from the states in them.

use super::parents::Parents;
use crate::engine::exhaustive::options::{Go, Progress};
use crate::engine::exhaustive::shared::Open;
use crate::engine::exhaustive::visited::StateId;
use crate::engine::exhaustive::worker::Worker;
use crate::engine::footprints::{Claims, Footprints, Known, Place, Places};
use crate::engine::walk;
use crate::event::TaskId;
use crate::model::Model;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is gone to again.
pub(in super::super) struct Again {
    tree: Tree,
    branches: Vec<Branch>,
    /// How many branches have been taken.
    taken: AtomicUsize,
    /// What was taken to be known on the ways.
    before: Option<Arc<Footprints>>,
}

/// A tree of ways to states.
struct Tree {
    /// Each after the one before it on its way; the root is the first.
    nodes: Vec<Node>,
}

/// A state of the tree.
struct Node {
    state: Place,
    /// It is gone to again.
    is_wrong: bool,
    /// The number of the choice that leads there.
    choice: u16,
    /// The first node that the ways lead on to.
    first: u32,
    /// The next one that the node before leads on to.
    next: u32,
}

/// No node.
const NONE: u32 = u32::MAX;

/// A part of the tree.
struct Branch {
    /// The numbers of the choices that lead there.
    way: Vec<u16>,
    node: u32,
    /// All behind the node is in it.
    is_whole: bool,
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
            taken: AtomicUsize::new(0),
            before,
        })
    }

    /// The next branch that nobody has taken.
    fn take(&self) -> Option<&Branch> {
        self.branches
            .get(self.taken.fetch_add(1, Ordering::Relaxed))
    }
}

impl Tree {
    /// Ways from a root; `None` if the parents do not lead to all.
    fn new(wrong: &Places, root: Place, parents: &Parents) -> Option<Self> {
        let mut numbers = vec![NONE; parents.len()];
        numbers[root as usize] = 0;
        let mut tree = Self { nodes: vec![] };
        tree.add(None, root, 0, wrong);
        for state in wrong.iter() {
            let mut way = vec![];
            let mut at = state;
            while numbers[at as usize] == NONE {
                let (parent, choice) = parents.get(at)?;
                way.push((choice, at));
                at = parent;
                if way.len() > parents.len() {
                    return None;
                }
            }
            let mut node = numbers[at as usize];
            for (choice, state) in way.into_iter().rev() {
                node = tree.add(Some(node), state, choice, wrong);
                numbers[state as usize] = node;
            }
        }
        Some(tree)
    }

    /// Adds a state that a choice at a node leads to, or the root.
    fn add(&mut self, before: Option<u32>, state: Place, choice: u16, wrong: &Places) -> u32 {
        let node = self.nodes.len() as u32;
        let next = before.map_or(NONE, |before| {
            std::mem::replace(&mut self.nodes[before as usize].first, node)
        });
        self.nodes.push(Node {
            state,
            is_wrong: wrong.contains(state),
            choice,
            first: NONE,
            next,
        });
        node
    }

    fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// The nodes that one leads on to.
    fn behind(&self, node: u32) -> impl Iterator<Item = u32> {
        let there = |node: u32| (node != NONE).then_some(node);
        let first = there(self.node(node).first);
        std::iter::successors(first, move |node| there(self.node(*node).next))
    }

    /// How many nodes are behind each, with itself.
    fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.nodes.len()];
        for node in (0..self.nodes.len()).rev() {
            let behind = self.behind(node as u32).map(|node| sizes[node as usize]);
            sizes[node] = 1 + behind.sum::<usize>();
        }
        sizes
    }

    /// The tree in branches that so many workers can share; all of it if it is one.
    fn branches(&self, workers: usize) -> Vec<Branch> {
        /// So many branches for each worker, if they were equally large.
        const EACH: usize = 16;
        let whole = Branch {
            way: vec![],
            node: 0,
            is_whole: true,
        };
        if workers == 1 {
            return vec![whole];
        }
        let sizes = self.sizes();
        let large = self.nodes.len() / (workers * EACH);
        let (mut branches, mut open) = (vec![], vec![whole]);
        while let Some(mut branch) = open.pop() {
            if sizes[branch.node as usize] > large {
                open.extend(self.behind(branch.node).map(|node| Branch {
                    way: [&branch.way[..], &[self.node(node).choice]].concat(),
                    node,
                    is_whole: true,
                }));
                branch.is_whole = false;
            }
            if branch.is_whole || self.node(branch.node).is_wrong {
                branches.push(branch);
            }
        }
        branches
    }
}

/// A node on the way.
struct Stop {
    place: walk::Place,
    /// How much of the trail leads to it.
    depth: usize,
    choices: Vec<TaskId>,
    /// The node to go on to next.
    next: u32,
}

/// What a worker goes by, and what it has relied on.
struct Knowledge {
    footprints: Option<Arc<Footprints>>,
    known: Vec<Known>,
    claims: Claims,
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
        };
        while let Some(branch) = again.take() {
            self.swap(&mut before);
            self.go_again_in(branch, &again.tree, &mut before, progress);
            self.swap(&mut before);
            if self.shared.is_over() {
                return;
            }
        }
    }

    /// As [`Worker::go_again`], in one branch; goes by what was known before, who knows more `now`.
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
            let task = stop.choices[usize::from(node.choice)];
            let (place, depth) = (stop.place, stop.depth);
            self.go_back(place, depth);
            self.step(task);
        }
    }

    /// Chooses at the current state, and goes through everything behind it.
    fn go_on_again(&mut self, state: StateId, progress: &mut dyn FnMut(Progress) -> Go) {
        self.shared.is_chosen_again();
        self.reliances.set_out(None);
        self.choose();
        self.reliances.arrive(state, true);
        let open = Open {
            depth: self.trail.len(),
            state,
            first: 0,
            tasks: self.let_go.clone(),
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
            choices: self.let_go.clone(),
            next,
        }
    }

    /// Goes by what somebody else knows, who goes by what this one does.
    fn swap(&mut self, other: &mut Knowledge) {
        std::mem::swap(&mut self.footprints, &mut other.footprints);
        std::mem::swap(&mut self.known, &mut other.known);
        std::mem::swap(&mut self.claims, &mut other.claims);
    }
}
