//! A checkpoint of a small search, with some of its bytes changed: for `fuzzed.rs` and for the
//! fuzzer's target.

use checker::engine::exhaustive::{CheckpointError, CheckpointFile, Options, try_explore_with};
use checker::hash::Rolling;
use kernel::kernel::Kernel;
use scenarios::runner::Test;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that the file's checksum takes in at once, and the bytes of the checksum.
const BLOCK: usize = 1 << 16;
const CHECKSUM: usize = 16;

/// A search that has come some way, and its file.
pub(crate) struct Small {
    kernel: Arc<Kernel>,
    options: Options,
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Small {
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scenarios = [folder.to_owned(), folder.join("../scenarios")];
        let is_it = |f: &&PathBuf| f.join("basics").is_dir();
        let folder = scenarios.iter().find(is_it).expect("scenarios are there");
        let file = folder.join("basics/late-probe-at-bind.litmus");
        let test = Test::load(&file, &folder.join("boards")).expect("a test of ours");
        let kernel = test.kernel("v7.3-rc7").expect("one of its kernels");
        let name = format!("probe-litmus-checkpoint-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let options = Options {
            checkpoint: Some(CheckpointFile::new(file.clone())),
            max_states: 100,
            look: 10,
            ..Options::default()
        };
        try_explore_with(&kernel, &options, &mut |_| {
            checker::engine::exhaustive::Go::On
        })
        .expect("there is room for a small file");
        let mut bytes = std::fs::read(&file).expect("it was written");
        bytes.truncate(bytes.len() - CHECKSUM);
        let options = Options {
            checkpoint: None,
            resume: Some(file.clone()),
            max_states: 2000,
            ..options
        };
        Self {
            kernel,
            options,
            file,
            bytes,
        }
    }

    /// Goes on after these changes, of three bytes each: where, two bytes, counted on from the
    /// beginning behind the end, and by which it is changed.
    pub(crate) fn go_on(&self, edits: &[u8]) -> Result<(), CheckpointError> {
        let mut bytes = self.bytes.clone();
        let length = bytes.len();
        for edit in edits.chunks_exact(3) {
            let at = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
            bytes[at % length] ^= edit[2];
        }
        let mut hash = Rolling::default();
        for block in bytes.chunks(BLOCK) {
            hash.push_bytes(block);
        }
        if length.is_multiple_of(BLOCK) {
            hash.push_bytes(&[]);
        }
        bytes.extend(hash.finish().to_le_bytes());
        std::fs::write(&self.file, &bytes).expect("there is room for a small file");
        let go_on = &mut |_| checker::engine::exhaustive::Go::On;
        try_explore_with(&self.kernel, &self.options, go_on).map(|_| ())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}
