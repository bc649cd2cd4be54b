//! What a CPU of a scenario can be told to do: kernel functions by name.

use crate::ids::{DeviceId, DriverId, InstanceId};

/// Who allocates a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocatedBy {
    /// Somebody who holds no lock, whether the device has a driver or not.
    Anybody,
    /// The device's driver in its probe, so that device_lock() is held.
    Probe,
    /// The device's driver once it is bound; nobody before.
    BoundDriver,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// driver_register()
    DriverRegister(DriverId),
    /// delete_module(): a client driver's module is unloaded.
    DeleteModule(DriverId),
    /// device_add() of a device that the board has but the kernel does not know yet.
    DeviceAdd(DeviceId),
    /// device_del()
    DeviceDel(DeviceId),
    /// device_attach(): looks for a driver now.
    DeviceAttach(DeviceId),
    /// device_driver_attach(): a write to the driver's `bind` attribute.
    DeviceDriverAttach(DriverId, DeviceId),
    /// device_release_driver(): a write to the driver's `unbind` attribute.
    DeviceReleaseDriver(DeviceId),
    /// The deferred-probe workqueue: a worker that runs deferred_probe_work_func() whenever it is queued.
    DeferredProbeWorkFunc,
    /// deferred_probe_initcall()
    DeferredProbeInitcall,
    /// deferred_probe_timeout_work_func(): the timeout has run out.
    DeferredProbeTimeoutWorkFunc,
    /// wait_for_device_probe(), as some initcalls and drivers call it.
    WaitForDeviceProbe,
    /// device_shutdown(): the machine goes down.
    DeviceShutdown,
    /// iommu_domain_alloc(), for this device.
    IommuDomainAlloc(DeviceId, AllocatedBy),
    /// vfio_container_attach_group(): user space opens the group of this device through vfio.
    VfioOpen(DeviceId),
    /// vfio_group_detach_container(): it closes it.
    VfioClose(DeviceId),
    /// iommu_device_register() on its own, outside of a probe.
    IommuDeviceRegister(InstanceId),
    /// iommu_device_unregister()
    IommuDeviceUnregister(InstanceId),
    /// All initcalls, and what comes after them.
    Boot,
}
