//! Machines that ACPI describes, as text: the devices of the namespace, and the tables that say who
//! is behind which IOMMU. docs/acpi.md shows it from a user's side.
//!
//! ```text
//! file     = { device | function | "iort" "{" { iort } "}" | "viot" "{" { viot } "}" | "rimt" "{" { rimt } "}" }
//! device   = "device" NAME "{" "hid" HID ";" "cca" ( "0" | "1" | "none" ) ";"
//!                              [ "bus" ( "platform" | "amba" ) ";" ] "}"      lines in any order
//! function = "pci-function" NAME "{" "at" ADDRESS ";" "cca" ( "0" | "1" ) ";"
//!                                    { "alias" ADDRESS ";" } "}"             lines in any order
//! iort     = ( "smmu-v3" | "smmu" ) NAME ";" | "named-component" client | "root-complex" NUMBER pci
//! viot     = ( "virtio-iommu-mmio" | "virtio-iommu-pci" ) NAME ";" | "mmio-endpoint" client
//!          | "pci-range" range
//! rimt     = "iommu" NAME ";" | "platform-device" client | "root-complex" NUMBER pci
//! client   = NAME "{" { "id" NUMBER "->" NAME ";" } "}"
//! pci      = "{" { "ids" range } "}"
//! range    = NUMBER "+" NUMBER "->" NAME NUMBER ";"
//! ```
//!
//! `ADDRESS` is SEGMENT:BUS:DEVICE.FUNCTION in hexadecimal, as in `0000:01:00.0`.
//! `//` and `/* */` are comments. Names may be used before they are declared. SMMUs and virtio-iommus
//! that are PCI functions are declared by their table; the other IOMMUs are devices of the namespace.

mod function;
mod resolve;

use super::cursor::{Cursor, Result};

use super::{Board, stem};
use kernel::acpi::machine::{Role, Table};
use kernel::ids::Bus;
use miette::SourceSpan;

/// Reads a text.
pub fn parse(file_name: &str, text: &str) -> Result<Board> {
    let mut parser = Parser {
        cursor: Cursor::new(file_name, text)?,
        lines: Lines::default(),
    };
    parser.file()?;
    let (machine, labels) = resolve::resolve(&parser.cursor, &parser.lines)?;
    Ok(Board {
        name: stem(file_name),
        tree: machine.tree(),
        labels,
        acpi: Some(machine),
    })
}

/// A name and where it stands.
struct Name<'a> {
    text: &'a str,
    span: SourceSpan,
}

/// `device`
struct DeviceLine<'a> {
    name: Name<'a>,
    hid: Name<'a>,
    bus: Bus,
    coherent: bool,
    no_dma: bool,
}

/// `pci-function`
struct FunctionLine<'a> {
    name: Name<'a>,
    at: Address,
    aliases: Vec<Address>,
    coherent: bool,
}

/// Where a PCI function is, or whose requests look like its own.
#[derive(Clone, Copy)]
struct Address {
    segment: u16,
    /// Bus, device and function.
    id: u16,
    span: SourceSpan,
}

/// Which ids of PCI functions are which at an IOMMU.
struct RangeLine<'a> {
    table: Table,
    segment: u32,
    first: u32,
    number: u32,
    iommu: Name<'a>,
    /// What the first is there.
    output: u32,
}

/// What kind of IOMMU a line declares.
#[derive(Clone, Copy)]
enum Iommu {
    SmmuV3,
    Smmu,
    VirtioPci,
    /// A device of the namespace.
    Device(Role),
}

/// A device's part in a table: a named component, an endpoint, a platform device.
struct ClientLine<'a> {
    table: Table,
    device: Name<'a>,
    ids: Vec<(u32, Name<'a>)>,
}

/// What stands in the text, in its order, before names are looked up.
#[derive(Default)]
struct Lines<'a> {
    devices: Vec<DeviceLine<'a>>,
    functions: Vec<FunctionLine<'a>>,
    /// Whether it is a function, for each device and each function in their order.
    is_function: Vec<bool>,
    iommus: Vec<(Table, Iommu, Name<'a>)>,
    clients: Vec<ClientLine<'a>>,
    pci: Vec<RangeLine<'a>>,
    /// Segments that have a root complex.
    segments: Vec<(Table, u32)>,
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    lines: Lines<'a>,
}

impl<'a> Parser<'a> {
    fn file(&mut self) -> Result<()> {
        loop {
            self.cursor.skip_blank()?;
            if self.cursor.peek().is_none() {
                return Ok(());
            }
            match self.keyword(&["device", "pci-function", "iort", "viot", "rimt"])? {
                "device" => self.device()?,
                "pci-function" => self.function()?,
                "iort" => self.table(Table::Iort)?,
                "viot" => self.table(Table::Viot)?,
                _ => self.table(Table::Rimt)?,
            }
        }
    }

    fn device(&mut self) -> Result<()> {
        let name = self.name("a name for the device")?;
        let (mut hid, mut bus, mut cca) = (None, None, None);
        self.cursor.need("{")?;
        while !self.cursor.take("}")? {
            let start = self.cursor.at();
            let key = self.keyword(&["hid", "cca", "bus", "}"])?;
            let twice = match key {
                "hid" => hid.replace(self.hid()?).is_some(),
                "cca" => cca.replace(self.keyword(&["0", "1", "none"])?).is_some(),
                _ => bus.replace(self.bus()?).is_some(),
            };
            if twice {
                let message = format!("`{key}` stands here twice, expected it once");
                return self.cursor.error((start, key.len()).into(), message);
            }
            self.cursor.need(";")?;
        }
        let (Some(hid), Some(cca)) = (hid, cca) else {
            let missing = if cca.is_none() {
                "`cca`, expected `cca 0;` or `cca 1;`, as _CCA is"
            } else {
                "`hid`, expected one such as `hid TEST0001;`"
            };
            let message = format!("device `{}` has no {missing}", name.text);
            return self.cursor.error(name.span, message);
        };
        let bus = bus.unwrap_or(Bus::Platform);
        self.lines.is_function.push(false);
        self.lines.devices.push(DeviceLine {
            name,
            hid,
            bus,
            coherent: cca == "1",
            no_dma: cca == "none",
        });
        Ok(())
    }

