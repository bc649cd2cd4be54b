//! A review as text of at most 80 columns, fit for a reply to a patch.

use super::command::commands;
use super::detail::Detail;
use super::short;
use super::story::sentences;
use super::summary::{frequency, lines, lock_order, range, standings, verdicts};
use super::{Calls, Comparison, FindingMove, Numbered, Review, Shown, Standing};
use crate::wrap;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Columns of the words at the left of a line.
const LABEL: usize = 10;

/// All of it.
pub fn print(review: &Review, detail: Detail) -> String {
    let mut text = head(review, detail);
    text += &if detail.is_short() {
        short::print(review, detail == Detail::Short)
    } else {
        blocks(review, detail)
    };
    if !review.left_out.is_empty() {
        text += "\nLeft out: one of the kernels is not modelled for their architecture\n";
    }
    for name in &review.left_out {
        push(&mut text, 2, 4, name);
    }
    text
}

/// A block for each scenario that changed, and a line for each that did not.
fn blocks(review: &Review, detail: Detail) -> String {
    let mut text = String::new();
    let (unchanged, changed): (Vec<_>, Vec<_>) = review
        .scenarios
        .iter()
        .partition(|c| c.standing == Standing::Unchanged);
    let drawn = detail.drawn(review);
    for c in changed {
        text += "\n";
        text += &scenario(c, detail, &drawn);
    }
    if !unchanged.is_empty() {
        text += "\nUnchanged\n";
    }
    for c in unchanged {
        let line = format!("{}: {}", c.scenario, same(c));
        push(&mut text, 2, 4, &line);
    }
    text
}

/// What a scenario that did not change gives.
pub(super) fn same(c: &Comparison) -> String {
    let s = if c.kept == 1 { "" } else { "s" };
    format!("{}, {} outcome{s}", c.patched.verdict.word(), c.kept)
}

fn head(review: &Review, detail: Detail) -> String {
    let mut text = String::new();
    push(
        &mut text,
        0,
        4,
        &format!("Review {}..{}", review.base, review.patched),
    );
    for (sign, commits) in [('+', &review.added), ('-', &review.removed)] {
        for c in commits {
            push(
                &mut text,
                2,
                6,
                &format!("{sign} {} (\"{}\")", c.id, c.subject),
            );
        }
    }
    let total = review.scenarios.len();
    push(
        &mut text,
        0,
        4,
        &format!("Scenarios {total}: {}", standings(review)),
    );
    let moved = verdicts(review);
    if !moved.is_empty() {
        push(&mut text, 0, 4, &format!("Verdicts {moved}"));
    }
    let story = sentences(review);
    if !story.is_empty() {
        text += "\nIn short\n";
    }
    for sentence in story {
        let mut indent = 2;
        for line in wrap::between_words(&sentence, 2, 4) {
            let _ = writeln!(text, "{:indent$}{line}", "");
            indent = 4;
        }
    }
    let all = lines(review);
    if !all.is_empty() {
        text += "\nOver all scenarios (+ more often than before, - less often)\n";
    }
    for line in all {
        let sign = if line.is_worse { '+' } else { '-' };
        let line_text = format!("{sign} {}: {}", line.what, line.how());
        labelled(&mut text, line.level.word(), &line_text);
    }
    let edges = lock_order(review);
    if !edges.is_empty() && detail.is_short() {
        let gained = edges.iter().filter(|e| e.starts_with('+')).count();
        let lost = edges.len() - gained;
        let _ = writeln!(text, "\nLock order: {gained} edges gained, {lost} lost");
    } else if !edges.is_empty() {
        text +=
            "\nLock order (A -> B: B is taken under A; + in scenarios that gained it, - lost)\n";
        for line in &edges {
            push(&mut text, 2, 6, line);
        }
    }
    let is_changed = |c: &Comparison| c.standing != Standing::Unchanged;
    if edges.is_empty() && !review.scenarios.iter().any(is_changed) {
        let _ = writeln!(text, "{}", wrap::words(NOTHING).join("\n"));
    }
    text
}

/// Said where no scenario changed.
pub(super) const NOTHING: &str = "No scenario changed: of these, none tells the two kernels apart. \
     (A patch acts in the model where a function asks for it, with `has`.)";

