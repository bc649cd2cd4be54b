//! Boards with every IOMMU binding that blobs use, each small; and the survey of many boards.
//!
//! `boards/*.dts` say what they are about. `fuzz/corpus/dtb` has them as blobs, made by dtc.

#[path = "boards/command.rs"]
mod command;
#[path = "boards/mutants.rs"]
mod mutants;
#[path = "boards/real.rs"]
mod real;

use kernel::board::unmodelled::Binding;
use kernel::config::Config;
use kernel::drivers::catalogue::Catalogue;
use kernel::of::map::of_map_id;
use kernel::revision::Revision;
use scenarios::board::{self, Board};
use scenarios::boot::survey::{Row, row};
use scenarios::boot::{Boot, boot};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boards")
}

fn load(name: &str) -> Board {
    let path = folder().join(format!("{name}.dts"));
    board::load(&path).unwrap_or_else(|e| panic!("{e}"))
}

fn wide() -> Config {
    Config {
        catalogue: Catalogue::Arm64,
        ..Config::default()
    }
}

fn revision(text: &str) -> Revision {
    Revision::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Boots with the wide catalogue on the newest kernel.
fn run(name: &str) -> Boot {
    run_on(name, "v7.3-rc7", wide())
}

fn run_on(name: &str, kernel: &str, config: Config) -> Boot {
    let booted = boot(&load(name), revision(kernel), config).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(booted.trace.limit, None, "{name}");
    assert_eq!(booted.trace.end.deadlock, None, "{name}");
    booted
}

/// The groups at the end, each as the names of its members.
fn groups(booted: &Boot) -> Vec<Vec<&str>> {
    let groups = booted.trace.end.outcome.groups.iter();
    let name = |d: &_| booted.kernel.device(*d).name.as_str();
    groups
        .map(|g| g.members.iter().map(name).collect())
        .collect()
}

/// Return values of the of_xlate calls for a device, in order.
fn returns(booted: &Boot, device: &str) -> Vec<i32> {
    let calls = booted.calls.iter().filter(|c| c.device == device);
    calls.map(|c| c.ret).collect()
}

/// Whether a device has a driver at the end, and whether it waits for one.
fn end_of(booted: &Boot, device: &str) -> (bool, bool) {
    let id = booted.kernel.board().device_by_name(device);
    let outcome = id.and_then(|id| booted.trace.end.outcome.device(id));
    let outcome = outcome.unwrap_or_else(|| panic!("{device} is not followed"));
    (outcome.driver.is_some(), outcome.deferred)
}

#[test]
fn two_cells_are_a_stream_and_a_mask() {
    let booted = run("two-cells");
    let expected = [
        vec!["10000000.client", "10002000.client"],
        vec!["10001000.client"],
    ];
    assert_eq!(groups(&booted), expected);
}

#[test]
fn the_mask_of_the_iommu_counts_for_one_cell() {
    let booted = run("match-mask");
    let expected = [
        vec!["30000000.client", "30001000.client"],
        vec!["30002000.client"],
    ];
    assert_eq!(groups(&booted), expected);
}

#[test]
fn a_list_may_name_several_instances_and_one_of_them_twice() {
    let booted = run("mixed-list");
    // One walk finds the first entry alone and is undone; the next finds all three.
    let calls = returns(&booted, "10000000.client");
    assert_eq!(calls, [0, 0, 0, 0]);
    let id = booted.kernel.board().device_by_name("10000000.client");
    let outcome = booted.trace.end.outcome.device(id.expect("it is there"));
    assert_eq!(outcome.and_then(|d| d.fwspec_ids), Some(3));
}

#[test]
fn a_list_of_two_drivers_is_refused() {
    let booted = run("mixed-list");
    // The second entry comes no further than iommu_fwspec_init().
    let calls = booted.calls.iter();
    let functions: Vec<&str> = calls
        .filter(|c| c.device == "10001000.client")
        .map(|c| c.function.as_str())
        .collect();
    assert!(!functions.is_empty());
    assert!(
        functions.iter().all(|f| *f == "arm_smmu_of_xlate"),
        "{functions:?}"
    );
    let grouped = groups(&booted).concat();
    assert_eq!(grouped, ["10000000.client"]);
}

#[test]
fn a_client_of_a_disabled_iommu_goes_without() {
    let booted = run("no-iommu");
    assert_eq!(end_of(&booted, "10000000.client"), (true, false));
    assert!(booted.calls.is_empty());
}

#[test]
fn a_client_of_an_iommu_without_driver_waits_while_modules_may_come() {
    let booted = run("no-iommu");
    assert_eq!(end_of(&booted, "10001000.client"), (false, true));
    let config = Config {
        modules: false,
        ..wide()
    };
    let booted = run_on("no-iommu", "v7.3-rc7", config);
    assert_eq!(end_of(&booted, "10001000.client"), (true, false));
}

#[test]
fn maps_are_read_as_the_kernel_does_and_what_is_behind_them_is_said_to_be_missing() {
    let board = load("iommu-map");
    let tree = &board.tree;
    let (bridge, smmu, smmu2) = (
        tree.by_path("/pcie@30000000").expect("the bridge"),
        tree.by_path("/iommu@20000000").expect("the SMMU"),
        tree.by_path("/iommu@21000000").expect("the other SMMU"),
    );
    assert_eq!(of_map_id(tree, bridge, 0x42), Some((smmu, vec![0x42])));
    assert_eq!(of_map_id(tree, bridge, 0xf042), Some((smmu, vec![0x42])));
    assert_eq!(of_map_id(tree, bridge, 0x100), Some((smmu2, vec![7, 0])));
    assert_eq!(of_map_id(tree, bridge, 0x101), None);

    let expected = [
        (Binding::PciMap, 1),
        (Binding::FslMcMap, 1),
        (Binding::Host1xMap, 1),
        (Binding::OtherMap("test,codec".to_owned()), 1),
    ];
    assert_eq!(survey("iommu-map").unmodelled, BTreeMap::from(expected));

    // The bridge is a device with a driver, and no client itself; host1x is one by its `iommus`.
    let booted = run("iommu-map");
    assert_eq!(end_of(&booted, "30000000.pcie"), (true, false));
    assert_eq!(groups(&booted), [["50000000.host1x"]]);
}

#[test]
fn what_is_not_modelled_is_said() {
    let expected = [
        (Binding::IommuAddresses, 1),
        (Binding::MmuMasters, 1),
        (Binding::LateClient("snps,dwc3".to_owned()), 1),
        (Binding::PciClient, 1),
    ];
    assert_eq!(survey("not-modelled").unmodelled, BTreeMap::from(expected));
    let expected = [(Binding::NoDriver("test,unknown-iommu".to_owned()), 1)];
    assert_eq!(survey("no-iommu").unmodelled, BTreeMap::from(expected));
}

#[test]
fn a_device_without_an_entry_has_a_driver_if_asked() {
    let config = Config {
        any_driver: true,
        ..wide()
    };
    let asked = row(&load("not-modelled"), Revision::newest(), config.clone());
    let asked = asked.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (survey("not-modelled").driverless, asked.driverless),
        (1, 0)
    );
    let booted = run_on("not-modelled", "v7.3-rc7", config);
    assert_eq!(end_of(&booted, "30000000.usb"), (true, false));
}

