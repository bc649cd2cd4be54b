//! The line itself: versions on the left, a dot for each commit, its rooms beneath it.

use super::Entry;
use crate::report::room::Room;
use crate::report::{kernels, runs};
use maud::{Markup, html};

const ROW: usize = 20;
const RAIL: usize = 92;
const ID: usize = 134;
const SUBJECT: usize = 244;
const WIDTH: usize = 1010;

/// An entry, and where it is drawn.
struct Placed<'a> {
    entry: &'a Entry,
    y: usize,
    /// Whether its version was not that of the entry before.
    is_new: bool,
}

fn place(entries: &[Entry]) -> (Vec<Placed<'_>>, usize) {
    let mut y = 18;
    let mut placed = vec![];
    for (nth, entry) in entries.iter().enumerate() {
        let before = nth.checked_sub(1).map(|i| &entries[i]);
        let is_new =
            before.is_none_or(|b| (b.version, b.is_proposed) != (entry.version, entry.is_proposed));
        let is_series = before.is_some_and(|b| b.version.series() != entry.version.series());
        y += if is_series || before.is_some_and(|b| b.is_proposed != entry.is_proposed) {
            12
        } else {
            0
        };
        placed.push(Placed { entry, y, is_new });
        y += ROW * (1 + entry.rooms.len() + usize::from(entry.said.is_some()));
    }
    (placed, y + 10)
}

/// The drawing.
pub(super) fn line(entries: &[Entry], rooms: &[Room]) -> Markup {
    let (placed, height) = place(entries);
    let last = placed
        .iter()
        .rfind(|p| !p.entry.is_proposed)
        .map_or(0, |p| p.y);
    html! {
        svg.timeline width=(WIDTH) height=(height) viewBox={ "0 0 " (WIDTH) " " (height) } role="img"
            aria-label="Commits by version" {
            line.rail x1=(RAIL) x2=(RAIL) y1="6" y2=(last + 8) {}
            @for p in &placed { (entry(p)) (links(p, rooms)) (said(p)) }
        }
    }
}

fn entry(p: &Placed<'_>) -> Markup {
    let Placed { entry, y, is_new } = *p;
    let class = match (entry.is_proposed, entry.effect) {
        (true, _) => "proposed",
        (_, Some(_)) => "modelled",
        (_, None) => "older",
    };
    let notes = entry.notes.join("; ");
    let is_sha = !entry.is_proposed;
    let href = format!("https://git.kernel.org/torvalds/c/{}", entry.id);
    html! {
        g class={ "entry " (class) } {
            title { (entry.effect.unwrap_or("Not in the model's table.")) }
            @if is_new {
                text.version x=(RAIL - 14) y=(y + 4) text-anchor="end" {
                    @if entry.is_proposed { "proposed" } @else { (entry.version) }
                }
            }
            circle.dot cx=(RAIL) cy=(y) r="4.5" {}
            @if let Some(number) = entry.thread {
                text.thread x=(RAIL + 20) y=(y + 4) text-anchor="middle" { (number) }
            }
            @if is_sha { a href=(href) { text.sha x=(ID) y=(y + 4) { (entry.id) } } }
            text.subject x=(if is_sha { SUBJECT } else { ID }) y=(y + 4) {
                @if !is_sha { tspan.sha { (entry.id) "  " } }
                @if entry.subject.is_empty() { tspan.notes { "subject not looked up" } }
                (entry.subject)
                @if !notes.is_empty() { tspan.notes { "  " (notes) } }
            }
        }
    }
}

/// What the museum says of an entry, beneath its rooms.
fn said(p: &Placed<'_>) -> Markup {
    html! {
        @if let Some(said) = &p.entry.said {
            text.why x=(SUBJECT) y=(p.y + ROW * (1 + p.entry.rooms.len()) + 3) { (said) }
        }
    }
}

/// The rooms of an entry, with what became of their verdicts there if this report has them.
fn links(p: &Placed<'_>, rooms: &[Room]) -> Markup {
    html! {
        @for (i, name) in p.entry.rooms.iter().enumerate() {
            @let y = p.y + (i + 1) * ROW;
            g.room {
                path.branch d={ "M" (RAIL) " " (p.y + 4) "V" (y) "H" (SUBJECT - 10) } {}
                @match rooms.iter().find(|r| r.name == *name) {
                    Some(room) => {
                        a href=(room.href()) {
                            text x=(SUBJECT) y=(y + 4) {
                                (name)
                                @if let Some(moved) = moved(room, p.entry.id) { tspan.notes { "  " (moved) } }
                            }
                        }
                    }
                    None => { text.quiet x=(SUBJECT) y=(y + 4) { (name) } }
                }
            }
        }
    }
}

/// `Sometimes → Never`, where this commit alone is between the two kernels.
fn moved(room: &Room, id: &str) -> Option<String> {
    let all = kernels::moves(room);
    let m = all
        .iter()
        .find(|m| matches!(m.added[..], [one] if one.commit().id == id))?;
    let (from, to) = (&room.runs[m.from], &room.runs[m.to]);
    let sign = if m.is_worse { "▲ broke" } else { "▼ fixed" };
    Some(format!(
        "{sign}: {} → {}",
        runs::letter(from.verdict),
        runs::letter(to.verdict)
    ))
}
