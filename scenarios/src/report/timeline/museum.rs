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
                let commit = second.split(',').next().unwrap_or(second);
                museum.rooms.push((scenario.to_owned(), commit.to_owned()));
            } else if let Ok(number) = first.parse() {
                museum.rows.push(Row {
                    nth: museum.rows.len(),
                    number,
                    commits: second.to_owned(),
                    text: plain(third),
                });
            }
        }
        museum
    }

    /// The scenarios that show a commit.
    pub(super) fn rooms_of(&self, id: &str) -> Vec<String> {
        let rooms = self.rooms.iter().filter(|(_, commit)| commit == id);
        rooms.map(|(scenario, _)| scenario.clone()).collect()
    }

    /// What the list says of a commit that no scenario shows: `row 14: needs virtio-iommu`.
    pub(super) fn why_without_room(&self, id: &str) -> Option<String> {
        let rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(|r| r.commits.contains(id))
            .collect();
        let texts: Vec<String> = rows
            .iter()
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
    use super::{Museum, plain};

    #[test]
    fn links_lose_their_targets() {
        assert_eq!(plain("see [a](b.md), `c` [d](e)"), "see a, c d");
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
