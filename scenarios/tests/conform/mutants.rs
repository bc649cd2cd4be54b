//! Logs that were changed a little are rejected: two calls of a thread swapped, an of_xlate
//! dropped, a return value changed, a call moved to another thread. A change that is accepted has
//! to be one of those that leave the log true: [`why`] names them.

use crate::cases::{BOOTS, Boot, verdict};
use checker::engine::conform::Bounds;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use scenarios::conform::Case;
use scenarios::trace::Log;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// Boots that are changed.
const CHANGED: [&str; 6] = [
    "smmu-last/6.12.107+deb13",
    "smmu-deferred/7.2.13+deb14",
    "rk-multi/7.2.13+deb14",
    "repeat/smmu-async/7.2.13+deb14/outcome-1",
    "repeat/smmu-async/7.2.13+deb14/outcome-3",
    "forced/f2-platform-a",
];

/// Mutants of each kind of each boot.
const EACH: usize = 10;

const BOUNDS: Bounds = Bounds {
    max_states: 4000,
    quick_states: 2000,
    all_orders: false,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Two successive events of one thread are swapped.
    SwapInThread,
    /// Two neighbours of different threads are swapped, for the same device if there are such.
    SwapThreads,
    /// An of_xlate is dropped, with its return.
    DropOfXlate,
    /// A return value is another.
    Return,
    /// A call is another thread's.
    Move,
}

const KINDS: [Kind; 5] = [
    Kind::SwapInThread,
    Kind::SwapThreads,
    Kind::DropOfXlate,
    Kind::Return,
    Kind::Move,
];

/// A line that can be changed.
struct Line<'a> {
    /// Its number, from 0.
    number: usize,
    text: &'a str,
    /// `init-1`
    thread: &'a str,
}

/// The lines that are compared, but for levels.
fn lines<'a>(text: &'a str, log: &Log, case: &Case) -> Vec<Line<'a>> {
    let all: Vec<&str> = text.lines().collect();
    let numbers = (0..case.events()).filter_map(|e| Some(log.entries[case.entry(e)?].line - 1));
    let calls = numbers.filter(|n| !all[*n].contains("initcall_level"));
    calls
        .map(|number| Line {
            number,
            text: all[number],
            thread: all[number].split(" [").next().unwrap_or_default(),
        })
        .collect()
}

/// A changed text, and what was changed; `None` if the boot has no such place.
fn mutant(
    text: &str,
    lines: &[Line<'_>],
    kind: Kind,
    at: prop::sample::Index,
) -> Option<(String, String)> {
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    let what = match kind {
        Kind::SwapInThread => {
            let pairs: Vec<(usize, usize)> = (0..lines.len())
                .filter_map(|i| {
                    let later = lines[i + 1..]
                        .iter()
                        .position(|l| l.thread == lines[i].thread)?;
                    Some((i, i + 1 + later))
                })
                .collect();
            let (a, b) = *at.get(pairs.get(..).filter(|p| !p.is_empty())?);
            swap(&mut all, &lines[a], &lines[b])
        }
        Kind::SwapThreads => {
            let pairs: Vec<usize> = (1..lines.len())
                .filter(|i| lines[i - 1].thread != lines[*i].thread)
                .collect();
            let b = *at.get(pairs.get(..).filter(|p| !p.is_empty())?);
            swap(&mut all, &lines[b - 1], &lines[b])
        }
        Kind::DropOfXlate => {
            let begins = |l: &&Line<'_>| l.text.contains("_of_xlate+0x0/");
            let all_begins: Vec<&Line<'_>> = lines.iter().filter(begins).collect();
            let line = *at.get(all_begins.get(..).filter(|p| !p.is_empty())?);
            let returns = |l: &&Line<'_>| {
                l.number > line.number && l.thread == line.thread && l.text.contains("_of_xlate)")
            };
            if let Some(ret) = lines.iter().find(returns) {
                all[ret.number].clear();
            }
            all[line.number].clear();
            format!("dropped {}", line.text)
        }
        Kind::Return => {
            let returns: Vec<&Line<'_>> =
                lines.iter().filter(|l| l.text.contains(" ret=")).collect();
            let line = *at.get(returns.get(..).filter(|p| !p.is_empty())?);
            let (head, ret) = line.text.rsplit_once(" ret=")?;
            let other = match (ret, line.number % 2) {
                ("0", 0) => "-19",
                ("-517", _) => "0",
                _ => "-517",
            };
            all[line.number] = format!("{head} ret={other}");
            format!("{} instead of {}", all[line.number], ret)
        }
        Kind::Move => {
            let threads: BTreeSet<&str> = lines.iter().map(|l| l.thread).collect();
            let line = at.get(lines);
            let others: Vec<&&str> = threads.iter().filter(|t| **t != line.thread).collect();
            let other = others.get(line.number % others.len().max(1))?;
            all[line.number] = line.text.replacen(line.thread, other, 1);
            format!("{} instead of {}", all[line.number], line.thread)
        }
    };
    Some((all.join("\n"), what))
}

