//! A kernel, as the set of commits that it has.
//!
//! Written as a kernel developer would write it:
//!
//! ```
//! use kernel::{commit, revision::Revision};
//!
//! let kernel = Revision::parse("v6.16 - da33e87bd2bf")?;
//! assert!(kernel.has(commit::BCB81AC6AE3C));
//! assert!(!kernel.has(commit::DA33E87BD2BF));
//! # Ok::<(), kernel::revision::RevisionError>(())
//! ```
//!
//! | text | kernel |
//! |---|---|
//! | `v6.16`, `6.16`, `v6.15-rc1` | that tag |
//! | `bcb81ac6ae3c` | that commit, and every row before it |
//! | `bcb81ac6ae3c^` | every row before that commit |
//! | `6.12.107`, `6.12.107+deb13-arm64` | a stable release: its series and its backports |
//! | `6.12.y` | the last stable release of that series which a row was taken to |
//! | `6.14.0-rc3-rcar3-00020-g73d2f10957f5-dirty` | the commit after the g |
//! | `6.14.0-27-generic` | v6.14; what a distribution adds of its own is not known |
//! | *any* `+ commit` or `- commit` | with that commit too, or without it |
//! | `v6.12 - 58b116bce136` | v6.12, had this commit of 2014 never been made |
//! | `a2e7e59a9426^` | the rows before it; of all that no row speaks of, v6.12 |
//!
//! Some commits are built on others ([`BUILT_ON`]): a kernel with the later one and without the
//! earlier one never was, and cannot be named.
//!
//! From v4.12-rc1 to v5.2-rc1 there are revisions too, for 32-bit ARM alone
//! ([`Revision::is_for_arm_alone`]): its DMA ops are those of that time, see
//! [`crate::arm`]. All around them, driver core and IOMMU core, is what [`OLDEST`] has. That does
//! not touch how these DMA ops are set up and torn down, since all that they see of it is the same:
//! really_probe() configures DMA before each probe, and arch_setup_dma_ops() comes last in that;
//! there is a group by then if there is an IOMMU; a third party has attached its mapping before, once
//! for each device and not again at a further probe; and when the driver goes, or its probe fails,
//! the DMA ops are torn down. What is not of that time is everything else, such as when
//! a device without driver gets its group: a test for such a kernel asks about these DMA ops alone.
//!
//! What a reader has not asked for is not guessed: a build between two tags has to be given by
//! commit.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use crate::commit::{self, CommitId, FindError, StablePoint, Status, Version};

mod text;

/// The oldest tag that the model covers. Of kernels before it there are those that its older commits
/// name, see [`crate::commit`].
pub const OLDEST: Version = Version::release(6, 12);

/// The oldest revision that the model has 32-bit ARM's DMA ops for.
pub const OLDEST_ARM: Version = Version::candidate(4, 12, 1);

/// The newest one of those that are older than [`OLDEST`].
pub const NEWEST_OLD_ARM: Version = Version::candidate(5, 2, 1);

/// The newest revision that the model knows.
pub const NEWEST: Version = Version::candidate(7, 3, 7);

/// Commits that make no sense without an earlier one: the later one first.
///
/// The list is not complete. It has what the model could not run, or where the earlier commit would
/// have no effect.
pub const BUILT_ON: &[(CommitId, CommitId)] = &[
    (commit::G556F99AC8866, commit::G211FF31B3D33),
    (commit::F188056352BC, commit::G556F99AC8866),
    (commit::F188056352BC, commit::G01657BC14A39),
    (commit::A2E7E59A9426, commit::G01657BC14A39),
    (commit::B67483B3C44E, commit::F188056352BC),
    (commit::B67483B3C44E, commit::AC9A5D522BB8),
    (commit::BCB81AC6AE3C, commit::A2E7E59A9426),
    (commit::BCB81AC6AE3C, commit::G17DE3F5FDD35),
    (commit::BCB81AC6AE3C, commit::B67483B3C44E),
];

/// A kernel revision: a set of commits, and where the set came from.
///
/// Two revisions with the same commits are equal, however they were written.
#[derive(Clone, Copy)]
pub struct Revision {
    commits: Commits,
    base: Base,
}

/// Where a revision starts from, before anything is added to it or taken from it.
#[derive(Clone, Copy)]
enum Base {
    Tag(Version),
    Stable(StablePoint),
    Commit(CommitId),
    Before(CommitId),
}

