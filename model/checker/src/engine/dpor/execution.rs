//! One execution as a sequence of events, which of them happen before which, and which of them
//! are races.
//!
//! Happens-before is kept in vector clocks (Mattern, "Virtual time and global states of
//! distributed systems", 1989): the order of each task, of events that depend on each other, of a
//! task's creation and its steps, and of what makes a step possible and that step.
//!
//! # Races
//!
//! An earlier event e and an operation o of another task, which has happened or is still waited
//! for, are a race if they depend on each other and e does not happen before the event in front of
//! o in o's own task. To reverse it: let E be what came before e, and u those events after e that
//! do not happen after e; then E.u.o is an execution if o is possible after E.u. (In the paper, u
//! is `notdep(e, E)` and v is u.o.)
//!
//! * An access, a try or dropping a lock is always possible. Here it is enough to look at direct
//!   races: those with no event between e and o that happens after e and that o depends on. The
//!   others are direct in an execution where these have been reversed.
//! * Taking a lock is possible if it is free after E.u, whoever has dropped it: what makes the
//!   race with e is that e took it. The last that took it for himself alone hides those before
//!   him, since the lock was free between them. Readers hide nobody, since they overlap. If some
//!   wait for each other while they all have the lock, it may be free only before the first of
//!   them. So if o is not possible after E.u, u is taken without what happens after any of the
//!   readers from e on.
//! * Waiting is possible if the condition holds after E.u. The writes of the cell before e are
//!   in E or in u, so its content is what it was before e. Here a write hides none before it:
//!   that the condition held before one of them does not mean that it held at all times since.

use super::search::Conflict;
use crate::backend::Mode;
use crate::engine::threads::log::{Effect, Operation, Pending};
use std::collections::BTreeSet;

/// How many events of each task happen before or at some point.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Vec<u32>);

impl Clock {
    fn of(&self, task: usize) -> u32 {
        self.0.get(task).copied().unwrap_or(0)
    }

    fn set(&mut self, task: usize, events: u32) {
        if self.0.len() <= task {
            self.0.resize(task + 1, 0);
        }
        self.0[task] = events;
    }

    fn join(&mut self, other: &Clock) {
        for (task, events) in other.0.iter().enumerate() {
            if *events > self.of(task) {
                self.set(task, *events);
            }
        }
    }

    /// Whether the event happens before or at this point.
    fn has(&self, event: &Event) -> bool {
        self.of(event.task) >= event.number
    }
}

/// A step, and what its task did up to its next one.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) task: usize,
    /// How many events of its task there are up to it.
    number: u32,
    pub(super) step: Pending,
    effects: Vec<Effect>,
    /// What happens before the event in front of it in its task, that one included.
    before: Clock,
    /// What happens before it, itself included.
    clock: Clock,
}

/// An operation that could have come before an event that depends on it.
#[derive(Debug)]
pub(super) struct Race {
    /// The event, by its place in the execution.
    pub(super) event: usize,
    /// Who can go first in a continuation of what came before the event in which the operation
    /// comes without it: the initials of v.
    pub(super) initials: BTreeSet<usize>,
    /// One of the initials: who goes first in v.
    pub(super) first: usize,
}

/// One execution, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Execution {
    /// The cells when the tasks begin.
    base: Vec<u64>,
    /// What the tasks did before their first steps.
    prelude: Vec<Effect>,
    pub(super) events: Vec<Event>,
    /// By task: what happens before its next event.
    clocks: Vec<Clock>,
}

/// Whether the order of two operations of different tasks matters.
pub(super) fn depend(one: &Operation, other: &Operation) -> bool {
    use Operation::{Access, Lock, TryLock, Unlock, Wait};
    match (one, other) {
        (Access { cell, writes }, Access { cell: c, writes: w }) => cell == c && (*writes || *w),
        (Access { cell, writes }, Wait(condition)) | (Wait(condition), Access { cell, writes }) => {
            *cell == condition.cell && *writes
        }
        (Lock { lock, mode }, Lock { lock: l, mode: m } | Unlock { lock: l, mode: m })
        | (Unlock { lock, mode }, Lock { lock: l, mode: m }) => lock == l && exclude(*mode, *m),
        (TryLock(lock), TryLock(l) | Lock { lock: l, .. } | Unlock { lock: l, .. })
        | (Lock { lock, .. } | Unlock { lock, .. }, TryLock(l)) => lock == l,
        _ => false,
    }
}