    fn hid(&mut self) -> Result<Name<'a>> {
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        let text = self.cursor.take_while(|b| b.is_ascii_alphanumeric());
        let span = self.cursor.since(start);
        if !(7..=8).contains(&text.len()) {
            let message = format!(
                "found `{text}`, expected a hardware id of 7 or 8 letters and digits, such as LNRO0005"
            );
            return self.cursor.error(span, message);
        }
        Ok(Name { text, span })
    }

    fn bus(&mut self) -> Result<Bus> {
        Ok(match self.keyword(&["platform", "amba"])? {
            "amba" => Bus::Amba,
            _ => Bus::Platform,
        })
    }

    fn table(&mut self, table: Table) -> Result<()> {
        let words: &[&'static str] = match table {
            Table::Iort => &["smmu-v3", "smmu", "named-component", "root-complex", "}"],
            Table::Viot => &[
                "virtio-iommu-mmio",
                "virtio-iommu-pci",
                "mmio-endpoint",
                "pci-range",
                "}",
            ],
            Table::Rimt => &["iommu", "platform-device", "root-complex", "}"],
        };
        self.cursor.need("{")?;
        while !self.cursor.take("}")? {
            match self.keyword(words)? {
                "smmu-v3" => self.iommu(table, Iommu::SmmuV3)?,
                "smmu" => self.iommu(table, Iommu::Smmu)?,
                "virtio-iommu-pci" => self.iommu(table, Iommu::VirtioPci)?,
                "virtio-iommu-mmio" => self.iommu(table, Iommu::Device(Role::VirtioIommu))?,
                "iommu" => self.iommu(table, Iommu::Device(Role::RiscvIommu))?,
                "root-complex" => self.root_complex(table)?,
                "pci-range" => self.range(table, 0)?,
                _ => self.client(table)?,
            }
        }
        Ok(())
    }

    fn iommu(&mut self, table: Table, kind: Iommu) -> Result<()> {
        let name = self.name("the name of the IOMMU")?;
        self.cursor.need(";")?;
        self.lines.iommus.push((table, kind, name));
        Ok(())
    }

    fn client(&mut self, table: Table) -> Result<()> {
        let device = self.name("the name of a device")?;
        let mut ids = vec![];
        self.cursor.need("{")?;
        while !self.cursor.take("}")? {
            self.keyword(&["id", "}"])?;
            let id = self.number()?;
            self.cursor.need("->")?;
            ids.push((id, self.name("the name of an IOMMU")?));
            self.cursor.need(";")?;
        }
        self.lines.clients.push(ClientLine { table, device, ids });
        Ok(())
    }

    fn root_complex(&mut self, table: Table) -> Result<()> {
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        let segment = self.number()?;
        if self.lines.segments.contains(&(table, segment)) {
            // iort_scan_node() and rimt_scan_node() stop at the first.
            let message = format!("segment {segment} has a root complex already, expected one");
            return self.cursor.error(self.cursor.since(start), message);
        }
        self.lines.segments.push((table, segment));
        self.cursor.need("{")?;
        while !self.cursor.take("}")? {
            self.keyword(&["ids", "}"])?;
            self.range(table, segment)?;
        }
        Ok(())
    }

    /// `0x0 + 0x10000 -> smmu0 0x0;`
    fn range(&mut self, table: Table, segment: u32) -> Result<()> {
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        let first = self.number()?;
        self.cursor.need("+")?;
        let number = self.number()?;
        self.cursor.need("->")?;
        let iommu = self.name("the name of an IOMMU")?;
        let output = self.number()?;
        let fits = |from: u32| u64::from(from) + u64::from(number) <= 1 << 32;
        if number == 0 || !fits(first) || !fits(output) {
            let message = "found a range of no id, or beyond 32 bits; expected at least one, and ids of 32 bits";
            return self.cursor.error(self.cursor.since(start), message);
        }
        self.cursor.need(";")?;
        self.lines.pci.push(RangeLine {
            table,
            segment,
            first,
            number,
            iommu,
            output,
        });
        Ok(())
    }

    fn number(&mut self) -> Result<u32> {
        self.cursor.skip_blank()?;
        if self.cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            return self.cursor.cell();
        }
        self.cursor.expected("a number")
    }

    fn name(&mut self, what: &str) -> Result<Name<'a>> {
        self.cursor.skip_blank()?;
        let start = self.cursor.at();
        if !self.cursor.peek().is_some_and(|b| b.is_ascii_alphabetic()) {
            return self.cursor.expected(what);
        }
        let text = self.cursor.take_while(is_word);
        let span = self.cursor.since(start);
        Ok(Name { text, span })
    }

    /// One of these words; `}` among them is for the error alone.
    fn keyword(&mut self, words: &[&'static str]) -> Result<&'static str> {
        self.cursor.skip_blank()?;
        let found = self.cursor.rest().bytes().take_while(|b| is_word(*b));
        let found = &self.cursor.rest()[..found.count()];
        let Some(word) = words.iter().find(|w| **w == found) else {
            let words: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
            let (last, first) = words.split_last().expect("a list of words is not empty");
            return self
                .cursor
                .expected(&format!("{} or {last}", first.join(", ")));
        };
        self.cursor.take(word)?;
        Ok(word)
    }
}

/// Letters of names and of the language's own words.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