/// A set of commits, one bit a row of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
struct Commits(u128);

impl Commits {
    fn has(self, id: CommitId) -> bool {
        self.0 & Self::bit(id) != 0
    }

    /// Adds a commit; a revert and the commit that it takes back cannot both be in force.
    fn add(&mut self, id: CommitId) {
        self.0 |= Self::bit(id);
        for opposite in [id.reverts(), id.reverted_by()].into_iter().flatten() {
            self.0 &= !Self::bit(opposite);
        }
    }

    /// Takes a commit away; without a revert, what it took back is there again.
    fn remove(&mut self, id: CommitId) {
        self.0 &= !Self::bit(id);
        if let Some(reverted) = id.reverts() {
            self.0 |= Self::bit(reverted);
        }
    }

    fn bit(id: CommitId) -> u128 {
        assert!(
            id.index() < u128::BITS as usize,
            "more commits than bits in a set"
        );
        1 << id.index()
    }

    /// The mainline commits that satisfy `wanted`, in order, so that reverts take effect.
    fn mainline(wanted: impl Fn(CommitId) -> bool) -> Self {
        let mut commits = Self::default();
        CommitId::all()
            .filter(|&id| id.commit().is_mainline() && wanted(id))
            .for_each(|id| commits.add(id));
        commits
    }
}

/// Whether there is such an old revision for 32-bit ARM.
fn is_of_arm(tag: Version) -> bool {
    (OLDEST_ARM..=NEWEST_OLD_ARM).contains(&tag)
}

impl Base {
    /// One of the old kernels that are there for 32-bit ARM's DMA ops alone.
    fn is_for_arm_alone(self) -> bool {
        let (of, version) = match self {
            Self::Tag(tag) => (true, tag),
            Self::Commit(id) | Self::Before(id) => (commit::ARM.contains(&id), id.commit().version),
            Self::Stable(_) => return false,
        };
        of && is_of_arm(version)
    }

    /// Whether a mainline commit was there by then.
    fn reaches(self, id: CommitId) -> bool {
        match self {
            Self::Tag(tag) => id.commit().version <= tag,
            Self::Commit(last) => id <= last,
            Self::Before(next) => id < next,
            Self::Stable(release) => {
                id.commit().version <= Version::release(release.major, release.minor)
            }
        }
    }

    fn commits(self) -> Commits {
        if self.is_for_arm_alone() {
            return Commits::mainline(|id| {
                let is_arm = commit::ARM.contains(&id);
                if is_arm {
                    self.reaches(id)
                } else {
                    id.commit().version <= OLDEST
                }
            });
        }
        Commits::mainline(|id| match self {
            Self::Stable(release) => {
                let backports = id.commit().stable;
                self.reaches(id) || backports.iter().any(|&from| in_series(from, release))
            }
            _ => self.reaches(id),
        })
    }
}

/// True if what came with point release `from` is in `release`, a point release of the same series.
fn in_series(from: StablePoint, release: StablePoint) -> bool {
    (from.major, from.minor) == (release.major, release.minor) && from.point <= release.point
}

impl Revision {
    /// Reads a revision as a developer writes it, or as `uname -r` prints it; see the
    /// [module](self).
    pub fn parse(text: &str) -> Result<Self, RevisionError> {
        text::parse(text)
    }

    /// The newest revision that the model knows.
    pub fn newest() -> Self {
        Self::at(Base::Tag(NEWEST))
    }

    /// The oldest tag that the model covers. Of kernels before it there are those that its older commits
    /// name, see [`crate::commit`].
    pub fn oldest() -> Self {
        Self::at(Base::Tag(OLDEST))
    }

    /// True if the kernel has the commit, and has not taken it back.
    pub fn has(self, id: CommitId) -> bool {
        self.commits.has(id)
    }

    /// Whether the driver core and the IOMMU core of its time are not modelled: then it is there
    /// for 32-bit ARM's DMA ops alone.
    pub fn is_for_arm_alone(self) -> bool {
        let is_old = |id: &CommitId| id.commit().is_mainline() && id.commit().version <= OLDEST;
        let (arm, others): (Vec<_>, Vec<_>) = CommitId::all()
            .filter(is_old)
            .partition(|id| commit::ARM.contains(id));
        others.iter().all(|&id| self.has(id)) && !arm.iter().all(|&id| self.has(id))
    }

