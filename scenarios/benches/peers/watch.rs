//! A peer as a process: what it prints, for how long, with how much memory. A process can be
//! ended at any time, so a peer needs no limit of its own.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared by the bench and a test, which use the part they need"
)]

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What a process did.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The lines of its standard output.
    pub lines: Vec<String>,
    /// It came to its end by itself, without an error.
    pub ended: bool,
    /// It was not cut short.
    pub in_time: bool,
    /// Seconds of wall-clock time, as it says in the line `seconds N`; if it was cut short, since
    /// its line `start` or, if there was none, its start.
    pub seconds: f64,
    /// KiB of memory at most, as it says in the line `maxrss N` or as the system says.
    pub peak_kib: Option<u64>,
}

impl Watched {
    /// What stands in its lines `outcome X`.
    pub fn outcomes(&self) -> BTreeSet<String> {
        let lines = self.lines.iter();
        let outcomes = lines.filter_map(|l| l.strip_prefix("outcome "));
        outcomes.map(str::to_owned).collect()
    }
}

/// Runs a process until it ends, or until `limit` has passed. The time begins with its first line if
/// that is `start` and comes within `limit` and `ready` together, else `ready` after it was started.
pub fn watch(command: &mut Command, limit: Duration, ready: Duration) -> io::Result<Watched> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut start = Instant::now();
    let mut end = start + ready + limit;
    let stdout = child.stdout.take().expect("it was asked for");
    let (sender, pieces) = channel();
    let reader = thread::spawn(move || pieces_of(stdout, |piece| sender.send(piece).is_ok()));
    let mut printed = vec![];
    let mut peak_kib = None;
    let mut in_time = true;
    loop {
        match pieces.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((at, piece)) => {
                let had_started = printed.starts_with(START);
                printed.extend(piece);
                if !had_started && printed.starts_with(START) {
                    start = at;
                    end = at + limit;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                peak_kib = peak_of(&child.id().to_string());
                child.kill()?;
                in_time = false;
                break;
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    drop(pieces);
    let status = child.wait()?;
    reader.join().expect("it only reads");
    let lines = lines(&printed, in_time);
    Ok(Watched {
        peak_kib: peak_kib.or_else(|| number_in(&lines, "maxrss ", "")),
        seconds: number_in(&lines, "seconds ", "").unwrap_or(seconds),
        lines,
        ended: in_time && status.success(),
        in_time,
    })
}

/// What a process prints as its first line when what it does begins.
const START: &[u8] = b"start\n";

/// Passes on what is printed, and when, as it comes: lines are made of it when the process has ended,
/// since it is not to share the processor with who watches it.
fn pieces_of(mut from: impl Read, mut pass: impl FnMut((Instant, Vec<u8>)) -> bool) {
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = match from.read(&mut piece) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        if !pass((Instant::now(), piece[..length].to_vec())) {
            return;
        }
    }
}

/// Lines that were printed; the last may have been cut short, and then is left out.
fn lines(printed: &[u8], is_whole: bool) -> Vec<String> {
    let text = String::from_utf8_lossy(printed);
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    let text = if is_whole { &text } else { &text[..end] };
    text.lines().map(str::to_owned).collect()
}

/// KiB of memory that a process (`self`, or its number) has had at most; Linux only.
pub fn peak_of(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The number between these two in the last line that has them.
pub fn number_in<N: FromStr>(lines: &[String], before: &str, after: &str) -> Option<N> {
    lines.iter().rev().find_map(|line| {
        let rest = line.trim().strip_prefix(before)?;
        rest.strip_suffix(after)?.trim().parse().ok()
    })
}
