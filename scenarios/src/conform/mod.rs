//! Does the model allow what a real kernel did? A log of a boot is held against all boots of the
//! model: a schedule is searched for whose calls are those of the log, with their tasks, devices,
//! order, nesting and return values.
//!
//! - [`crate::trace`] reads the log.
//! - `facts.rs` reads off it what was configured, and which devices the model cannot follow.
//! - `cmdline.rs` reads a kernel's command line, `drivers.rs` which drivers there were.
//! - `events.rs` makes of it the events that are to be explained, and counts the rest.
//! - `matching.rs` is a place in those events; [`checker::engine::conform`] searches.
//! - [`report`] says what came of it, [`table`] of several boots.
//!
//! What is compared and what not is in `docs/conform.md`.

pub mod cmdline;
pub mod drivers;
pub mod events;
pub mod facts;
mod matching;
pub mod report;
mod shown;
pub mod table;

use crate::board::Board;
use crate::setup::{self, SetupError};
use crate::trace::{Entry, Log, What};
use checker::engine::conform::{Answer, Bounds, Found, search};
use events::{NotCompared, Probes};
use facts::Facts;
use kernel::config::Config;
use kernel::kernel::Kernel;
use kernel::model::Start;
use kernel::outcome::Outcome;
use kernel::revision::Revision;
use kernel::verb::Verb;
use matching::{Fixed, Place};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A log, ready to be explained.
pub struct Case {
    /// The kernel that is to explain it.
    pub kernel: Arc<Kernel>,
    /// What was read off it.
    pub facts: Facts,
    /// What of it is not compared.
    pub not_compared: NotCompared,
    /// The configuration, with what the log says of it.
    pub config: Config,
    place: Place,
    fixed: Arc<Fixed>,
}

/// What came of a search.
pub struct Verdict {
    /// The answer.
    pub found: Found<Outcome>,
    /// Events that were to be explained.
    pub events: usize,
}

impl Case {
    /// Lays out the kernel that is to explain a log, and reads the log's events.
    pub fn new(
        board: &Board,
        revision: Revision,
        config: Config,
        log: &Log,
        probes: &Probes,
    ) -> Result<Self, SetupError> {
        Self::lay_out(board, revision, config, log, probes, false)
    }

    /// The same with what may have had deferred devices tried again after the initcalls; none if the
    /// log has nothing of that. These are further tasks, which make a search longer: for logs that
    /// cannot be explained without.
    fn late(
        board: &Board,
        revision: Revision,
        config: Config,
        log: &Log,
        probes: &Probes,
    ) -> Result<Option<Self>, SetupError> {
        let case = Self::lay_out(board, revision, config, log, probes, true)?;
        Ok(case.is_late().then_some(case))
    }

    /// Whether something after the initcalls may have had deferred devices tried again.
    fn is_late(&self) -> bool {
        self.config.timeout_runs_out || self.config.other_binds > 0
    }

    /// Looks for a schedule that explains the log; if none is found, once more with what may have
    /// happened after the initcalls, in a case laid out of these. First both without being
    /// thorough: most logs that need the latter are explained by it at once, while to find out that
    /// nothing else does takes long. Gives the case that was looked at last.
    pub fn validate_or_late(
        self,
        (board, revision, config): (&Board, Revision, Config),
        (log, probes): (&Log, &Probes),
        bounds: Bounds,
    ) -> Result<(Self, Verdict), SetupError> {
        let Some(late) = Self::late(board, revision, config, log, probes)? else {
            let verdict = self.validate(bounds);
            return Ok((self, verdict));
        };
        let quick = Bounds {
            max_states: bounds.quick_states.min(bounds.max_states),
            ..bounds
        };
        let is_accepted = |v: &Verdict| matches!(v.found.answer, Answer::Accepted(_));
        let verdict = self.validate(quick);
        if is_accepted(&verdict) {
            return Ok((self, verdict));
        }
        let verdict = late.validate(quick);
        if is_accepted(&verdict) {
            return Ok((late, verdict));
        }
        let verdict = self.validate(bounds);
        if is_accepted(&verdict) {
            return Ok((self, verdict));
        }
        let verdict = late.validate(bounds);
        Ok((late, verdict))
    }

