//! Every scenario on every kernel that it names: the verdict is the one that the file states, and
//! everything else is as in its snapshot. `snapshots/README.md` says how to accept a new one.
//!
//! What else is claimed of every scenario is in this program too, so that each is explored once.
//!
//! Scenarios are found, not listed: a `.litmus` file in a folder of this crate is a test.

mod coverage;
mod files;
#[path = "scenarios/rooms.rs"]
mod rooms;
mod schedules;
mod traces;

use checker::outcome::Complete;
use files::{scenario_files, snapshot_name, snapshots};
use insta::Settings;
use libtest_mimic::{Arguments, Failed, Trial};
use rooms::{Room, scenarios};
use scenarios::litmus::{self, Litmus};
use scenarios::runner::names::Resolver;
use scenarios::runner::report::{Verdicts, outcome_lines};
use scenarios::runner::{Answer, Test};
use scenarios::schedule;
use scenarios::witness::Witness;
use scenarios::wrap;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What looks at the answers of all comes last.
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trial = |room: &'static Room| Trial::test(room.name(), || is_as_stated(room));
    let mut trials: Vec<Trial> = all_rooms().map(trial).collect();
    let unread = scenarios().iter().filter_map(|s| {
        let why = s.rooms.as_ref().err()?.clone();
        Some((s.file.display().to_string(), why))
    });
    trials.extend(unread.map(|(file, why)| Trial::test(file, || Err(why.into()))));
    let mut claim = |name: &str, holds: fn(&[PathBuf]) -> Result<(), Failed>| {
        trials.push(Trial::test(name, move || holds(&scenario_files())));
    };
    claim("no_two_scenarios_have_one_name", no_two_have_one_name);
    claim("every_scenario_is_as_it_prints", every_one_is_as_it_prints);
    claim("every_readme_lists_its_scenarios", every_readme_lists_them);
    claim("every_snapshot_is_of_a_test", every_snapshot_is_of_a_test);
    trials.extend(traces::trials());
    trials.extend(schedules::trials());
    trials.extend(coverage::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Those of all scenarios that can be read.
fn all_rooms() -> impl Iterator<Item = &'static Room> {
    scenarios().iter().flat_map(|s| s.rooms.iter().flatten())
}

/// Explores, and compares with the file and with the snapshot. What is not as the file says does
/// not reach the snapshot, so that nobody can accept it there.
fn is_as_stated(room: &Room) -> Result<(), Failed> {
    let (test, kernel, answer) = (&*room.test, &*room.kernel, room.answer()?);
    let verdicts = Verdicts { test, answer };
    if answer.report.complete != Complete::Yes || !answer.is_as_stated() {
        return Err(format!("not as the scenario says\n{verdicts}").into());
    }
    let text = snapshot(test, kernel, answer);
    if let Some(line) = text.lines().find(|l| l.chars().count() > wrap::WIDTH) {
        return Err(format!("too wide for a mail: {line}").into());
    }
    settings().bind(|| insta::assert_snapshot!(snapshot_name(&test.litmus, kernel), text));
    Ok(())
}

fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(snapshots());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// The test, its question, what came out, and how each bad outcome comes about: the first drawn, the
/// others by the names of their steps. No counts: those change with the engine.
fn snapshot(test: &Test, kernel: &str, answer: &Answer) -> String {
    let mut text = format!("Test {}   kernel {kernel}\n", test.litmus.name.value);
    for paragraph in &test.litmus.question.paragraphs {
        let _ = write!(text, "\n{}\n", wrap::words(&paragraph.value).join("\n"));
    }
    let _ = write!(text, "\n{}", Verdicts { test, answer });
    let outcomes = answer.outcomes().enumerate();
    let mut bad = outcomes.filter(|(_, (.., holds))| *holds);
    if let Some((i, (end, schedule, _))) = bad.next() {
        let _ = writeln!(text, "\nHow outcome {} comes about:", i + 1);
        for line in outcome_lines(end, &Resolver::new(test, &answer.kernel)) {
            let _ = writeln!(text, "  {}", wrap::list(&line, 2, 6).join("\n      "));
        }
        let (witness, _) = Witness::of(test, answer, schedule);
        let _ = write!(text, "\n{witness}");
    }
    for (i, (_, schedule, _)) in bad {
        let (_, straight) = Witness::of(test, answer, schedule);
        let names = schedule::text(test, answer, &straight.schedule);
        let lines = schedule::lines(&names, 2).join("\n");
        let _ = write!(text, "\nHow outcome {} comes about:\n{lines}\n", i + 1);
    }
    text
}