/// Whether nobody can hold a lock in one mode while somebody else holds it in the other.
fn exclude(one: Mode, other: Mode) -> bool {
    one == Mode::Exclusive || other == Mode::Exclusive
}

/// Whether an effect can make an operation possible.
fn enables(effect: &Effect, operation: &Operation) -> bool {
    match (effect, operation) {
        (Effect::Dropped { lock, mode }, Operation::Lock { lock: l, mode: m }) => {
            lock == l && exclude(*mode, *m)
        }
        (Effect::Dropped { lock, .. }, Operation::TryLock(l)) => lock == l,
        (Effect::Wrote { cell, .. }, Operation::Wait(condition)) => *cell == condition.cell,
        _ => false,
    }
}

/// Where an access is, and what it does.
fn site(step: &Pending) -> String {
    let writes = matches!(step.operation, Operation::Access { writes: true, .. });
    let does = if writes { "writes" } else { "reads" };
    format!("{} ({does})", step.function)
}

impl Event {
    /// Whether it happens before the operation, should that come later.
    fn precedes(&self, operation: &Operation) -> bool {
        depend(&self.step.operation, operation)
            || self.effects.iter().any(|e| enables(e, operation))
    }

    /// How it took the lock that the operation is about to take, if it did and that matters.
    fn took(&self, operation: &Operation) -> Option<Mode> {
        let Operation::Lock { lock, mode } = operation else {
            return None;
        };
        self.effects.iter().find_map(|effect| match effect {
            Effect::Took { lock: l, mode: m } => (l == lock && exclude(*mode, *m)).then_some(*m),
            _ => None,
        })
    }
}

impl Execution {
    pub(super) fn new(base: Vec<u64>) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// Back to where the tasks begin.
    pub(super) fn reset(&mut self) {
        self.prelude.clear();
        self.events.clear();
        self.clocks.clear();
    }

    /// What has been done since the last event belongs to it.
    pub(super) fn settle(&mut self, effects: &mut Vec<Effect>) {
        let clock = self.events.last().map(|e| e.clock.clone());
        for effect in effects.iter() {
            if let Effect::Created(task) = *effect {
                self.clocks.resize_with(task + 1, Clock::default);
                self.clocks[task] = clock.clone().unwrap_or_default();
            }
        }
        let last = self.events.last_mut().map(|e| &mut e.effects);
        last.unwrap_or(&mut self.prelude).append(effects);
    }

    /// A task goes on with its next step.
    pub(super) fn push(&mut self, task: usize, step: Pending) {
        let before = self.clocks[task].clone();
        let number = before.of(task) + 1;
        let mut clock = before.clone();
        for event in &self.events {
            if event.precedes(&step.operation) {
                clock.join(&event.clock);
            }
        }
        clock.set(task, number);
        self.clocks[task] = clock.clone();
        self.events.push(Event {
            task,
            number,
            step,
            effects: vec![],
            before,
            clock,
        });
    }

    /// Whether an operation is possible now.
    pub(super) fn is_possible(&self, operation: &Operation) -> bool {
        self.is_possible_after(self.events.iter(), operation)
    }

