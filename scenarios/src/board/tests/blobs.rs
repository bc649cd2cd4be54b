//! Flattened device trees: whole ones, cut ones, corrupted ones.

use kernel::of::tree::{NodeId, Tree};

use super::super::dtb;
use super::{board, dtc, error, not_run, real_blob};

/// Writes a tree as a blob of version 17.
fn flatten(tree: &Tree) -> Vec<u8> {
    let mut structure = vec![];
    let mut strings = vec![];
    flatten_node(tree, Tree::ROOT, &mut structure, &mut strings);
    structure.extend(9_u32.to_be_bytes());
    assemble(&structure, &strings)
}

/// Puts a header and an empty reservation map before the blocks.
fn assemble(structure: &[u8], strings: &[u8]) -> Vec<u8> {
    let off_struct = 40 + 16;
    let off_strings = off_struct + structure.len();
    let total = off_strings + strings.len();
    let header = [
        0xd00d_feed,
        total,
        off_struct,
        off_strings,
        40,
        17,
        16,
        0,
        strings.len(),
        structure.len(),
    ];
    let mut blob: Vec<u8> = header
        .iter()
        .flat_map(|field| (*field as u32).to_be_bytes())
        .collect();
    blob.extend([0; 16]);
    blob.extend(structure);
    blob.extend(strings);
    blob
}

fn flatten_node(tree: &Tree, node: NodeId, structure: &mut Vec<u8>, strings: &mut Vec<u8>) {
    let pad = |bytes: &mut Vec<u8>| bytes.resize(bytes.len().next_multiple_of(4), 0);
    structure.extend(1_u32.to_be_bytes());
    structure.extend(tree.node(node).name.bytes());
    structure.push(0);
    pad(structure);
    for property in &tree.node(node).properties {
        for field in [3, property.value.len() as u32, strings.len() as u32] {
            structure.extend(field.to_be_bytes());
        }
        structure.extend(&property.value);
        pad(structure);
        strings.extend(property.name.bytes());
        strings.push(0);
    }
    for child in &tree.node(node).children {
        flatten_node(tree, *child, structure, strings);
    }
    structure.extend(2_u32.to_be_bytes());
}

fn small() -> Tree {
    board(
        "one-client.dts",
        include_bytes!("../../../boards/one-client.dts"),
    )
    .tree
}

#[test]
fn a_blob_gives_its_tree_back() {
    let mut blob = flatten(&small());
    assert_eq!(board("t.dtb", &blob).tree, small());
    blob.extend([0xff; 100]);
    assert_eq!(board("padded", &blob).tree, small());
}

#[test]
fn every_truncation_is_one_clear_error() {
    let blob = flatten(&small());
    for length in 0..blob.len() {
        let got = error("b/t.dtb", &blob[..length]);
        let want = match length {
            0..4 => "b/t.dtb: byte 0x0: found magic [".to_owned(),
            4..40 => format!(
                "b/t.dtb: byte {length:#x}: the file ends after {length} bytes, within its header of 40"
            ),
            _ => format!(
                "b/t.dtb: byte 0x4: the header says {} bytes, the file has {length}: truncated or corrupt",
                blob.len()
            ),
        };
        assert!(got.starts_with(&want), "{length}: {got}");
        // The same with a header that fits, so that the cut is found further in.
        if length >= 8 {
            let mut cut = blob[..length].to_vec();
            cut[4..8].copy_from_slice(&(length as u32).to_be_bytes());
            let got = error("b/t.dtb", &cut);
            assert!(
                got.starts_with("b/t.dtb: ") && !got.contains('\n'),
                "{length}: {got}"
            );
        }
    }
}

#[test]
fn no_corruption_panics() {
    let blob = flatten(&small());
    let mut survivors = 0;
    let mut read = |bytes: &[u8]| match super::from_bytes("t.dtb", bytes) {
        Ok(_) => survivors += 1,
        Err(error) => assert!(error.to_string().starts_with("t.dtb: ")),
    };
    for bit in 0..blob.len() * 8 {
        let mut bad = blob.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        read(&bad);
    }
    let sizes = [blob.len() - 4, blob.len(), blob.len() + 4].map(|size| size as u32);
    let extremes = [
        0,
        1,
        2,
        3,
        4,
        9,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fffc,
        0xffff_ffff,
    ];
    for at in (0..blob.len() - 3).step_by(4) {
        for value in sizes.into_iter().chain(extremes) {
            let mut bad = blob.clone();
            bad[at..at + 4].copy_from_slice(&value.to_be_bytes());
            read(&bad);
        }
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut bad = blob.clone();
        for _ in 0..4 {
            // xorshift64
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let bit = seed as usize % (bad.len() * 8);
            bad[bit / 8] ^= 1 << (bit % 8);
        }
        read(&bad);
    }
    assert!(survivors > 0, "values of properties may be anything");
}

#[test]
fn faults_are_named() {
    let deep = |levels: usize| {
        let mut tree = Tree::with_root();
        let mut at = Tree::ROOT;
        for _ in 1..levels {
            at = tree.add_child(at, "n");
        }
        tree
    };
    let deepest = deep(dtb::MAX_DEPTH);
    assert_eq!(board("t.dtb", &flatten(&deepest)).tree, deepest);
    let too_deep = error("t.dtb", &flatten(&deep(dtb::MAX_DEPTH + 1)));
    assert_eq!(
        too_deep,
        "t.dtb: byte 0x238: nodes nest deeper than 64 levels"
    );
    // Too deep for any recursion: 100,000 levels without an end.
    let mut structure = [0, 0, 0, 1, 0, 0, 0, 0].to_vec();
    structure.extend([0, 0, 0, 1, b'n', 0, 0, 0].repeat(100_000));
    structure.extend([0, 0, 0, 2].repeat(100_001));
    structure.extend([0, 0, 0, 9]);
    assert_eq!(error("t.dtb", &assemble(&structure, &[])), too_deep);

    let mut dangling = small();
    let client = dangling.by_path("/client").expect("it is there");
    let iommus = dangling.nodes[client.0 as usize]
        .properties
        .iter_mut()
        .find(|p| p.name == "iommus");
    iommus.expect("it is there").value[3] = 7;
    let got = error("t.dtb", &flatten(&dangling));
    assert_eq!(
        got,
        "t.dtb: /client@10000000: iommus: no node has phandle 0x7"
    );
}

/// Real blobs load whole, and read the same from the text that dtc makes of them.
#[test]
fn real_blobs_load() {
    for name in [
        "fsl-ls1028a-rdb.dtb",
        "x1e80100-crd.dtb",
        "r8a77965-salvator-xs.dtb",
        "r8a77951-salvator-xs.dtb",
    ] {
        let Some(blob) = real_blob(name) else {
            continue;
        };
        let board = board(name, &blob);
        println!("{name}: {} nodes", board.tree.nodes.len());
        let Some(text) = dtc("dtb", "dts", &blob) else {
            continue;
        };
        let text = String::from_utf8(text).expect("dtc writes text");
        let counted = text.lines().filter(|line| line.ends_with('{')).count();
        assert_eq!(board.tree.nodes.len(), counted, "{name}");
        if text.contains("/memreserve/") {
            not_run(&format!("{name} as text: it has /memreserve/"));
            continue;
        }
        let parsed = super::super::dts::parse(name, &text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(parsed.board.tree, board.tree, "{name}");
    }
}
