//! The of_xlate calls of a recorded run: for whom, with or without a driver, and called by whom.

use checker::event::{Event, TaskId, What};
use std::collections::BTreeMap;
use std::fmt;

/// Who asked: the innermost of these that the call happened in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// iommu_device_register() of this IOMMU device, walking the bus.
    Walk(String),
    /// really_probe() of the device itself.
    Bind,
    /// The ADD_DEVICE notifier.
    Notifier,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Walk(iommu) => write!(f, "walk of {iommu}"),
            Caller::Bind => f.write_str("own bind"),
            Caller::Notifier => f.write_str("notifier"),
        }
    }
}

/// One call of an IOMMU driver's of_xlate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XlateCall {
    /// The client.
    pub device: String,
    /// The driver that `dev->driver` names, `platform` if it is NULL.
    pub driver: String,
    /// The IOMMU driver's function, such as `ipmmu_of_xlate`.
    pub function: String,
    /// Who asked.
    pub caller: Caller,
    /// What it returned.
    pub ret: i32,
}

impl XlateCall {
    /// Whether `dev->driver` was set.
    pub fn has_driver(&self) -> bool {
        self.driver != "platform"
    }
}

impl fmt::Display for XlateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.driver, self.device, self.function)
    }
}

/// Reads the calls off a recorded run.
pub fn of_xlate_calls(events: &[Event]) -> Vec<XlateCall> {
    let mut open: BTreeMap<TaskId, Vec<(&'static str, String)>> = BTreeMap::new();
    let mut announced: BTreeMap<TaskId, (String, String)> = BTreeMap::new();
    let mut pending: BTreeMap<TaskId, usize> = BTreeMap::new();
    let mut calls: Vec<XlateCall> = vec![];
    for event in events {
        let stack = open.entry(event.task).or_default();
        match &event.what {
            What::Note {
                kind: "of_xlate",
                text,
            } => {
                announced.insert(event.task, split_announcement(text));
            }
            What::Enter { function, object } => {
                if let (true, Some((driver, _))) = (
                    function.ends_with("_of_xlate"),
                    announced.remove(&event.task),
                ) {
                    pending.insert(event.task, calls.len());
                    let caller = caller(stack, object);
                    let function = (*function).to_owned();
                    calls.push(XlateCall {
                        device: object.clone(),
                        driver,
                        function,
                        caller,
                        ret: 0,
                    });
                }
                stack.push((function, object.clone()));
            }
            What::Exit { function, ret } => {
                stack.pop();
                if let (true, Some(call)) =
                    (function.ends_with("_of_xlate"), pending.remove(&event.task))
                {
                    calls[call].ret = ret.parse().unwrap_or(0);
                }
            }
            _ => {}
        }
    }
    calls
}

/// `platform ee300000.sata: ipmmu_of_xlate` as driver and device.
fn split_announcement(text: &str) -> (String, String) {
    let (driver, rest) = text.split_once(' ').unwrap_or((text, ""));
    let device = rest.rsplit_once(": ").map_or(rest, |(device, _)| device);
    (driver.to_owned(), device.to_owned())
}

fn caller(stack: &[(&'static str, String)], device: &str) -> Caller {
    if stack
        .iter()
        .any(|(function, object)| *function == "really_probe" && object == device)
    {
        return Caller::Bind;
    }
    let walk = stack
        .iter()
        .rev()
        .find(|(function, _)| *function == "iommu_device_register");
    walk.map_or(Caller::Notifier, |(_, iommu)| Caller::Walk(iommu.clone()))
}
