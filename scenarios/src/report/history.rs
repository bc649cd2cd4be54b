//! Which commit moved which verdict, over all scenarios.

use super::kernels::{Move, moves};
use super::layout::{commit, revision, scroll};
use super::room::Room;
use super::runs;
use kernel::commit::CommitId;
use kernel::revision::Revision;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// What lies between two kernels, and the verdicts that moved there.
struct Span<'a> {
    from: &'a str,
    to: &'a str,
    added: Vec<CommitId>,
    moved: Vec<(&'a Room, Move)>,
}

fn spans(rooms: &[Room]) -> Vec<Span<'_>> {
    let mut all: BTreeMap<(Revision, Vec<CommitId>), Span<'_>> = BTreeMap::new();
    for room in rooms {
        for m in moves(room) {
            let (from, to) = (&room.runs[m.from], &room.runs[m.to]);
            let key = (to.revision, m.added.clone());
            let span = all.entry(key).or_insert_with(|| Span {
                from: &from.written,
                to: &to.written,
                added: m.added.clone(),
                moved: vec![],
            });
            span.moved.push((room, m));
        }
    }
    all.into_values().collect()
}

/// Both tables: where one commit is to blame, and where it is one of several.
pub(super) fn section(rooms: &[Room]) -> Markup {
    let (one, many): (Vec<_>, Vec<_>) = spans(rooms).into_iter().partition(|s| s.added.len() == 1);
    html! {
        @if !one.is_empty() {
            section {
                h2 id="moved" { "What moved, by commit" }
                (table("Verdicts that moved, by commit", &one))
            }
        }
        @if !many.is_empty() {
            section {
                h2 id="between" { "What moved, somewhere between two kernels" }
                (table("Verdicts that moved between two kernels", &many))
            }
        }
    }
}

fn table(label: &str, spans: &[Span<'_>]) -> Markup {
    let content = html! {
        table.moved {
            thead { tr { th scope="col" { "Commit" } th scope="col" { "Broke" } th scope="col" { "Fixed" } } }
            tbody {
                @for span in spans {
                    tr {
                        th scope="row" { (name(span)) }
                        td { (rooms(span, true)) }
                        td { (rooms(span, false)) }
                    }
                }
            }
        }
    };
    scroll(label, &content)
}

fn name(span: &Span<'_>) -> Markup {
    html! {
        @if let [one] = span.added[..] {
            (commit(one.commit().id)) " "
            span.subject { (one.commit().subject) }
            @if !one.commit().is_mainline() { " " span.tag { "proposed" } }
        } @else {
            (revision(span.from)) " → " (revision(span.to)) " "
            span.subject { (span.added.len()) " commits of the model" }
        }
    }
}

fn rooms(span: &Span<'_>, worse: bool) -> Markup {
    html! {
        @for (room, m) in span.moved.iter().filter(|(_, m)| m.is_worse == worse) {
            div.moveline {
                (runs::mark(room, m)) " "
                a href=(room.href()) { (room.name) } " "
                span.quiet {
                    (runs::letter(room.runs[m.from].verdict)) "→" (runs::letter(room.runs[m.to].verdict))
                }
            }
        }
    }
}
