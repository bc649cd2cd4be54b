//! The commits that the model knows, as one chronological table.
//!
//! A row is a commit that changes what the modelled functions do. Model code asks for it by name,
//! at the place where it acted: `kernel.has(commit::DA33E87BD2BF)`. To put a patch under test, add
//! a row at the end and write that one `has`.
//!
//! Constants are named after the first 12 digits of the sha. A sha that starts with a digit takes
//! the g that `git describe` puts before it: `commit::G3832862EB9C4`.
//!
//! Rows inside one version stand in the order in which they were committed. The older rows at the
//! top, up to [`crate::revision::OLDEST`], are in every tag that the model covers. A kernel without
//! them is named by commit, `a2e7e59a9426^`, or by what is taken away, `v6.12 - 58b116bce136`. Of
//! everything that no row speaks of, such a kernel is v6.12.

use std::fmt;

use self::Status::{Merged, Proposed};

/// A mainline tag, such as v6.15-rc1 or v6.15. A release sorts after its release candidates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version {
    major: u8,
    minor: u8,
    /// Number of the release candidate, [`Version::RELEASE`] for the release itself.
    candidate: u8,
}

impl Version {
    const RELEASE: u8 = u8::MAX;

    /// The tag of a release: `Version::release(6, 15)` is v6.15.
    pub const fn release(major: u8, minor: u8) -> Self {
        Self {
            major,
            minor,
            candidate: Self::RELEASE,
        }
    }

    /// The tag of a release candidate: `Version::candidate(6, 15, 1)` is v6.15-rc1.
    pub const fn candidate(major: u8, minor: u8, number: u8) -> Self {
        assert!(number != 0 && number != Self::RELEASE);
        Self {
            major,
            minor,
            candidate: number,
        }
    }

    /// Major and minor number: 6 and 15 in v6.15-rc1.
    pub const fn series(self) -> (u8, u8) {
        (self.major, self.minor)
    }

    /// Number of the release candidate, if this is one.
    pub fn candidate_number(self) -> Option<u8> {
        (self.candidate != Self::RELEASE).then_some(self.candidate)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)?;
        self.candidate_number()
            .map_or(Ok(()), |number| write!(f, "-rc{number}"))
    }
}

/// A point release of a stable series, such as 6.12.26.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StablePoint {
    /// 6 in 6.12.26.
    pub major: u8,
    /// 12 in 6.12.26.
    pub minor: u8,
    /// 26 in 6.12.26.
    pub point: u16,
}

impl fmt::Display for StablePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.point)
    }
}

/// What became of a commit in mainline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Merged, and still there.
    Merged,
    /// Merged, and taken back later.
    Reverted {
        /// The commit that took it back, a row of its own.
        by: CommitId,
    },
    /// Posted and not merged, or made here to be judged. Its version is the newest tag of the day
    /// on which it was posted or made.
    Proposed,
}

/// A row of the table.
#[derive(PartialEq, Eq, Debug)]
pub struct Commit {
    /// 12 digits of the sha, or the name given here to a proposed patch.
    pub id: &'static str,
    /// Subject line.
    pub subject: &'static str,
    /// First mainline tag that has it.
    pub version: Version,
    /// Merged, reverted or proposed.
    pub status: Status,
    /// What it changes in the model.
    pub effect: &'static str,
    /// For each stable series that took it up, the first point release that has it.
    pub stable: &'static [StablePoint],
}

impl Commit {
    /// True if mainline took it, whatever came later.
    pub fn is_mainline(&self) -> bool {
        self.status != Status::Proposed
    }
}

/// A commit, as its place in the table: earlier in history is smaller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(u8);

impl CommitId {
    /// Its row.
    pub fn commit(self) -> &'static Commit {
        &TABLE[self.index()]
    }

    /// Number of its row, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Every commit, in the order of the table.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..TABLE.len()).map(|index| Self(index as u8))
    }

    /// The commit that this one takes back, if it is a revert.
    pub fn reverts(self) -> Option<Self> {
        Self::all().find(|other| other.reverted_by() == Some(self))
    }

    /// The commit that takes this one back, if there is one.
    pub fn reverted_by(self) -> Option<Self> {
        match self.commit().status {
            Status::Reverted { by } => Some(by),
            Status::Merged | Status::Proposed => None,
        }
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.commit().id)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The table, from the oldest commit to the proposed patches.
pub fn table() -> impl Iterator<Item = &'static Commit> {
    TABLE.iter()
}

