//! The model against traces of real kernels: every call of of_xlate, and the end state, of every
//! boot in `tests/traces` that has no race in it. `tests/traces/README.md` says what those are.

#[path = "traces/booted.rs"]
mod booted;
#[path = "traces/state.rs"]
mod state;
#[path = "traces/summary.rs"]
mod summary;

use booted::Probed;
use kernel::config::Config;
use kernel::revision::Revision;
use libtest_mimic::{Failed, Trial};
use scenarios::board;
use scenarios::boot::boot;
use scenarios::trace::file::File;
use similar::TextDiff;
use state::State;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const DEBIAN: &[&str] = &["6.12.107+deb13", "6.16.12+deb13", "7.2.13+deb14"];
const IPMMU: &[&str] = &["6.12.107-ipmmu", "7.2.13-ipmmu"];

/// Kernels in which the compiler has left all calls of driver_deferred_probe_add() standing.
const DEFERRED_PROBE_ADD_NOT_INLINED: &[&str] = &["7.2.13+deb14", "7.2.13-ipmmu"];

/// SDHI of rcar-gen3: its driver wants to be probed asynchronously.
const MMC: &[&str] = &[
    "ee100000.mmc",
    "ee120000.mmc",
    "ee140000.mmc",
    "ee160000.mmc",
];

/// Folders of `tests/traces` that `conform.rs` alone reads: with races in them, where one boot shows one
/// outcome of several, or with binds after the initcalls.
const OF_CONFORM: &[&str] = &["forced", "repeat", "virt"];

/// Drivers in the traces that the model does not have. What is bound to them is not compared.
const DRIVERS_NOT_MODELLED: &[&str] = &[
    "alarmtimer",
    "armv8-pmu",
    "pl061_gpio",
    "psci-cpuidle-domain",
    "reg-dummy",
    "rtc-pl031",
    "serial8250",
    "simple-pm-bus",
    "uart-pl011",
];

/// Platform devices that no node describes, made by code that the model does not have.
const DEVICES_WITHOUT_NODE: &[&str] = &["Fixed MDIO bus.0", "psci-cpuidle"];

/// Nodes that the kernel makes no platform device of, since irqchip and clock code has taken them
/// (OF_POPULATED) before of_platform comes by. The model makes devices of them, without drivers.
const NODES_TAKEN_EARLY: &[&str] = &["8000000.intc", "apb-pclk"];

/// One board, booted with one configuration by several kernels.
struct Case {
    /// Folder in `tests/traces`.
    folder: &'static str,
    /// Its device tree.
    board: &'static str,
    /// Folders of the kernels.
    kernels: &'static [&'static str],
    /// Devices probed asynchronously with an -EPROBE_DEFER of their drivers' own. How often they
    /// are queued again depends on how many of them run at once, and is not compared.
    asynchronous: &'static [&'static str],
    /// What differs from the default configuration.
    configure: fn(&mut Config),
}

const CASES: &[Case] = &[
    Case {
        folder: "smmu-first",
        board: "smmu-first.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: virtio_module,
    },
    Case {
        folder: "smmu-last",
        board: "smmu-last.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: virtio_module,
    },
    Case {
        folder: "smmu-last-nolink",
        board: "smmu-last.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: |config| {
            virtio_module(config);
            config.fw_devlink = false;
        },
    },
    Case {
        folder: "smmu-last-strict",
        board: "smmu-last.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: |config| {
            virtio_module(config);
            config.fw_devlink_strict = true;
        },
    },
    Case {
        folder: "smmu-deferred",
        board: "smmu-deferred.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: virtio_module,
    },
    Case {
        folder: "client-supplier",
        board: "client-supplier.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: virtio_module,
    },
    Case {
        folder: "rk-multi",
        board: "rk-multi.dts",
        kernels: DEBIAN,
        asynchronous: &[],
        configure: virtio_module,
    },
    Case {
        folder: "rcar-gen3",
        board: "rcar-gen3.dts",
        kernels: IPMMU,
        asynchronous: MMC,
        configure: small_renesas_kernel,
    },
];

/// Debian has virtio_mmio as a module, loaded by /init. The second virtio-mmio transport has no
/// device behind it: -ENODEV.
fn virtio_module(config: &mut Config) {
    config.loaded_modules.push("virtio-mmio".to_owned());
    config
        .probe_results
        .insert("a000200.virtio_mmio".to_owned(), -19);
}

/// `ipmmu-kernel.config` has neither sata_rcar nor rcar-fcp. The real drivers have no real devices
/// in front of them: SDHI's probe ends with -EPROBE_DEFER, ravb's with -ENOENT.
fn small_renesas_kernel(config: &mut Config) {
    config.absent.insert("sata_rcar".to_owned());
    config.absent.insert("rcar-fcp".to_owned());
    for mmc in MMC {
        config.probe_results.insert((*mmc).to_owned(), -517);
    }
    config
        .probe_results
        .insert("e6800000.ethernet".to_owned(), -2);
}

