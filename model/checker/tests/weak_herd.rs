//! [`checker::engine::weak`] against herd7 with the kernel's own tools/memory-model. It needs
//! both, so it is ignored by default. `HERD7` is the command line, without a model:
//!
//! ```console
//! $ HERD7="herd7 -I $LINUX/tools/memory-model -macros linux-kernel.def -bell linux-kernel.bell" \
//!   cargo test -p checker --test all weak_herd -- --ignored
//! ```
//!
//! Last run with herd7 7.56.3 and the model of v6.12.117. Random programs take it minutes.

use crate::weak;
use crate::weak::Litmus;
use crate::weak::rows::{KERNEL, OURS, Verdict};
use std::collections::BTreeMap;
use std::path::Path;

/// The command line with this model.
fn herd(model: &str) -> String {
    let herd = std::env::var("HERD7").expect("HERD7 says how to run herd7");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/herd");
    format!("{herd} -I {} -model {model}", folder.display())
}

/// Names that herd7 takes for file names and prints back.
fn numbered(texts: &[String]) -> BTreeMap<String, Litmus> {
    let named = texts.iter().enumerate();
    named
        .map(|(i, text)| (format!("T{i:04}"), Litmus::parse(text)))
        .collect()
}

#[test]
#[ignore = "needs herd7 and the kernel's tools/memory-model"]
fn the_verdicts_in_the_table_are_those_of_herd7() {
    let rows = KERNEL.iter().chain(OURS);
    // Our notation has no pointers, and so no address dependency that herd7 could see.
    let rows: Vec<_> = rows.filter(|r| r.0 != "MP+onceassign+derefonce").collect();
    let texts: Vec<_> = rows.iter().map(|r| r.1.to_owned()).collect();
    let tests = numbered(&texts);
    let outcomes = weak::herd::run(&herd("linux-kernel.cat"), &tests);
    assert_eq!(outcomes.len(), rows.len());
    let mut wrong = vec![];
    for ((name, _, condition, verdict, _), (id, outcomes)) in rows.iter().zip(&outcomes) {
        let is = outcomes.iter().any(|o| tests[id].holds(condition, o));
        if is != (*verdict == Verdict::Sometimes) {
            wrong.push(*name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// xorshift64*, so that each run has the same programs.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

/// One operation: `v` is a value that nobody else writes, `n` the next register.
fn operation(random: &mut Random, x: &str, v: u64, n: usize) -> String {
    let known = random.below(2);
    match random.below(13) {
        0..=2 => format!("{x}={v}"),
        3..=5 => format!("r{n}={x}"),
        6 => format!("{x}:={v}"),
        7 => format!("r{n}:={x}"),
        8 => format!("{x}++"),
        9 => format!("r{n}={x}++"),
        10 => format!("r{n}=xchg({x},{v})"),
        11 => format!("r{n}=cmpxchg({x},{known},{v})"),
        _ => random.one(&["mb", "rmb", "wmb"]).to_owned(),
    }
}

/// Two or three tasks with some accesses, fences and spinlocks, and no dependencies.
fn program(random: &mut Random) -> String {
    let tasks = 2 + random.below(2);
    let cells: &[&str] = if tasks == 2 {
        &["x", "y"]
    } else {
        &["x", "y", "z"]
    };
    let mut value = 10;
    let mut texts = vec![];
    for _ in 0..tasks {
        let mut words = vec![];
        let mut held = None;
        for n in 0..(5 - tasks + random.below(2)) as usize {
            value += 1;
            match (random.below(4), held.take()) {
                (0, Some(lock)) => words.push(format!("{lock}.unlock")),
                (0, None) => {
                    let lock = random.one(&["s", "t"]);
                    words.push(format!("{lock}.lock"));
                    held = Some(lock);
                }
                (1, lock) => {
                    words.push(random.one(&["mb", "rmb", "wmb"]).to_owned());
                    held = lock;
                }
                (_, lock) => held = lock,
            }
            let x = random.one(cells);
            words.push(operation(random, x, value, n));
        }
        words.extend(held.map(|lock| format!("{lock}.unlock")));
        texts.push(words.join(" "));
    }
    texts.join(" | ")
}

/// Without dependencies, what the Linux-kernel memory model allows is allowed here and the other
/// way round, but for load buffering and its kin (`docs/herd/no-load-buffering.cat`) and for what
/// follows on an smp_mb() (few of the programs).
#[test]
#[ignore = "needs herd7 and the kernel's tools/memory-model"]
fn random_programs_have_the_outcomes_of_herd7_without_load_buffering() {
    let mut random = Random(20_241_117);
    let texts: Vec<_> = (0..300).map(|_| program(&mut random)).collect();
    let tests = numbered(&texts);
    let strict = weak::herd::run(&herd("no-load-buffering.cat"), &tests);
    assert_eq!(strict.len(), texts.len());
    let mut weaker = 0;
    for (text, (id, theirs)) in texts.iter().zip(&strict) {
        let ours = tests[id].outcomes();
        assert_eq!(theirs.difference(&ours).next(), None, "not here: {text}");
        weaker += usize::from(ours.len() > theirs.len());
    }
    println!(
        "{weaker} of {} programs have more outcomes here",
        texts.len()
    );
    assert!(weaker <= texts.len() / 100, "{weaker}");
}
