//! The same run with fewer switches between tasks, for people to read.
//!
//! The steps of a run that do not depend on each other can follow each other in any order. Here
//! they are moved together: where a task goes on after others have gone, either it goes on before
//! them, or what it did before waits until after them. Whether that may be is not reasoned about
//! but tried: if it leads to the same state, then whatever comes after is the same too.

use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::schedule::Schedule;
use crate::engine::walk::{Place, Walk};
use crate::event::TaskId;
use crate::model::Model;
use std::ops::Range;
use std::sync::Arc;

/// A schedule, and how often its run goes over from one task to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Straight {
    /// The schedule: it has no more choices than the one that it was made of, and the same
    /// outcome.
    pub schedule: Schedule,
    /// Switches between tasks in the run that it was made of, first steps of new tasks aside.
    pub switches_before: usize,
    /// Switches that are left.
    pub switches: usize,
    /// Whether nothing more is to be gained in this way. `false` where the schedule does not fit
    /// the model or is longer than [`MAX_CHOICES`], or the search has taken [`MAX_STEPS`].
    pub is_done: bool,
}

impl Straight {
    /// A schedule as it is, for those that cannot be straightened.
    pub fn unchanged(schedule: &Schedule) -> Self {
        let tasks: Vec<TaskId> = schedule.0.iter().map(|turn| turn.task).collect();
        let switches = switches(&tasks);
        Self {
            schedule: schedule.clone(),
            switches_before: switches,
            switches,
            is_done: true,
        }
    }
}

/// A longer schedule is left as it is.
pub const MAX_CHOICES: usize = 20_000;

/// So many steps are walked for one schedule, and for each of its own so many more.
pub const MAX_STEPS: (usize, usize) = (1_000_000, 200);

/// Moves steps of a schedule's run together. The marks are those of the exploration that the
/// schedule is of.
pub fn straighten<M: Model>(model: &Arc<M>, marks: &Marks, schedule: &Schedule) -> Straight {
    let given_up = || Straight {
        is_done: false,
        ..Straight::unchanged(schedule)
    };
    if schedule.0.len() > MAX_CHOICES {
        return given_up();
    }
    let machine = Machine::new(model.clone(), false);
    let watch = Watch::fixed(model.layout(), marks.clone());
    machine.configure(Granularity::Steps, watch, true);
    let mut run = Run::new(Walk::new(model, machine));
    if !run.follow(schedule) {
        return given_up();
    }
    let switches_before = switches(&run.tasks());
    let is_done = run.straighten();
    Straight {
        schedule: run.schedule(),
        switches_before,
        switches: switches(&run.tasks()),
        is_done,
    }
}

