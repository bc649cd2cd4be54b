//! What lockdep, KCSAN and the hung-task detector would print, in their layout.
//!
//! What a kernel knows and a model does not is left out: addresses, offsets, lock states, process
//! numbers. lockdep's part is that of the whole exploration, see [`checker::engine::lock_order`];
//! what hangs is that of one run.

use super::Run;
use crate::runner::names::Resolver;
use crate::runner::{Answer, Test};
use checker::backend::Mode;
use checker::engine::lock_order::{Acquisition, ClassEdge, Inversion};
use checker::model::Model;
use checker::outcome::DataRace;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All splats: inversions and data races of the exploration, and the deadlock of the run.
pub fn print(test: &Test, answer: &Answer, run: &Run) -> String {
    let names = Resolver::new(test, &answer.kernel);
    let printer = Printer { answer, names };
    let order = &answer.report.lock_order;
    let inversions = order.inversions(answer.kernel.layout());
    let mut parts: Vec<String> = inversions.iter().map(|i| printer.inversion(i)).collect();
    parts.extend(hung(run));
    parts.extend(
        answer
            .report
            .data_races
            .keys()
            .map(|r| printer.data_race(r)),
    );
    if parts.is_empty() {
        return "No checker of the kernel would print anything.\n".to_owned();
    }
    parts.join("\n")
}

struct Printer<'a> {
    answer: &'a Answer,
    names: Resolver<'a>,
}

impl Printer<'_> {
    fn inversion(&self, inversion: &Inversion) -> String {
        let text = match &inversion.steps[..] {
            [] => String::new(),
            [only] => self.recursive(only),
            [.., last] => self.circular(inversion, last),
        };
        self.names.relabel(&text)
    }

    /// Headline, who takes what, and what it holds: common to both.
    fn head(&self, headline: &str, closing: &ClassEdge) -> String {
        let layout = self.answer.kernel.layout();
        let who = match closing.taken.by {
            Some(entry) => self.answer.kernel.task_name(entry),
            None => "set-up".to_owned(),
        };
        let lock = |a: Acquisition| {
            let reads = if a.mode == Mode::Shared {
                ", for reading"
            } else {
                ""
            };
            format!("({}), at: {}{reads}", layout.lock_name(a.lock), a.function)
        };
        let line = |c: &str| c.repeat(headline.len());
        format!(
            "{}\n{headline}\n{} Not tainted\n{}\n{who} is trying to acquire lock:\n{}\n\n\
             but task is already holding lock:\n{}\n\n",
            line("="),
            self.answer.revision,
            line("-"),
            lock(closing.edge.inner),
            lock(closing.edge.outer),
        )
    }

    /// `print_circular_bug()`. `closing` leads from the last class of the chain to the first.
    fn circular(&self, inversion: &Inversion, closing: &ClassEdge) -> String {
        let mut text = self.head(
            "WARNING: possible circular locking dependency detected",
            closing,
        );
        text += "which lock already depends on the new lock.\n\n\
                 the existing dependency chain (in reverse order) is:\n";
        let chain = &inversion.steps[..inversion.steps.len() - 1];
        for (i, step) in chain.iter().enumerate().rev() {
            self.link(&mut text, i + 1, step);
        }
        self.link(&mut text, 0, closing);
        text += "\nother info that might help us debug this:\n\nChain exists of:\n";
        let mut classes: Vec<&str> = inversion.classes().collect();
        classes.push(closing.inner.as_str());
        let _ = writeln!(text, "  {}\n", classes.join(" --> "));
        text += " Possible unsafe locking scenario:\n\n\
                 \x20      CPU0                    CPU1\n\
                 \x20      ----                    ----\n";
        let (held, wanted) = (&closing.outer, &closing.inner);
        let before = chain.last().map_or(wanted, |step| &step.outer);
        let _ = writeln!(text, "  lock({held});");
        let _ = writeln!(text, "{:31}lock({before});", "");
        let _ = writeln!(text, "{:31}lock({held});", "");
        let _ = writeln!(text, "  lock({wanted});\n\n *** DEADLOCK ***");
        text + self.is_reached()
    }

    /// `print_deadlock_bug()`: a class that is taken while one of its locks is held.
    fn recursive(&self, step: &ClassEdge) -> String {
        let mut text = self.head("WARNING: possible recursive locking detected", step);
        text += "other info that might help us debug this:\n \
                 Possible unsafe locking scenario:\n\n       CPU0\n       ----\n";
        let class = &step.outer;
        let _ = writeln!(
            text,
            "  lock({class});\n  lock({class});\n\n *** DEADLOCK ***\n"
        );
        text += " May be due to missing lock nesting notation\n";
        text + self.is_reached()
    }

    fn is_reached(&self) -> &'static str {
        let mut ends = self.answer.report.finals.keys();
        if ends.any(|end| end.deadlock.is_some()) {
            "\n"
        } else {
            "\n(No run of this scenario deadlocks.)\n"
        }
    }

    /// A link of the chain: the lock that is taken, and where, the innermost function first.
    fn link(&self, text: &mut String, number: usize, step: &ClassEdge) {
        let name = self.answer.kernel.layout().lock_class(step.edge.inner.lock);
        let _ = writeln!(text, "\n-> #{number} ({name}):");
        for function in step.taken.calls.iter().rev() {
            let _ = writeln!(text, "       {function}");
        }
    }

    /// `kcsan_report_known_origin()`
    fn data_race(&self, race: &DataRace) -> String {
        let line = "=".repeat(66);
        let sites = race.sites.each_ref().map(|site| {
            let (function, what) = site.split_once(' ').unwrap_or((site, ""));
            let what = if what == "(writes)" { "write" } else { "read" };
            (function, what)
        });
        let functions = sites.map(|(function, _)| function);
        let mut text = format!(
            "{line}\nBUG: KCSAN: data-race in {}\n\n",
            functions.join(" / ")
        );
        for ((function, what), by) in sites.into_iter().zip(["one task", "another task"]) {
            let _ = writeln!(text, "{what} to {} by {by}:\n {function}\n", race.field);
        }
        let _ = writeln!(
            text,
            "Reported by probe-litmus on: {}\n{line}",
            self.answer.revision
        );
        self.names.relabel(&text)
    }
}

/// `check_hung_task()`, for each task of a deadlock.
fn hung(run: &Run) -> Vec<String> {
    let mut open: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for record in &run.records {
        let Some(task) = record.task else { continue };
        let calls = open.entry(task).or_default();
        match &record.happened {
            super::Happened::Enter { function, .. } => calls.push(function),
            super::Happened::Exit { .. } => {
                calls.pop();
            }
            _ => {}
        }
    }
    let waits = run.deadlock.iter().flatten();
    let each = waits.filter_map(|wait| {
        let (name, what) = wait.split_once(" waits for ")?;
        let task = run.tasks.iter().position(|t| t == name)?;
        let mut text = format!(
            "INFO: task {name} blocked for ever.\n      Not tainted {}\nCall Trace:\n <TASK>\n",
            run.kernel
        );
        for function in open.get(&task).into_iter().flatten().rev() {
            let _ = writeln!(text, " {function}");
        }
        let _ = writeln!(text, " </TASK>\nINFO: task {name} waits for {what}");
        Some(text)
    });
    each.collect()
}
