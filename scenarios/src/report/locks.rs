//! The order of locks, as a drawing for each kernel where it is another one: a lock class leads to
//! those that are taken under it.

use super::layered::{Layered, lay_out};
use super::layout::{revision, scroll};
use super::page::controls;
use super::room::{Room, Run};
use crate::runner::Answer;
use crate::runner::names::Resolver;
use checker::engine::lock_order::ClassEdge;
use checker::model::Model;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Width of a character of a class's name.
const CHARACTER: usize = 8;
/// Room around the drawing, for what loops back.
const MARGIN: usize = 22;

/// What was seen: from the class that is held to the one that is taken under it.
pub type LockOrder = BTreeMap<(String, String), LockEdge>;

/// How one lock class comes to be taken under another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockEdge {
    /// The function that took the lock that is held.
    pub outer: &'static str,
    /// The function that takes the other.
    pub inner: &'static str,
    /// Whether it lies on a cycle: a lock-order inversion.
    pub is_inverted: bool,
}

/// Reads it off an exploration. The functions are those of the least of all ways to that edge.
pub(super) fn order(answer: &Answer, names: &Resolver<'_>) -> LockOrder {
    let layout = answer.kernel.layout();
    let order = &answer.report.lock_order;
    let inversions = order.inversions(layout);
    let steps = inversions.iter().flat_map(|i| &i.steps);
    let on_cycle: BTreeSet<_> = steps.map(|s| (&s.outer, &s.inner)).collect();
    let edge = |e: &ClassEdge| {
        let classes = (names.relabel(&e.outer), names.relabel(&e.inner));
        let edge = LockEdge {
            outer: e.edge.outer.function,
            inner: e.edge.inner.function,
            is_inverted: on_cycle.contains(&(&e.outer, &e.inner)),
        };
        (classes, edge)
    };
    order.class_edges(layout).iter().map(edge).collect()
}

/// Kernels that follow each other with one and the same order, whatever the functions.
struct Era<'a> {
    runs: Vec<&'a Run>,
}

impl Era<'_> {
    fn edges(&self) -> impl Iterator<Item = (&(String, String), &LockEdge)> {
        self.runs.iter().take(1).flat_map(|r| &r.locks)
    }

    fn classes(&self) -> BTreeSet<&(String, String)> {
        self.edges().map(|(classes, _)| classes).collect()
    }

    /// The functions that took an edge's locks, on any of the kernels.
    fn functions(&self, classes: &(String, String)) -> BTreeSet<(&'static str, &'static str)> {
        let edges = self.runs.iter().filter_map(|r| r.locks.get(classes));
        edges.map(|e| (e.outer, e.inner)).collect()
    }
}

fn eras(room: &Room) -> Vec<Era<'_>> {
    let shape = |run: &Run| -> Vec<(String, String, bool)> {
        let edge =
            |((a, b), e): (&(String, String), &LockEdge)| (a.clone(), b.clone(), e.is_inverted);
        run.locks.iter().map(edge).collect()
    };
    let mut eras: Vec<Era<'_>> = vec![];
    for run in &room.runs {
        match eras.last_mut() {
            Some(era) if shape(era.runs[0]) == shape(run) => era.runs.push(run),
            _ => eras.push(Era { runs: vec![run] }),
        }
    }
    eras
}

/// The section of a scenario's page.
pub(super) fn section(room: &Room) -> Markup {
    let eras = eras(room);
    html! {
        @if room.runs.iter().any(|r| !r.locks.is_empty()) {
            section {
                h2 id="locks" { "Lock order" }
                p.quiet {
                    "An arrow goes from a lock class that is held to one that is taken under it, in \
                     any schedule. Heavy and red with a ! is what lies on a cycle: an inversion, as \
                     lockdep reports it. A + is new against the kernel before. The keys are those \
                     of the runs."
                }
                @for (nth, era) in eras.iter().enumerate() {
                    (drawn(nth, era, nth.checked_sub(1).map(|i| &eras[i])))
                }
            }
        }
    }
}

fn drawn(nth: usize, era: &Era<'_>, before: Option<&Era<'_>>) -> Markup {
    let id = format!("locks{}", nth + 1);
    let added = before.map_or(BTreeSet::new(), |b| &era.classes() - &b.classes());
    let inverted = era.edges().filter(|(_, e)| e.is_inverted).count();
    html! {
        figure.run.order id=(id) tabindex="0" {
            figcaption {
                h3 {
                    @for (i, run) in era.runs.iter().enumerate() {
                        @if i > 0 { ", " }
                        (revision(&run.written))
                    }
                }
                @if inverted > 0 { p { b { "Inversion" } ": " (inverted) " of the arrows on a cycle." } }
                @if let Some(before) = before { (changes(era, before)) }
            }
            @if era.edges().next().is_none() {
                p.quiet { "No lock is taken under another." }
            } @else {
                (controls(era.edges().count(), "arrows"))
                (scroll("Lock order", &graph(&id, era, &added)))
            }
        }
    }
}

/// What came and went against the kernel before.
fn changes(era: &Era<'_>, before: &Era<'_>) -> Markup {
    let (now, then) = (era.classes(), before.classes());
    let last = before.runs.last().map_or("", |r| &r.written);
    let list = |sign: &'static str, word: &'static str, edges: BTreeSet<&(String, String)>| {
        html! {
            @for (outer, inner) in edges {
                li { span class=(word) { (sign) } " " code { (outer) } " → " code { (inner) } }
            }
        }
    };
    html! {
        p { "Against " (revision(last)) ":" @if now == then { " the same arrows, others of them on a cycle." } }
        @if now != then {
            ul.changes {
                (list("+", "added", &now - &then))
                (list("−", "gone", &then - &now))
            }
        }
    }
}

