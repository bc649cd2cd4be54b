//! A schedule that names the steps at which it goes over from one task to another.
//!
//! A [`Schedule`](super::schedule::Schedule) counts choices: it fits one model with one set of
//! steps, and a step more anywhere shifts all that comes after. A [`NamedSchedule`] says until
//! which operation, in which function, each task goes. It fits whatever model has these operations
//! in this order, and where one has not, it can say at which.
//!
//! Every operation can be named, not only those that a search takes for steps: a run by name needs
//! no search before it. What a task does before its first named step, from its creation on, comes
//! where the schedule first lets it go.

mod run;

pub use run::Named;

use std::fmt;
use std::str::FromStr;

/// Tasks that go one after the other. Beyond its end the first task that can go goes.
///
/// As text, its segments are separated by `;`. All white space counts as one blank, so that it may
/// be broken into lines wherever there is a blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedSchedule(pub Vec<Segment>);

/// How far one task goes: `CPU0 until really_probe() writes client0: dev->driver #2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The task's name up to any bracket; behind it `#2` for the second of that name.
    pub task: String,
    /// Which alternative its first operation takes, as in [`Turn`](super::schedule::Turn).
    pub pick: u32,
    /// What it is about to do then.
    pub until: Until,
}

/// Where a task stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// It ends or dies.
    End,
    /// It is about to do this.
    Step(Step),
}

/// An operation of a task, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The kernel function that it is in; empty for what a task does outside of any.
    pub function: String,
    /// What it does: one of [`DOES`].
    pub does: String,
    /// The field, lock or task that it does this to.
    pub object: String,
    /// Which of this name, from 1 on, counted from where the segment begins.
    pub nth: u32,
}

impl fmt::Display for NamedSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "; " })?;
            write!(f, "{segment}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.task)?;
        if self.pick > 0 {
            write!(f, "~{}", self.pick)?;
        }
        match &self.until {
            Until::End => f.write_str(" to its end"),
            Until::Step(step) => write!(f, " until {step}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.function.is_empty() {
            write!(f, "{}() ", self.function)?;
        }
        write!(f, "{} {}", self.does, self.object)?;
        if self.nth > 1 {
            write!(f, " #{}", self.nth)?;
        }
        Ok(())
    }
}

/// What an operation does, in a word. `uses` is a step on a list or another object as a whole, and
/// `shares` takes a lock that others may take too.
pub const DOES: [&str; 11] = [
    "reads", "writes", "updates", "uses", "counts", "takes", "shares", "tries", "drops", "awaits",
    "creates",
];

/// Why a text is no schedule of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedError {
    /// Number of the segment, from 1 on.
    pub segment: usize,
    /// The segment.
    pub found: String,
    /// What is wrong with it.
    pub expected: &'static str,
}

impl fmt::Display for NamedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "schedule, segment {}: found `{}`, expected {}",
            self.segment, self.found, self.expected
        )
    }
}

impl std::error::Error for NamedError {}

impl FromStr for NamedSchedule {
    type Err = NamedError;

    fn from_str(text: &str) -> Result<Self, NamedError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        // A schedule may end in a `;`, as whoever cuts one short leaves it.
        let text = text.strip_suffix(';').unwrap_or(&text);
        let each = text.split(';').enumerate().map(|(i, part)| {
            segment(part.trim()).map_err(|expected| NamedError {
                segment: i + 1,
                found: part.trim().to_owned(),
                expected,
            })
        });
        each.collect::<Result<Vec<_>, _>>().map(Self)
    }
}

/// Reads one segment; or says what was expected.
fn segment(text: &str) -> Result<Segment, &'static str> {
    const WHOLE: &str = "`TASK until FUNCTION() DOES OBJECT` or `TASK to its end`";
    let (task, until) = if let Some(task) = text.strip_suffix(" to its end") {
        (task, Until::End)
    } else {
        let (task, step) = text.split_once(" until ").ok_or(WHOLE)?;
        (task, Until::Step(self::step(step)?))
    };
    let (task, pick) = match task.split_once('~') {
        None => (task, 0),
        Some((task, pick)) => (task, number(pick).ok_or("a number behind `~`")?),
    };
    if task.is_empty() {
        return Err(WHOLE);
    }
    Ok(Segment {
        task: task.to_owned(),
        pick,
        until,
    })
}

fn step(text: &str) -> Result<Step, &'static str> {
    const STEP: &str = "`FUNCTION() DOES OBJECT` behind `until`, such as `really_probe() writes \
                        client0: dev->driver`";
    let (function, rest) = text.split_once("() ").unwrap_or(("", text));
    let (does, object) = rest.split_once(' ').ok_or(STEP)?;
    let (object, nth) = match object.rsplit_once(" #") {
        None => (object, 1),
        Some((object, nth)) => {
            let nth = number(nth).filter(|n| *n > 0);
            (object, nth.ok_or("a number from 1 on behind `#`")?)
        }
    };
    if object.is_empty() {
        return Err(STEP);
    }
    if !DOES.contains(&does) {
        return Err(
            "reads, writes, updates, uses, counts, takes, shares, tries, drops, awaits or \
                    creates behind the function and its `()`",
        );
    }
    Ok(Step {
        function: function.to_owned(),
        does: does.to_owned(),
        object: object.to_owned(),
        nth,
    })
}

/// Digits, and nothing else.
fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::NamedSchedule;

    #[test]
    fn what_is_printed_is_read_whatever_its_line_breaks() {
        let text = "CPU0 until really_probe() writes client0: dev->driver #2; async probe a #2~1 \
                    until takes &x->mutex; CPU1 to its end";
        let read: NamedSchedule = text.parse().expect("a schedule");
        assert_eq!(read.0.len(), 3);
        assert_eq!(read.0[1].pick, 1);
        assert_eq!(read.to_string(), text);
        let broken = text.replace(' ', "\n   ") + " ;\n";
        assert_eq!(broken.parse(), Ok(read));
    }

    #[test]
    fn what_is_no_schedule_says_which_segment_and_what_was_expected() {
        for (text, segment, expected) in [
            ("", 1, "`TASK until"),
            ("CPU0", 1, "`TASK until"),
            ("CPU0 to its end;; CPU1 to its end", 2, "`TASK until"),
            ("CPU0 until x", 1, "`FUNCTION() DOES OBJECT`"),
            ("CPU0 until f() reads", 1, "`FUNCTION() DOES OBJECT`"),
            ("CPU0 until f() likes x", 1, "reads, writes"),
            ("CPU0 until f reads x", 1, "reads, writes"),
            ("CPU0 until f() reads x #0", 1, "a number from 1 on"),
            ("CPU0~+1 until f() reads x", 1, "a number behind `~`"),
        ] {
            let error = text.parse::<NamedSchedule>().expect_err(text);
            assert_eq!(error.segment, segment, "{text}");
            assert!(error.expected.contains(expected), "{text}: {error}");
        }
    }
}
