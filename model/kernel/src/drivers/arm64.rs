//! The wide catalogue: the drivers of an arm64 defconfig, from the table `arm64.txt`.
//!
//! The table was made by `arm64.py` from the Makefiles, match tables and initcalls of v7.2; its
//! first lines say which blobs it serves. A row that the defconfig leaves out (`x`: several IOMMU
//! drivers) is taken as built in, since the model is about IOMMUs. Rows of the narrow catalogue
//! that the table lacks are added, so that boards of scenarios work with either.

use super::catalogue::{CATALOGUE, DriverInfo, Initcall, Kind};
use crate::ids::Bus;
use crate::iommu::generic::GenericIommu;
use std::sync::LazyLock;

static TABLE: &str = include_str!("arm64.txt");

/// All rows, by level and link order.
pub(super) static DRIVERS: LazyLock<Vec<DriverInfo>> = LazyLock::new(|| {
    let mut rows: Vec<DriverInfo> = lines().zip(0..).filter_map(|(l, n)| row(l, n)).collect();
    for own in CATALOGUE {
        if rows.iter().all(|r| r.name != own.name) {
            rows.push(DriverInfo {
                link_order: u16::MAX,
                ..*own
            });
        }
    }
    rows.sort_by_key(|r| (r.level, r.link_order));
    rows
});

/// The rows of the text.
fn lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|l| !l.starts_with('#'))
}

/// One row, `None` if it is none; a test says that all are.
fn row(line: &'static str, link_order: u16) -> Option<DriverInfo> {
    let mut words = line.split(' ');
    let level = level(words.next()?)?;
    let is_module = match words.next()? {
        "m" => true,
        "y" | "x" => false,
        _ => return None,
    };
    let flags: Vec<&str> = words.next()?.split(',').collect();
    if !flags
        .iter()
        .all(|f| ["-", "amba", "async", "populates"].contains(f))
    {
        return None;
    }
    let is = |flag| flags.contains(&flag);
    let bus = if is("amba") { Bus::Amba } else { Bus::Platform };
    let name = words.next()?;
    let source = words.next()?;
    let compatibles: Vec<&'static str> = words.collect();
    Some(DriverInfo {
        name,
        // The table is read once and lives as long as the program.
        compatibles: Vec::leak(compatibles),
        level,
        link_order,
        prefers_async: is("async"),
        populates: is("populates"),
        is_module,
        bus: Some(bus),
        kind: kind(name),
        source,
    })
}

fn level(word: &str) -> Option<Initcall> {
    Some(match word {
        "core" => Initcall::Core,
        "postcore" => Initcall::Postcore,
        "arch" => Initcall::Arch,
        "arch_sync" => Initcall::ArchSync,
        "subsys" => Initcall::Subsys,
        "fs" => Initcall::Fs,
        "device" => Initcall::Device,
        "late" => Initcall::Late,
        _ => return None,
    })
}

/// What the driver of this name does in its probe.
fn kind(name: &str) -> Kind {
    match name {
        "ipmmu-vmsa" => Kind::IpmmuVmsa,
        "arm-smmu-v3" => Kind::ArmSmmuV3,
        "rk_iommu" => Kind::Rockchip,
        _ => GenericIommu::of_driver(name).map_or(Kind::Client, Kind::Generic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_row() {
        for (line, n) in lines().zip(0..) {
            let row = row(line, n).unwrap_or_else(|| panic!("no row: {line}"));
            assert!(!row.compatibles.is_empty(), "{line}");
        }
    }

    #[test]
    fn every_driver_has_one_row_and_rows_stand_by_level() {
        let mut names: Vec<&str> = DRIVERS.iter().map(|d| d.name).collect();
        assert!(DRIVERS.is_sorted_by_key(|d| d.level));
        names.sort_unstable();
        let rows = names.len();
        names.dedup();
        assert_eq!(names.len(), rows);
    }

    /// What the narrow catalogue says by hand and the table from the sources must agree.
    #[test]
    fn both_catalogues_say_the_same_of_a_driver() {
        for own in CATALOGUE {
            let row = DRIVERS.iter().find(|d| d.name == own.name);
            let row = row.unwrap_or_else(|| panic!("{} has no row", own.name));
            let facts = |d: &DriverInfo| (d.level, d.prefers_async, d.kind);
            assert_eq!(facts(row), facts(own), "{}", own.name);
        }
    }

    #[test]
    fn every_generic_iommu_driver_has_a_row() {
        for driver in GenericIommu::ALL {
            assert!(
                DRIVERS.iter().any(|d| d.kind == Kind::Generic(driver)),
                "{driver:?}"
            );
        }
    }
}
