//! A tree of ways to some states, in branches that workers can share.

use super::parents::Parents;
use crate::engine::footprints::{Place, Places};

/// A tree of ways to states.
pub(super) struct Tree {
    /// Each after the one before it on its way; the root is the first.
    nodes: Vec<Node>,
}

/// A state of the tree.
pub(super) struct Node {
    pub(super) state: Place,
    /// It is gone to again.
    pub(super) is_wrong: bool,
    /// The number of the choice that leads there.
    pub(super) choice: u16,
    /// The first node that the ways lead on to.
    pub(super) first: u32,
    /// The next one that the node before leads on to.
    pub(super) next: u32,
}

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// A part of the tree.
pub(super) struct Branch {
    /// The numbers of the choices that lead there.
    pub(super) way: Vec<u16>,
    pub(super) node: u32,
    /// All behind the node is in it.
    pub(super) is_whole: bool,
}

impl Tree {
    /// Ways from a root; `None` if the parents do not lead to all.
    pub(super) fn new(wrong: &Places, root: Place, parents: &Parents) -> Option<Self> {
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

    pub(super) fn node(&self, node: u32) -> &Node {
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
    pub(super) fn branches(&self, workers: usize) -> Vec<Branch> {
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
