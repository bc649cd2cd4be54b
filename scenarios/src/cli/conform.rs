//! `probe-litmus conform`

use super::NOT_AS_STATED;
use checker::engine::conform::{Answer, Bounds};
use clap::Args;
use kernel::config::Config;
use kernel::errno;
use kernel::revision::Revision;
use miette::miette;
use scenarios::board;
use scenarios::conform::Case;
use scenarios::conform::events::Probes;
use scenarios::conform::report::{Came, Read};
use scenarios::runner::names::Resolver;
use scenarios::trace::Log;
use std::path::PathBuf;
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
    /// Device tree of the machine, as text or as blob
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
    #[arg(long, value_name = "MODE", default_value = "on", value_parser = ["on", "off", "strict"])]
    fw_devlink: String,
    /// Functions that are observed even if the log has no call of them
    #[arg(long, value_name = "FUNCTION", value_delimiter = ',')]
    observed: Vec<String>,
    /// Functions whose calls are not compared
    #[arg(long, value_name = "FUNCTION", value_delimiter = ',')]
    not_observed: Vec<String>,
    /// Stops after this many states with a choice
    #[arg(long, value_name = "N", default_value_t = Bounds::default().max_states)]
    max_states: u64,
    /// Shows all that happens in the run that was found
    #[arg(long)]
    verbose: bool,
}

fn probe_result(text: &str) -> Result<(String, i32), String> {
    let parsed = text
        .split_once('=')
        .and_then(|(device, error)| Some((device.to_owned(), errno::parse(error)?)));
    parsed.ok_or_else(|| "expected DEVICE=ERROR, such as ee100000.mmc=-EPROBE_DEFER".to_owned())
}

impl Conform {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let board = board::load(&self.board)?;
        let revision = Revision::parse(&self.kernel).map_err(|e| miette!("--kernel: {e}"))?;
        let mut all_accepted = true;
        for path in &self.traces {
            let log = Log::read(path)?;
            let case = Case::new(&board, revision, self.config(), &log, &self.probes())?;
            println!(
                "Log {}   board {}   kernel {revision}",
                path.display(),
                board.name
            );
            print!(
                "{}",
                Read {
                    log: &log,
                    case: &case
                }
            );
            if case.events() == 0 {
                return Err(miette!("{}: nothing in it can be compared", path.display()));
            }
            let verdict = case.validate(Bounds {
                max_states: self.max_states,
            });
            all_accepted &= matches!(verdict.found.answer, Answer::Accepted(_));
            let names = Resolver::by_device_name(&board, case.kernel.board());
            let came = Came {
                log: &log,
                case: &case,
                verdict: &verdict,
                names: &names,
                verbose: self.verbose,
            };
            print!("{came}");
        }
        Ok(if all_accepted {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NOT_AS_STATED)
        })
    }

    fn probes(&self) -> Probes {
        Probes {
            observed: self.observed.iter().cloned().collect(),
            not_observed: self.not_observed.iter().cloned().collect(),
        }
    }

    fn config(&self) -> Config {
        Config {
            fw_devlink: self.fw_devlink != "off",
            fw_devlink_strict: self.fw_devlink == "strict",
            async_probe: self.async_probe.iter().cloned().collect(),
            absent: self.without.iter().cloned().collect(),
            loaded_modules: self.module.clone(),
            probe_results: self.probe.iter().cloned().collect(),
            ..Config::default()
        }
    }
}
