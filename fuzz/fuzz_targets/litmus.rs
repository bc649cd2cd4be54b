//! Any text as a litmus test: an error, or a test that is printed as itself, and whose kernels can
//! be laid out. `tests/fuzzed.rs` of `scenarios` is the bounded run. `cargo fuzz run litmus`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scenarios::litmus;
use scenarios::runner::Test;
use std::path::Path;

fuzz_target!(|text: &str| {
    // A file is called as its test is.
    let name = text.lines().next().and_then(|l| l.strip_prefix("LITMUS "));
    let file = format!("{}.litmus", name.unwrap_or("fuzz"));
    let Ok(parsed) = litmus::parse(&file, text) else {
        return;
    };
    let printed = parsed.to_string();
    let again = litmus::parse(&file, &printed).expect("what is printed can be read");
    assert_eq!(again.to_string(), printed);
    let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/boards");
    let Ok(test) = Test::with_board(parsed, &boards) else {
        return;
    };
    for kernel in test.kernels() {
        let _ = test.kernel(kernel);
    }
});
