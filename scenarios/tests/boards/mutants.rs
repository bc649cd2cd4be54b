//! Blobs that are wrong somewhere, by a seeded generator: each gives an error with a cause, or
//! boots. `fuzz/fuzz_targets/dtb.rs` does the same for longer.

use super::{folder, load, wide};
use crate::random::Random;
use kernel::revision::Revision;
use scenarios::board;
use scenarios::boot::survey::row;
use std::path::{Path, PathBuf};

/// Mutants of each blob.
const MUTANTS: usize = 400;

/// The boards of this folder as blobs.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/dtb");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|f| f.expect("a file").path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_stem().expect("it has a name").to_string_lossy();
        (
            name.into_owned(),
            std::fs::read(file).expect("it can be read"),
        )
    };
    files.iter().map(read).collect()
}

#[test]
fn the_corpus_is_the_boards() {
    let sources = std::fs::read_dir(folder()).expect("the folder of this test");
    let sources = sources.map(|f| f.expect("a file").path());
    let sources = sources.filter(|f| f.extension().is_some_and(|e| e == "dts"));
    assert_eq!(corpus().len(), sources.count());
    for (name, blob) in corpus() {
        let from_blob = board::from_bytes(&format!("{name}.dtb"), &blob);
        let from_blob = from_blob.unwrap_or_else(|e| panic!("{e}")).tree;
        assert_eq!(from_blob, load(&name).tree, "{name}: run `just corpus`");
    }
}

impl Random {
    /// Changes one to four words or bytes.
    fn mutate_blob(&mut self, blob: &mut Vec<u8>) {
        const VALUES: [u32; 10] = [
            0,
            1,
            2,
            3,
            4,
            5,
            0x7fff_ffff,
            0x8000_0000,
            u32::MAX - 3,
            u32::MAX,
        ];
        for _ in 0..=self.below(4) {
            // The header is a small part of a blob and most of what is checked; leave it to one in
            // ten.
            let start = if self.below(10) == 0 {
                0
            } else {
                56.min(blob.len())
            };
            if blob.len() < start + 8 {
                return;
            }
            let word = start + self.below((blob.len() - start) / 4 - 1) * 4;
            match self.below(5) {
                0 => {
                    let byte = start + self.below(blob.len() - start);
                    blob[byte] ^= 1 << self.below(8);
                }
                1 => blob.truncate(start + self.below(blob.len() - start)),
                2 => {
                    let other = start + self.below((blob.len() - start) / 4 - 1) * 4;
                    for i in 0..4 {
                        blob.swap(word + i, other + i);
                    }
                }
                _ => {
                    let value = VALUES[self.below(VALUES.len())];
                    blob[word..word + 4].copy_from_slice(&value.to_be_bytes());
                }
            }
        }
    }
}

#[test]
fn a_mutant_boots_or_is_refused_with_a_cause() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut booted, mut refused) = (0, 0);
    for (name, blob) in corpus() {
        for _ in 0..MUTANTS {
            let mut mutant = blob.clone();
            random.mutate_blob(&mut mutant);
            let file = format!("{name}.dtb");
            let error = match board::from_bytes(&file, &mutant) {
                Ok(board) => match row(&board, Revision::newest(), wide()) {
                    Ok(_) => {
                        booted += 1;
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
                Err(error) => error.to_string(),
            };
            refused += 1;
            let cause = error
                .strip_prefix(&file)
                .or(error.strip_prefix(name.as_str()));
            assert!(cause.is_some_and(|c| c.len() > ": ".len()), "{error}");
        }
    }
    assert!(
        booted > 100 && refused > 100,
        "booted {booted}, refused {refused}"
    );
}