    fn lay_out(
        board: &Board,
        revision: Revision,
        config: Config,
        log: &Log,
        probes: &Probes,
        is_late: bool,
    ) -> Result<Self, SetupError> {
        let facts = Facts::of(log);
        let mut config = config;
        if let Ok(laid_out) = board.lay_out(&config) {
            config.waiting = facts.waiting(&laid_out);
        }
        let with_facts = RefCell::new(config.clone());
        let kernel = setup::kernel_with(
            board,
            revision,
            config,
            |board, config| {
                facts.apply(board, config);
                if is_late {
                    facts.apply_late(board, config);
                }
                with_facts.replace(config.clone());
            },
            |board| start(facts.verbs(board)),
        )?;
        let (owed, observed, not_compared) = events::read(&kernel, &facts, log, probes);
        let devices = || kernel.board().device_ids();
        let specifiers = devices().map(|d| {
            let specs = kernel.description(d).iommus.iter();
            let name = |node: kernel::of::tree::NodeId| board.tree.node(node).name.clone();
            let first = |args: &[u32]| args.first().copied().unwrap_or(0);
            specs.map(|s| (name(s.node), first(&s.args))).collect()
        });
        let mut of_thread: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (i, event) in owed.iter().enumerate() {
            if let Some(pid) = event.pid {
                of_thread.entry(pid).or_default().push(i);
            }
        }
        let fixed = Arc::new(Fixed {
            of_thread,
            has_threadless: owed.iter().any(|o| o.pid.is_none()),
            first_call: first_call(log, &owed),
            owed,
            observed,
            devices: devices()
                .map(|d| (kernel.device(d).name.clone(), d))
                .collect(),
            specifiers: specifiers.collect(),
            has_user: !facts.verbs(kernel.board()).is_empty(),
            kernel: kernel.clone(),
        });
        Ok(Self {
            kernel,
            facts,
            not_compared,
            config: with_facts.into_inner(),
            place: Place::start(fixed.clone()),
            fixed,
        })
    }

    /// How many events are to be explained.
    pub fn events(&self) -> usize {
        self.fixed.owed.len()
    }

    /// The number in the log of an event that is to be explained.
    pub fn entry(&self, event: usize) -> Option<usize> {
        self.fixed.owed.get(event).map(|o| o.entry)
    }

    /// An event that is to be explained, in words.
    pub fn text(&self, event: usize) -> Option<String> {
        let owed = self.fixed.owed.get(event)?;
        Some(owed.shown.text(&self.kernel))
    }

    /// Searches for a schedule that explains the log.
    pub fn validate(&self, bounds: Bounds) -> Verdict {
        Verdict {
            found: search(&self.kernel, &self.place, bounds),
            events: self.events(),
        }
    }
}

/// How many events are to be explained before the first of which is known that calls are seen: a
/// call of whatever has been seen before it, or it is none that is always seen.
fn first_call(log: &Log, owed: &[events::Owed]) -> usize {
    let is_call = |e: &Entry| matches!(e.what, What::Enter(_) | What::Exit { .. });
    let seen_from = log.entries.iter().position(is_call);
    let is_seen = |o: &events::Owed| {
        let is_level = matches!(o.shown, shown::Shown::Level(_));
        !is_level || seen_from.is_some_and(|from| o.entry > from)
    };
    owed.iter().position(is_seen).unwrap_or(owed.len())
}

/// A boot; beside it, what user space asked for.
fn start(user: Vec<Vec<Verb>>) -> Start {
    if user.is_empty() {
        return Start::Boot;
    }
    let mut cpus = vec![vec![Verb::Boot], vec![Verb::DeferredProbeWorkFunc]];
    cpus.extend(user);
    Start::Scenario {
        initial: vec![],
        cpus,
    }
}
