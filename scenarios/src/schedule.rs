//! Schedules as people write them: by the names of steps, or by counts of choices.

use crate::runner::names::Resolver;
use crate::runner::{Answer, Memory, Test};
use crate::wrap::{self, WIDTH};
use checker::engine::exhaustive::Trace;
use checker::engine::marks::Marks;
use checker::engine::named::{Named, NamedError, NamedSchedule};
use checker::engine::schedule::{Schedule, ScheduleError};
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A schedule, in one of the two forms that `replay` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The choices of an exploration, counted: `0*12.1*3`.
    Counted(Schedule),
    /// Who goes until where: `CPU0 until really_probe() writes client0: dev->driver; ...`.
    Named(NamedSchedule),
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenError {
    /// It has nothing but numbers, and is no counted one.
    Counted(ScheduleError),
    /// It is none of names.
    Named(NamedError),
}

impl fmt::Display for WrittenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WrittenError::Counted(e) => write!(f, "{e}"),
            WrittenError::Named(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for WrittenError {}

impl FromStr for Written {
    type Err = WrittenError;

    fn from_str(text: &str) -> Result<Self, WrittenError> {
        // No task's name is made of these alone.
        let is_counted = |c: char| c.is_ascii_digit() || "*.~+-".contains(c);
        if text.trim().chars().all(is_counted) {
            let counted = text.trim().parse().map_err(WrittenError::Counted)?;
            return Ok(Self::Counted(counted));
        }
        text.parse().map(Self::Named).map_err(WrittenError::Named)
    }
}

/// Runs a schedule of names on a kernel of a test, and records it. It needs no exploration.
pub fn replay(
    test: &Test,
    kernel: &Arc<Kernel>,
    memory: Memory,
    schedule: &NamedSchedule,
) -> Trace<Outcome> {
    let names = Resolver::new(test, kernel);
    let name = |text: &str| names.relabel(text);
    named(kernel, memory, &name).replay(schedule)
}

/// A schedule of an exploration by the names of its steps. Where the names lead elsewhere, which
/// they are tried for, it is the counted one.
pub fn text(test: &Test, answer: &Answer, schedule: &Schedule) -> String {
    let names = Resolver::new(test, &answer.kernel);
    let name = |text: &str| names.relabel(text);
    named(&answer.kernel, answer.memory, &name)
        .schedule(&answer.report.marks, schedule)
        .map_or_else(|| schedule.to_string(), |named| named.to_string())
}

/// Schedules of an exploration that go on where the one before ends, such as to a livelock and once
/// around, by the names of their steps.
pub fn in_a_row(
    names: &Resolver<'_>,
    (kernel, memory): (&Arc<Kernel>, Memory),
    marks: &Marks,
    parts: &[&Schedule],
) -> Vec<String> {
    let name = |text: &str| names.relabel(text);
    match named(kernel, memory, &name).in_a_row(marks, parts) {
        Some(all) => all.iter().map(ToString::to_string).collect(),
        None => parts.iter().map(ToString::to_string).collect(),
    }
}

fn named<'a>(
    kernel: &'a Arc<Kernel>,
    memory: Memory,
    name: &'a dyn Fn(&str) -> String,
) -> Named<'a, Kernel> {
    Named {
        model: kernel,
        is_weak: memory == Memory::Weak,
        name,
    }
}

/// A schedule in lines of a mail: a segment a line, and what does not fit in further ones.
pub fn lines(schedule: &str, indent: usize) -> Vec<String> {
    let mut lines = vec![];
    for segment in schedule.split_inclusive(';') {
        let mut at = indent;
        for line in words(segment.trim(), indent, indent + 4) {
            lines.push(format!("{:at$}{line}", ""));
            at = indent + 4;
        }
    }
    lines
}

