//! Devices that are named by an address. device_add() prints the device's name, a moment after it
//! was entered, on the same clock: that tells which address is whose.

use super::{Call, Entry, Subject, What};
use std::collections::BTreeMap;

/// Puts names where addresses are. Gives how many addresses have a name.
pub(super) fn resolve(entries: &mut [Entry]) -> usize {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    // Calls of device_add() that have not said their names yet: who, and the address.
    let mut waiting: Vec<(Option<u32>, u64)> = vec![];
    for entry in entries.iter() {
        match &entry.what {
            What::Enter(Call {
                function,
                subject: Subject::Address(address),
                ..
            }) if function == "device_add" => {
                let pid = entry.thread.as_ref().map(|t| t.pid);
                waiting.push((pid, *address));
            }
            What::Added { device, pid } => {
                let pid = pid.or_else(|| entry.thread.as_ref().map(|t| t.pid));
                let is_his = |w: &(Option<u32>, u64)| pid.is_none() || w.0 == pid;
                if let Some(at) = waiting.iter().position(is_his) {
                    let (_, address) = waiting.remove(at);
                    names.insert(address, device.clone());
                }
            }
            _ => {}
        }
    }
    for entry in entries {
        if let What::Enter(call) = &mut entry.what
            && let Subject::Address(address) = call.subject
            && let Some(name) = names.get(&address)
        {
            call.subject = Subject::Name(name.clone());
        }
    }
    names.len()
}
