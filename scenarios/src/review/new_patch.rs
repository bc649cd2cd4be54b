//! The row of the commit table for a patch that is to be reviewed.

use kernel::commit::CommitId;
use kernel::revision::{NEWEST, Revision, RevisionError};
use thiserror::Error;

/// Columns of a line of source.
const WIDTH: usize = 100;

/// What there is to say about a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPatch {
    /// What revisions call it.
    pub name: String,
    /// The subject of its mail.
    pub subject: String,
    /// What it changes in the model, in a sentence or two.
    pub effect: String,
    /// The message id of its mail, or a link to it.
    pub link: Option<String>,
    /// The newest tag of the day on which it was posted; the newest that is known if not given.
    pub posted: Option<String>,
}

/// Why there is no row.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NewPatchError {
    /// Not a name.
    #[error(
        "NAME: found `{0}`, expected lower-case letters, digits and single `-` between them, such \
         as ambarus-ready-always"
    )]
    Name(String),
    /// A row has this name, or a constant like it.
    #[error("NAME: `{0}` is taken, by {1} (\"{2}\"); expected a name that is free")]
    Taken(String, CommitId, &'static str),
    /// In a revision it would be read as something else.
    #[error("NAME: `{0}` would be read as something else in a revision; expected another name")]
    Ambiguous(String),
    /// Nothing there, or more than one line.
    #[error("{0}: found {1:?}, expected one line of text")]
    Text(&'static str, String),
    /// Not a tag of mainline.
    #[error("--posted: found `{0}`, expected a tag up to {NEWEST}, such as v7.0-rc5")]
    Posted(String),
    /// Neither a message id nor a link.
    #[error(
        "--link: found `{0}`, expected a message id (such as 20260323-a-b-c@example.org) or https://..."
    )]
    Link(String),
}

/// The row, as it is to stand in `model/kernel/src/commit.rs`, with the constant that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `AMBARUS_READY_ALWAYS`
    pub constant: String,
    /// Lines of source, at the indent that they have there.
    pub source: String,
}

impl NewPatch {
    /// The row, if the name is free and all else is as it should be.
    pub fn row(&self) -> Result<Row, NewPatchError> {
        check_name(&self.name)?;
        self.layout()
    }

    /// The row, whether or not the name is free.
    pub fn layout(&self) -> Result<Row, NewPatchError> {
        let constant = constant(&self.name);
        let newest = NEWEST.to_string();
        let version = version(self.posted.as_deref().unwrap_or(&newest))?;
        let link = match &self.link {
            Some(link) => format!("    // Link: {}\n", url(link)?),
            None => String::new(),
        };
        let subject = literal(&one_line("--subject", &self.subject)?);
        let effect = literal(&one_line("--effect", &self.effect)?);
        let source = format!(
            "{link}    {constant} \"{}\"\n{subject}\n        {version}, Proposed, [],\n{effect};\n",
            self.name
        );
        Ok(Row { constant, source })
    }
}

fn constant(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// A name that no row has, that makes a constant that none has, and that is one word in a revision.
fn check_name(name: &str) -> Result<(), NewPatchError> {
    let is_word = |part: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !part.is_empty() && part.chars().all(fits)
    };
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.split('-').all(is_word) {
        return Err(NewPatchError::Name(name.to_owned()));
    }
    // A constant that stands for a sha may begin with a G.
    let of_sha = |id: &str| name.strip_prefix('g') == Some(id);
    if let Some(id) = CommitId::all().find(|c| c.commit().id == name || of_sha(c.commit().id)) {
        let subject = id.commit().subject;
        return Err(NewPatchError::Taken(name.to_owned(), id, subject));
    }
    match Revision::parse(&format!("{NEWEST} + {name}")) {
        Err(RevisionError::UnknownCommit { found, .. }) if found == name && !is_hex(name) => Ok(()),
        _ => Err(NewPatchError::Ambiguous(name.to_owned())),
    }
}

/// Whether it may be a sha.
fn is_hex(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `rc(7, 0, 5)` for v7.0-rc5.
fn version(tag: &str) -> Result<String, NewPatchError> {
    let wrong = || NewPatchError::Posted(tag.to_owned());
    Revision::parse(tag).map_err(|_| wrong())?;
    let digits = tag.strip_prefix('v').ok_or_else(wrong)?;
    let (release, candidate) = match digits.split_once("-rc") {
        Some((release, candidate)) => (release, Some(candidate)),
        None => (digits, None),
    };
    let (major, minor) = release.split_once('.').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u8>().map_err(|_| wrong());
    let (major, minor) = (number(major)?, number(minor)?);
    Ok(match candidate {
        Some(candidate) => format!("rc({major}, {minor}, {})", number(candidate)?),
        None => format!("Version::release({major}, {minor})"),
    })
}

fn url(link: &str) -> Result<String, NewPatchError> {
    let id = link.trim_matches(['<', '>']);
    let is_plain = !id.contains(|c: char| c.is_whitespace() || c.is_control());
    match is_plain {
        true if id.starts_with("https://") => Ok(id.to_owned()),
        true if id.contains('@') => Ok(format!("https://lore.kernel.org/r/{id}")),
        _ => Err(NewPatchError::Link(link.to_owned())),
    }
}

fn one_line(option: &'static str, text: &str) -> Result<String, NewPatchError> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.contains(char::is_control) {
        return Err(NewPatchError::Text(option, text.to_owned()));
    }
    Ok(trimmed.to_owned())
}

