//! Error numbers, as in include/uapi/asm-generic/errno*.h and include/linux/errno.h.
//! Functions return them negated, as in the kernel.

/// Operation not permitted.
pub const EPERM: i32 = 1;
/// Try again.
pub const EAGAIN: i32 = 11;
/// Device or resource busy.
pub const EBUSY: i32 = 16;
/// No such device.
pub const ENODEV: i32 = 19;
/// Invalid argument.
pub const EINVAL: i32 = 22;
/// Connection timed out.
pub const ETIMEDOUT: i32 = 110;
/// Driver requests probe retry.
pub const EPROBE_DEFER: i32 = 517;

const NAMES: [(&str, i32); 7] = [
    ("EPERM", EPERM),
    ("EAGAIN", EAGAIN),
    ("EBUSY", EBUSY),
    ("ENODEV", ENODEV),
    ("EINVAL", EINVAL),
    ("ETIMEDOUT", ETIMEDOUT),
    ("EPROBE_DEFER", EPROBE_DEFER),
];

/// An error as it is written in kernel text: `-EPROBE_DEFER`; `0` for success.
pub fn name(error: i32) -> String {
    let sign = if error < 0 { "-" } else { "" };
    match NAMES.iter().find(|(_, n)| *n == error.abs()) {
        Some((name, _)) => format!("{sign}{name}"),
        None => error.to_string(),
    }
}

/// Reads `-EPROBE_DEFER`, `-517` or `0`.
pub fn parse(text: &str) -> Option<i32> {
    let (sign, word) = text.strip_prefix('-').map_or((1, text), |w| (-1, w));
    let known = NAMES
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, n)| *n);
    known
        .or_else(|| word.parse::<u16>().ok().map(i32::from))
        .map(|n| sign * n)
}