/// Why [`find`] gave nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FindError {
    /// Hex digits, but fewer than [`SHORTEST_SHA`].
    Short,
    /// No row has this name; the nearest ones, if any is near.
    Unknown(Vec<CommitId>),
    /// The digits fit several rows.
    Ambiguous(Vec<CommitId>),
}

/// Fewest hex digits that can name a commit, as in git.
pub const SHORTEST_SHA: usize = 7;

/// Digits of a sha that the table holds.
const SHA_DIGITS: usize = 12;

/// Finds a commit by its sha, shorter or longer than 12 digits, or by the name of a proposed patch.
pub fn find(name: &str) -> Result<CommitId, FindError> {
    if let Some(id) = CommitId::all().find(|id| id.commit().id == name) {
        return Ok(id);
    }
    let digits = name.to_ascii_lowercase();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(FindError::Unknown(near(&digits)));
    }
    if digits.len() < SHORTEST_SHA {
        return Err(FindError::Short);
    }
    let known = &digits[..digits.len().min(SHA_DIGITS)];
    let fitting: Vec<_> = CommitId::all()
        .filter(|id| id.commit().id.starts_with(known))
        .collect();
    match fitting[..] {
        [] => Err(FindError::Unknown(near(known))),
        [id] => Ok(id),
        _ => Err(FindError::Ambiguous(fitting)),
    }
}

/// The rows whose id is a slip of the keyboard or two away from `name`, the nearest first.
fn near(name: &str) -> Vec<CommitId> {
    const FARTHEST: usize = 3;
    let mut candidates: Vec<_> = CommitId::all()
        .map(|id| (edit_distance(name, id.commit().id), id))
        .filter(|&(distance, _)| distance <= FARTHEST)
        .collect();
    candidates.sort();
    candidates.into_iter().map(|(_, id)| id).collect()
}

/// Levenshtein distance: characters to insert, delete or replace to make `b` of `a`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

const fn rc(major: u8, minor: u8, number: u8) -> Version {
    Version::candidate(major, minor, number)
}

const fn point(major: u8, minor: u8, point: u16) -> StablePoint {
    StablePoint {
        major,
        minor,
        point,
    }
}

/// Makes the table and one constant a row, so that neither can be without the other.
macro_rules! commits {
    ($($name:ident $id:literal $subject:literal
        $version:expr, $status:expr, [$($stable:expr),*], $effect:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, clippy::enum_variant_names)]
        #[repr(u8)]
        enum Row { $($name),* }

        $(
            #[doc = concat!("`", $id, "` (\"", $subject, "\")\n\n", $effect)]
            pub const $name: CommitId = CommitId(Row::$name as u8);
        )*

        static TABLE: [Commit; [$($id),*].len()] = [$(
            Commit {
                id: $id,
                subject: $subject,
                version: $version,
                status: $status,
                effect: $effect,
                stable: &[$($stable),*],
            }
        ),*];
    };
}

/// The rows that act on 32-bit ARM alone, with its DMA ops. The model has a branch for kernels
/// without them, also where it has none for the rest of such an old kernel.
pub const ARM: [CommitId; 10] = [
    G09515EF5DDAD,
    G26B37B946A5C,
    A93A121A9653,
    G1874619A7DF4,
    FC67E6F120A3,
    G376991DB4B64,
    G0B777EEE88D7,
    AE626EB97376,
    ARM_8674_1,
    ARM_SETUP_IF_SET,
];

