//! Recorded boots are accepted for their kernel, and rejected for one that does otherwise.

use crate::cases::{BOOTS, Boot, asynchronous, boot, no_link, plain, renesas, strict, verdict};
use checker::engine::conform::{Answer, Bounds};
use kernel::kernel::Warn;
use scenarios::trace::Log;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn accepted(boot: &Boot, text: &str) {
    let found = boot.validate(text, boot.kernel, Bounds::default());
    assert_eq!(
        verdict(&found).0,
        "accepted",
        "{} on {}: {:?}",
        boot.folder,
        boot.kernel,
        verdict(&found)
    );
}

#[test]
fn each_recorded_boot_is_accepted_for_its_kernel() {
    for boot in BOOTS {
        accepted(boot, &boot.text());
    }
}

/// Boots in which something happens that the kernels differ in.
#[test]
fn a_boot_is_rejected_for_a_kernel_that_does_otherwise() {
    for (folder, other) in [
        // Before bcb81ac6ae3c firmware is not parsed by the walk; after it, it is.
        ("smmu-last/6.12.107+deb13", "v6.16"),
        ("smmu-last/6.16.12+deb13", "6.12.107"),
        ("smmu-last/7.2.13+deb14", "bcb81ac6ae3c^"),
        ("smmu-deferred/6.12.107+deb13", "7.2.13"),
        ("smmu-deferred/7.2.13+deb14", "6.12.107"),
        ("client-supplier/7.2.13+deb14", "v6.12"),
        ("rk-multi/6.12.107+deb13", "v6.16"),
        ("rk-multi/6.16.12+deb13", "6.12.107"),
        // Two instances, and no gate yet.
        ("rk-multi/6.16.12+deb13", "bcb81ac6ae3c"),
        ("rk-multi/7.2.13+deb14", "v6.12"),
        ("rcar-gen3/6.12.107-ipmmu", "7.2.13"),
        ("virt/6.12.107", "v6.16"),
        ("virt/7.2.13", "6.12.107"),
        // Races, but few tasks at once.
        ("forced/f1-b", "6.12.107"),
        ("forced/f2-platform-a", "6.12.107"),
    ] {
        let boot = BOOTS.iter().find(|b| b.folder == folder);
        let boot = boot.unwrap_or_else(|| panic!("no boot {folder}"));
        let found = boot.validate(&boot.text(), other, Bounds::default());
        assert_eq!(verdict(&found).0, "rejected", "{folder} on {other}");
    }
}

/// The schedule that explains a boot with a warning has the warning, though the log of the tracer
/// does not.
#[test]
fn what_the_tracer_does_not_show_comes_out_of_the_schedule() {
    for (folder, device, warn) in [
        ("forced/f1-b", "dmaclient0", Warn::LateProbe),
        ("forced/f2-platform-a", "dmaclient0", Warn::LateProbe),
        ("forced/f2-platform-a", "dmaclient0", Warn::OwnerCnt),
        (
            "repeat/smmu-async/7.2.13+deb14/outcome-2",
            "pwrseq0",
            Warn::LateProbe,
        ),
        (
            "repeat/smmu-async/7.2.13+deb14/outcome-3",
            "pwrseq1",
            Warn::LateProbe,
        ),
    ] {
        let boot = BOOTS.iter().find(|b| b.folder == folder).expect("a boot");
        let log = Log::of_text("trace.txt", &boot.text());
        let case = boot.case(&log, boot.kernel);
        let found = case.validate(Bounds::default()).found;
        let Answer::Accepted(run) = found.answer else {
            panic!("{folder}: not accepted");
        };
        let dev = case
            .kernel
            .board()
            .device_by_name(device)
            .expect("a device");
        let end = run.trace.end.outcome.device(dev).expect("it is a client");
        assert!(end.warned(warn), "{folder}: {device} has no {warn:?}");
    }
}

type Configure = fn(&mut kernel::config::Config);

/// All boots of the folder `shared/traces` beside the checkout, not trimmed.
const SHARED: &[(&str, &str, Configure)] = &[
    ("smmu-first", "smmu-first.dts", plain),
    ("smmu-last", "smmu-last.dts", plain),
    ("smmu-last-nolink", "smmu-last.dts", no_link),
    ("smmu-last-strict", "smmu-last.dts", strict),
    ("smmu-deferred", "smmu-deferred.dts", plain),
    ("client-supplier", "client-supplier.dts", plain),
    ("rk-multi", "rk-multi.dts", plain),
    ("rcar-gen3", "rcar-gen3.dts", renesas),
    ("smmu-async", "smmu-last.dts", asynchronous),
];

fn not_run(what: &str) {
    // On the real standard error, which the test harness does not swallow.
    let _ = writeln!(std::io::stderr(), "NOT RUN: {what}");
}

fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let main = std::fs::read_to_string(root.join(".git")).ok();
    let main = main.as_deref().and_then(|link| {
        let git_dir = Path::new(link.strip_prefix("gitdir:")?.trim());
        Some(git_dir.ancestors().nth(3)?.to_owned())
    });
    let beside = [Some(root.to_owned()), main].into_iter().flatten();
    let mut found = beside.filter_map(|c| Some(c.parent()?.join("shared/traces")));
    found.find(|path| path.is_dir())
}

