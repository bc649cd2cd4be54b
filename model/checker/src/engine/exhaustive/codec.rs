//! Numbers and lists as bytes, little-endian, in a file that ends with a checksum of all before.

use crate::hash::Rolling;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

/// Bytes that are written, and hashed, at once.
const BLOCK: usize = 1 << 16;
/// Bytes of the checksum.
const CHECKSUM: u64 = 16;

/// Writes a file. Errors are kept until [`Writer::finish`].
pub(crate) struct Writer {
    file: File,
    block: Vec<u8>,
    hash: Rolling,
    result: io::Result<()>,
}

impl Writer {
    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            block: Vec::with_capacity(BLOCK),
            hash: Rolling::default(),
            result: Ok(()),
        }
    }

    /// Appends bytes as they are.
    pub(crate) fn bytes(&mut self, mut all: &[u8]) {
        while !all.is_empty() {
            let (now, later) = all.split_at(all.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            all = later;
            if self.block.len() == BLOCK {
                self.put();
            }
        }
    }

    fn put(&mut self) {
        self.hash.push_bytes(&self.block);
        if self.result.is_ok() {
            self.result = self.file.write_all(&self.block);
        }
        self.block.clear();
    }

    pub(crate) fn u8(&mut self, n: u8) {
        self.bytes(&[n]);
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    pub(crate) fn u32(&mut self, n: u32) {
        self.bytes(&n.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, n: u64) {
        self.bytes(&n.to_le_bytes());
    }

    pub(crate) fn u128(&mut self, n: u128) {
        self.bytes(&n.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    /// Appends a list: its length, then each element.
    pub(crate) fn list<T>(&mut self, all: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.u64(all.len() as u64);
        for element in all {
            each(self, element);
        }
    }

    /// Appends something, if it is there, and whether it is.
    pub(crate) fn option<T>(&mut self, one: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.flag(one.is_some());
        if let Some(one) = one {
            write(self, one);
        }
    }

    /// Appends the checksum, and waits until everything is on the disk.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.put();
        self.result?;
        self.file.write_all(&self.hash.finish().to_le_bytes())?;
        self.file.sync_all()
    }
}

/// What was read is none of the things that may stand there.
#[derive(Debug)]
pub(crate) struct Malformed;

impl From<io::Error> for Malformed {
    fn from(_: io::Error) -> Self {
        Malformed
    }
}

/// Why the content of a file is not to be trusted: what was found there, and what was expected.
#[derive(Debug)]
pub(crate) struct Damage {
    pub(crate) found: String,
    pub(crate) expected: String,
}

/// Reads a file.
pub(crate) struct Reader {
    file: BufReader<File>,
    left: u64,
}

impl Reader {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let left = file.metadata()?.len();
        Ok(Self {
            file: BufReader::new(file),
            left,
        })
    }

    /// Compares the checksum of the whole file, and goes back to where it stands. From then on
    /// the checksum is no part of what is left.
    pub(crate) fn verify(&mut self) -> io::Result<Result<(), Damage>> {
        let at = self.file.stream_position()?;
        let Some(mut left) = (at + self.left).checked_sub(CHECKSUM) else {
            return Ok(Err(Damage {
                found: format!("{} bytes", at + self.left),
                expected: format!("at least the {CHECKSUM} of a checksum"),
            }));
        };
        self.file.seek(SeekFrom::Start(0))?;
        let mut hash = Rolling::default();
        let mut block = vec![0; BLOCK];
        loop {
            let now = left.min(BLOCK as u64) as usize;
            self.file.read_exact(&mut block[..now])?;
            hash.push_bytes(&block[..now]);
            left -= now as u64;
            if now < BLOCK {
                break;
            }
        }
        let mut stored = [0; CHECKSUM as usize];
        self.file.read_exact(&mut stored)?;
        let (found, expected) = (hash.finish(), u128::from_le_bytes(stored));
        self.file.seek(SeekFrom::Start(at))?;
        self.left = self.left.saturating_sub(CHECKSUM);
        Ok(if found == expected {
            Ok(())
        } else {
            Err(Damage {
                found: format!("the checksum {found:032x}"),
                expected: format!("{expected:032x}, as it says at its end"),
            })
        })
    }

    /// Reads so many bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.left = self.left.checked_sub(N as u64).ok_or(Malformed)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Result<u128, Malformed> {
        self.array().map(u128::from_le_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let bytes = self.list(Self::u8)?;
        String::from_utf8(bytes).map_err(|_| Malformed)
    }

    /// The name of a function: such names live as long as the program, and so does this one, of
    /// which there is only one.
    pub(crate) fn name(&mut self) -> Result<&'static str, Malformed> {
        static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let text = self.text()?;
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(&text[..]) {
            return Ok(name);
        }
        let name = text.leak();
        names.insert(name);
        Ok(name)
    }

    /// Reads a list as [`Writer::list`] writes it. Each element takes at least a byte.
    pub(crate) fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.u64()?;
        if count > self.left {
            return Err(Malformed);
        }
        (0..count).map(|_| each(self)).collect()
    }

    /// Reads what [`Writer::option`] writes.
    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        self.flag()?.then(|| read(self)).transpose()
    }

    /// Whether all has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.left == 0
    }
}
