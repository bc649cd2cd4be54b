//! A finding as a file that `check` takes.

use super::Found;
use super::distinct::Distinct;
use super::signature::{faults, worst};
use super::since::{since, verdict};
use super::test::{Asked, all, here, truth};
use crate::litmus::{Expr, Verdict};
use crate::runner::TestError;
use crate::runner::names::Resolver;
use checker::engine::exhaustive::{Go, Options};
use checker::engine::schedule::Schedule;
use kernel::revision::OLDEST;
use miette::Diagnostic;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the files cannot be written.
#[derive(Debug, Error, Diagnostic)]
pub enum WriteError {
    /// The system does not let us.
    #[error("{file}: cannot write: {reason}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A test cannot be run on another kernel.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Test(#[from] TestError),
}

/// A finding that was written down.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// The file, without `.litmus`.
    pub name: String,
    /// The commit that brought it; `None` if the oldest kernel has it.
    pub since: Option<String>,
    /// The verdict on the kernel that was searched.
    pub verdict: String,
}

/// Longer names are cut.
const NAME: usize = 70;

impl Found {
    /// Writes a file for each finding, and its board, below `folder`. `go` may end it.
    pub fn write(
        &self,
        folder: &Path,
        max_states: u64,
        go: &dyn Fn() -> Go,
    ) -> Result<Vec<Written>, WriteError> {
        let boards = folder.join("boards");
        std::fs::create_dir_all(&boards).map_err(|reason| WriteError::File {
            file: boards.clone(),
            reason,
        })?;
        let mut written = vec![];
        let mut names = BTreeMap::new();
        for finding in &self.findings {
            if go() == Go::Stop {
                break;
            }
            let (mut asked, expr_is_exact) = self.asked(finding, &mut names)?;
            let there = |kernel: &str| verdict(&finding.example, &asked, kernel, max_states);
            let since = if expr_is_exact {
                since(&self.kernel, &mut |k| {
                    Ok(asked_of(there(k))?.is_some_and(|v| v != Verdict::Never))
                })?
            } else {
                None
            };
            let mut kernels = match since {
                Some(commit) => vec![format!("{commit}^"), commit.to_owned()],
                None => vec![OLDEST.to_string()],
            };
            kernels.push(self.kernel.clone());
            kernels.dedup();
            let mut verdicts = vec![];
            for kernel in kernels.into_iter().rev() {
                if let Some(verdict) = asked_of(there(&kernel))? {
                    verdicts.push((kernel, verdict));
                }
            }
            let on_searched = verdicts[0].1;
            asked.kernels = verdicts;
            Self::write_one(folder, finding, &asked)?;
            written.push(Written {
                name: asked.name.clone(),
                since: since.map(str::to_owned),
                verdict: on_searched.word().to_owned(),
            });
        }
        Ok(written)
    }

    fn write_one(folder: &Path, finding: &Distinct, asked: &Asked) -> Result<(), WriteError> {
        let layout = &finding.example.layout;
        let test = finding.example.test(asked)?;
        let file = folder.join(format!("{}.litmus", asked.name));
        write(&file, &test.litmus.to_string())?;
        write(&folder.join("boards").join(layout.file()), &layout.text())
    }

    /// What is asked of the smallest combination, and whether a proposition says it: none does for
    /// what is of no outcome.
    fn asked(
        &self,
        finding: &Distinct,
        names: &mut BTreeMap<String, usize>,
    ) -> Result<(Asked, bool), TestError> {
        let exact = self.proposition(finding)?;
        let name = numbered(file_name(finding), names);
        let steps: Vec<String> = finding
            .example
            .steps
            .iter()
            .map(ToString::to_string)
            .collect();
        let what: Vec<&str> = finding.signature.iter().map(|f| f.text.as_str()).collect();
        let found = format!(
            "Found by probe-litmus search on {}: {} tasks ({}) are enough.",
            self.kernel,
            steps.len(),
            steps.join(", ")
        );
        let question = format!("Can this come about: {}?", what.join("; "));
        let is_exact = exact.is_some();
        let asked = Asked {
            name,
            paragraphs: vec![found, question],
            expr: exact.unwrap_or_else(|| truth("deadlock", &[])),
            kernels: vec![(self.kernel.clone(), Verdict::Sometimes)],
        };
        Ok((asked, is_exact))
    }

    /// What the outcome of the shortest schedule has, said of its devices, and that it has none of
    /// what outcomes have in which the same is only a part.
    fn proposition(&self, finding: &Distinct) -> Result<Option<Expr>, TestError> {
        let test = finding.example.test(&Asked::nothing(&self.kernel))?;
        let answer = test.run(&self.kernel, &Options::default(), &mut |_| Go::On)?;
        let names = Resolver::new(&test, &answer.kernel);
        let ends = answer.report.finals.iter();
        let ends: Vec<_> = ends
            .map(|(end, schedule)| (faults(end, &names), schedule))
            .collect();
        let signature = &finding.signature;
        let has = |(found, schedule): &&(_, &Schedule)| {
            finding.schedule.as_ref() == Some(*schedule) && worst(found) == *signature
        };
        let Some((found, _)) = ends.iter().find(has) else {
            return Ok(None);
        };
        let counts = found.iter().filter(|(f, _)| signature.contains(f));
        let mut parts: Vec<Expr> = counts.flat_map(|(_, exprs)| exprs.clone()).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        for (found, _) in &ends {
            let worst = worst(found);
            if worst.is_superset(signature) {
                let more = found
                    .iter()
                    .filter(|(f, _)| worst.contains(f) && !signature.contains(f));
                for expr in more.flat_map(|(_, exprs)| exprs) {
                    let not = Expr::Not(Box::new(here(expr.clone())));
                    if !parts.contains(&not) {
                        parts.push(not);
                    }
                }
            }
        }
        Ok(Some(all(parts)))
    }
}

/// The verdict; none on a kernel on which the drivers that come first die, and nothing can be
/// asked.
fn asked_of(verdict: Result<(Verdict, bool), TestError>) -> Result<Option<Verdict>, TestError> {
    match verdict {
        Ok((verdict, _)) => Ok(Some(verdict)),
        Err(TestError::Initial { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `corrupt-i4-late-probe-register-iommu-bind-acpi-smmu-v3-own`
fn file_name(finding: &Distinct) -> String {
    let ids = finding.signature.iter().map(|f| f.id.as_str());
    let steps = finding.example.steps.iter().map(|s| s.word());
    let level = finding
        .signature
        .first()
        .map_or("other", |f| f.level.word());
    let board = finding.example.layout.name();
    let flavour = match finding.example.flavour {
        super::space::Flavour::Plain => None,
        other => Some(other.word()),
    };
    let words: Vec<&str> = std::iter::once(level)
        .chain(ids)
        .chain(steps)
        .chain([board.as_str()])
        .chain(flavour)
        .collect();
    let mut name = words.join("-").replace("of_xlate", "xlate");
    name.truncate(NAME);
    name.trim_end_matches('-').to_owned()
}

/// The name, with a number if it is there already.
fn numbered(name: String, names: &mut BTreeMap<String, usize>) -> String {
    let n = names.entry(name.clone()).or_default();
    *n += 1;
    match *n {
        1 => name,
        n => format!("{name}-{n}"),
    }
}

fn write(file: &Path, text: &str) -> Result<(), WriteError> {
    std::fs::write(file, text).map_err(|reason| WriteError::File {
        file: file.to_owned(),
        reason,
    })
}