fn graph(id: &str, era: &Era<'_>, added: &BTreeSet<&(String, String)>) -> Markup {
    let names: BTreeSet<&str> = era
        .edges()
        .flat_map(|((a, b), _)| [a.as_str(), b.as_str()])
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let place = |name: &str| names.iter().position(|n| *n == name).unwrap_or(0);
    let widths: Vec<usize> = names
        .iter()
        .map(|n| n.chars().count() * CHARACTER + 16)
        .collect();
    let ends: Vec<(usize, usize)> = era
        .edges()
        .map(|((a, b), _)| (place(a), place(b)))
        .collect();
    let laid = lay_out(&widths, &ends);
    let (width, height) = (laid.size.0 + 2 * MARGIN, laid.size.1 + 2 * MARGIN);
    html! {
        svg.locks width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } role="img"
            aria-label="Which lock class is taken under which" {
            @for (nth, (classes, edge)) in era.edges().enumerate() {
                @let is_new = added.contains(classes);
                g id={ (id) "." (nth + 1) } data-step=(nth + 1) class={
                    "step"
                    @if edge.is_inverted { " inverted" }
                    @if is_new { " added" }
                } {
                    title { (hover(era, classes, edge.is_inverted, is_new)) }
                    (arrow(&laid, nth, edge.is_inverted, is_new))
                }
            }
            @for (nth, name) in names.iter().enumerate() { (class(name, laid.nodes[nth], widths[nth])) }
        }
    }
}

fn class(name: &str, (x, y): (usize, usize), width: usize) -> Markup {
    html! {
        g.class {
            rect x=(x + MARGIN) y=(y + MARGIN - 12) width=(width) height="24" rx="4" {}
            text x=(x + MARGIN + width / 2) y=(y + MARGIN + 4) text-anchor="middle" { (name) }
        }
    }
}

/// A curve from box to box, level where it passes by others, with a head and with its marks.
fn arrow(laid: &Layered, nth: usize, is_inverted: bool, is_new: bool) -> Markup {
    let route = &laid.edges[nth];
    let (from, to) = (route[0], route[route.len() - 1]);
    let (path, head, at) = if from == to {
        around(from)
    } else {
        across(route)
    };
    let mark = match (is_inverted, is_new) {
        (true, true) => "!+",
        (true, false) => "!",
        (false, true) => "+",
        (false, false) => "",
    };
    html! {
        path.row d=(path) {}
        path.edge d=(path) {}
        polygon points=(head) {}
        @if !mark.is_empty() { text.mark x=(at.0) y=(at.1) { (mark) } }
    }
}

/// A path, the corners of its head, and where a mark stands.
type Arrow = (String, String, (usize, usize));

/// To the right, or back to the left for what closes a cycle.
fn across(route: &[(usize, usize, usize)]) -> Arrow {
    let is_right = route[0].0 < route[route.len() - 1].0;
    // Where it leaves a place, and where it comes in.
    let side = |(left, right, y): (usize, usize, usize), leaves: bool| {
        let x = if leaves == is_right { right } else { left };
        (x + MARGIN, y + MARGIN)
    };
    let last = route.len() - 1;
    let (tip, level) = side(route[last], false);
    let end = if is_right { tip - 8 } else { tip + 8 };
    // What goes back keeps off the arrows that lead the other way.
    let off = if is_right { 0 } else { 7 };
    let (x, y) = side(route[0], true);
    let mut path = format!("M{x} {}", y + off);
    let (mut x, mut y) = (x, y + off);
    let mut mark = None;
    for (nth, place) in route.iter().enumerate().skip(1) {
        let (next, at) = side(*place, false);
        let (next, at) = (if nth == last { end } else { next }, at + off);
        let middle = usize::midpoint(x, next);
        path = format!("{path}C{middle} {y} {middle} {at} {next} {at}");
        // Beside the first bend, or above where it passes by.
        mark.get_or_insert(if nth == last {
            (middle + 3, usize::midpoint(y, at) - 3)
        } else {
            (next + 6, at - 3)
        });
        (x, y) = (next, at);
        if nth < last {
            let (on, _) = side(*place, true);
            path = format!("{path}H{on}");
            x = on;
        }
    }
    let level = level + off;
    let head = format!("{tip},{level} {end},{} {end},{}", level - 4, level + 4);
    (path, head, mark.unwrap_or((x, y)))
}

/// From a class to itself: two of its locks, one under the other.
fn around((left, right, y): (usize, usize, usize)) -> Arrow {
    let (left, right, top) = (left + MARGIN, right + MARGIN, y + MARGIN - 12);
    let (a, b) = (left + (right - left) / 3, right - (right - left) / 3);
    let path = format!("M{a} {top}C{a} {0} {b} {0} {b} {1}", top - 16, top - 6);
    let (back, one, other) = (top - 7, b - 4, b + 4);
    let head = format!("{b},{top} {one},{back} {other},{back}");
    (path, head, (b + 8, top - 3))
}

/// Who holds and who takes.
fn hover(era: &Era<'_>, classes: &(String, String), is_inverted: bool, is_new: bool) -> String {
    let mut text = format!("{} → {}", classes.0, classes.1);
    if is_inverted {
        text += ", an inversion";
    }
    if is_new {
        text += ", new";
    }
    for (outer, inner) in era.functions(classes) {
        text = format!("{text}\nheld since {outer}(), taken in {inner}()");
    }
    text
}
