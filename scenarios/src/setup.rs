//! From a board, a revision and what the user asked for to a kernel that can run.

use crate::board::Board;
use crate::suggest::nearest;
use kernel::board::BoardError;
use kernel::config::{Arch, Config};
use kernel::drivers::catalogue::DriverInfo;
use kernel::kernel::Kernel;
use kernel::model::Start;
use kernel::revision::Revision;
use miette::Diagnostic;
use std::sync::Arc;
use thiserror::Error;

/// Why no kernel can be set up.
#[derive(Debug, Error, Diagnostic)]
pub enum SetupError {
    /// The board cannot be laid out.
    #[error("{board}: {error}")]
    Board {
        /// The board's file.
        board: String,
        /// What is wrong.
        error: BoardError,
    },
    /// The kernel is older than what is modelled of it.
    #[error(
        "`{kernel}` is older than {}: the model has such kernels for 32-bit ARM alone; \
         expected a test with `config arch arm`, or a newer kernel",
        kernel::revision::OLDEST
    )]
    ForArmAlone {
        /// The kernel.
        kernel: Revision,
    },
    /// 32-bit ARM is not modelled with the IOMMU core of that time.
    #[error(
        "`{kernel}` is not modelled on 32-bit ARM: expected one from v4.12-rc1 to v5.2-rc1, or from \
         {} on",
        kernel::revision::OLDEST
    )]
    NotForArm {
        /// The kernel.
        kernel: Revision,
    },
    /// A driver is to be a module, and something else as well.
    #[error("--module: `{driver}` {problem}")]
    Module {
        /// The driver.
        driver: String,
        /// What does not go together.
        problem: &'static str,
    },
    /// Something is named that is not there.
    #[error("{option}: unknown {what} `{name}`{}", hint.as_deref().map(|h| format!("; did you mean `{h}`?")).unwrap_or_default())]
    #[diagnostic(help("{help}"))]
    Unknown {
        /// Where the name stands.
        option: &'static str,
        /// What it should be the name of.
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest that is there.
        hint: Option<String>,
        /// What there is.
        help: String,
    },
}

/// Lays out a kernel, after checking that every name in the configuration means something.
pub fn kernel(
    board: &Board,
    revision: Revision,
    config: Config,
    start: impl FnOnce(&kernel::board::Board) -> Start,
) -> Result<Arc<Kernel>, SetupError> {
    kernel_with(board, revision, config, |_, _| {}, start)
}

fn check_architecture(kernel: Revision, config: &Config) -> Result<(), SetupError> {
    match config.arch {
        Arch::Arm if !kernel.is_for_arm_too() => Err(SetupError::NotForArm { kernel }),
        Arch::Arm64 if kernel.is_for_arm_alone() => Err(SetupError::ForArmAlone { kernel }),
        Arch::Arm | Arch::Arm64 => Ok(()),
    }
}

/// As [`kernel()`], with changes to the board and the configuration that nobody has typed, and that
/// are not checked.
pub fn kernel_with(
    board: &Board,
    revision: Revision,
    mut config: Config,
    change: impl FnOnce(&mut kernel::board::Board, &mut Config),
    start: impl FnOnce(&kernel::board::Board) -> Start,
) -> Result<Arc<Kernel>, SetupError> {
    check_architecture(revision, &config)?;
    let mut laid_out = board.lay_out(&config).map_err(|error| SetupError::Board {
        board: board.name.clone(),
        error,
    })?;
    check_devices(&laid_out, "--allow", config.allow.iter())?;
    check_devices(&laid_out, "--probe", config.probe_results.keys())?;
    let all = config.catalogue.drivers();
    let named = config.async_probe.iter().filter(|d| *d != "*");
    check_drivers(all, "--async", named)?;
    check_drivers(all, "--without", config.absent.iter())?;
    check_drivers(all, "--module", config.loaded_modules.iter())?;
    check_modules(&config)?;
    change(&mut laid_out, &mut config);
    let start = start(&laid_out);
    Ok(Arc::new(Kernel::new(revision, config, laid_out, start)))
}

fn check_modules(config: &Config) -> Result<(), SetupError> {
    for (i, driver) in config.loaded_modules.iter().enumerate() {
        let problem = if config.loaded_modules[..i].contains(driver) {
            "is loaded twice; expected each module once"
        } else if config.absent.contains(driver) {
            "is not built, by --without; expected a driver that is"
        } else {
            continue;
        };
        let driver = driver.clone();
        return Err(SetupError::Module { driver, problem });
    }
    Ok(())
}

fn check_devices<'a>(
    board: &kernel::board::Board,
    option: &'static str,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), SetupError> {
    let clients = || {
        board
            .devices
            .iter()
            .filter(|d| !d.iommus.is_empty())
            .map(|d| d.name.as_str())
    };
    for name in names {
        if board.device_by_name(name).is_none() {
            let all = board.devices.iter().map(|d| d.name.as_str());
            return Err(SetupError::Unknown {
                option,
                what: "device",
                name: name.clone(),
                hint: nearest(name, all).map(str::to_owned),
                help: format!(
                    "devices of this board with an IOMMU: {}",
                    clients().collect::<Vec<_>>().join(", ")
                ),
            });
        }
    }
    Ok(())
}

fn check_drivers<'a>(
    all: &'static [DriverInfo],
    option: &'static str,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), SetupError> {
    let known = || all.iter().map(|d| d.name);
    for name in names {
        if !known().any(|d| d == name) {
            return Err(SetupError::Unknown {
                option,
                what: "driver",
                name: name.clone(),
                hint: nearest(name, known()).map(str::to_owned),
                help: format!(
                    "drivers of the model: {}",
                    known().collect::<Vec<_>>().join(", ")
                ),
            });
        }
    }
    Ok(())
}
