//! From a run to the names of its steps, and back.

use super::{NamedSchedule, Segment, Step, Until};
use crate::backend::Mode;
use crate::engine::machine::naming::Begun;
use crate::engine::machine::record::Op;
use crate::engine::machine::{Granularity, Machine};
use crate::engine::marks::{Marks, Watch};
use crate::engine::replay::{Follow, Trace, finish};
use crate::engine::schedule::{Schedule, Turn};
use crate::event::TaskId;
use crate::model::Model;
use std::sync::Arc;

/// A run by name that has taken so many operations is cut short: whoever wrote it did not mean it.
const MAX_OPERATIONS: u64 = 5_000_000;

/// Names the steps of a model's runs, and runs them by name.
pub struct Named<'a, M> {
    /// The model.
    pub model: &'a Arc<M>,
    /// Whether tasks need not see the newest: [`crate::engine::weak`].
    pub is_weak: bool,
    /// What people call the tasks, fields and locks that the model has names for.
    pub name: &'a dyn Fn(&str) -> String,
}

impl<M: Model> Named<'_, M> {
    /// Names the steps of a schedule of an exploration with these marks. `None` if it does not fit
    /// the model, or if its names do not lead to the same outcome.
    pub fn schedule(&self, marks: &Marks, schedule: &Schedule) -> Option<NamedSchedule> {
        let machine = self.machine(Granularity::Steps, marks.clone());
        let named = self.parts(&machine, &[schedule], true)?.pop()?;
        let end = machine.finish();
        let again = self.replay(&named);
        (again.divergence.is_none() && again.end == end).then_some(named)
    }

    /// Names the steps of schedules that follow each other, up to the last choice of the last.
    /// `None` if they do not fit the model.
    pub fn in_a_row(&self, marks: &Marks, parts: &[&Schedule]) -> Option<Vec<NamedSchedule>> {
        let machine = self.machine(Granularity::Steps, marks.clone());
        self.parts(&machine, parts, false)
    }

    fn parts(
        &self,
        machine: &Machine<M>,
        parts: &[&Schedule],
        to_its_end: bool,
    ) -> Option<Vec<NamedSchedule>> {
        let all = Schedule(parts.iter().flat_map(|p| p.0.iter().copied()).collect());
        let mut writer = Writer::new(self, parts);
        let mut follow = Follow::new(machine, &all);
        let (mut turns, mut begun) = (vec![], vec![]);
        loop {
            self.turns(machine, &mut turns);
            let next = match turns[..] {
                [] => break,
                [only] => only,
                _ if writer.choices == all.0.len() && !to_its_end => break,
                _ => {
                    writer.choice(machine);
                    follow.next(&turns)
                }
            };
            let begins = !machine.has_begun(next.task);
            self.take(machine, next);
            machine.take_begun(&mut begun);
            writer.step(machine, next, begins, &begun);
        }
        let fits = follow.divergence().is_none() && machine.limit().is_none();
        fits.then(|| writer.done(machine, to_its_end))
    }

    /// Runs a schedule of names and records it. Where it does not fit it goes on as if the schedule
    /// ended there.
    pub fn replay(&self, schedule: &NamedSchedule) -> Trace<M::Outcome> {
        let machine = self.machine(Granularity::EachStep, Marks::all(self.model.layout()));
        machine.max_operations.set(MAX_OPERATIONS);
        let mut reader = Reader {
            of: self,
            machine: &machine,
            turns: vec![],
            begun: vec![],
        };
        let of = schedule.0.len();
        let divergence = schedule.0.iter().enumerate().find_map(|(i, segment)| {
            let why = reader.segment(segment).err()?;
            Some(format!("segment {} of {of}, `{segment}`: {why}", i + 1))
        });
        let diverged_at = divergence.is_some().then(|| machine.events());
        while reader.first() {}
        Trace {
            diverged_at,
            ..finish(&machine, divergence)
        }
    }

    fn machine(&self, granularity: Granularity, marks: Marks) -> Box<Machine<M>> {
        let machine = Machine::new(self.model.clone(), true);
        let watch = Watch::fixed(self.model.layout(), marks);
        machine.configure(granularity, watch, true);
        machine.reset();
        machine.note_begun();
        if self.is_weak {
            machine.be_weak();
            machine.take_begun(&mut vec![]);
        }
        machine
    }

    /// What can be next. A task that has not begun begins first.
    fn turns(&self, machine: &Machine<M>, into: &mut Vec<Turn>) {
        if self.is_weak {
            return machine.turns(into);
        }
        let mut enabled = vec![];
        machine.enabled(&mut enabled);
        let begins = enabled.iter().find(|t| !machine.has_begun(**t));
        into.clear();
        match begins {
            Some(task) => into.push((*task).into()),
            None => into.extend(enabled.iter().map(|t| Turn::from(*t))),
        }
    }

    fn take(&self, machine: &Machine<M>, turn: Turn) {
        if self.is_weak {
            machine.take_turn(turn);
        } else {
            machine.step(turn.task);
        }
    }

    /// A task's name up to any bracket, and which of that name it is.
    fn task(&self, machine: &Machine<M>, task: TaskId) -> String {
        let key = machine.tasks()[task.index()];
        let name = (self.name)(&self.model.task_name(key.entry));
        let name = name.split(" (").next().unwrap_or(&name);
        match key.nth {
            0 => name.to_owned(),
            n => format!("{name} #{}", n + 1),
        }
    }

    /// An operation, the first of its name; `None` for what is none.
    fn step(&self, begun: &Begun) -> Option<Step> {
        Some(Step {
            function: function(begun).to_owned(),
            does: does(begun.op)?.to_owned(),
            object: (self.name)(&self.object(begun.op)),
            nth: 1,
        })
    }

    fn object(&self, op: Op) -> String {
        let layout = self.model.layout();
        match op {
            Op::Load { cell, .. }
            | Op::Store { cell, .. }
            | Op::Rmw { cell, .. }
            | Op::Release { cell, .. }
            | Op::Ghost { cell, .. }
            | Op::Compound { first: cell, .. } => layout.cell_name(cell),
            Op::Wait { condition, .. } => layout.cell_name(condition.cell),
            Op::Lock { lock, .. } | Op::TryLock { lock } | Op::Unlock { lock, .. } => {
                layout.lock_name(lock)
            }
            Op::Spawn { entry } => self.model.task_name(entry),
            Op::Start | Op::Ended => String::new(),
        }
    }
}