commits! {
    // The release candidate of this one was not looked up: the mail to stable is of May 2014.
    G58B116BCE136 "58b116bce136" "drivercore: deferral race condition fix"
        Version::release(3, 15), Merged, [],
        "driver_probe_device() triggers the deferred devices again if somebody has triggered them \
         since the probe that is deferred began.";

    // Of the rows for 32-bit ARM (`ARM`) it was not looked up which release candidate is the first to
    // have this one, the next, a93a121a9653 or fc67e6f120a3; the last two then stand with the release.
    G09515EF5DDAD "09515ef5ddad"
        "of/acpi: Configure dma operations at probe time for platform/amba/pci bus devices"
        rc(4, 12, 1), Merged, [],
        "really_probe() configures DMA, and tears the DMA ops down when a driver goes or its probe \
         fails. The oldest commit that the model has ARM's DMA ops for.";

    G26B37B946A5C "26b37b946a5c"
        "arm: dma-mapping: Don't override dma_ops in arch_setup_dma_ops()"
        rc(4, 12, 1), Merged, [],
        "arch_setup_dma_ops() of ARM leaves a device alone that has DMA ops.";

    A93A121A9653 "a93a121a9653" "ARM: dma-mapping: Don't tear down third-party mappings"
        Version::release(4, 12), Merged, [],
        "arch_teardown_dma_ops() of ARM acts only if arch_setup_dma_ops() did \
         (archdata.dma_ops_setup), and clears dma_ops with the mapping.";

    G8C97A46AF04B "8c97a46af04b" "driver core: hold dev's parent lock when needed"
        rc(4, 18, 1), Merged, [],
        "Binding takes the lock of dev->parent only on a bus that asks for it, and neither the \
         platform nor the amba bus does.";

    G1874619A7DF4 "1874619a7df4"
        "ARM: dma-mapping: Set proper DMA ops in arm_iommu_detach_device()"
        rc(4, 20, 1), Merged, [],
        "arm_iommu_detach_device() sets the DMA ops of a device without IOMMU, where it set NULL.";

    FC67E6F120A3 "fc67e6f120a3" "ARM: 8835/1: dma-mapping: Clear DMA ops on teardown"
        Version::release(5, 0), Merged, [],
        "arch_teardown_dma_ops() of ARM sets dma_ops to NULL, whatever was detached.";

    G376991DB4B64 "376991db4b64"
        "driver core: Postpone DMA tear-down until after devres release"
        rc(5, 1, 1), Merged, [],
        "__device_release_driver() frees managed memory before it tears the DMA ops down. Acts on \
         32-bit ARM alone here: only there do drivers of the model allocate.";

    G0B777EEE88D7 "0b777eee88d7"
        "driver core: Postpone DMA tear-down until after devres release for probe failure"
        rc(5, 2, 1), Merged, [],
        "The same in really_probe(), for a probe that failed; and there is a teardown too if \
         dma_configure() did.";

    B1A1347912A7 "b1a1347912a7" "iommu/arm-smmu: Fix race condition during iommu_group creation"
        rc(5, 15, 1), Merged, [],
        "SMMUv2 device_group() looks for the group of a stream and remembers a new one under \
         stream_map_mutex.";

    G211FF31B3D33 "211ff31b3d33" "iommu: Fix race condition during default domain allocation"
        rc(5, 15, 1), Merged, [],
        "iommu_probe_device() allocates the group's default domain under group->mutex.";

    G556F99AC8866 "556f99ac8866" "iommu: Extend mutex lock scope in iommu_probe_device()"
        rc(5, 17, 1), Merged, [],
        "iommu_probe_device() also attaches the device under group->mutex.";

    G512881EACFA7 "512881eacfa7"
        "bus: platform,amba,fsl-mc,PCI: Add device DMA ownership management"
        rc(5, 19, 1), Merged, [],
        "A bind calls iommu_device_use_default_domain(), and gives it back at the end.";

    // 35a672363ab3 ("driver core: Ensure wait_for_device_probe() waits until the
    // deferred_probe_timeout fires", v5.7) has no row: what it did is what this one takes back.
    G5EE76C256E92 "5ee76c256e92"
        "driver core: Fix wait_for_device_probe() & deferred_probe_timeout interaction"
        rc(5, 19, 1), Merged, [],
        "wait_for_device_probe() no longer waits until deferred_probe_timeout has run out, as it \
         did since 35a672363ab3 of v5.7.";

    B232B02BF3C2 "b232b02bf3c2" "driver core: fix deadlock in __device_attach"
        rc(5, 19, 1), Merged, [],
        "__device_attach() drops the device's lock before it schedules the asynchronous probe.";

    G70FE758352CA "70fe758352ca" "driver core: fix potential deadlock in __driver_attach"
        rc(6, 0, 1), Merged, [],
        "__driver_attach() drops the device's lock before it schedules the asynchronous probe.";

    AC9A5D522BB8 "ac9a5d522bb8" "iommu/dma: Fix race condition during iova_domain initialization"
        rc(6, 0, 1), Merged, [],
        "iommu_dma_init_domain() initialises a domain's IOVA allocator under a mutex of the \
         domain's cookie.";

    AE626EB97376 "ae626eb97376" "ARM/dma-mapping: use dma-direct unconditionally"
        rc(6, 0, 1), Merged, [],
        "Without IOMMU, dma_ops is NULL on ARM, where it was arm_dma_ops.";

    DF198B37E72C "df198b37e72c" "iommu/arm-smmu: Report IOMMU_CAP_CACHE_COHERENCY better"
        rc(6, 1, 1), Merged, [],
        "SMMUv2 reports cache coherency if its own table walk is coherent, where it always did.";

    G01657BC14A39 "01657bc14a39" "iommu: Avoid races around device probe"
        rc(6, 2, 1), Merged, [],
        "One lock, iommu_probe_device_lock, serialises __iommu_probe_device(), and groups are put \
         on a walk's list and taken from it under group->mutex.";

    G32EA2C57DC21 "32ea2c57dc21" "iommu/arm-smmu-v3: Don't unregister on shutdown"
        rc(6, 2, 4), Merged, [],
        "Shutting down an SMMUv3 no longer unregisters its instance.";

    CE31E6CA68BD "ce31e6ca68bd" "iommu/arm-smmu: Don't unregister on shutdown"
        rc(6, 2, 4), Merged, [],
        "Shutting down an SMMUv2 no longer unregisters its instance.";

    AC9C5E92DD15 "ac9c5e92dd15" "iommu/arm-smmu: Report IOMMU_CAP_CACHE_COHERENCY even betterer"
        rc(6, 2, 4), Merged, [],
        "SMMUv2 reports cache coherency also for a device that is coherent by itself.";

    F188056352BC "f188056352bc" "iommu: Avoid locking/unlocking for iommu_probe_device()"
        rc(6, 6, 1), Merged, [],
        "__iommu_probe_device() adds the device to its group, attaches it and sets up the default \
         domain in one go under group->mutex. It is the last of a series; a kernel without it has \
         all of iommu/legacy.rs.";

    A2E7E59A9426 "a2e7e59a9426" "iommu: Avoid more races around device probe"
        rc(6, 7, 4), Merged, [],
        "iommu_probe_device_lock also covers the fwspec code of of_iommu_configure() and \
         acpi_iommu_configure_id().";

    G17DE3F5FDD35 "17de3f5fdd35" "iommu: Retire bus ops"
        rc(6, 8, 1), Merged, [],
        "Ops are found through the fwnode in the fwspec, no longer through the bus, where the first \
         instance that registers puts them for every device.";

    B67483B3C44E "b67483b3c44e" "iommu/dma: Centralise iommu_setup_dma_ops()"
        rc(6, 10, 1), Merged, [],
        "The core sets dma_iommu under group->mutex when the default domain is there, no longer \
         the bind.";

    // The order of these two is not known: they came through different branches.
    F6440FCC9C7B "f6440fcc9c7b" "iommu: Remove iommu_domain_alloc()"
        rc(6, 13, 1), Merged, [],
        "No walk over the devices of a bus in search of ops for a new domain.";

    G229E6EE43D2A "229e6ee43d2a" "iommu/arm-smmu: Defer probe of clients after smmu device bound"
        rc(6, 13, 1), Merged, [point(6, 12, 4)],
        "SMMUv2 probe_device() returns -EPROBE_DEFER for an instance that is not yet on its \
         driver's list, where it crashed; coming out of a walk, that error stops the walk.";

    G7D835134D4E1 "7d835134d4e1" "iommu/arm-smmu: Make instance lookup robust"
        rc(6, 14, 1), Merged, [],
        "SMMUv2 and SMMUv3 find their instance by fwnode on the platform bus, so also while it \
         is still in its own probe; SMMUv2 sets its drvdata before it registers.";

    G97CB1FA02726 "97cb1fa02726" "iommu/arm-smmu: Retire probe deferral workaround"
        rc(6, 14, 1), Merged, [],
        "SMMUv2 probe_device() no longer returns -EPROBE_DEFER.";

    G46B3DF8EB9BD "46b3df8eb9bd" "iommu: Manage driver probe deferral better"
        rc(6, 14, 1), Merged, [],
        "iommu_fwspec_init() itself asks driver_deferred_probe_check_state(), for OF and ACPI \
         alike, where only of_iommu_xlate() did.";

    B46064A18810 "b46064a18810" "iommu: Handle race with default domain setup"
        rc(6, 15, 1), Merged, [point(6, 12, 26), point(6, 14, 2)],
        "iommu_device_use_default_domain() returns -EPROBE_DEFER for a group without default \
         domain. Whether 6.13.11 took it too is not known; it is taken not to have.";

    FD598F71B669 "fd598f71b669" "iommu: Resolve ops in iommu_init_device()"
        rc(6, 15, 1), Merged, [],
        "iommu_init_device() looks the ops up, where its caller did; a device without ops now \
         has its dev->iommu allocated and freed again.";

    G3832862EB9C4 "3832862eb9c4" "iommu: Keep dev->iommu state consistent"
        rc(6, 15, 1), Merged, [point(6, 12, 31), point(6, 14, 9)],
        "When of_iommu_configure() fails, it frees the dev->iommu that it allocated, not only \
         the fwspec.";

    BCB81AC6AE3C "bcb81ac6ae3c" "iommu: Get DT/ACPI parsing into the proper probe path"
        rc(6, 15, 1), Merged, [],
        "iommu_init_device() calls the bus's dma_configure() for a device without driver, with \
         iommu_probe_device_lock dropped; of_iommu_configure() replays only if dev->iommu was \
         not there; ACPI does not replay; a probe at driver bind warns.";

    G73D2F10957F5 "73d2f10957f5" "iommu: Don't warn prematurely about dodgy probes"
        rc(6, 15, 1), Merged, [],
        "The warning about a probe at driver bind comes after iommu_init_device() has \
         succeeded.";

    // These three were committed after 73d2f10957f5, but on a branch of their own: a kernel built
    // from that branch need not have the rows above.
    F48DCDA8F6A4 "f48dcda8f6a4" "iommu/rockchip: Allocate per-device data sensibly"
        rc(6, 15, 1), Merged, [],
        "Rockchip of_xlate() allocates for the IOMMU that the specifier names, where it allocated \
         for dma_dev, the first instance that was registered.";

    F90AA59EB299 "f90aa59eb299" "iommu/rockchip: Register in a sensible order"
        rc(6, 15, 1), Merged, [],
        "A Rockchip instance registers when it is usable: its own walk can pick up its clients.";

    DCDE1C4AA7CE "dcde1c4aa7ce" "iommu/rockchip: Retire global dma_dev workaround"
        rc(6, 15, 1), Merged, [],
        "Rockchip keeps its DMA device in the instance and no longer in a global that may be \
         unset.";

    G280E5A301005 "280e5a301005" "iommu: Clear iommu-dma ops on cleanup"
        rc(6, 15, 2), Merged, [point(6, 12, 26), point(6, 14, 5)],
        "iommu_deinit_device() clears dev->dma_iommu.";

    D9D3CEDE4167 "d9d3cede4167" "iommu/ipmmu-vmsa: Register in a sensible order"
        rc(6, 15, 2), Merged, [],
        "ipmmu_probe() sets its drvdata before it registers: its own walk can pick up its \
         clients.";

    G38E8844005E6 "38e8844005e6"
        "iommu/mediatek: Fix NULL pointer deference in mtk_iommu_device_group"
        rc(6, 15, 2), Merged, [point(6, 12, 24), point(6, 13, 12), point(6, 14, 3)],
        "mtk_iommu_probe() fills hw_list before it registers. The point releases of 6.13 and \
         6.14 are those of the same day as 6.12.24.";

    G95DEEE37A123 "95deee37a123"
        "platform: Fix race condition during DMA configure at IOMMU probe time"
        rc(6, 15, 6), Merged, [],
        "platform_dma_configure() reads dev->driver once.";

    G0C8E9C148E29 "0c8e9c148e29" "iommu: Avoid introducing more races"
        rc(6, 16, 1), Merged, [point(6, 15, 1)],
        "iommu_init_device() keeps iommu_probe_device_lock if there is a fwspec, and looks \
         again at dev->iommu and dev->iommu_group when it has dropped and retaken it.";

    DA33E87BD2BF "da33e87bd2bf" "iommu: Handle yet another race around registration"
        rc(6, 16, 1), Merged, [point(6, 14, 10), point(6, 15, 1)],
        "iommu_device_register() sets iommu->ready at its end; until then iommu_fwspec_init() \
         returns -EPROBE_DEFER to a device without dev->iommu. 6.14.10 has it without \
         bcb81ac6ae3c.";

    G152F33EE30EE "152f33ee30ee" "bus: fsl_mc: Fix driver_managed_dma check"
        rc(6, 16, 1), Merged, [point(6, 15, 3)],
        "fsl_mc_dma_configure() reads dev->driver once.";

    G78447D4545B2 "78447d4545b2" "PCI: Fix driver_managed_dma check"
        rc(6, 17, 1), Merged, [point(6, 15, 10), point(6, 16, 1)],
        "pci_dma_configure() reads dev->driver once.";

    G72B6F7CD89CE "72b6f7cd89ce" "iommu/virtio: Make instance lookup robust"
        rc(6, 17, 3), Merged, [point(6, 16, 4)],
        "virtio-iommu finds its instance also while that is still in its own probe.";

    CBF4FBC484E1 "cbf4fbc484e1"
        "ACPI: scan: Add support for RISC-V in acpi_iommu_configure_id()"
        rc(6, 18, 1), Merged, [],
        "acpi_iommu_configure_id() looks into RIMT too. 8f7729552582, which reads the table, and \
         4f901b3dce57, with which the RISC-V IOMMU tells its fwnode, are beside it.";

    // Stable took this one up to 6.1.y and took it back again: without bcb81ac6ae3c the group is
    // there before. Of 6.12.y that was 6.12.75; which point releases of 6.18 and 6.19 have it was
    // not looked up.
    C41E2FB67E26 "c41e2fb67e26" "PCI: Enable ACS after configuring IOMMU for OF platforms"
        rc(7, 0, 1), Merged, [],
        "pci_dma_configure() asks for access control of the function itself, where pci_acs_init() did \
         before the function was added. Before it was rebased it was 150256ccb947.";

    B5F88A394705 "b5f88a394705" "PCI: Disable ACS SV for IDT 0x8090 switch"
        rc(7, 0, 1), Merged, [],
        "Source validation is never switched on in a switch that takes the first answer of a device \
         for a forged one.";

    DC23806A7C47 "dc23806a7c47" "driver core: enforce device_lock for driver_match_device()"
        rc(7, 0, 1), Status::Reverted { by: G9DE68394A615 },
        [point(6, 12, 72), point(6, 18, 11), point(6, 19, 1)],
        "__driver_attach() holds device_lock() while it matches.";

    G9DE68394A615 "9de68394a615"
        "Revert \"driver core: enforce device_lock for driver_match_device()\""
        rc(7, 0, 3), Merged, [point(6, 12, 73), point(6, 18, 12), point(6, 19, 2)],
        "__driver_attach() matches without device_lock() again.";

    A2225B6E834A "a2225b6e834a" "driver core: Don't let a device probe until it's ready"
        rc(7, 1, 1), Merged, [point(6, 12, 86), point(6, 18, 27), point(7, 0, 4)],
        "__driver_probe_device() returns -EPROBE_DEFER until device_add() has set \
         ready_to_probe. The point release of 7.0 is the one reviewed with 6.18.27.";

    // The four flags of struct device below share one word until each becomes an atomic bit.
    F2648BB3150A "f2648bb3150a" "driver core: Replace dev->can_match with dev_can_match()"
        rc(7, 2, 1), Merged, [],
        "Setting can_match no longer rewrites the other flags of struct device.";

    G7FA1E85CFE68 "7fa1e85cfe68" "driver core: Replace dev->dma_iommu with dev_dma_iommu()"
        rc(7, 2, 1), Merged, [],
        "Setting dma_iommu no longer rewrites the other flags of struct device.";

    G7BEFBF128129 "7befbf128129" "driver core: Replace dev->state_synced with dev_state_synced()"
        rc(7, 2, 1), Merged, [],
        "Setting state_synced no longer rewrites the other flags of struct device.";

    G3E2C1E213AC2 "3e2c1e213ac2" "driver core: Replace dev->dma_coherent with dev_dma_coherent()"
        rc(7, 2, 1), Merged, [],
        "Setting dma_coherent no longer rewrites the other flags of struct device.";

    AMBA_DRIVER_READ_ONCE "amba-driver-read-once" "amba: Fix driver_managed_dma check"
        rc(6, 15, 3), Proposed, [],
        "amba_dma_configure() reads dev->driver once, as platform_dma_configure() does since \
         95deee37a123. Posted in April 2025; v7.2 does not have it.";

    // These two were in linux-next in August 2023, and were dropped again.
    A16B5D1681AB "a16b5d1681ab"
        "iommu: Complete the locking for dev->iommu_group"
        rc(6, 5, 5), Proposed, [],
        "The walk takes device_lock() of each device. Only the walk here: the notifier, which took it \
         too, finds it free.";

    B19CA5922DFF "b19ca5922dff" "iommu: Do not attempt to re-lock the iommu device when probing"
        rc(6, 5, 5), Proposed, [],
        "The walk leaves out the device of the IOMMU that registers, whose lock its driver's probe \
         holds.";

    // The next four are of one thread, of October 2023. Where the tree of the day had ops of the bus,
    // that of v6.12 has them of the device; what is merged takes their place since f6440fcc9c7b.
    DOMAIN_ALLOC_DEVICE "domain-alloc-device"
        "iommu: Switch __iommu_domain_alloc() to device ops"
        rc(6, 6, 4), Proposed, [],
        "The walk of iommu_domain_alloc() passes a device out, whose ops are asked for behind it. \
         Version 4; what was merged, b4c0497169d5, passes the ops out.";

    DOMAIN_ALLOC_LOCK_ALL "domain-alloc-lock-all"
        "iommu: Lock the groups in __iommu_domain_alloc_dev()"
        rc(6, 6, 4), Proposed, [],
        "The walk takes the mutex of each group, and drops that of the first. A diff that Robin Murphy \
         pasted, with a bug in it, as he says; the subject is not his.";

    DOMAIN_ALLOC_FIRST_GROUP "domain-alloc-first-group"
        "iommu: Stop at the first group in __iommu_domain_alloc_dev()"
        rc(6, 6, 4), Proposed, [],
        "The walk stops at the first group that has a device, and keeps its mutex until the ops are \
         found. Jason Gunthorpe's answer to that diff; the subject is not his.";

    DOMAIN_ALLOC_DEVICE_LOCK "domain-alloc-device-lock"
        "iommu: Take device_lock() in __iommu_domain_alloc_dev()"
        rc(6, 6, 4), Proposed, [],
        "The walk takes device_lock() of each device while it gets a reference to its group. What Jason \
         Gunthorpe asked for in that thread; never a patch.";

    COHERENT_UNLESS_NOT "coherent-unless-not"
        "iommu/arm-smmu: Report IOMMU_CAP_CACHE_COHERENCY unless DMA is not coherent"
        Version::release(6, 1), Proposed, [],
        "SMMUv2 reports cache coherency also for a device whose DMA attribute is not \
         DEV_DMA_NON_COHERENT. What Vladimir Oltean asked for in place of ac9c5e92dd15, in a mail of \
         December 2022; the subject is not his.";

    AMBARUS_READY_ALWAYS "ambarus-ready-always"
        "iommu: Fix bypass of IOMMU readiness check for multi-IOMMU devices"
        rc(7, 0, 5), Proposed, [],
        "iommu_fwspec_init() returns -EPROBE_DEFER whenever the instance is not ready, also to \
         a device that has dev->iommu.";

    AMBARUS_FWNODE "ambarus-fwnode"
        "iommu: compare the fwnode in iommu_fwspec_init()"
        rc(7, 0, 5), Proposed, [],
        "iommu_fwspec_init() accepts a further specifier only if it names the same instance, \
         where the same ops were enough. The subject is not the author's: this was an aside in \
         a mail.";

    NO_REPLAY "no-replay"
        "iommu/of: Do not replay iommu_probe_device()"
        rc(7, 3, 7), Proposed, [],
        "of_iommu_configure() no longer replays iommu_probe_device(), as acpi_iommu_configure_id() \
         has not since bcb81ac6ae3c. Not posted: Robin Murphy calls the replay the root of almost \
         all of the problems, and says who still needs it.";

    ARM_8674_1 "arm-8674-1" "ARM: 8674/1: dma-mapping: Reset the device's dma_ops"
        rc(4, 12, 2), Proposed, [],
        "arm_teardown_iommu_dma_ops() sets dma_ops to NULL when it has released a mapping. Posted \
         to the ARM patch system in May 2017; a93a121a9653 was taken instead.";

    ARM_SETUP_IF_SET "arm-setup-if-set"
        "ARM: dma-mapping: Only remember DMA ops that were set"
        rc(7, 3, 7), Proposed, [],
        "arch_setup_dma_ops() of ARM sets dma_ops_setup only if it has set dma_ops, and \
         arch_teardown_dma_ops() clears it. Not posted: made here, to be judged by the scenarios in \
         findings/.";

    DEFER_WITHOUT_GROUP "defer-without-group"
        "iommu: Defer a driver while its device is being probed"
        rc(7, 3, 7), Proposed, [],
        "iommu_device_use_default_domain() returns -EPROBE_DEFER for a device that has dev->iommu \
         and no group. Not posted: made here, to be judged by the scenarios in findings/.";

    VFIO_WAITS_FOR_GROUP "vfio-waits-for-group"
        "vfio: Defer a device while its IOMMU probes it"
        rc(7, 3, 7), Proposed, [],
        "vfio_group_find_or_alloc() returns -EPROBE_DEFER instead of -EINVAL for a device that has \
         dev->iommu and no group. Not posted: made here, to be judged by the scenarios in findings/.";

    OWNER_KEEPS_DOMAIN "owner-keeps-domain"
        "iommu: Leave a group to its owner when its default domain is set up"
        rc(7, 3, 7), Proposed, [],
        "iommu_setup_default_domain() leaves group->domain alone if the group has an owner. Not \
         posted: made here, to be judged by the scenarios in findings/.";

    DMA_RANGE_MAP_ONCE "dma-range-map-once"
        "of: Set dev->dma_range_map once"
        rc(7, 3, 7), Proposed, [],
        "of_dma_configure_id() sets dev->dma_range_map by cmpxchg() and leaves it when it defers, and \
         device_unbind_cleanup() leaves it to device_release(). Not posted: made here, to be judged by \
         the scenarios in findings/.";

    IPMMU_NO_UNBIND "ipmmu-no-unbind"
        "iommu/ipmmu-vmsa: Do not let user space unbind it"
        rc(7, 3, 7), Proposed, [],
        "ipmmu-vmsa sets suppress_bind_attrs, as the drivers of SMMUs do. Not posted: made here, to \
         be judged by the scenarios in findings/.";

    RELEASE_UNDER_PROBE_LOCK "release-under-probe-lock"
        "iommu: Release devices under iommu_probe_device_lock"
        rc(7, 3, 7), Proposed, [],
        "iommu_release_device() is called with iommu_probe_device_lock held, and \
         __iommu_probe_device() leaves a device alone that is no longer on its bus; \
         iommu_device_unregister() takes the instance off the list first, under that lock; the second \
         pass of bus_iommu_probe() holds it, and leaves out groups that have become empty. Not \
         posted: made here, to be judged by the scenarios in findings/.";

    ACPI_REPLAY "acpi-replay"
        "ACPI: scan: Replay iommu_probe_device() at driver bind"
        rc(7, 3, 7), Proposed, [],
        "acpi_iommu_configure_id() replays iommu_probe_device() where of_iommu_configure() does: if \
         dev->iommu was not there. Not posted: made here, to be judged by the scenarios in findings/.";

    ACPI_CLEAN_UP "acpi-clean-up"
        "ACPI: scan: Keep dev->iommu state consistent"
        rc(7, 3, 7), Proposed, [],
        "When acpi_iommu_configure_id() fails, it frees the dev->iommu that it allocated, or the \
         fwspec, as of_iommu_configure() does. Not posted: made here, to be judged by the scenarios in \
         findings/.";

    EXYNOS_KEEPS_OWNER "exynos-keeps-owner"
        "iommu/exynos: Do not lose the owner of a client"
        rc(7, 3, 7), Proposed, [],
        "exynos_iommu_of_xlate() takes the owner that a SYSMMU of the client is listed by already, \
         where dev->iommu does not know it any more, and exynos_iommu_release_device() frees it. Not \
         posted: made here, to be judged by the scenarios in findings/.";

    JOIN_FIRST "join-first"
        "iommu: Defer a driver until its device is in its group"
        rc(7, 3, 7), Proposed, [],
        "iommu_device_use_default_domain() returns -EPROBE_DEFER for a device that has dev->iommu and \
         is not on a group's list. Not posted: made here, to be judged by the scenarios in findings/.";

    OPS_FOR_ALL "ops-for-all"
        "iommu: Set the DMA ops of a whole group with its default domain"
        rc(7, 3, 7), Proposed, [],
        "__iommu_probe_device() calls iommu_setup_dma_ops() for all devices of the group, not only for \
         the one that it probes. Not posted: made here, to be judged by the scenarios in findings/.";
}
