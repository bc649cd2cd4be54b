//! Systematic search: all small tests of a space, and what is wrong in them.
//!
//! [`space`] says which there are; each becomes a litmus test and is explored to its end, or up to
//! a bound. What is wrong with an outcome is its [`Signature`]. A [`Distinct`] finding is a
//! signature with a smallest combination that has it: fewest tasks, clients, instances. Everything
//! is as in one thread, in the order of the space, however many threads work.

pub mod board;
mod distinct;
pub mod report;
mod signature;
mod since;
pub mod space;
mod test;
mod write;

pub use distinct::Distinct;
pub use signature::{Fault, Signature, Signatures};
pub use write::{WriteError, Written};

use crate::in_order::in_order;
use crate::runner::TestError;
use checker::engine::exhaustive::{Go, Options as Exploration};
use checker::outcome::Complete;
use distinct::Collection;
use serde::Serialize;
use space::Combination;
use test::Asked;

/// What is searched, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kernel.
    pub kernel: String,
    /// Tasks of a combination, at most.
    pub tasks: usize,
    /// Combinations whose name contains one of these; none: all.
    pub only: Vec<String>,
    /// States of a combination, at most.
    pub max_states: u64,
    /// Combinations that are explored at a time.
    pub workers: usize,
}

impl Options {
    /// The combinations that these ask for.
    pub fn combinations(&self) -> Vec<Combination> {
        let is_asked = |c: &Combination| {
            let name = c.name();
            self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
        };
        let all = space::combinations(self.tasks);
        all.into_iter().filter(is_asked).collect()
    }
}

/// What came of one combination.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The combination.
    pub combination: Combination,
    /// Why it was not explored to its end; `None` if it was.
    pub bounded: Option<String>,
    /// How many states it has.
    pub states: u64,
    /// How many outcomes.
    pub outcomes: usize,
    /// What is wrong.
    #[serde(skip)]
    pub signatures: Signatures,
}

/// What came of all.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The kernel, as the user wrote it.
    pub kernel: String,
    /// How many combinations were asked for.
    pub asked: usize,
    /// Those that were explored, in the order of the space.
    pub rows: Vec<Row>,
    /// The distinct findings, the worst first.
    pub findings: Vec<Distinct>,
}

impl Found {
    /// Whether every combination that was asked for was explored to its end.
    pub fn is_complete(&self) -> bool {
        self.rows.len() == self.asked && self.rows.iter().all(|r| r.bounded.is_none())
    }
}

/// Searches. `go` is asked now and then from any thread, and may end it; `each` is called with
/// each row, in the order of the space.
///
/// # Errors
///
/// If there is no such kernel.
pub fn search(
    options: &Options,
    go: &(dyn Fn() -> Go + Sync),
    each: &mut dyn FnMut(&Row),
) -> Result<Found, TestError> {
    let combinations = options.combinations();
    let rows = explore_all(options, &combinations, go, each)?;
    let mut collection = Collection::default();
    for row in &rows {
        collection.take(&row.combination, &row.signatures);
    }
    Ok(Found {
        kernel: options.kernel.clone(),
        asked: combinations.len(),
        rows,
        findings: collection.ranked(),
    })
}

/// Those that were explored before `go` ended it.
fn explore_all(
    options: &Options,
    combinations: &[Combination],
    go: &(dyn Fn() -> Go + Sync),
    each: &mut dyn FnMut(&Row),
) -> Result<Vec<Row>, TestError> {
    let work = |combination: &Combination| {
        let is_wanted = go() == Go::On;
        is_wanted.then(|| explore(options, combination, go))
    };
    let rows = in_order(
        combinations,
        options.workers,
        work,
        || (),
        |_, result| {
            if let Ok(row) = result {
                each(row);
            }
        },
    );
    // What comes behind a gap was begun after Ctrl-C and is not counted.
    rows.into_iter().collect()
}

/// Explores one combination, in one thread.
fn explore(
    options: &Options,
    combination: &Combination,
    go: &(dyn Fn() -> Go + Sync),
) -> Result<Row, TestError> {
    let test = combination.test(&Asked::nothing(&options.kernel))?;
    let exploration = Exploration {
        max_states: options.max_states,
        ..Exploration::default()
    };
    let answer = test.run(&options.kernel, &exploration, &mut |_| go())?;
    Ok(Row {
        combination: combination.clone(),
        bounded: match &answer.report.complete {
            Complete::Yes => None,
            Complete::No(why) => Some(why.clone()),
        },
        states: answer.report.states,
        outcomes: answer.report.finals.len(),
        signatures: signature::signatures(&test, &answer),
    })
}