/// The function that an operation is in, if it is in one.
fn function(begun: &Begun) -> &'static str {
    match begun.function {
        "?" => "",
        function => function,
    }
}

/// What an operation does, one of [`super::DOES`].
fn does(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::Load { .. } => "reads",
        Op::Store { .. } => "writes",
        Op::Rmw { .. } | Op::Release { .. } => "updates",
        Op::Compound { .. } => "uses",
        Op::Ghost { .. } => "counts",
        Op::Lock { mode, .. } => match mode {
            Mode::Exclusive => "takes",
            Mode::Shared => "shares",
        },
        Op::TryLock { .. } => "tries",
        Op::Unlock { .. } => "drops",
        Op::Wait { .. } => "awaits",
        Op::Spawn { .. } => "creates",
        Op::Start | Op::Ended => return None,
    })
}

/// Puts the steps of a run into segments.
struct Writer<'a, M> {
    of: &'a Named<'a, M>,
    /// How many choices there are up to the end of each part.
    ends: Vec<usize>,
    choices: usize,
    done: Vec<NamedSchedule>,
    segments: Vec<Segment>,
    /// Who goes, and which alternative it took first.
    current: Option<Turn>,
    /// What each task has begun since its last segment.
    since: Vec<Vec<Begun>>,
}

impl<'a, M: Model> Writer<'a, M> {
    fn new(of: &'a Named<'a, M>, parts: &[&Schedule]) -> Self {
        let ends = parts.iter().scan(0, |sum, part| {
            *sum += part.0.len();
            Some(*sum)
        });
        Self {
            of,
            ends: ends.collect(),
            choices: 0,
            done: vec![],
            segments: vec![],
            current: None,
            since: vec![],
        }
    }

    /// Somebody is chosen next: the part before is over if these were all of its choices.
    fn choice(&mut self, machine: &Machine<M>) {
        while self.done.len() + 1 < self.ends.len() && self.ends[self.done.len()] == self.choices {
            self.close(machine);
            let part = NamedSchedule(std::mem::take(&mut self.segments));
            self.done.push(part);
        }
        self.choices += 1;
    }

    fn step(&mut self, machine: &Machine<M>, turn: Turn, begins: bool, begun: &[Begun]) {
        let index = turn.task.index();
        if self.since.len() <= index {
            self.since.resize_with(index + 1, Vec::new);
        }
        if begins {
            // Up to its first operation it goes as soon as it is there, the rest is of its first
            // segment.
            self.since[index].extend(begun.iter().skip(1));
            return;
        }
        let goes_on = self.current.is_some_and(|c| c.task == turn.task) && turn.pick == 0;
        if !goes_on {
            self.close(machine);
            self.current = Some(turn);
        }
        self.since[index].extend(begun);
    }

