//! Invariants of 32-bit ARM alone.

use super::{End, Judgement};
use kernel::arm::finalize::Finalized;
use kernel::outcome::DeviceOutcome;

/// I18, teardown symmetry: arch_teardown_dma_ops() undoes what arch_setup_dma_ops() has done, all of
/// it and nothing else: afterwards dma_ops is NULL if setup had set it, and else as it was, with the
/// mapping of a third party and its references. A further probe begins with what the first began
/// with. And nobody uses a mapping that was freed. The report says which of these is broken, and
/// where.
///
/// Judged where DMA ops were torn down, by the notes of the monitor ([`kernel::arm::symmetry`]).
///
/// Source: Laurent Pinchart and Russell King on "ARM: 8674/1", May 2017; message of a93a121a9653.
pub(super) fn teardown_symmetry(_: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let arm = d.arm.as_ref()?;
    let is_broken = arm.asymmetry != 0 || arm.faults != 0;
    (arm.torn_down || is_broken).then_some(!is_broken)
}

/// I23: ops->probe_finalize() is called once for each probe of the device that succeeded, with the
/// default domain there and the device in its group. Judged for ipmmu-vmsa, whose shared mapping is
/// attached there.
///
/// Source: FIXME in bus_iommu_probe(), on calling it without group->mutex.
pub(super) fn finalized(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    match d.arm.as_ref()?.finalized {
        Finalized::NotProbed => None,
        Finalized::InTime => Some(true),
        Finalized::Missing => (end.is_quiet() && d.grouped).then_some(false),
        Finalized::Early | Finalized::TooOften => Some(false),
    }
}
