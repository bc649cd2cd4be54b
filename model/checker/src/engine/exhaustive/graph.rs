//! The graph of states that a search has gone through, and what can be read off it: the shortest
//! schedule to a state, and where one can go round.

mod building;

use super::visited::StateId;
use crate::engine::effects::{Effect, EffectLists};

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
pub(super) const NONE: u32 = u32::MAX;

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

impl Graph {
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

    /// Goes from a root by the first choice each time until there is none: the number of each choice,
    /// and where that is. `None` if it leads round.
    pub(super) fn first_way(&self, root: StateId) -> Option<(Vec<usize>, StateId)> {
        let mut choices = vec![];
        let mut at = root.0;
        while let Some((choice, to, _)) = self.choices(at).next() {
            if choices.len() > self.end() as usize {
                return None;
            }
            choices.push(choice);
            at = to;
        }
        Some((choices, StateId(at)))
    }

    /// The shortest ways from a root, breadth first; of those equally long, the one whose
    /// choices come first.
    pub(crate) fn shortest(&self, root: StateId) -> Shortest<'_> {
        let mut ranks = vec![NONE; self.offsets.len() - 1];
        ranks[root.0 as usize] = 0;
        let (mut order, mut before) = (vec![root.0], vec![0]);
        let mut depth = 0;
        let mut level = 0..1;
        loop {
            for rank in level.clone() {
                for next in self.successors(order[rank]) {
                    if *next != NONE && ranks[*next as usize] == NONE {
                        ranks[*next as usize] = order.len() as u32;
                        order.push(*next);
                        before.push(rank as u32);
                    }
                }
            }
            level = level.end..order.len();
            if level.is_empty() {
                break;
            }
            depth += 1;
        }
        Shortest {
            graph: self,
            depth,
            order,
            before,
            ranks,
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
    /// Choices on the way to the state that is farthest away.
    pub(crate) depth: u64,
    /// All states, in the order in which they are met; the root is the first.
    order: Vec<u32>,
    /// For each of them the rank of the one before it on its way.
    before: Vec<u32>,
    /// For each state its place in that order.
    ranks: Vec<u32>,
}

impl Shortest<'_> {
    /// Whether a way leads to a state.
    pub(super) fn contains(&self, state: StateId) -> bool {
        self.rank(state.0) != NONE
    }

    /// When a state is met: which does not depend on its number.
    pub(super) fn rank(&self, state: u32) -> u32 {
        self.ranks.get(state as usize).copied().unwrap_or(NONE)
    }

    /// The choices to a state, each by its number among the choices of its state; `None` if no way
    /// leads there.
    pub(crate) fn to(&self, state: StateId) -> Option<Vec<usize>> {
        let mut choices = vec![];
        let mut at = self.rank(state.0);
        while at != 0 {
            let state = *self.order.get(at as usize)?;
            let before = self.before[at as usize];
            let from = self.graph.successors(self.order[before as usize]);
            let choice = from.iter().position(|s| *s == state);
            choices.push(choice.expect("a state is among its parent's successors"));
            at = before;
        }
        choices.reverse();
        Some(choices)
    }
}
