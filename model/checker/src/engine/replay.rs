//! Single schedules, recorded.

use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::Schedule;
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
    let mut choices = schedule.0.iter().enumerate();
    let mut divergence = None;
    let trace = run(&machine, |_, enabled| {
        let Some((at, wanted)) = choices.next() else {
            return enabled[0];
        };
        if enabled.contains(wanted) {
            return *wanted;
        }
        let can: Vec<String> = enabled.iter().map(|t| t.0.to_string()).collect();
        divergence.get_or_insert_with(|| {
            format!(
                "choice {} is task {}, but only {} can go",
                at + 1,
                wanted.0,
                can.join(", ")
            )
        });
        enabled[0]
    });
    let left = choices.len();
    if left > 0 {
        let made = schedule.0.len() - left;
        divergence.get_or_insert_with(|| {
            format!("the run is over after {made} choices, {left} before the end of the schedule")
        });
    }
    Trace {
        divergence,
        ..trace
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
    run(&machine, |machine, enabled| {
        *enabled
            .iter()
            .min_by_key(|t| machine.turn(**t))
            .expect("somebody can go")
    })
}

fn run<M: Model>(
    machine: &Machine<M>,
    mut choose: impl FnMut(&Machine<M>, &[TaskId]) -> TaskId,
) -> Trace<M::Outcome> {
    machine.reset();
    let mut enabled = vec![];
    loop {
        machine.enabled(&mut enabled);
        let next = match enabled[..] {
            [] => break,
            [only] => only,
            _ => choose(machine, &enabled),
        };
        machine.step(next);
    }
    let tasks = machine.task_names();
    let limit = machine.limit();
    let end = machine.finish();
    Trace {
        events: machine.take_events(),
        end,
        limit,
        tasks,
        divergence: None,
    }
}
