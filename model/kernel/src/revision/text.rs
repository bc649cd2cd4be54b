//! Reading a revision: the signs first, then the base, then the commits that are added and taken
//! away.

use super::{Base, NEWEST, OLDEST, Revision, RevisionError, is_of_arm};
use crate::commit::{self, CommitId, FindError, StablePoint, Status, Version};

pub(super) fn parse(text: &str) -> Result<Revision, RevisionError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(RevisionError::Empty);
    }
    let signs: Vec<usize> = text
        .char_indices()
        .filter(|&(at, _)| is_sign(text, at))
        .map(|(at, _)| at)
        .collect();
    let base_end = signs.first().copied().unwrap_or(text.len());
    let mut revision = Revision::at(base(text[..base_end].trim())?);
    for (nth, &at) in signs.iter().enumerate() {
        let end = signs.get(nth + 1).copied().unwrap_or(text.len());
        let operand = text[at + 1..end].trim();
        if operand.is_empty() {
            return Err(RevisionError::NothingAfter {
                operator: char::from(text.as_bytes()[at]),
            });
        }
        let id = find(operand)?;
        revision = match text.as_bytes()[at] {
            b'+' => revision.with(id)?,
            _ => revision.without(id)?,
        };
    }
    revision.check_foundations()
}

/// True if the character at `at` adds or takes away a commit.
///
/// A + or - between spaces does. Without spaces it may as well be part of a name (`v7.3-rc7`,
/// `6.12.107+deb13-arm64`), so it counts only if a commit of the table follows.
fn is_sign(text: &str, at: usize) -> bool {
    let (before, after) = (&text[..at], &text[at..]);
    let Some(after) = after.strip_prefix(['+', '-']) else {
        return false;
    };
    before.ends_with(char::is_whitespace)
        || after.starts_with(char::is_whitespace)
        || starts_with_commit(after)
}

fn starts_with_commit(text: &str) -> bool {
    let ends_name = |rest: &str| {
        rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || "+-".contains(c))
    };
    let proposed = commit::table().filter(|row| row.status == Status::Proposed);
    if proposed
        .into_iter()
        .any(|row| text.strip_prefix(row.id).is_some_and(ends_name))
    {
        return true;
    }
    let digits = text
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(text.len());
    let (sha, rest) = text.split_at(digits);
    ends_name(rest) && matches!(commit::find(sha), Ok(_) | Err(FindError::Ambiguous(_)))
}

fn find(name: &str) -> Result<CommitId, RevisionError> {
    if name.ends_with('^') {
        return Err(RevisionError::Caret {
            found: name.to_owned(),
        });
    }
    commit::find(name).map_err(|error| RevisionError::from_find(name, error))
}

fn base(text: &str) -> Result<Base, RevisionError> {
    if let Some(release) = Release::split(text) {
        return release.base(text);
    }
    let (name, before) = text
        .strip_suffix('^')
        .map_or((text, false), |name| (name, true));
    let id = match commit::find(name) {
        Ok(id) => id,
        Err(FindError::Unknown(near)) if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            return Err(if name.ends_with('^') {
                RevisionError::Caret {
                    found: text.to_owned(),
                }
            } else {
                RevisionError::NotARevision {
                    found: text.to_owned(),
                    near,
                }
            });
        }
        Err(error) => return Err(RevisionError::from_find(name, error)),
    };
    at_commit(id, before)
}

/// The history up to a commit, or up to the one before it.
fn at_commit(id: CommitId, before: bool) -> Result<Base, RevisionError> {
    if id.commit().status == Status::Proposed {
        return Err(RevisionError::NeedsBase { found: id });
    }
    if before && id == commit::G09515EF5DDAD {
        return Err(RevisionError::TooOld {
            found: id.to_string(),
        });
    }
    Ok(if before {
        Base::Before(id)
    } else {
        Base::Commit(id)
    })
}

/// A version as it is written: numbers, and what follows them.
#[derive(Clone, Copy)]
struct Release<'a> {
    major: u32,
    minor: u32,
    point: Option<u32>,
    candidate: Option<u32>,
    rest: &'a str,
}

impl<'a> Release<'a> {
    /// Splits `v6.12`, `6.12.107+deb13-arm64`, `6.14.0-rc3-rcar3`; None if the text does not begin
    /// as a version does.
    fn split(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (major, text) = number(text)?;
        let (minor, mut rest) = number(text.strip_prefix('.')?)?;
        let mut point = None;
        if let Some((value, after)) = rest.strip_prefix('.').and_then(number) {
            (point, rest) = (Some(value), after);
        }
        let mut candidate = None;
        if let Some((value, after)) = rest.strip_prefix("-rc").and_then(number) {
            (candidate, rest) = (Some(value), after);
        }
        Some(Self {
            major,
            minor,
            point,
            candidate,
            rest,
        })
    }

    fn base(self, text: &str) -> Result<Base, RevisionError> {
        if self.rest.ends_with('^') {
            return Err(RevisionError::Caret {
                found: text.to_owned(),
            });
        }
        if let Some(build) = self.build() {
            return self.base_of_build(build, text);
        }
        if (self.point, self.candidate, self.rest) == (None, None, ".y") {
            return self.branch(text);
        }
        self.check_rest(text)?;
        let found = &text[..text.len() - self.rest.len()];
        let tag = self.tag(found)?;
        let Some(point @ 1..) = self.point else {
            return Ok(Base::Tag(tag));
        };
        let (major, minor) = tag.series();
        u16::try_from(point)
            .map(|point| {
                Base::Stable(StablePoint {
                    major,
                    minor,
                    point,
                })
            })
            .map_err(|_| no_such(found, "the last number is too large"))
    }