/// The text of a compressed file, if there is an `xz`.
fn unpacked(path: &Path) -> Option<String> {
    let output = Command::new("xz").arg("-dc").arg(path).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

const OUTCOME_1: &str = "repeat/smmu-async/7.2.13+deb14/outcome-1/";
const OUTCOME_2: &str = "repeat/smmu-async/7.2.13+deb14/outcome-2/";
const OUTCOME_3: &str = "repeat/smmu-async/7.2.13+deb14/outcome-3/";

/// The function tracer from the start of the boot: names are in the messages. It shows neither
/// what returns nor which driver is a module.
fn early(shared: &Path) {
    let folder = shared.join("smmu-first-early");
    let text = unpacked(&folder.join("7.2.13+deb14/trace.txt.xz")).expect("xz unpacks it");
    let mut log = Log::of_text("trace.txt", &text);
    let dmesg = Log::read(&folder.join("7.2.13+deb14/dmesg.txt"));
    log.merge(dmesg.unwrap_or_else(|e| panic!("{e}")));
    assert!(log.name_devices() > 100);
    let board = String::leak(folder.join("smmu-first.dts").display().to_string());
    let boot = boot("smmu-first-early", board, "7.2.13", |config| {
        config.loaded_modules.push("virtio-mmio".to_owned());
        let no_device = "a000200.virtio_mmio".to_owned();
        config.probe_results.insert(no_device, -19);
    });
    let case = boot.case(&log, boot.kernel);
    assert!(case.events() > 150, "{}", case.events());
    let found = case.validate(Bounds::default()).found;
    assert_eq!(verdict(&found).0, "accepted");
}

/// The boots of the folder beside the checkout whose events are of kprobes, with their texts.
fn whole_boots(shared: &Path) -> Vec<(Boot, String)> {
    let text = |path: &Path| unpacked(path).expect("xz unpacks it");
    let mut all = vec![];
    for (case, dts, configure) in SHARED {
        let folder = shared.join(case);
        let kernels = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{case}: {e}"));
        for kernel in kernels {
            let path = kernel.expect("an entry").path();
            let trace = path.join("trace.txt.xz");
            let Some(kernel) = path.file_name().and_then(|n| n.to_str()) else {
                continue;
            };
            if trace.is_file() {
                let release = kernel.split(['+', '-']).next().unwrap_or(kernel);
                let board = String::leak(format!("{}/{dts}", folder.display()));
                let boot = boot(case, board, String::leak(release.to_owned()), *configure);
                all.push((boot, text(&trace)));
            }
        }
    }
    for (folder, board, configure) in [
        (
            OUTCOME_1,
            "smmu-async/smmu-last.dts",
            asynchronous as fn(&mut _),
        ),
        (OUTCOME_2, "smmu-async/smmu-last.dts", asynchronous),
        (OUTCOME_3, "smmu-async/smmu-last.dts", asynchronous),
        ("forced/f1-b/run1.", "forced/confirm.dts", plain),
        ("forced/f2-platform-a/run1.", "forced/confirm.dts", plain),
    ] {
        let trace = shared.join(format!("{folder}trace.txt.xz"));
        let board = String::leak(shared.join(board).display().to_string());
        let boot = boot(folder, board, "7.2.13", configure);
        all.push((boot, text(&trace)));
    }
    all
}

/// The folder beside the checkout if its traces can be read.
fn readable() -> Option<PathBuf> {
    let Some(shared) = shared() else {
        not_run("shared/traces absent");
        return None;
    };
    if Command::new("xz").arg("--version").output().is_err() {
        not_run("xz absent");
        return None;
    }
    Some(shared)
}

#[test]
fn every_trace_beside_the_checkout_is_accepted() {
    let Some(shared) = readable() else { return };
    let boots = whole_boots(&shared);
    for (boot, text) in &boots {
        accepted(boot, text);
    }
    early(&shared);
    let run = boots.len() + 1;
    assert!(run >= 32, "only {run} traces");
    let _ = writeln!(std::io::stderr(), "{run} whole traces accepted");
}

/// What all of them show is done otherwise before bcb81ac6ae3c and after it.
#[test]
fn every_trace_beside_the_checkout_is_rejected_on_the_other_side_of_bcb81ac6ae3c() {
    let Some(shared) = readable() else { return };
    let boots = whole_boots(&shared);
    // The binds of other devices behind the initcalls, which the trimmed traces lack, make the search of
    // the forced boots longer.
    let bounds = Bounds {
        max_states: 1_000_000,
        ..Bounds::default()
    };
    for (boot, text) in &boots {
        let other = if boot.kernel.starts_with("6.12") {
            "7.2.13"
        } else {
            "6.12.107"
        };
        let found = boot.validate(text, other, bounds);
        let answer = verdict(&found);
        assert_eq!(
            answer.0, "rejected",
            "{} of {} on {other}: {answer:?}",
            boot.folder, boot.kernel
        );
    }
    let _ = writeln!(std::io::stderr(), "{} whole traces rejected", boots.len());
}
