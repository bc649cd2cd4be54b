//! `probe-litmus review` and `new-patch`: real patches, as snapshots in `review/`; what they have to
//! say; bad input.

use insta::Settings;
use scenarios::litmus::Verdict;
use scenarios::review::{Comparison, Review, json};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "review/input.rs"]
mod input;
#[path = "review/story.rs"]
mod story;
#[path = "review/table.rs"]
mod table;

/// Kernels that [`STORY`] and [`AMBARUS`] compare.
const STORY: &str = "bcb81ac6ae3c^..bcb81ac6ae3c";
const AMBARUS: &str = "v7.3-rc7..v7.3-rc7+ambarus-ready-always";

/// Each snapshot: its name, what is compared on which scenarios, further options.
const SNAPSHOTS: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "bcb81ac6ae3c",
        STORY,
        &["driverless-client", "late-probe-at-bind", "rebind-by-hand"],
        &["--each"],
    ),
    (
        "ambarus-ready-always",
        AMBARUS,
        &[
            "driverless-client",
            "registration-failed-by-a-client",
            "second-instance-not-ready",
        ],
        &["--each"],
    ),
    (
        "ambarus-ready-always-acpi",
        AMBARUS,
        &[
            "seeds/acpi-loses-its-iommu",
            "seeds/driverless-client-of-two-instances",
        ],
        &[],
    ),
    (
        "ambarus-ready-always-markdown",
        AMBARUS,
        &["device-removed-during-the-walk", "driverless-client"],
        &["--format", "markdown", "--full"],
    ),
    (
        "7fa1e85cfe68-full",
        "7fa1e85cfe68^..7fa1e85cfe68",
        &["registration-against-bind-deferred"],
        &["--full"],
    ),
    (
        "da33e87bd2bf-taken-away-brief",
        "v6.16..v6.16 - da33e87bd2bf",
        &["device-added-during-the-walk", "walk-takes-ownership"],
        &["--brief"],
    ),
];

fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .parent()
        .expect("the crate lies in the repository's root")
        .to_owned()
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is text")
}

fn file(scenario: &str) -> String {
    if scenario.contains('/') {
        return format!("scenarios/{scenario}.litmus");
    }
    format!("scenarios/basics/{scenario}.litmus")
}

/// Reviews scenarios; the basics if none is named, so that a new room elsewhere changes nothing.
fn review(range: &str, scenarios: &[&str], options: &[&str]) -> Output {
    let mut files: Vec<String> = scenarios.iter().map(|s| file(s)).collect();
    if files.is_empty() {
        files.push("scenarios/basics".to_owned());
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    run(&[&["review", range], &files[..], options].concat())
}

/// The review as data, read back from what was printed.
fn data(range: &str, scenarios: &[&str]) -> Review {
    let output = review(range, scenarios, &["--format", "json"]);
    json::read(&stdout(&output)).unwrap_or_else(|e| panic!("{e}\n{}", stderr(&output)))
}

fn scenario<'a>(review: &'a Review, name: &str) -> &'a Comparison {
    let mut all = review.scenarios.iter();
    all.find(|c| c.scenario == name).expect("it is compared")
}

/// Schedules change with the engine: those of replay commands, which come last, are left out.
fn without_schedules(text: &str) -> String {
    let mut without = String::new();
    let mut command: Vec<&str> = vec![];
    for line in text.lines() {
        if command.is_empty() && !line.trim_start().starts_with("probe-litmus replay ") {
            without.extend([line, "\n"]);
            continue;
        }
        command.push(line);
        let quotes = command.iter().flat_map(|l| l.matches('\'')).count();
        if line.ends_with('\\') || quotes == 1 {
            continue;
        }
        let whole = command.join("\n");
        let before = match whole.split_once(" '") {
            Some((before, _)) => before,
            None => whole.rsplit_once(' ').expect("a command has words").0,
        };
        without.extend([before, " SCHEDULE\n"]);
        command.clear();
    }
    without
}

