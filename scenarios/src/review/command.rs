//! The command that runs a witness again, as lines that a shell puts together.

use super::Shown;
use crate::schedule;

/// The command that runs a witness again; or the schedule alone, if it never ends.
pub(super) fn commands(witness: &Shown) -> Vec<String> {
    if witness.replay.is_empty() {
        let mut lines = vec!["  Schedule".to_owned()];
        lines.extend(schedule::lines(&witness.schedule, 4));
        return lines;
    }
    schedule::command(&witness.replay)
}
