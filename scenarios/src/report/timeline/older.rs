//! Commits of the museum that are older than the model's table, with their versions.
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
        without_room: None,
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

const OLDER: [Older; 20] = [
    row(
        rc(4, 12, 1),
        "09515ef5ddad",
        "of/acpi: Configure dma operations at probe time for platform/amba/pci bus devices",
        true,
    ),
    // Release candidate not known.
    row(
        release(4, 12),
        "26b37b946a5c",
        "arm: dma-mapping: Don't override dma_ops in arch_setup_dma_ops()",
        true,
    ),
    row(
        release(4, 12),
        "a93a121a9653",
        "ARM: dma-mapping: Don't tear down third-party mappings",
        true,
    ),
    row(
        release(4, 18),
        "8c97a46af04b",
        "driver core: hold dev's parent lock when needed",
        true,
    ),
    row(release(4, 20), "1874619a7df4", "", false),
    row(
        release(5, 0),
        "fc67e6f120a3",
        "ARM: 8835/1: dma-mapping: Clear DMA ops on teardown",
        false,
    ),
    row(
        rc(5, 1, 1),
        "376991db4b64",
        "driver core: Postpone DMA tear-down until after devres release",
        true,
    ),
    row(
        rc(5, 2, 1),
        "0b777eee88d7",
        "driver core: Postpone DMA tear-down until after devres release for probe failure",
        false,
    ),
    row(release(5, 7), "35a672363ab3", "", false),
    row(
        rc(5, 15, 1),
        "211ff31b3d33",
        "iommu: Fix race condition during default domain allocation",
        true,
    ),
    row(rc(5, 15, 1), "b1a1347912a7", "", true),
    row(
        rc(5, 17, 1),
        "556f99ac8866",
        "iommu: Extend mutex lock scope in iommu_probe_device()",
        false,
    ),
    row(rc(5, 19, 1), "b232b02bf3c2", "", true),
    row(
        release(5, 19),
        "5ee76c256e92",
        "driver core: Fix wait_for_device_probe() & deferred_probe_timeout interaction",
        false,
    ),
    row(
        rc(6, 0, 1),
        "70fe758352ca",
        "driver core: fix potential deadlock in __driver_attach",
        true,
    ),
    row(
        rc(6, 1, 1),
        "df198b37e72c",
        "iommu/arm-smmu: Report IOMMU_CAP_CACHE_COHERENCY better",
        true,
    ),
    row(
        release(6, 1),
        "ac9a5d522bb8",
        "iommu/dma: Fix race condition during iova_domain initialization",
        false,
    ),
    row(
        rc(6, 2, 4),
        "ce31e6ca68bd",
        "iommu/arm-smmu: Don't unregister on shutdown",
        true,
    ),
    row(
        rc(6, 2, 4),
        "ac9c5e92dd15",
        "iommu/arm-smmu: Report IOMMU_CAP_CACHE_COHERENCY even betterer",
        true,
    ),
    row(
        rc(6, 8, 1),
        "b4c0497169d5",
        "iommu: Decouple iommu_domain_alloc() from bus ops",
        true,
    ),
];
