//! The graph of states that a search has gone through, and what can be read off it: how many
//! schedules there are, the shortest to a state, and whether one can go round.

use super::visited::StateId;
use crate::engine::effects::{Effect, EffectLists};
use crate::outcome::Interleavings;

/// The edges of some states: those that one worker has left, in that order.
#[derive(Clone, Default)]
pub(crate) struct Edges {
    /// For each state: its number, a head, and where its choices lead, in order.
    words: Vec<u32>,
    /// For some of the targets in `words`: what becomes of dead cells on the way, by number.
    effects: Vec<(u32, u32)>,
    lists: EffectLists,
}

/// A choice: where it leads, and what becomes of dead cells on the way, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) to: StateId,
    pub(crate) effects: u32,
}

impl Choice {
    /// One that leads nowhere new.
    pub(crate) const NONE: Self = Self {
        to: StateId(NONE),
        effects: 0,
    };
}

/// Some choices of a state, as they were added.
pub(crate) struct Piece<'a> {
    pub(crate) state: u32,
    /// The number of the first of them.
    pub(crate) first: usize,
    pub(crate) targets: &'a [u32],
    /// For some of them, by their place among these, what becomes of dead cells.
    effects: &'a [(u32, u32)],
    /// Where they begin.
    begin: u32,
}

impl Piece<'_> {
    /// The choices in order.
    pub(crate) fn choices(&self) -> impl ExactSizeIterator<Item = Choice> {
        let mut effects = self.effects.iter().peekable();
        let mut at = self.begin;
        self.targets.iter().map(move |to| {
            let here = effects.next_if(|(place, _)| *place == at);
            at += 1;
            Choice {
                to: StateId(*to),
                effects: here.map_or(0, |(_, list)| *list),
            }
        })
    }
}

/// The first choice of the edges that follow, and how many.
fn head(first: usize, count: usize) -> u32 {
    ((first as u32) << 16) | count as u32
}

impl Edges {
    /// The number of a list of effects.
    pub(crate) fn number(&mut self, effects: &[Effect]) -> u32 {
        self.lists.number(effects)
    }

    /// The lists of effects.
    pub(crate) fn lists(&self) -> &EffectLists {
        &self.lists
    }

    /// The lists of effects, to add some.
    pub(crate) fn lists_mut(&mut self) -> &mut EffectLists {
        &mut self.lists
    }

    /// Adds choices of a state, from number `first` on.
    pub(crate) fn push(&mut self, state: StateId, first: usize, choices: &[Choice]) {
        self.words.push(state.0);
        self.words.push(head(first, choices.len()));
        for choice in choices {
            if choice.effects != 0 {
                self.effects.push((self.words.len() as u32, choice.effects));
            }
            self.words.push(choice.to.0);
        }
    }

    /// Takes out those of some states.
    pub(crate) fn retain(&mut self, stays: impl Fn(u32) -> bool) {
        let (mut from, mut to) = (0, 0);
        let (mut effect, mut effects) = (0, 0);
        while let [state, head, ..] = self.words[from..] {
            let end = from + 2 + (head & 0xffff) as usize;
            let stays = stays(state);
            while let Some((place, list)) = self.effects.get(effect).copied()
                && place < end as u32
            {
                if stays {
                    self.effects[effects] = (place - (from - to) as u32, list);
                    effects += 1;
                }
                effect += 1;
            }
            if stays {
                self.words.copy_within(from..end, to);
                to += end - from;
            }
            from = end;
        }
        self.words.truncate(to);
        self.effects.truncate(effects);
    }

    /// Bytes of memory that they take.
    pub(crate) fn bytes(&self) -> u64 {
        let words = self.words.capacity() * size_of::<u32>();
        (words + self.effects.capacity() * size_of::<(u32, u32)>()) as u64
    }

