//! The invariant of vfio.

use super::{End, Judgement};
use kernel::outcome::DeviceOutcome;

/// I22: vfio refuses no device that it would take a moment later. A refusal is -EINVAL and no
/// deferral, so nobody tries again. One for a reason that lasts, as an IOMMU that is not coherent,
/// is right.
///
/// Source: the thread of ac9c5e92dd15, by extension: vfio drivers set driver_managed_dma, and so pass
/// by the deferral in iommu_device_use_default_domain().
pub(super) fn no_early_refusal(end: &End<'_>, d: &DeviceOutcome) -> Judgement {
    let drivers = &end.names.laid_out.drivers;
    let is_bound = d.driver.is_some_and(|drv| drivers[drv.index()].is_vfio);
    (is_bound || d.vfio_refused).then_some(!d.vfio_refused_early)
}