    /// Whether 32-bit ARM can be had with it: not where the IOMMU core is that of iommu/legacy.rs.
    pub fn is_for_arm_too(self) -> bool {
        self.has(commit::F188056352BC) && self.has(commit::B67483B3C44E)
    }

    /// The commits that it has, in the order of the table.
    pub fn commits(self) -> impl DoubleEndedIterator<Item = CommitId> {
        CommitId::all().filter(move |&id| self.has(id))
    }

    /// This revision with one commit more. A revert takes away what it reverts, and the other way
    /// round.
    pub fn with(mut self, id: CommitId) -> Result<Self, RevisionError> {
        if self.has(id) {
            return Err(RevisionError::AlreadyIn {
                commit: id,
                revision: self,
            });
        }
        self.commits.add(id);
        assert!(self.has(id));
        Ok(self)
    }

    /// This revision without one of its commits. Without a revert, it has again what was reverted.
    pub fn without(mut self, id: CommitId) -> Result<Self, RevisionError> {
        if !self.has(id) {
            return Err(RevisionError::NotIn {
                commit: id,
                revision: self,
            });
        }
        if id == commit::G09515EF5DDAD {
            return Err(RevisionError::TooOld {
                found: id.to_string(),
            });
        }
        self.commits.remove(id);
        assert!(!self.has(id));
        Ok(self)
    }

    /// An error if a commit is there without one that it is built on.
    fn check_foundations(self) -> Result<Self, RevisionError> {
        let lacks =
            |&&(later, earlier): &&(CommitId, CommitId)| self.has(later) && !self.has(earlier);
        match BUILT_ON.iter().find(lacks) {
            Some(&(later, earlier)) => Err(RevisionError::NoFoundation {
                revision: self,
                later,
                earlier,
            }),
            None => Ok(self),
        }
    }

    fn at(base: Base) -> Self {
        Self {
            commits: base.commits(),
            base,
        }
    }

    /// The commits added to the base and those taken from it, without what a revert says by itself.
    fn changes(self) -> (Vec<CommitId>, Vec<CommitId>) {
        let base = self.base.commits();
        let added: Vec<_> = self.commits().filter(|&id| !base.has(id)).collect();
        let implied = |id: CommitId| {
            let opposites = [id.reverts(), id.reverted_by()];
            opposites
                .into_iter()
                .flatten()
                .any(|opposite| added.contains(&opposite))
        };
        let removed = CommitId::all()
            .filter(|&id| base.has(id) && !self.has(id) && !implied(id))
            .collect();
        (added, removed)
    }
}

impl PartialEq for Revision {
    fn eq(&self, other: &Self) -> bool {
        self.commits == other.commits
    }
}

impl Eq for Revision {}

impl Hash for Revision {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.commits.hash(state);
    }
}

impl PartialOrd for Revision {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The revision whose newest commit is newer is the greater one.
impl Ord for Revision {
    fn cmp(&self, other: &Self) -> Ordering {
        self.commits.cmp(&other.commits)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Stable(release) => write!(f, "{release} (stable)"),
            Self::Commit(last) => last.fmt(f),
            Self::Before(next) => write!(f, "{next}^"),
        }
    }
}

