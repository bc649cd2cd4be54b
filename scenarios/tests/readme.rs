//! What the README shows is what comes out: every `$ cargo run -- ...` in it is run, and its output
//! compared with the lines below it, where `...` stands for any number of lines. So for other
//! documents that show commands.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands that the README shows and that this test does not run: it is part of them.
const NOT_RUN_HERE: &[&str] = &["cargo test"];

fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .parent()
        .expect("the crate lies in the repository's root")
        .to_owned()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// A command of a `console` block, and what stands below it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    line: usize,
    command: String,
    output: Vec<String>,
}

/// The commands of all `console` blocks. A command that ends in `\` goes on in the next line.
fn shown(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = vec![];
    let mut in_block = false;
    let mut goes_on = false;
    for (i, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            in_block = line == "```console";
            continue;
        }
        if !in_block {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            goes_on = command.ends_with('\\');
            all.push(Shown {
                line: i + 1,
                command: command.trim_end_matches('\\').to_owned(),
                output: vec![],
            });
        } else {
            let last = all.last_mut().expect("a block begins with a command");
            if goes_on {
                goes_on = line.ends_with('\\');
                last.command += line.trim().trim_end_matches('\\');
            } else {
                last.output.push(line.trim_end().to_owned());
            }
        }
    }
    all
}

/// The words of a command; a part in double quotes is one word.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![];
    for (i, part) in command.split('"').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Whether `lines` are as `shown`; if not, the first part of it that is not there.
fn compare(shown: &[String], lines: &[&str]) -> Result<(), String> {
    let blocks: Vec<&[String]> = shown.split(|l| l.trim() == "...").collect();
    let mut at = 0;
    for (i, block) in blocks.iter().enumerate() {
        let is_here = |from: usize| {
            let end = from + block.len();
            end <= lines.len() && block.iter().zip(&lines[from..end]).all(|(a, b)| a == b)
        };
        let found = match (i == 0, i + 1 == blocks.len()) {
            (true, true) if block.len() != lines.len() => None,
            (true, _) => is_here(0).then_some(0),
            (false, true) => {
                let from = lines.len().saturating_sub(block.len());
                (from >= at && is_here(from)).then_some(from)
            }
            (false, false) => (at..=lines.len()).find(|from| is_here(*from)),
        };
        let Some(from) = found else {
            return Err(block.join("\n"));
        };
        at = from + block.len();
    }
    Ok(())
}

/// Runs one command of the README; gives what is wrong with it.
fn run(shown: &Shown) -> Result<(), String> {
    let Some(arguments) = shown.command.strip_prefix("cargo run -- ") else {
        return if NOT_RUN_HERE.contains(&shown.command.as_str()) {
            Ok(())
        } else {
            Err("this test does not know how to run it".to_owned())
        };
    };
    let output = Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .args(words(arguments))
        .current_dir(root())
        .output()
        .map_err(|e| e.to_string())?;
    // A review whose patch makes something worse is as good as any other.
    let is_review = arguments.starts_with("review ") && output.status.code() == Some(1);
    if !output.status.success() && !is_review {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}\n{errors}", output.status));
    }
    let text = String::from_utf8(output.stdout).map_err(|e| e.to_string())?;
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    compare(&shown.output, &lines).map_err(|block| {
        format!(
            "not in the output:\n{block}\nthe output:\n{}",
            lines.join("\n")
        )
    })
}

/// Runs what a document shows, which is so many commands or more.
fn prints_what_it_shows(file: &str, least: usize) {
    let all = shown(&read(file));
    assert!(all.len() >= least, "{file} shows its commands: {all:#?}");
    let mut wrong = String::new();
    for command in &all {
        if let Err(why) = run(command) {
            let Shown { line, command, .. } = command;
            writeln!(wrong, "{file}:{line}: $ {command}\n{why}").expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    prints_what_it_shows("README.md", 4);
}

#[test]
fn the_commands_of_the_page_on_reviews_print_what_it_shows() {
    prints_what_it_shows("docs/review.md", 2);
}

#[test]
fn the_commands_of_the_page_on_acpi_print_what_it_shows() {
    prints_what_it_shows("docs/acpi.md", 2);
}

#[test]
fn the_readme_names_every_command() {
    let help = Command::new(env!("CARGO_BIN_EXE_probe-litmus"))
        .arg("--help")
        .output()
        .expect("the binary runs");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let (_, commands) = help.split_once("Commands:\n").expect("there are commands");
    let readme = read("README.md");
    let names = commands.lines().take_while(|l| !l.is_empty());
    for name in names.filter_map(|l| l.split_whitespace().next()) {
        let is_there = readme.contains(&format!("| `{name}")) || name == "help";
        assert!(is_there, "README.md: no row for `{name}`");
    }
}

/// Every document of the repository, from its root.
fn documents() -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{e}"));
        for path in entries.filter_map(|e| Some(e.ok()?.path())) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // What is built, and what is not of the repository.
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                let path = path.strip_prefix(root()).expect("it is below the root");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// A document without its blocks of code.
fn prose(text: &str) -> Vec<&str> {
    let mut in_block = false;
    let mut lines = vec![];
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push(line);
        }
    }
    lines
}

/// The anchor that a forge makes of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What is wrong with the link of a document, if anything.
fn broken(file: &str, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (path, to) = link.split_once('#').unwrap_or((link, ""));
    let here = root().join(file);
    let target = if path.is_empty() {
        here
    } else {
        here.parent()?.join(path)
    };
    if !target.exists() {
        return Some(format!("{file}: no {path}"));
    }
    if to.is_empty() {
        return None;
    }
    let text = std::fs::read_to_string(&target).ok()?;
    let is_there = prose(&text)
        .iter()
        .any(|l| l.starts_with('#') && anchor(l) == to);
    (!is_there).then(|| format!("{file}: no heading #{to} in {}", target.display()))
}

#[test]
fn the_links_of_the_documents_lead_somewhere() {
    let mut followed = 0;
    let mut wrong = vec![];
    for file in documents() {
        for line in prose(&read(&file)) {
            for link in line.split("](").skip(1).filter_map(|l| l.split(')').next()) {
                followed += 1;
                wrong.extend(broken(&file, link));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(followed > 50, "{followed} links in {:?}", documents());
}

#[test]
fn a_link_that_leads_nowhere_is_seen() {
    assert_eq!(broken("docs/report.md", "../README.md#commands"), None);
    assert!(broken("docs/report.md", "README.md").is_some());
    assert!(broken("docs/report.md", "../README.md#command").is_some());
}

#[test]
fn what_is_compared() {
    let readme = "```console\n$ a \"b c\" \\\n    d\none\n...\nfour\n```\n$ e\n";
    let all = shown(readme);
    assert_eq!(all.len(), 1);
    assert_eq!(words(&all[0].command), ["a", "b c", "d"]);
    let output = &all[0].output;
    assert_eq!(compare(output, &["one", "two", "three", "four"]), Ok(()));
    assert_eq!(compare(output, &["one", "four"]), Ok(()));
    assert_eq!(
        compare(output, &["one", "four", "five"]),
        Err("four".to_owned())
    );
    assert_eq!(
        compare(output, &["zero", "one", "four"]),
        Err("one".to_owned())
    );
    assert_eq!(compare(output, &["one"]), Err("four".to_owned()));
}
