//! Litmus tests, schedules and checkpoints that are wrong somewhere, by a seeded generator: each gives an error,
//! or a kernel that can be laid out and a run. `fuzz/fuzz_targets` has the same for longer, and says
//! where the bounded runs of the other readers are.

#[path = "fuzzed/checkpoint.rs"]
mod checkpoint;

use crate::random::Random;
use checker::engine::exhaustive::{Options, explore};
use checker::engine::replay::replay;
use checker::engine::schedule::Schedule;
use scenarios::litmus;
use scenarios::runner::Test;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The files of a folder of the corpus that people have written, in the order of their names. What
/// the fuzzer has found has no extension.
fn corpus(name: &str) -> Vec<String> {
    let folder = folder().join("../fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|f| f.expect("a file").path()).collect();
    files.retain(|f| f.extension().is_some());
    files.sort();
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("it is text");
    files.iter().map(read).collect()
}

impl Random {
    /// Puts words of the text, or others, where some of its words are.
    fn mutate(&mut self, text: &str, others: &[&str]) -> String {
        let mut words: Vec<&str> = text
            .split_inclusive([' ', '\n', '(', ')', ',', ':', '.'])
            .collect();
        for _ in 0..=self.below(3) {
            let (at, from) = (self.below(words.len()), self.below(words.len()));
            match self.below(4) {
                0 => words.swap(at, from),
                1 => words[at] = words[from],
                2 => words.insert(at, others[self.below(others.len())]),
                _ => {
                    words.remove(at);
                    if words.is_empty() {
                        words.push(" ");
                    }
                }
            }
        }
        words.concat()
    }
}

#[test]
fn a_litmus_test_that_is_wrong_somewhere_is_refused_or_laid_out() {
    const OTHERS: [&str; 12] = [
        "device_del(client0) ",
        "device_add(client0) ",
        "driver_register(client-drv) ",
        "iommu_device_unregister(smmu0) ",
        "device_shutdown ",
        "boot ",
        "{ ",
        "} ",
        "~",
        "v6.12 ",
        "config modules n\n",
        "config arch arm\n",
    ];
    let boards = folder().join("boards");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut refused, mut laid_out) = (0, 0);
    for text in corpus("litmus") {
        for _ in 0..300 {
            let mutant = random.mutate(&text, &OTHERS);
            // A file is called as its test is.
            let name = mutant
                .lines()
                .next()
                .and_then(|l| l.strip_prefix("LITMUS "));
            let file = format!("{}.litmus", name.unwrap_or("mutant"));
            let Ok(parsed) = litmus::parse(&file, &mutant) else {
                refused += 1;
                continue;
            };
            let Ok(test) = Test::with_board(parsed, &boards) else {
                refused += 1;
                continue;
            };
            for kernel in test.kernels() {
                match test.kernel(kernel) {
                    Ok(_) => laid_out += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 100 && laid_out > 100, "{refused} {laid_out}");
}

#[test]
fn a_schedule_that_is_wrong_somewhere_is_refused_or_replayed() {
    let file = folder().join("basics/late-probe-at-bind.litmus");
    let test = Test::load(&file, &folder().join("boards")).expect("a test of ours");
    let kernel = test.kernel("v7.3-rc7").expect("one of its kernels");
    let marks = explore(&kernel, &Options::default()).marks;
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut refused, mut replayed) = (0, 0);
    for text in corpus("schedule") {
        for _ in 0..300 {
            let mutant = random.mutate(&text, &["0.", "3*7.", "999.", "1~4.", "*", "0*0.", "-1."]);
            let Ok(schedule) = mutant.parse::<Schedule>() else {
                refused += 1;
                continue;
            };
            assert_eq!(
                schedule.to_string().parse().as_ref(),
                Ok(&schedule),
                "{mutant}"
            );
            let _ = replay(&kernel, &marks, &schedule);
            replayed += 1;
        }
    }
    assert!(refused > 100 && replayed > 100, "{refused} {replayed}");
}

/// Behind a checksum that fits: of a file that only came to harm the checksum tells.
#[test]
fn a_checkpoint_that_is_wrong_somewhere_is_refused_or_gone_on_with() {
    let small = checkpoint::Small::new();
    assert!(
        small.go_on(&[]).is_ok(),
        "it goes on where nothing is changed"
    );
    let mut random = Random(0x1b87_3593_cc9e_2d51);
    let (mut refused, mut gone_on) = (0, 0);
    for _ in 0..300 {
        let at = random.below(1 << 16) as u16;
        let [low, high] = at.to_le_bytes();
        let by = 1 << random.below(8);
        match small.go_on(&[low, high, by]) {
            Ok(()) => gone_on += 1,
            Err(error) => {
                assert!(!error.to_string().contains("checksum"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 50 && gone_on > 0, "{refused} {gone_on}");
}
