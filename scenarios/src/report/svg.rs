//! Lanes as a drawing: time goes down, a lane is a line on the left, and beside it stands what
//! happens, further in the deeper the call.

use super::lanes::{Handover, Lanes, Sort, Step};
use maud::{Markup, html};

/// Height of a line of text.
const ROW: usize = 18;
/// Where the first lane is; to its left stands who goes on.
const FIRST: usize = 56;
/// From lane to lane.
const LANE: usize = 34;
/// How much further right the text of the next lane begins.
const SHIFT: usize = 36;
/// How much further in a call's content is.
const INDENT: usize = 10;
/// Ten times the width of a character: 12 px of any of the usual monospaced fonts.
const CHARACTER: usize = 73;
/// Colours, which come again if there are more lanes.
const COLOURS: usize = 6;

/// A run. `id` is unique on the page; the steps have it with their number.
pub(super) fn run(id: &str, lanes: &Lanes) -> Markup {
    let width = width(lanes);
    let height = top(lanes) + lanes.steps.len() * ROW + 8;
    let view = format!("0 0 {width} {height}");
    html! {
        svg.lanes width=(width) height=(height) viewBox=(view) role="img"
            aria-label="The run, step by step: a lane for each task" {
            g.names { @for (nth, name) in lanes.lanes.iter().enumerate() { (lane_name(nth, name)) } }
            g.rails { @for nth in 0..lanes.lanes.len() { (rail(lanes, nth)) } }
            g.steps { @for nth in 0..lanes.steps.len() { (step(id, lanes, nth)) } }
            g.hands {
                @for (nth, hand) in lanes.handovers.iter().enumerate() { (handover(lanes, hand, nth)) }
            }
        }
    }
}

fn top(lanes: &Lanes) -> usize {
    lanes.lanes.len() * ROW + 10
}

fn x(lane: usize) -> usize {
    FIRST + lane * LANE
}

/// The middle of a step's line.
fn y(lanes: &Lanes, step: usize) -> usize {
    top(lanes) + step * ROW + ROW / 2
}

fn text_x(lanes: &Lanes, step: &Step) -> usize {
    x(lanes.lanes.len() - 1) + 16 + step.lane * SHIFT + step.depth * INDENT
}

fn characters(n: usize) -> usize {
    (n * CHARACTER).div_ceil(10)
}

fn width(lanes: &Lanes) -> usize {
    let of_step = |s: &Step| text_x(lanes, s) + characters(s.text.chars().count());
    let of_name = |(nth, name): (usize, &String)| x(nth) + 14 + characters(name.chars().count());
    let steps = lanes.steps.iter().map(of_step);
    let names = lanes.lanes.iter().enumerate().map(of_name);
    steps.chain(names).max().unwrap_or(0) + 12
}

fn colour(lane: usize) -> String {
    format!("c{}", lane % COLOURS)
}

fn lane_name(nth: usize, name: &str) -> Markup {
    let middle = nth * ROW + ROW / 2 + 2;
    html! {
        g class=(colour(nth)) {
            circle.dot cx=(x(nth)) cy=(middle) r="4" {}
            text.name x=(x(nth) + 12) y=(middle + 4) { (name) }
        }
    }
}

/// The line of a lane, from its name down to its last step.
fn rail(lanes: &Lanes, nth: usize) -> Markup {
    let last = lanes.steps.iter().rposition(|s| s.lane == nth);
    let end = y(lanes, last.unwrap_or(0));
    html! {
        line class={ "rail " (colour(nth)) } x1=(x(nth)) x2=(x(nth))
            y1=(nth * ROW + ROW + 2) y2=(end) {}
    }
}

fn step(id: &str, lanes: &Lanes, nth: usize) -> Markup {
    let step = &lanes.steps[nth];
    let goes_on = nth > 0 && lanes.steps[nth - 1].lane == step.lane;
    let (middle, number) = (y(lanes, nth), nth + 1);
    let label = hover(&lanes.lanes[step.lane], step);
    html! {
        g id={ (id) "." (number) } class={ "step " (colour(step.lane)) " " (word(step.sort)) }
            data-step=(number) {
            title { (label) }
            rect.row x="0" y=(middle - ROW / 2) width=(width(lanes)) height=(ROW) {}
            @if !goes_on {
                text.who x="4" y=(middle + 4) { (short(&lanes.lanes[step.lane])) }
            }
            (mark(step.sort, x(step.lane), middle))
            text.what x=(text_x(lanes, step)) y=(middle + 4) { (step.text) }
        }
    }
}

