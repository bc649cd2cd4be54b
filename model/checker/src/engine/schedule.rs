//! A schedule: which task goes next wherever more than one can.

use crate::event::TaskId;
use std::fmt;
use std::str::FromStr;

/// The choices of one run, in order. Where only one task can go there is nothing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schedule(pub Vec<TaskId>);

impl fmt::Display for Schedule {
    /// Runs of the same choice are written `task*times`, separated by dots: `0*12.1*3.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for chunk in self.0.chunk_by(|a, b| a == b) {
            if !first {
                f.write_str(".")?;
            }
            first = false;
            write!(f, "{}", chunk[0].0)?;
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
            "schedule: found `{}`, expected TASK or TASK*TIMES, separated by dots",
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
            let (task, times) = part.split_once('*').unwrap_or((part, "1"));
            let task: u32 = task.parse().map_err(|_| error())?;
            let times: usize = times.parse().map_err(|_| error())?;
            if times == 0 || times > MOST - all.len() {
                return Err(error());
            }
            all.extend(std::iter::repeat_n(TaskId(task), times));
        }
        Ok(Self(all))
    }
}