    /// The pieces as they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut at = 0;
        let mut effects = &self.effects[..];
        std::iter::from_fn(move || {
            let [state, head, ..] = self.words[at..] else {
                return None;
            };
            let begin = at + 2;
            at = begin + (head & 0xffff) as usize;
            let mine = effects.iter().take_while(|e| e.0 < at as u32).count();
            let (mine, rest) = effects.split_at(mine);
            effects = rest;
            Some(Piece {
                state,
                first: (head >> 16) as usize,
                targets: &self.words[begin..at],
                effects: mine,
                begin: begin as u32,
            })
        })
    }
}

/// All edges, by state.
pub(crate) struct Graph {
    /// Where the edges of a state begin.
    offsets: Vec<u32>,
    targets: Vec<u32>,
    /// What becomes of dead cells on the way there, by number; empty if nothing does anywhere.
    effects: Vec<u32>,
    lists: EffectLists,
}

/// No state.
const NONE: u32 = u32::MAX;

/// Turns numbers of edges, each one place behind its state's, into where the edges of each state begin; gives
/// how many there are in all.
pub(super) fn add_up(counts: &mut [u32]) -> u32 {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
    sum
}

/// The numbers that states have in a graph: in about the order in which the workers left them, so
/// that what is close in the graph is close in memory however many workers there were.
pub(crate) struct Numbers(Vec<u32>);

impl Numbers {
    /// `root` is the first. Numbers of the search are below `end`.
    fn new(root: StateId, end: u32, edges: &[Edges]) -> (Self, u32) {
        let mut numbers = vec![NONE; end as usize];
        numbers[root.0 as usize] = 0;
        let mut next = 1;
        for piece in edges.iter().flat_map(Edges::iter) {
            let states = std::iter::once(&piece.state).chain(piece.targets);
            for state in states.filter(|s| **s != NONE) {
                let number = &mut numbers[*state as usize];
                if *number == NONE {
                    *number = next;
                    next += 1;
                }
            }
        }
        (Self(numbers), next)
    }

    fn get(&self, state: u32) -> u32 {
        let number = self.0.get(state as usize);
        number.copied().unwrap_or(NONE)
    }

    /// The number of a state that is the root or that an edge leads to.
    pub(crate) fn of(&self, state: StateId) -> StateId {
        StateId(self.get(state.0))
    }
}

impl Graph {
    /// Puts the edges of all workers together; numbers of states are below `end`. Gives the numbers
    /// that they have in the graph too.
    pub(crate) fn new(root: StateId, end: u32, edges: Vec<Edges>) -> (Self, Numbers) {
        let (numbers, end) = Numbers::new(root, end, &edges);
        let mut offsets = vec![0u32; end as usize + 1];
        for piece in edges.iter().flat_map(Edges::iter) {
            let needed = (piece.first + piece.targets.len()) as u32;
            let slot = &mut offsets[numbers.get(piece.state) as usize + 1];
            *slot = (*slot).max(needed);
        }
        let sum = add_up(&mut offsets);
        let mut targets = vec![NONE; sum as usize];
        let has_effects = edges.iter().any(|e| !e.effects.is_empty());
        let mut effects = vec![0; if has_effects { sum as usize } else { 0 }];
        let mut lists = EffectLists::default();
        for edges in edges {
            let list: Vec<u32> = edges.lists.all().iter().map(|l| lists.number(l)).collect();
            for piece in edges.iter() {
                let at = offsets[numbers.get(piece.state) as usize] as usize + piece.first;
                for (slot, target) in targets[at..].iter_mut().zip(piece.targets) {
                    *slot = numbers.get(*target);
                }
                for (place, number) in piece.effects {
                    effects[at + (place - piece.begin) as usize] = list[*number as usize];
                }
            }
        }
        let graph = Self {
            offsets,
            targets,
            effects,
            lists,
        };
        (graph, numbers)
    }

    /// The lists of effects, by number.
    pub(super) fn lists(&self) -> &[Box<[Effect]>] {
        self.lists.all()
    }

    /// Whether anything becomes of dead cells on any way.
    pub(super) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Numbers of states are below this.
    pub(super) fn end(&self) -> u32 {
        self.offsets.len() as u32 - 1
    }

