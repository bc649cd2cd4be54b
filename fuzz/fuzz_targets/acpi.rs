//! Any text as an ACPI machine: an error, or a machine that boots. `src/board/tests/acpi.rs` and
//! `tests/acpi.rs` of `scenarios` have the bounded runs. `cargo fuzz run acpi`.
#![no_main]

use kernel::config::Config;
use kernel::revision::Revision;
use libfuzzer_sys::fuzz_target;
use scenarios::board::acpi;
use scenarios::boot::survey::row;

fuzz_target!(|text: &str| {
    if let Ok(board) = acpi::parse("fuzz.acpi", text) {
        let _ = row(&board, Revision::newest(), Config::default());
    }
});
