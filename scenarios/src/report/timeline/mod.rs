//! The commits of this path, by version: those of the table of the model, and those of the museum
//! that it does not have.

mod draw;
mod museum;
mod older;

use super::layout::{At, commit, page as whole, scroll};
use super::room::Room;
use kernel::commit::{self, Status, Version};
use maud::{Markup, html};
use museum::{Museum, Row};

/// An entry of the line.
struct Entry {
    version: Version,
    id: &'static str,
    subject: &'static str,
    /// What became of it, and what else there is to say.
    notes: Vec<String>,
    /// What it changes in the model; nothing for a commit that the model has no branch for.
    effect: Option<&'static str>,
    is_proposed: bool,
    /// Which of the five threads this is the matter of.
    thread: Option<u8>,
    /// Rows of the museum.
    rows: Vec<usize>,
    /// Scenarios that show it.
    rooms: Vec<String>,
    /// What else the museum says of it, such as why none shows it.
    said: Option<String>,
}

/// All of it.
pub(super) fn page(rooms: &[Room]) -> String {
    let museum = Museum::read();
    let entries = entries(&museum);
    let body = html! {
        h1 { "Time line" }
        p.lead {
            "From the deferral list of v3.15 by way of the thread of 2017 on the DMA ops of 32-bit \
             ARM to v7.3-rc7: what changed on the way from device to IOMMU group. A filled dot is a \
             commit of the model's table, a hollow one is of the museum alone, and a ring with a \
             dash is proposed. Hovering says what a commit changes in the model. Beneath it stand \
             the scenarios that show it, or what the museum says of it."
        }
        (threads())
        (scroll("Commits by version", &draw::line(&entries, rooms)))
        (elsewhere(&museum, &entries, rooms))
    };
    whole(At::Timeline, "Time line, probe-litmus", &body)
}

fn entries(museum: &Museum) -> Vec<Entry> {
    let mut all = older::entries();
    all.extend(commit::table().map(of_table));
    // Stable: inside one version the order is that of the tables.
    all.sort_by_key(|e| (e.is_proposed, e.version));
    for entry in &mut all {
        entry.rows = museum.rows_of(entry.id);
        entry.rooms = museum.rooms_of(entry.id);
        entry.thread = thread(entry.id);
        entry.said = museum.said_of(entry.id);
    }
    all
}

fn of_table(row: &'static commit::Commit) -> Entry {
    let mut notes = vec![];
    if let Status::Reverted { by } = row.status {
        notes.push(format!("reverted by {by}"));
    }
    let points: Vec<String> = row.stable.iter().map(ToString::to_string).collect();
    if !points.is_empty() {
        notes.push(format!("in {}", points.join(", ")));
    }
    Entry {
        version: row.version,
        id: row.id,
        subject: row.subject,
        notes,
        effect: Some(row.effect),
        is_proposed: row.status == Status::Proposed,
        thread: None,
        rows: vec![],
        rooms: vec![],
        said: None,
    }
}

/// The five threads: scenarios/seeds/README.md.
const THREADS: [(u8, &str, &[&str]); 5] = [
    (
        1,
        "bcb81ac6ae3c on R-Car Gen3, and what followed it",
        &[
            "bcb81ac6ae3c",
            "73d2f10957f5",
            "f48dcda8f6a4",
            "f90aa59eb299",
            "dcde1c4aa7ce",
            "d9d3cede4167",
            "38e8844005e6",
            "0c8e9c148e29",
            "da33e87bd2bf",
            "72b6f7cd89ce",
        ],
    ),
    (2, "coherency and vfio", &["df198b37e72c", "ac9c5e92dd15"]),
    (3, "iommu_domain_alloc()", &["b4c0497169d5", "f6440fcc9c7b"]),
    (
        4,
        "two instances",
        &["ambarus-ready-always", "ambarus-fwnode"],
    ),
    (
        5,
        "DMA ops of ARM32",
        &[
            "09515ef5ddad",
            "26b37b946a5c",
            "a93a121a9653",
            "1874619a7df4",
            "fc67e6f120a3",
        ],
    ),
];

fn thread(id: &str) -> Option<u8> {
    let of = THREADS.iter().find(|(.., ids)| ids.contains(&id));
    of.map(|(number, ..)| *number)
}

fn threads() -> Markup {
    html! {
        ul.legend {
            @for (number, about, _) in THREADS {
                li { span.thread { (number) } " thread " (number) ": " (about) }
            }
        }
    }
}

/// Rows of the museum that have no place on the line.
fn elsewhere(museum: &Museum, entries: &[Entry], rooms: &[Room]) -> Markup {
    let on_line: Vec<usize> = entries.iter().flat_map(|e| e.rows.clone()).collect();
    let others: Vec<_> = museum
        .rows
        .iter()
        .filter(|r| !on_line.contains(&r.nth))
        .collect();
    html! {
        @if !others.is_empty() {
            section {
                h2 id="elsewhere" { "Of the museum, and not on the line" }
                p.quiet { "Not merged, older than v4.12, or without a version that was looked up." }
                dl.facts {
                    @for row in others {
                        dt { "row " (row.number) ": " (words(&row.commits)) }
                        dd { (linked(row, rooms)) }
                    }
                }
            }
        }
    }
}

/// The text of a row, with links to the rooms that this report has.
fn linked(row: &Row, rooms: &[Room]) -> Markup {
    html! {
        @for (i, word) in row.text.split(' ').enumerate() {
            @if i > 0 { " " }
            @match room_of(word, row, rooms) {
                Some((room, rest)) => { a href=(room.href()) { (room.name) } (rest) }
                None => (word),
            }
        }
    }
}

/// The room that a word names, and the signs behind it.
fn room_of<'a>(word: &'a str, row: &Row, rooms: &'a [Room]) -> Option<(&'a Room, &'a str)> {
    let name = word.trim_end_matches([',', ';', ':', '.']);
    let is_named = row.rooms.iter().any(|r| r == name);
    let room = rooms.iter().find(|r| is_named && r.name == name)?;
    Some((room, &word[name.len()..]))
}

fn words(text: &str) -> Markup {
    html! {
        @for (i, word) in text.split(", ").enumerate() {
            @if i > 0 { ", " }
            (commit(word))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Museum, THREADS, entries};
    use kernel::commit;
    use std::collections::BTreeSet;

    #[test]
    fn every_commit_is_there_once_and_in_order() {
        let all = entries(&Museum::read());
        let ids: BTreeSet<&str> = all.iter().map(|e| e.id).collect();
        assert_eq!(ids.len(), all.len());
        assert!(commit::table().all(|c| ids.contains(c.id)));
        let merged: Vec<_> = all.iter().filter(|e| !e.is_proposed).collect();
        assert!(merged.is_sorted_by_key(|e| e.version));
        assert!(all.iter().skip(merged.len()).all(|e| e.is_proposed));
    }

    #[test]
    fn every_commit_of_a_thread_is_on_the_line() {
        let all = entries(&Museum::read());
        for id in THREADS.iter().flat_map(|(.., ids)| *ids) {
            assert!(all.iter().any(|e| e.id == *id), "{id}");
        }
    }

    #[test]
    fn every_room_of_the_museum_hangs_on_its_commit() {
        let museum = Museum::read();
        let all = entries(&museum);
        for (room, commit) in &museum.rooms {
            let shown = all.iter().filter(|e| e.rooms.contains(room));
            assert!(shown.map(|e| e.id).any(|id| id == commit), "{room}");
        }
    }
}