    /// Where the choices of a state lead that were tried, by number, and what becomes of dead
    /// cells on the way, by number.
    pub(super) fn choices(&self, state: u32) -> impl Iterator<Item = (usize, u32, u32)> {
        let first = self.offsets[state as usize] as usize;
        let targets = self.successors(state).iter().enumerate();
        targets
            .filter(|(_, to)| **to != NONE)
            .map(move |(i, to)| (i, *to, self.effects.get(first + i).copied().unwrap_or(0)))
    }

    /// Where the choices of a state lead.
    pub(crate) fn successors(&self, state: u32) -> &[u32] {
        let i = state as usize;
        &self.targets[self.offsets[i] as usize..self.offsets[i + 1] as usize]
    }

    /// All states behind a root, each after those that lead to it; but for one on a way round.
    pub(super) fn order(&self, root: StateId) -> Vec<u32> {
        let mut order = vec![];
        let mut is_met = vec![false; self.end() as usize];
        let mut path = vec![(root.0, 0usize)];
        is_met[root.0 as usize] = true;
        while let Some((state, tried)) = path.last_mut() {
            let next = self.successors(*state).get(*tried).copied();
            *tried += 1;
            match next {
                None => {
                    order.push(*state);
                    path.pop();
                }
                Some(next) if next != NONE && !is_met[next as usize] => {
                    is_met[next as usize] = true;
                    path.push((next, 0));
                }
                Some(_) => {}
            }
        }
        order.reverse();
        order
    }

    /// How many schedules lead from `root` to an end: by dynamic programming, depth first.
    pub(crate) fn interleavings(&self, root: StateId) -> Interleavings {
        /// Not counted yet.
        const UNKNOWN: u128 = u128::MAX;
        /// On the current path.
        const OPEN: u128 = u128::MAX - 1;
        /// More than this are not told apart.
        const MANY: u128 = u128::MAX - 2;
        let mut counts = vec![UNKNOWN; self.offsets.len() - 1];
        let mut path = vec![(root.0, 0usize, 0u128)];
        let mut is_exact = true;
        counts[root.0 as usize] = OPEN;
        loop {
            let Some((state, tried, sum)) = path.last_mut() else {
                unreachable!("the root is left below");
            };
            let successors = self.successors(*state);
            if *tried < successors.len() {
                let next = successors[*tried];
                let count = if next == NONE {
                    is_exact = false;
                    0
                } else {
                    counts[next as usize]
                };
                match count {
                    OPEN => return Interleavings::Endless,
                    UNKNOWN => {
                        counts[next as usize] = OPEN;
                        path.push((next, 0, 0));
                    }
                    count => {
                        *sum = sum.saturating_add(count).min(MANY);
                        *tried += 1;
                    }
                }
                continue;
            }
            let count = if successors.is_empty() { 1 } else { *sum };
            counts[*state as usize] = count;
            path.pop();
            if path.is_empty() {
                return if is_exact && count < MANY {
                    Interleavings::Exactly(count)
                } else {
                    Interleavings::AtLeast(count)
                };
            }
        }
    }

    /// The shortest ways from a root, breadth first; of those equally long, the one whose
    /// choices come first.
    pub(crate) fn shortest(&self, root: StateId) -> Shortest<'_> {
        let mut parents = vec![NONE; self.offsets.len() - 1];
        let mut order = vec![root.0];
        parents[root.0 as usize] = root.0;
        let mut level = vec![root.0];
        let mut depth = 0;
        while !level.is_empty() {
            let mut next_level = vec![];
            for state in level {
                for next in self.successors(state) {
                    if *next != NONE && parents[*next as usize] == NONE {
                        parents[*next as usize] = state;
                        next_level.push(*next);
                        order.push(*next);
                    }
                }
            }
            depth += u64::from(!next_level.is_empty());
            level = next_level;
        }
        Shortest {
            graph: self,
            parents,
            root: root.0,
            depth,
            ranks: std::sync::OnceLock::new(),
            order,
        }
    }

    /// The strongly connected components that one can go round in, each with its states in the
    /// order in which they are met from the root.
    pub(super) fn rounds(&self, shortest: &Shortest<'_>) -> Vec<Vec<u32>> {
        let of = components(self.offsets.len() - 1, |s| self.successors(s));
        let mut all: std::collections::BTreeMap<u32, Vec<u32>> = std::collections::BTreeMap::new();
        for state in &shortest.order {
            all.entry(of[*state as usize]).or_default().push(*state);
        }
        let goes_round = |states: &Vec<u32>| match states[..] {
            [only] => self.successors(only).contains(&only),
            _ => true,
        };
        all.into_values().filter(goes_round).collect()
    }
}

