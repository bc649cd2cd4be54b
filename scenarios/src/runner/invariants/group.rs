//! Invariants of groups: who is in one, and who may use its DMA.

use super::{End, Judgement};
use kernel::ids::{DeviceId, Domain};
use kernel::kernel::Warn;
use kernel::outcome::DeviceOutcome;

/// I6: owner_cnt is the number of members whose bound drivers use the DMA API, and never goes
/// below 0. User space that has claimed the group is a user too.
///
/// Source: kernel-doc of iommu_device_use_default_domain(); the WARN_ONs on owner_cnt.
pub(super) fn ownership(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    if d.warned(Warn::OwnerCnt) {
        return Some(false);
    }
    let group = end.group(d).filter(|_| end.is_quiet())?;
    let is_user = |m: &&DeviceId| {
        let member = end.end.outcome.device(**m);
        member.is_some_and(|m| end.uses_dma_api(m))
    };
    let users = group.members.iter().filter(is_user).count() as u64 + u64::from(group.owner);
    (users != 0 || group.owner_cnt != 0).then_some(group.owner_cnt == users)
}

/// I7, ownership exclusion: while user space owns a group, no member is bound to a driver that uses
/// the DMA API, and the group is attached to the blocking domain or to one of the owner's. Told of
/// each member.
///
/// Source: kernel-doc of iommu_group_claim_dma_owner(), "the caller is the only one"; the series with
/// 512881eacfa7 and 1ea2a07a532b.
pub(super) fn exclusion(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let group = end.group(d).filter(|g| g.owner && end.is_quiet())?;
    let is_owners = matches!(group.domain, Some(Domain::Blocking | Domain::Unmanaged));
    Some(is_owners && !end.uses_dma_api(d))
}

/// I8, group completeness: when a device's driver probes, all devices that its IOMMU's driver puts
/// into the same group are in it. Not asked of devices that a task adds.
///
/// Judged by a note of the monitor ([`kernel::iommu::completeness`]): where no others belong into the
/// group, and where the device had none, there is nothing to judge.
///
/// Source: comment in bus_iommu_probe(), "cross-group default domain type".
pub(super) fn completeness(_: &End<'_>, d: &DeviceOutcome) -> Judgement {
    d.group_complete
}

/// I9: between two releases a device is probed once and listed in one group, once.
///
/// Source: message of 01657bc14a39; the WARN_ON_ONCE on `priv` in arm_smmu_probe_device().
pub(super) fn one_probe(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let groups = end.end.outcome.groups.iter();
    let listed = groups.flat_map(|g| &g.members).filter(|m| **m == d.device);
    match listed.count() {
        0 => d.warned(Warn::PrivSet).then_some(false),
        n => Some(n == 1 && !d.warned(Warn::PrivSet)),
    }
}
