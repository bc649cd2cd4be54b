//! The boards of the space: which firmware, which IOMMUs, who is behind whom.

use super::space::Flavour;
use crate::board::{self, Board, BoardError};
use serde::Serialize;
use std::fmt::Write;

/// What describes the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// A device tree.
    DeviceTree,
    /// ACPI: IORT.
    Acpi,
}

/// The IOMMU of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Iommu {
    /// Each client has a group of its own.
    SmmuV3,
    /// SMMUv2, one of the drivers of `kernel::iommu::generic`: one group for clients of one
    /// StreamID.
    Smmu,
    /// A root and leaves; one group for all clients of a leaf.
    Ipmmu,
    /// A client may be behind several.
    Rockchip,
}

/// Who is behind whom.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Wiring {
    /// What it is called.
    pub name: &'static str,
    /// For each client the instances that it is behind.
    pub clients: &'static [&'static [u8]],
    /// How many instances there are.
    pub instances: u8,
    /// Whether clients of one instance are in one group.
    pub shared: bool,
    /// What is special.
    pub special: Special,
}

/// What is special about a board. With anything special there are pairs only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Special {
    /// Nothing.
    Nothing,
    /// The clients are added after their IOMMUs.
    Behind,
    /// The clients stand on a bus with `dma-ranges`.
    DmaRanges,
    /// The last client has a driver of its own, which is one of vfio, and is there from the start.
    VfioBeside,
}

const fn wiring(
    name: &'static str,
    clients: &'static [&'static [u8]],
    instances: u8,
    shared: bool,
) -> Wiring {
    Wiring {
        name,
        clients,
        instances,
        shared,
        special: Special::Nothing,
    }
}

const fn special(name: &'static str, like: &Wiring, special: Special) -> Wiring {
    Wiring {
        name,
        special,
        ..*like
    }
}

/// Up to renaming of clients and instances there is one of each; that the walk meets clients in
/// their order, and that the first instance of a driver registers first, is part of it.
const ONE: Wiring = wiring("one", &[&[0]], 1, false);
const BESIDE: Wiring = wiring("beside", &[&[0]], 2, false);
const BOTH: Wiring = wiring("both", &[&[0, 1]], 2, false);
const OWN: Wiring = wiring("own", &[&[0], &[0]], 1, false);
const SHARED: Wiring = wiring("shared", &[&[0], &[0]], 1, true);
const EACH: Wiring = wiring("each", &[&[0], &[1]], 2, false);
const ONE_BOTH: Wiring = wiring("one-both", &[&[0], &[0, 1]], 2, false);
const THREE: Wiring = wiring("three", &[&[0], &[0], &[0]], 1, false);
const THREE_SHARED: Wiring = wiring("three-shared", &[&[0], &[0], &[0]], 1, true);
const THREE_BOTH: Wiring = wiring("three-both", &[&[0], &[1], &[0, 1]], 2, false);
const ONE_BEHIND: Wiring = special("one-behind", &ONE, Special::Behind);
const EACH_BEHIND: Wiring = special("each-behind", &EACH, Special::Behind);
const ONE_RANGES: Wiring = special("one-ranges", &ONE, Special::DmaRanges);
const BESIDE_RANGES: Wiring = special("beside-ranges", &BESIDE, Special::DmaRanges);
const SHARED_VFIO: Wiring = special("shared-vfio", &SHARED, Special::VfioBeside);

/// More clients than this: pairs only, and plain drivers.
const FEW: u8 = 2;

/// A board of the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Layout {
    /// Device tree or ACPI.
    pub firmware: Firmware,
    /// The IOMMU.
    pub iommu: Iommu,
    /// Who is behind whom.
    pub wiring: &'static Wiring,
}

