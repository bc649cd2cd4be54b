//! What a log shows of a run: the same words for what stands in a log and for what the model does.

use crate::trace::{Driver, Message};
use kernel::ids::DeviceId;
use kernel::kernel::Kernel;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The function that runs deferred_probe_work.
pub(super) const WORK: &str = "deferred_probe_work_func";

/// Something that a log can show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shown {
    /// A function is entered.
    Enter {
        function: Cow<'static, str>,
        device: Option<DeviceId>,
        driver: Option<Driver>,
        specifier: Option<(String, u32)>,
    },
    /// A function returns.
    Exit {
        function: Cow<'static, str>,
        device: Option<DeviceId>,
        ret: Option<i64>,
    },
    /// An initcall level begins.
    Level(String),
    /// A kernel message.
    Message { device: DeviceId, about: Message },
}

impl Shown {
    /// The call alone, whatever `dev->driver` is.
    pub(super) fn without_driver(&self) -> Self {
        let mut call = self.clone();
        if let Shown::Enter { driver, .. } = &mut call {
            *driver = None;
        }
        call
    }

    /// Whether it is the beginning of deferred_probe_work_func().
    pub(super) fn is_work(&self) -> bool {
        matches!(self, Shown::Enter { function, .. } if function == WORK)
    }

    /// Whether a kernel message can show it.
    pub(super) fn can_be_message(&self) -> bool {
        match self {
            Shown::Message { .. } => true,
            Shown::Enter { function, .. } => function.ends_with("_of_xlate"),
            _ => false,
        }
    }

    /// The device that it is about.
    pub(super) fn device(&self) -> Option<DeviceId> {
        match self {
            Shown::Enter { device, .. } | Shown::Exit { device, .. } => *device,
            Shown::Message { device, .. } => Some(*device),
            Shown::Level(_) => None,
        }
    }

    /// As [`Shown::fits`], whatever `dev->driver` is, which others may change.
    pub(super) fn is_same_call(&self, log: &Shown) -> bool {
        match (self, log) {
            (
                Shown::Enter {
                    function,
                    device,
                    specifier,
                    ..
                },
                Shown::Enter {
                    function: f,
                    device: d,
                    specifier: s,
                    ..
                },
            ) => {
                function == f
                    && (d.is_none() || device == d)
                    && (s.is_none() || specifier.is_none() || specifier == s)
            }
            _ => self.fits(log),
        }
    }

    /// Whether what the model shows is what stands in the log, as far as the log says it.
    pub(super) fn fits(&self, log: &Shown) -> bool {
        match (self, log) {
            (
                Shown::Enter {
                    function,
                    device,
                    driver,
                    specifier,
                },
                Shown::Enter {
                    function: f,
                    device: d,
                    driver: has,
                    specifier: s,
                },
            ) => {
                function == f
                    && (d.is_none() || device == d)
                    && has
                        .as_ref()
                        .is_none_or(|has| is_same_driver(driver.as_ref(), has))
                    && (s.is_none() || specifier.is_none() || specifier == s)
            }
            (
                Shown::Exit {
                    function,
                    device,
                    ret,
                },
                Shown::Exit {
                    function: f,
                    device: d,
                    ret: r,
                },
            ) => function == f && (d.is_none() || device == d) && (r.is_none() || ret == r),
            (Shown::Level(a), Shown::Level(b)) => a == b,
            (Shown::Message { .. }, Shown::Message { .. }) => self == log,
            _ => false,
        }
    }

    /// As a line for people.
    pub(super) fn text(&self, kernel: &Kernel) -> String {
        let name = |device: &Option<DeviceId>| {
            device.map_or(String::new(), |d| kernel.device(d).name.clone())
        };
        match self {
            Shown::Enter {
                function,
                device,
                driver,
                specifier,
            } => {
                let mut text = format!("{function}({})", name(device));
                match driver {
                    Some(Driver::Null) => text += " dev->driver NULL",
                    Some(Driver::Set) => text += " dev->driver set",
                    Some(Driver::Name(name)) => {
                        let _ = write!(text, " dev->driver {name}");
                    }
                    None => {}
                }
                if let Some((node, id)) = specifier {
                    let _ = write!(text, " {node}:{id}");
                }
                text
            }
            Shown::Exit {
                function,
                device,
                ret,
            } => {
                let ret = ret.map_or(String::new(), |r| format!(" {r}"));
                format!("{function}({}) returns{ret}", name(device))
            }
            Shown::Level(level) => format!("initcall level {level}"),
            Shown::Message { device, about } => {
                let said = match about {
                    Message::AddingToGroup => "Adding to iommu group",
                    Message::LateProbe => "WARN late IOMMU probe at driver bind",
                };
                format!("{}: {said}", kernel.device(*device).name)
            }
        }
    }
}

/// Whether `dev->driver` of the model is what the log says of it.
fn is_same_driver(model: Option<&Driver>, log: &Driver) -> bool {
    match (model, log) {
        (Some(Driver::Name(a)), Driver::Name(b)) => a == b,
        // Without an answer the model has no say.
        (None, _)
        | (Some(Driver::Null), Driver::Null)
        | (Some(Driver::Name(_) | Driver::Set), Driver::Set) => true,
        _ => false,
    }
}
