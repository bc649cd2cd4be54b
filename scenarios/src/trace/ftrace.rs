//! Lines of ftrace's default format: `init-1 [001] d.... 2.587762: EVENT`.

use super::kprobe;
use super::{Call, Driver, Line, Message, Rest, Subject, Thread, What};

/// What stands before the event.
pub(super) struct Head<'a> {
    pub(super) thread: Thread,
    /// Microseconds.
    pub(super) time: Option<u64>,
    pub(super) rest: &'a str,
}

/// Reads a line; `None` if it is none of this format.
pub(super) fn line(text: &str) -> Option<Line> {
    let head = head(text)?;
    let what = event(head.rest);
    Some(match what {
        Some(what) => Line::Event {
            thread: Some(head.thread),
            time: head.time,
            what,
        },
        None => Line::Other(Rest::OtherEvent),
    })
}

/// Events that were lost: `# entries-in-buffer/entries-written: 70/267   #P:2` of those that were
/// overwritten, and `CPU:1 [LOST 12 EVENTS]`.
pub(super) fn lost(text: &str) -> Option<u64> {
    if let Some(rest) = text.strip_prefix("CPU:") {
        let (_, rest) = rest.split_once(" [LOST ")?;
        return rest.strip_suffix(" EVENTS]")?.parse().ok();
    }
    let rest = text.strip_prefix("# entries-in-buffer/entries-written: ")?;
    let (kept, rest) = rest.split_once('/')?;
    let written = rest.split(' ').next()?;
    let number = |t: &str| t.trim().parse::<u64>().ok();
    Some(number(written)?.saturating_sub(number(kept)?))
}

/// `COMM-PID [CPU] FLAGS TIME: REST`, where the tgid, the flags or both may be missing.
fn head(text: &str) -> Option<Head<'_>> {
    let (open, close) = text.match_indices('[').find_map(|(open, _)| {
        let close = open + text[open..].find(']')?;
        let cpu = &text[open + 1..close];
        let is_cpu = cpu.len() >= 3 && cpu.bytes().all(|b| b.is_ascii_digit());
        (is_cpu && text[..open].ends_with(' ')).then_some((open, close))
    })?;
    let thread = thread(text[..open].trim())?;
    let mut rest = text[close + 1..].trim_start();
    // Flags, and the delay where there is one, stand before the time.
    for _ in 0..3 {
        let (word, after) = rest.split_once(' ')?;
        if let Some(time) = word.strip_suffix(':').and_then(micros) {
            return Some(Head {
                thread,
                time: Some(time),
                rest: after.trim_start(),
            });
        }
        rest = after.trim_start();
    }
    None
}

/// `kworker/u8:2-46`, `init-1  (      1)`
fn thread(text: &str) -> Option<Thread> {
    let text = match text.rsplit_once('(') {
        Some((name, tgid)) if tgid.ends_with(')') && name.ends_with(' ') => name.trim_end(),
        _ => text,
    };
    let (comm, pid) = text.rsplit_once('-')?;
    Some(Thread {
        comm: comm.to_owned(),
        pid: pid.parse().ok()?,
    })
}

/// `2.587762` as microseconds.
pub(super) fn micros(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.')?;
    let is_number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    let digits: u64 = fraction.parse().ok()?;
    let micros = match fraction.len() {
        n @ 0..6 => digits * 10u64.pow(6 - n as u32),
        n => digits / 10u64.pow(n as u32 - 6),
    };
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

/// What comes behind the time: a named event, or a line of the function tracer.
fn event(text: &str) -> Option<What> {
    if let Some((callee, caller)) = text.split_once(" <-") {
        let is_call = !callee.contains(": ") && !caller.contains(' ');
        if is_call {
            return call(callee).map(What::Enter);
        }
    }
    let (name, rest) = text.split_once(": ")?;
    match name {
        "initcall_level" => {
            let level = rest.strip_prefix("level=")?;
            Some(What::Level(level.trim().to_owned()))
        }
        "add_device_to_group" => {
            let device = rest.split("device=").nth(1)?.trim();
            Some(What::Message {
                driver: None,
                device: device.to_owned(),
                about: Message::AddingToGroup,
            })
        }
        _ => kprobe::event(rest),
    }
}

/// `really_probe`, or with arguments `really_probe(dev=0xffff000004445000, drv=0xffff800082cf6920)`.
pub(super) fn call(text: &str) -> Option<Call> {
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (text, ""),
    };
    let function = kprobe::function(name)?;
    let mut subject = Subject::Unknown;
    for argument in arguments.split(", ") {
        if let Some((key, value)) = argument.split_once('=')
            && ["dev", "hwdev"].contains(&key.trim())
        {
            subject = address(value).map_or(Subject::Unknown, Subject::Address);
        }
    }
    Some(Call {
        function,
        subject,
        driver: None::<Driver>,
        binds: None,
        specifier: None,
    })
}

/// `0xffff000004445000`
pub(super) fn address(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}