/// A dot; a box for a lock and a diamond for a splat, so that it is not colour alone.
fn mark(sort: Sort, x: usize, y: usize) -> Markup {
    match sort {
        Sort::Lock => html! { rect.dot x=(x - 3) y=(y - 3) width="6" height="6" {} },
        Sort::Splat => {
            let points = format!("{x},{} {},{y} {x},{} {},{y}", y - 6, x + 6, y + 6, x - 6);
            html! { polygon.dot points=(points) {} }
        }
        Sort::Call => html! { circle.dot.hollow cx=(x) cy=(y) r="3" {} },
        Sort::Field | Sort::Note => html! { circle.dot cx=(x) cy=(y) r="3" {} },
    }
}

/// An arrow from the step that drops a lock to the one that takes it: solid if that one has waited
/// for it, dashed if it came later. Those that follow each other
/// go down side by side.
fn handover(lanes: &Lanes, hand: &Handover, nth: usize) -> Markup {
    let (from, to) = (&lanes.steps[hand.from], &lanes.steps[hand.to]);
    let (x1, x2) = (x(from.lane), x(to.lane));
    let (y1, y2) = (y(lanes, hand.from), y(lanes, hand.to));
    let middle = usize::midpoint(x1, x2) + nth % 4 * 4 - 6;
    // The head points into the lane from the side that the arrow comes from.
    let (tip, back) = if x2 > x1 {
        (x2 - 4, x2 - 11)
    } else {
        (x2 + 4, x2 + 11)
    };
    let path = format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {back} {y2}");
    let head = format!("{tip},{y2} {back},{} {back},{}", y2 - 4, y2 + 4);
    let (giver, taker) = (short(&lanes.lanes[from.lane]), short(&lanes.lanes[to.lane]));
    let (class, how) = if hand.waited {
        ("hand waited ", "which has waited for it, takes it")
    } else {
        ("hand ", "takes it next, without having waited")
    };
    html! {
        g class={ (class) (colour(from.lane)) } data-from=(hand.from + 1) data-to=(hand.to + 1) {
            title { (hand.lock) ": " (giver) " drops it, " (taker) @if hand.waited { ", " } @else { " " } (how) }
            path d=(path) {}
            polygon points=(head) {}
        }
    }
}

/// `CPU0` of `CPU0 (driver_register arm-smmu-v3)`.
fn short(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Call => "call",
        Sort::Field => "field",
        Sort::Lock => "lock",
        Sort::Note => "note",
        Sort::Splat => "splat",
    }
}

/// Who, in which function of which file, and how it came there.
fn hover(lane: &str, step: &Step) -> String {
    let mut text = short(lane).to_owned();
    if let Some((function, file)) = step.place() {
        text = format!("{text}, {function}()");
        if let Some(file) = file {
            text = format!("{text} in {file}");
        }
    }
    let callers: Vec<&str> = step.calls.iter().rev().skip(1).copied().collect();
    if !callers.is_empty() {
        text = format!("{text}\ncalled by {}", callers.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::report::{Handover, Lanes, Sort, Step};

    fn step(lane: usize, depth: usize, sort: Sort, text: &str) -> Step {
        Step {
            lane,
            depth,
            sort,
            text: text.to_owned(),
            calls: vec!["really_probe", "of_iommu_configure"],
        }
    }

    /// Two tasks, a lock that goes from one to the other, and a mark of each shape.
    #[test]
    fn a_small_run_is_drawn() {
        let lock = "client0: &dev->mutex";
        let lanes = Lanes {
            lanes: vec!["CPU0 (boot)".to_owned(), "CPU1 (<b>)".to_owned()],
            steps: vec![
                step(0, 0, Sort::Call, "of_iommu_configure(client0)"),
                step(0, 1, Sort::Lock, &format!("unlock {lock}")),
                step(1, 0, Sort::Lock, &format!("lock {lock}")),
                step(1, 0, Sort::Field, "client0: dev->driver = client-drv"),
                step(0, 1, Sort::Splat, "WARN"),
                step(0, 1, Sort::Lock, &format!("lock {lock}")),
            ],
            handovers: vec![
                Handover {
                    from: 1,
                    to: 2,
                    lock: lock.to_owned(),
                    waited: true,
                },
                Handover {
                    from: 2,
                    to: 5,
                    lock: lock.to_owned(),
                    waited: false,
                },
            ],
        };
        let drawn = run("run1", &lanes).into_string().replace("><", ">\n<");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../tests/report");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("a-small-run", drawn));
    }
}