fn swap(all: &mut [String], a: &Line<'_>, b: &Line<'_>) -> String {
    // Times stay where they are: they are not compared.
    all.swap(a.number, b.number);
    format!("swapped {} and {}", a.text, b.text)
}

/// Why a changed log is true, if it is: what is left of it says the same, or what it says besides
/// is something that the model takes from the log.
fn why(kind: Kind, before: &Case, after: &Case, what: &str) -> Option<&'static str> {
    let texts =
        |case: &Case| -> Vec<Option<String>> { (0..case.events()).map(|e| case.text(e)).collect() };
    let (old, new) = (texts(before), texts(after));
    match kind {
        _ if old == new && kind != Kind::Move && kind != Kind::SwapThreads => {
            Some("the two events are alike")
        }
        Kind::SwapThreads => Some("events of different threads that nothing orders"),
        _ if before.config.probe_results != after.config.probe_results => {
            Some("the driver's own probe returned that, for all that is known")
        }
        Kind::SwapInThread if what.contains("deferred_probe_work_func") => {
            Some("a run of the work that shows nothing may be another's")
        }
        _ => None,
    }
}

/// How the mutants of one kind came out.
#[derive(Default)]
struct Count {
    rejected: usize,
    undecided: usize,
    accepted: BTreeMap<&'static str, usize>,
}

/// Where many tasks run at once the bound of this test does not suffice.
fn has_races(boot: &Boot) -> bool {
    boot.folder.starts_with("repeat/") || boot.folder.starts_with("forced/")
}

fn boots() -> impl Iterator<Item = &'static Boot> {
    BOOTS.iter().filter(|b| CHANGED.contains(&b.folder))
}

#[test]
fn mutants_are_rejected_or_their_acceptance_is_explained() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut counts: BTreeMap<Kind, Count> = BTreeMap::new();
    let mut unexplained = vec![];
    for boot in boots() {
        let text = boot.text();
        let log = Log::of_text(boot.folder, &text);
        let before = boot.case(&log, boot.kernel);
        let lines = lines(&text, &log, &before);
        for kind in KINDS {
            for _ in 0..EACH {
                let at = any::<prop::sample::Index>().new_tree(&mut runner);
                let at = at.expect("an index can always be made").current();
                let Some((changed, what)) = mutant(&text, &lines, kind, at) else {
                    continue;
                };
                let log = Log::of_text(boot.folder, &changed);
                let after = boot.case(&log, boot.kernel);
                let found = after.validate(BOUNDS).found;
                let count = counts.entry(kind).or_default();
                match verdict(&found).0 {
                    "rejected" => count.rejected += 1,
                    "not decided" => {
                        assert!(has_races(boot), "{}: {what}: not decided", boot.folder);
                        count.undecided += 1;
                    }
                    _ => match why(kind, &before, &after, &what) {
                        Some(reason) => *count.accepted.entry(reason).or_default() += 1,
                        None => unexplained.push(format!("{}: {kind:?}: {what}", boot.folder)),
                    },
                }
            }
        }
    }
    for (kind, count) in &counts {
        let _ = writeln!(
            std::io::stderr(),
            "{kind:?}: rejected {}, not decided {}, accepted {:?}",
            count.rejected,
            count.undecided,
            count.accepted
        );
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}