/// All boards, the small ones first. A wiring that an IOMMU does not have, or for which the core
/// does the same as for another one, is left out: docs/search.md.
pub fn layouts() -> Vec<Layout> {
    use Firmware::{Acpi, DeviceTree};
    let kinds: [(Firmware, Iommu, &[&'static Wiring]); 6] = [
        (
            DeviceTree,
            Iommu::SmmuV3,
            &[
                &ONE,
                &ONE_BEHIND,
                &ONE_RANGES,
                &BESIDE,
                &BESIDE_RANGES,
                &OWN,
                &EACH,
                &EACH_BEHIND,
                &THREE,
            ],
        ),
        (
            DeviceTree,
            Iommu::Smmu,
            &[&ONE, &SHARED, &SHARED_VFIO, &THREE_SHARED],
        ),
        (
            DeviceTree,
            Iommu::Ipmmu,
            &[&ONE, &ONE_BEHIND, &SHARED, &SHARED_VFIO, &EACH],
        ),
        (
            DeviceTree,
            Iommu::Rockchip,
            &[&ONE, &BOTH, &EACH, &ONE_BOTH, &THREE_BOTH],
        ),
        (
            Acpi,
            Iommu::SmmuV3,
            &[&ONE, &BESIDE, &BOTH, &OWN, &EACH, &THREE],
        ),
        (Acpi, Iommu::Smmu, &[&SHARED]),
    ];
    let each = |(firmware, iommu, wirings): &(Firmware, Iommu, &[&'static Wiring])| {
        let (firmware, iommu) = (*firmware, *iommu);
        let one = move |wiring: &&'static Wiring| Layout {
            firmware,
            iommu,
            wiring,
        };
        wirings.iter().map(one).collect::<Vec<_>>()
    };
    let mut all: Vec<Layout> = kinds.iter().flat_map(each).collect();
    all.sort_by_key(|l| (l.clients(), l.wiring.instances, l.firmware, l.iommu));
    all
}

impl Layout {
    /// How many clients there are.
    pub fn clients(&self) -> u8 {
        self.wiring.clients.len() as u8
    }

    /// The driver of its IOMMU.
    pub fn driver(&self) -> &'static str {
        match self.iommu {
            Iommu::SmmuV3 => "arm-smmu-v3",
            Iommu::Smmu => "arm-smmu",
            Iommu::Ipmmu => "ipmmu-vmsa",
            Iommu::Rockchip => "rk_iommu",
        }
    }

    /// Whether the IOMMU's driver has an `unbind` file: those of SMMUs and Rockchip have
    /// suppress_bind_attrs, in 6.12 and 7.2, and clients hold references of their modules.
    pub fn can_be_unbound(&self) -> bool {
        self.iommu == Iommu::Ipmmu
    }

    /// Whether an instance can come by itself: through an overlay, or when its parent's driver
    /// populates it. Those of ACPI are all made at arch_initcall, by iort_init_platform_devices().
    pub fn can_be_added(&self) -> bool {
        self.firmware == Firmware::DeviceTree
    }

    /// Whether triples of tasks are made for it.
    pub fn is_for_triples(&self) -> bool {
        self.clients() <= FEW && self.wiring.special == Special::Nothing
    }

    /// Whether clients may have such drivers. vfio wants a coherent IOMMU, and rk_iommu has no
    /// capable().
    pub fn has_flavour(&self, flavour: Flavour) -> bool {
        match flavour {
            Flavour::Plain => true,
            _ if self.clients() > FEW || self.wiring.special == Special::VfioBeside => false,
            Flavour::Vfio => self.iommu != Iommu::Rockchip,
            Flavour::Async | Flavour::ManagedDma => true,
        }
    }

    /// Whether a client has a driver of its own, which is one of vfio.
    pub fn has_own_driver(&self, client: u8) -> bool {
        self.wiring.special == Special::VfioBeside && client + 1 == self.clients()
    }

    /// Whether this is smaller or the same: no more clients and instances, and nothing special that
    /// the other has not.
    pub fn is_within(&self, other: &Layout) -> bool {
        let special = self.wiring.special;
        self.clients() <= other.clients()
            && self.wiring.instances <= other.wiring.instances
            && self.firmware <= other.firmware
            && (special == Special::Nothing || special == other.wiring.special)
    }

    /// `dt-smmu-v3-one`
    pub fn name(&self) -> String {
        let firmware = match self.firmware {
            Firmware::DeviceTree => "dt",
            Firmware::Acpi => "acpi",
        };
        let iommu = match self.iommu {
            Iommu::SmmuV3 => "smmu-v3",
            Iommu::Smmu => "smmu",
            Iommu::Ipmmu => "ipmmu",
            Iommu::Rockchip => "rockchip",
        };
        format!("{firmware}-{iommu}-{}", self.wiring.name)
    }

    /// The file that a test names.
    pub fn file(&self) -> String {
        let end = match self.firmware {
            Firmware::DeviceTree => "dts",
            Firmware::Acpi => "acpi",
        };
        format!("{}.{end}", self.name())
    }

    /// The file's content.
    pub fn text(&self) -> String {
        match self.firmware {
            Firmware::DeviceTree => self.device_tree(),
            Firmware::Acpi => self.acpi(),
        }
    }

    /// The board, read from its text.
    pub fn board(&self) -> Result<Board, BoardError> {
        board::from_bytes(&self.file(), self.text().as_bytes())
    }

    /// The id of a client at its IOMMU.
    fn id(&self, client: usize) -> usize {
        0x10 + if self.wiring.shared { 0 } else { client }
    }

    /// Clients and IOMMUs are coherent, or no vfio driver would have them.
    fn device_tree(&self) -> String {
        let machine = match self.iommu {
            Iommu::Ipmmu => "renesas,r8a77965",
            _ => "test,search",
        };
        let mut text = format!(
            "// Made by probe-litmus search.\n/dts-v1/;\n\n/ {{\n\tcompatible = \"{machine}\";\n\
             \t#address-cells = <1>;\n\t#size-cells = <1>;\n"
        );
        let (clients, iommus) = (self.client_nodes(), self.iommu_nodes());
        match self.wiring.special {
            Special::Behind => text.extend([iommus, clients]),
            Special::DmaRanges => {
                text.push_str(
                    "\n\tsoc {\n\t\tcompatible = \"simple-bus\";\n\t\t#address-cells = <1>;\n\
                     \t\t#size-cells = <1>;\n\t\tranges;\n\
                     \t\tdma-ranges = <0x0 0x80000000 0x40000000>;\n",
                );
                text.extend([clients, String::from("\t};\n"), iommus]);
            }
            Special::Nothing | Special::VfioBeside => text.extend([clients, iommus]),
        }
        text.push_str("};\n");
        text
    }

    fn client_nodes(&self) -> String {
        let mut text = String::new();
        for (n, instances) in self.wiring.clients.iter().enumerate() {
            let ids = match self.iommu {
                Iommu::Rockchip => String::new(),
                _ => format!(" {:#x}", self.id(n)),
            };
            let each: Vec<String> = instances
                .iter()
                .map(|i| format!("<&iommu{i}{ids}>"))
                .collect();
            let compatible = if self.has_own_driver(n as u8) {
                "renesas,rcar-gen3-sata"
            } else {
                "test,client"
            };
            let _ = write!(
                text,
                "\n\tclient{n}: client@1000{n}000 {{\n\t\tcompatible = \"{compatible}\";\n\
                 \t\treg = <0x1000{n}000 0x1000>;\n\t\tiommus = {};\n\t\tdma-coherent;\n\t}};\n",
                each.join(", ")
            );
        }
        text
    }

    fn iommu_nodes(&self) -> String {
        let (compatible, cells) = match self.iommu {
            Iommu::SmmuV3 => ("arm,smmu-v3", 1),
            Iommu::Smmu => ("arm,mmu-500", 1),
            Iommu::Ipmmu => ("renesas,ipmmu-r8a77965", 1),
            Iommu::Rockchip => ("rockchip,iommu", 0),
        };
        let mut text = String::new();
        let mut iommu = |label: &str, n: u8, more: &str| {
            let _ = write!(
                text,
                "\n\t{label}: iommu@200{n}0000 {{\n\t\tcompatible = \"{compatible}\";\n\
                 \t\treg = <0x200{n}0000 0x1000>;\n{more}\t\t#iommu-cells = <{cells}>;\n\
                 \t\tdma-coherent;\n\t}};\n"
            );
        };
        if self.iommu == Iommu::Ipmmu {
            iommu("root", 9, "");
        }
        for i in 0..self.wiring.instances {
            let main = match self.iommu {
                Iommu::Ipmmu => format!("\t\trenesas,ipmmu-main = <&root {i}>;\n"),
                _ => String::new(),
            };
            iommu(&format!("iommu{i}"), i, &main);
        }
        text
    }

    fn acpi(&self) -> String {
        let mut text = String::from("// Made by probe-litmus search.\n\n");
        for n in 0..self.clients() {
            let _ = write!(
                text,
                "device client{n} {{\n\thid TEST0001;\n\tcca 1;\n}}\n\n"
            );
        }
        text.push_str("iort {\n");
        let word = match self.iommu {
            Iommu::Smmu => "smmu",
            _ => "smmu-v3",
        };
        for i in 0..self.wiring.instances {
            let _ = writeln!(text, "\t{word} iommu{i};");
        }
        for (n, instances) in self.wiring.clients.iter().enumerate() {
            let _ = writeln!(text, "\tnamed-component client{n} {{");
            for i in *instances {
                let _ = writeln!(text, "\t\tid {:#x} -> iommu{i};", self.id(n));
            }
            text.push_str("\t}\n");
        }
        text.push_str("}\n");
        text
    }
}
