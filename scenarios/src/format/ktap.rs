//! `check` as KTAP, version 1 (Documentation/dev-tools/ktap.rst): a test for each scenario, with
//! one for each kernel in it.

use crate::runner::report::Verdicts;
use crate::runner::{Answer, Test};
use std::fmt::Write as _;

/// The first lines: the version and how many scenarios there are.
pub fn head(scenarios: usize) -> String {
    format!("KTAP version 1\n1..{scenarios}\n")
}

/// Scenario number `number`, from 1 on, with an answer for each of its kernels.
pub fn scenario(number: usize, test: &Test, answers: &[Answer]) -> String {
    let name = &test.litmus.name.value;
    let mut text = format!(
        "  KTAP version 1\n  # Subtest: {name}\n  1..{}\n",
        answers.len()
    );
    for (i, answer) in answers.iter().enumerate() {
        let verdicts = Verdicts { test, answer };
        for line in verdicts.to_string().lines() {
            let _ = writeln!(text, "  # {line}");
        }
        let result = result(answer.is_as_stated());
        let revision = description(&answer.revision);
        let skip = match answer.expected {
            None if answer.is_as_stated() => " # SKIP the scenario states nothing for this kernel",
            _ => "",
        };
        let _ = writeln!(text, "  {result} {} {revision}{skip}", i + 1);
    }
    let all = result(answers.iter().all(Answer::is_as_stated));
    let _ = writeln!(text, "{all} {number} {name}");
    text
}

fn result(is_ok: bool) -> &'static str {
    if is_ok { "ok" } else { "not ok" }
}

/// A `#` would begin a directive.
fn description(text: &str) -> String {
    text.replace('#', "\\#")
}