#[test]
fn every_generic_driver_groups_as_it_does() {
    let booted = run("drivers");
    let found: BTreeMap<&str, Vec<usize>> =
        groups(&booted)
            .into_iter()
            .fold(BTreeMap::new(), |mut map, members| {
                let driver = members[0].split_once('.').map_or("", |(_, name)| name);
                map.entry(driver).or_default().push(members.len());
                map
            });
    let together = || vec![2];
    let apart = || vec![1, 1];
    let expected = [
        ("smmu", together()),
        ("qcom", apart()),
        ("mtk", together()),
        ("exynos", apart()),
        ("dart", together()),
        ("sun50i", together()),
        ("tegra", together()),
        ("sprd", together()),
        ("vsi", together()),
    ];
    assert_eq!(found, BTreeMap::from(expected));
    let registered = booted.trace.end.outcome.registered.len();
    assert_eq!(registered, 9, "tegra186-mc has no SMMU");
}

#[test]
fn a_mediatek_iommu_waits_for_the_driver_of_its_larb() {
    let booted = run("drivers");
    // An error of the driver's own probe comes back positive.
    assert_eq!(booted.probes("20002000.iommu"), [517, 0]);
    let config = Config {
        absent: ["mtk-smi-larb".to_owned()].into(),
        ..wide()
    };
    let booted = run_on("drivers", "v7.3-rc7", config);
    assert_eq!(booted.probes("20002000.iommu"), [0]);
}

#[test]
fn a_module_is_loaded_after_the_initcalls_or_never() {
    // The DART's driver is a module, its clients' is not.
    let booted = run("drivers");
    assert_eq!(end_of(&booted, "30004000.dart"), (true, false));
    let config = Config {
        load_modules: false,
        ..wide()
    };
    let booted = run_on("drivers", "v7.3-rc7", config);
    assert_eq!(end_of(&booted, "20004000.iommu"), (false, false));
    assert_eq!(end_of(&booted, "30004000.dart"), (false, true));
}

/// 229e6ee43d2a, 7d835134d4e1 and 97cb1fa02726 in turn: what arm-smmu does with clients in its own
/// walk.
#[test]
fn an_smmu_finds_itself_in_its_own_walk_since_7d835134d4e1() {
    let groups_on = |kernel: &str| groups(&run_on("match-mask", kernel, wide())).len();
    assert_eq!(groups_on("v7.3-rc7"), 2);
    let before = "v7.3-rc7 - 7d835134d4e1 - 97cb1fa02726";
    let booted = run_on("match-mask", before, wide());
    assert!(
        booted.trace.end.outcome.registered.is_empty(),
        "-EPROBE_DEFER ends the walk"
    );
}

