//! What a search found, as text.

use super::{Found, Row, Written};
use crate::wrap;
use std::fmt::{self, Display, Formatter};

/// The whole report.
#[derive(Debug)]
pub struct Text<'a> {
    /// What was found.
    pub found: &'a Found,
    /// The files, if they were written: the findings in their order, or the first of them.
    pub written: &'a [Written],
}

/// A signature in short.
fn ids(signature: &super::Signature) -> String {
    let ids: Vec<&str> = signature.iter().map(|f| f.id.as_str()).collect();
    ids.join("+")
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let complete = match &self.bounded {
            None => String::from("yes"),
            Some(why) => format!("no ({why})"),
        };
        let found: Vec<String> = self.signatures.keys().map(ids).collect();
        write!(
            f,
            "{:>8} {:>5}  complete {complete}  {}  {}",
            self.states,
            self.outcomes,
            self.combination.name(),
            found.join(" ")
        )
    }
}

impl Found {
    /// The runs that have the steps of no known cause, each with what is wrong at its end.
    fn unexplained(&self) -> Vec<(&Row, String)> {
        let each = self.rows.iter();
        let each = each.flat_map(|row| row.causes.iter().map(move |(what, by)| (row, what, by)));
        let none = each.filter(|(.., by)| by.is_empty());
        none.map(|(row, what, _)| (row, ids(what))).collect()
    }

    /// A line for each combination that was asked for: how many states and outcomes it has, whether it
    /// was explored to its end, and what is wrong. Those that were not explored come last.
    pub fn table(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("{row}\n"));
        let left = self.left.iter();
        let left = left.map(|c| {
            format!(
                "{:>8} {:>5}  complete no (not explored)  {}\n",
                "-",
                "-",
                c.name()
            )
        });
        rows.chain(left).collect()
    }
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let found = self.found;
        let bounded = found.rows.iter().filter(|r| r.bounded.is_some()).count();
        let clean = found
            .rows
            .iter()
            .filter(|r| r.signatures.is_empty())
            .count();
        writeln!(f, "Search {}", found.kernel)?;
        writeln!(
            f,
            "Combinations {}: explored {}, to the end {}, bounded {bounded}, with nothing wrong \
             {clean}",
            found.asked,
            found.rows.len(),
            found.rows.len() - bounded
        )?;
        for row in found.rows.iter().filter(|r| r.bounded.is_some()) {
            writeln!(f, "  bounded: {row}")?;
        }
        if !found.left.is_empty() {
            let left = found.left.len();
            writeln!(f, "Not explored {left}: the search was interrupted")?;
        }
        writeln!(f, "Findings {}", found.findings.len())?;
        for (n, finding) in found.findings.iter().enumerate() {
            let level = finding.signature.first().map_or("", |s| s.level.word());
            writeln!(
                f,
                "{:>3}  {level}  in {} combinations, the smallest {}",
                n + 1,
                finding.combinations,
                finding.example.name()
            )?;
            for fault in &finding.signature {
                writeln!(
                    f,
                    "{}",
                    wrap::list(&format!("     {}", fault.text), 0, 9).join("\n         ")
                )?;
            }
            if finding.schedule.is_some() {
                let by = match finding.causes[..] {
                    [] => String::from("no cause that is known"),
                    _ => finding.causes.join(", "),
                };
                let by = wrap::list(&format!("     by {by}"), 0, 8).join("\n        ");
                writeln!(f, "{by}")?;
            }
            if let Some(written) = self.written.get(n) {
                let since = written.since.as_deref().unwrap_or("v6.12 or before");
                writeln!(
                    f,
                    "     {}.litmus: {}, since {since}",
                    written.name, written.verdict
                )?;
            }
        }
        let unexplained = found.unexplained();
        writeln!(
            f,
            "Shortest runs without the steps of a known cause {}",
            unexplained.len()
        )?;
        for (row, ids) in unexplained {
            writeln!(f, "  {}: {ids}", row.combination.name())?;
        }
        let complete = if found.is_complete() { "yes" } else { "no" };
        writeln!(f, "Complete {complete}")
    }
}
