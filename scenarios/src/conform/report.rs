//! What came of a log, for people.

use super::{Case, Verdict};
use crate::runner::names::Resolver;
use crate::runner::report::outcome_lines;
use crate::trace::{Log, Rest};
use checker::engine::conform::{Answer, Dead, Run};
use checker::event::{Event, What};
use kernel::outcome::Outcome;
use std::fmt::{self, Write};

/// Names of one kind that are listed.
const LISTED: usize = 12;

/// Events before the one that is not explained that are shown.
const BEFORE: usize = 5;

/// What was read, and what of it is not compared.
pub struct Read<'a> {
    /// The log.
    pub log: &'a Log,
    /// What is to be explained of it.
    pub case: &'a Case,
}

impl fmt::Display for Read<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (log, case) = (self.log, self.case);
        let count = |rest| log.rest.get(&rest).copied().unwrap_or(0);
        writeln!(
            f,
            "Lines {}: events {}, other events {}, other messages {}, headings {}, blank {}, \
             not understood {}",
            log.lines,
            log.entries.len(),
            count(Rest::OtherEvent),
            count(Rest::OtherMessage),
            count(Rest::Heading),
            count(Rest::Blank),
            count(Rest::Unknown)
        )?;
        for (file, line, text) in &log.unknown {
            writeln!(
                f,
                "  not understood: {}:{line}: {}",
                log.files[*file],
                cut(text)
            )?;
        }
        let more = count(Rest::Unknown).saturating_sub(log.unknown.len());
        if more > 0 {
            writeln!(f, "  and {more} more")?;
        }
        if log.lost > 0 {
            writeln!(
                f,
                "Lost {} events: what they would have shown is taken as not done; \
                 a larger trace_buf_size= keeps them",
                log.lost
            )?;
        }
        writeln!(f, "To be explained {}", case.events())?;
        write_not_compared(f, case)?;
        write_facts(f, case)
    }
}

fn cut(text: &str) -> String {
    const MOST: usize = 100;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain("...".chars()).collect()
}

fn list(f: &mut fmt::Formatter<'_>, title: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    let shown = names[..names.len().min(LISTED)].join(", ");
    write!(f, "  {title}: {shown}")?;
    if names.len() > LISTED {
        write!(f, " and {} more", names.len() - LISTED)?;
    }
    writeln!(f)
}

fn write_not_compared(f: &mut fmt::Formatter<'_>, case: &Case) -> fmt::Result {
    let not = &case.not_compared;
    let no_node: usize = not.no_node.values().sum();
    let drivers: usize = not.driver_not_modelled.values().map(|(_, n)| n).sum();
    let functions: usize = not.functions.values().sum();
    let all = no_node
        + drivers
        + functions
        + not.no_name
        + not.no_beginning
        + not.repeated
        + not.namesakes
        + not.idle_work;
    writeln!(f, "Not compared {all}")?;
    let counted = |(name, n): (&String, &usize)| format!("{name} x{n}");
    let names: Vec<String> = not.no_node.keys().cloned().collect();
    list(f, &format!("{no_node} for devices without a node"), &names)?;
    let names: Vec<String> = not
        .driver_not_modelled
        .iter()
        .map(|(device, (driver, _))| format!("{device} ({driver})"))
        .collect();
    list(
        f,
        &format!("{drivers} for devices with a driver that the model does not have"),
        &names,
    )?;
    let names: Vec<String> = not.functions.iter().map(counted).collect();
    list(
        f,
        &format!("{functions} of functions that the model does not have"),
        &names,
    )?;
    for (n, why) in [
        (not.no_name, "whose device the log does not name"),
        (
            not.no_beginning,
            "returns from calls that began before the log",
        ),
        (
            not.repeated,
            "told twice, or a level that the model does not have",
        ),
        (
            not.namesakes,
            "device_add of others with the name of a device of the board",
        ),
        (
            not.idle_work,
            "runs of deferred_probe_work_func in which nothing is seen",
        ),
    ] {
        if n > 0 {
            writeln!(f, "  {n} {why}")?;
        }
    }
    list(
        f,
        "devices of the board that the log never names",
        &not.never_named,
    )
}

fn write_facts(f: &mut fmt::Formatter<'_>, case: &Case) -> fmt::Result {
    let facts = &case.facts;
    list(f, "modules, by the log", &facts.modules)?;
    let waiting: Vec<String> = case.config.waiting.iter().cloned().collect();
    list(
        f,
        "wait for suppliers that the model has no driver for, by the log",
        &waiting,
    )?;
    let results: Vec<String> = case
        .config
        .probe_results
        .iter()
        .map(|(device, error)| format!("{device}={error}"))
        .collect();
    list(f, "drivers' own probes that fail", &results)?;
    let inconstant: Vec<String> = facts.inconstant.iter().cloned().collect();
    list(
        f,
        "whose driver's own probe did not always return the same, which the model cannot do",
        &inconstant,
    )?;
    let user: Vec<String> = facts
        .user
        .iter()
        .map(|(pid, asked)| format!("thread {pid}: {asked:?}"))
        .collect();
    list(f, "asked for by user space", &user)
}

