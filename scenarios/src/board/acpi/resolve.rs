//! From lines to a machine: names are looked up, and what cannot be is said.

use super::{Address, ClientLine, Cursor, FunctionLine, Iommu, Lines, Name, RangeLine, Result};
use crate::suggest::nearest;
use kernel::acpi::machine::{Device, Endpoint, Machine, NodeKind, PciFunction, Role, Table};
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
    resolver.devices(lines)?;
    for (table, kind, name) in &lines.iommus {
        resolver.iommu(*table, *kind, name)?;
    }
    for line in &lines.clients {
        resolver.client(line)?;
    }
    resolver.ranges(lines)?;
    Ok((resolver.machine, resolver.labels))
}

struct Resolver<'a, 't> {
    cursor: &'a Cursor<'t>,
    machine: Machine,
    labels: BTreeMap<String, NodeId>,
    iommus: BTreeMap<NodeId, Table>,
}

impl Resolver<'_, '_> {
    /// Devices and functions, in the order of the text.
    fn devices(&mut self, lines: &Lines<'_>) -> Result<()> {
        let (mut devices, mut functions) = (lines.devices.iter(), lines.functions.iter());
        for is_function in &lines.is_function {
            if *is_function {
                self.function(lines, functions.next().expect("one for each"))?;
                continue;
            }
            let line = devices.next().expect("one for each");
            let device = Device {
                hid: line.hid.text.to_owned(),
                bus: line.bus,
                coherent: line.coherent,
                no_dma: line.no_dma,
                role: None,
            };
            self.declare(&line.name, NodeKind::Device(device))?;
        }
        Ok(())
    }

    /// An alias is nobody else's: functions that share one share a group, which is not modelled.
    fn function(&mut self, lines: &Lines<'_>, line: &FunctionLine<'_>) -> Result<()> {
        let address = |a: &Address| (a.segment, a.id);
        let of = |f: &&FunctionLine<'_>| address(&f.at) == address(&line.at);
        if lines.functions.iter().filter(of).count() > 1 {
            let message = "there are two functions at this address, expected one";
            return self.cursor.error(line.at.span, message);
        }
        for alias in &line.aliases {
            let all = lines.functions.iter();
            let ids = all.flat_map(|f| std::iter::once(&f.at).chain(&f.aliases));
            let problem = if ids.filter(|a| address(a) == address(alias)).count() > 1 {
                "this is the address or an alias of a second function, expected one that is nobody \
                 else's: groups of functions that share an id are not modelled"
            } else if alias.segment != line.at.segment {
                "this is in another segment, expected an alias in the function's own"
            } else {
                continue;
            };
            return self.cursor.error(alias.span, problem);
        }
        let function = PciFunction {
            segment: line.at.segment,
            id: line.at.id,
            aliases: line.aliases.iter().map(|a| a.id).collect(),
            coherent: line.coherent,
        };
        self.declare(&line.name, NodeKind::PciFunction(function))?;
        Ok(())
    }

    /// What the tables say about the ids of each function. A range that has none is noted.
    fn ranges(&mut self, lines: &Lines<'_>) -> Result<()> {
        let mut used = vec![false; lines.pci.len()];
        for line in &lines.functions {
            let device = self.labels[line.name.text];
            for table in [Table::Iort, Table::Rimt, Table::Viot] {
                let ids = std::iter::once(&line.at).chain(&line.aliases);
                for (n, address) in ids.enumerate() {
                    let id = u32::from(address.id);
                    let has = |r: &RangeLine<'_>| {
                        let number = id.checked_sub(r.first);
                        r.table == table
                            && r.segment == u32::from(address.segment)
                            && number.is_some_and(|n| n < r.number)
                    };
                    let Some(at) = lines.pci.iter().position(has) else {
                        if n == 0 {
                            // -ENODEV at once: this table has nothing on the function.
                            break;
                        }
                        let message = format!(
                            "no range of {} has this alias, expected one: the function's own id has one",
                            table.signature()
                        );
                        return self.cursor.error(address.span, message);
                    };
                    used[at] = true;
                    let range = &lines.pci[at];
                    let iommu = self.iommu_of(table, &range.iommu)?;
                    self.machine.endpoints.push(Endpoint {
                        table,
                        device,
                        iommu,
                        id: range.output + (id - range.first),
                    });
                }
            }
        }
        for (range, used) in lines.pci.iter().zip(used) {
            self.iommu_of(range.table, &range.iommu)?;
            if !used {
                self.machine.pci.push(range.table);
            }
        }
        Ok(())
    }

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
