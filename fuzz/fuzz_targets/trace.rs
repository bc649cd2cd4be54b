//! The reader of logs: no panic, and every line accounted for; and of the lists that go with a log.
//! `cargo fuzz run trace`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scenarios::conform::drivers::Drivers;
use scenarios::trace::Log;
use scenarios::trace::file::File;
use scenarios::trace::kallsyms::Kallsyms;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = Kallsyms::of_text("fuzz", &text);
    let _ = Drivers::of_file(&File::of_text("fuzz", &text));
    let mut log = Log::of_text("fuzz", &text);
    let rest: usize = log.rest.values().sum();
    assert_eq!(log.entries.len() + rest, log.lines);
    log.name_devices();
});
