//! The ways to go on from a state.

use super::search::{Search, Stage, Way, standings};
use super::stretches::{self, MOST, Set, Waits};
use super::{Log, Says, Standing};
use crate::engine::machine::announce::Stand;
use crate::engine::machine::record::Op;
use crate::event::{TaskId, What};
use crate::hash::Rolling;
use crate::layout::LockId;
use crate::model::Model;

/// What can be done in a state.
struct Able<L> {
    /// Tasks that can go without showing anything, who goes, and the log then.
    silent: Vec<(TaskId, Way<L>)>,
    /// Tasks that show what stands next.
    matching: Vec<(TaskId, Way<L>)>,
    /// A way that may be taken alone.
    sure: Option<Way<L>>,
    /// Tasks that are about to show what never fits.
    never: Vec<TaskId>,
    /// Some task is about to show what never fits.
    is_dead: bool,
}

impl<M: Model, L: Log> Search<'_, M, L> {
    /// The ways to go on. Those are left out that make no difference.
    pub(super) fn ways(&mut self, log: &L, was_dead: bool) -> Vec<Way<L>> {
        let tasks = standings(&self.machine);
        let mut able = self.able(log, &tasks, was_dead);
        if able.is_dead && !was_dead {
            self.stuck(log);
        }
        if able.is_dead && self.stage == Stage::Quick {
            return vec![];
        }
        if let Some(sure) = able.sure {
            return vec![sure];
        }
        if able.is_dead {
            able.matching.clear();
        }
        let skip = log.skip().filter(|_| !able.is_dead);
        let count = able.silent.len() + able.matching.len() + usize::from(skip.is_some());
        if self.stage == Stage::Reduced
            && count > 1
            && let Some(standing) = self.standing(log, &tasks, &able)
        {
            let silent = able.silent.clone();
            self.leave_out(log, &tasks, &standing, &mut able, skip.is_some());
            let is_dead = able.silent.iter().any(|(_, way)| way.is_dead);
            if !is_dead
                && skip.is_none()
                && able.silent.len() + able.matching.len() > 1
                && let Some(alone) = self.alone(&standing, &silent)
            {
                self.went_alone = true;
                return vec![alone];
            }
        }
        let rank = |task: TaskId| 2 * log.rank(&tasks, task) + 2;
        let silent = able.silent.into_iter();
        let mut ranked: Vec<(u32, Way<L>)> = silent.map(|(t, way)| (rank(t), way)).collect();
        ranked.extend(able.matching.into_iter().map(|(_, way)| (0, way)));
        let is_dead = false;
        let goes = None;
        ranked.extend(skip.map(|log| (3, Way { goes, log, is_dead })));
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, way)| way).collect()
    }

    /// A task that shows nothing and may go before all others: nothing that they will ever do
    /// conflicts with its step.
    fn alone(
        &self,
        standing: &[stretches::Standing],
        silent: &[(TaskId, Way<L>)],
    ) -> Option<Way<L>> {
        let is_alone = |task: TaskId| {
            let at = standing.iter().position(|s| s.task == task);
            at.is_some_and(|at| self.stretches.is_alone(standing, at))
        };
        let is_it = |(task, _): &&(TaskId, Way<L>)| {
            let shows = self.machine.announced(*task).is_some();
            !shows && is_alone(*task)
        };
        silent.iter().find(is_it).map(|(_, way)| way.clone())
    }

    /// What can be done.
    fn able(&mut self, log: &L, tasks: &[Standing], was_dead: bool) -> Able<L> {
        let mut able = Able {
            silent: vec![],
            matching: vec![],
            sure: None,
            never: vec![],
            is_dead: was_dead,
        };
        let mut enabled = vec![];
        self.machine.enabled(&mut enabled);
        let mut alone = None;
        for task in enabled {
            let goes = Some(task);
            let Some(what) = self.machine.announced(task) else {
                let log = log.clone();
                let is_dead = false;
                able.silent.push((task, Way { goes, log, is_dead }));
                continue;
            };
            match self.ask(log, tasks, task, &what) {
                Says::Never => {
                    able.is_dead |= self.stage == Stage::Quick;
                    able.never.push(task);
                }
                Says::Next(all) => {
                    for next in all {
                        let is_silent = next.log.position() == log.position();
                        let way = Way {
                            goes: goes.filter(|_| next.goes),
                            log: next.log,
                            is_dead: false,
                        };
                        match (next.at_once, is_silent) {
                            (true, true) => alone = alone.or(Some(way)),
                            (true, false) => able.sure = able.sure.or(Some(way)),
                            (false, true) => able.silent.push((task, way)),
                            (false, false) => able.matching.push((task, way)),
                        }
                    }
                }
            }
        }
        // What is silent may be done whether the log can be explained or not.
        let sure = able.sure.take().filter(|_| !able.is_dead);
        able.sure = alone.or(sure);
        for way in able.silent.iter_mut().map(|(_, w)| w).chain(&mut able.sure) {
            way.is_dead = able.is_dead;
        }
        able
    }

    /// Asks the log, and learns what the task is about to show.
    fn ask(&mut self, log: &L, tasks: &[Standing], task: TaskId, what: &What) -> Says<L> {
        let ask = || log.ask(tasks, task, what);
        let (says, cells) = self.machine.peek_for(task, ask);
        if self.stage != Stage::Reduced {
            return says;
        }
        let label = self.machine.peek(|| log.label(tasks, task, what));
        if let (Some(label), Some((place, _))) = (label, self.place(log, task)) {
            let label = self.labels.number(&label);
            self.stretches.is_about_to_show(place, label);
            self.stretches.looked_at(place, &cells);
        }
        says
    }

    /// Number of the place where a task stands, unless it has ended.
    fn place(&mut self, log: &L, task: TaskId) -> Option<(usize, Stand)> {
        let stand = self.machine.stand(task)?;
        let mut place = Rolling::default();
        place.push((stand.place >> 64) as u64);
        place.push(stand.place as u64);
        place.push(log.mode(task));
        let watch = self.machine.watch();
        let number = self
            .stretches
            .stands(place.finish(), stand.place, stand.op.as_ref(), &watch);
        Some((number, stand))
    }

    /// Lets a task go on, and learns what it does.
    pub(super) fn step_seen(&mut self, log: &L, task: TaskId, then: &L) {
        let Some((from, _)) = self.place(log, task) else {
            return;
        };
        let before = self.machine.task_count() as u32;
        let ops = self.machine.step_seen(task);
        let created = (before..self.machine.task_count() as u32).map(TaskId);
        let to = self.place(then, task).map(|(place, _)| place);
        let begun: Vec<usize> = created
            .filter_map(|task| Some(self.place(then, task)?.0))
            .collect();
        let watch = self.machine.watch();
        let step = stretches::Step {
            from,
            ops: &ops,
            to,
            begun: &begun,
        };
        if then.position() == log.position() {
            self.stretches.went(&step, &watch);
        } else {
            self.stretches.showed(&step, &watch);
        }
        self.stretches.keep_up(&watch);
    }

    /// Keeps of what can be done only what is enough.
    fn leave_out(
        &mut self,
        log: &L,
        tasks: &[Standing],
        standing: &[stretches::Standing],
        able: &mut Able<L>,
        skips: bool,
    ) {
        let number = |task: TaskId| standing.iter().position(|s| s.task == task);
        let goes: Set = {
            let both = able.silent.iter().chain(&able.matching);
            let numbers = both.filter_map(|(task, _)| number(*task));
            numbers.fold(0, |set, i| set | 1 << i)
        };
        let owners = if able.is_dead {
            0
        } else {
            self.owners(log, tasks, standing)
        };
        let enough = self.stretches.enough(standing, owners);
        let enough = if skips || enough & goes != 0 {
            enough
        } else {
            // Nobody shows what stands next, as far as is known.
            let is_known = !self.stretches.has_news();
            if is_known && !able.is_dead {
                self.stuck(log);
            }
            for (_, way) in &mut able.silent {
                way.is_dead |= is_known;
            }
            self.fewest(standing, goes)
        };
        let is_in = |task: TaskId| number(task).is_some_and(|i| enough >> i & 1 != 0);
        able.silent.retain(|(task, _)| is_in(*task));
        able.matching.retain(|(task, _)| is_in(*task));
    }

    /// The tasks that have not ended; `None` if there are too many.
    fn standing(
        &mut self,
        log: &L,
        tasks: &[Standing],
        able: &Able<L>,
    ) -> Option<Vec<stretches::Standing>> {
        let mut alive = vec![];
        for task in (0..tasks.len() as u32).map(TaskId) {
            alive.extend(self.place(log, task).map(|found| (task, found)));
        }
        if alive.len() > MOST {
            return None;
        }
        let number = |task: &TaskId| alive.iter().position(|(t, _)| t == task);
        let waits = |task: TaskId, stand: &Stand| match (stand.op, wanted(stand)) {
            (None, _) if able.matching.iter().any(|(t, _)| *t == task) => Waits::Log,
            (None, _) if able.never.contains(&task) => Waits::Log,
            (None, _) => Waits::World,
            (_, Some(lock)) => {
                let holders = self.machine.holders(lock);
                let holders = holders.iter().filter_map(number);
                Waits::Holders(holders.fold(0, |set, i| set | 1 << i))
            }
            _ => Waits::No,
        };
        let standing = alive.iter().map(|(task, (place, stand))| {
            let waits = waits(*task, stand);
            let (task, place) = (*task, *place);
            stretches::Standing { task, place, waits }
        });
        Some(standing.collect())
    }

    /// Those who may show what stands next in the log before it gets any further.
    fn owners(&mut self, log: &L, tasks: &[Standing], standing: &[stretches::Standing]) -> Set {
        let all = standing.iter().enumerate();
        if let Some(only) = log.only(tasks) {
            return all.fold(0, |set, (i, s)| set | Set::from(s.task == only) << i);
        }
        let labels = self
            .labels
            .fitting(log.position(), |label| log.may_be_next(label));
        all.fold(0, |set, (i, s)| {
            set | Set::from(self.stretches.may_show(s.place, labels)) << i
        })
    }

    /// Where the log gets no further: as few of those who can go as are enough.
    fn fewest(&self, standing: &[stretches::Standing], goes: Set) -> Set {
        let mut best = goes;
        for first in (0..standing.len()).filter(|i| goes >> i & 1 != 0) {
            let set = self.stretches.enough(standing, 1 << first);
            if (set & goes).count_ones() < (best & goes).count_ones() {
                best = set;
            }
            if (best & goes).is_power_of_two() {
                break;
            }
        }
        best
    }
}

/// The lock that a task waits for, if it does.
fn wanted(stand: &Stand) -> Option<LockId> {
    match stand.op {
        Some(Op::Lock { lock, .. }) if !stand.is_able => Some(lock),
        _ => None,
    }
}
