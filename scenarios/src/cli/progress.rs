//! Progress on the terminal, and Ctrl-C: what was found so far is printed, and called incomplete.

use super::NOT_AS_STATED;
use checker::engine::exhaustive::{Go, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A line that shows how far an exploration is; nothing if the output is no terminal.
pub(crate) struct Watch {
    bar: ProgressBar,
}

impl Watch {
    /// Begins to watch. From now on Ctrl-C ends the exploration instead of the program.
    pub(crate) fn new(what: &str) -> Self {
        // Only the first call can set the handler; it serves all. loom and shuttle are not asked
        // to stop, so that a second Ctrl-C ends the program.
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(NOT_AS_STATED));
            }
        });
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// To be called with each progress of the engine.
    pub(crate) fn look(&self, p: Progress) -> Go {
        self.bar.set_message(format!(
            "{} states, {} choices deep, {} outcomes, restarted {} times",
            p.states, p.depth, p.outcomes, p.restarts
        ));
        if INTERRUPTED.load(Ordering::Relaxed) {
            Go::Stop
        } else {
            Go::On
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