/// One for each boot, and two about all.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = CASES
        .iter()
        .flat_map(|case| {
            case.kernels.iter().map(move |kernel| {
                let name = format!("{}::{kernel}", case.folder.replace('-', "_"));
                Trial::test(name.clone(), move || agrees(&name, case, kernel))
            })
        })
        .collect();
    trials.push(Trial::test("every_trace_is_run", every_trace_is_run));
    trials.push(Trial::test(
        "a_bad_line_is_named_with_its_file",
        a_bad_line_is_named_with_its_file,
    ));
    trials
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces")
}

/// The model makes the calls of this trace, and ends where it ends.
fn agrees(name: &str, case: &Case, kernel: &str) -> Result<(), Failed> {
    let case_folder = folder().join(case.folder);
    let trace_folder = case_folder.join(kernel);
    let mut summary = summary::parse(&File::read(&trace_folder.join("summary.md"))?)?;
    let (release, state) = state::parse(&File::read(&trace_folder.join("state.txt"))?)?;
    let board = board::load(&case_folder.join(case.board)).map_err(|e| e.to_string())?;
    let revision = Revision::parse(release.trim_end_matches("-ipmmu"))
        .map_err(|e| format!("{release}: {e}"))?;
    let mut config = Config::default();
    (case.configure)(&mut config);
    let booted = boot(&board, revision, config).map_err(|e| e.to_string())?;
    if let Some(limit) = &booted.trace.limit {
        return Err(format!("the model stopped early: {limit}").into());
    }
    if let Some(deadlock) = &booted.trace.end.deadlock {
        return Err(format!("the model hangs: {}", deadlock.waits.join("; ")).into());
    }
    let (state, model_state) = without_unknown(name, state, booted::state(&booted)?);
    let mut differences = String::new();
    let queued = if DEFERRED_PROBE_ADD_NOT_INLINED.contains(&kernel) {
        Probed::All
    } else {
        Probed::LinksOnly
    };
    let mut model_summary = booted::summary(&booted, &board, queued)?;
    for s in [&mut summary, &mut model_summary] {
        s.queued
            .retain(|device, _| !case.asynchronous.contains(&device.as_str()));
    }
    if summary != model_summary {
        differences += &difference("summary.md", &summary, &model_summary);
    }
    if state != model_state {
        differences += &difference("state.txt", &state, &model_state);
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(format!("the model disagrees with the trace\n{differences}").into())
    }
}

/// `-` is what the real kernel did, `+` what the model did.
fn difference(file: &str, trace: &impl ToString, model: &impl ToString) -> String {
    let (trace, model) = (trace.to_string(), model.to_string());
    TextDiff::from_lines(&trace, &model)
        .unified_diff()
        .header(&format!("trace {file}"), "model")
        .to_string()
}

/// Both states without the devices that only one of the two can know. Says which those are.
fn without_unknown(name: &str, mut trace: State, mut model: State) -> (State, State) {
    let mut left_out = String::new();
    trace.bound.retain(|device, bound| {
        let driver = bound.driver.as_deref().unwrap_or("-");
        let is_known = !DRIVERS_NOT_MODELLED.contains(&driver)
            && !DEVICES_WITHOUT_NODE.contains(&device.as_str());
        if !is_known {
            let _ = write!(left_out, " {device} ({driver})");
            model.bound.remove(device);
        }
        is_known
    });
    for node in NODES_TAKEN_EARLY {
        if model.bound.remove(*node).is_some() {
            let _ = write!(left_out, " {node} (not in the trace)");
        }
    }
    eprintln!("{name}: end state not compared of:{left_out}");
    (trace, model)
}

/// Each folder of a kernel belongs to a case, so that no trace lies here unread.
fn every_trace_is_run() -> Result<(), Failed> {
    let mut on_disk = BTreeSet::new();
    for case in folders(&folder())? {
        if !OF_CONFORM.contains(&case.as_str()) {
            let kernels = folders(&folder().join(&case))?;
            on_disk.extend(kernels.into_iter().map(|kernel| (case.clone(), kernel)));
        }
    }
    let run: BTreeSet<(String, String)> = CASES
        .iter()
        .flat_map(|c| {
            c.kernels
                .iter()
                .map(|k| (c.folder.to_owned(), (*k).to_owned()))
        })
        .collect();
    if on_disk == run {
        return Ok(());
    }
    Err(format!(
        "not run: {:?}; not on disk: {:?}",
        on_disk.difference(&run).collect::<Vec<_>>(),
        run.difference(&on_disk).collect::<Vec<_>>()
    )
    .into())
}

/// Names of the folders in a folder.
fn folders(path: &Path) -> Result<Vec<String>, Failed> {
    let fail = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut names = vec![];
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_type().map_err(fail)?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn a_bad_line_is_named_with_its_file() -> Result<(), Failed> {
    let summary = File::of_text("summary.md", "# smmu-first/6.12\n\nnot of a summary\n");
    let state = File::of_text("state.txt", "== groups\n0 DMA\n");
    for (got, expected) in [
        (
            summary::parse(&summary).err(),
            "summary.md:3: not understood: `not of a summary`",
        ),
        (
            state::parse(&state).err(),
            "state.txt:2: not a member of a group: `0 DMA`",
        ),
    ] {
        let got = got.map_or("no error".to_owned(), |e| e.to_string());
        if got != expected {
            return Err(format!("expected: {expected}\ngot: {got}").into());
        }
    }
    Ok(())
}
