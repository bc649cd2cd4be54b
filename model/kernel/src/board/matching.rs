//! Which devices a tree has, and which drivers match them.

use super::{BoardError, DriverDescription, MAX_POPULATE, check_number};
use crate::config::Config;
use crate::drivers::catalogue::{ANY_DRIVER, DriverInfo};
use crate::ids::DriverId;
use crate::of::pci::{HOST_BRIDGE, pci_scan};
use crate::of::platform::{Created, of_platform_default_populate, of_platform_populate};
use crate::of::tree::{NodeId, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// Who adds which device, by number.
type Populated = Vec<(usize, usize)>;

/// The devices of the tree in the order of their numbers, and which of them a device's driver adds:
/// those of of_platform_default_populate_init() come first, then those of drivers.
pub(super) fn create(tree: &Tree, rows: &Rows) -> Result<(Vec<Created>, Populated), BoardError> {
    let mut created = of_platform_default_populate(tree);
    let mut known: BTreeSet<NodeId> = created.iter().map(|c| c.node).collect();
    let mut populated = vec![];
    // How many drivers stand one in the other's probe.
    let mut depth = vec![0; created.len()];
    let mut by = 0;
    while by < created.len() {
        if rows
            .of(tree, &created[by])
            .iter()
            .any(|row| rows.catalogue[*row].populates)
        {
            check_number(
                "levels of drivers that add devices",
                depth[by] + 1,
                MAX_POPULATE,
            )?;
            let first = created.len();
            if tree.is_compatible(created[by].node, HOST_BRIDGE) {
                pci_scan(tree, by, &mut created)?;
            } else {
                of_platform_populate(tree, by, &mut created, &known);
            }
            depth.resize(created.len(), depth[by] + 1);
            known.extend(created[first..].iter().map(|c| c.node));
            populated.extend((first..created.len()).map(|device| (by, device)));
        }
        by += 1;
    }
    Ok((created, populated))
}

/// The catalogue by compatible.
pub(super) struct Rows {
    catalogue: Vec<&'static DriverInfo>,
    /// The row that matches where no other does.
    fallback: Option<usize>,
    by_compatible: BTreeMap<&'static str, Vec<usize>>,
}

impl Rows {
    pub(super) fn new(config: &Config) -> Self {
        let mut catalogue: Vec<&'static DriverInfo> = config.catalogue.drivers().iter().collect();
        let mut by_compatible: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, info) in catalogue.iter().enumerate() {
            if config.absent.contains(info.name) {
                continue;
            }
            for compatible in info.compatibles {
                by_compatible.entry(compatible).or_default().push(row);
            }
        }
        let fallback = config.any_driver.then(|| {
            catalogue.push(&ANY_DRIVER);
            catalogue.len() - 1
        });
        Self {
            catalogue,
            fallback,
            by_compatible,
        }
    }

    /// of_driver_match_device(), by compatible: the rows that match, in order.
    fn of(&self, tree: &Tree, device: &Created) -> BTreeSet<usize> {
        let listed = tree.strings(device.node, "compatible").unwrap_or_default();
        let rows = listed
            .iter()
            .filter_map(|s| self.by_compatible.get(s.as_str()));
        let on_bus = |row: &&usize| self.catalogue[**row].bus.is_none_or(|b| b == device.bus);
        let rows: BTreeSet<usize> = rows.flatten().filter(on_bus).copied().collect();
        if rows.is_empty() {
            return self.fallback.into_iter().collect();
        }
        rows
    }
}

/// The drivers that devices of the board match.
pub(super) struct Matching {
    pub(super) drivers: Vec<DriverDescription>,
    /// For each device its drivers, in the catalogue's order.
    pub(super) of_device: Vec<Vec<DriverId>>,
}

impl Matching {
    pub(super) fn new(tree: &Tree, created: &[Created], rows: &Rows, config: &Config) -> Self {
        let matching: Vec<BTreeSet<usize>> = created.iter().map(|c| rows.of(tree, c)).collect();
        let used: BTreeSet<usize> = matching.iter().flatten().copied().collect();
        let number: BTreeMap<usize, DriverId> =
            used.iter().copied().zip((0..).map(DriverId)).collect();
        let of_device = matching
            .iter()
            .map(|r| r.iter().map(|row| number[row]).collect());
        Self {
            of_device: of_device.collect(),
            drivers: used
                .iter()
                .map(|row| {
                    let info = rows.catalogue[*row];
                    let registers = config.registers.get(info.name);
                    let other = registers
                        .and_then(|name| used.iter().find(|r| rows.catalogue[**r].name == name));
                    describe(info, other.map(|r| number[r]), config)
                })
                .collect(),
        }
    }
}

/// A row of the catalogue, as the configuration has it.
pub(crate) fn describe(
    info: &'static DriverInfo,
    registers: Option<DriverId>,
    config: &Config,
) -> DriverDescription {
    DriverDescription {
        info,
        is_async: info.prefers_async
            || config.async_probe.contains("*")
            || config.async_probe.contains(info.name),
        managed_dma: config.managed_dma.contains(info.name) || config.vfio.contains(info.name),
        is_vfio: config.vfio.contains(info.name),
        registers,
    }
}
