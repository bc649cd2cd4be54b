//! `state.txt` of a trace: groups, drivers and what waits, at the end of the boot.

use scenarios::trace::file::{File, Line, ParseError};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// All of one `state.txt` that is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Members of the groups, which stand in order of their numbers.
    pub(crate) groups: BTreeSet<Member>,
    /// The platform and amba devices.
    pub(crate) bound: BTreeMap<String, Bound>,
    /// /sys/kernel/debug/devices_deferred
    pub(crate) deferred: BTreeSet<String>,
}

/// A device in a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    /// The group's number.
    pub(crate) group: usize,
    /// Type of its default domain.
    pub(crate) domain: String,
    /// The device.
    pub(crate) device: String,
}

/// What a device ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Its driver.
    pub(crate) driver: Option<String>,
    /// `iommu` in its folder.
    pub(crate) iommu: Iommu,
}

/// `iommu` in a device's folder in sysfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Iommu {
    /// Not there.
    Absent,
    /// A link to the instance that the device is behind.
    Client,
    /// A folder: the device is an instance.
    Instance,
}

/// Reads a `state.txt`. Gives the kernel's release too: `7.2.13+deb14-arm64`.
pub(crate) fn parse(file: &File) -> Result<(String, State), ParseError> {
    let mut state = State::default();
    let mut release = None;
    let mut section = "";
    let mut seen = BTreeSet::new();
    for line in file.lines() {
        if let Some(name) = line.text.strip_prefix("== ") {
            section = name;
            seen.insert(name);
            continue;
        }
        match section {
            "version" => release = Some(parse_release(line)?),
            "groups" => {
                state.groups.insert(parse_member(line)?);
            }
            // What the shell of the recording had to say about a name with a space.
            "bound" if line.text.starts_with("sh: ") => {}
            "bound" => state.bound.extend([parse_bound(line)?]),
            "devices_deferred" => {
                let name = line.text.split('\t').next().unwrap_or_default();
                state.deferred.insert(name.to_owned());
            }
            _ => return Err(line.error("not in a section that is known")),
        }
    }
    for section in ["version", "groups", "bound", "devices_deferred"] {
        if !seen.contains(section) {
            return Err(file.error(format!("no section `{section}`")));
        }
    }
    let release = release.ok_or_else(|| file.error("no version".to_owned()))?;
    Ok((release, state))
}

/// `Linux version 7.2.13+deb14-arm64 (...`
fn parse_release(line: Line<'_>) -> Result<String, ParseError> {
    let rest = line.text.strip_prefix("Linux version ");
    let release = rest.and_then(|r| r.split(' ').next());
    let release = release.ok_or_else(|| line.error("not the version of a kernel"))?;
    Ok(release.to_owned())
}

/// `0 DMA 7f002000.sram`
fn parse_member(line: Line<'_>) -> Result<Member, ParseError> {
    let words: Vec<&str> = line.text.split(' ').collect();
    let member = match words.as_slice() {
        [group, domain, device] => group.parse().ok().map(|group| Member {
            group,
            domain: (*domain).to_owned(),
            device: (*device).to_owned(),
        }),
        _ => None,
    };
    member.ok_or_else(|| line.error("not a member of a group"))
}

/// `pwrseq0 driver=pwrseq_simple iommu=smmu3.0x0000000009050000`
fn parse_bound(line: Line<'_>) -> Result<(String, Bound), ParseError> {
    let split = line.text.rsplit_once(" iommu=").and_then(|(rest, iommu)| {
        let (name, driver) = rest.rsplit_once(" driver=")?;
        Some((name, driver, iommu))
    });
    let (name, driver, iommu) = split.ok_or_else(|| line.error("not a device"))?;
    let bound = Bound {
        driver: (driver != "-").then(|| driver.to_owned()),
        iommu: match iommu {
            "-" => Iommu::Absent,
            "" => Iommu::Instance,
            _ => Iommu::Client,
        },
    };
    Ok((name.to_owned(), bound))
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "== groups")?;
        for m in &self.groups {
            writeln!(f, "{} {} {}", m.group, m.domain, m.device)?;
        }
        writeln!(f, "== bound")?;
        for (name, bound) in &self.bound {
            let driver = bound.driver.as_deref().unwrap_or("-");
            writeln!(f, "{name} driver={driver} iommu={}", bound.iommu)?;
        }
        writeln!(f, "== devices_deferred")?;
        for name in &self.deferred {
            writeln!(f, "{name}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Iommu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Iommu::Absent => "-",
            Iommu::Client => "client",
            Iommu::Instance => "instance",
        })
    }
}
