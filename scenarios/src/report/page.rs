//! The page of a scenario.
//!
//! Its sections are the functions that [`page`] calls, each from a [`Room`] to markup. A `figure.run`
//! whose parts are `g.step`, each with a `.row` that says where it is, can be gone through by keyboard
//! without another line of script.

use super::bars;
use super::kernels::{Move, moves};
use super::lanes::Lanes;
use super::layout::{At, commit, page as whole, revision};
use super::locks;
use super::room::{Room, Run, Witness, slug};
use super::runs;
use super::svg;
use crate::litmus::Quantifier;
use crate::schedule;
use maud::{Markup, html};

/// All of it.
pub(super) fn page(room: &Room) -> String {
    let moves = moves(room);
    let body = html! {
        (head(room))
        (bounded(room))
        section {
            h2 id="verdicts" { "On each kernel" }
            (moved(room, &moves))
            (runs::table(room, &moves))
        }
        (calls(room))
        (witnesses(room))
        (locks::section(room))
        (source(room))
    };
    whole(At::Scenario, &format!("{}, probe-litmus", room.name), &body)
}

fn head(room: &Room) -> Markup {
    let (last, background) = room
        .paragraphs
        .split_last()
        .map_or(("", &[][..]), |(l, b)| (l, b));
    html! {
        p.crumbs { a href={ "../index.html#" (slug(&room.folder)) } { (room.folder) } " /" }
        h1 { (room.name) }
        @for paragraph in background { p { (paragraph) } }
        p.question { (last) }
        @if !room.fixes.is_empty() || !room.links.is_empty() {
            dl.facts {
                @for fixes in &room.fixes {
                    dt { "Fixes" }
                    dd { (commit(&fixes.commit)) " (\"" (fixes.subject) "\")" }
                }
                @for link in &room.links { dt { "Link" } dd { (message(link)) } }
            }
        }
    }
}

/// A message by its id.
fn message(id: &str) -> Markup {
    let bare = id.trim_start_matches('<').trim_end_matches('>');
    if bare.starts_with("https://") || bare.starts_with("http://") {
        return html! { a href=(bare) { (bare) } };
    }
    html! { a href={ "https://lore.kernel.org/all/" (bare) "/" } { (bare) } }
}

/// What was cut short, first of all.
fn bounded(room: &Room) -> Markup {
    let cut = || {
        room.runs
            .iter()
            .filter_map(|r| Some((r, r.bounded.as_ref()?)))
    };
    html! {
        @if cut().next().is_some() {
            div.warning role="note" {
                p { b { "Bounded." } " These were not explored to the end; a Never there is a guess." }
                ul { @for (run, why) in cut() { li { (revision(&run.written)) ": " (why) } } }
            }
        }
    }
}

/// Which verdict moved, and what came in between.
fn moved(room: &Room, moves: &[Move]) -> Markup {
    html! {
        @if moves.is_empty() {
            p.quiet {
                "The verdict is the same on all of them. The condition is "
                code { (quantifier(room.quantifier)) } "."
            }
        } @else {
            ul.moves { @for m in moves { li { (one_move(room, m)) } } }
        }
    }
}

fn one_move(room: &Room, m: &Move) -> Markup {
    let (from, to) = (&room.runs[m.from], &room.runs[m.to]);
    let word = if m.is_worse { "broke" } else { "fixed" };
    html! {
        (runs::mark(room, m)) " " b { (word) } " "
        @match &m.added[..] {
            [one] => { "by " (commit(one.commit().id)) " (\"" (one.commit().subject) "\")" }
            many => { "by one of the " (many.len()) " commits from " (revision(&from.written)) " to " (revision(&to.written)) }
        }
        ": " (from.verdict.word()) " → " (to.verdict.word())
    }
}

fn quantifier(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::Exists => "exists",
        Quantifier::NotExists => "~exists",
        Quantifier::Forall => "forall",
    }
}

fn calls(room: &Room) -> Markup {
    html! {
        @if room.runs.iter().any(|r| !r.calls.is_empty()) {
            section {
                h2 id="of_xlate" { "of_xlate calls" }
                p.legend {
                    span.key.platform {} "dev->driver NULL: a walk or the notifier "
                    span.key.driver {} "dev->driver set: a bind"
                }
                (bars::all(room))
            }
        }
    }
}

