//! The law of the of_xlate calls on a board whose IPMMUs all have one driver.
//!
//! R is the number of the walk of a client's own instance, B that of the last walk before the
//! client binds. Before walk R nobody calls: the instance is not listed.
//!
//! - A client that the IPMMU refuses: once in each walk from R to B, and once at its bind.
//! - An accepted one: once, in walk R. But before d9d3cede4167 ("iommu/ipmmu-vmsa: Register in a
//!   sensible order") an instance could not take in its own clients in its own walk. Then: in walk
//!   R in vain, and again in walk R+1; if there is none before the bind, at the bind, with the WARN
//!   about the late probe.
//!
//! Walks and binds are read off the record; of the calls themselves nothing is.

use checker::event::What;
use kernel::commit;
use scenarios::boot::Boot;
use std::collections::BTreeMap;

/// What the law says about a boot.
pub(crate) struct Predicted {
    /// Calls without a driver and with one, for each client that is called for at all.
    pub(crate) counts: BTreeMap<String, (usize, usize)>,
    /// Clients with a WARN, in the order of their binds.
    pub(crate) late_probes: Vec<String>,
}

/// Walks and binds of a boot.
#[derive(Default)]
struct Record {
    /// IOMMU devices in the order in which they were registered.
    walks: Vec<String>,
    /// Bind attempts: the device, and how many walks there had been.
    binds: Vec<(String, usize)>,
}

impl Record {
    fn of(booted: &Boot) -> Self {
        let mut record = Self::default();
        for event in &booted.trace.events {
            let What::Enter { function, object } = &event.what else {
                continue;
            };
            match *function {
                "iommu_device_register" => record.walks.push(object.clone()),
                "really_probe" => record.binds.push((object.clone(), record.walks.len())),
                _ => {}
            }
        }
        record
    }

    /// The number of an instance's walk, from 1.
    fn walk_of(&self, instance: &str) -> Option<usize> {
        Some(self.walks.iter().position(|w| w == instance)? + 1)
    }
}

/// Applies the law to the walks and binds of a boot.
pub(crate) fn predict(booted: &Boot, is_allowed: &dyn Fn(&str) -> bool) -> Predicted {
    let record = Record::of(booted);
    let board = booted.kernel.board();
    let usable_in_own_walk = booted.kernel.has(commit::D9D3CEDE4167);
    let mut counts = BTreeMap::new();
    let mut late = vec![];
    for client in board.devices.iter().filter(|d| !d.iommus.is_empty()) {
        let instance = board.device_of_node(client.iommus[0].node);
        let instance = instance.expect("every IPMMU is a device");
        let Some(own) = record.walk_of(&board.devices[instance.index()].name) else {
            continue;
        };
        let mut binds = record.binds.iter().enumerate();
        let bind = binds.find(|(_, (device, walks))| *device == client.name && *walks >= own);
        let last = bind.map_or(record.walks.len(), |(_, (_, walks))| *walks);
        let at_bind = usize::from(bind.is_some());
        let count = if !is_allowed(&client.name) {
            (last - own + 1, at_bind)
        } else if usable_in_own_walk {
            (1, 0)
        } else if last > own {
            (2, 0)
        } else {
            late.extend(bind.map(|(order, _)| (order, client.name.clone())));
            (1, at_bind)
        };
        counts.insert(client.name.clone(), count);
    }
    late.sort();
    Predicted {
        counts,
        late_probes: late.into_iter().map(|(_, name)| name).collect(),
    }
}
