//! arch/arm/include/asm/device.h and dma-iommu.h: a device's part in the DMA ops, and the mappings.
//! Follows v7.3-rc7.

use super::finalize::Finalize;
use super::symmetry::{Shape, Symmetry};
use crate::ids::{DeviceId, InstanceId};
use crate::kernel::Kernel;
use checker::heap::{Handle, Heap, USE_AFTER_FREE};
use checker::layout::Layout;
use checker::sync::{Ghost, Shared};
use checker::task;
use checker::word::Word;
use checker::word_enum;

/// Mappings that one owner can have at once: one at a time, but for leaks.
const MAPPING_SLOTS: usize = 4;

word_enum! {
    /// What `dev->dma_ops` points to, if it is not NULL. Coherent and other variants are one.
    pub enum DmaOps {
        /// `arm_dma_ops`: no IOMMU. Gone since ae626eb97376, when NULL came to mean that.
        Arm,
        /// `iommu_ops`
        Iommu,
        /// `xen_dma_ops`, later `xen_swiotlb_dma_ops`
        Xen,
        /// What a bus notifier of the machine sets: mach-highbank and mach-mvebu.
        Machine,
    }
}

impl DmaOps {
    /// What tests call it.
    pub fn name(self) -> &'static str {
        match self {
            DmaOps::Arm => "arm",
            DmaOps::Iommu => "iommu",
            DmaOps::Xen => "xen",
            DmaOps::Machine => "machine",
        }
    }
}

/// Who has created a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MappingOwner {
    /// arch_setup_dma_ops(), for this device alone.
    Device(DeviceId),
    /// An IOMMU's driver, for all clients of the instance: a third party.
    Instance(InstanceId),
}

/// Pointer to a `struct dma_iommu_mapping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// Who created it.
    pub owner: MappingOwner,
    /// Which of the owner's.
    pub(crate) handle: Handle,
}

/// Bits of a handle: the slot has 8, the generation 32.
const HANDLE_BITS: u32 = 40;
/// Bits of the owner's number.
const OWNER_BITS: u32 = 16;

impl Word for Mapping {
    fn to_word(self) -> u64 {
        let owner = match self.owner {
            MappingOwner::Device(dev) => u64::from(dev.0),
            MappingOwner::Instance(instance) => u64::from(instance.0) | 1 << OWNER_BITS,
        };
        owner << HANDLE_BITS | self.handle.to_word()
    }

    fn from_word(word: u64) -> Self {
        let owner = word >> HANDLE_BITS;
        let number = owner as u16;
        Self {
            owner: if owner >> OWNER_BITS == 0 {
                MappingOwner::Device(DeviceId(number))
            } else {
                MappingOwner::Instance(InstanceId(number))
            },
            handle: Handle::from_word(word & ((1 << HANDLE_BITS) - 1)),
        }
    }
}

/// The mappings that one owner can have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mappings {
    heap: Heap,
    kref: [Shared<u64>; MAPPING_SLOTS],
}

impl Mappings {
    fn new(l: &mut Layout, owner: &str) -> Self {
        Self {
            heap: Heap::new(l, owner, "struct dma_iommu_mapping", MAPPING_SLOTS),
            kref: std::array::from_fn(|_| Shared::new(l, owner, "mapping->kref", 0)),
        }
    }

    /// References to those that live, for the outcome.
    pub(crate) fn references(&self) -> u64 {
        self.kref.iter().map(|k| k.read_once()).sum()
    }
}

/// What a driver's managed memory was allocated under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// There is such memory.
    pub(crate) allocated: Shared<bool>,
    /// `dev->dma_ops` at that time.
    pub(crate) dma_ops: Shared<Option<DmaOps>>,
    /// `dev->archdata.mapping` at that time.
    pub(crate) mapping: Shared<Option<Mapping>>,
}

/// `dev->dma_ops` and `struct dev_archdata`.
#[derive(Clone, Copy, Debug)]
pub struct Archdata {
    /// `dev->dma_ops`
    pub dma_ops: Shared<Option<DmaOps>>,
    /// `dev->archdata.mapping`: to_dma_iommu_mapping()
    pub mapping: Shared<Option<Mapping>>,
    /// `dev->archdata.dma_ops_setup`, since a93a121a9653.
    pub dma_ops_setup: Shared<bool>,
    /// The mappings that arch_setup_dma_ops() creates for it.
    pub(crate) mappings: Mappings,
    /// dmam_alloc_coherent()
    pub(crate) memory: Memory,
    /// That memory was freed under other DMA ops or in another mapping.
    pub(crate) misfreed: Ghost<bool>,
    /// It used a mapping that was freed: bits of [`checker::heap`].
    pub(crate) faults: Ghost<u64>,
    /// The monitor of I18.
    pub(crate) symmetry: Symmetry,
    /// The monitor of I23.
    pub(crate) finalize: Finalize,
}

