//! A run of `check` dealt out to several: what each prints, and how to put that together again.
//!
//! The jobs of a run, a scenario on a kernel each, are numbered from 1 in the order in which one
//! program would explore them. Shard `i/n` has the jobs `i`, `i + n`, `i + 2n`, ... Its output is
//! text:
//!
//! ```text
//! # probe-litmus shard 1/3, 7 jobs, run 1f0c...
//! # job 1, 12 lines, exit 0
//! (12 lines)
//! # job 4, 9 lines, exit 1
//! (9 lines)
//! # end of shard 1/3
//! ```
//!
//! `run` is a hash of all that the outcome of the run depends on, so that shards of other
//! scenarios, kernels or options are told apart.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use thiserror::Error;

/// One of several parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 1 on.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Shard {
    /// Whether a job, by its number from 1 on, is its.
    pub fn has(self, job: usize) -> bool {
        (job - 1) % self.of == self.number - 1
    }

    /// The first line of its output.
    pub fn header(self, jobs: usize, run: u128) -> String {
        format!("# probe-litmus shard {self}, {jobs} jobs, run {run:032x}\n")
    }

    /// What a job has printed, to be read back.
    pub fn job(number: usize, printed: &Printed) -> String {
        let Printed { text, exit } = printed;
        let lines = text.lines().count();
        format!("# job {number}, {lines} lines, exit {exit}\n{text}")
    }

    /// The last line of its output.
    pub fn footer(self) -> String {
        format!("# end of shard {self}\n")
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let parsed = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parsed {
            Some((number, of)) if 1 <= number && number <= of => Ok(Self { number, of }),
            _ => Err("expected I/N with I from 1 to N, such as 2/3".to_owned()),
        }
    }
}

/// What a job has printed, and with which code it would have exited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Lines, each with its end.
    pub text: String,
    /// The exit code.
    pub exit: u8,
}

/// Why shards cannot be put together.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MergeError {
    /// Not what `check --shard` prints.
    #[error("{0}: found no shard, expected what `check --shard I/N` prints")]
    NoShard(String),
    /// It ends too early, or something in it is missing.
    #[error("{0}: the shard is cut short or damaged at line {1}")]
    Damaged(String, usize),
    /// Other scenarios, kernels or options.
    #[error("{0}: the shard is of another run than {1}")]
    Foreign(String, String),
    /// The same shard twice.
    #[error("{0}: this is shard {2} again, after {1}")]
    Double(String, String, String),
    /// One or more are not there.
    #[error("found no shard {0}")]
    Missing(String),
}

/// One file, read.
struct File<'a> {
    name: &'a str,
    shard: Shard,
    jobs: usize,
    run: &'a str,
    printed: BTreeMap<usize, Printed>,
}

fn numbers<const N: usize>(line: &str, words: [&str; N]) -> Option<[usize; N]> {
    let mut rest = line;
    let mut found = [0; N];
    for (slot, word) in found.iter_mut().zip(words) {
        rest = rest.strip_prefix(word)?;
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        *slot = number.parse().ok()?;
        rest = after;
    }
    rest.is_empty().then_some(found)
}

fn read<'a>(name: &'a str, text: &'a str) -> Result<File<'a>, MergeError> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let header = lines.next().and_then(|(_, line)| {
        let (counts, run) = line.trim_end().split_once(" jobs, run ")?;
        let [number, of, jobs] = numbers(counts, ["# probe-litmus shard ", "/", ", "])?;
        (1 <= number && number <= of).then_some((Shard { number, of }, jobs, run))
    });
    let Some((shard, jobs, run)) = header else {
        return Err(MergeError::NoShard(name.to_owned()));
    };
    let mut expected = (1..=jobs).filter(|job| shard.has(*job));
    let mut printed = BTreeMap::new();
    let last = text.lines().count();
    let damaged = |line: usize| MergeError::Damaged(name.to_owned(), line + 1);
    loop {
        let (at, line) = lines.next().ok_or_else(|| damaged(last))?;
        let next = expected.next();
        if line == shard.footer() && next.is_none() {
            break;
        }
        let [job, count, exit] = numbers(line.trim_end(), ["# job ", ", ", " lines, exit "])
            .filter(|[job, ..]| Some(*job) == next)
            .ok_or_else(|| damaged(at))?;
        let part: String = lines.by_ref().take(count).map(|(_, line)| line).collect();
        if part.matches('\n').count() != count {
            return Err(damaged(last));
        }
        let exit = u8::try_from(exit).map_err(|_| damaged(at))?;
        printed.insert(job, Printed { text: part, exit });
    }
    match lines.next() {
        Some((at, _)) => Err(damaged(at)),
        None => Ok(File {
            name,
            shard,
            jobs,
            run,
            printed,
        }),
    }
}

/// Puts the outputs of all shards of a run together, each with the name of its file: the bytes that
/// the whole run would have printed, and its exit code.
pub fn merge(files: &[(String, String)]) -> Result<Printed, MergeError> {
    let mut all: Vec<File<'_>> = vec![];
    for (name, text) in files {
        let file = read(name, text)?;
        if let Some(first) = all.first() {
            let is_same =
                (first.shard.of, first.jobs, first.run) == (file.shard.of, file.jobs, file.run);
            if !is_same {
                return Err(MergeError::Foreign(name.clone(), first.name.to_owned()));
            }
        }
        if let Some(other) = all.iter().find(|f| f.shard == file.shard) {
            let (other, shard) = (other.name.to_owned(), file.shard.to_string());
            return Err(MergeError::Double(name.clone(), other, shard));
        }
        all.push(file);
    }
    let of = all.first().map_or(0, |f| f.shard.of);
    let missing = (1..=of).map(|number| Shard { number, of });
    let missing = missing.filter(|shard| all.iter().all(|f| f.shard != *shard));
    let missing: Vec<String> = missing.map(|shard| shard.to_string()).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing(missing.join(", ")));
    }
    let jobs: BTreeMap<usize, Printed> = all.into_iter().flat_map(|f| f.printed).collect();
    let mut text = String::new();
    for printed in jobs.values() {
        let _ = write!(text, "{}", printed.text);
    }
    let exit = jobs.values().map(|p| p.exit).max().unwrap_or(0);
    Ok(Printed { text, exit })
}
