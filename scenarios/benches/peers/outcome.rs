//! How large the scenario is, and what comes out of it.

use std::fmt;

/// Most clients: `core.pml` keeps a bit for each in a byte.
pub const MOST_CLIENTS: usize = 8;

/// How large the scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    /// Clients of the instance, 1 to [`MOST_CLIENTS`].
    pub clients: usize,
    /// Tasks, 2 to 4.
    pub tasks: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d={} t={}", self.clients, self.tasks)
    }
}

/// What became of one client.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientOutcome {
    /// Calls of of_xlate while `dev->driver` was NULL.
    pub platform: u64,
    /// Calls of of_xlate while `dev->driver` was set.
    pub driver: u64,
    /// A driver is bound.
    pub bound: bool,
    /// It is in the group.
    pub group: bool,
    /// It is on a list of deferred devices.
    pub deferred: bool,
    /// It was put into the group with a driver set, which is a WARN.
    pub late: bool,
}

/// What became of all clients. As text, the line that `core.pml` prints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome(pub Vec<ClientOutcome>);

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, client) in self.0.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{}{}", client.platform, client.driver)?;
            let letters = [
                (client.bound, 'b'),
                (client.group, 'g'),
                (client.deferred, 'd'),
                (client.late, 'w'),
            ];
            for (is, letter) in letters {
                write!(f, "{}", if is { letter } else { '-' })?;
            }
        }
        Ok(())
    }
}
