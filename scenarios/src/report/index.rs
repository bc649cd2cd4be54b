//! The first page: scenarios times kernels.

use super::history;
use super::kernels::{Column, Columns, Move, moves};
use super::layout::{At, page as whole, revision, scroll};
use super::room::{Room, Run, slug};
use super::runs::{class, letter, mark};
use crate::litmus::Verdict;
use maud::{Markup, html};

/// A table with more kernels than that is folded.
const WIDEST: usize = 24;

/// All of it.
pub(super) fn page(rooms: &[Room]) -> String {
    let runs = || rooms.iter().flat_map(|r| &r.runs);
    let bounded = runs().filter(|r| r.bounded.is_some()).count();
    let body = html! {
        h1 { "Verdicts" }
        p.lead {
            (rooms.len()) " scenarios on " (Columns::of(rooms).0.len()) " kernels: "
            (runs().count()) " searches, "
            @if bounded == 0 { "all of them to the end." }
            @else { b { (bounded) " of them bounded" } ": not explored to the end, a Never is a guess." }
        }
        (legend())
        @for group in rooms.chunk_by(|a, b| a.folder == b.folder) { (folder(group)) }
        (history::section(rooms))
    };
    whole(At::Index, "Verdicts, probe-litmus", &body)
}

fn legend() -> Markup {
    html! {
        ul.legend {
            @for (verdict, says) in [
                (Verdict::Never, "in no outcome"),
                (Verdict::Sometimes, "in some outcomes"),
                (Verdict::Always, "in every outcome"),
            ] {
                li {
                    span class={ "verdict key " (class(verdict)) } { (letter(verdict)) }
                    " " b { (verdict.word()) } ", " (says)
                }
            }
            li { span.move.worse { "▲" } " " b { "broke" } ": towards what the condition asks for" }
            li { span.move.better { "▼" } " " b { "fixed" } ": away from it" }
            li { "An empty cell was not asked for." }
        }
    }
}

/// A folder has a table with the kernels that it names. Where these are many, those of a series
/// share a column.
fn folder(group: &[Room]) -> Markup {
    let columns = Columns::of(group);
    let is_folded = columns.0.len() > WIDEST;
    let name = &group[0].folder;
    let content = html! {
        table.matrix.index.narrow[is_folded] {
            @if is_folded {
                thead {
                    tr { th.corner {} @for (series, _) in columns.series() { th.series scope="col" { (series) } } }
                }
                tbody { @for room in group { (folded(room, &columns)) } }
            } @else {
                thead {
                    tr.series {
                        th.corner {}
                        @for (series, n) in columns.series() { th scope="colgroup" colspan=(n) { (series) } }
                    }
                    tr { th.corner {} @for column in &columns.0 { (head(column)) } }
                }
                tbody { @for room in group { (row(room, &columns)) } }
            }
        }
    };
    html! {
        section {
            h2 id=(slug(name)) { (name) }
            @if is_folded {
                p.quiet {
                    (columns.0.len()) " kernels: those of a series share a column, from the oldest to \
                     the newest. Hovering says which one, and the scenario's page has each of them."
                }
            }
            (scroll(&format!("Verdicts of {name}"), &content))
        }
    }
}

/// The row of a scenario in a folded table.
fn folded(room: &Room, columns: &Columns) -> Markup {
    let moves = moves(room);
    html! {
        tr {
            (name(room))
            @for series in columns.0.chunk_by(|a, b| a.series == b.series) {
                @let runs: Vec<usize> = series.iter().filter_map(|c| position(room, c)).collect();
                @if runs.is_empty() {
                    td.none {}
                } @else {
                    td.folded {
                        @for nth in runs {
                            @let moved = moves.iter().find(|m| m.to == nth);
                            (verdict(room, &room.runs[nth], moved))
                        }
                    }
                }
            }
        }
    }
}

/// One of several verdicts in a cell.
fn verdict(room: &Room, run: &Run, moved: Option<&Move>) -> Markup {
    html! {
        @if let Some(m) = moved { (mark(room, m)) }
        span class={ "verdict " (class(run.verdict)) } title=(title(room, run)) {
            (letter(run.verdict)) span.hidden { (&run.verdict.word()[1..]) }
            (remarks(run))
        }
    }
}

fn position(room: &Room, column: &Column) -> Option<usize> {
    room.runs.iter().position(|r| r.revision == column.revision)
}

fn name(room: &Room) -> Markup {
    html! { th scope="row" { a href=(room.href()) title=(room.question()) { (room.name) } } }
}

fn head(column: &Column) -> Markup {
    html! {
        th.kernel scope="col" {
            span.up {
                @for (i, name) in column.names.iter().enumerate() {
                    @if i > 0 { " = " }
                    (revision(name))
                }
            }
        }
    }
}

fn row(room: &Room, columns: &Columns) -> Markup {
    let moves = moves(room);
    html! {
        tr {
            (name(room))
            @for column in &columns.0 {
                @match position(room, column) {
                    Some(nth) => (cell(room, &room.runs[nth], moves.iter().find(|m| m.to == nth))),
                    None => td.none {},
                }
            }
        }
    }
}

fn cell(room: &Room, run: &Run, moved: Option<&Move>) -> Markup {
    html! {
        td class={ "verdict " (class(run.verdict)) (moved_class(moved)) } title=(title(room, run)) {
            (letter(run.verdict))
            span.hidden { (&run.verdict.word()[1..]) }
            @if let Some(m) = moved { (mark(room, m)) }
            (remarks(run))
        }
    }
}

fn title(room: &Room, run: &Run) -> String {
    format!(
        "{} on {}: {} ({} of {} outcomes), {} findings",
        room.name,
        run.written,
        run.verdict.word(),
        run.with_condition(),
        run.outcomes.len(),
        run.bad_findings().count(),
    )
}

/// That a verdict is a guess, or not the one of the file.
fn remarks(run: &Run) -> Markup {
    html! {
        @if run.bounded.is_some() { small { "bounded" } }
        @if !run.is_as_stated() && run.bounded.is_none() { small { "not as stated" } }
    }
}

fn moved_class(moved: Option<&Move>) -> &'static str {
    match moved {
        None => "",
        Some(m) if m.is_worse => " broke",
        Some(_) => " fixed",
    }
}
