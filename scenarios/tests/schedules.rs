//! Schedules that name steps: every witness comes back, and edits elsewhere leave them as they are.

use crate::all_rooms;
use crate::files::crate_folder;
use crate::rooms::{self, Room, scenarios};
use checker::engine::exhaustive::{Go, Options, Trace};
use checker::engine::named::NamedSchedule;
use checker::engine::schedule::Schedule;
use checker::event::{Event, What};
use checker::outcome::Final;
use kernel::outcome::Outcome;
use libtest_mimic::{Failed, Trial};
use scenarios::in_order;
use scenarios::runner::{Answer, Memory, Test};
use scenarios::schedule::{self, Written};
use std::path::Path;

/// Of an outcome-rich scenario so many are enough.
const MOST: usize = 40;

/// The claims, of which the first two look at all scenarios.
pub(crate) fn trials() -> [Trial; 5] {
    let claim = |name: &str, holds: fn()| {
        Trial::test(name, move || {
            holds();
            Ok(())
        })
    };
    [
        Trial::test(
            "every_witness_comes_back_by_its_names",
            every_witness_comes_back_by_its_names,
        ),
        Trial::test(
            "names_survive_another_kernel_where_counts_do_not",
            names_survive_another_kernel_where_counts_do_not,
        ),
        claim(
            "witnesses_of_weak_memory_come_back_too",
            witnesses_of_weak_memory_come_back_too,
        ),
        claim(
            "a_call_or_a_task_more_elsewhere_changes_no_name",
            a_call_or_a_task_more_elsewhere_changes_no_name,
        ),
        claim(
            "a_divergence_says_where_and_what_was_there_instead",
            a_divergence_says_where_and_what_was_there_instead,
        ),
    ]
}

fn load(file: &Path) -> Test {
    rooms::load(file).unwrap_or_else(|e| panic!("{e}"))
}

fn explore(test: &Test, kernel: &str, memory: Memory) -> Answer {
    test.run_in(memory, kernel, &Options::default(), &mut |_| Go::On)
        .unwrap_or_else(|e| panic!("{e:?}"))
}

/// Outcomes, each with a schedule, the first of many.
fn witnesses(answer: &Answer) -> Vec<(&Final<Outcome>, &Schedule)> {
    let all = answer.outcomes().map(|(end, schedule, _)| (end, schedule));
    all.take(MOST).collect()
}

/// Runs a text that `explain` printed, as `replay` does. Where no task does anything it is empty.
fn replay(test: &Test, answer: &Answer, text: &str) -> Trace<Outcome> {
    let named = match text.parse() {
        _ if text.is_empty() => NamedSchedule::default(),
        Ok(Written::Named(named)) => named,
        other => panic!("`{text}` is no schedule of names: {other:?}"),
    };
    schedule::replay(test, &answer.kernel, answer.memory, &named)
}

/// The steps of each task. Waiting is none: a task that comes later to a lock may find it free.
fn by_task(trace: &Trace<Outcome>) -> Vec<Vec<&Event>> {
    let of = |task: usize| {
        let own = trace.events.iter().filter(|e| e.task.index() == task);
        own.filter(|e| e.what != What::Wait).collect()
    };
    (0..trace.tasks.len()).map(of).collect()
}

/// Every witness has names, and these lead to the same outcome, by the same steps of each task with
/// the same values, and are the names of a run that prints the same.
fn comes_back(test: &Test, answer: &Answer) -> usize {
    let what = format!("{} on {}", test.litmus.name.value, answer.revision);
    let all = witnesses(answer);
    for (end, counted) in &all {
        let text = schedule::text(test, answer, counted);
        let again = replay(test, answer, &text);
        assert_eq!(again.divergence, None, "{what}: {counted}: {text}");
        assert_eq!(&again.end, *end, "{what}: {counted}: {text}");
        let trace = answer.replay(counted);
        assert_eq!(trace.tasks, again.tasks, "{what}: {counted}: {text}");
        let (steps, named) = (by_task(&trace), by_task(&again));
        for (task, (a, b)) in steps.iter().zip(&named).enumerate() {
            let at = a.iter().zip(b).position(|(a, b)| a != b);
            assert_eq!(at, None, "{what}: task {task}: {counted}: {text}");
            assert_eq!(a.len(), b.len(), "{what}: task {task}: {counted}: {text}");
        }
    }
    all.len()
}

/// What comes of each, on two threads.
fn each<T: Sync, R: Send + Sync>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    in_order::in_order(items, 2, |item| Some(work(item)), || (), |_, _| ())
}

fn every_witness_comes_back_by_its_names() -> Result<(), Failed> {
    let rooms: Vec<&Room> = all_rooms().collect();
    let counts = each(&rooms, |room| Ok(comes_back(&room.test, room.answer()?)));
    let total: usize = counts.into_iter().sum::<Result<_, Failed>>()?;
    assert!(total > 2_000, "{total}");
    Ok(())
}

/// An alternative that a step takes is named too: a store that comes before another's.
fn witnesses_of_weak_memory_come_back_too() {
    let test = edited("weak", &[("P2 { deferred_probe_work_func }\n", "")]);
    let answer = explore(&test, "v6.16", Memory::Weak);
    comes_back(&test, &answer);
    let texts = answer
        .outcomes()
        .map(|(_, s, _)| schedule::text(&test, &answer, s));
    assert!(texts.filter(|t| t.contains("~1 until ")).count() > 0);
}

/// What becomes of the witnesses of one test on another.
#[derive(Debug, Default)]
struct Fate {
    /// They lead to the same outcome.
    same: usize,
    /// They say that they do not fit.
    diverged: usize,
    /// They lead elsewhere, and say nothing.
    silent: usize,
}