    /// Whether an operation is possible once these events have happened, which are closed under
    /// happens-before. Writes count by how much they change a cell: then it does not matter in
    /// which order those come that commute.
    fn is_possible_after<'a>(
        &'a self,
        events: impl Iterator<Item = &'a Event>,
        operation: &Operation,
    ) -> bool {
        let effects = self.prelude.iter().chain(events.flat_map(|e| &e.effects));
        match operation {
            Operation::Lock { lock, mode } => {
                let mut holders = 0;
                for effect in effects {
                    match effect {
                        Effect::Took { lock: l, mode: m } if l == lock && exclude(*mode, *m) => {
                            holders += 1;
                        }
                        Effect::Dropped { lock: l, mode: m } if l == lock && exclude(*mode, *m) => {
                            holders -= 1;
                        }
                        _ => {}
                    }
                }
                holders == 0
            }
            Operation::Wait(condition) => {
                let content =
                    effects.fold(
                        self.base[condition.cell.index()],
                        |content, effect| match effect {
                            Effect::Wrote { cell, old, new } if *cell == condition.cell => {
                                content.wrapping_add(new.wrapping_sub(*old))
                            }
                            _ => content,
                        },
                    );
                condition.holds(content)
            }
            Operation::Access { .. } | Operation::TryLock(_) | Operation::Unlock { .. } => true,
        }
    }

    /// The races of the event at this place with those before it.
    pub(super) fn races_of(&self, at: usize) -> Vec<Race> {
        let event = &self.events[at];
        self.races(at, event.task, &event.step.operation, &event.before)
    }

    /// The races of an operation that a task still waits for.
    pub(super) fn races_of_pending(&self, task: usize, operation: &Operation) -> Vec<Race> {
        self.races(self.events.len(), task, operation, &self.clocks[task])
    }

    /// The accesses that nothing orders with the event at this place, if that is an access.
    pub(super) fn conflicts_of(&self, at: usize) -> impl Iterator<Item = Conflict> + '_ {
        let event = &self.events[at];
        let operation = &event.step.operation;
        let rivals = self.rivals(at, event.task, operation, &event.before);
        rivals.into_iter().filter_map(move |i| {
            let earlier = &self.events[i].step;
            let (Operation::Access { cell, .. }, Operation::Access { .. }) =
                (operation, &earlier.operation)
            else {
                return None;
            };
            let mut sites = [earlier, &event.step].map(site);
            sites.sort();
            Some((*cell, sites))
        })
    }

    fn races(&self, at: usize, task: usize, operation: &Operation, before: &Clock) -> Vec<Race> {
        let rivals = self.rivals(at, task, operation, before);
        let one_by_one = rivals.iter().map(|e| (*e, vec![*e]));
        let reversed = one_by_one.filter_map(|(event, alone)| {
            let from_it_on = rivals.iter().copied().filter(|r| *r >= event).collect();
            [alone, from_it_on].iter().find_map(|without| {
                let rest = self.rest(at, event, without);
                let events = self.events[..event].iter();
                let after = events.chain(rest.iter().map(|i| &self.events[*i]));
                self.is_possible_after(after, operation)
                    .then_some((event, rest))
            })
        });
        reversed
            .map(|(event, rest)| Race {
                event,
                initials: self.initials(&rest, task, operation, before),
                first: rest.first().map_or(task, |i| self.events[*i].task),
            })
            .collect()
    }

    /// The events before a place that are candidates for a race with an operation.
    fn rivals(&self, at: usize, task: usize, operation: &Operation, before: &Clock) -> Vec<usize> {
        let others = (0..at).rev().filter(|i| {
            let event = &self.events[*i];
            event.task != task && !before.has(event)
        });
        match operation {
            Operation::Lock { .. } => {
                let mut rivals = vec![];
                for i in others {
                    match self.events[i].took(operation) {
                        Some(Mode::Exclusive) if !rivals.is_empty() => break,
                        Some(Mode::Exclusive) => return vec![i],
                        Some(Mode::Shared) => rivals.push(i),
                        None => {}
                    }
                }
                rivals
            }
            Operation::Wait(_) => others
                .filter(|i| depend(&self.events[*i].step.operation, operation))
                .collect(),
            _ => others
                .filter(|i| depend(&self.events[*i].step.operation, operation))
                .filter(|i| {
                    let between = &self.events[i + 1..at];
                    !between
                        .iter()
                        .any(|x| x.precedes(operation) && x.clock.has(&self.events[*i]))
                })
                .collect(),
        }
    }

    /// The events after `event` and before a place that happen after none of `without`.
    fn rest(&self, at: usize, event: usize, without: &[usize]) -> Vec<usize> {
        let is_after = |i: usize, e: usize| e <= i && self.events[i].clock.has(&self.events[e]);
        (event + 1..at)
            .filter(|i| !without.iter().any(|e| is_after(*i, *e)))
            .collect()
    }

    /// Who can go first in a sequence of these events and, at its end, an operation.
    fn initials(
        &self,
        rest: &[usize],
        task: usize,
        operation: &Operation,
        before: &Clock,
    ) -> BTreeSet<usize> {
        let events = || rest.iter().map(|i| &self.events[*i]);
        let mut initials = BTreeSet::new();
        for (n, event) in events().enumerate() {
            if !events().take(n).any(|earlier| event.clock.has(earlier)) {
                initials.insert(event.task);
            }
        }
        if !events().any(|earlier| before.has(earlier) || earlier.precedes(operation)) {
            initials.insert(task);
        }
        initials
    }
}
