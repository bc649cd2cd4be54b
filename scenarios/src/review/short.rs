//! A review as text for a mail: what it comes to, the worst of each level, and a line for each
//! scenario.

use super::detail::{Worst, worst};
use super::text::{push, shown, unfinished, verdict};
use super::{Comparison, Review, Standing};
use std::fmt::Write as _;

/// All but the head.
pub(super) fn print(review: &Review, draws: bool) -> String {
    let mut text = String::new();
    let worst = worst(review);
    if !worst.is_empty() {
        text += "\nThe most widespread of each level that is new, where its run is shortest\n";
    }
    for w in &worst {
        one(&mut text, w, draws);
    }
    for standing in Standing::ALL {
        let all: Vec<_> = review.standing(standing).collect();
        if all.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{} {}", capitalised(standing.word()), all.len());
        if standing == Standing::Unchanged {
            let names: Vec<&str> = all.iter().map(|c| c.scenario.as_str()).collect();
            push(&mut text, 2, 2, &names.join(", "));
            continue;
        }
        for c in all {
            push(&mut text, 2, 6, &line(c));
            for why in unfinished(c) {
                push(&mut text, 6, 6, &why);
            }
        }
    }
    text
}

/// `late-probe-at-bind: splat, Never -> Sometimes, outcomes +12 -2`
pub(super) fn line(c: &Comparison) -> String {
    let level = c.level.map_or(String::new(), |l| format!("{}, ", l.word()));
    let (new, gone) = (c.new.len(), c.gone.len());
    let verdict = verdict(c);
    let verdict = verdict.split(" [").next().unwrap_or(&verdict);
    let verdict = verdict.strip_suffix(", as before").unwrap_or(verdict);
    format!("{}: {level}{verdict}, outcomes +{new} -{gone}", c.scenario)
}

fn one(text: &mut String, w: &Worst<'_>, draws: bool) {
    text.push('\n');
    push(text, 0, 4, &format!("{}: {}", w.level.word(), w.what));
    let witness = &w.scenario.witnesses[w.witness - 1];
    shown(text, &w.scenario.scenario, witness, draws);
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
