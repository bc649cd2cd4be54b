//! The table of a scenario's page: its kernels side by side, and what each comes to.

use super::kernels::Move;
use super::layout::{revision, scroll};
use super::room::{Room, Run, is_race};
use crate::litmus::Verdict;
use crate::review::{Finding, Level};
use checker::outcome::Final;
use kernel::outcome::Outcome;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// The first letter of a verdict: colour is not all that tells them apart.
pub(super) fn letter(verdict: Verdict) -> &'static str {
    &verdict.word()[..1]
}

/// The class that colours a verdict.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Never => "never",
        Verdict::Sometimes => "sometimes",
        Verdict::Always => "always",
    }
}

/// The whole table.
pub(super) fn table(room: &Room, moves: &[Move]) -> Markup {
    let content = html! {
        table.matrix {
            thead {
                tr {
                    th.corner {}
                    @for run in &room.runs {
                        th.kernel scope="col" { span.up { (revision(&run.written)) } }
                    }
                }
            }
            tbody { (verdicts(room, moves)) (counts(room)) }
            (group("Findings", &findings(room)))
            (group("Invariants violated", &invariants(room)))
            (group("Properties of the file", &properties(room)))
            (group("Outcomes, by the number that check gives them", &outcomes(room)))
        }
    };
    scroll("What comes out on each kernel", &content)
}

fn verdicts(room: &Room, moves: &[Move]) -> Markup {
    html! {
        tr.verdicts {
            th scope="row" { "Verdict" }
            @for (nth, run) in room.runs.iter().enumerate() {
                td class={ "verdict " (class(run.verdict)) } {
                    (letter(run.verdict)) span.word { (&run.verdict.word()[1..]) }
                    @if let Some(m) = moves.iter().find(|m| m.to == nth) { (mark(room, m)) }
                    @if run.bounded.is_some() { small { "bounded" } }
                    @if let Some(stated) = run.stated {
                        small { "file says " (stated.word()) }
                    }
                }
            }
        }
    }
}

/// That a verdict is another one than before, and where it went.
pub(super) fn mark(room: &Room, m: &Move) -> Markup {
    let (from, to) = (&room.runs[m.from], &room.runs[m.to]);
    let (word, arrow, class) = if m.is_worse {
        ("broke", "▲", "move worse")
    } else {
        ("fixed", "▼", "move better")
    };
    let title = format!(
        "{word}: {} on {}, {} on {}",
        from.verdict.word(),
        from.written,
        to.verdict.word(),
        to.written
    );
    html! { abbr class=(class) title=(title) { (arrow) } }
}

fn counts(room: &Room) -> Markup {
    let row = |name: &str, of: &dyn Fn(&Run) -> Markup| {
        html! { tr { th scope="row" { (name) } @for run in &room.runs { td { (of(run)) } } } }
    };
    html! {
        (row("Outcomes with the condition, of all", &|r| html! {
            (r.with_condition()) "/" (r.outcomes.len())
        }))
        (row("States", &|r| html! { (r.states) }))
    }
}

/// A row of the table: its head, and a cell for each kernel.
struct Row {
    head: Markup,
    class: &'static str,
    cells: Vec<Option<String>>,
}

fn group(title: &str, rows: &[Row]) -> Markup {
    html! {
        @if let Some(first) = rows.first() {
            tbody {
                tr.group { th scope="rowgroup" colspan=(first.cells.len() + 1) { span { (title) } } }
                @for row in rows {
                    tr class=(row.class) {
                        th scope="row" { (row.head) }
                        @for cell in &row.cells {
                            @match cell {
                                Some(text) => td { (text) },
                                None => td.none {},
                            }
                        }
                    }
                }
            }
        }
    }
}

fn findings(room: &Room) -> Vec<Row> {
    let all: BTreeSet<(Level, &Finding)> = room
        .runs
        .iter()
        .flat_map(|r| r.findings.keys())
        .map(|f| (f.kind.level(), f))
        .collect();
    let row = |(level, finding): (Level, &Finding)| {
        let cell = |run: &Run| {
            let n = run.findings.get(finding)?;
            Some(if is_race(finding) {
                format!("{n} pairs")
            } else {
                format!("{n}/{}", run.outcomes.len())
            })
        };
        Row {
            head: html! { span class={ "level " (level.word()) } { (level.word()) } (finding.text()) },
            class: "",
            cells: room.runs.iter().map(cell).collect(),
        }
    };
    all.into_iter().map(row).collect()
}

fn invariants(room: &Room) -> Vec<Row> {
    let mut all: BTreeMap<(usize, &str), &str> = BTreeMap::new();
    for (name, says, ..) in room.runs.iter().flat_map(|r| &r.invariants) {
        all.insert((name.len(), name), says);
    }
    let row = |((_, name), says): ((usize, &str), &str)| {
        let cell = |run: &Run| {
            let (_, _, devices, n) = run.invariants.iter().find(|i| i.0 == name)?;
            let total = run.outcomes.len();
            Some(format!("{n}/{total} {devices}").trim_end().to_owned())
        };
        Row {
            head: html! { b { (name) } " " (says) },
            class: "",
            cells: room.runs.iter().map(cell).collect(),
        }
    };
    all.into_iter().map(row).collect()
}

fn properties(room: &Room) -> Vec<Row> {
    let names = room.runs.first().map_or(&[][..], |r| &r.properties);
    let row = |(nth, (name, _)): (usize, &(String, bool))| {
        let cell = |run: &Run| {
            let holds = run.properties.get(nth)?.1;
            Some(if holds { "ok" } else { "NO" }.to_owned())
        };
        Row {
            head: html! { (name) },
            class: "",
            cells: room.runs.iter().map(cell).collect(),
        }
    };
    names.iter().enumerate().map(row).collect()
}

/// Each outcome of any kernel; those with the condition have a star.
fn outcomes(room: &Room) -> Vec<Row> {
    let mut all: BTreeMap<&Final<Outcome>, (&Vec<String>, bool)> = BTreeMap::new();
    for (end, lines, holds) in room.runs.iter().flat_map(|r| &r.outcomes) {
        all.insert(end, (lines, *holds));
    }
    let row = |(end, (lines, holds)): (&Final<Outcome>, (&Vec<String>, bool))| {
        let cell = |run: &Run| {
            let nth = run.outcomes.iter().position(|(e, ..)| e == end)?;
            Some((nth + 1).to_string())
        };
        Row {
            head: html! {
                @if holds { abbr.star title="fulfils the condition" { "*" } }
                @for (i, line) in lines.iter().enumerate() {
                    @if i > 0 { br; }
                    (line)
                }
            },
            class: if holds { "outcome holds" } else { "outcome" },
            cells: room.runs.iter().map(cell).collect(),
        }
    };
    all.into_iter().map(row).collect()
}
