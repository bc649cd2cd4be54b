//! The main job: the boot log of the report on bcb81ac6ae3c ("iommu: Get DT/ACPI parsing into the
//! proper probe path"), line by line, and what the same kernels must print on the sister board.
//!
//! `main_job/reported.log` says which device and which driver each line of the report was about,
//! in its order. The reporter's tree also had the SATA controller in ipmmu-vmsa's allow list.

#[path = "main_job/blobs.rs"]
mod blobs;
#[path = "main_job/law.rs"]
mod law;

use checker::engine::exhaustive::{Go, Options};
use checker::outcome::Complete;
use kernel::commit::{self, CommitId};
use kernel::config::Config;
use kernel::revision::Revision;
use scenarios::board::{self, Board};
use scenarios::boot::report::{Row, Summary, log, table};
use scenarios::boot::{Boot, boot, explore};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const M3N: &str = "r8a77965-salvator-xs";
const H3: &str = "r8a77951-salvator-xs";
const SATA: &str = "ee300000.sata";
const REPORTED: &str = include_str!("main_job/reported.log");

/// The commit that the report is about.
const FAULTY: &str = "bcb81ac6ae3c";
const BEFORE: &str = "bcb81ac6ae3c^";
/// "iommu: Don't warn prematurely about dodgy probes", which does not help.
const NO_HELP: &str = "73d2f10957f5";
/// "iommu/ipmmu-vmsa: Register in a sensible order"
const FIX: &str = "d9d3cede4167";

const LATE_PROBE: &str =
    "sata_rcar ee300000.sata: late IOMMU probe at driver bind, something fishy here!";

/// The table at the end of the report: calls without a driver, calls with one.
const REPORTED_COUNTS: &[(&str, usize, usize)] = &[
    ("e6700000.dma-controller", 3, 1),
    ("e6800000.ethernet", 3, 1),
    ("e7300000.dma-controller", 2, 1),
    ("e7310000.dma-controller", 2, 1),
    ("ec700000.dma-controller", 6, 1),
    ("ec720000.dma-controller", 6, 1),
    ("ee100000.mmc", 2, 0),
    ("ee140000.mmc", 2, 0),
    ("ee160000.mmc", 2, 0),
    ("ee300000.sata", 1, 1),
    ("fe950000.fcp", 1, 1),
    ("fe96f000.fcp", 1, 1),
    ("fe9af000.fcp", 1, 1),
    ("fea27000.fcp", 2, 1),
    ("fea2f000.fcp", 2, 1),
];

/// H3 by hand. The walks in order: mp0 1, pv0..pv3 2..5, rt 6, vc0 7, vc1 8, vi0 9, vi1 10, vp0 11,
/// vp1 12; then, behind the root and out of the deferred list, ds0 13, ds1 14, hc 15, ir 16. The
/// audio DMACs bind before walk 13, the FCPs at walk 12, everything else behind walk 16. Here are
/// the clients that an IPMMU refuses on either revision: from the walk of their own instance to
/// the last one before they bind, and once at the bind.
const H3_REFUSED: &[(&str, usize, usize)] = &[
    ("e6700000.dma-controller", 4, 1),
    ("e6800000.ethernet", 4, 1),
    ("e7300000.dma-controller", 3, 1),
    ("e7310000.dma-controller", 3, 1),
    ("ec700000.dma-controller", 12, 1),
    ("ec720000.dma-controller", 12, 1),
    ("fe92f000.fcp", 1, 1),
    ("fe950000.fcp", 2, 1),
    ("fe951000.fcp", 1, 1),
    ("fe96f000.fcp", 2, 1),
    ("fe9af000.fcp", 2, 1),
    ("fe9bf000.fcp", 1, 1),
    ("fea27000.fcp", 4, 1),
    ("fea2f000.fcp", 4, 1),
    ("fea37000.fcp", 3, 1),
];

