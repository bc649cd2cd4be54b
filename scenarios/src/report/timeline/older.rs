//! Commits of the museum that the model's table does not have, with their versions.
//!
//! The subjects and versions are those of mails of the stable and development lists. What was not
//! looked up there is said to be from memory.

use super::Entry;
use kernel::commit::Version;

struct Older {
    version: Version,
    id: &'static str,
    subject: &'static str,
    is_checked: bool,
}

pub(super) fn entries() -> Vec<Entry> {
    let entry = |row: &Older| Entry {
        version: row.version,
        id: row.id,
        subject: row.subject,
        notes: if row.is_checked {
            vec![]
        } else {
            vec!["version from memory".to_owned()]
        },
        effect: None,
        is_proposed: false,
        thread: None,
        rows: vec![],
        rooms: vec![],
        said: None,
    };
    OLDER.iter().map(entry).collect()
}

const fn row(version: Version, id: &'static str, subject: &'static str, is_checked: bool) -> Older {
    Older {
        version,
        id,
        subject,
        is_checked,
    }
}

const fn rc(major: u8, minor: u8, number: u8) -> Version {
    Version::candidate(major, minor, number)
}

const fn release(major: u8, minor: u8) -> Version {
    Version::release(major, minor)
}

const OLDER: [Older; 2] = [
    row(release(5, 7), "35a672363ab3", "", false),
    row(
        rc(6, 8, 1),
        "b4c0497169d5",
        "iommu: Decouple iommu_domain_alloc() from bus ops",
        true,
    ),
];