impl Case {
    /// What there is after the initcalls, if the case has that.
    pub fn late_text(&self) -> String {
        if !self.is_late() {
            return String::new();
        }
        let timeout = if self.config.timeout_runs_out {
            "the end of deferred_probe_timeout, "
        } else {
            ""
        };
        format!(
            "After the initcalls: {timeout}{} binds of other devices\n",
            self.config.other_binds
        )
    }
}

/// What came of the search.
pub struct Came<'a> {
    /// The log.
    pub log: &'a Log,
    /// What was to be explained of it.
    pub case: &'a Case,
    /// The verdict.
    pub verdict: &'a Verdict,
    /// Outcomes of the run, named by the board.
    pub names: &'a Resolver<'a>,
    /// Whether all of the run is shown.
    pub verbose: bool,
}

impl fmt::Display for Came<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.verdict.found;
        match &found.answer {
            Answer::Accepted(run) => self.accepted(f, run),
            Answer::Rejected(dead) => {
                writeln!(f, "Rejected")?;
                self.dead(f, dead)?;
                writeln!(
                    f,
                    "Searched: {} states with a choice, in rounds {}; orders are left out that make no \
                     difference up to the next event of the log",
                    found.states, found.rounds
                )
            }
            Answer::Undecided { why, farthest } => {
                writeln!(f, "Not decided: {why}")?;
                self.dead(f, farthest)
            }
        }
    }
}

impl Came<'_> {
    fn accepted(&self, f: &mut fmt::Formatter<'_>, run: &Run<Outcome>) -> fmt::Result {
        writeln!(f, "Accepted")?;
        writeln!(f, "Schedule {}", run.schedule)?;
        let later = Self::later(run);
        if later > 0 {
            writeln!(
                f,
                "After the end of the log the model makes {later} more calls"
            )?;
        }
        if self.verbose {
            Self::write_run(f, run, run.trace.events.len())?;
        }
        for line in outcome_lines(&run.trace.end, self.names) {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }

    /// Calls of the run behind the end of the log.
    fn later(run: &Run<Outcome>) -> usize {
        let later = run.trace.events[run.explained..].iter();
        later
            .filter(|e| matches!(e.what, What::Enter { .. }))
            .count()
    }

    fn dead(&self, f: &mut fmt::Formatter<'_>, dead: &Dead<Outcome>) -> fmt::Result {
        let first = dead.position.saturating_sub(BEFORE);
        writeln!(
            f,
            "Explained {} of {} events",
            dead.position, self.verdict.events
        )?;
        for event in first..dead.position {
            writeln!(f, "    {}", self.event(event))?;
        }
        if dead.position < self.verdict.events {
            writeln!(f, "  * {}", self.event(dead.position))?;
            if let Some(entry) = self.case.entry(dead.position) {
                let entry = &self.log.entries[entry];
                writeln!(f, "    {}: {}", self.log.place(entry), entry.text)?;
            }
        }
        writeln!(f, "Instead the model allows")?;
        for (task, shown) in &dead.instead {
            writeln!(f, "    {task}: {shown}")?;
        }
        if dead.instead.is_empty() {
            writeln!(f, "    nothing: each task waits, or has ended")?;
        }
        writeln!(f, "Schedule to there {}", dead.run.schedule)?;
        if self.verbose {
            Self::write_run(f, &dead.run, dead.run.explained)?;
        }
        Ok(())
    }

    /// `init-1 really_probe(pwrseq0)`
    fn event(&self, event: usize) -> String {
        let text = self.case.text(event).unwrap_or_default();
        let entry = self.case.entry(event).map(|e| &self.log.entries[e]);
        let who = entry.and_then(|e| e.thread.as_ref());
        who.map_or(text.clone(), |t| format!("{}-{} {text}", t.comm, t.pid))
    }

    /// Calls, returns and notes, with who makes them.
    fn write_run(f: &mut fmt::Formatter<'_>, run: &Run<Outcome>, end: usize) -> fmt::Result {
        writeln!(f, "Run")?;
        for (i, event) in run.trace.events[..end].iter().enumerate() {
            if i == run.explained {
                writeln!(f, "  (the log ends here)")?;
            }
            let Some(task) = run.trace.tasks.get(event.task.index()) else {
                continue;
            };
            if let Some(text) = line(event) {
                let depth = event.depth.saturating_sub(1) as usize;
                writeln!(f, "  {task}: {:depth$}{text}", "")?;
            }
        }
        Ok(())
    }
}

fn line(event: &Event) -> Option<String> {
    let mut text = String::new();
    match &event.what {
        What::Enter { function, object } => {
            write!(text, "{function}({object})").ok()?;
        }
        What::Exit { function, ret } if !ret.is_empty() => {
            write!(text, "{function} returns {ret}").ok()?;
        }
        What::Note { kind, text: said } => {
            write!(text, "{kind} {said}").ok()?;
        }
        _ => return None,
    }
    Some(text)
}