fn scenario(c: &Comparison, detail: Detail, drawn: &BTreeSet<(&str, usize)>) -> String {
    let mut text = format!("{}\n", "=".repeat(72));
    push(&mut text, 0, 4, &title(c));
    let _ = writeln!(text, "{}", wrap::words(&c.question).join("\n"));
    for line in unfinished(c) {
        let _ = writeln!(text, "{}", wrap::words(&line).join("\n"));
    }
    labelled(&mut text, "verdict", &verdict(c));
    let (new, gone, kept) = (c.new.len(), c.gone.len(), c.kept);
    labelled(
        &mut text,
        "outcomes",
        &format!("{new} new, {gone} gone, {kept} kept"),
    );
    for line in properties(c) {
        labelled(&mut text, "property", &line);
    }
    for f in &c.findings {
        labelled(&mut text, f.level.word(), &finding(f));
    }
    for calls in &c.of_xlate {
        labelled(&mut text, "of_xlate", &xlate(calls));
    }
    if detail == Detail::Full {
        outcomes(&mut text, '+', &c.new);
        outcomes(&mut text, '-', &c.gone);
    }
    for (i, witness) in c.witnesses.iter().enumerate() {
        let is_drawn = drawn.contains(&(c.scenario.as_str(), i + 1));
        text.push('\n');
        shown(&mut text, &format!("[{}]", i + 1), witness, is_drawn);
    }
    text
}

/// Its name and what became of it.
pub(super) fn title(c: &Comparison) -> String {
    let level = c
        .level
        .map_or(String::new(), |level| format!(" ({})", level.word()));
    format!("{}: {}{level}", c.scenario, c.standing.word())
}

/// What it means that an exploration was cut short.
pub(super) fn unfinished(c: &Comparison) -> Vec<String> {
    let sides = [
        (
            &c.base,
            "Without the patch",
            "what is called new may have been there before",
        ),
        (
            &c.patched,
            "With the patch",
            "what is called gone may still be there",
        ),
    ];
    let each = sides.into_iter().filter_map(|(side, which, so)| {
        let why = side.incomplete.as_ref()?;
        Some(format!(
            "{which} this was not explored to the end: {why}. A Never there is a guess, and {so}."
        ))
    });
    each.collect()
}

pub(super) fn verdict(c: &Comparison) -> String {
    let word = |side: &super::Side| {
        let guess = if side.incomplete.is_some() {
            " (a guess)"
        } else {
            ""
        };
        format!("{}{guess}", side.verdict.word())
    };
    let (before, after) = (word(&c.base), word(&c.patched));
    if before == after {
        format!("{after}, as before")
    } else {
        let witness = c.witness.map_or(String::new(), |n| format!(" [{n}]"));
        format!("{before} -> {after}{witness}")
    }
}

pub(super) fn properties(c: &Comparison) -> Vec<String> {
    let said = |p: &super::PropertyMove| match (p.kind.as_str(), p.holds) {
        ("always", true) => "holds again",
        ("always", false) => "is VIOLATED",
        (_, true) => "is reached now",
        (_, false) => "is no longer reached: a Never may be vacuous",
    };
    let each = c.properties.iter();
    each.map(|p| format!("{} {} {}", p.kind, p.name, said(p)))
        .collect()
}

pub(super) fn finding(f: &FindingMove) -> String {
    let sign = if f.is_more() { '+' } else { '-' };
    let sites = match f.sites.len() {
        0 => String::new(),
        1 => ", 1 pair of accesses".to_owned(),
        n => format!(", {n} pairs of accesses"),
    };
    let how = frequency(f.base, f.patched);
    let witness = f.witness.map_or(String::new(), |n| format!(" [{n}]"));
    format!("{sign} {}{sites}: {how}{witness}", f.finding.text())
}

pub(super) fn xlate(c: &Calls) -> String {
    let ranges = |which: fn(&super::Xlate) -> u64| {
        let before = range(c.base.iter().map(which));
        let after = range(c.patched.iter().map(which));
        if before == after {
            after
        } else {
            format!("{before} -> {after}")
        }
    };
    format!(
        "{}: without driver {}, with its driver {}, in all {}",
        c.device,
        ranges(|x| x.no_driver),
        ranges(|x| x.driver_set),
        ranges(|x| x.no_driver + x.driver_set)
    )
}

/// Outcomes with their numbers, as `check` prints them.
fn outcomes(text: &mut String, sign: char, all: &[Numbered]) {
    for outcome in all {
        let star = if outcome.condition { '*' } else { ' ' };
        let mut start = format!("  {sign}{:>3} {star} ", outcome.number);
        for line in &outcome.lines {
            for part in wrap::list(line, start.len(), 12) {
                let _ = writeln!(text, "{start}{part}");
                start = " ".repeat(12);
            }
            start = " ".repeat(9);
        }
    }
}

