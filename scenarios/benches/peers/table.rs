//! What came out, as Markdown.

use super::engines::Peer;
use super::scenario::Case;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// One peer on one case.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) peer: Peer,
    /// It came to its end in time.
    pub(crate) ended: bool,
    /// Outcomes that it found.
    pub(crate) outcomes: BTreeSet<String>,
    /// How many there are, if anybody knows.
    pub(crate) of: Option<usize>,
    /// States visited or stored, if it has states.
    pub(crate) states: Option<u64>,
    /// Transitions taken, or executions.
    pub(crate) edges: Option<u64>,
    /// Seconds of wall-clock time.
    pub(crate) seconds: f64,
    /// KiB of memory at most.
    pub(crate) peak_kib: Option<u64>,
    /// Why it was not run.
    pub(crate) note: Option<String>,
}

impl Row {
    /// A peer that is not there.
    pub(crate) fn absent(peer: Peer, why: &str) -> Self {
        Self {
            peer,
            ended: false,
            outcomes: BTreeSet::new(),
            of: None,
            states: None,
            edges: None,
            seconds: 0.0,
            peak_kib: None,
            note: Some(why.to_owned()),
        }
    }
}

/// All rows, by case.
#[derive(Debug)]
pub(crate) struct Table {
    /// What each peer had for each case.
    pub(crate) limit: Duration,
    cases: Vec<(Case, Vec<Row>)>,
}

impl Table {
    /// No rows yet.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            cases: vec![],
        }
    }

    /// The rows of one more case.
    pub(crate) fn add(&mut self, case: Case, rows: Vec<Row>) {
        self.cases.push((case, rows));
    }

    fn growth(&self, f: &mut fmt::Formatter<'_>, tasks: usize, peer: Peer) -> fmt::Result {
        let of_peer = |(case, rows): &(Case, Vec<Row>)| {
            let row = rows.iter().find(|r| r.peer == peer && r.ended)?;
            (case.tasks == tasks).then(|| (real(case.clients as u64), row.clone()))
        };
        let points: Vec<(f64, Row)> = self.cases.iter().filter_map(of_peer).collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Ok(());
        };
        let seconds: Vec<(f64, f64)> = points.iter().map(|(d, r)| (*d, r.seconds)).collect();
        let states = points
            .iter()
            .filter_map(|(d, r)| Some((*d, real(r.states?))));
        let states: Vec<(f64, f64)> = states.collect();
        writeln!(
            f,
            "| {tasks} | {} | {} to {} | {} | {} | {} |",
            peer.name(),
            first.0,
            last.0,
            or_dash(exponent(&seconds)),
            or_dash(exponent(&states)),
            or_dash(factor(&states)),
        )
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| case | peer | outcomes | states | edges or executions | seconds | per second | \
             peak MiB | time / ours |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        for (case, rows) in &self.cases {
            let ours = rows.iter().find(|r| r.peer == Peer::Exhaustive && r.ended);
            for row in rows {
                write_row(f, *case, row, ours, self.limit)?;
            }
        }
        writeln!(
            f,
            "\n| tasks | peer | clients | seconds as d^ | states as d^ | states by client |\n\
             |--:|---|---|--:|--:|--:|"
        )?;
        for tasks in 2..=4 {
            for peer in Peer::ALL {
                self.growth(f, tasks, peer)?;
            }
        }
        Ok(())
    }
}

fn write_row(
    f: &mut fmt::Formatter<'_>,
    case: Case,
    row: &Row,
    ours: Option<&Row>,
    limit: Duration,
) -> fmt::Result {
    let name = row.peer.name();
    if let Some(note) = &row.note {
        return writeln!(f, "| {case} | {name} | {note} | | | | | | |");
    }
    let found = row.outcomes.len();
    let outcomes = match row.of {
        Some(of) if of == found => found.to_string(),
        Some(of) => format!("{found} of {of}"),
        None => format!("{found} of ?"),
    };
    let seconds = if row.ended {
        format!("{:.3}", row.seconds)
    } else {
        format!("> {}", limit.as_secs_f64())
    };
    let rate = row.states.or(row.edges).map(|n| real(n) / row.seconds);
    let ratio = ours.filter(|_| !row.peer.samples()).map(|o| {
        let more = if row.ended { "" } else { "> " };
        format!("{more}{:.2}", row.seconds / o.seconds)
    });
    writeln!(
        f,
        "| {case} | {name} | {outcomes} | {} | {} | {seconds} | {} | {} | {} |",
        or_empty(row.states),
        or_empty(row.edges),
        or_empty(rate.map(|r| format!("{r:.0}"))),
        or_empty(row.peak_kib.map(|k| format!("{:.1}", real(k) / 1024.0))),
        or_empty(ratio),
    )
}

fn or_empty(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(String::new, |v| v.to_string())
}

fn or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}"))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no more than a few digits are shown"
)]
fn real(n: u64) -> f64 {
    n as f64
}

/// The exponent `k` of the fit `y = c * x^k`, if there are three points.
fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    slope(&logs)
}

/// The factor `b` of the fit `y = c * b^x`, if there are three points.
fn factor(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (*x, y.ln())).collect();
    slope(&logs).map(f64::exp)
}

/// The slope of the line of least squares.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len();
    if n < 3 {
        return None;
    }
    let mean =
        |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / real(n as u64);
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    Some(above / below)
}
