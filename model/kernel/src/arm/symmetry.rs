//! The monitor of invariant I18, teardown symmetry: what arch_setup_dma_ops() has done,
//! arch_teardown_dma_ops() undoes, and nothing else; and a further probe finds what the first did.
//!
//! The kernel has no such state, and nothing of the model but this monitor reads it. It observes what
//! it reads as a task does, since what it keeps depends on it: so there are a few more steps than in
//! the kernel, and no fewer outcomes. `dma_ops_setup`, which is to tell the kernel the same, is
//! what is judged.

use super::archdata::{DmaOps, Mapping, MappingOwner};
use crate::ids::DeviceId;
use crate::kernel::Kernel;
use checker::layout::Layout;
use checker::sync::{Ghost, Shared};
use checker::task;
use checker::word::Word;

/// A way in which the symmetry was broken: bits of [`ArmOutcome::asymmetry`].
///
/// [`ArmOutcome::asymmetry`]: crate::outcome::ArmOutcome::asymmetry
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Asymmetry {
    /// arch_teardown_dma_ops() changed DMA ops or mapping that arch_setup_dma_ops() had not set.
    Foreign = 1,
    /// arch_teardown_dma_ops() left DMA ops or mapping that arch_setup_dma_ops() had set.
    Left = 2,
    /// A further probe began with other DMA ops, or another kind of mapping, than the first.
    Reprobe = 4,
}

impl Asymmetry {
    /// All, in the order of their bits.
    pub const ALL: [Asymmetry; 3] = [Asymmetry::Foreign, Asymmetry::Left, Asymmetry::Reprobe];

    /// In words, with the site.
    pub fn text(self) -> &'static str {
        match self {
            Asymmetry::Foreign => "arch_teardown_dma_ops undid what setup had not done",
            Asymmetry::Left => "arch_teardown_dma_ops left what setup had done",
            Asymmetry::Reprobe => "arch_setup_dma_ops at a further probe: not as at the first",
        }
    }
}

/// How DMA of a device is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) dma_ops: Option<DmaOps>,
    pub(crate) mapping: Option<Mapping>,
}

impl Shape {
    /// Without the identity of a mapping of one's own, which is another one each time. 0 is none.
    fn to_kind(self, grouped: bool) -> u64 {
        let mapping = match self.mapping.map(|m| m.owner) {
            None => 0,
            Some(MappingOwner::Device(_)) => 1,
            Some(MappingOwner::Instance(_)) => 2,
        };
        1 | u64::from(grouped) << 1 | mapping << 2 | self.dma_ops.to_word() << 4
    }
}

/// Whether a device was in a group when a kind was noted.
fn was_grouped(kind: u64) -> bool {
    kind & 2 != 0
}

/// What the monitor keeps for each device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symmetry {
    /// arch_setup_dma_ops() has set DMA ops, and nobody has undone it.
    set_up: Shared<bool>,
    /// What the first probe of a driver found: [`Shape::to_kind`].
    first: Shared<u64>,
    /// arch_teardown_dma_ops() was called.
    pub(crate) torn_down: Ghost<bool>,
    /// Bits of [`Asymmetry`].
    pub(crate) broken: Ghost<u64>,
}

impl Symmetry {
    pub(crate) fn new(l: &mut Layout, n: &str) -> Self {
        Self {
            set_up: Shared::new(l, n, "DMA ops are arch_setup_dma_ops()'s", false),
            first: Shared::new(l, n, "DMA ops at the first probe", 0),
            torn_down: Ghost::new(l, n, "torn down", false),
            broken: Ghost::new(l, n, "teardown symmetry", 0),
        }
    }
}

impl Kernel {
    /// At the end of arch_setup_dma_ops(). The walk's call is no probe.
    pub(crate) fn monitor_setup(&self, dev: DeviceId, has_set: bool) {
        let symmetry = &self.archdata(dev).symmetry;
        if has_set {
            symmetry.set_up.write_once(true);
        }
        if self.device(dev).driver.read_once().is_none() {
            return;
        }
        let grouped = self.device(dev).iommu_group.read_once().is_some();
        let now = self.shape(dev).to_kind(grouped);
        let first = symmetry.first.read_once();
        // An IOMMU that came or went meanwhile makes another first probe.
        if first == 0 || was_grouped(first) != grouped {
            symmetry.first.write_once(now);
        } else if first != now {
            self.asymmetry(dev, Asymmetry::Reprobe);
        }
    }

    /// At the end of arch_teardown_dma_ops().
    pub(crate) fn monitor_teardown(&self, dev: DeviceId, before: Shape) {
        let symmetry = &self.archdata(dev).symmetry;
        let after = self.shape(dev);
        symmetry.torn_down.set(true);
        if symmetry.set_up.read_once() {
            let of_another = |m: Mapping| matches!(m.owner, MappingOwner::Instance(_));
            if before.mapping.is_some_and(of_another) && after.mapping != before.mapping {
                self.asymmetry(dev, Asymmetry::Foreign);
            }
            if after.dma_ops.is_some() || after.mapping.is_some_and(|m| !of_another(m)) {
                self.asymmetry(dev, Asymmetry::Left);
            }
            symmetry.set_up.write_once(false);
        } else if after != before {
            self.asymmetry(dev, Asymmetry::Foreign);
        }
    }

    fn asymmetry(&self, dev: DeviceId, how: Asymmetry) {
        self.archdata(dev).symmetry.broken.or(how as u64);
        task::note("BUG", || {
            format!("{}: {}", self.device(dev).name, how.text())
        });
    }
}
