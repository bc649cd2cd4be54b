//! Progress on the terminal, and Ctrl-C: what was found so far is printed, and called incomplete.

use super::NOT_AS_STATED;
use checker::engine::exhaustive::{Go, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noted, and the second one ends the program.
pub(crate) fn interruptible() {
    // Only the first call can set the handler; it serves all. loom and shuttle are not asked
    // to stop, so that a second Ctrl-C ends the program.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(NOT_AS_STATED));
        }
    });
}

/// Whether there was a Ctrl-C.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// A line that shows how many of so many pieces of work are done; nothing if the output is no
/// terminal.
pub(crate) fn bar(of: usize, what: &str) -> ProgressBar {
    if super::out::is_quiet() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(of as u64);
    let template = format!("{{wide_bar}} {{pos}} of {{len}} {what} ({{eta}})");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// A line that shows how far an exploration is; nothing if the output is no terminal.
pub(crate) struct Watch {
    bar: ProgressBar,
    /// When the current round was seen first: its number, and how many states it had.
    round: Cell<Option<(u64, Instant, u64)>>,
}

impl Watch {
    /// Begins to watch. From now on Ctrl-C ends the exploration instead of the program.
    pub(crate) fn new(what: &str) -> Self {
        interruptible();
        let bar = if super::out::is_quiet() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new_spinner()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        let round = Cell::new(None);
        Self { bar, round }
    }

    /// States a second in the current round.
    fn rate(&self, p: Progress) -> u64 {
        let round = self
            .round
            .get()
            .filter(|(number, ..)| *number == p.restarts);
        let (number, since, states) = round.unwrap_or((p.restarts, Instant::now(), p.states));
        self.round.set(Some((number, since, states)));
        let millis = since.elapsed().as_millis().max(1);
        (u128::from(p.states - states) * 1000 / millis) as u64
    }

    /// To be called with each progress of the engine.
    pub(crate) fn look(&self, p: Progress) -> Go {
        let of = p.schedules_log10.map_or(String::new(), |log10| {
            format!("about 10^{log10:.0} schedules: ")
        });
        self.bar.set_message(format!(
            "{of}{} states ({}/s, {} MiB), {} choices deep, {} untried, {:.1} % of the tree, \
             {} outcomes, restarted {} times",
            p.states,
            self.rate(p),
            p.memory >> 20,
            p.depth,
            p.untried,
            100.0 * p.done,
            p.outcomes,
            p.restarts
        ));
        if is_interrupted() { Go::Stop } else { Go::On }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
