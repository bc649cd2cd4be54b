//! The facts of scenarios/museum/README.md: which scenario shows which commit, and the list of all
//! races.

const README: &str = include_str!("../../../museum/README.md");

/// The museum.
pub(super) struct Museum {
    /// Scenario and commit.
    pub(super) rooms: Vec<(String, String)>,
    /// In the order of the list.
    pub(super) rows: Vec<Row>,
}

/// A row of the list of all races.
pub(super) struct Row {
    /// Place in the list, from 0.
    pub(super) nth: usize,
    /// The number that the list gives it.
    pub(super) number: usize,
    /// The commits, as the list has them.
    pub(super) commits: String,
    /// The room, or why there is none.
    pub(super) text: String,
    /// The scenarios that it names.
    pub(super) rooms: Vec<String>,
}

impl Museum {
    pub(super) fn read() -> Self {
        let mut museum = Self {
            rooms: vec![],
            rows: vec![],
        };
        for line in README.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let ["", first, second, third, ""] = cells[..] else {
                continue;
            };
            let name = first.strip_prefix('`').and_then(|f| f.strip_suffix('`'));
            if let Some(scenario) = name {
                // `46b3df8eb9bd began it`
                let commit = second.split([',', ' ']).next().unwrap_or(second);
                museum.rooms.push((scenario.to_owned(), commit.to_owned()));
            } else if let Ok(number) = first.parse() {
                museum.rows.push(Row {
                    nth: museum.rows.len(),
                    number,
                    commits: second.to_owned(),
                    text: plain(third),
                    rooms: named(third),
                });
            }
        }
        museum
    }

    /// The scenarios that show a commit: those that are said to be fixed by it, else those that its
    /// rows name.
    pub(super) fn rooms_of(&self, id: &str) -> Vec<String> {
        let rooms = self.rooms.iter().filter(|(_, commit)| commit == id);
        let rooms: Vec<String> = rooms.map(|(scenario, _)| scenario.clone()).collect();
        if !rooms.is_empty() {
            return rooms;
        }
        let of_rows = self.rows.iter().filter(|r| r.commits.contains(id));
        let mut rooms: Vec<String> = vec![];
        for room in of_rows.flat_map(|r| &r.rooms) {
            if !rooms.contains(room) {
                rooms.push(room.clone());
            }
        }
        rooms
    }

    /// What the list says of a commit that no scenario is said to be fixed by: `row 14: not
    /// modelled`. A row that does nothing but name rooms says nothing.
    pub(super) fn said_of(&self, id: &str) -> Option<String> {
        if self.rooms.iter().any(|(_, commit)| commit == id) {
            return None;
        }
        let rows = self.rows.iter().filter(|r| r.commits.contains(id));
        let says_more = |r: &&Row| r.text != r.rooms.join(", ");
        let texts: Vec<String> = rows
            .filter(says_more)
            .map(|r| format!("row {}: {}", r.number, r.text))
            .collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    /// The rows, by place, that are about a commit.
    pub(super) fn rows_of(&self, id: &str) -> Vec<usize> {
        let rows = self.rows.iter().filter(|r| r.commits.contains(id));
        rows.map(|r| r.nth).collect()
    }
}

/// The scenarios that a cell names: what stands in backticks and is spelled as they are.
fn named(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_name =
        |w: &&str| w.contains('-') && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    quoted.filter(is_name).map(str::to_owned).collect()
}

/// Markdown without its signs: links by their text alone.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        match link
            .split_once("](")
            .and_then(|(t, r)| Some((t, r.split_once(')')?.1)))
        {
            Some((text, after)) => {
                plain.push_str(text);
                rest = after;
            }
            None => rest = link,
        }
    }
    plain.push_str(rest);
    plain.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::{Museum, named, plain};

    #[test]
    fn links_lose_their_targets() {
        assert_eq!(plain("see [a](b.md), `c` [d](e)"), "see a, c d");
    }

    #[test]
    fn rooms_are_told_from_code() {
        let names =
            named("`driver-read-twice` in basics; `dma_coherent` of `v6.12 - x`, [`a-b`](c)");
        assert_eq!(names, ["driver-read-twice", "a-b"]);
    }

    #[test]
    fn a_commit_of_a_row_has_the_rooms_that_the_row_names() {
        let museum = Museum::read();
        assert_eq!(
            museum.rooms_of("1874619a7df4"),
            ["no-mapping-after-deferral"]
        );
        assert_eq!(museum.said_of("1874619a7df4"), None);
        assert_eq!(museum.rooms_of("97cb1fa02726"), ["deferral-ends-a-walk"]);
        let said = museum.said_of("97cb1fa02726").unwrap_or_default();
        assert!(
            said.starts_with("row 14: deferral-ends-a-walk, SMMUv2"),
            "{said}"
        );
    }

    #[test]
    fn the_readme_is_read_to_its_end() {
        let museum = Museum::read();
        let rooms = |id| museum.rooms_of(id).join(" ");
        assert_eq!(rooms("95deee37a123"), "driver-read-twice");
        assert_eq!(
            rooms("0c8e9c148e29"),
            "two-walks-of-one-client registration-failed-by-a-client"
        );
        let last = museum.rows.last().expect("the list has rows");
        assert_eq!(
            (last.number, last.text.as_str()),
            (33, "second-instance-not-ready in basics")
        );
    }
}
