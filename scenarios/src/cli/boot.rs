//! `probe-litmus boot`

use super::NOT_AS_STATED;
use super::limits::Limits;
use super::machine::Machine;
use super::progress::Watch;
use checker::engine::exhaustive::Options;
use checker::outcome::Complete;
use clap::{Args, ValueEnum};
use kernel::commit;
use kernel::config::Config;
use kernel::drivers::catalogue::Catalogue;
use kernel::errno;
use kernel::model::Start;
use kernel::revision::Revision;
use miette::miette;
use scenarios::board;
use scenarios::boot::report::{Summary, log};
use scenarios::boot::{Boot as Booted, boot, explore};
use scenarios::runner::names::Resolver;
use scenarios::runner::report::{counts, outcome_lines, rounds};
use scenarios::runner::{Memory, label};
use scenarios::setup;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Example, the board of the SATA warning with the reporter's own patch to the allow list:

  probe-litmus boot scenarios/boards/r8a77965-salvator-xs.dts \\
      --kernel bcb81ac6ae3c --allow ee300000.sata

Exit codes: 0 the boot is over; 1 it deadlocked, or was not explored to the end; 2 the input is wrong.";

/// Boots a whole board and prints its of_xlate log
///
/// The log is shown as a diff against the kernel before bcb81ac6ae3c ("iommu: Get DT/ACPI parsing
/// into the proper probe path"), as it was reported: `+` for calls that are new, `-` for calls
/// that are gone. Below it: the calls by device, the warnings, what stayed deferred, and the
/// groups at the end.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Boot {
    /// Device tree, as text or as blob, or ACPI machine
    board: PathBuf,
    /// Kernel revision, see `probe-litmus kernels`
    #[arg(long, value_name = "REV", default_value = "v7.3-rc7")]
    kernel: String,
    /// Kernel to compare the log with; `none` for the bare log
    #[arg(
        long,
        value_name = "REV",
        default_value = "bcb81ac6ae3c^",
        conflicts_with = "explore"
    )]
    against: String,
    /// Adds a device to ipmmu-vmsa's allow list
    #[arg(long, value_name = "DEVICE")]
    allow: Vec<String>,
    /// driver_async_probe=: a driver that probes asynchronously, or `*`
    #[arg(long = "async", value_name = "DRIVER")]
    async_probe: Vec<String>,
    /// `async_schedule()` never finds memory: who would start an asynchronous probe makes it by itself
    #[arg(long, conflicts_with = "async_probe")]
    no_async_memory: bool,
    /// A driver that is a module, loaded when the initcalls are over; in the order given
    #[arg(long, value_name = "DRIVER")]
    module: Vec<String>,
    /// Which drivers the kernel has
    #[arg(long, value_name = "SET", value_enum, default_value_t = Drivers::Own)]
    drivers: Drivers,
    /// Devices that none of these drivers matches have one all the same, a client driver
    #[arg(long)]
    any_driver: bool,
    /// A driver that is not built
    #[arg(long, value_name = "DRIVER")]
    without: Vec<String>,
    /// What a device's driver returns from its probe, such as `ee100000.mmc=-EPROBE_DEFER`
    #[arg(long, value_name = "DEVICE=ERROR", value_parser = probe_result)]
    probe: Vec<(String, i32)>,
    /// Revision of the SoC, such as ES2.0
    #[arg(long, value_name = "REV", default_value = "")]
    soc_revision: String,
    /// fw_devlink=on, off, or strict (on with fw_devlink.strict=1)
    #[arg(long, value_name = "MODE", default_value = "on", value_parser = ["on", "off", "strict"])]
    fw_devlink: String,
    /// A kernel without CONFIG_MODULES
    #[arg(long, conflicts_with = "module")]
    no_modules: bool,
    /// Explores every interleaving instead of the one default schedule
    #[arg(long)]
    explore: bool,
    /// With --explore: stops after this many states
    #[arg(long, value_name = "N", default_value_t = Options::default().max_states, requires = "explore")]
    max_states: u64,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    machine: Machine,
}

/// Which catalogue of drivers is used.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Drivers {
    /// The few that the boards and scenarios of this project need, all built in
    Own,
    /// Those of an arm64 defconfig; modules are loaded when the initcalls are over
    Arm64,
}

