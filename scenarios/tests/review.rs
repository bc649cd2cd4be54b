//! `probe-litmus review` and `new-patch`: real patches, as snapshots in `review/`; what they have to
//! say; bad input.

use insta::Settings;
use scenarios::litmus::Verdict;
use scenarios::review::{Comparison, Kind, Level, Review, Standing, json};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
        &[],
    ),
    (
        "ambarus-ready-always",
        AMBARUS,
        &[
            "driverless-client",
            "registration-failed-by-a-client",
            "second-instance-not-ready",
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
    format!("scenarios/basics/{scenario}.litmus")
}

/// Reviews scenarios; all of them if none is named.
fn review(range: &str, scenarios: &[&str], options: &[&str]) -> Output {
    let files: Vec<String> = scenarios.iter().map(|s| file(s)).collect();
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

/// How often something of this kind was and is.
fn moved(c: &Comparison, kind: Kind) -> Option<(Verdict, Verdict)> {
    let found = c.findings.iter().find(|f| f.finding.kind == kind)?;
    Some((found.base, found.patched))
}

/// Schedules change with the engine: those of replay commands, which come last, are left out.
fn without_schedules(text: &str) -> String {
    let mut without = String::new();
    let mut command: Vec<&str> = vec![];
    for line in text.lines() {
        if command.is_empty() && !line.trim_start().starts_with("probe-litmus replay ") {
            without += &format!("{line}\n");
            continue;
        }
        command.push(line);
        if line.ends_with('\\') {
            continue;
        }
        let whole = command.join("\n");
        let (before, _) = whole.rsplit_once(' ').expect("a command has words");
        without += &format!("{before} SCHEDULE\n");
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
    let there: BTreeSet<String> = names.filter(|name| name.ends_with(".snap")).collect();
    let expected = SNAPSHOTS.iter().map(|(name, ..)| format!("{name}.snap"));
    assert_eq!(there, expected.collect());
}

/// of_xlate is called more often, a bind can be warned of, and devices without driver are grouped.
#[test]
fn the_commit_that_moved_parsing_into_the_probe_path_tells_its_story() {
    let review = data(STORY, &[]);
    assert_eq!(review.added.len(), 1);
    assert_eq!(review.added[0].id, "bcb81ac6ae3c");
    assert!(review.removed.is_empty());
    let late = scenario(&review, "late-probe-at-bind");
    assert_eq!(
        (late.base.verdict, late.patched.verdict),
        (Verdict::Never, Verdict::Sometimes)
    );
    assert_eq!(
        moved(late, Kind::Warn),
        Some((Verdict::Never, Verdict::Sometimes))
    );
    let driverless = scenario(&review, "driverless-client");
    assert_eq!(driverless.standing, Standing::Better);
    assert_eq!(
        moved(driverless, Kind::NoGroup),
        Some((Verdict::Always, Verdict::Never))
    );
    for calls in review.scenarios.iter().flat_map(|c| &c.of_xlate) {
        assert!(calls.base.iter().all(|x| x.no_driver == 0), "{calls:?}");
    }
    let more = |c: &&Comparison| {
        let mut pairs = c.of_xlate.iter().flat_map(|calls| &calls.patched);
        pairs.any(|x| x.no_driver > 0)
    };
    assert_eq!(
        review.scenarios.iter().filter(more).count(),
        review.scenarios.len()
    );
}

/// A client of one IOMMU is never configured by the walk any more: that comes before `ready`.
#[test]
fn a_patch_that_always_asks_for_ready_stops_the_walk() {
    let review = data(AMBARUS, &[]);
    let mut seen = 0;
    for c in &review.scenarios {
        let text = std::fs::read_to_string(root().join(&c.file)).expect("it was just read");
        if text.contains("two-instances") {
            continue;
        }
        for calls in &c.of_xlate {
            assert!(calls.base.iter().any(|x| x.no_driver > 0), "{}", c.scenario);
            assert!(
                calls.patched.iter().all(|x| x.no_driver == 0),
                "{}",
                c.scenario
            );
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen}");
    let driverless = scenario(&review, "driverless-client");
    assert_eq!(driverless.standing, Standing::Worse);
    assert_eq!(driverless.level, Some(Level::Stuck));
    assert_eq!(
        moved(driverless, Kind::NoGroup),
        Some((Verdict::Never, Verdict::Always))
    );
    let reported = scenario(&review, "second-instance-not-ready");
    assert_eq!(reported.patched.verdict, Verdict::Never);
    assert_eq!(reported.standing, Standing::Better);
}

#[test]
fn what_is_worse_comes_first() {
    let review = data(AMBARUS, &[]);
    let order: Vec<_> = review
        .scenarios
        .iter()
        .map(|c| (c.standing, c.level))
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    let standings: BTreeSet<_> = order.iter().map(|(standing, _)| *standing).collect();
    assert!(standings.len() > 2, "{order:?}");
}

/// A patch against the same patch taken away: what one gains the other loses.
#[test]
fn the_other_way_round_everything_is() {
    let there = data(STORY, &["late-probe-at-bind", "driverless-client"]);
    let back = data(
        "bcb81ac6ae3c..bcb81ac6ae3c^",
        &["late-probe-at-bind", "driverless-client"],
    );
    assert_eq!(there.added, back.removed);
    for c in &there.scenarios {
        let other = scenario(&back, &c.scenario);
        assert_eq!((&c.base, &c.patched), (&other.patched, &other.base));
        assert_eq!((&c.new, &c.gone), (&other.gone, &other.new));
        assert_eq!(c.findings.len(), other.findings.len());
        for (f, g) in c.findings.iter().zip(&other.findings) {
            assert_eq!(
                (&f.finding, f.base, f.patched),
                (&g.finding, g.patched, g.base)
            );
        }
    }
    assert_eq!(
        scenario(&back, "driverless-client").standing,
        Standing::Worse
    );
    assert_eq!(
        scenario(&back, "late-probe-at-bind").standing,
        Standing::Better
    );
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
            let lines: String = shown.lines.iter().map(|l| format!("  {l}\n")).collect();
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
    let text = stdout(&review(range, &scenarios, &["--brief"]));
    let mut commands = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("  probe-litmus replay ") {
            continue;
        }
        let mut command = line.to_owned();
        while command.ends_with('\\') {
            command = format!("{command}\n{}", lines.next().expect("it goes on"));
        }
        let shell = Command::new("sh")
            .args([
                "-c",
                &format!("set -f; printf '%s\\n' {}", command.trim_start()),
            ])
            .output()
            .expect("there is a shell");
        let words = stdout(&shell);
        commands.push(words.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    let all = data.scenarios.iter().flat_map(|c| &c.witnesses);
    assert_eq!(commands, all.map(|w| w.replay.clone()).collect::<Vec<_>>());
    assert!(!commands.is_empty());
}

#[test]
fn the_text_fits_into_a_mail() {
    for range in [STORY, AMBARUS] {
        for options in [&[][..], &["--brief"], &["--full"]] {
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
        let text = stdout(&output).replace('\n', " ");
        for part in [
            "late-probe-at-bind: not explored to the end",
            "Without the patch this was not explored to the end: stopped at the bound of 30",
            "With the patch this was not explored to the end: stopped at the bound of 30",
            "A Never there is a guess",
            "Never (a guess), as before",
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
    let range = "v7.3-rc7..v7.3-rc7+ambarus-ready-always";
    let output = review(range, &["driverless-client"], &["--memory", "weak"]);
    assert!(
        stdout(&output).contains(" --memory weak"),
        "{}",
        stdout(&output)
    );
}

/// The input is refused with one error that has all of `parts`.
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{said}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    let is_error = |line: &&str| line.starts_with("  × ") || line.starts_with("error: ");
    let errors: Vec<&str> = said.lines().filter(is_error).collect();
    assert_eq!(errors.len(), 1, "{arguments:?}\n{said}");
    for part in parts {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn bad_input_is_refused() {
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["v6.16"],
            &["`v6.16`: found no `..`, expected BASE..PATCHED"],
        ),
        (&["A.."], &["`A..`: found no kernel after `..`"]),
        (&["..A"], &["`..A`: found no kernel before `..`"]),
        (&["v6.15...v6.16"], &["`v6.15...v6.16`: found three dots"]),
        (
            &["nothing..v6.16"],
            &["BASE..PATCHED: `nothing` is not a revision"],
        ),
        (
            &["v6.16..v9.99"],
            &["BASE..PATCHED: `v9.99` is newer than "],
        ),
        (&["v6.16..6.16"], &["have the same commits of the table"]),
        (
            &["v6.15..v6.16", "no-such.litmus"],
            &["no-such.litmus: cannot read the file"],
        ),
        (
            &["v6.15..v6.16", "model"],
            &["model: found no .litmus file"],
        ),
        (
            &["v6.15..v6.16", "--format", "html"],
            &["'html' for '--format"],
        ),
        (
            &["v6.15..v6.16", "--brief", "--full"],
            &["cannot be used with"],
        ),
        (
            &["--patch", "ambarus-fnode"],
            &["--patch: `ambarus-fnode` is not a commit"],
        ),
        (
            &["--patch", "bcb81ac6ae3c"],
            &["--patch: `v7.3-rc7` has bcb81ac6ae3c already"],
        ),
        (
            &["v6.15..v6.16", "--memory", "weak", "--workers", "2"],
            &["found --workers 2"],
        ),
        (
            &["v6.15..v6.16", "--memory", "weak", "--max-seconds", "2"],
            &["--max-seconds"],
        ),
        (&[], &["required arguments were not provided"]),
    ];
    for (arguments, parts) in cases {
        refused(&[&["review"], *arguments].concat(), parts);
    }
    let all = ["new-patch", "a-b", "--subject", "s", "--effect", "e"];
    refused(&all[..2], &["required arguments were not provided"]);
    let taken = [
        "new-patch",
        "ambarus-fwnode",
        "--subject",
        "s",
        "--effect",
        "e",
    ];
    refused(
        &taken,
        &["NAME: `ambarus-fwnode` is taken, by ambarus-fwnode"],
    );
    refused(
        &[&all[..], &["--posted", "v9.9"]].concat(),
        &["--posted: found `v9.9`"],
    );
    refused(
        &[&all[..], &["--link", "x"]].concat(),
        &["--link: found `x`"],
    );
}

#[test]
fn the_help_has_examples_and_exit_codes() {
    for command in ["review", "new-patch"] {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        let help = stdout(&output);
        assert!(help.contains("Example"), "{help}");
        assert!(help.contains(&format!("probe-litmus {command} ")), "{help}");
        assert!(help.contains("Exit codes: 0 "), "{help}");
    }
}