/// A string literal, broken between words where it is too wide.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut lines = vec!["        \"".to_owned()];
    for word in escaped.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        // Behind the word comes a blank and a backslash, or a quote and a sign.
        if line.chars().count() + word.chars().count() + 3 > WIDTH && line.trim() != "\"" {
            line.push('\\');
            lines.push("         ".to_owned());
        }
        let line = lines.last_mut().expect("there is a last line");
        line.push_str(word);
        line.push(' ');
    }
    lines.join("\n").trim_end().to_owned() + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::commit::{self, Status};
    use kernel::revision::OLDEST;

    fn patch(name: &str) -> NewPatch {
        NewPatch {
            name: name.to_owned(),
            subject: "iommu: Do \"this\"".to_owned(),
            effect: "It does that.".to_owned(),
            link: None,
            posted: None,
        }
    }

    /// What is laid out for a proposed patch is what stands in the table, line breaks aside.
    #[test]
    fn the_rows_of_the_table_are_laid_out_as_they_stand() {
        let table = include_str!("../../../model/kernel/src/commit.rs");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let joined = |text: &str| words(&text.replace("\\\n", ""));
        // An older one cannot be laid out: it was for no kernel that a tag of the model names.
        let proposed =
            commit::table().filter(|row| row.status == Status::Proposed && row.version > OLDEST);
        let mut seen = 0;
        for row in proposed {
            let patch = NewPatch {
                subject: row.subject.to_owned(),
                effect: row.effect.to_owned(),
                posted: Some(row.version.to_string()),
                ..patch(row.id)
            };
            let source = patch.layout().expect("the table's rows are right").source;
            assert!(joined(table).contains(&joined(&source)), "{source}");
            assert!(source.lines().all(|l| l.len() <= WIDTH), "{source}");
            seen += 1;
        }
        assert!(seen > 1, "there are proposed patches");
    }

    #[test]
    fn a_row_has_its_link_and_its_quotes() {
        let with_link = NewPatch {
            link: Some("<1-a@b.org>".to_owned()),
            posted: Some("v6.16".to_owned()),
            ..patch("my-patch-2")
        };
        let row = with_link.row().expect("all is well");
        assert_eq!(row.constant, "MY_PATCH_2");
        let expected = "    // Link: https://lore.kernel.org/r/1-a@b.org
    MY_PATCH_2 \"my-patch-2\"
        \"iommu: Do \\\"this\\\"\"
        Version::release(6, 16), Proposed, [],
        \"It does that.\";
";
        assert_eq!(row.source, expected);
    }

    #[test]
    fn names_that_are_not_free_or_no_names_are_refused() {
        let error = |name: &str| patch(name).row().expect_err(name);
        assert!(matches!(error("ambarus-fwnode"), NewPatchError::Taken(..)));
        assert!(matches!(error("g3832862eb9c4"), NewPatchError::Taken(..)));
        for name in [
            "",
            "My-patch",
            "my_patch",
            "my--patch",
            "-a",
            "a-",
            "1-a",
            "a b",
            "v7.3",
        ] {
            assert!(matches!(error(name), NewPatchError::Name(_)), "{name}");
        }
        // These are taken for a sha, and for one taken away.
        for name in ["abcdef1", "bcb81ac", "my-bcb81ac6ae3c"] {
            assert!(matches!(error(name), NewPatchError::Ambiguous(_)), "{name}");
        }
    }

    #[test]
    fn what_is_said_of_it_is_checked() {
        let refused = |patch: NewPatch| patch.row().expect_err("it is wrong");
        for posted in ["7.0", "v9.9", "bcb81ac6ae3c", "v7.0-rcx", "v7.0-rc5^"] {
            let posted = Some(posted.to_owned());
            let error = refused(NewPatch {
                posted,
                ..patch("a-z")
            });
            assert!(matches!(error, NewPatchError::Posted(_)), "{error}");
        }
        let link = Some("the list".to_owned());
        let error = refused(NewPatch {
            link,
            ..patch("a-z")
        });
        assert!(matches!(error, NewPatchError::Link(_)), "{error}");
        let subject = "two\nlines".to_owned();
        let error = refused(NewPatch {
            subject,
            ..patch("a-z")
        });
        assert!(
            matches!(error, NewPatchError::Text("--subject", _)),
            "{error}"
        );
    }
}
