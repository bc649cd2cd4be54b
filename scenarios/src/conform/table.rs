//! Several boots: how often each outcome was seen, and which of the model's never.

use crate::runner::names::Resolver;
use crate::runner::report::outcome_lines;
use checker::engine::exhaustive::{Options, explore};
use checker::outcome::{Complete, Final};
use kernel::kernel::Kernel;
use kernel::outcome::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Outcomes of boots: of the schedules that explain them.
#[derive(Default)]
pub struct Table {
    seen: BTreeMap<Final<Outcome>, Vec<String>>,
    not_accepted: Vec<String>,
}

impl Table {
    /// A boot was explained, and ends so.
    pub fn accepted(&mut self, log: String, end: Final<Outcome>) {
        self.seen.entry(end).or_default().push(log);
    }

    /// A boot was not explained.
    pub fn not_accepted(&mut self, log: String) {
        self.not_accepted.push(log);
    }

    /// The table as text. With `max_states` all boots of the model are explored, up to so many
    /// states, and those outcomes listed that no log has.
    pub fn text(
        &self,
        kernel: &Arc<Kernel>,
        names: &Resolver<'_>,
        max_states: Option<u64>,
    ) -> String {
        let mut out = String::new();
        let boots: usize = self.seen.values().map(Vec::len).sum();
        let _ = writeln!(
            out,
            "Boots {}: explained {boots}, outcomes seen {}",
            boots + self.not_accepted.len(),
            self.seen.len()
        );
        for (number, (end, logs)) in (1..).zip(&self.seen) {
            let _ = writeln!(out, "{number:>3} seen {}: {}", logs.len(), logs.join(", "));
            for line in outcome_lines(end, names) {
                let _ = writeln!(out, "      {line}");
            }
        }
        if !self.not_accepted.is_empty() {
            let _ = writeln!(out, "Not explained: {}", self.not_accepted.join(", "));
        }
        match max_states {
            None => out += "Outcomes never seen: not explored, --explore STATES does\n",
            Some(max_states) => self.never(&mut out, kernel, names, max_states),
        }
        out
    }

    fn never(&self, out: &mut String, kernel: &Arc<Kernel>, names: &Resolver<'_>, max_states: u64) {
        let options = Options {
            max_states,
            ..Options::default()
        };
        let report = explore(kernel, &options);
        let never = report
            .finals
            .keys()
            .filter(|end| !self.seen.contains_key(end));
        let never: Vec<_> = never.collect();
        let _ = writeln!(out, "Explored: Complete {}", report.complete);
        let at_least = if report.complete == Complete::Yes {
            ""
        } else {
            "at least "
        };
        let _ = writeln!(out, "Outcomes never seen: {at_least}{}", never.len());
        for (number, end) in (1..).zip(never) {
            for (i, line) in outcome_lines(end, names).iter().enumerate() {
                let number = if i == 0 {
                    format!("{number:>3}")
                } else {
                    "   ".to_owned()
                };
                let _ = writeln!(out, "{number} {line}");
            }
        }
    }
}
