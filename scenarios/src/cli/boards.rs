//! `probe-litmus boards`

use super::boot::Drivers;
use super::folders::{Links, files_below};
use super::progress;
use super::{BAD_INPUT, NOT_AS_STATED};
use clap::Args;
use kernel::board::unmodelled::Binding;
use kernel::config::Config;
use kernel::revision::Revision;
use miette::miette;
use scenarios::boot::survey::{Row, SurveyError, survey};
use scenarios::in_order::in_order;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Example, the boards of the project itself:

  probe-litmus boards scenarios/boards

docs/boards.md says how to get all boards that Debian ships.

Exit codes: 0 every board booted to the end; 1 one died in an oops, deadlocked, or hit a limit of the model; \
2 the input is wrong, one file of many or all.";

/// Boots many boards and prints a row for each
///
/// Every .dtb, .dts and .acpi of the folders is loaded and booted under the default schedule, with the
/// drivers of an arm64 defconfig. Below the rows: the sums, and what the boards say about IOMMUs
/// that the model does not follow. A file that cannot be read is named, and the others go on.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Boards {
    /// Device trees and ACPI machines, or folders with such files in them
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Kernel revision, see `probe-litmus kernels`
    #[arg(long, value_name = "REV", default_value = "v7.3-rc7")]
    kernel: String,
    /// Which drivers the kernel has
    #[arg(long, value_name = "SET", value_enum, default_value_t = Drivers::Arm64)]
    drivers: Drivers,
    /// Devices that none of these drivers matches have one all the same, a client driver
    #[arg(long)]
    any_driver: bool,
    /// Modules are never loaded
    #[arg(long)]
    no_load: bool,
    /// fw_devlink=on, off, or strict (on with fw_devlink.strict=1)
    #[arg(long, value_name = "MODE", default_value = "on", value_parser = ["on", "off", "strict"])]
    fw_devlink: String,
    /// Prints no rows, but for boards that did not boot to the end
    #[arg(long)]
    summary: bool,
    /// Boots this many boards at a time [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
}

/// What came of one file.
type Result = std::result::Result<Row, SurveyError>;

impl Boards {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let revision = Revision::parse(&self.kernel).map_err(|e| miette!("--kernel: {e}"))?;
        let mut files = vec![];
        for path in &self.paths {
            collect(path, &mut files)?;
        }
        if files.is_empty() {
            let paths: Vec<String> = self.paths.iter().map(|p| p.display().to_string()).collect();
            return Err(miette!("{}: found no .dtb, .dts or .acpi", paths.join(" ")));
        }
        println!(
            "Boards {}   kernel {revision}   schedule default",
            files.len()
        );
        println!("{HEADER}");
        let mut sums = Sums::default();
        self.survey_all(&files, revision, |path, result| {
            if !self.summary || result.as_ref().is_ok_and(|row| row.cut_short.is_some()) {
                print_row(path, result);
            }
            if let Err(error) = result {
                eprintln!("{error}");
            }
            sums.add(result);
        });
        print!("{sums}");
        Ok(ExitCode::from(sums.exit_code()))
    }

    fn config(&self) -> Config {
        let mut config = Config {
            catalogue: self.drivers.catalogue(),
            any_driver: self.any_driver,
            load_modules: !self.no_load,
            ..Config::default()
        };
        config.set_fw_devlink(&self.fw_devlink);
        config
    }

    /// Hands each file and what came of it to `each`, in the order of the files.
    fn survey_all(
        &self,
        files: &[PathBuf],
        revision: Revision,
        mut each: impl FnMut(&Path, &Result),
    ) {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = self.workers.map_or_else(cores, NonZeroUsize::get);
        let bar = progress::bar(files.len(), "boards");
        let work = |file: &PathBuf| Some(survey(file, revision, self.config()));
        in_order(
            files,
            workers,
            work,
            || bar.inc(1),
            |n, result| {
                bar.suspend(|| each(&files[n], result));
            },
        );
        bar.finish_and_clear();
    }
}

/// The boards in a folder and below it, by path; or the file itself.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> miette::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let below = files_below(path, &["dtb", "dts", "acpi"], Links::Skip);
    let below = below
        .map_err(|(folder, e)| miette!("{}: cannot read the folder: {e}", folder.display()))?;
    files.extend(below);
    Ok(())
}

const HEADER: &str = "\
nodes devices  IOMMUs +none  +off  clients  bound groups  deferred splats  board";

fn print_row(path: &Path, result: &Result) {
    let name = path.display();
    match result {
        Ok(row) => {
            println!(
                "{:>5} {:>7} {:>7} {:>5} {:>5} {:>8} {:>6} {:>6} {:>9} {:>6}  {name}",
                row.nodes,
                row.devices,
                row.iommus,
                row.without_driver,
                row.disabled,
                row.clients,
                row.bound,
                row.grouped,
                row.deferred,
                row.splats
            );
            if let Some(why) = &row.cut_short {
                println!("      stopped early: {why}");
            }
        }
        Err(_) => println!("{:>5}  {name}: not loaded", "-"),
    }
}

/// Sums over all boards.
#[derive(Default)]
struct Sums {
    boards: usize,
    failed: usize,
    cut_short: usize,
    with_iommus: usize,
    with_splats: usize,
    total: Row,
    /// For each binding how often it is there, and on how many boards.
    unmodelled: BTreeMap<Binding, (usize, usize)>,
}

impl Sums {
    fn add(&mut self, result: &Result) {
        self.boards += 1;
        let Ok(row) = result else {
            self.failed += 1;
            return;
        };
        self.cut_short += usize::from(row.cut_short.is_some());
        let iommus = row.iommus + row.without_driver + row.disabled;
        self.with_iommus += usize::from(iommus > 0);
        self.with_splats += usize::from(row.splats > 0);
        self.total.add(row);
        for (binding, n) in &row.unmodelled {
            let (times, boards) = self.unmodelled.entry(binding.clone()).or_default();
            *times += n;
            *boards += 1;
        }
    }

    fn exit_code(&self) -> u8 {
        match (self.failed, self.cut_short) {
            (0, 0) => 0,
            (0, _) => NOT_AS_STATED,
            _ => BAD_INPUT,
        }
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = &self.total;
        writeln!(
            f,
            "Boards {}: booted to the end {}, stopped early {}, not loaded {}",
            self.boards,
            self.boards - self.failed - self.cut_short,
            self.cut_short,
            self.failed
        )?;
        writeln!(
            f,
            "Boards with IOMMUs {}: IOMMUs with a driver {} (registered {}), without {}, disabled {}",
            self.with_iommus, t.iommus, t.registered, t.without_driver, t.disabled
        )?;
        writeln!(
            f,
            "Clients {}: bound {}, in a group {}",
            t.clients, t.bound, t.grouped
        )?;
        writeln!(
            f,
            "Devices {}: without a driver in the catalogue {}, deferred at the end {}",
            t.devices, t.driverless, t.deferred
        )?;
        writeln!(f, "Splats {}, on {} boards", t.splats, self.with_splats)?;
        writeln!(f, "Not modelled {}", self.unmodelled.len())?;
        for (binding, (times, boards)) in &self.unmodelled {
            writeln!(f, "  {times:>5} on {boards:>4} boards  {binding}")?;
        }
        Ok(())
    }
}
