//! Events of kprobes: `(really_probe+0x0/0x3f8) d="pwrseq0" v="pwrseq_simple"`, and of return
//! probes: `(__driver_probe_device+0x16c/0x1c8 <- really_probe) ret=-517`.
//!
//! The names of the arguments are those that `probe-litmus trace-setup` gives.

use super::{Call, Driver, Subject, What};

/// Reads what stands behind the event's name; `None` if it is no event of a kprobe at the
/// beginning or the return of a function.
pub(super) fn event(text: &str) -> Option<What> {
    let (place, arguments) = text.strip_prefix('(')?.split_once(')')?;
    if let Some((_, name)) = place.split_once(" <- ") {
        let ret = fields(arguments).find(|(key, _)| *key == "ret" || *key == "arg1");
        return Some(What::Exit {
            function: function(name)?,
            ret: ret.and_then(|(_, value)| number(value)),
        });
    }
    let (name, offset) = place.rsplit_once('+')?;
    if !offset.starts_with("0x0/") && offset != "0x0" {
        return None;
    }
    let mut call = Call {
        function: function(name)?,
        subject: Subject::Unknown,
        driver: None,
        binds: None,
        specifier: None,
    };
    let (mut node, mut id) = (None, None);
    for (key, value) in fields(arguments) {
        let text = || string(value).map(str::to_owned);
        match key {
            "d" => call.subject = text().map_or(Subject::Unknown, Subject::Name),
            "drv" => {
                call.driver =
                    number(value).map(|n| if n == 0 { Driver::Null } else { Driver::Set });
            }
            "v" => call.binds = text(),
            "i" => node = text(),
            "n" => id = number(value).and_then(|n| u32::try_from(n).ok()),
            _ => {}
        }
    }
    call.specifier = node.zip(id);
    Some(What::Enter(call))
}

/// A function's name without what the compiler appended. Of a part that was split off, `.part`
/// stays: it is another function.
pub(super) fn function(name: &str) -> Option<String> {
    let mut words = name.split('.');
    let base = words.next()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if base.is_empty() || !base.chars().all(is_name) {
        return None;
    }
    let is_part = words.any(|word| word == "part");
    Some(if is_part {
        format!("{base}.part")
    } else {
        base.to_owned()
    })
}

/// `key=value` pairs; a value in quotes may hold spaces.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let end = match after.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(after.len(), |end| end + 2),
            None => after.find(' ').unwrap_or(after.len()),
        };
        rest = after[end..].trim_start();
        Some((key.trim(), &after[..end]))
    })
}

/// `"pwrseq0"`; a text that could not be read is `(fault)`.
fn string(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// A number in decimal or hexadecimal. What has 32 bits of hexadecimal is an int.
pub(super) fn number(text: &str) -> Option<i64> {
    let Some(digits) = text.strip_prefix("0x") else {
        return text.parse().ok();
    };
    let value = u64::from_str_radix(digits, 16).ok()?;
    Some(match u32::try_from(value) {
        Ok(value) if digits.len() == 8 => i64::from(value.cast_signed()),
        _ => value.cast_signed(),
    })
}
