//! Systematic search: all small tests of a space, and what is wrong in them.
//!
//! [`space`] says which there are; each becomes a litmus test and is explored to its end, or up to
//! a bound. What is wrong with an outcome is its [`Signature`]. A [`Distinct`] finding is a
//! signature with a smallest combination that has it: fewest tasks, clients, instances. Everything
//! is as in one thread, in the order of the space, however many threads work, whether it was
//! interrupted and went on ([`journal`]), and whether it was dealt out to shards.

pub mod board;
mod cause;
mod distinct;
pub mod journal;
pub mod report;
mod signature;
mod since;
pub mod space;
pub mod step;
mod test;
mod write;

pub use distinct::Distinct;
pub use journal::{Journal, JournalError};
pub use signature::{Causes, Fault, Signature, Signatures};
pub use write::{WriteError, Written};

use crate::in_order::in_order;
use crate::runner::TestError;
use crate::shards::Shard;
use checker::engine::exhaustive::{Go, Options as Exploration};
use checker::outcome::Complete;
use distinct::Collection;
use miette::Diagnostic;
use serde::Serialize;
use space::Combination;
use std::sync::Mutex;
use test::Asked;
use thiserror::Error;

/// Why a search cannot be made.
#[derive(Debug, Error, Diagnostic)]
pub enum SearchError {
    /// There is no such kernel.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Test(#[from] TestError),
    /// What was explored cannot be written down.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Journal(#[from] JournalError),
}

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
    /// One part of the combinations.
    pub shard: Option<Shard>,
}

impl Options {
    /// The combinations that these ask for.
    pub fn combinations(&self) -> Vec<Combination> {
        let is_asked = |c: &Combination| {
            let name = c.name();
            self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
        };
        let all = space::combinations(self.tasks);
        let asked = all.into_iter().filter(is_asked).enumerate();
        let is_of_shard = |n: usize| self.shard.is_none_or(|shard| shard.has(n + 1));
        let of_shard = asked.filter(|(n, _)| is_of_shard(*n));
        of_shard.map(|(_, combination)| combination).collect()
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
    /// By what the shortest run to each came about.
    #[serde(skip)]
    pub causes: Causes,
}

/// What came of all.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The kernel, as the user wrote it.
    pub kernel: String,
    /// How many combinations were asked for.
    pub asked: usize,
    /// Those that were explored, up to the end or a bound, in the order of the space.
    pub rows: Vec<Row>,
    /// Those that were not.
    pub left: Vec<Combination>,
    /// The distinct findings, the worst first.
    pub findings: Vec<Distinct>,
}

impl Found {
    /// Whether every combination that was asked for was explored to its end.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty() && self.rows.iter().all(|r| r.bounded.is_none())
    }
}

/// Searches. `go` is asked now and then from any thread, and may end it; `each` is called for each
/// combination that is done. What `journal` has is not explored again, and what is, is written to it.
///
/// # Errors
///
/// If there is no such kernel, or a row cannot be written.
pub fn search(
    options: &Options,
    journal: Option<&Journal>,
    go: &(dyn Fn() -> Go + Sync),
    each: &mut dyn FnMut(),
) -> Result<Found, SearchError> {
    let combinations = options.combinations();
    let rows = explore_all(options, &combinations, journal, go, each)?;
    let mut collection = Collection::default();
    let mut left = vec![];
    for (combination, row) in combinations.iter().zip(&rows) {
        match row {
            Some(row) => collection.take(row),
            None => left.push(combination.clone()),
        }
    }
    Ok(Found {
        kernel: options.kernel.clone(),
        asked: combinations.len(),
        rows: rows.into_iter().flatten().collect(),
        left,
        findings: collection.ranked(),
    })
}

/// For each combination what came of it, if that was known or explored before `go` ended it.
fn explore_all(
    options: &Options,
    combinations: &[Combination],
    journal: Option<&Journal>,
    go: &(dyn Fn() -> Go + Sync),
    each: &mut dyn FnMut(),
) -> Result<Vec<Option<Row>>, SearchError> {
    let done: Vec<Mutex<Option<Row>>> = combinations.iter().map(|_| Mutex::new(None)).collect();
    let numbers: Vec<usize> = (0..combinations.len()).collect();
    let work = |n: &usize| match row(options, &combinations[*n], journal, go) {
        Ok(None) => None,
        Ok(Some(row)) => {
            *done[*n].lock().expect("nobody dies with it") = Some(row);
            Some(Ok(()))
        }
        Err(error) => Some(Err(error)),
    };
    let results = in_order(&numbers, options.workers, work, each, |_, _| {});
    results.into_iter().collect::<Result<(), SearchError>>()?;
    let rows = done.into_iter();
    let rows = rows.map(|row| row.into_inner().expect("nobody died with it"));
    Ok(rows.collect())
}

/// What came of one combination; `None` if `go` ended it before that was known.
fn row(
    options: &Options,
    combination: &Combination,
    journal: Option<&Journal>,
    go: &(dyn Fn() -> Go + Sync),
) -> Result<Option<Row>, SearchError> {
    if go() == Go::Stop {
        return Ok(None);
    }
    if let Some(row) = journal.and_then(|j| j.row(combination, options.max_states)) {
        return Ok(Some(row));
    }
    let row = explore(options, combination, go)?;
    // What was cut short by Ctrl-C is begun anew.
    if row.bounded.is_some() && go() == Go::Stop {
        return Ok(None);
    }
    if let Some(journal) = journal {
        journal.add(&row, options.max_states)?;
    }
    Ok(Some(row))
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
    let bounded = match &answer.report.complete {
        Complete::Yes => None,
        Complete::No(why) => Some(why.clone()),
    };
    let mut signatures = signature::signatures(&test, &answer);
    if bounded.is_some() {
        signature::confirm(&mut signatures, &test, &answer);
    }
    let causes = signature::causes(&signatures, &test, &answer);
    Ok(Row {
        combination: combination.clone(),
        bounded,
        states: answer.report.states,
        outcomes: answer.report.finals.len(),
        signatures,
        causes,
    })
}
