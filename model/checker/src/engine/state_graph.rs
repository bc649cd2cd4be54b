//! The states of a small model and the choices between them, to be drawn.
//!
//! Each state is gone to from the start, every task that can go is let go, and nothing is left out
//! but what is no step ([`Marks`]): neither persistent sets nor live variables. So there are more
//! states than a search counts. It takes time that grows with the square of their number.

use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::event::TaskId;
use crate::model::Model;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A state with a choice, or one in which nobody can go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Who can go, in order, and the number of the state that leads to.
    pub choices: Vec<(TaskId, usize)>,
    /// Nobody can go on.
    pub is_end: bool,
    /// Somebody waits for ever there.
    pub is_deadlock: bool,
}

/// The states of a model, the first one first, in order of their distance from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// The states.
    pub states: Vec<State>,
    /// The names of the tasks that the first of them has.
    pub tasks: Vec<String>,
}

/// All states, if there are at most so many.
///
/// # Panics
///
/// If the model's set-up does not come to its end.
pub fn states<M: Model>(model: &Arc<M>, marks: &Marks, most: usize) -> Option<States> {
    let machine = Machine::new(model.clone(), false);
    let watch = Watch::fixed(model.layout(), marks.clone());
    machine.configure(Granularity::Steps, watch, true);
    let mut found = States::default();
    let mut ways: Vec<Vec<TaskId>> = vec![vec![]];
    let mut numbers = HashMap::new();
    let mut queue = VecDeque::from([0]);
    let mut enabled = vec![];
    go(&machine, &[], &mut enabled);
    numbers.insert(machine.fingerprint(), 0);
    found.tasks = machine.task_names();
    found.states.push(State::default());
    while let Some(at) = queue.pop_front() {
        go(&machine, &ways[at], &mut enabled);
        if enabled.is_empty() {
            found.states[at].is_end = true;
            found.states[at].is_deadlock = machine.finish().deadlock.is_some();
            continue;
        }
        for task in enabled.clone() {
            let mut way = ways[at].clone();
            way.push(task);
            go(&machine, &way, &mut enabled);
            let fresh = found.states.len();
            let to = *numbers.entry(machine.fingerprint()).or_insert(fresh);
            if to == fresh {
                if fresh == most || machine.limit().is_some() {
                    return None;
                }
                found.states.push(State::default());
                ways.push(way);
                queue.push_back(fresh);
            }
            found.states[at].choices.push((task, to));
        }
    }
    Some(found)
}

/// From the start over these choices, and on while there is none. Leaves those who can go then.
fn go<M: Model>(machine: &Machine<M>, way: &[TaskId], enabled: &mut Vec<TaskId>) {
    machine.reset();
    let mut way = way.iter();
    loop {
        machine.enabled(enabled);
        let next = match enabled[..] {
            [] => return,
            [only] => only,
            _ => match way.next() {
                Some(next) => *next,
                None => return,
            },
        };
        machine.step(next);
    }
}