/// What is on ipmmu-vmsa's own allow list: SDHI, as far as the boards have it.
const MMC: [&str; 3] = ["ee100000.mmc", "ee140000.mmc", "ee160000.mmc"];

type Counts = BTreeMap<String, (usize, usize)>;

fn text_board(name: &str) -> Board {
    board::load(&boards().join(format!("{name}.dts"))).unwrap_or_else(|e| panic!("{e}"))
}

fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("boards")
}

fn revision(text: &str) -> Revision {
    Revision::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn config(soc_revision: &str, allow: &[&str]) -> Config {
    Config {
        soc_revision: soc_revision.to_owned(),
        allow: allow.iter().map(|d| (*d).to_owned()).collect(),
        ..Config::default()
    }
}

/// Boots to the end.
fn run(board: &Board, kernel: &str, config: Config) -> Boot {
    let booted = boot(board, revision(kernel), config).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(booted.trace.limit, None, "{kernel}");
    assert_eq!(booted.trace.end.deadlock, None, "{kernel}");
    booted
}

/// The reporter's board with the reporter's patch.
fn m3n(kernel: &str) -> Boot {
    run(&text_board(M3N), kernel, config("", &[SATA]))
}

fn h3(soc_revision: &str, kernel: &str, allow: &[&str]) -> Boot {
    run(&text_board(H3), kernel, config(soc_revision, allow))
}

fn warnings(booted: &Boot) -> Vec<&str> {
    ["WARN", "Oops", "BUG"]
        .into_iter()
        .flat_map(|kind| booted.notes(kind))
        .collect()
}

fn counts(booted: &Boot) -> Counts {
    let rows = table(&booted.calls).into_iter();
    rows.map(|(device, row)| (device, (row.platform, row.driver)))
        .collect()
}

fn expected(rows: &[(&str, usize, usize)]) -> Counts {
    let rows = rows.iter();
    rows.map(|(device, platform, driver)| ((*device).to_owned(), (*platform, *driver)))
        .collect()
}

/// The lines of the diff against bcb81ac6ae3c^ with this sign.
fn signed(sign: char, booted: &Boot, base: &Boot) -> Vec<String> {
    let diff = log(booted, Some(base));
    let lines = diff.lines().filter_map(|line| line.strip_prefix(sign));
    lines.map(str::to_owned).collect()
}

#[test]
fn m3n_prints_the_48_reported_lines_in_the_reported_order() {
    let reported: Vec<&str> = REPORTED.lines().collect();
    assert_eq!(reported.len(), 48);
    for kernel in [FAULTY, NO_HELP] {
        assert_eq!(m3n(kernel).log(), reported, "{kernel}");
    }
}

#[test]
fn m3n_has_the_reported_counts() {
    for kernel in [FAULTY, NO_HELP] {
        assert_eq!(counts(&m3n(kernel)), expected(REPORTED_COUNTS), "{kernel}");
    }
}

/// Where the `-` lines stand between the others is no claim: SDHI is probed asynchronously.
#[test]
fn the_only_calls_that_went_away_are_those_of_sdhi() {
    let base = m3n(BEFORE);
    for kernel in [FAULTY, NO_HELP] {
        let booted = m3n(kernel);
        let gone = [
            "renesas_sdhi_internal_dmac ee100000.mmc: ipmmu_of_xlate",
            "renesas_sdhi_internal_dmac ee140000.mmc: ipmmu_of_xlate",
            "renesas_sdhi_internal_dmac ee160000.mmc: ipmmu_of_xlate",
        ];
        assert_eq!(signed('-', &booted, &base), gone, "{kernel}");
        let new: Vec<&str> = REPORTED
            .lines()
            .filter(|line| line.starts_with("platform "))
            .collect();
        assert_eq!(new.len(), 36);
        assert_eq!(signed('+', &booted, &base), new, "{kernel}");
    }
}

#[test]
fn sata_on_m3n_is_the_only_late_probe() {
    for kernel in [FAULTY, NO_HELP] {
        assert_eq!(warnings(&m3n(kernel)), [LATE_PROBE], "{kernel}");
    }
}

/// "SATA IOMMU needs an out-of-tree patch": without it there is nothing to warn about.
#[test]
fn without_the_patch_to_the_allow_list_sata_is_refused_without_a_warning() {
    let booted = run(&text_board(M3N), FAULTY, config("", &[]));
    assert_eq!(warnings(&booted), [""; 0]);
    assert_eq!(booted.log(), m3n(FAULTY).log());
    let returns = &table(&booted.calls)[SATA].returns;
    assert_eq!(returns[..], [-19, -19]);
}

#[test]
fn before_the_commit_there_is_one_call_for_each_client_by_its_own_bind() {
    let booted = m3n(BEFORE);
    assert_eq!(warnings(&booted), [""; 0]);
    let once: Vec<(&str, usize, usize)> = REPORTED_COUNTS.iter().map(|row| (row.0, 0, 1)).collect();
    assert_eq!(counts(&booted), expected(&once));
}

#[test]
fn a_client_without_driver_is_called_for_only_since_the_commit() {
    let driverless = |kernel| {
        let mut config = config("", &[SATA]);
        config.absent.insert("rcar-fcp".to_owned());
        config.absent.insert("sata_rcar".to_owned());
        let booted = run(&text_board(M3N), kernel, config);
        let mut counts = counts(&booted);
        counts.retain(|device, _| device.contains(".fcp") || device == SATA);
        counts
    };
    assert_eq!(driverless(BEFORE), Counts::new());
    // From the walk of their own instance (vi0 5, vp0 6, hc 9) to the last, the ninth.
    let to_the_end = expected(&[
        ("ee300000.sata", 1, 0),
        ("fe950000.fcp", 4, 0),
        ("fe96f000.fcp", 4, 0),
        ("fe9af000.fcp", 4, 0),
        ("fea27000.fcp", 5, 0),
        ("fea2f000.fcp", 5, 0),
    ]);
    assert_eq!(driverless(FAULTY), to_the_end);
}

/// "It does not fix the second issue."
#[test]
fn the_fix_ends_the_warning_and_leaves_the_calls_for_refused_clients() {
    let booted = m3n(FIX);
    assert_eq!(warnings(&booted), [""; 0]);
    let rows: Vec<(&str, usize, usize)> = REPORTED_COUNTS
        .iter()
        .map(|row| match row.0 {
            SATA => (row.0, 1, 0),
            mmc if MMC.contains(&mmc) => (mmc, 1, 0),
            _ => *row,
        })
        .collect();
    assert_eq!(counts(&booted), expected(&rows));
}

/// The walk of ir, which comes behind that of hc, takes SATA in before its driver binds.
#[test]
fn h3_es3_is_silent_since_another_walk_follows_that_of_sata() {
    for kernel in [FAULTY, NO_HELP] {
        let booted = h3("ES3.0", kernel, &[SATA]);
        assert_eq!(warnings(&booted), [""; 0], "{kernel}");
        let mut rows = H3_REFUSED.to_vec();
        rows.extend(MMC.map(|mmc| (mmc, 2, 0)));
        rows.push((SATA, 2, 0));
        assert_eq!(counts(&booted), expected(&rows), "{kernel}");
        let row = &table(&booted.calls)[SATA];
        let callers: Vec<String> = row.callers.iter().map(|(c, _)| c.to_string()).collect();
        assert_eq!(
            callers,
            ["walk of e6570000.iommu", "walk of ff8b0000.iommu"]
        );
        assert_eq!(group(&booted, SATA), [SATA]);
    }
}

/// Take that walk away and the H3 warns as the M3-N does.
#[test]
fn h3_es3_without_ir_warns_as_m3n_does() {
    let node = "ipmmu_ir: iommu@ff8b0000 {";
    let file = format!("{H3}.dts");
    let text = std::fs::read_to_string(boards().join(&file)).expect("the board is there");
    assert!(text.contains(node));
    let text = text.replace(node, &format!("{node}\n\t\t\tstatus = \"disabled\";"));
    let board = board::parse_dts(&file, &text).unwrap_or_else(|e| panic!("{e}"));
    let booted = run(&board, FAULTY, config("ES3.0", &[SATA]));
    assert_eq!(warnings(&booted), [LATE_PROBE]);
    assert_eq!(counts(&booted)[SATA], (1, 1));
}

/// `soc_denylist` has the H3 ES2: there every IPMMU refuses everything, on the allow list or not.
#[test]
fn h3_es2_refuses_every_client() {
    for kernel in [FAULTY, NO_HELP, FIX] {
        for allow in [&[SATA][..], &[]] {
            let booted = h3("ES2.0", kernel, allow);
            assert_eq!(warnings(&booted), [""; 0], "{kernel}");
            let mut rows = H3_REFUSED.to_vec();
            rows.extend(MMC.map(|mmc| (mmc, 3, 1)));
            rows.push((SATA, 2, 1));
            assert_eq!(counts(&booted), expected(&rows), "{kernel}");
            assert!(booted.calls.iter().all(|call| call.ret == -19), "{kernel}");
            assert!(booted.trace.end.outcome.groups.is_empty(), "{kernel}");
        }
    }
}

#[test]
fn with_the_fix_h3_es3_calls_once_for_each_accepted_client() {
    for (allow, sata) in [(&[SATA][..], (SATA, 1, 0)), (&[], (SATA, 2, 1))] {
        let booted = h3("ES3.0", FIX, allow);
        assert_eq!(warnings(&booted), [""; 0]);
        let mut rows = H3_REFUSED.to_vec();
        rows.extend(MMC.map(|mmc| (mmc, 1, 0)));
        rows.push(sata);
        assert_eq!(counts(&booted), expected(&rows));
    }
}

/// All members of a device's group.
fn group(booted: &Boot, device: &str) -> Vec<String> {
    let kernel = &booted.kernel;
    let dev = kernel.board().device_by_name(device).expect("it is there");
    let group = booted.trace.end.outcome.group_of(dev);
    let members = group.into_iter().flat_map(|g| &g.members);
    members.map(|m| kernel.device(*m).name.clone()).collect()
}

/// The law holds on every mainline kernel that the model can tell from another, from the commit
/// of the report on.
#[test]
fn the_law_of_the_calls_holds_on_every_kernel_since_the_commit() {
    let since = |id: &CommitId| *id >= commit::BCB81AC6AE3C && id.commit().is_mainline();
    let mut kernels: Vec<&str> = CommitId::all()
        .filter(since)
        .map(|id| id.commit().id)
        .collect();
    kernels.extend(["v6.15", "v6.16", "v7.3-rc7"]);
    assert_eq!(kernels[0], FAULTY);
    for (name, soc_revision) in [(M3N, ""), (H3, "ES2.0"), (H3, "ES3.0")] {
        let board = text_board(name);
        for kernel in &kernels {
            for allow in [&[SATA][..], &[]] {
                let booted = run(&board, kernel, config(soc_revision, allow));
                // On an H3 ES2 the list is void.
                let is_allowed = |client: &str| {
                    let listed = MMC.contains(&client) || allow.contains(&client);
                    listed && soc_revision != "ES2.0"
                };
                let predicted = law::predict(&booted, &is_allowed);
                let context = format!("{name} {soc_revision} {kernel} {allow:?}");
                assert_eq!(counts(&booted), predicted.counts, "{context}");
                let late: Vec<String> = warnings(&booted)
                    .into_iter()
                    .map(|w| w.split([' ', ':']).nth(1).unwrap_or_default().to_owned())
                    .collect();
                assert_eq!(late, predicted.late_probes, "{context}");
            }
        }
    }
}

/// What `probe-litmus boot` prints for these boards, the reported kernel and the fixed one.
#[test]
fn the_boots_are_as_in_the_snapshots() {
    let mut compared = std::collections::BTreeSet::new();
    for (name, soc_revision) in [(M3N, ""), (H3, "ES2.0"), (H3, "ES3.0")] {
        let board = text_board(name);
        for allow in [&[SATA][..], &[]] {
            let base = run(&board, BEFORE, config(soc_revision, allow));
            for kernel in [FAULTY, FIX] {
                let booted = run(&board, kernel, config(soc_revision, allow));
                let mut title = format!("boot-{name}");
                for part in [soc_revision].into_iter().chain(allow.iter().copied()) {
                    if !part.is_empty() {
                        title = format!("{title}-{part}");
                    }
                }
                let text = format!("{}{}", log(&booted, Some(&base)), Summary(&booted));
                let mut settings = insta::Settings::clone_current();
                settings.set_snapshot_path("../../snapshots");
                settings.set_prepend_module_to_snapshot(false);
                settings.set_omit_expression(true);
                settings.set_snapshot_suffix(kernel);
                compared.insert(format!("{title}@{kernel}.snap"));
                settings.bind(|| insta::assert_snapshot!(title, text));
            }
        }
    }
    let folder = std::fs::read_dir("../snapshots").expect("the snapshots are there");
    let names = folder.map(|e| e.expect("the folder can be read").file_name());
    let names = names.map(|n| n.to_string_lossy().into_owned());
    let on_disk = names.filter(|n| n.starts_with("boot-"));
    assert_eq!(
        on_disk.collect::<std::collections::BTreeSet<_>>(),
        compared,
        "no snapshot of a boot is left over"
    );
}

#[test]
fn the_real_device_trees_give_what_the_text_boards_give() {
    for (name, soc_revision) in [(M3N, ""), (H3, "ES2.0"), (H3, "ES3.0")] {
        let Some(blob) = blobs::real(name) else {
            continue;
        };
        let text = text_board(name);
        for kernel in [FAULTY, FIX] {
            let [real, own] =
                [&blob, &text].map(|board| run(board, kernel, config(soc_revision, &[SATA])));
            let context = format!("{name} {soc_revision} {kernel}");
            assert_eq!(real.log(), own.log(), "{context}");
            let [real, own]: [BTreeMap<String, Row>; 2] = [real, own].map(|b| table(&b.calls));
            assert_eq!(real, own, "{context}");
        }
    }
}

#[test]
fn the_real_device_trees_of_other_boards_boot_to_the_end() {
    for name in ["fsl-ls1028a-rdb", "x1e80100-crd"] {
        let Some(blob) = blobs::real(name) else {
            continue;
        };
        for kernel in ["v6.14", "v6.16", "v7.3-rc7"] {
            run(&blob, kernel, Config::default());
        }
    }
}

/// Who starts an asynchronous probe makes it by itself, so that there are two tasks: the initcalls
/// and the deferred-probe work. However these interleave, the calls are those of the default schedule.
#[test]
fn the_initcalls_against_the_deferred_probe_work_have_one_outcome_on_the_whole_board() {
    for kernel in [BEFORE, FAULTY, "v6.14", FIX, "v7.3-rc7"] {
        let config = Config {
            async_memory: false,
            ..config("", &[SATA])
        };
        let options = Options {
            max_states: 100_000,
            ..Options::default()
        };
        let by_default = run(&text_board(M3N), kernel, config);
        let explored = explore(&by_default.kernel, &options, &mut |_| Go::On);
        let report = explored.unwrap_or_else(|e| panic!("{kernel}: {e:?}"));
        assert_eq!(report.complete, Complete::Yes, "{kernel}");
        let ends: Vec<_> = report.finals.keys().collect();
        assert_eq!(ends, [&by_default.trace.end], "{kernel}");
        assert!(report.states > 10, "{kernel}: nobody had a choice");
    }
}
