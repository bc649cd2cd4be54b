//! Each recorded boot held against each kernel: the table of `docs/conform.md`.

use crate::cases::{BOOTS, Boot, traces, verdict};
use checker::engine::conform::Bounds;
use std::io::Write as _;

/// Columns of the table.
const KERNELS: [&str; 7] = [
    "v6.12",
    "6.12.107",
    "bcb81ac6ae3c^",
    "bcb81ac6ae3c",
    "v6.16",
    "6.16.12",
    "7.2.13",
];

/// Those of a boot with many tasks at once that are looked at each time.
const FEW: [&str; 2] = ["v6.12", "6.12.107"];

/// On its own kernel it is explained only by what comes after the initcalls, and the first search is
/// cut short; on another that is not decided with a million states. The page says so.
const NOT_ON_PAGE: &str = "virt/6.12.107-async";

/// `yes`, or how many events are explained.
fn cell(boot: &Boot, text: &str, kernel: &str) -> String {
    let started = std::time::Instant::now();
    let found = boot.validate(text, kernel, Bounds::default());
    let (word, explained) = verdict(&found);
    let _ = writeln!(
        std::io::stderr(),
        "{} on {kernel}: {word} after {} states, {} rounds, {:.1?}",
        boot.folder,
        found.states,
        found.rounds,
        started.elapsed()
    );
    match word {
        "accepted" => "yes".to_owned(),
        "rejected" => format!("no: {explained}"),
        other => other.to_owned(),
    }
}

/// Whether it takes long to reject.
fn has_races(boot: &Boot) -> bool {
    boot.folder.starts_with("repeat/") || boot.folder.starts_with("forced/")
}

/// The cells of a boot's row.
fn row(boot: &Boot, is_looked_at: impl Fn(&str) -> bool) -> Vec<Option<String>> {
    let text = boot.text();
    let cell = |k: &&str| is_looked_at(k).then(|| cell(boot, &text, k));
    KERNELS.iter().map(cell).collect()
}

/// The row that the page has.
fn on_page(page: &str, boot: &Boot) -> Vec<String> {
    let begins = format!("| {} |", boot.folder);
    let row = page.lines().find_map(|line| line.strip_prefix(&begins));
    let row = row.unwrap_or_else(|| panic!("docs/conform.md has no row `{begins}`"));
    let cells = row.trim_end().trim_end_matches('|').split('|');
    cells.map(|c| c.trim().to_owned()).collect()
}

fn is_as_on_the_page(is_looked_at: impl Fn(&Boot, &str) -> bool) {
    let path = traces().join("../../../docs/conform.md");
    let page = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut wrong = vec![];
    for boot in BOOTS.iter().filter(|boot| boot.folder != NOT_ON_PAGE) {
        let found = row(boot, |kernel| is_looked_at(boot, kernel));
        let written = on_page(&page, boot);
        assert_eq!(written.len(), KERNELS.len(), "{}", boot.folder);
        let differs = |(f, w): (&Option<String>, &String)| f.as_ref().is_some_and(|f| f != w);
        if found.iter().zip(&written).any(differs) {
            let both = found.into_iter().zip(written);
            let cells: Vec<String> = both.map(|(f, w)| f.unwrap_or(w)).collect();
            wrong.push(format!("| {} | {} |", boot.folder, cells.join(" | ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "expected these rows:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_table_of_boots_and_kernels_is_true() {
    is_as_on_the_page(|boot, kernel| !has_races(boot) || FEW.contains(&kernel));
}

/// Takes minutes.
#[test]
#[ignore = "takes minutes; the_table_of_boots_and_kernels_is_true looks at most of it"]
fn all_of_the_table_of_boots_and_kernels_is_true() {
    is_as_on_the_page(|_, _| true);
}
