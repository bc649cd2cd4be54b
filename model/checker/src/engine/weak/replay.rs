//! Single schedules under weak memory, recorded.

use crate::engine::exhaustive::Trace;
use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::replay::Follow;
use crate::engine::schedule::Schedule;
use crate::model::Model;
use std::sync::Arc;

/// Runs one schedule of a search under weak memory with the steps of its report, and records it. Beyond the
/// end of the schedule the first choice is taken: the first task that can go, and the newest.
pub fn replay<M: Model>(model: &Arc<M>, marks: &Marks, schedule: &Schedule) -> Trace<M::Outcome> {
    let machine = Machine::new(model.clone(), true);
    let watch = Watch::fixed(model.layout(), marks.clone());
    machine.configure(Granularity::Steps, watch, true);
    machine.reset();
    machine.be_weak();
    let mut follow = Follow::new(&machine, schedule);
    let mut turns = vec![];
    loop {
        machine.turns(&mut turns);
        let next = match turns[..] {
            [] => break,
            [only] => only,
            _ => follow.next(&turns),
        };
        machine.take_turn(next);
    }
    follow.finish()
}