/// A witness, under its number or the name of its scenario.
pub(super) fn shown(text: &mut String, label: &str, witness: &Shown, is_drawn: bool) {
    let what = match witness.outcome {
        Some(outcome) => format!("{label} outcome {outcome} with the patch"),
        None => label.to_owned(),
    };
    push(text, 0, 4, &what);
    for line in &witness.lines {
        push(text, 2, 6, line);
    }
    if is_drawn && !witness.columns.is_empty() {
        let _ = writeln!(text, "\n{}\n", witness.columns.join("\n"));
    }
    for line in commands(witness) {
        let _ = writeln!(text, "{line}");
    }
}

fn labelled(text: &mut String, label: &str, line: &str) {
    let mut start = format!("  {label:<LABEL$}");
    for part in wrap::list(line, LABEL + 2, LABEL + 4) {
        let _ = writeln!(text, "{start}{part}");
        start = " ".repeat(LABEL + 4);
    }
}

/// A line, and what does not fit in further ones.
pub(super) fn push(text: &mut String, first: usize, others: usize, line: &str) {
    let mut indent = first;
    for part in wrap::list(line, first, others) {
        let _ = writeln!(text, "{:indent$}{part}", "");
        indent = others;
    }
}

#[cfg(test)]
mod tests {
    use super::{Detail, print};
    use crate::litmus::Verdict::{Never, Sometimes};
    use crate::review::{
        Comparison, Finding, FindingMove, Kind, Level, PropertyMove, Review, Shown, Side, Standing,
    };

    /// A scenario in which a livelock is new.
    fn comparison(name: &str, columns: usize) -> Comparison {
        let side = |verdict| Side {
            verdict,
            outcomes: 1,
            incomplete: None,
        };
        let livelock = FindingMove {
            finding: Finding {
                kind: Kind::Livelock,
                what: "livelock".to_owned(),
                of: "A, B on x".to_owned(),
            },
            level: Level::Corrupt,
            base: Never,
            patched: Sometimes,
            sites: vec![],
            witness: Some(1),
        };
        Comparison {
            scenario: name.to_owned(),
            file: format!("{name}.litmus"),
            question: "Does it end?".to_owned(),
            standing: Standing::Worse,
            level: Some(Level::Corrupt),
            base: side(Never),
            patched: side(Never),
            new: vec![],
            gone: vec![],
            kept: 1,
            properties: vec![PropertyMove {
                kind: "always".to_owned(),
                name: "sane".to_owned(),
                holds: false,
            }],
            of_xlate: vec![],
            without_driver: vec![],
            is_acpi: false,
            lock_order: vec![],
            findings: vec![livelock],
            witness: None,
            witnesses: vec![Shown {
                outcome: None,
                lines: vec!["a line".to_owned()],
                columns: vec!["a column".to_owned(); columns],
                schedule: "CPU0 to its end".to_owned(),
                replay: vec![],
            }],
        }
    }

    #[test]
    fn a_livelock_has_a_schedule_and_no_command() {
        let review = Review::new("a", "b", vec![comparison("one", 1)]);
        let text = print(&review, Detail::Each);
        for line in [
            "  corrupt   + livelock: A, B on x: new [1]",
            "  property  always sane is VIOLATED",
            "    CPU0 to its end",
        ] {
            assert!(text.lines().any(|l| l == line), "{text}");
        }
    }

    /// Of two scenarios with the same sort of finding, the one with fewer lines is drawn.
    #[test]
    fn each_sort_of_finding_is_drawn_once_where_it_is_shortest() {
        let review = Review::new("a", "b", vec![comparison("one", 5), comparison("two", 2)]);
        let columns = |detail| print(&review, detail).matches("a column").count();
        assert_eq!(columns(Detail::Short), 2);
        assert_eq!(columns(Detail::Each), 2);
        assert_eq!(columns(Detail::Full), 7);
        assert_eq!(columns(Detail::Brief), 0);
        let short = print(&review, Detail::Short);
        assert!(short.contains("\ncorrupt: livelock\ntwo\n"), "{short}");
        let line = "  one: corrupt, Never, outcomes +0 -0";
        assert!(short.lines().any(|l| l == line), "{short}");
    }
}
