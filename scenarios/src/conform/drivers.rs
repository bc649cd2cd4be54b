//! Which drivers a machine had: the list that `probe-litmus trace-setup` says how to make, of
//! `/sys/bus/*/drivers`.
//!
//! ```text
//! built-in /sys/bus/platform/drivers/arm-smmu-v3
//! module /sys/bus/platform/drivers/virtio-mmio
//! ```
//!
//! A log shows only drivers that probed something. That one was not there, or was a module, cannot
//! be told from a log alone.

use crate::trace::file::{File, Line, ParseError};
use crate::trace::{Log, What};
use kernel::config::Config;
use std::collections::BTreeMap;

/// The drivers of a machine, and whether each is a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drivers {
    is_module: BTreeMap<String, bool>,
}

impl Drivers {
    /// Reads a list.
    pub fn of_file(file: &File) -> Result<Self, ParseError> {
        let mut is_module = BTreeMap::new();
        for line in file.lines().filter(|l| !l.text.trim().is_empty()) {
            let (name, module) = driver(line)?;
            is_module.insert(name.to_owned(), module);
        }
        if is_module.is_empty() {
            return Err(file.error("expected a list of drivers, found none".to_owned()));
        }
        Ok(Self { is_module })
    }

    /// Drivers of the catalogue that the machine did not have are not built, and what was a module
    /// is loaded in the order in which the log first has them. What the configuration says already
    /// stays.
    pub fn apply(&self, log: &Log, config: &mut Config) {
        let mut modules = vec![];
        for info in config.catalogue.drivers() {
            let name = info.name;
            if config.absent.contains(name) || config.loaded_modules.iter().any(|m| m == name) {
                continue;
            }
            match self.is_module.get(name) {
                None => {
                    config.absent.insert(name.to_owned());
                }
                Some(true) => modules.push(name),
                Some(false) => {}
            }
        }
        let first = |name: &str| {
            let mut entries = log.entries.iter();
            let probes = |what: &What| match what {
                What::Enter(call) => call.binds.as_deref() == Some(name),
                _ => false,
            };
            entries.position(|e| probes(&e.what)).unwrap_or(usize::MAX)
        };
        modules.sort_by_key(|name| first(name));
        let modules = modules.into_iter().map(str::to_owned);
        config.loaded_modules.extend(modules);
    }
}

/// `module /sys/bus/platform/drivers/NAME`
fn driver(line: Line<'_>) -> Result<(&str, bool), ParseError> {
    let bad = || {
        line.error(
            "expected `built-in` or `module`, then a path such as /sys/bus/platform/drivers/NAME",
        )
    };
    let (kind, path) = line.text.trim().split_once(' ').ok_or_else(bad)?;
    let is_module = match kind {
        "module" => true,
        "built-in" => false,
        _ => return Err(bad()),
    };
    let path = path.trim().strip_prefix("/sys/bus/").ok_or_else(bad)?;
    let (_, name) = path.split_once("/drivers/").ok_or_else(bad)?;
    let is_name = !name.is_empty() && !name.contains('/');
    is_name.then_some((name, is_module)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Drivers, String> {
        Drivers::of_file(&File::of_text("drivers.txt", text)).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_not_in_the_list_is_not_built() {
        let text = "built-in /sys/bus/platform/drivers/arm-smmu-v3\n\
                    module /sys/bus/platform/drivers/virtio-mmio\n\
                    module /sys/bus/platform/drivers/pwrseq_simple\n\
                    built-in /sys/bus/platform/drivers/ARM PMU\n";
        let log =
            "insmod-70 [000] ..... 9.1: p_r: (really_probe+0x0/0x3f8) d=\"v\" v=\"virtio-mmio\"";
        let log = Log::of_text("trace.txt", log);
        let mut config = Config::default();
        config.loaded_modules.push("of_serial".to_owned());
        list(text).expect("a list").apply(&log, &mut config);
        assert!(config.absent.contains("sram") && config.absent.contains("arm-smmu"));
        assert!(!config.absent.contains("arm-smmu-v3") && !config.absent.contains("of_serial"));
        assert_eq!(
            config.loaded_modules,
            ["of_serial", "virtio-mmio", "pwrseq_simple"]
        );
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_line() {
        for (text, expected) in [
            (
                "built-in /sys/bus/platform/drivers/a\nvirtio-mmio\n",
                "drivers.txt:2: expected `built-in` or `module`, then a path such as \
                 /sys/bus/platform/drivers/NAME: `virtio-mmio`",
            ),
            ("\n", "drivers.txt: expected a list of drivers, found none"),
        ] {
            assert_eq!(list(text).expect_err(text), expected);
        }
    }
}
