//! A review as Markdown: the same as the text, with headings, tables and code.

use super::command::commands;
use super::detail::worst;
use super::short;
use super::story::sentences;
use super::summary::{lines, lock_order, standings, verdicts};
use super::text::{NOTHING, finding, properties, same, title, unfinished, verdict, xlate};
use super::{Comparison, Detail, Numbered, Review, Shown, Standing};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// All of it.
pub fn print(review: &Review, detail: Detail) -> String {
    let mut out = format!("# Review `{}..{}`\n\n", review.base, review.patched);
    for (sign, commits) in [('+', &review.added), ('-', &review.removed)] {
        for c in commits {
            let _ = writeln!(out, "* {sign} {} (\"{}\")", c.id, escape(&c.subject));
        }
    }
    let total = review.scenarios.len();
    let _ = writeln!(out, "\nScenarios {total}: {}.", standings(review));
    let moved = verdicts(review);
    if !moved.is_empty() {
        let _ = writeln!(out, "Verdicts {}.", escape(&moved));
    }
    for (i, sentence) in sentences(review).iter().enumerate() {
        let _ = write!(
            out,
            "{}{}",
            if i == 0 { "\n" } else { " " },
            escape(sentence)
        );
    }
    out += "\n";
    let all = lines(review);
    if !all.is_empty() {
        out += "\n| level | | what | in how many scenarios |\n|---|---|---|---|\n";
    }
    for line in all {
        let sign = if line.is_worse { "more" } else { "less" };
        let (level, what) = (line.level.word(), escape(&line.what));
        let how = escape(&line.how());
        let _ = writeln!(out, "| {level} | {sign} | {what} | {how} |");
    }
    let edges = lock_order(review);
    if !edges.is_empty() {
        out += "\n## Lock order\n\nB is taken under A: + in scenarios that gained it, - lost.\n\n```diff\n";
        out += &(edges.join("\n") + "\n```\n");
    }
    let is_changed = |c: &Comparison| c.standing != Standing::Unchanged;
    if edges.is_empty() && !review.scenarios.iter().any(is_changed) {
        let _ = writeln!(out, "\n{NOTHING}");
    }
    if detail.is_short() {
        in_short(&mut out, review, detail);
    } else {
        let drawn = detail.drawn(review);
        for c in review.scenarios.iter().filter(|c| is_changed(c)) {
            scenario(&mut out, c, detail, &drawn);
        }
    }
    let unchanged: Vec<_> = review.standing(Standing::Unchanged).collect();
    if !unchanged.is_empty() {
        out += "\n## Unchanged\n\n";
    }
    for c in unchanged {
        let _ = writeln!(out, "* `{}`: {}", c.scenario, same(c));
    }
    if !review.left_out.is_empty() {
        out += "\n## Left out\n\nOne of the kernels is not modelled for their architecture.\n\n";
    }
    for name in &review.left_out {
        let _ = writeln!(out, "* {name}");
    }
    out
}

/// The worst of each level, and a line for each scenario that changed.
fn in_short(out: &mut String, review: &Review, detail: Detail) {
    for w in worst(review) {
        let (level, what) = (w.level.word(), escape(w.what));
        let _ = write!(out, "\n## {level}: {what}\n");
        let witness = &w.scenario.witnesses[w.witness - 1];
        shown(out, &w.scenario.scenario, witness, detail == Detail::Short);
    }
    for standing in Standing::ALL {
        let mut all = review.standing(standing).peekable();
        if standing == Standing::Unchanged || all.peek().is_none() {
            continue;
        }
        let _ = write!(out, "\n## In which scenarios: {}\n\n", standing.word());
        for c in all {
            let _ = writeln!(out, "* {}", escape(&short::line(c)));
            for why in unfinished(c) {
                let _ = writeln!(out, "  **{}**", escape(&why));
            }
        }
    }
}

fn scenario(out: &mut String, c: &Comparison, detail: Detail, drawn: &BTreeSet<(&str, usize)>) {
    let _ = writeln!(out, "\n## {}\n\n{}\n", title(c), escape(&c.question));
    for line in unfinished(c) {
        let _ = writeln!(out, "**{}**\n", escape(&line));
    }
    let (new, gone, kept) = (c.new.len(), c.gone.len(), c.kept);
    let _ = writeln!(out, "* verdict: {}", escape(&verdict(c)));
    let _ = writeln!(out, "* outcomes: {new} new, {gone} gone, {kept} kept");
    for line in properties(c) {
        let _ = writeln!(out, "* property: {}", escape(&line));
    }
    for f in &c.findings {
        let _ = writeln!(out, "* {}: {}", f.level.word(), escape(&finding(f)));
    }
    for calls in &c.of_xlate {
        let _ = writeln!(out, "* of_xlate: {}", escape(&xlate(calls)));
    }
    if detail == Detail::Full && c.new.len() + c.gone.len() > 0 {
        out.push_str("\n```diff\n");
        outcomes(out, '+', &c.new);
        outcomes(out, '-', &c.gone);
        out.push_str("```\n");
    }
    for (i, witness) in c.witnesses.iter().enumerate() {
        let is_drawn = drawn.contains(&(c.scenario.as_str(), i + 1));
        shown(out, &format!("[{}]", i + 1), witness, is_drawn);
    }
}

fn outcomes(out: &mut String, sign: char, all: &[Numbered]) {
    for outcome in all {
        let star = if outcome.condition { '*' } else { ' ' };
        let mut start = format!("{:>3} {star}", outcome.number);
        for line in &outcome.lines {
            let _ = writeln!(out, "{sign}{start} {line}");
            start = " ".repeat(5);
        }
    }
}

fn shown(out: &mut String, label: &str, witness: &Shown, is_drawn: bool) {
    let what = witness
        .outcome
        .map_or(String::new(), |n| format!(": outcome {n} with the patch"));
    let _ = writeln!(out, "\n### {label}{what}\n\n```text");
    for line in &witness.lines {
        let _ = writeln!(out, "{line}");
    }
    if is_drawn && !witness.columns.is_empty() {
        let _ = writeln!(out, "\n{}", witness.columns.join("\n"));
    }
    let _ = writeln!(out, "```\n\n```sh");
    for line in commands(witness) {
        let _ = writeln!(out, "{}", line.strip_prefix("  ").unwrap_or(&line));
    }
    out.push_str("```\n");
}

/// A text that is to stand for itself in running Markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if "\\`*_<|[]".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