/// The runs, each drawn once for all kernels on which it is the same.
fn witnesses(room: &Room) -> Markup {
    let mut groups: Vec<(&Witness, Vec<&Run>)> = vec![];
    for run in &room.runs {
        let Some(witness) = &run.witness else {
            continue;
        };
        let is_same = |w: &Witness| w.lanes == witness.lanes && w.holds == witness.holds;
        match groups.iter_mut().find(|(w, _)| is_same(w)) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((witness, vec![run])),
        }
    }
    html! {
        @if !groups.is_empty() {
            section {
                h2 id="runs" { "How it comes about" }
                p.quiet {
                    "One run for each kernel: with the condition where there is one. A line on the \
                     left is a task. A solid arrow is a lock handed over: the other has waited for \
                     it. A dashed arrow is an order: the other takes it next, and did not wait. "
                    kbd { "j" } " and " kbd { "k" } " or the arrow keys go through it, "
                    kbd { "Home" } " and " kbd { "End" } " to its ends; a click picks a step, and \
                     hovering says in which file of the kernel it is."
                }
                @for (nth, (witness, runs)) in groups.iter().enumerate() {
                    (drawn(room, nth, witness, runs))
                }
            }
        }
    }
}

fn drawn(room: &Room, nth: usize, witness: &Witness, of: &[&Run]) -> Markup {
    let id = format!("run{}", nth + 1);
    let class = if witness.holds { "run holds" } else { "run" };
    html! {
        figure id=(id) class=(class) tabindex="0" {
            figcaption {
                h3 {
                    @for (i, run) in of.iter().enumerate() {
                        @if i > 0 { ", " }
                        (revision(&run.written))
                    }
                }
                p {
                    @if witness.holds { b { "The condition holds" } } @else { "The condition does not hold" }
                    ": outcome "
                    @for (i, run) in of.iter().enumerate() {
                        @if i > 0 { ", " }
                        (run.witness.as_ref().map_or(0, |w| w.outcome))
                    }
                    ". " (handovers(&witness.lanes))
                }
            }
            (controls(witness.lanes.steps.len(), "steps"))
            @if witness.lanes.steps.is_empty() {
                p.quiet { "No task takes notice of another." }
            } @else {
                div.scroll { (svg::run(&id, &witness.lanes)) }
            }
            details.again {
                summary { "To run it again" }
                @for run in of { pre { (replay(room, run)) } }
            }
        }
    }
}

fn handovers(lanes: &Lanes) -> String {
    let times = |n: usize| match n {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let waited = lanes.handovers.iter().filter(|h| h.waited).count();
    match (lanes.handovers.len(), waited) {
        (0, _) => "No lock goes from one task to another.".to_owned(),
        (all, 0) => format!(
            "A lock goes from one task to another {}, and nobody waits for one.",
            times(all)
        ),
        (all, waited) => format!(
            "A lock goes from one task to another {}, {} to one that waited for it.",
            times(all),
            times(waited)
        ),
    }
}

/// The buttons of a figure whose parts are gone through, and where it is.
pub(super) fn controls(steps: usize, of: &str) -> Markup {
    let button = |go: &str, label: &str, sign: &str| {
        html! { button type="button" data-go=(go) aria-label=(label) title=(label) { (sign) } }
    };
    html! {
        @if steps > 0 {
            div.controls role="group" aria-label="Steps" {
                (button("first", "First step (Home)", "⇤"))
                (button("back", "Step back (k)", "←"))
                (button("on", "Next step (j)", "→"))
                (button("last", "Last step (End)", "⇥"))
                output aria-live="polite" data-total=(steps) { (steps) " " (of) }
            }
        }
    }
}

/// The command that runs it again.
fn replay(room: &Room, run: &Run) -> String {
    let schedule = run.witness.as_ref().map_or("", |w| w.schedule.as_str());
    let words = [
        "probe-litmus",
        "replay",
        &room.file,
        "--kernel",
        &run.written,
        schedule,
    ];
    schedule::command(&words.map(str::to_owned)).join("\n")
}

fn source(room: &Room) -> Markup {
    html! {
        section {
            h2 id="file" { "The file" }
            details { summary { (room.file) } pre.source { code { (room.source) } } }
        }
    }
}
