//! The reader of logs: no panic, and every line accounted for. `cargo fuzz run trace`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scenarios::trace::Log;

fuzz_target!(|bytes: &[u8]| {
    let mut log = Log::of_text("fuzz", &String::from_utf8_lossy(bytes));
    let rest: usize = log.rest.values().sum();
    assert_eq!(log.entries.len() + rest, log.lines);
    log.name_devices();
});
