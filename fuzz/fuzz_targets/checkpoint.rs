//! A checkpoint of a search with some of its bytes changed, and its checksum made to fit: an error,
//! or a search that goes on. `tests/fuzzed.rs` of `scenarios` is the bounded run; that changed
//! bytes are noticed by the checksum is tested in `checker`. The search copies stacks, which a
//! sanitizer takes for a fault: `cargo fuzz run --sanitizer none checkpoint`.
#![no_main]

#[path = "../../scenarios/tests/fuzzed/checkpoint.rs"]
mod checkpoint;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

fuzz_target!(|edits: &[u8]| {
    static SMALL: OnceLock<checkpoint::Small> = OnceLock::new();
    let small = SMALL.get_or_init(checkpoint::Small::new);
    let _ = small.go_on(edits);
});