/// The name, in a form that [`Revision::parse`] reads.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (added, removed) = self.changes();
        write!(f, "{}", self.base)?;
        added.iter().try_for_each(|id| write!(f, " + {id}"))?;
        removed.iter().try_for_each(|id| write!(f, " - {id}"))
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({self})")
    }
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Why a text is not a revision.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevisionError {
    /// Nothing but spaces.
    #[error("there is no revision here; {EXPECTED}")]
    Empty,
    /// Neither a version nor a commit.
    #[error("`{found}` is not a revision{}; {EXPECTED}", suggest(near))]
    NotARevision {
        /// What stands there.
        found: String,
        /// Commits with a name like it.
        near: Vec<CommitId>,
    },
    /// Older than the model goes.
    #[error("`{found}` is older than {OLDEST}; the model covers {OLDEST} to {NEWEST}")]
    TooOld {
        /// What stands there.
        found: String,
    },
    /// Newer than the table.
    #[error(
        "`{found}` is newer than {NEWEST}, the newest revision known; \
         the model covers {OLDEST} to {NEWEST}"
    )]
    TooNew {
        /// What stands there.
        found: String,
    },
    /// A version number that was never given.
    #[error("there is no `{found}`: {reason}")]
    NoSuchVersion {
        /// What stands there.
        found: String,
        /// Where the numbers stop.
        reason: &'static str,
    },
    /// Not a row of the table.
    #[error(
        "`{found}` is not a commit of the table{}; \
         expected the sha of one, or the name of a proposed patch",
        suggest(near)
    )]
    UnknownCommit {
        /// What stands there.
        found: String,
        /// Commits with a name like it.
        near: Vec<CommitId>,
    },
    /// Too few digits.
    #[error(
        "`{found}` is too short for a commit; expected at least {} hex digits",
        commit::SHORTEST_SHA
    )]
    ShortCommit {
        /// What stands there.
        found: String,
    },
    /// Digits of several commits.
    #[error("`{found}` is ambiguous: {}; expected more digits", list(candidates))]
    AmbiguousCommit {
        /// What stands there.
        found: String,
        /// The commits that it fits.
        candidates: Vec<CommitId>,
    },
    /// A proposed patch on its own.
    #[error(
        "`{found}` is a proposed patch; expected what it applies to, as in `{NEWEST} + {found}`"
    )]
    NeedsBase {
        /// The patch.
        found: CommitId,
    },
    /// A ^ where no commit is.
    #[error(
        "`{found}`: ^ may only stand once, after the first commit, as in `{}^`",
        commit::BCB81AC6AE3C
    )]
    Caret {
        /// What stands there.
        found: String,
    },
    /// Nothing to add or to take away.
    #[error(
        "nothing follows `{operator}`; expected a commit, as in `{NEWEST} - {}`",
        commit::DA33E87BD2BF
    )]
    NothingAfter {
        /// The sign: + or -.
        operator: char,
    },
    /// The commit to add is there already.
    #[error("`{revision}` has {commit} already")]
    AlreadyIn {
        /// The commit to add.
        commit: CommitId,
        /// The revision so far.
        revision: Revision,
    },
    /// The commit to take away is not there.
    #[error("`{revision}` does not have {commit} ({})", why_not(*commit))]
    NotIn {
        /// The commit to take away.
        commit: CommitId,
        /// The revision so far.
        revision: Revision,
    },
    /// A commit without what it is built on.
    #[error(
        "`{revision}` cannot be: {later} (\"{}\") is built on {earlier}; \
         expected a kernel with both or without both, such as `{earlier}^`",
        later.commit().subject
    )]
    NoFoundation {
        /// What was asked for.
        revision: Revision,
        /// The commit that is there.
        later: CommitId,
        /// The commit that is not.
        earlier: CommitId,
    },
    /// A build between two tags, from a commit that the table does not have.
    #[error(
        "`{found}` was built from {build}, which the table does not have; \
         expected the nearest commit of the table or a tag, such as `{tag}`"
    )]
    UnknownBuild {
        /// What stands there.
        found: String,
        /// The commit, or the day of a linux-next.
        build: String,
        /// The tag before it.
        tag: String,
    },
}

const EXPECTED: &str = "expected a kernel (v6.16, 6.12.107, what uname -r prints) or a commit \
                        (bcb81ac6ae3c, bcb81ac6ae3c^), then + or - and further commits";

fn list(ids: &[CommitId]) -> String {
    let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn suggest(near: &[CommitId]) -> String {
    near.first().map_or(String::new(), |id| {
        format!(" (did you mean {id}, \"{}\"?)", id.commit().subject)
    })
}

fn why_not(id: CommitId) -> String {
    let row = id.commit();
    match row.status {
        Status::Merged => format!("merged for {}", row.version),
        Status::Reverted { by } => {
            format!(
                "merged for {}, reverted by {by} for {}",
                row.version,
                by.commit().version
            )
        }
        Status::Proposed => "proposed, never merged".to_owned(),
    }
}

impl RevisionError {
    fn from_find(found: &str, error: FindError) -> Self {
        let found = found.to_owned();
        match error {
            FindError::Short => Self::ShortCommit { found },
            FindError::Unknown(near) => Self::UnknownCommit { found, near },
            FindError::Ambiguous(candidates) => Self::AmbiguousCommit { found, candidates },
        }
    }
}

#[cfg(test)]
mod tests;