fn no_two_have_one_name(files: &[PathBuf]) -> Result<(), Failed> {
    let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in files {
        by_name.entry(file.file_name()).or_default().push(file);
    }
    by_name.retain(|_, files| files.len() > 1);
    if by_name.is_empty() {
        return Ok(());
    }
    Err(format!("the same name: {:?}", by_name.values()).into())
}

/// What is printed reads back as the same text, and the file has that layout too, line comments
/// aside.
fn every_one_is_as_it_prints(files: &[PathBuf]) -> Result<(), Failed> {
    for file in files {
        let text = read(file)?;
        let printed = parse(file, &text)?.to_string();
        let printed_again = parse(file, &printed)?.to_string();
        for (what, other) in [
            ("it prints differently when read back", printed_again),
            ("it is not laid out as it prints", without_comments(&text)),
        ] {
            if printed != other {
                let diff = similar::TextDiff::from_lines(&other, &printed);
                let diff = diff.unified_diff().header("is", "should be").to_string();
                return Err(format!("{}: {what}\n{diff}", file.display()).into());
            }
        }
    }
    Ok(())
}

fn parse(file: &Path, text: &str) -> Result<Litmus, Failed> {
    Ok(litmus::parse(&file.display().to_string(), text).map_err(|e| e.to_string())?)
}

/// The text without `//` comments, which the tree does not hold. The header has none.
fn without_comments(text: &str) -> String {
    let (header, rest) = text.split_once("*)").unwrap_or(("", text));
    let rest: String = rest
        .split_inclusive('\n')
        .map(|line| match line.split_once("//") {
            Some((code, _)) => format!("{}\n", code.trim_end()),
            None => line.to_owned(),
        })
        .collect();
    format!("{header}*){rest}")
}

fn every_readme_lists_them(files: &[PathBuf]) -> Result<(), Failed> {
    let mut missing = vec![];
    for file in files {
        let readme = file.with_file_name("README.md");
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let lists = |line: &str| line.starts_with(&format!("| `{name}` |"));
        if !read(&readme)?.lines().any(lists) {
            missing.push(format!("{}: no line for `{name}`", readme.display()));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(missing.join("\n").into())
}

/// A snapshot of a scenario that has gone, or of a kernel that it no longer names, is never
/// compared again.
fn every_snapshot_is_of_a_test(_: &[PathBuf]) -> Result<(), Failed> {
    let mut expected = BTreeSet::new();
    for room in all_rooms() {
        let name = format!("{}.snap", snapshot_name(&room.test.litmus, &room.kernel));
        if !expected.insert(name.clone()) {
            return Err(format!("two tests have the snapshot {name}").into());
        }
    }
    let mut strays = vec![];
    for entry in std::fs::read_dir(snapshots())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The boots of tests/main_job.rs look after their own.
        let is_ours = path.extension().is_some_and(|e| e == "snap") && !name.starts_with("boot-");
        if is_ours && !expected.contains(&*name) {
            strays.push(name.into_owned());
        }
    }
    strays.sort();
    if strays.is_empty() {
        return Ok(());
    }
    Err(format!("of no scenario and kernel: {}", strays.join(", ")).into())
}

fn read(file: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()).into())
}
