//! The first page: scenarios times kernels.

use super::history;
use super::kernels::{Column, Columns, Move, moves};
use super::layout::{At, page as whole, revision, scroll};
use super::room::{Room, Run, slug};
use super::runs::{class, letter, mark};
use crate::litmus::Verdict;
use maud::{Markup, html};

/// All of it.
pub(super) fn page(rooms: &[Room], columns: &Columns) -> String {
    let runs = || rooms.iter().flat_map(|r| &r.runs);
    let bounded = runs().filter(|r| r.bounded.is_some()).count();
    let body = html! {
        h1 { "Verdicts" }
        p.lead {
            (rooms.len()) " scenarios on " (columns.0.len()) " kernels: "
            (runs().count()) " searches, "
            @if bounded == 0 { "all of them to the end." }
            @else { b { (bounded) " of them bounded" } ": not explored to the end, a Never is a guess." }
        }
        (legend())
        (table(rooms, columns))
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

fn table(rooms: &[Room], columns: &Columns) -> Markup {
    let content = html! {
        table.matrix.index {
            thead {
                tr.series {
                    th.corner {}
                    @for (name, n) in columns.series() { th scope="colgroup" colspan=(n) { (name) } }
                }
                tr { th.corner {} @for column in &columns.0 { (head(column)) } }
            }
            @for group in rooms.chunk_by(|a, b| a.folder == b.folder) {
                tbody {
                    tr.group {
                        th id=(slug(&group[0].folder)) scope="rowgroup" colspan=(columns.0.len() + 1) {
                            span { (group[0].folder) }
                        }
                    }
                    @for room in group { (row(room, columns)) }
                }
            }
        }
    };
    scroll("Verdicts of all scenarios on all kernels", &content)
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
            th scope="row" { a href=(room.href()) title=(room.question()) { (room.name) } }
            @for column in &columns.0 {
                @match room.runs.iter().position(|r| r.revision == column.revision) {
                    Some(nth) => (cell(room, &room.runs[nth], moves.iter().find(|m| m.to == nth))),
                    None => td.none {},
                }
            }
        }
    }
}

fn cell(room: &Room, run: &Run, moved: Option<&Move>) -> Markup {
    let findings = run.bad_findings().count();
    let title = format!(
        "{} on {}: {} ({} of {} outcomes), {findings} findings",
        room.name,
        run.written,
        run.verdict.word(),
        run.with_condition(),
        run.outcomes.len(),
    );
    html! {
        td class={ "verdict " (class(run.verdict)) (moved_class(moved)) } title=(title) {
            (letter(run.verdict))
            span.hidden { (&run.verdict.word()[1..]) }
            @if let Some(m) = moved { (mark(room, m)) }
            @if run.bounded.is_some() { small { "bounded" } }
            @if !run.is_as_stated() && run.bounded.is_none() { small { "not as stated" } }
        }
    }
}

fn moved_class(moved: Option<&Move>) -> &'static str {
    match moved {
        None => "",
        Some(m) if m.is_worse => " broke",
        Some(_) => " fixed",
    }
}
