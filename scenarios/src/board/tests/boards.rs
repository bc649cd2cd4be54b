//! The boards of this project: R-Car against the real blobs, the small ones against what they
//! promise.

use std::fmt::Write as _;
use std::path::Path;

use kernel::of::phandle::parse_phandle_with_args;
use kernel::of::tree::{NodeId, Tree};

use super::super::load;
use super::{Board, board, dtc, real_blob};

const BOARDS: &[&str] = &[
    "arm-one-ipmmu-client",
    "arm-one-mtk-v1-client",
    "arm-one-sysmmu-client",
    "arm-two-ipmmu-clients",
    "gpu-and-gmu",
    "ipmmu-two-leaves",
    "ls1028a-vfio",
    "ls1028a-vfio-coherent-smmu",
    "ls1088a-vfio",
    "ls1088a-vfio-coherent-smmu",
    "one-client",
    "one-client-two-instances",
    "one-client-two-smmus",
    "one-client-two-sysmmus",
    "one-coherent-client",
    "one-coherent-vfio-client",
    "one-dma-ranges-client",
    "one-fsl-mc-client",
    "one-incoherent-vfio-client",
    "one-ipmmu",
    "one-mmu-500-client",
    "one-mtk-client",
    "one-pci-client",
    "one-rockchip-client",
    "one-stream",
    "one-stream-vfio",
    "one-sun50i-client",
    "one-vfio-client",
    "one-virtio-client",
    "pcie-root-port",
    "pcie-switch",
    "pcie-to-pci",
    "r8a77951-salvator-xs",
    "r8a77965-salvator-xs",
    "smmu-two-pwrseq",
    "two-clients",
    "two-instances",
    "two-mmu-500",
    "two-smmus-dma-ranges",
    "two-sun50i-clients",
];

fn own(name: &str) -> Board {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
    load(&folder.join(name).with_extension("dts")).unwrap_or_else(|error| panic!("{error}"))
}

/// One line for each node that has `iommus`, `iommu-map` or `#iommu-cells`, in document order:
/// path, state, `compatible`, and how it hangs on IOMMUs.
fn iommu_lines(tree: &Tree) -> String {
    let mut lines = String::new();
    for node in tree.ids() {
        let has = |name: &str| tree.property(node, name).is_some();
        if !["iommus", "iommu-map", "#iommu-cells"].into_iter().any(has) {
            continue;
        }
        let state = if tree.is_available(node) {
            "okay"
        } else {
            "disabled"
        };
        let compatible = tree
            .strings(node, "compatible")
            .unwrap_or_default()
            .join(" ");
        let _ = writeln!(lines, "{} {state} {compatible}", tree.path(node));
        for (property, cells) in [
            ("iommus", "#iommu-cells"),
            ("power-domains", "#power-domain-cells"),
        ] {
            let list = parse_phandle_with_args(tree, node, property, cells);
            for entry in list.unwrap_or_else(|error| panic!("{}: {error}", tree.path(node))) {
                let _ = writeln!(
                    lines,
                    "  {property} {} {:?}",
                    tree.path(entry.node),
                    entry.args
                );
            }
        }
        lines.push_str(&with_phandle_at(tree, node, "iommu-map", 1));
        lines.push_str(&with_phandle_at(tree, node, "renesas,ipmmu-main", 0));
    }
    lines
}

/// A property of cells with the phandle at `index` written as a path.
fn with_phandle_at(tree: &Tree, node: NodeId, property: &str, index: usize) -> String {
    let Some(cells) = tree.cells(node, property) else {
        return String::new();
    };
    let mut line = format!("  {property}");
    for (at, cell) in cells.iter().enumerate() {
        match tree.by_phandle(*cell).filter(|_| at == index) {
            Some(target) => write!(line, " {}", tree.path(target)),
            None => write!(line, " {cell:#x}"),
        }
        .expect("a string takes all");
    }
    line + "\n"
}

