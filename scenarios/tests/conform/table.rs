//! Each recorded boot held against each kernel.

use crate::cases::{BOOTS, verdict};
use checker::engine::conform::Bounds;
use std::io::Write as _;

const KERNELS: [&str; 7] = ["v6.12", "6.12.107", "bcb81ac6ae3c^", "bcb81ac6ae3c", "v6.16", "6.16.12", "7.2.13"];

#[test]
#[ignore]
fn table() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let kernels = std::env::var("KERNELS").unwrap_or_else(|_| KERNELS.join(" "));
    let max_states = std::env::var("STATES").ok().and_then(|s| s.parse().ok()).unwrap_or(200_000);
    for boot in BOOTS.iter().filter(|b| b.folder.contains(&only)) {
        for kernel in kernels.split(' ') {
            let t = std::time::Instant::now();
            let found = boot.validate(&boot.text(), kernel, Bounds { max_states, ..Bounds::default() });
            let (word, at) = verdict(&found);
            let _ = writeln!(std::io::stderr(), "{:45} {:14} {word} {at} states {} rounds {} {:.2?}", boot.folder, kernel, found.states, found.rounds, t.elapsed());
        }
    }
}
