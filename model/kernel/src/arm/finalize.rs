//! The monitor of invariant I23: ops->probe_finalize() is called once for each probe, when the default
//! domain is there, for a device that is in its group. Of the model's drivers ipmmu-vmsa alone has
//! one that does something, on 32-bit ARM. The kernel has no such state; as that of
//! [`symmetry`](super::symmetry), the monitor observes what it reads as a task does.

use crate::ids::DeviceId;
use crate::kernel::Kernel;
use checker::layout::Layout;
use checker::sync::Ghost;

/// What was noted of one device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finalize {
    /// Times that ops->probe_device() succeeded.
    pub(crate) probed: Ghost<u64>,
    /// Calls of ops->probe_finalize().
    pub(crate) called: Ghost<u64>,
    /// One came before the default domain, or when the device was in no group.
    pub(crate) early: Ghost<bool>,
}

impl Finalize {
    pub(crate) fn new(l: &mut Layout, n: &str) -> Self {
        Self {
            probed: Ghost::new(l, n, "probe_device() succeeded", 0),
            called: Ghost::new(l, n, "calls of probe_finalize()", 0),
            early: Ghost::new(l, n, "probe_finalize() without default domain", false),
        }
    }
}

/// A way in which probe_finalize() is not called once and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finalized {
    /// Never, since the device was not probed.
    NotProbed,
    /// Once for each probe, after the default domain was there.
    InTime,
    /// Less often than the device was probed.
    Missing,
    /// Before the default domain was there, or when the device was in no group.
    Early,
    /// More often than the device was probed.
    TooOften,
}

impl Kernel {
    /// ops->probe_device() has succeeded.
    pub(crate) fn monitor_probed(&self, dev: DeviceId) {
        if self.is_arm32() {
            self.archdata(dev).finalize.probed.add(1);
        }
    }

    /// ops->probe_finalize() is called.
    pub(crate) fn monitor_finalize(&self, dev: DeviceId) {
        let group = self.device(dev).iommu_group.read_once();
        let is_set_up = group.is_some_and(|g| self.group(g).default_domain.read_once().is_some());
        let finalize = &self.archdata(dev).finalize;
        finalize.called.add(1);
        if !is_set_up {
            finalize.early.set(true);
        }
    }

    /// What it came to.
    pub(crate) fn read_finalized(&self, dev: DeviceId) -> Finalized {
        let finalize = &self.archdata(dev).finalize;
        let (probed, called) = (finalize.probed.peek(), finalize.called.peek());
        if finalize.early.peek() {
            Finalized::Early
        } else if called > probed {
            Finalized::TooOften
        } else if called < probed {
            Finalized::Missing
        } else if probed == 0 {
            Finalized::NotProbed
        } else {
            Finalized::InTime
        }
    }
}
