//! What of the machine a search may use. Neither changes what it finds.

use checker::engine::exhaustive::Options;
use clap::Args;
use std::num::NonZeroUsize;

/// How many threads search, and how much memory they may take.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Machine {
    /// Searches with this many threads; what is found is the same: where they come to a bound of
    /// states, one searches again alone up to it [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// Stops when the search needs more than about this much memory [default: on Linux half of
    /// what is available, elsewhere no bound]
    #[arg(long, value_name = "MIB")]
    max_memory: Option<u64>,
}

impl Machine {
    /// The number of threads, if it was asked for.
    pub(crate) fn asked_workers(&self) -> Option<usize> {
        self.workers.map(NonZeroUsize::get)
    }

    /// One thread, as this option needs it.
    pub(crate) fn alone(&self, option: &str) -> miette::Result<Self> {
        let one = Self {
            workers: Some(NonZeroUsize::MIN),
            ..self.clone()
        };
        match self.asked_workers().filter(|w| *w != 1) {
            None => Ok(one),
            Some(workers) => Err(miette::miette!(
                "{option}: found --workers {workers}, expected 1: it searches with one thread"
            )),
        }
    }

    /// Options with these.
    pub(crate) fn of(&self, options: &Options) -> Options {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let bytes = self.max_memory.map(|mib| mib.saturating_mul(1 << 20));
        Options {
            workers: self.workers.map_or_else(cores, NonZeroUsize::get),
            max_memory: bytes.or_else(half_of_available).unwrap_or(u64::MAX),
            ..options.clone()
        }
    }
}

/// Half of the bytes that Linux says programs can take without swapping.
fn half_of_available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    available(&text).map(|bytes| bytes / 2)
}

/// The bytes of the line `MemAvailable`, see proc_meminfo(5).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::available;

    #[test]
    fn the_available_memory_is_read_in_kib() {
        let text = "MemTotal:       24689664 kB\nMemAvailable:   23000000 kB\nBuffers: 1 kB\n";
        assert_eq!(available(text), Some(23_000_000 << 10));
    }

    #[test]
    fn an_old_kernel_says_nothing_of_it() {
        assert_eq!(available("MemTotal:       24689664 kB\n"), None);
    }
}
