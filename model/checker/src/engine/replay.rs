//! Single schedules, recorded.

use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::{Schedule, Turn};
use crate::event::{Event, TaskId};
use crate::model::Model;
use crate::outcome::Final;
use std::sync::Arc;

/// One recorded run.
#[derive(Clone, Debug)]
pub struct Trace<O> {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How it ended.
    pub end: Final<O>,
    /// The limit of the model that ended it early, if any.
    pub limit: Option<String>,
    /// Names of the tasks, by number.
    pub tasks: Vec<String>,
    /// Where the schedule did not fit the model, if it did not: at which choice, and why.
    pub divergence: Option<String>,
    /// How many events there were before, if a choice did not fit.
    pub diverged_at: Option<usize>,
}

/// Runs one schedule with the steps of `marks` and records it. Beyond the end of the schedule
/// the first task that can go goes.
pub fn replay<M: Model>(model: &Arc<M>, marks: &Marks, schedule: &Schedule) -> Trace<M::Outcome> {
    let machine = Machine::new(model.clone(), true);
    machine.configure(
        Granularity::Steps,
        Watch::fixed(model.layout(), marks.clone()),
        true,
    );
    let mut follow = Follow::new(&machine, schedule);
    let mut turns = vec![];
    run(&machine, |enabled| {
        turns.clear();
        turns.extend(enabled.iter().map(|t| Turn::from(*t)));
        follow.next(&turns).task
    });
    follow.finish()
}

/// Goes through a schedule as long as it fits.
pub(crate) struct Follow<'a, M: Model> {
    machine: &'a Machine<M>,
    schedule: &'a [Turn],
    made: usize,
    divergence: Option<String>,
    /// How many events there were before, if a choice did not fit.
    diverged_at: Option<usize>,
}

impl<'a, M: Model> Follow<'a, M> {
    pub(crate) fn new(machine: &'a Machine<M>, schedule: &'a Schedule) -> Self {
        Self {
            machine,
            schedule: &schedule.0,
            made: 0,
            divergence: None,
            diverged_at: None,
        }
    }

    /// The next choice of the schedule if it is one of these; otherwise the first of these.
    pub(crate) fn next(&mut self, turns: &[Turn]) -> Turn {
        let Some(wanted) = self.schedule.get(self.made) else {
            return turns[0];
        };
        self.made += 1;
        if turns.contains(wanted) {
            return *wanted;
        }
        let machine = self.machine;
        self.diverged_at.get_or_insert_with(|| machine.events());
        let text = |turn: &Turn| Schedule(vec![*turn]).to_string();
        let can: Vec<String> = turns.iter().map(text).collect();
        self.divergence.get_or_insert_with(|| {
            format!(
                "choice {} is task {}, but only {} can go",
                self.made,
                text(wanted),
                can.join(", ")
            )
        });
        turns[0]
    }

    /// Where the schedule did not fit, or that it is longer than the run.
    pub(crate) fn divergence(self) -> Option<String> {
        let (made, left) = (self.made, self.schedule.len() - self.made);
        let longer = || {
            format!("the run is over after {made} choices, {left} before the end of the schedule")
        };
        self.divergence.or_else(|| (left > 0).then(longer))
    }

    /// The record of the run, in which nobody can go on.
    pub(crate) fn finish(self) -> Trace<M::Outcome> {
        Trace {
            diverged_at: self.diverged_at,
            ..finish(self.machine, self.divergence())
        }
    }
}

/// Runs the default schedule and records it: a task goes on until it must wait, and then the
/// task that comes first by [`Model::turn`] is next, the oldest among equals.
pub fn run_default<M: Model>(model: &Arc<M>) -> Trace<M::Outcome> {
    let machine = Machine::new(model.clone(), true);
    machine.configure(
        Granularity::Blocking,
        Watch::fixed(model.layout(), Marks::none(model.layout())),
        true,
    );
    run(&machine, |enabled| {
        *enabled
            .iter()
            .min_by_key(|t| machine.turn(**t))
            .expect("somebody can go")
    });
    finish(&machine, None)
}

/// Runs to the end.
fn run<M: Model>(machine: &Machine<M>, mut choose: impl FnMut(&[TaskId]) -> TaskId) {
    machine.reset();
    let mut enabled = vec![];
    loop {
        machine.enabled(&mut enabled);
        let next = match enabled[..] {
            [] => break,
            [only] => only,
            _ => choose(&enabled),
        };
        machine.step(next);
    }
}

/// The record of a run in which nobody can go on.
pub(crate) fn finish<M: Model>(
    machine: &Machine<M>,
    divergence: Option<String>,
) -> Trace<M::Outcome> {
    let tasks = machine.task_names();
    let limit = machine.limit();
    let end = machine.finish();
    Trace {
        events: machine.take_events(),
        end,
        limit,
        tasks,
        divergence,
        diverged_at: None,
    }
}