#[test]
fn reviews_are_as_in_their_snapshots() {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("review");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, range, scenarios, options) in SNAPSHOTS {
        let output = review(range, scenarios, options);
        assert_eq!(stderr(&output), "", "{name}");
        let code = output.status.code();
        let text = without_schedules(&stdout(&output));
        let text = format!("{text}\nExit code {}\n", code.expect("it was not killed"));
        settings.bind(|| insta::assert_snapshot!(*name, text));
    }
}

#[test]
fn every_snapshot_is_of_a_review() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review");
    let entries = std::fs::read_dir(folder).expect("there are snapshots");
    let names = entries.map(|e| e.expect("the folder can be read").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let there: BTreeSet<String> = names.filter(|name| !name.ends_with("rs")).collect();
    let expected = SNAPSHOTS.iter().map(|(name, ..)| format!("{name}.snap"));
    assert_eq!(there, expected.collect());
}

/// Read by another reader, the fields have the names and values of the data.
#[test]
fn json_has_the_fields_of_the_data() {
    let output = review(
        STORY,
        &["driverless-client", "late-probe-at-bind"],
        &["--format", "json"],
    );
    let text = stdout(&output);
    let review = json::read(&text).expect("it is JSON of a review");
    assert_eq!(json::print(&review), text);
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    let all = value["scenarios"].as_array().expect("a list");
    assert_eq!(all.len(), review.scenarios.len());
    assert_eq!(value["added"][0]["id"], "bcb81ac6ae3c");
    for (json, c) in all.iter().zip(&review.scenarios) {
        assert_eq!(json["scenario"], c.scenario.as_str());
        assert_eq!(json["file"], c.file.as_str());
        assert_eq!(json["standing"], c.standing.word());
        assert_eq!(json["base"]["verdict"], c.base.verdict.word());
        assert_eq!(json["patched"]["outcomes"], c.patched.outcomes);
        assert_eq!(json["kept"], c.kept);
        let findings = json["findings"].as_array().expect("a list");
        assert_eq!(findings.len(), c.findings.len());
        for (json, f) in findings.iter().zip(&c.findings) {
            assert_eq!(json["finding"]["of"], f.finding.of.as_str());
            assert_eq!(json["patched"], f.patched.word());
            assert_eq!(json["witness"].as_u64(), f.witness.map(|n| n as u64));
        }
        let witnesses = json["witnesses"].as_array().expect("a list");
        assert_eq!(witnesses.len(), c.witnesses.len());
    }
}

/// Every new and bad finding has a witness, and the command of each ends in the outcome it shows.
#[test]
fn witnesses_replay_to_their_outcomes() {
    let review = data(
        AMBARUS,
        &["driverless-client", "device-removed-during-the-walk"],
    );
    let mut replayed = 0;
    for c in &review.scenarios {
        for f in &c.findings {
            let is_new = f.base == Verdict::Never && f.level.is_bad();
            assert_eq!(f.witness.is_some(), is_new, "{f:?}");
        }
        for shown in &c.witnesses {
            let words: Vec<&str> = shown.replay.iter().map(String::as_str).collect();
            assert_eq!(words[0], "probe-litmus");
            let output = run(&words[1..]);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{words:?}\n{}",
                stderr(&output)
            );
            let lines = format!("  {}\n", shown.lines.join("\n  "));
            assert!(
                stdout(&output).ends_with(&lines),
                "{lines}{}",
                stdout(&output)
            );
            replayed += 1;
        }
    }
    assert!(replayed > 1, "{replayed}");
}

/// What stands in the text is a command: a shell makes the words of it that the data have.
#[cfg(unix)]
#[test]
fn a_shell_reads_the_commands_of_the_text() {
    let range = "v7.3-rc7..v7.3-rc7 + ambarus-ready-always";
    let scenarios = ["device-removed-during-the-walk", "driverless-client"];
    let data = data(range, &scenarios);
    let text = stdout(&review(range, &scenarios, &["--each"]));
    let mut commands = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("  probe-litmus replay ") {
            continue;
        }
        let mut command = line.to_owned();
        while command.ends_with('\\') || command.matches('\'').count() == 1 {
            command = format!("{command}\n{}", lines.next().expect("it goes on"));
        }
        let shell = Command::new("sh")
            .args([
                "-c",
                &format!("set -f; printf '%s\\0' {}", command.trim_start()),
            ])
            .output()
            .expect("there is a shell");
        let words = stdout(&shell);
        let words = words.split_terminator('\0');
        // A schedule is the same however it is broken into lines.
        let word = |word: &str| word.split_whitespace().collect::<Vec<_>>().join(" ");
        commands.push(words.map(word).collect::<Vec<_>>());
    }
    let all = data.scenarios.iter().flat_map(|c| &c.witnesses);
    assert_eq!(commands, all.map(|w| w.replay.clone()).collect::<Vec<_>>());
    assert!(!commands.is_empty());
}