#[test]
fn r_car_boards_hang_on_iommus_as_the_real_ones() {
    for (name, expected) in [
        (
            "r8a77951-salvator-xs",
            include_str!("r8a77951-salvator-xs.txt"),
        ),
        (
            "r8a77965-salvator-xs",
            include_str!("r8a77965-salvator-xs.txt"),
        ),
    ] {
        assert_eq!(iommu_lines(&own(name).tree), expected, "{name}.dts");
        if let Some(blob) = real_blob(&format!("{name}.dtb")) {
            assert_eq!(
                iommu_lines(&board("real.dtb", &blob).tree),
                expected,
                "{name}.dtb"
            );
        }
    }
}

/// Labels, registers, state and suppliers of the kept nodes are the real ones too.
#[test]
fn r_car_nodes_are_the_real_ones() {
    for name in ["r8a77951-salvator-xs", "r8a77965-salvator-xs"] {
        let Some(blob) = real_blob(&format!("{name}.dtb")) else {
            continue;
        };
        let (ours, real) = (own(name), board("real.dtb", &blob));
        for (label, node) in &ours.labels {
            let path = ours.tree.path(*node);
            let twin = real
                .find(&path)
                .unwrap_or_else(|| panic!("{name} has no {path}"));
            // The kernel's file for M3-N gives the bus no label; ours has one on both boards.
            assert!(
                real.label(twin) == Some(label) || label == "soc",
                "{name}: {label}"
            );
            for property in ["compatible", "status"] {
                let strings = |board: &Board, id| board.tree.strings(id, property);
                assert_eq!(
                    strings(&ours, *node),
                    strings(&real, twin),
                    "{path}: {property}"
                );
            }
            for (list, cells) in [("clocks", "#clock-cells"), ("resets", "#reset-cells")] {
                let (ours, real) = (
                    suppliers(&ours, *node, list, cells),
                    suppliers(&real, twin, list, cells),
                );
                assert_eq!(ours, real, "{path}: {list}");
            }
            let reg = |board: &Board, id| board.tree.cells(id, "reg").unwrap_or_default();
            assert!(
                reg(&real, twin).starts_with(&reg(&ours, *node)),
                "{path}: reg"
            );
        }
    }
}

/// Path and arguments of each supplier in a list.
fn suppliers(board: &Board, node: NodeId, list: &str, cells: &str) -> Vec<(String, Vec<u32>)> {
    let entries = parse_phandle_with_args(&board.tree, node, list, cells);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", board.tree.path(node)));
    let named = entries
        .into_iter()
        .map(|entry| (board.tree.path(entry.node), entry.args));
    named.collect()
}

#[test]
fn every_board_loads_and_is_what_dtc_makes_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
    let files = std::fs::read_dir(&folder).expect("the folder is there");
    let mut names: Vec<_> = files
        .map(|file| file.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "dts"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    assert_eq!(names, BOARDS);
    for name in BOARDS {
        let ours = own(name);
        assert_eq!(ours.name, *name);
        let text = std::fs::read(folder.join(name).with_extension("dts")).expect("it is there");
        if let Some(blob) = dtc("dts", "dtb", &text) {
            assert_eq!(board("t.dtb", &blob).tree, ours.tree, "{name}");
        }
    }
}

#[test]
fn small_boards() {
    let expected = [
        ("one-client", vec!["client0", "smmu0"]),
        (
            "one-client-two-instances",
            vec!["client0", "smmu0", "smmu1"],
        ),
        ("two-clients", vec!["client0", "client1", "smmu0"]),
        (
            "two-instances",
            vec!["client0", "client1", "client2", "smmu0", "smmu1"],
        ),
    ];
    for (name, labels) in expected {
        let board = own(name);
        // In order of the labels, which is the order of the nodes: clients come first.
        let nodes: Vec<_> = board.labels.values().collect();
        assert_eq!(board.labels.keys().collect::<Vec<_>>(), labels, "{name}");
        assert!(nodes.is_sorted(), "{name}");
    }
    let board = own("two-instances");
    let both = parse_phandle_with_args(
        &board.tree,
        board.labels["client2"],
        "iommus",
        "#iommu-cells",
    );
    let both: Vec<_> = both
        .expect("it is valid")
        .into_iter()
        .map(|e| e.node)
        .collect();
    assert_eq!(both, [board.labels["smmu0"], board.labels["smmu1"]]);
}
