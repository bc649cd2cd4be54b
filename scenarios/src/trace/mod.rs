//! Logs of real boots: what the tracer of a kernel and its log have written, line by line.
//!
//! Read are ftrace's text with events of kprobes (as `probe-litmus trace-setup` sets them up), the
//! `function` and the `function_graph` tracer, and kernel messages, in one file or several.
//! Every line is accounted for: it is an event, or of one of the kinds of [`Rest`], which
//! are counted, and listed where nobody understands them.

pub mod file;
mod ftrace;
mod graph;
pub mod kallsyms;
mod kprobe;
mod message;
mod names;

use crate::trace::file::{File, ParseError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Lines of one kind that are shown.
const SHOWN: usize = 20;

/// A thread of the kernel that made the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thread {
    /// Its name: `init`, `kworker/u8:1`.
    pub comm: String,
    /// Its number.
    pub pid: u32,
}

/// What a call works on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A device by name.
    Name(String),
    /// A device by the address of its struct device.
    Address(u64),
    /// The line does not say.
    Unknown,
}

/// `dev->driver`, as far as the line says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Driver {
    /// NULL.
    Null,
    /// Not NULL.
    Set,
    /// dev_driver_string(): the driver's name, or that of the bus where there is none.
    Name(String),
}

/// A call that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function, without what the compiler appended, but for `.part`.
    pub function: String,
    /// The device.
    pub subject: Subject,
    /// `dev->driver` when it began.
    pub driver: Option<Driver>,
    /// really_probe(): the driver that is to be bound.
    pub binds: Option<String>,
    /// of_xlate: the IOMMU's node and the id of the specifier.
    pub specifier: Option<(String, u32)>,
}

/// An event of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A function was entered.
    Enter(Call),
    /// A function returned, with what if the log says it.
    Exit {
        /// The function.
        function: String,
        /// What it returned.
        ret: Option<i64>,
    },
    /// An initcall level begins: `fs`.
    Level(String),
    /// A kernel message about a device, or the trace event that says the same.
    Message {
        /// dev_driver_string(), if it is said.
        driver: Option<Driver>,
        /// The device.
        device: String,
        /// Which message.
        about: Message,
    },
    /// A message of device_add()'s own, which tells the device's name: `device: 'psci': device_add`.
    Added {
        /// The device.
        device: String,
        /// The thread, if the message says it.
        pid: Option<u32>,
    },
}

/// The messages that the model has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// `Adding to iommu group 0`
    AddingToGroup,
    /// `late IOMMU probe at driver bind, something fishy here!`
    LateProbe,
}

/// A line that is an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which of the log's files, by number.
    pub file: usize,
    /// The line, from 1 on.
    pub line: usize,
    /// Who; not all logs say that.
    pub thread: Option<Thread>,
    /// Microseconds since the boot, if the line says it.
    pub time: Option<u64>,
    /// What.
    pub what: What,
    /// Where it stands in the file.
    pub text: String,
}

/// Why a line is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rest {
    /// Nothing stands in it.
    Blank,
    /// A heading of the tracer.
    Heading,
    /// An event of the tracer that says nothing about probing.
    OtherEvent,
    /// A kernel message that says nothing about probing.
    OtherMessage,
    /// Not understood.
    Unknown,
}

/// What one line is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Event {
        thread: Option<Thread>,
        time: Option<u64>,
        what: What,
    },
    Other(Rest),
}

/// A log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Its files.
    pub files: Vec<String>,
    /// Its events, in order.
    pub entries: Vec<Entry>,
    /// How many lines of each other kind there are.
    pub rest: BTreeMap<Rest, usize>,
    /// The first lines that were not understood: file, line, text.
    pub unknown: Vec<(usize, usize, String)>,
    /// All lines.
    pub lines: usize,
    /// Events that the tracer's buffer had no room for: at least so many.
    pub lost: u64,
    /// The kernel's release, if a message says it: `7.2.13+deb14-arm64`.
    pub release: Option<String>,
    /// The kernel's command line, if a message says it.
    pub command_line: Option<String>,
}

impl Log {
    /// Reads one file.
    pub fn read(path: &Path) -> Result<Self, ParseError> {
        let bytes = file::bytes(path)?;
        Ok(Self::of_text(
            &path.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        ))
    }

    /// A text that was never in a file.
    pub fn of_text(name: &str, text: &str) -> Self {
        let mut log = Self {
            files: vec![name.to_owned()],
            ..Self::default()
        };
        let mut graph = graph::Open::default();
        for line in File::of_text(name, text).lines() {
            log.lines += 1;
            message::facts(line.text, &mut log);
            log.lost = log
                .lost
                .saturating_add(ftrace::lost(line.text).unwrap_or(0));
            match classify(line.text, &mut graph) {
                Line::Event { thread, time, what } => log.entries.push(Entry {
                    file: 0,
                    line: log.lines,
                    thread,
                    time,
                    what,
                    text: line.text.trim().to_owned(),
                }),
                Line::Other(rest) => log.count(rest, line.text),
            }
        }
        log
    }

    fn count(&mut self, rest: Rest, text: &str) {
        *self.rest.entry(rest).or_default() += 1;
        if rest == Rest::Unknown && self.unknown.len() < SHOWN {
            self.unknown.push((0, self.lines, text.to_owned()));
        }
    }

    /// Takes in the events of another file of the same boot, in order of time.
    pub fn merge(&mut self, other: Self) {
        let first = self.files.len();
        self.files.extend(other.files);
        let shift = |mut entry: Entry| {
            entry.file += first;
            entry
        };
        self.entries.extend(other.entries.into_iter().map(shift));
        self.entries.sort_by_key(|e| e.time.unwrap_or(0));
        for (rest, n) in other.rest {
            *self.rest.entry(rest).or_default() += n;
        }
        let unknown = other.unknown.into_iter().map(|(f, l, t)| (f + first, l, t));
        self.unknown.extend(unknown);
        self.lines += other.lines;
        self.lost = self.lost.saturating_add(other.lost);
        self.release = self.release.take().or(other.release);
        self.command_line = self.command_line.take().or(other.command_line);
    }

    /// Gives calls that name a device by address the name that device_add()'s messages tell.
    /// Says how many addresses have one.
    pub fn name_devices(&mut self) -> usize {
        names::resolve(&mut self.entries)
    }

    /// The functions whose beginning is in the log, and those whose return is.
    pub fn functions(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut entered, mut returned) = (BTreeSet::new(), BTreeSet::new());
        for entry in &self.entries {
            match &entry.what {
                What::Enter(call) => {
                    entered.insert(call.function.clone());
                }
                What::Exit { function, .. } => {
                    returned.insert(function.clone());
                }
                _ => {}
            }
        }
        (entered, returned)
    }

    /// `FILE:LINE` of an event.
    pub fn place(&self, entry: &Entry) -> String {
        format!("{}:{}", self.files[entry.file], entry.line)
    }
}

/// A function's name as the tracer prints it, without what the compiler appended.
pub fn function_name(name: &str) -> Option<String> {
    kprobe::function(name)
}

/// What a line is.
fn classify(text: &str, graph: &mut graph::Open) -> Line {
    if text.trim().is_empty() {
        return Line::Other(Rest::Blank);
    }
    if text.starts_with('#') || ftrace::lost(text).is_some() {
        return Line::Other(Rest::Heading);
    }
    ftrace::line(text)
        .or_else(|| graph.line(text))
        .or_else(|| message::line(text))
        .unwrap_or(Line::Other(Rest::Unknown))
}
