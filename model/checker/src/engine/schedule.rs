//! A schedule: which task goes next wherever more than one can, and what it sees.

use crate::event::TaskId;
use std::fmt;
use std::str::FromStr;

/// One choice of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Who goes.
    pub task: TaskId,
    /// Which alternative the first operation of its step takes. 0 is the newest store, and the
    /// only one under sequential consistency.
    pub pick: u32,
}

impl From<TaskId> for Turn {
    fn from(task: TaskId) -> Self {
        Self { task, pick: 0 }
    }
}

/// The choices of one run, in order. Where there is only one there is nothing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schedule(pub Vec<Turn>);

impl FromIterator<TaskId> for Schedule {
    fn from_iter<I: IntoIterator<Item = TaskId>>(tasks: I) -> Self {
        Self(tasks.into_iter().map(Turn::from).collect())
    }
}

impl fmt::Display for Schedule {
    /// Runs of the same choice are written `task*times`, separated by dots: `0*12.1*3.0`. A pick
    /// other than 0 stands behind the task: `2~1`, `2~1*3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for chunk in self.0.chunk_by(|a, b| a == b) {
            if !first {
                f.write_str(".")?;
            }
            first = false;
            write!(f, "{}", chunk[0].task.0)?;
            if chunk[0].pick > 0 {
                write!(f, "~{}", chunk[0].pick)?;
            }
            if chunk.len() > 1 {
                write!(f, "*{}", chunk.len())?;
            }
        }
        Ok(())
    }
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError {
    /// The part that could not be read.
    pub part: String,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "schedule: found `{}`, expected TASK or TASK*TIMES, separated by dots; under weak \
             memory also TASK~PICK",
            self.part
        )
    }
}

impl std::error::Error for ScheduleError {}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        /// Longer than any schedule of a world that fits in memory.
        const MOST: usize = 10_000_000;
        let mut all = vec![];
        if text.is_empty() {
            return Ok(Self(all));
        }
        for part in text.split('.') {
            let error = || ScheduleError {
                part: part.to_owned(),
            };
            if part.contains('+') {
                return Err(error());
            }
            let (turn, times) = part.split_once('*').unwrap_or((part, "1"));
            let (task, pick) = turn.split_once('~').unwrap_or((turn, "0"));
            let turn = Turn {
                task: TaskId(task.parse().map_err(|_| error())?),
                pick: pick.parse().map_err(|_| error())?,
            };
            let times: usize = times.parse().map_err(|_| error())?;
            if times == 0 || times > MOST - all.len() {
                return Err(error());
            }
            all.extend(std::iter::repeat_n(turn, times));
        }
        Ok(Self(all))
    }
}