#[test]
fn a_cycle_of_suppliers_blocks_nobody_on_it() {
    let booted = run("cycle");
    for device in ["10000000.client", "10001000.client", "10002000.client"] {
        assert_eq!(end_of(&booted, device), (true, false), "{device}");
    }
    assert_eq!(booted.probes("10000000.client"), [0]);
    assert_eq!(booted.probes("10001000.client"), [0]);
    assert_eq!(booted.probes("10002000.client"), [-517, 0]);
}

/// A glue of glues: each level is a driver in the probe of the one above.
fn nested(levels: usize) -> String {
    let open = (0..levels).map(|n| format!("glue{n} {{ compatible = \"simple-pm-bus\"; "));
    let open: String = open.collect();
    format!("/dts-v1/; / {{ {open} {} }};", "};".repeat(levels))
}

#[test]
fn a_driver_adds_the_devices_below_its_own_to_a_depth() {
    let survey = |levels| {
        let board =
            board::parse_dts("nested.dts", &nested(levels)).unwrap_or_else(|e| panic!("{e}"));
        row(&board, Revision::newest(), wide()).map_err(|e| e.to_string())
    };
    let row = survey(16).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((row.devices, row.driverless), (16, 0));
    let expected =
        "nested: the board has 17 levels of drivers that add devices; the model holds at most 16";
    assert_eq!(survey(18).unwrap_err(), expected);
}

#[test]
fn a_client_below_a_glue_is_added_by_its_probe() {
    let booted = run("glue");
    let expected = vec![vec!["30010000.usb"], vec!["31010000.usb"]];
    assert_eq!(groups(&booted), expected);
    let probes = ["30000000.usb", "30010000.usb"].map(|d| booted.probes(d));
    assert_eq!(probes, [[0], [0]]);
    // The other glue's clock comes later, and its child with it.
    let probes = ["31000000.usb", "31010000.usb"].map(|d| booted.probes(d));
    assert_eq!(probes, [vec![-517, 0], vec![0]]);
}

/// A node may match a client driver, one IOMMU driver and another.
#[test]
fn of_several_iommu_drivers_that_match_the_first_is_taken() {
    let text = "/dts-v1/; / { iommu { #iommu-cells = <0>; \
                compatible = \"test,client\", \"rockchip,iommu\", \"arm,smmu-v3\"; }; };";
    let board = board::parse_dts("two.dts", text).unwrap_or_else(|e| panic!("{e}"));
    for catalogue in [Catalogue::Own, Catalogue::Arm64] {
        let config = Config {
            catalogue,
            ..Config::default()
        };
        let booted = boot(&board, Revision::newest(), config).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(booted.trace.end.outcome.registered.len(), 1);
    }
}

fn survey(name: &str) -> Row {
    row(&load(name), Revision::newest(), wide()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_row_of_a_board_counts_what_is_there() {
    let no_iommu = survey("no-iommu");
    let counts = |r: &Row| {
        (
            (r.nodes, r.devices, r.driverless),
            (r.iommus, r.registered, r.without_driver, r.disabled),
            (r.clients, r.bound, r.grouped, r.deferred),
        )
    };
    assert_eq!(counts(&no_iommu), ((5, 3, 1), (0, 0, 1, 1), (2, 1, 0, 1)));
    let drivers = survey("drivers");
    assert_eq!(
        counts(&drivers),
        ((30, 29, 0), (9, 9, 0, 0), (18, 18, 18, 0))
    );
}

/// The report was made on a kernel with all drivers built in; in a defconfig those of the FCPs and
/// of Ethernet are modules. Nothing else in its log may depend on what else has a driver.
#[test]
fn the_wide_catalogue_gives_the_reported_log_but_for_modules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards/r8a77965-salvator-xs.dts");
    let board = board::load(&path).unwrap_or_else(|e| panic!("{e}"));
    let log = |catalogue| {
        let config = Config {
            catalogue,
            ..Config::default()
        };
        let booted = boot(&board, revision("bcb81ac6ae3c"), config);
        let log = booted.unwrap_or_else(|e| panic!("{e}")).log();
        let is_kept = |l: &String| !l.contains(".fcp: ") && !l.contains(".ethernet: ");
        log.into_iter().filter(is_kept).collect::<Vec<_>>()
    };
    let own = log(Catalogue::Own);
    // 48 lines, less 12 of FCPs and 4 of Ethernet.
    assert_eq!(own.len(), 32);
    assert_eq!(log(Catalogue::Arm64), own);
}