/// The command that runs a schedule again, in lines that a shell puts together. The last of its
/// words is the schedule.
pub fn command(words: &[String]) -> Vec<String> {
    let Some((schedule, words)) = words.split_last() else {
        return vec![];
    };
    let is_short = !schedule.contains(' ');
    let mut line = String::from(" ");
    let mut lines = vec![];
    for word in options(words) {
        if line.len() + word.len() + 3 > WIDTH {
            lines.push(format!("{line} \\"));
            line = String::from("     ");
        }
        line = format!("{line} {word}");
    }
    if is_short && line.len() + schedule.len() < WIDTH {
        lines.push(format!("{line} {}", quoted(schedule)));
        return lines;
    }
    if is_short {
        lines.push(format!("{line} \\"));
        lines.extend(counted(&quoted(schedule)));
        return lines;
    }
    lines.push(format!("{line} '"));
    lines.extend(self::lines(schedule, 4));
    if let Some(last) = lines.last_mut() {
        *last += "'";
    }
    lines
}

/// Words of a command, an option with its value as one.
fn options(words: &[String]) -> Vec<String> {
    let mut parts: Vec<String> = vec![];
    for word in words {
        let word = quoted(word);
        match parts
            .last_mut()
            .filter(|last| last.starts_with("--") && !last.contains(' '))
        {
            Some(option) => *option = format!("{option} {word}"),
            None => parts.push(word),
        }
    }
    parts
}

/// A counted schedule, broken where it must be as a shell allows: the rest at the start of the next
/// line.
fn counted(schedule: &str) -> Vec<String> {
    let mut lines = vec![];
    let mut line = "      ".to_owned();
    for part in schedule.split_inclusive('.') {
        if line.len() + part.len() + 1 > WIDTH {
            lines.push(format!("{line}\\"));
            line.clear();
        }
        line += part;
    }
    lines.push(line);
    lines
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(' ') {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}

/// Broken between words.
fn words(text: &str, first: usize, others: usize) -> Vec<String> {
    // One column is left for the quote behind the last.
    wrap::between_words(text, first + 1, others + 1)
}

#[cfg(test)]
mod tests {
    use super::{Written, command};

    fn of(schedule: &str) -> Vec<String> {
        let words = [
            "probe-litmus",
            "replay",
            "scenarios/basics/a-name-that-takes-some-room.litmus",
            "--kernel",
            "v7.3-rc7 + a",
            schedule,
        ];
        command(&words.map(str::to_owned))
    }

    /// A shell puts a line that ends in a backslash and the next one together.
    #[test]
    fn a_long_counted_schedule_is_broken_where_a_shell_joins_it_again() {
        let schedule = vec!["10*200"; 40].join(".");
        let lines = of(&schedule);
        assert!(lines.iter().all(|l| l.len() <= 80), "{lines:#?}");
        let joined = lines.join("\n").replace("\\\n", "");
        assert!(joined.ends_with(&format!(" {schedule}")), "{joined}");
    }

    #[test]
    fn a_named_schedule_is_a_segment_a_line_between_quotes() {
        let long = "a_function_with_a_long_name() takes client0: &dev->mutex of quite some length";
        let schedule = format!("CPU0 until {long}; CPU1 to its end");
        let lines = of(&schedule);
        assert!(lines.iter().all(|l| l.len() <= 80), "{lines:#?}");
        let text = lines.join("\n");
        let (_, quoted) = text.split_once('\'').expect("a quote");
        let inside = quoted.strip_suffix('\'').expect("a quote at the end");
        assert_eq!(inside.parse::<Written>(), schedule.parse());
        assert!(lines.iter().any(|l| l == "    CPU1 to its end'"), "{text}");
    }

    #[test]
    fn numbers_alone_are_counts() {
        assert!(matches!("0*3.1~2".parse(), Ok(Written::Counted(_))));
        assert!(matches!("".parse(), Ok(Written::Counted(_))));
        assert!(matches!("0 to its end".parse(), Ok(Written::Named(_))));
        let wrong = "0*x".parse::<Written>().expect_err("neither");
        assert!(wrong.to_string().contains("segment 1"), "{wrong}");
        let wrong = "0*-1".parse::<Written>().expect_err("no count");
        assert!(wrong.to_string().contains("TASK*TIMES"), "{wrong}");
    }
}