impl Archdata {
    pub(crate) fn new(l: &mut Layout, n: &str) -> Self {
        Self {
            dma_ops: Shared::new(l, n, "dev->dma_ops", None),
            mapping: Shared::new(l, n, "dev->archdata.mapping", None),
            dma_ops_setup: Shared::new(l, n, "dev->archdata.dma_ops_setup", false),
            mappings: Mappings::new(l, n),
            memory: Memory {
                allocated: Shared::new(l, n, "dma_devres", false),
                dma_ops: Shared::new(l, n, "dma_devres ops", None),
                mapping: Shared::new(l, n, "dma_devres mapping", None),
            },
            misfreed: Ghost::new(l, n, "freed under other DMA ops", false),
            faults: Ghost::new(l, n, "mapping faults", 0),
            symmetry: Symmetry::new(l, n),
            finalize: Finalize::new(l, n),
        }
    }
}

/// ipmmu-vmsa's `mmu->mapping`, and the mappings that it can point to.
#[derive(Clone, Copy, Debug)]
pub struct MmuMapping {
    /// `mmu->mapping`
    pub mapping: Shared<Option<Mapping>>,
    pub(crate) mappings: Mappings,
}

impl MmuMapping {
    pub(crate) fn new(l: &mut Layout, n: &str) -> Self {
        Self {
            mapping: Shared::new(l, n, "mmu->mapping", None),
            mappings: Mappings::new(l, n),
        }
    }
}

impl Kernel {
    /// `dev->archdata`. Only for 32-bit ARM.
    pub(crate) fn archdata(&self, dev: DeviceId) -> &Archdata {
        let archdata = self.device(dev).archdata.as_ref();
        archdata.expect("a kernel for 32-bit ARM lays out archdata")
    }

    /// `mmu->mapping` of an instance. Only for 32-bit ARM.
    pub(crate) fn mmu_mapping(&self, instance: InstanceId) -> &MmuMapping {
        let mapping = self.instance(instance).mmu_mapping.as_ref();
        mapping.expect("a kernel for 32-bit ARM lays out mappings")
    }

    fn mappings(&self, owner: MappingOwner) -> &Mappings {
        match owner {
            MappingOwner::Device(dev) => &self.archdata(dev).mappings,
            MappingOwner::Instance(instance) => &self.mmu_mapping(instance).mappings,
        }
    }

    /// kzalloc() and kref_init() of arm_iommu_create_mapping().
    pub(crate) fn mapping_alloc(&self, owner: MappingOwner) -> Mapping {
        let mappings = self.mappings(owner);
        let handle = mappings.heap.alloc();
        mappings.kref[handle.slot as usize].write_once(1);
        Mapping { owner, handle }
    }

    /// Whether a mapping still lives; that it does not is a finding for the device in whose name
    /// it is used. The model then goes on as if nothing had reused the memory.
    pub(crate) fn mapping_check(&self, dev: DeviceId, mapping: Mapping) -> bool {
        let lives = self.mappings(mapping.owner).heap.check(mapping.handle);
        if !lives {
            self.archdata(dev).faults.or(USE_AFTER_FREE);
            task::note("BUG", || {
                let name = &self.device(dev).name;
                format!("{name}: uses a struct dma_iommu_mapping that is freed")
            });
        }
        lives
    }

    /// kref_get(&mapping->kref)
    pub(crate) fn mapping_get(&self, dev: DeviceId, mapping: Mapping) {
        if self.mapping_check(dev, mapping) {
            self.kref(mapping).add(1);
        }
    }

    /// kref_put(&mapping->kref, release_iommu_mapping)
    pub(crate) fn mapping_put(&self, dev: DeviceId, mapping: Mapping) {
        if self.mapping_check(dev, mapping)
            && self.kref(mapping).fetch_add(1u64.wrapping_neg()) == 1
        {
            self.mappings(mapping.owner).heap.free(mapping.handle);
        }
    }

    fn kref(&self, mapping: Mapping) -> Shared<u64> {
        self.mappings(mapping.owner).kref[mapping.handle.slot as usize]
    }

    /// How DMA is set up, for the monitor of I18.
    pub(crate) fn shape(&self, dev: DeviceId) -> Shape {
        Shape {
            dma_ops: self.archdata(dev).dma_ops.read_once(),
            mapping: self.archdata(dev).mapping.read_once(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_a_word() {
        for owner in [
            MappingOwner::Device(DeviceId(u16::MAX)),
            MappingOwner::Instance(InstanceId(u16::MAX)),
            MappingOwner::Device(DeviceId(0)),
        ] {
            let handle = Handle {
                slot: u8::MAX,
                generation: u32::MAX,
            };
            let mapping = Some(Mapping { owner, handle });
            assert_eq!(Option::<Mapping>::from_word(mapping.to_word()), mapping);
        }
    }
}