/// How often the next is another.
fn switches(tasks: &[TaskId]) -> usize {
    tasks.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// A step of the run.
#[derive(Clone, Copy)]
struct Step {
    task: TaskId,
    /// Another could have gone.
    is_choice: bool,
    /// Where the run was before it.
    place: Place,
    /// The state after it.
    after: u128,
}

struct Run<M: Model> {
    walk: Walk<M>,
    /// All steps but the first ones of tasks, which nobody comes before.
    steps: Vec<Step>,
    /// How many of them the walk has taken.
    at: usize,
    enabled: Vec<TaskId>,
    /// Steps that may still be walked.
    left: usize,
}

impl<M: Model> Run<M> {
    fn new(mut walk: Walk<M>) -> Self {
        walk.go_to_start();
        Self {
            walk,
            steps: vec![],
            at: 0,
            enabled: vec![],
            left: 0,
        }
    }

    /// Lets tasks begin that have been created.
    fn begin(&mut self) {
        loop {
            self.walk.enabled(&mut self.enabled);
            let [only] = self.enabled[..] else { return };
            if !self.walk.begins(only) {
                return;
            }
            self.walk.step(only.into());
        }
    }

    /// One step of a task; `None` if it cannot go.
    fn step(&mut self, task: TaskId) -> Option<Step> {
        self.begin();
        let is_choice = self.enabled.len() > 1;
        if !self.enabled.contains(&task) || self.walk.limit().is_some() {
            return None;
        }
        let place = self.walk.place();
        self.walk.step(task.into());
        self.begin();
        let after = self.walk.fingerprint();
        Some(Step {
            task,
            is_choice,
            place,
            after,
        })
    }

    /// Takes the steps of a schedule; whether it fits.
    fn follow(&mut self, schedule: &Schedule) -> bool {
        let mut choices = schedule.0.iter();
        loop {
            self.begin();
            let next = match self.enabled[..] {
                [] => break,
                [only] => Some(only),
                _ => choices.next().map(|turn| turn.task),
            };
            // A schedule may end before the run does: what follows is no part of it.
            let Some(next) = next else { break };
            let Some(step) = self.step(next) else {
                return false;
            };
            self.steps.push(step);
        }
        self.at = self.steps.len();
        self.left = MAX_STEPS.0 + MAX_STEPS.1 * self.at;
        choices.next().is_none()
    }

    fn tasks(&self) -> Vec<TaskId> {
        self.steps.iter().map(|s| s.task).collect()
    }

    fn schedule(&self) -> Schedule {
        let choices = self.steps.iter().filter(|s| s.is_choice);
        Schedule(choices.map(|s| s.task.into()).collect())
    }

    /// Moves steps together until no move helps; whether it has come to that.
    fn straighten(&mut self) -> bool {
        loop {
            let before = switches(&self.tasks());
            let mut at = 0;
            while at < self.steps.len() {
                let block = self.block(at);
                at = block.end;
                if let Some(earlier) = self.earlier(&block) {
                    at = self.join(&earlier, &block).unwrap_or(at);
                }
                if self.left == 0 {
                    return false;
                }
            }
            if switches(&self.tasks()) == before {
                return true;
            }
        }
    }

    /// The steps from here on of one task.
    fn block(&self, start: usize) -> Range<usize> {
        let task = self.steps[start].task;
        let others = self.steps[start..].iter().position(|s| s.task != task);
        start..others.map_or(self.steps.len(), |n| start + n)
    }

    /// The block of the same task before a block.
    fn earlier(&self, block: &Range<usize>) -> Option<Range<usize>> {
        let task = self.steps[block.start].task;
        let before = &self.steps[..block.start];
        let last = before.iter().rposition(|s| s.task == task)?;
        let others = before[..last].iter().rposition(|s| s.task != task);
        Some(others.map_or(0, |n| n + 1)..last + 1)
    }

    /// Joins a block with the one before it of the same task, at one place or at the other; gives
    /// where to go on.
    fn join(&mut self, earlier: &Range<usize>, block: &Range<usize>) -> Option<usize> {
        let tasks = self.tasks();
        let between = &tasks[earlier.end..block.start];
        let up = [&tasks[block.clone()], between].concat();
        if self.replace(earlier.end..block.end, &up) {
            return Some(earlier.start);
        }
        let down = [between, &tasks[earlier.clone()]].concat();
        self.replace(earlier.start..block.start, &down)
            .then_some(earlier.start)
    }

    /// Takes these steps in place of others, if that saves switches, costs no choice and leads to
    /// the same state.
    fn replace(&mut self, range: Range<usize>, by: &[TaskId]) -> bool {
        let around = |middle: &[TaskId]| {
            let before = range.start.checked_sub(1).map(|i| self.steps[i].task);
            let after = self.steps.get(range.end).map(|s| s.task);
            let all = before.into_iter().chain(middle.iter().copied());
            switches(&all.chain(after).collect::<Vec<_>>())
        };
        let now: Vec<TaskId> = self.steps[range.clone()].iter().map(|s| s.task).collect();
        if around(by) >= around(&now) {
            return false;
        }
        self.go_to(range.start);
        self.left = self.left.saturating_sub(by.len());
        let walked: Option<Vec<Step>> = by.iter().map(|task| self.step(*task)).collect();
        let choices = |steps: &[Step]| steps.iter().filter(|s| s.is_choice).count();
        let old = &self.steps[range.clone()];
        let is_better = |new: &Vec<Step>| {
            choices(new) <= choices(old)
                && new.last().map(|s| s.after) == old.last().map(|s| s.after)
        };
        let Some(steps) = walked.filter(is_better) else {
            self.walk.go_back(self.steps[range.start].place);
            return false;
        };
        self.steps.splice(range.clone(), steps);
        self.at = range.end;
        true
    }

    /// Takes the run to right before a step. Places from `at` on are those of another run.
    fn go_to(&mut self, to: usize) {
        if to < self.at {
            self.walk.go_back(self.steps[to].place);
            self.at = to;
        }
        self.left = self.left.saturating_sub(to - self.at);
        while self.at < to {
            let again = self.step(self.steps[self.at].task);
            self.steps[self.at] = again.expect("from the same state the same steps are possible");
            self.at += 1;
        }
        self.steps[to].place = self.walk.place();
    }
}
