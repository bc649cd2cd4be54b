//! A row of the commit table that no model function asks for changes nothing, and a review of it
//! would say so: it is named in ARCHITECTURE.md, or the `has` was forgotten.

use super::root;
use kernel::commit;
use std::path::Path;

/// All source of the model but the table and its revisions.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("the repository is whole") {
        let path = entry.expect("a folder can be read to its end").path();
        let is_table = path.ends_with("commit.rs") || path.ends_with("revision.rs");
        if path.is_dir() && !path.ends_with("revision") {
            sources(&path, text);
        } else if path.extension().is_some_and(|e| e == "rs") && !is_table {
            *text += &std::fs::read_to_string(&path).expect("source is text");
        }
    }
}

/// The constant of a row.
fn constant(id: &str) -> String {
    let name = id.to_ascii_uppercase().replace('-', "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("G{name}")
    } else {
        name
    }
}

#[test]
fn every_row_of_the_table_acts_somewhere_or_is_said_not_to() {
    let mut model = String::new();
    sources(&root().join("model/kernel/src"), &mut model);
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md"));
    let architecture = architecture.expect("the repository is whole");
    let (_, listed) = architecture
        .split_once("Rows of the commit table that no model function asks for")
        .expect("ARCHITECTURE.md lists them");
    let (listed, _) = listed.split_once("\n## ").expect("a section ends");
    let mut acts = 0;
    for row in commit::table() {
        let does = model.contains(&format!("commit::{}", constant(row.id)));
        acts += usize::from(does);
        assert!(
            does != listed.contains(row.id),
            "{} (\"{}\"): expected a `has(commit::{})` in model/kernel/src, or else a mention in \
             ARCHITECTURE.md among the rows that no model function asks for",
            row.id,
            row.subject,
            constant(row.id)
        );
    }
    assert!(acts > 10, "{acts}");
}