/// The number of the strongly connected component of each state: Tarjan, "Depth-first search and
/// linear graph algorithms" (1972), without recursion.
pub(super) fn components<'a>(states: usize, successors: impl Fn(u32) -> &'a [u32]) -> Vec<u32> {
    let mut component = vec![NONE; states];
    let mut index = vec![NONE; states];
    let mut low = vec![NONE; states];
    let (mut next_index, mut next_component) = (0, 0);
    let mut open = vec![];
    let mut path: Vec<(u32, usize)> = vec![];
    for root in 0..states as u32 {
        if index[root as usize] == NONE {
            path.push((root, 0));
        }
        while let Some((state, tried)) = path.last_mut() {
            let s = *state as usize;
            if *tried == 0 && index[s] == NONE {
                (index[s], low[s]) = (next_index, next_index);
                next_index += 1;
                open.push(*state);
            }
            if let Some(next) = successors(*state).get(*tried).copied() {
                if next != NONE && index[next as usize] == NONE {
                    path.push((next, 0));
                    continue;
                }
                if next != NONE && component[next as usize] == NONE {
                    low[s] = low[s].min(low[next as usize]);
                }
                *tried += 1;
                continue;
            }
            if low[s] == index[s] {
                while let Some(last) = open.pop() {
                    component[last as usize] = next_component;
                    if last as usize == s {
                        break;
                    }
                }
                next_component += 1;
            }
            path.pop();
        }
    }
    component
}

/// The shortest ways from a root to all states.
pub(crate) struct Shortest<'a> {
    graph: &'a Graph,
    parents: Vec<u32>,
    root: u32,
    /// Choices on the way to the state that is farthest away.
    pub(crate) depth: u64,
    /// All states, in the order in which they are met.
    order: Vec<u32>,
    ranks: std::sync::OnceLock<Vec<u32>>,
}

impl Shortest<'_> {
    /// All states, in the order in which they are met.
    pub(super) fn states(&self) -> &[u32] {
        &self.order
    }

    /// Whether a way leads to a state.
    pub(super) fn contains(&self, state: StateId) -> bool {
        let parent = self.parents.get(state.0 as usize);
        parent.is_some_and(|parent| *parent != NONE)
    }

    /// When a state is met: which does not depend on its number.
    pub(super) fn rank(&self, state: u32) -> u32 {
        let ranks = self.ranks.get_or_init(|| {
            let mut ranks = vec![NONE; self.parents.len()];
            for (rank, state) in (0..).zip(&self.order) {
                ranks[*state as usize] = rank;
            }
            ranks
        });
        ranks.get(state as usize).copied().unwrap_or(NONE)
    }

    /// The choices to a state, each by its number among the choices of its state; `None` if no way
    /// leads there.
    pub(crate) fn to(&self, state: StateId) -> Option<Vec<usize>> {
        let mut choices = vec![];
        let mut at = state.0;
        while at != self.root {
            let parent = *self.parents.get(at as usize)?;
            if parent == NONE {
                return None;
            }
            let choice = self.graph.successors(parent).iter().position(|s| *s == at);
            choices.push(choice.expect("a state is among its parent's successors"));
            at = parent;
        }
        choices.reverse();
        Some(choices)
    }
}
