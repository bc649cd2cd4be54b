//! Any bytes as a blob: an error, or a board that boots. `tests/boards/mutants.rs` of `scenarios`
//! is the bounded run of the same.

#![no_main]

use kernel::config::Config;
use kernel::drivers::catalogue::Catalogue;
use kernel::revision::Revision;
use libfuzzer_sys::fuzz_target;
use scenarios::board::from_bytes;
use scenarios::boot::survey::row;

fuzz_target!(|bytes: &[u8]| {
    let Ok(board) = from_bytes("fuzz.dtb", bytes) else {
        return;
    };
    let config = Config {
        catalogue: Catalogue::Arm64,
        ..Config::default()
    };
    let _ = row(&board, Revision::newest(), config);
});