    /// The segment under way ends where its task stands.
    fn close(&mut self, machine: &Machine<M>) {
        let Some(turn) = self.current.take() else {
            return;
        };
        let begun = std::mem::take(&mut self.since[turn.task.index()]);
        let until = match begun.last().map(|last| self.of.step(last)) {
            // A wait under weak memory that goes on: nothing has begun.
            None => return,
            Some(None) => Until::End,
            Some(Some(step)) => {
                let same = begun.iter().filter(|b| is(self.of, b, &step)).count();
                Until::Step(Step {
                    nth: same as u32,
                    ..step
                })
            }
        };
        self.segments.push(Segment {
            task: self.of.task(machine, turn.task),
            pick: turn.pick,
            until,
        });
    }

    fn done(mut self, machine: &Machine<M>, to_its_end: bool) -> Vec<NamedSchedule> {
        self.close(machine);
        // Who ended before anybody could have gone instead.
        let tasks = if to_its_end { self.since.len() } else { 0 };
        for task in (0..tasks as u32).map(TaskId) {
            if !self.since[task.index()].is_empty() {
                self.current = Some(task.into());
                self.close(machine);
            }
        }
        let mut done = self.done;
        done.push(NamedSchedule(self.segments));
        done.resize_with(self.ends.len(), NamedSchedule::default);
        done
    }
}

/// Whether an operation is of this name.
fn is<M: Model>(of: &Named<'_, M>, begun: &Begun, step: &Step) -> bool {
    function(begun) == step.function
        && does(begun.op) == Some(&*step.does)
        && (of.name)(&of.object(begun.op)) == step.object
}

/// Runs segments.
struct Reader<'a, M: Model> {
    of: &'a Named<'a, M>,
    machine: &'a Machine<M>,
    turns: Vec<Turn>,
    begun: Vec<Begun>,
}

impl<M: Model> Reader<'_, M> {
    /// Lets tasks begin that have been created, and says who can go.
    fn look(&mut self) {
        loop {
            self.of.turns(self.machine, &mut self.turns);
            match self.turns[..] {
                [turn] if !self.machine.has_begun(turn.task) => {
                    self.of.take(self.machine, turn);
                    self.machine.take_begun(&mut self.begun);
                }
                _ => return,
            }
        }
    }

    /// The first that can go goes; whether there is one.
    fn first(&mut self) -> bool {
        self.look();
        match self.turns.first() {
            Some(turn) if self.machine.limit().is_none() => {
                self.of.take(self.machine, *turn);
                true
            }
            _ => false,
        }
    }

    /// Lets the segment's task go as far as it says; or says why that cannot be.
    fn segment(&mut self, segment: &Segment) -> Result<(), String> {
        self.look();
        let task = self.find(&segment.task)?;
        let mut turn = Turn {
            task,
            pick: segment.pick,
        };
        let mut last = None;
        let mut seen = 0;
        loop {
            self.look();
            if !self.turns.contains(&turn) {
                return Err(self.stands(turn, last));
            }
            self.of.take(self.machine, turn);
            turn.pick = 0;
            let mut begun = std::mem::take(&mut self.begun);
            self.machine.take_begun(&mut begun);
            let mut own = begun.iter().filter(|b| b.task == task);
            if let Until::Step(step) = &segment.until {
                seen += own.clone().filter(|b| is(self.of, b, step)).count() as u32;
            }
            let last_of_these = own.rfind(|b| does(b.op).is_some());
            last = last_of_these.copied().or(last);
            self.begun = begun;
            let ended = self.machine.has_ended(task);
            match &segment.until {
                Until::End if ended => return Ok(()),
                Until::Step(step) if seen >= step.nth && !ended => return Ok(()),
                _ => {}
            }
        }
    }

    fn find(&self, name: &str) -> Result<TaskId, String> {
        let tasks = (0..self.machine.tasks().len() as u32).map(TaskId);
        let names = tasks.map(|t| (self.of.task(self.machine, t), t));
        let all: Vec<(String, TaskId)> = names.collect();
        let found = all.iter().find(|(n, _)| n == name);
        found.map(|(_, task)| *task).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|(n, _)| n.as_str()).collect();
            format!("there is no such task so far, only {}", names.join(", "))
        })
    }

    /// Why a task does not go on, and what it did instead.
    fn stands(&self, turn: Turn, last: Option<Begun>) -> String {
        let did = last.and_then(|b| self.of.step(&b));
        let did = |before: &str| match &did {
            Some(step) => format!("{before} {step}"),
            None => String::new(),
        };
        if self.machine.has_ended(turn.task) {
            return format!(
                "it has come to its end{}",
                did(" before that; its last step:")
            );
        }
        if turn.pick > 0 {
            let pick = turn.pick;
            return format!("its next step has no alternative {pick}");
        }
        let held_by = match self.machine.holder(turn.task) {
            Some(by) => format!(", which {} has", self.of.task(self.machine, by)),
            None => String::new(),
        };
        format!("it waits{}{held_by}", did(" where"))
    }
}
