//! A kernel's symbols, as `/proc/kallsyms` or a System.map lists them: which functions can be
//! probed, and where those are whose names are there more than once.
//!
//! ```text
//! ffffffc080010000 T _text
//! ffffffc080a8a3a8 t arm_smmu_of_xlate
//! ffffffc07b6f2000 t virtio_mmio_probe [virtio_mmio]
//! ```

use super::file::{self, File, Line, ParseError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The functions of a kernel image. Those of modules are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kallsyms {
    /// Where the image begins.
    text: u64,
    functions: BTreeMap<String, BTreeSet<u64>>,
}

/// How a function can be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its name.
    Name,
    /// It is there several times: each copy as `_text+OFFSET`.
    Copies(Vec<String>),
    /// It is not there: inlined, or not built.
    Absent,
    /// It is there under another name alone, with arguments that the compiler has changed.
    Changed(String),
}

impl Kallsyms {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ParseError> {
        let bytes = file::bytes(path)?;
        Self::of_text(
            &path.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        )
    }

    /// Reads a text that was never in a file.
    pub fn of_text(name: &str, text: &str) -> Result<Self, ParseError> {
        let file = File::of_text(name, text);
        let mut symbols = Self {
            text: 0,
            functions: BTreeMap::new(),
        };
        let mut begins = None;
        let mut has_address = false;
        for line in file.lines().filter(|l| !l.text.trim().is_empty()) {
            let (address, kind, name, of_module) = symbol(line)?;
            has_address |= address != 0;
            if of_module {
                continue;
            }
            if name == "_text" {
                begins = Some(address);
            } else if kind.eq_ignore_ascii_case(&'t') {
                let copies = symbols.functions.entry(name.to_owned()).or_default();
                copies.insert(address);
            }
        }
        if !has_address {
            return Err(file.error(
                "expected addresses, found none but 0: read /proc/kallsyms as root".to_owned(),
            ));
        }
        symbols.text = begins.ok_or_else(|| {
            file.error("expected the symbol `_text`, as an arm64 kernel has it".to_owned())
        })?;
        Ok(symbols)
    }

    /// How a function can be probed.
    pub fn place(&self, function: &str) -> Place {
        let Some(copies) = self.functions.get(function) else {
            return match self.changed(function) {
                Some(name) => Place::Changed(name.to_owned()),
                None => Place::Absent,
            };
        };
        if copies.len() == 1 {
            return Place::Name;
        }
        let offset = |address: &u64| format!("_text+{}", address.wrapping_sub(self.text));
        Place::Copies(copies.iter().map(offset).collect())
    }

    /// `FUNCTION.constprop.0`, `FUNCTION.isra.0`: the first such name, but for what is not executed
    /// as a function (`.cold`) and for parts (`.part`), which are functions of their own.
    fn changed(&self, function: &str) -> Option<&str> {
        let prefix = format!("{function}.");
        let from = self.functions.range(prefix.clone()..);
        let names = from
            .map(|(name, _)| name.as_str())
            .take_while(|name| name.starts_with(&prefix));
        let is_whole = |name: &&str| {
            let mut words = name.split('.').skip(1);
            !words.any(|word| word == "cold" || word == "part")
        };
        names.into_iter().find(is_whole)
    }
}

/// `ADDRESS TYPE NAME [MODULE]`
fn symbol(line: Line<'_>) -> Result<(u64, char, &str, bool), ParseError> {
    let bad = || line.error("expected `ADDRESS TYPE NAME`, as in /proc/kallsyms");
    let mut words = line.text.split_whitespace();
    let address = words.next().ok_or_else(bad)?;
    let address = u64::from_str_radix(address, 16).map_err(|_| bad())?;
    let mut kind = words.next().ok_or_else(bad)?.chars();
    let (Some(kind), None) = (kind.next(), kind.next()) else {
        return Err(bad());
    };
    let name = words.next().ok_or_else(bad)?;
    Ok((address, kind, name, words.next().is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Kallsyms, String> {
        Kallsyms::of_text("kallsyms.txt", text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_function_is_probed_by_name_unless_it_is_there_twice() {
        let symbols = read(
            "ffff800080000000 T _text\n\
             ffff800080a8a3a8 t arm_smmu_of_xlate\n\
             ffff800080a831e8 t arm_smmu_of_xlate\n\
             ffff800080b00000 T really_probe\n\
             ffff800080b10000 t __iommu_probe_device.part.0\n\
             ffff800080b20000 t probe_iommu_group.cold\n\
             ffff800080b30000 t driver_bound.isra.0\n\
             ffff800080b40000 d driver_deferred_probe_add\n\
             ffff80007b6f2000 t really_probe\t[other]\n",
        )
        .expect("symbols");
        let copies = ["_text+11022824", "_text+11051944"].map(str::to_owned);
        for (function, place) in [
            ("arm_smmu_of_xlate", Place::Copies(copies.to_vec())),
            ("really_probe", Place::Name),
            ("__iommu_probe_device.part.0", Place::Name),
            ("__iommu_probe_device", Place::Absent),
            ("probe_iommu_group", Place::Absent),
            (
                "driver_bound",
                Place::Changed("driver_bound.isra.0".to_owned()),
            ),
            ("driver_deferred_probe_add", Place::Absent),
        ] {
            assert_eq!(symbols.place(function), place, "{function}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            (
                "ffff800080000000 T _text\nnonsense\n",
                "kallsyms.txt:2: expected `ADDRESS TYPE NAME`, as in /proc/kallsyms: `nonsense`",
            ),
            (
                "0000000000000000 T _text\n0000000000000000 T really_probe\n",
                "kallsyms.txt: expected addresses, found none but 0: read /proc/kallsyms as root",
            ),
            (
                "ffff800080b00000 T really_probe\n",
                "kallsyms.txt: expected the symbol `_text`, as an arm64 kernel has it",
            ),
            (
                "",
                "kallsyms.txt: expected addresses, found none but 0: read /proc/kallsyms as root",
            ),
        ] {
            assert_eq!(read(text).expect_err(text), expected);
        }
    }
}
