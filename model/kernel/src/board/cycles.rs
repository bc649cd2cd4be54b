//! Cycles of dependencies, which block nobody.

use super::{Board, LinkDescription};
use crate::ids::DeviceId;
use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;
use std::collections::BTreeMap;

impl Board {
    /// __fw_devlink_relax_cycles(): what lies on a cycle does not make a consumer wait. A device
    /// depends on its suppliers and on the device above it. The kernel looks for cycles while
    /// devices are added; here all are known beforehand.
    pub(super) fn relax_cycles(&self, links: &mut Vec<LinkDescription>) {
        let mut needs: DiGraphMap<u16, ()> = DiGraphMap::new();
        for link in &*links {
            needs.add_edge(link.consumer.0, link.supplier.0, ());
        }
        for device in self.device_ids() {
            if let Some(parent) = self.devices[device.index()].parent {
                needs.add_edge(device.0, parent.0, ());
            }
        }
        let mut component: BTreeMap<DeviceId, usize> = BTreeMap::new();
        for (number, members) in kosaraju_scc(&needs).into_iter().enumerate() {
            component.extend(members.into_iter().map(|d| (DeviceId(d), number)));
        }
        links.retain(|l| component.get(&l.supplier) != component.get(&l.consumer));
    }
}