    /// The branch of stable releases, as far as the table goes: the last of them that a row was
    /// taken to, or the release itself if none was.
    fn branch(self, found: &str) -> Result<Base, RevisionError> {
        let tag = self.tag(found)?;
        let backports = commit::table().flat_map(|row| row.stable).copied();
        let here = backports.filter(|p| (p.major, p.minor) == tag.series());
        let last = here.max_by_key(|p| p.point);
        Ok(last.map_or(Base::Tag(tag), Base::Stable))
    }

    /// What follows the numbers may be nothing, the word in which names of stable releases end, or,
    /// after the three numbers that `uname -r` prints, whatever a distribution appended.
    fn check_rest(self, text: &str) -> Result<(), RevisionError> {
        let stable = self.point.is_some() && self.rest == " (stable)";
        let local = self.point.is_some()
            && self.rest.starts_with(['+', '-', '.', '_', '~'])
            && !self.rest.contains(char::is_whitespace);
        if self.rest.is_empty() || stable || local {
            return Ok(());
        }
        let not_a_revision = RevisionError::NotARevision {
            found: text.to_owned(),
            near: Vec::new(),
        };
        let mut rest = self.rest.chars();
        match (rest.next(), rest.as_str()) {
            (Some(operator @ ('+' | '-')), "") => Err(RevisionError::NothingAfter { operator }),
            (Some('+' | '-'), name) => find(name).and(Err(not_a_revision)),
            _ => Err(not_a_revision),
        }
    }

    /// The word that says that this is no tag: a commit as `git describe` writes it, or linux-next.
    fn build(self) -> Option<&'a str> {
        let mut words = self.rest.split(['-', '+', '.', '_', '~']);
        words.find(|word| *word == "next" || word.strip_prefix('g').is_some_and(is_sha))
    }

    fn base_of_build(self, build: &str, text: &str) -> Result<Base, RevisionError> {
        let sha = build.strip_prefix('g').unwrap_or(build);
        match commit::find(sha) {
            Ok(id) => at_commit(id, false),
            Err(error @ FindError::Ambiguous(_)) => Err(RevisionError::from_find(sha, error)),
            Err(FindError::Unknown(_) | FindError::Short) => {
                let numbers = &text[..text.len() - self.rest.len()];
                let tag = self.tag(numbers)?;
                Err(RevisionError::UnknownBuild {
                    found: text.to_owned(),
                    build: if sha == "next" {
                        "linux-next".to_owned()
                    } else {
                        sha.to_owned()
                    },
                    tag: if matches!(self.point, Some(1..)) {
                        numbers.to_owned()
                    } else {
                        tag.to_string()
                    },
                })
            }
        }
    }

    /// The mainline tag, if there is such a tag and the model covers it.
    fn tag(self, found: &str) -> Result<Version, RevisionError> {
        self.check_numbers(found)?;
        let numbers = (u8::try_from(self.major), u8::try_from(self.minor));
        let (Ok(major), Ok(minor)) = numbers else {
            return Err(RevisionError::TooNew {
                found: found.to_owned(),
            });
        };
        let tag = match self.candidate {
            Some(number) => Version::candidate(major, minor, number as u8),
            None => Version::release(major, minor),
        };
        if tag < OLDEST && !is_of_arm(tag) {
            return Err(RevisionError::TooOld {
                found: found.to_owned(),
            });
        }
        if tag > NEWEST {
            return Err(RevisionError::TooNew {
                found: found.to_owned(),
            });
        }
        Ok(tag)
    }

    /// Numbers that were never given, or that the table says nothing of.
    fn check_numbers(self, found: &str) -> Result<(), RevisionError> {
        /// The last release of a major version, before the next major version.
        const LAST_MINOR: [(u32, u32); 2] = [(5, 19), (6, 19)];
        const LAST_OF_4: u32 = 20;
        const CANDIDATES: std::ops::RangeInclusive<u32> = 1..=8;

        let (major, minor) = (self.major, self.minor);
        let reason = if major == 4 && minor > LAST_OF_4 {
            "the release after v4.20 was v5.0"
        } else if LAST_MINOR
            .iter()
            .any(|&last| major == last.0 && minor > last.1)
        {
            "the release after v5.19 was v6.0, and the one after v6.19 was v7.0"
        } else if self
            .candidate
            .is_some_and(|number| !CANDIDATES.contains(&number))
        {
            "release candidates run from -rc1 to -rc8 at most"
        } else if self.candidate.is_some() && self.point.is_some_and(|point| point > 0) {
            "the model does not know the candidates of a point release"
        } else {
            return Ok(());
        };
        Err(no_such(found, reason))
    }
}

fn no_such(found: &str, reason: &'static str) -> RevisionError {
    RevisionError::NoSuchVersion {
        found: found.to_owned(),
        reason,
    }
}

fn is_sha(word: &str) -> bool {
    word.len() >= commit::SHORTEST_SHA && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A number at the start of `text`, and the rest. A number too large to hold is the largest.
fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    (!number.is_empty()).then(|| (number.parse().unwrap_or(u32::MAX), rest))
}
