//! The kernels of some scenarios, side by side, in the order of history.

use super::room::{Room, Run, is_worse};
use kernel::commit::{self, CommitId, Version};
use kernel::revision::Revision;
use std::collections::BTreeMap;

/// The columns of the index.
#[derive(Debug)]
pub(super) struct Columns(pub(super) Vec<Column>);

/// A kernel, and all that scenarios call it.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) revision: Revision,
    /// Tags first.
    pub(super) names: Vec<String>,
    /// The series that it belongs to: `v6.15`, or `proposed`.
    pub(super) series: String,
}

impl Columns {
    pub(super) fn of(rooms: &[Room]) -> Self {
        let mut names: BTreeMap<Revision, Vec<String>> = BTreeMap::new();
        for run in rooms.iter().flat_map(|r| &r.runs) {
            let all = names.entry(run.revision).or_default();
            if !all.contains(&run.written) {
                all.push(run.written.clone());
            }
        }
        let column = |(revision, mut names): (Revision, Vec<String>)| {
            names.sort_by_key(|n| (!is_tag(n), n.len(), n.clone()));
            let series = series(revision, &names);
            Column {
                revision,
                names,
                series,
            }
        };
        let mut columns: Vec<Column> = names.into_iter().map(column).collect();
        // Stable: where versions are the same, the order is that of revisions.
        columns.sort_by_key(|c| version(c.revision));
        Self(columns)
    }

    /// Runs of columns of one series: its name and how many.
    pub(super) fn series(&self) -> Vec<(&str, usize)> {
        let mut all: Vec<(&str, usize)> = vec![];
        for column in &self.0 {
            match all.last_mut() {
                Some((name, n)) if *name == column.series => *n += 1,
                _ => all.push((&column.series, 1)),
            }
        }
        all
    }
}

fn is_tag(name: &str) -> bool {
    name.starts_with('v') && !name.contains(' ')
}

fn series(revision: Revision, names: &[String]) -> String {
    let is_proposed = revision.commits().any(|id| !id.commit().is_mainline());
    if is_proposed {
        return "proposed".to_owned();
    }
    // `v6.12 - 58b116bce136` stands with v6.12.
    let mut first = names.iter().rev().filter_map(|n| n.split(' ').next());
    if let Some(tag) = first.find(|n| is_tag(n)) {
        return tag.split('-').next().unwrap_or(tag).to_owned();
    }
    version(revision).map_or(String::new(), |(_, version)| {
        let (major, minor) = version.series();
        format!("v{major}.{minor}")
    })
}

/// Its newest commit; of a kernel that is there for 32-bit ARM's DMA ops alone, the newest of theirs.
fn newest(revision: Revision) -> Option<CommitId> {
    let is_of_it = |id: &CommitId| !revision.is_for_arm_alone() || commit::ARM.contains(id);
    revision.commits().rfind(is_of_it)
}

/// When a kernel was, proposed ones last.
fn version(revision: Revision) -> Option<(bool, Version)> {
    let newest = newest(revision)?.commit();
    Some((!newest.is_mainline(), newest.version))
}

/// Whether a kernel is a point of mainline's history, and not one with a commit more or less.
fn is_on_line(revision: Revision) -> bool {
    newest(revision).is_some_and(|id| Revision::parse(id.commit().id) == Ok(revision))
}

/// A verdict that is another one than on the kernel before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The run before and the run after, as indices.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) is_worse: bool,
    /// What the later kernel has and the earlier has not.
    pub(super) added: Vec<CommitId>,
}

/// The kernel that a run is compared with: the one before it in mainline's history. For a kernel
/// beside that history, the last one all of whose commits it has.
fn before(runs: &[Run], nth: usize) -> Option<usize> {
    let this = runs[nth].revision;
    let has_all = |r: Revision| r.commits().all(|id| this.has(id));
    (0..nth).rev().find(|i| {
        let r = runs[*i].revision;
        is_on_line(r) && (is_on_line(this) || has_all(r))
    })
}

/// The verdicts of a scenario that moved.
pub(super) fn moves(room: &Room) -> Vec<Move> {
    let each = (0..room.runs.len()).filter_map(|to| {
        let from = before(&room.runs, to)?;
        let (old, new) = (&room.runs[from], &room.runs[to]);
        (old.verdict != new.verdict).then(|| Move {
            from,
            to,
            is_worse: is_worse(room.quantifier, old.verdict, new.verdict),
            added: new
                .revision
                .commits()
                .filter(|id| !old.revision.has(*id))
                .collect(),
        })
    });
    each.collect()
}
