//! Invariants of a driver's probe and of the DMA configuration around it.

use super::{End, Judgement, xlates};
use kernel::outcome::DeviceOutcome;

/// I5: when the driver of a device that its instance accepts probes, the default domain is there
/// and the DMA API uses it.
///
/// Source: comment in iommu_device_use_default_domain(); message of b46064a18810.
pub(super) fn set_up_before_probe(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let applies = end.uses_dma_api(d) && end.group(d).is_some();
    d.probed_with_iommu.filter(|_| applies)
}

/// I16, in part: the bus's dma_configure works with one value of `dev->driver`. What the walk's
/// call does to the ownership of a group is judged by I6.
///
/// Source: messages of 95deee37a123 and 78447d4545b2.
pub(super) fn callback_safety(_: &End<'_>, d: &DeviceOutcome) -> Judgement {
    (d.null_driver || xlates(d) != 0 || d.grouped).then_some(!d.null_driver)
}

/// I17: the map of a device's DMA ranges is there while its driver is bound, each map is freed once,
/// and none is left behind. Judged where `dma-ranges` say that there is one and DMA was configured.
///
/// Source: of_dma_configure_id() and device_unbind_cleanup(); message of bcb81ac6ae3c on calling the
/// former from the walk.
pub(super) fn range_map(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let map = d.range_map.as_ref()?;
    if map.faults != 0 {
        return Some(false);
    }
    let is_bound = d.driver.is_some();
    let applies = end.is_quiet() && (is_bound || map.is_valid || map.leaked != 0);
    applies.then_some(map.leaked == 0 && (map.is_valid || !is_bound))
}

/// I20: no driver probes a device before the ADD notifiers have seen it.
///
/// Source: message of a2225b6e834a.
pub(super) fn add_notifier(_: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let probed = d.probed_unnotified || d.probed_with_iommu.is_some();
    probed.then_some(!d.probed_unnotified)
}
