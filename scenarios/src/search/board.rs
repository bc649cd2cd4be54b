//! The boards of the space: which firmware, which IOMMUs, who is behind whom.

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
            &[&ONE, &BESIDE, &OWN, &EACH, &THREE],
        ),
        (DeviceTree, Iommu::Smmu, &[&ONE, &SHARED, &THREE_SHARED]),
        (DeviceTree, Iommu::Ipmmu, &[&ONE, &SHARED, &EACH]),
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
        let (compatible, cells) = match self.iommu {
            Iommu::SmmuV3 => ("arm,smmu-v3", 1),
            Iommu::Smmu => ("arm,mmu-500", 1),
            Iommu::Ipmmu => ("renesas,ipmmu-r8a77965", 1),
            Iommu::Rockchip => ("rockchip,iommu", 0),
        };
        let machine = match self.iommu {
            Iommu::Ipmmu => "renesas,r8a77965",
            _ => "test,search",
        };
        let mut text = format!(
            "// Made by probe-litmus search.\n/dts-v1/;\n\n/ {{\n\tcompatible = \"{machine}\";\n\
             \t#address-cells = <1>;\n\t#size-cells = <1>;\n"
        );
        for (n, instances) in self.wiring.clients.iter().enumerate() {
            let ids = if cells == 0 {
                String::new()
            } else {
                format!(" {:#x}", self.id(n))
            };
            let each: Vec<String> = instances
                .iter()
                .map(|i| format!("<&iommu{i}{ids}>"))
                .collect();
            let _ = write!(
                text,
                "\n\tclient{n}: client@1000{n}000 {{\n\t\tcompatible = \"test,client\";\n\
                 \t\treg = <0x1000{n}000 0x1000>;\n\t\tiommus = {};\n\t\tdma-coherent;\n\t}};\n",
                each.join(", ")
            );
        }
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
        text.push_str("};\n");
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
