//! of_xlate calls as bars: a row for each pair of counts that a kernel comes to.

use super::room::{Calls, Room, Run};
use maud::{Markup, html};

const ROW: usize = 18;
/// Width of a character of a kernel's name.
const CHARACTER: usize = 7;
/// Width of one call, where there are few.
const CALL: u64 = 24;
/// All that bars may take.
const WIDEST: u64 = 480;

/// All clients of a scenario.
pub(super) fn all(room: &Room) -> Markup {
    let clients = room.runs.first().map_or(&[][..], |r| &r.calls);
    html! {
        @for (nth, client) in clients.iter().enumerate() {
            h3 { (client.device) }
            div.scroll role="region" tabindex="0" aria-label={ "of_xlate calls for " (client.device) } {
                (device(room, nth))
            }
        }
    }
}

/// A line of a drawing: on which kernel, where that is new, and what in how many outcomes.
struct Line<'a> {
    kernel: Option<&'a str>,
    pair: (u64, u64),
    outcomes: usize,
    total: usize,
}

fn lines(room: &Room, nth: usize) -> Vec<Line<'_>> {
    let of_run = |run: &'_ Run| -> Vec<((u64, u64), usize)> {
        let calls: Option<&Calls> = run.calls.get(nth);
        calls.map_or(vec![], |c| c.pairs.iter().map(|(p, n)| (*p, *n)).collect())
    };
    let each = room.runs.iter().flat_map(|run| {
        let pairs = of_run(run).into_iter().enumerate();
        pairs.map(|(i, (pair, outcomes))| Line {
            kernel: (i == 0).then_some(run.written.as_str()),
            pair,
            outcomes,
            total: run.outcomes.len(),
        })
    });
    each.collect()
}

fn device(room: &Room, nth: usize) -> Markup {
    let lines = lines(room, nth);
    let most = lines.iter().map(|l| l.pair.0 + l.pair.1).max();
    let most = most.unwrap_or(0).max(1);
    let call = (WIDEST / most).clamp(1, CALL);
    let kernels = lines.iter().filter_map(|l| l.kernel);
    let label = kernels.map(|k| k.chars().count()).max().unwrap_or(0);
    let left = (label * CHARACTER + 18) as u64;
    let (width, height) = (left + most * call + 230, lines.len() * ROW + 4);
    html! {
        svg.bars width=(width) height=(height) role="img" aria-label="of_xlate calls by kernel" {
            @for (i, line) in lines.iter().enumerate() {
                @if let Some(kernel) = line.kernel {
                    text.kernel x=(left - 10) y=(i * ROW + 13) text-anchor="end" { (kernel) }
                }
                (bar(line, left, i * ROW, call))
            }
        }
    }
}

fn bar(line: &Line<'_>, left: u64, y: usize, call: u64) -> Markup {
    let ((no_driver, driver), outcomes, total) = (line.pair, line.outcomes, line.total);
    let end = left + (no_driver + driver) * call;
    html! {
        g {
            title {
                (no_driver) " calls with dev->driver NULL, " (driver) " with it set, in "
                (outcomes) " of " (total) " outcomes"
            }
            @if no_driver > 0 {
                rect.platform x=(left) y=(y + 4) width=(no_driver * call) height="11" {}
            }
            @if driver > 0 {
                rect.driver x=(left + no_driver * call) y=(y + 4) width=(driver * call) height="11" {}
            }
            line.zero x1=(left) x2=(left) y1=(y + 2) y2=(y + 17) {}
            text x=(end + 8) y=(y + 13) {
                (no_driver) "/" (driver)
                @if outcomes < total { tspan.often { "  in " (outcomes) " of " (total) } }
                @else { tspan.often { "  always" } }
            }
        }
    }
}