impl Fate {
    fn of<'a>(runs: impl Iterator<Item = (&'a Final<Outcome>, Trace<Outcome>)>) -> Self {
        let mut fate = Self::default();
        for (end, trace) in runs {
            match trace.divergence {
                Some(_) => fate.diverged += 1,
                None if trace.end == *end => fate.same += 1,
                None => fate.silent += 1,
            }
        }
        fate
    }

    fn add(&mut self, other: &Self) {
        self.same += other.same;
        self.diverged += other.diverged;
        self.silent += other.silent;
    }
}

/// The witnesses of the first run on the second, where they can lead to the same outcomes: by name,
/// and counted.
fn across(first: (&Test, &Answer), second: (&Test, &Answer)) -> (Fate, Fate) {
    let (test, answer) = first;
    let both: Vec<_> = witnesses(answer)
        .into_iter()
        .filter(|(end, _)| second.1.report.finals.contains_key(end))
        .collect();
    let named = both.iter().map(|(end, counted)| {
        let text = schedule::text(test, answer, counted);
        (*end, replay(second.0, second.1, &text))
    });
    let counted = both
        .iter()
        .map(|(end, counted)| (*end, second.1.replay(counted)));
    (Fate::of(named), Fate::of(counted))
}

/// On the next kernel that a scenario names, and on the one before, names lead to the same outcome
/// much more often than counts do, and where they do not, mostly say so.
fn names_survive_another_kernel_where_counts_do_not() -> Result<(), Failed> {
    let fates = each(scenarios(), |scenario| {
        let rooms = scenario.rooms.as_deref().unwrap_or_default();
        let mut sum = (Fate::default(), Fate::default());
        for pair in rooms.windows(2) {
            for (first, second) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                let (first, second) = (
                    (&*first.test, first.answer()?),
                    (&*second.test, second.answer()?),
                );
                let (named, counted) = across(first, second);
                sum.0.add(&named);
                sum.1.add(&counted);
            }
        }
        Ok::<_, Failed>(sum)
    });
    let (mut named, mut counted) = (Fate::default(), Fate::default());
    for fates in fates {
        let (n, c) = fates?;
        named.add(&n);
        counted.add(&c);
    }
    println!("by name {named:?}, counted {counted:?}");
    assert!(named.same > counted.same, "{named:?} {counted:?}");
    assert!(named.silent < counted.silent, "{named:?} {counted:?}");
    Ok(())
}

const LATE: &str = "basics/late-probe-at-bind.litmus";

/// The scenario with `from` replaced by `to`, in a file of its own.
fn edited(name: &str, edits: &[(&str, &str)]) -> Test {
    let mut text = std::fs::read_to_string(crate_folder().join(LATE)).expect("a scenario");
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text = text.replace("late-probe-at-bind", name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schedules");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.litmus"));
    std::fs::write(&file, text).expect("a file");
    load(&file)
}

/// A call more in another task, or a task more: each name still leads to its outcome. Counts do not
/// all.
fn a_call_or_a_task_more_elsewhere_changes_no_name() {
    let before = load(&crate_folder().join(LATE));
    let kernel = "v7.3-rc7";
    let answer = explore(&before, kernel, Memory::Sequential);
    let mut counted_elsewhere = 0;
    for (name, edits) in [
        (
            "in-the-worker",
            &[(
                "P2 { deferred_probe_work_func }",
                "P2 { device_attach(client0); deferred_probe_work_func }",
            )],
        ),
        (
            "a-task-more",
            &[(
                "P2 { deferred_probe_work_func }",
                "P2 { deferred_probe_work_func }\nP3 { device_attach(smmu0) }",
            )],
        ),
    ] {
        let after = edited(name, edits);
        let other = explore(&after, kernel, Memory::Sequential);
        let (named, counted) = across((&before, &answer), (&after, &other));
        println!("{name}: by name {named:?}, counted {counted:?}");
        assert_eq!((named.diverged, named.silent), (0, 0), "{name}: {named:?}");
        assert!(named.same > 0, "{name}");
        counted_elsewhere += counted.diverged + counted.silent;
    }
    assert!(counted_elsewhere > 0);
}

/// Which segment, who, what it looked for, and what it did instead.
fn a_divergence_says_where_and_what_was_there_instead() {
    let test = load(&crate_folder().join(LATE));
    let kernel = test.kernel("v7.3-rc7").expect("a kernel");
    for (text, parts) in [
        (
            "CPU1 until really_probe() writes client0: dev->driver; CPU1 until \
             really_probe() writes client0: dev->driver #7",
            &[
                "segment 2 of 2, `CPU1 until really_probe() writes client0: dev->driver #7`: it has \
               come to its end before that; its last step: ",
            ][..],
        ),
        (
            "CPU0 until arm_smmu_of_xlate() reads client0: dev->iommu; CPU1 to its end",
            &[
                "segment 2 of 2, `CPU1 to its end`: it waits where of_iommu_configure() takes \
                 iommu_probe_device_lock, which CPU0 has",
            ],
        ),
        (
            "CPU7 to its end",
            &[
                "segment 1 of 1",
                "there is no such task so far, only CPU0, CPU1, CPU2",
            ],
        ),
        ("CPU0~3 to its end", &["segment 1 of 1", "no alternative 3"]),
    ] {
        let Ok(Written::Named(named)) = text.parse() else {
            panic!("`{text}` is a schedule");
        };
        let trace = schedule::replay(&test, &kernel, Memory::Sequential, &named);
        let said = trace.divergence.expect("it does not fit");
        for part in parts {
            assert!(said.contains(part), "`{part}` in `{said}`");
        }
        assert!(trace.diverged_at.is_some());
    }
}
