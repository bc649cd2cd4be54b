//! Kernel messages, as `dmesg` and `journalctl -k` print them, with or without time; among them
//! a reporter's own prints in an IOMMU driver's of_xlate:
//! `platform ec700000.dma-controller: ipmmu_of_xlate`.

use super::ftrace::micros;
use super::{Call, Driver, Line, Log, Message, Rest, Subject, Thread, What};

/// What dev_driver_string() says of a device without a driver: the name of its bus.
const BUSES: [&str; 2] = ["platform", "amba"];

/// Facts about the kernel that a message tells.
pub(super) fn facts(text: &str, log: &mut Log) {
    if let Some((_, rest)) = text.split_once("Linux version ") {
        let release = rest.split(' ').next().unwrap_or(rest);
        log.release.get_or_insert_with(|| release.to_owned());
    }
    if let Some((_, rest)) = text.split_once("Kernel command line: ") {
        log.command_line.get_or_insert_with(|| rest.to_owned());
    }
}

/// Reads a line; `None` if it looks like no kernel message.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim();
    let (thread, time, message, is_dated) = head(text);
    match what(message) {
        Some(what) => Some(Line::Event { thread, time, what }),
        None if is_dated => Some(Line::Other(Rest::OtherMessage)),
        None => None,
    }
}

/// Takes off the level `<6>`, the time `[    1.951034]`, who printed it `[    T1]`, and what
/// syslog puts before. Says whether there was any of that.
fn head(text: &str) -> (Option<Thread>, Option<u64>, &str, bool) {
    let mut rest = text;
    let mut dated = false;
    if let Some((_, message)) = rest.split_once(" kernel: ") {
        (rest, dated) = (message, true);
    }
    if let Some((level, after)) = rest.strip_prefix('<').and_then(|r| r.split_once('>'))
        && level.bytes().all(|b| b.is_ascii_digit())
    {
        rest = after;
    }
    let mut time = None;
    let mut thread = None;
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        let inside = inside.trim();
        if time.is_none() && micros(inside).is_some() {
            time = micros(inside);
        } else if let Some(pid) = inside.strip_prefix('T').and_then(|p| p.parse().ok()) {
            let comm = String::new();
            thread = Some(Thread { comm, pid });
        } else if !(dated && inside.starts_with('C')) {
            break;
        }
        dated = true;
        rest = after;
    }
    (thread, time, rest.trim_start(), dated)
}

/// `pwrseq_simple pwrseq0: Adding to iommu group 5` and its like.
fn what(text: &str) -> Option<What> {
    if let Some(added) = added(text) {
        return Some(added);
    }
    let (who, said) = text.split_once(": ")?;
    // A driver's name may hold a space, a device's name hardly does.
    let (driver, device) = who.rsplit_once(' ')?;
    let driver = if BUSES.contains(&driver) {
        Driver::Null
    } else {
        Driver::Name(driver.to_owned())
    };
    if said.starts_with("Adding to iommu group ") {
        return Some(message(driver, device, Message::AddingToGroup));
    }
    if said.starts_with("late IOMMU probe at driver bind") {
        return Some(message(driver, device, Message::LateProbe));
    }
    let word = said.split([' ', '(', ':']).next().unwrap_or(said);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_of_xlate = word.ends_with("_of_xlate") && word.chars().all(is_name);
    is_of_xlate.then(|| {
        What::Enter(Call {
            function: word.to_owned(),
            subject: Subject::Name(device.to_owned()),
            driver: Some(driver),
            binds: None,
            specifier: None,
        })
    })
}

fn message(driver: Driver, device: &str, about: Message) -> What {
    What::Message {
        driver: Some(driver),
        device: device.to_owned(),
        about,
    }
}

/// `[1] device: 'psci': device_add`, of `dyndbg="file drivers/base/core.c +pt"`.
fn added(text: &str) -> Option<What> {
    let (pid, rest) = match text.strip_prefix('[').and_then(|r| r.split_once("] ")) {
        Some((pid, rest)) => (Some(pid.parse().ok()?), rest),
        None => (None, text),
    };
    let rest = rest.strip_prefix("device: '")?;
    let (device, rest) = rest.split_once("': ")?;
    (rest.trim() == "device_add").then(|| What::Added {
        device: device.to_owned(),
        pid,
    })
}
