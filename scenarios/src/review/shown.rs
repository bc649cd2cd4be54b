//! Witnesses: how what is new and bad comes about on the patched kernel.

use super::Shown;
use super::compare::Compared;
use super::finding::{Finder, Finding};
use crate::runner::names::Resolver;
use crate::runner::report::outcome_lines;
use crate::runner::{Answer, Memory};
use crate::schedule;
use crate::witness::Witness;
use checker::engine::schedule::Schedule;
use checker::outcome::{DataRace, Final, GoesRound};
use kernel::outcome::Outcome;
use std::collections::BTreeSet;

/// Collects witnesses. Findings of the same outcome share one, unless another outcome with the
/// finding has a shorter schedule.
pub(super) struct Witnesses<'a> {
    of: Compared<'a>,
    /// The findings of each outcome of the patched kernel.
    findings: &'a [BTreeSet<Finding>],
    /// The outcomes that are shown, by number from 0 on, each with its place among `shown`.
    chosen: Vec<(usize, usize)>,
    shown: Vec<Shown>,
}

impl<'a> Witnesses<'a> {
    pub(super) fn new(of: Compared<'a>, findings: &'a [BTreeSet<Finding>]) -> Self {
        Self {
            of,
            findings,
            chosen: vec![],
            shown: vec![],
        }
    }

    /// All of them.
    pub(super) fn shown(self) -> Vec<Shown> {
        self.shown
    }

    /// Shows a finding of an outcome; gives the witness's number from 1 on.
    pub(super) fn of_finding(&mut self, finding: &Finding) -> Option<usize> {
        let findings = self.findings;
        self.nearest(|nth, _| findings[nth].contains(finding))
    }

    /// Shows an outcome with the condition.
    pub(super) fn of_condition(&mut self) -> Option<usize> {
        self.nearest(|_, holds| holds)
    }

    /// Shows a data race between functions: one on this field at one of these sites.
    pub(super) fn of_race(&mut self, finding: &Finding, sites: &[String]) -> Option<usize> {
        let answer = self.of.patched;
        let finder = self.finder(answer);
        let is_it = |race: &DataRace| {
            sites.contains(&race.sites.join(", ")) && finder.of_race(&race.field) == *finding
        };
        let races = answer.report.data_races.iter();
        let (race, schedule) = races
            .filter(|(race, _)| is_it(race))
            .min_by_key(|(_, schedule)| schedule.0.len())?;
        let lines = vec![
            format!("{}: data race of", finding.of),
            format!("  {}", race.sites[0]),
            format!("  {}", race.sites[1]),
        ];
        let schedule = schedule::text(self.of.test, self.of.patched, schedule);
        let replay = self.replay(&schedule);
        Some(self.push(None, lines, vec![], schedule, replay))
    }

    /// Shows a livelock: how it begins, and what comes again and again.
    pub(super) fn of_round(&mut self, answer: &Answer, finding: &Finding) -> Option<usize> {
        let finder = self.finder(answer);
        let mut rounds = answer.report.rounds.iter();
        let (round, GoesRound { way, period }) =
            rounds.find(|(round, _)| finder.of_round(round).as_ref() == Some(finding))?;
        let mut lines = vec![finder.names.relabel(&round.to_string())];
        let of = (&answer.kernel, answer.memory);
        let mut named = schedule::in_a_row(&finder.names, of, &answer.report.marks, &[way, period]);
        let period = named.pop().filter(|period| !period.is_empty());
        lines
            .extend(period.map(|period| format!("after this schedule, again and again: {period}")));
        let way = named.pop().unwrap_or_default();
        Some(self.push(None, lines, vec![], way, vec![]))
    }

    fn finder<'b>(&self, answer: &'b Answer) -> Finder<'b>
    where
        'a: 'b,
    {
        Finder {
            names: Resolver::new(self.of.test, &answer.kernel),
            retries: true,
        }
    }

    /// Shows the outcome that is wanted and has the shortest schedule; of those equally short one
    /// that is shown already, or else the first.
    fn nearest(&mut self, is_wanted: impl Fn(usize, bool) -> bool) -> Option<usize> {
        let place = |nth: usize| {
            self.chosen
                .iter()
                .find(|(n, _)| *n == nth)
                .map(|(_, at)| *at)
        };
        let outcomes = self.of.patched.outcomes().enumerate();
        let (nth, (end, schedule, _)) = outcomes
            .filter(|(nth, (_, _, holds))| is_wanted(*nth, *holds))
            .min_by_key(|(nth, (_, schedule, _))| (schedule.0.len(), place(*nth).is_none()))?;
        Some(place(nth).unwrap_or_else(|| self.of_outcome(nth, end, schedule)))
    }

    fn of_outcome(&mut self, nth: usize, end: &Final<Outcome>, schedule: &Schedule) -> usize {
        let Compared { test, patched, .. } = self.of;
        let (witness, straight) = Witness::of(test, patched, schedule);
        let lines = outcome_lines(end, &Resolver::new(test, &patched.kernel));
        let columns = witness.to_string().lines().map(str::to_owned).collect();
        let schedule = schedule::text(test, patched, &straight.schedule);
        let replay = self.replay(&schedule);
        let at = self.push(Some(nth + 1), lines, columns, schedule, replay);
        self.chosen.push((nth, at));
        at
    }

    fn push(
        &mut self,
        outcome: Option<usize>,
        lines: Vec<String>,
        columns: Vec<String>,
        schedule: String,
        replay: Vec<String>,
    ) -> usize {
        self.shown.push(Shown {
            outcome,
            lines,
            columns,
            schedule,
            replay,
        });
        self.shown.len()
    }

    /// The words of the command that runs a schedule again.
    fn replay(&self, schedule: &str) -> Vec<String> {
        let words = [
            "probe-litmus",
            "replay",
            self.of.file,
            "--kernel",
            &self.of.patched.revision,
        ];
        let memory: &[&str] = match self.of.patched.memory {
            Memory::Sequential => &[],
            Memory::Weak => &["--memory", "weak"],
        };
        let words = words.iter().chain(memory).map(|w| (*w).to_owned());
        words
            .chain(self.of.options.iter().cloned())
            .chain([schedule.to_owned()])
            .collect()
    }
}
