//! `probe-litmus conform`

use super::NOT_AS_STATED;
use super::boot::probe_result;
use checker::engine::conform::{Answer, Bounds};
use clap::Args;
use kernel::config::Config;
use kernel::revision::Revision;
use miette::miette;
use scenarios::board;
use scenarios::conform::Case;
use scenarios::conform::cmdline;
use scenarios::conform::drivers::Drivers;
use scenarios::conform::events::Probes;
use scenarios::conform::report::{Came, Read};
use scenarios::conform::table::Table;
use scenarios::runner::names::Resolver;
use scenarios::trace::Log;
use scenarios::trace::file::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Exit codes: 0 the model allows all logs; 1 it does not allow one, or that was not decided; \
2 the input is wrong.";

/// Says whether the model allows what a real kernel did
///
/// Reads logs of boots: ftrace's text with kprobe events (see `probe-litmus trace-setup`), the
/// function or the function_graph tracer, or kernel messages. Each is one boot. A schedule of the
/// model is searched for whose calls are those of the log.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Conform {
    /// Device tree of the machine, as text or as blob; or an ACPI machine (.acpi)
    #[arg(long, value_name = "FILE")]
    board: PathBuf,
    /// Kernel that made the logs: what uname -r printed, or see `probe-litmus kernels`
    #[arg(long, value_name = "REV")]
    kernel: String,
    /// Logs, one for each boot
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// driver_async_probe=: a driver that probes asynchronously, or `*`
    #[arg(long = "async", value_name = "DRIVER")]
    async_probe: Vec<String>,
    /// A driver that is a module, loaded when the initcalls are over; in the order given
    #[arg(long, value_name = "DRIVER")]
    module: Vec<String>,
    /// A driver that is not built
    #[arg(long, value_name = "DRIVER")]
    without: Vec<String>,
    /// What a device's driver returns from its probe, where the log does not tell
    #[arg(long, value_name = "DEVICE=ERROR", value_parser = probe_result)]
    probe: Vec<(String, i32)>,
    /// fw_devlink=on, off, or strict (on with fw_devlink.strict=1)
    #[arg(long, value_name = "MODE", value_parser = ["on", "off", "strict"])]
    fw_devlink: Option<String>,
    /// The kernel command line of the boots: which options it had, which functions were probed
    #[arg(long, value_name = "FILE")]
    cmdline: Option<PathBuf>,
    /// Which drivers the machine had, and which of them were modules: see `probe-litmus trace-setup`
    #[arg(long, value_name = "FILE")]
    drivers: Option<PathBuf>,
    /// Kernel messages of the boot, to be read with its trace: they name devices
    #[arg(long, value_name = "FILE")]
    dmesg: Option<PathBuf>,
    /// With several logs: explores all boots of the model up to this many states, and lists the
    /// outcomes that were never seen
    #[arg(long, value_name = "STATES")]
    explore: Option<u64>,
    /// Functions that are observed even if the log has no call of them
    #[arg(long, value_name = "FUNCTION", value_delimiter = ',')]
    observed: Vec<String>,
    /// Functions whose calls are not compared
    #[arg(long, value_name = "FUNCTION", value_delimiter = ',')]
    not_observed: Vec<String>,
    /// Stops after this many states with a choice
    #[arg(long, value_name = "N", default_value_t = Bounds::default().max_states)]
    max_states: u64,
    /// Tries all orders, those too that can make no difference: much slower
    #[arg(long)]
    all_orders: bool,
    /// Shows all that happens in the run that was found
    #[arg(long)]
    verbose: bool,
}

impl Conform {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        if self.dmesg.is_some() && self.traces.len() > 1 {
            return Err(miette!("--dmesg: expected one TRACE, whose boot it is of"));
        }
        let board = board::load(&self.board)?;
        let revision = Revision::parse(&self.kernel).map_err(|e| miette!("--kernel: {e}"))?;
        let mut table = Table::default();
        let mut last = None;
        let mut all_accepted = true;
        for path in &self.traces {
            let name = path.display().to_string();
            let log = self.log(path)?;
            let (config, probes) = self.configuration(&log)?;
            let case = Case::new(&board, revision, config.clone(), &log, &probes)?;
            println!("Log {name}   board {}   kernel {revision}", board.name);
            print!(
                "{}",
                Read {
                    log: &log,
                    case: &case
                }
            );
            if case.events() == 0 {
                return Err(miette!(
                    "{name}: nothing in it can be compared; expected calls with names of devices of the board"
                ));
            }
            let bounds = Bounds {
                max_states: self.max_states,
                all_orders: self.all_orders,
                ..Bounds::default()
            };
            let of = (&board, revision, config);
            let (case, verdict) = case.validate_or_late(of, (&log, &probes), bounds)?;
            print!("{}", case.late_text());
            let names = Resolver::by_device_name(&board, case.kernel.board());
            let came = Came {
                log: &log,
                case: &case,
                verdict: &verdict,
                names: &names,
                verbose: self.verbose,
            };
            print!("{came}");
            if let Answer::Accepted(run) = verdict.found.answer {
                table.accepted(name, run.trace.end);
            } else {
                all_accepted = false;
                table.not_accepted(name);
            }
            last = Some(case.kernel.clone());
        }
        if let (Some(kernel), 2..) = (last, self.traces.len()) {
            let names = Resolver::by_device_name(&board, kernel.board());
            print!("{}", table.text(&kernel, &names, self.explore));
        }
        Ok(if all_accepted {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NOT_AS_STATED)
        })
    }

    /// A log, with the messages of its boot.
    fn log(&self, path: &Path) -> miette::Result<Log> {
        let mut log = Log::read(path)?;
        if let Some(dmesg) = &self.dmesg {
            log.merge(Log::read(dmesg)?);
        }
        log.name_devices();
        Ok(log)
    }

    /// What the command line says, and above that the options.
    fn configuration(&self, log: &Log) -> miette::Result<(Config, Probes)> {
        let mut config = Config::default();
        let mut probes = Probes {
            not_observed: self.not_observed.iter().cloned().collect(),
            ..Probes::default()
        };
        let text = match &self.cmdline {
            Some(path) => Some(read_text(path)?),
            None => log.command_line.clone(),
        };
        if let Some(text) = text {
            let (taken, not) = cmdline::apply(&text, &mut config, &mut probes);
            println!("Command line: {}", taken.join(" "));
            if !not.is_empty() {
                println!("  not modelled: {}", not.join(" "));
            }
        }
        if let Some(mode) = &self.fw_devlink {
            config.set_fw_devlink(mode);
        }
        config.async_probe.extend(self.async_probe.iter().cloned());
        config.absent.extend(self.without.iter().cloned());
        config.loaded_modules.clone_from(&self.module);
        if let Some(path) = &self.drivers {
            Drivers::of_file(&File::read(path)?)?.apply(log, &mut config);
        }
        config.probe_results.extend(self.probe.iter().cloned());
        probes.observed.extend(self.observed.iter().cloned());
        Ok((config, probes))
    }
}

fn read_text(path: &Path) -> miette::Result<String> {
    let bytes = scenarios::trace::file::bytes(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