#[test]
fn the_text_fits_into_a_mail() {
    for range in [STORY, AMBARUS] {
        for options in [&[][..], &["--brief"], &["--each"], &["--full"]] {
            let text = stdout(&review(range, &[], options));
            let wide = text.lines().find(|l| l.chars().count() > 80);
            assert_eq!(wide, None, "{range} {options:?}");
            assert!(
                text.lines().all(|l| l.trim_end() == l),
                "{range} {options:?}"
            );
        }
    }
}

#[test]
fn the_same_bytes_however_many_workers_there_are() {
    let scenarios = ["late-probe-at-bind", "two-instances-and-retry"];
    let with = |workers: &str| {
        stdout(&review(
            STORY,
            &scenarios,
            &["--full", "--workers", workers],
        ))
    };
    assert_eq!(with("1"), with("3"));
}

#[test]
fn the_exit_code_says_whether_anything_got_worse() {
    let code = |range: &str, scenario: &str, options: &[&str]| {
        let output = review(range, &[scenario], options);
        assert_eq!(stderr(&output), "");
        output.status.code()
    };
    assert_eq!(code(STORY, "late-probe-at-bind", &[]), Some(1), "worse");
    assert_eq!(code(STORY, "driverless-client", &[]), Some(0), "better");
    assert_eq!(code(STORY, "rebind-by-hand", &[]), Some(0), "different");
    let unchanged = "v6.16..v6.16 - 46b3df8eb9bd";
    assert_eq!(
        code(unchanged, "driverless-client", &[]),
        Some(0),
        "unchanged"
    );
    let back = "bcb81ac6ae3c..bcb81ac6ae3c^";
    assert_eq!(code(back, "late-probe-at-bind", &[]), Some(0), "better");
    let cut = ["--max-states", "30"];
    assert_eq!(code(back, "late-probe-at-bind", &cut), Some(1), "cut short");
}

#[test]
fn what_was_cut_short_is_said_to_be_a_guess() {
    for format in ["text", "markdown"] {
        let options = ["--max-states", "30", "--format", format];
        let output = review(STORY, &["late-probe-at-bind"], &options);
        assert_eq!(output.status.code(), Some(1));
        let text = stdout(&output);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "ot explored to the end",
            "late-probe-at-bind: Never (a guess)",
            "Without the patch this was not explored to the end: stopped at the bound of 30",
            "With the patch this was not explored to the end: stopped at the bound of 30",
            "A Never there is a guess",
            "Never (a guess)",
        ] {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
    }
}

#[test]
fn a_patch_by_name_is_reviewed_on_the_newest_kernel() {
    let path = file("driverless-client");
    let output = run(&["review", "--patch", "ambarus-ready-always", &path]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let first = "Review v7.3-rc7..v7.3-rc7 + ambarus-ready-always\n";
    assert!(stdout(&output).starts_with(first), "{}", stdout(&output));
    assert!(stdout(&output).contains("\nScenarios 1: worse 1\n"));
}

#[test]
fn weak_memory_is_said_in_the_command_that_replays() {
    // In the second one tasks are under way when they begin to see each other.
    for (range, scenario) in [
        (
            "v7.3-rc7..v7.3-rc7+ambarus-ready-always",
            "driverless-client",
        ),
        ("v6.15..v6.16", "two-walks-of-one-client"),
    ] {
        let output = review(range, &[scenario], &["--memory", "weak"]);
        let said = stdout(&output);
        assert!(said.contains(" --memory weak"), "{said}{}", stderr(&output));
    }
}