impl Drivers {
    pub(crate) fn catalogue(self) -> Catalogue {
        match self {
            Drivers::Own => Catalogue::Own,
            Drivers::Arm64 => Catalogue::Arm64,
        }
    }
}

/// Reads `DEVICE=ERROR`.
pub(crate) fn probe_result(text: &str) -> Result<(String, i32), String> {
    let parsed = text
        .split_once('=')
        .and_then(|(device, error)| Some((device.to_owned(), errno::parse(error)?)));
    parsed.ok_or_else(|| "expected DEVICE=ERROR, such as ee100000.mmc=-EPROBE_DEFER".to_owned())
}

impl Boot {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let board = board::load(&self.board)?;
        let revision = Revision::parse(&self.kernel).map_err(|e| miette!("--kernel: {e}"))?;
        if self.explore {
            return self.explore(&board, revision);
        }
        let booted = boot(&board, revision, self.config())?;
        let base = self.base(&board, revision)?;
        println!("Boot {}   kernel {revision}   schedule default", board.name);
        match &base {
            Some(base) => println!("of_xlate log, against {}", base.kernel.revision()),
            None => println!("of_xlate log"),
        }
        print!("{}{}", log(&booted, base.as_ref()), Summary(&booted));
        let is_over = booted.trace.limit.is_none() && booted.trace.end.deadlock.is_none();
        Ok(if is_over {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NOT_AS_STATED)
        })
    }

    /// The boot to compare the log with: none for a kernel that comes before it.
    fn base(&self, board: &board::Board, revision: Revision) -> miette::Result<Option<Booted>> {
        if self.against == "none" {
            return Ok(None);
        }
        let base = Revision::parse(&self.against).map_err(|e| miette!("--against: {e}"))?;
        let is_default = self.against == "bcb81ac6ae3c^";
        if base == revision || (is_default && !revision.has(commit::BCB81AC6AE3C)) {
            return Ok(None);
        }
        Ok(Some(boot(board, base, self.config())?))
    }

    fn config(&self) -> Config {
        let mut config = Config {
            modules: !self.no_modules,
            async_probe: self.async_probe.iter().cloned().collect(),
            async_memory: !self.no_async_memory,
            allow: self.allow.iter().cloned().collect(),
            soc_revision: self.soc_revision.clone(),
            catalogue: self.drivers.catalogue(),
            any_driver: self.any_driver,
            absent: self.without.iter().cloned().collect(),
            loaded_modules: self.module.clone(),
            probe_results: self.probe.iter().cloned().collect(),
            ..Config::default()
        };
        config.set_fw_devlink(&self.fw_devlink);
        config
    }

    fn explore(&self, board: &board::Board, revision: Revision) -> miette::Result<ExitCode> {
        let kernel = setup::kernel(board, revision, self.config(), |_| Start::Boot)?;
        let watch = Watch::new(&format!("boot {} on {revision}", board.name));
        let options = self.machine.of(&Options {
            max_states: self.max_states,
            label: label(
                &format!("boot {} on {revision}", board.name),
                &format!("{board:?} {:?}", self.config()),
            ),
            ..Options::default()
        });
        let options = self.limits.of(options);
        let report = explore(&kernel, &options, &mut |p| watch.look(p))
            .map_err(|e| miette!("checkpoint {e}"))?;
        drop(watch);
        self.limits.advise(&report);
        println!("Boot {}   kernel {revision}   schedule all", board.name);
        println!("{}", counts(&report));
        let names = Resolver::by_device_name(board, kernel.board());
        let of = (&kernel, Memory::Sequential);
        print!("{}", rounds(&report, of, &names));
        println!("Complete {}", report.complete);
        for round in report.rounds.keys() {
            println!("{round}");
        }
        println!("Outcomes {}", report.finals.len());
        for (i, end) in report.finals.keys().enumerate() {
            for (line, text) in outcome_lines(end, &names).into_iter().enumerate() {
                let number = if line == 0 {
                    format!("{:>3}", i + 1)
                } else {
                    "   ".to_owned()
                };
                println!("{number} {text}");
            }
        }
        Ok(if report.complete == Complete::Yes {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NOT_AS_STATED)
        })
    }
}
