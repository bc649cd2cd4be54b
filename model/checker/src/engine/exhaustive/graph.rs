//! The graph of states that a search has gone through, and what can be read off it: the shortest
//! schedule to a state, and where one can go round.

mod building;
mod shortest;

pub(crate) use shortest::Shortest;

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
    /// For some of the targets in `words`: how often something but the newest is taken on the way.
    stale: Vec<(u32, u32)>,
}

/// A choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// Where it leads.
    pub(crate) to: StateId,
    /// What becomes of dead cells on the way, by number.
    pub(crate) effects: u32,
    /// How often something but the newest is read on the way, or a store goes before others.
    pub(crate) stale: u32,
}

impl Choice {
    /// One that leads nowhere new.
    pub(crate) const NONE: Self = Self {
        to: StateId(NONE),
        effects: 0,
        stale: 0,
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
    /// For some of them, how often something but the newest is taken.
    stale: &'a [(u32, u32)],
    /// Where they begin.
    begin: u32,
}

impl Piece<'_> {
    /// The choices in order.
    pub(crate) fn choices(&self) -> impl ExactSizeIterator<Item = Choice> {
        let (mut effects, mut stale) = (self.effects.iter(), self.stale.iter());
        let mut at = self.begin;
        self.targets.iter().map(move |to| {
            let choice = Choice {
                to: StateId(*to),
                effects: next_at(&mut effects, at),
                stale: next_at(&mut stale, at),
            };
            at += 1;
            choice
        })
    }
}

/// What is said of a place, if it is the next of which anything is.
fn next_at(said: &mut std::slice::Iter<'_, (u32, u32)>, at: u32) -> u32 {
    match said.as_slice() {
        [(place, what), ..] if *place == at => {
            said.next();
            *what
        }
        _ => 0,
    }
}

/// Splits off what is said of places before `end`.
fn split_before<'a>(said: &mut &'a [(u32, u32)], end: u32) -> &'a [(u32, u32)] {
    let count = said.iter().take_while(|(place, _)| *place < end).count();
    let (before, rest) = said.split_at(count);
    *said = rest;
    before
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
            if choice.stale != 0 {
                self.stale.push((self.words.len() as u32, choice.stale));
            }
            self.words.push(choice.to.0);
        }
    }

    /// Takes out those of some states; not under weak memory.
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
        let said = self.effects.capacity() + self.stale.capacity();
        (words + said * size_of::<(u32, u32)>()) as u64
    }

    /// The pieces as they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut at = 0;
        let (mut effects, mut stale) = (&self.effects[..], &self.stale[..]);
        std::iter::from_fn(move || {
            let [state, head, ..] = self.words[at..] else {
                return None;
            };
            let begin = at + 2;
            at = begin + (head & 0xffff) as usize;
            Some(Piece {
                state,
                first: (head >> 16) as usize,
                targets: &self.words[begin..at],
                effects: split_before(&mut effects, at as u32),
                stale: split_before(&mut stale, at as u32),
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
    /// How often something but the newest is taken on the way there; empty if it is nowhere.
    stale: Vec<u32>,
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
    pub(super) fn lists(&self) -> &[Vec<Effect>] {
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

    /// The strongly connected components that one can go round in, each with its states in the
    /// order in which they are met from the root.
    pub(super) fn rounds(&self, shortest: &Shortest<'_>) -> Vec<Vec<u32>> {
        let of = components(self.offsets.len() - 1, |s| self.successors(s));
        let mut all: std::collections::BTreeMap<u32, Vec<u32>> = std::collections::BTreeMap::new();
        for state in shortest.states() {
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
