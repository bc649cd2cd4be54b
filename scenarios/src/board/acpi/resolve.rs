//! From lines to a machine: names are looked up, and what cannot be is said.

use super::{ClientLine, Cursor, Iommu, Lines, Name, Result};
use crate::suggest::nearest;
use kernel::acpi::machine::{Device, Endpoint, Machine, NodeKind, Role, Table};
use kernel::ids::Bus;
use kernel::of::tree::NodeId;
use std::collections::BTreeMap;

/// The machine, and its nodes by name.
pub(super) fn resolve(
    cursor: &Cursor<'_>,
    lines: &Lines<'_>,
) -> Result<(Machine, BTreeMap<String, NodeId>)> {
    let mut resolver = Resolver {
        cursor,
        machine: Machine::default(),
        labels: BTreeMap::new(),
        iommus: BTreeMap::new(),
    };
    for line in &lines.devices {
        let device = Device {
            hid: line.hid.text.to_owned(),
            bus: line.bus,
            coherent: line.coherent,
            no_dma: line.no_dma,
            role: None,
        };
        resolver.declare(&line.name, NodeKind::Device(device))?;
    }
    for (table, kind, name) in &lines.iommus {
        resolver.iommu(*table, *kind, name)?;
    }
    for line in &lines.clients {
        resolver.client(line)?;
    }
    for (table, name) in &lines.pci {
        resolver.iommu_of(*table, name)?;
        resolver.machine.pci.push(*table);
    }
    Ok((resolver.machine, resolver.labels))
}

struct Resolver<'a, 't> {
    cursor: &'a Cursor<'t>,
    machine: Machine,
    labels: BTreeMap<String, NodeId>,
    iommus: BTreeMap<NodeId, Table>,
}

impl Resolver<'_, '_> {
    fn declare(&mut self, name: &Name<'_>, kind: NodeKind) -> Result<NodeId> {
        if self.labels.contains_key(name.text) {
            let message = format!(
                "found `{}` a second time, expected a name that is not taken",
                name.text
            );
            return self.cursor.error(name.span, message);
        }
        let id = self.machine.add(name.text, kind);
        self.labels.insert(name.text.to_owned(), id);
        Ok(id)
    }

    fn iommu(&mut self, table: Table, kind: Iommu, name: &Name<'_>) -> Result<()> {
        let id = match kind {
            Iommu::SmmuV3 => self.declare(name, NodeKind::SmmuV3)?,
            Iommu::Smmu => self.declare(name, NodeKind::Smmu)?,
            Iommu::VirtioPci => self.declare(name, NodeKind::VirtioPci)?,
            Iommu::Device(role) => self.give_role(role, name)?,
        };
        self.iommus.insert(id, table);
        Ok(())
    }

    /// A device of the namespace is an IOMMU.
    fn give_role(&mut self, role: Role, name: &Name<'_>) -> Result<NodeId> {
        let id = self.device(name)?;
        let wanted = match role {
            Role::VirtioIommu => "LNRO0005",
            Role::RiscvIommu => "RSCV0004",
        };
        let device = self.machine.device_mut(id);
        let device = device.expect("what was looked up as a device is one");
        let problem = if device.role.is_some() {
            "an IOMMU already".to_owned()
        } else if device.bus != Bus::Platform {
            "on the amba bus, expected the platform bus".to_owned()
        } else if device.hid != wanted {
            format!("a device `{}`, expected `hid {wanted};`", device.hid)
        } else {
            device.role = Some(role);
            return Ok(id);
        };
        let message = format!("`{}` is {problem}", name.text);
        self.cursor.error(name.span, message)
    }

    fn client(&mut self, line: &ClientLine<'_>) -> Result<()> {
        let device = self.device(&line.device)?;
        let is_same = |e: &Endpoint| e.table == line.table && e.device == device;
        let signature = line.table.signature();
        let name = line.device.text;
        let problem = if self.machine.endpoints.iter().any(is_same) {
            format!("`{name}` stands in {signature} twice, expected all of its ids in one place")
        } else if line.ids.is_empty() {
            format!("`{name}` has no id here, expected a line such as `id 0x10 -> smmu0;`")
        } else if line.table == Table::Viot && line.ids.len() > 1 {
            format!(
                "`{name}` has {} ids, expected the one that VIOT gives",
                line.ids.len()
            )
        } else {
            for (id, iommu) in &line.ids {
                let iommu = self.iommu_of(line.table, iommu)?;
                self.machine.endpoints.push(Endpoint {
                    table: line.table,
                    device,
                    iommu,
                    id: *id,
                });
            }
            return Ok(());
        };
        self.cursor.error(line.device.span, problem)
    }

    /// A device of the namespace.
    fn device(&self, name: &Name<'_>) -> Result<NodeId> {
        let is_device = |id: &NodeId| self.machine.device(*id).is_some();
        let found = self.labels.get(name.text).copied().filter(is_device);
        found.map_or_else(|| self.unknown(name, "a device", &is_device), Ok)
    }

    /// An IOMMU that this table declares.
    fn iommu_of(&self, table: Table, name: &Name<'_>) -> Result<NodeId> {
        let is_of_table = |id: &NodeId| self.iommus.get(id) == Some(&table);
        let found = self.labels.get(name.text).copied().filter(is_of_table);
        let what = format!("an IOMMU of {}", table.signature());
        found.map_or_else(|| self.unknown(name, &what, &is_of_table), Ok)
    }

    fn unknown(
        &self,
        name: &Name<'_>,
        what: &str,
        fits: &dyn Fn(&NodeId) -> bool,
    ) -> Result<NodeId> {
        let known = || self.labels.iter().filter(|(_, id)| fits(id));
        let known = || known().map(|(label, _)| label.as_str());
        let message = format!("found `{}`, expected {what}", name.text);
        let hint = nearest(name.text, known()).map(|near| format!("; did you mean `{near}`?"));
        let message = message + &hint.unwrap_or_default();
        let all: Vec<&str> = known().collect();
        let error = self.cursor.text_error(name.span, message);
        Err(Box::new(if all.is_empty() {
            error.with_help(format!(
                "this file declares none: {what} is needed above or below"
            ))
        } else {
            error.with_help(format!("there are: {}", all.join(", ")))
        }))
    }
}
