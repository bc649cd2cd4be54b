//! A place in the text of a board, and the words of the language.

use miette::SourceSpan;

use super::error::TextError;

/// Errors are rare and large, results are neither.
pub(super) type Result<T> = std::result::Result<T, Box<TextError>>;

/// Reads words from a text.
pub(super) struct Cursor<'a> {
    file_name: &'a str,
    text: &'a str,
    at: usize,
}

/// Longest text, in bytes. The largest board of the kernel is a tenth of it.
pub const MAX_TEXT: usize = 4 << 20;

impl<'a> Cursor<'a> {
    /// At the beginning of a text, which must not be too long.
    pub(super) fn new(file_name: &'a str, text: &'a str) -> Result<Self> {
        if text.len() > MAX_TEXT {
            let message = format!(
                "found a text of {} bytes, expected at most {MAX_TEXT}",
                text.len()
            );
            return Err(TextError::new(file_name, "", (0, 0).into(), message).into());
        }
        Ok(Self {
            file_name,
            text,
            at: 0,
        })
    }

    /// Where the next word starts, once [`Self::skip_blank`] has been called.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The span from `start` to here.
    pub(super) fn since(&self, start: usize) -> SourceSpan {
        (start, self.at - start).into()
    }

    pub(super) fn error<T>(&self, span: SourceSpan, message: impl Into<String>) -> Result<T> {
        Err(self.text_error(span, message).into())
    }

    pub(super) fn text_error(&self, span: SourceSpan, message: impl Into<String>) -> TextError {
        TextError::new(self.file_name, self.text, span, message)
    }

    /// An error at the next word: what stands there, and what should.
    pub(super) fn expected<T>(&self, what: &str) -> Result<T> {
        let (length, found) = self.found();
        let message = format!("found {found}, expected {what}");
        self.error((self.at, length).into(), message)
    }

    /// The next word and its length, for an error.
    fn found(&self) -> (usize, String) {
        let Some(first) = self.rest().chars().next() else {
            return (0, "the end of the file".to_owned());
        };
        let word = self.rest().bytes().take(40).take_while(|b| is_name(*b));
        match word.count() {
            0 if first.is_control() => (first.len_utf8(), format!("`{}`", first.escape_default())),
            0 => (first.len_utf8(), format!("`{first}`")),
            length => (length, format!("`{}`", &self.rest()[..length])),
        }
    }

    /// Skips spaces and comments.
    pub(super) fn skip_blank(&mut self) -> Result<()> {
        loop {
            let blank = self.rest().bytes().take_while(u8::is_ascii_whitespace);
            self.at += blank.count();
            if self.rest().starts_with("//") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("/*") {
                let Some(end) = self.rest()[2..].find("*/") else {
                    return self.error((self.at, 2).into(), "this comment has no end");
                };
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    /// Skips blanks, then takes `word` if it comes next.
    pub(super) fn take(&mut self, word: &str) -> Result<bool> {
        self.skip_blank()?;
        let hit = self.rest().starts_with(word);
        if hit {
            self.at += word.len();
        }
        Ok(hit)
    }

    /// Skips blanks and takes `word`, or fails.
    pub(super) fn need(&mut self, word: &str) -> Result<()> {
        if self.take(word)? {
            return Ok(());
        }
        self.expected(&format!("`{word}`"))
    }

    /// Takes the bytes that `wanted` accepts; they must be ASCII.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let length = self.rest().bytes().take_while(|b| wanted(*b)).count();
        let word = &self.rest()[..length];
        self.at += length;
        word
    }

    /// Takes one byte of the text, which must be ASCII.
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// A word between slashes such as `/delete-node/`, without taking it.
    pub(super) fn peek_directive(&self) -> Option<&'a str> {
        let inner = self.rest().strip_prefix('/')?;
        let length = inner
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-');
        let length = length.count();
        let closed = length > 0 && inner.as_bytes().get(length) == Some(&b'/');
        closed.then(|| &self.rest()[..length + 2])
    }

    /// Takes one cell: decimal, hexadecimal after `0x`, octal after `0`.
    pub(super) fn cell(&mut self) -> Result<u32> {
        let start = self.at;
        let word = self.take_while(|b| b.is_ascii_alphanumeric() || b == b'_');
        let (digits, radix) = if let Some(hex) = word.strip_prefix("0x") {
            (hex, 16)
        } else if let Some(hex) = word.strip_prefix("0X") {
            (hex, 16)
        } else if word.len() > 1 && word.starts_with('0') {
            (&word[1..], 8)
        } else {
            (word, 10)
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            let message = format!("found `{word}`, expected a number");
            return self.error(self.since(start), message);
        }
        u32::from_str_radix(digits, radix).or_else(|_| {
            let message = format!("found `{word}`, expected a number that fits a 32-bit cell");
            self.error(self.since(start), message)
        })
    }

    /// Takes a string, its opening quote being next; escapes as in C.
    pub(super) fn string(&mut self) -> Result<Vec<u8>> {
        let start = self.at;
        self.bump();
        let mut bytes = vec![];
        loop {
            match self.peek() {
                None => return self.error((start, 1).into(), "this string has no end"),
                Some(b'"') => {
                    self.bump();
                    return Ok(bytes);
                }
                Some(b'\\') => bytes.push(self.escape()?),
                Some(byte) => {
                    // Copies characters beyond ASCII byte by byte, hence no slice of the text here.
                    bytes.push(byte);
                    self.at += 1;
                    while !self.text.is_char_boundary(self.at) {
                        bytes.push(self.text.as_bytes()[self.at]);
                        self.at += 1;
                    }
                }
            }
        }
    }

    /// Takes `\n`, `\0`, `\101`, `\x41` and the like.
    fn escape(&mut self) -> Result<u8> {
        let start = self.at;
        self.bump();
        let radix = match self.peek() {
            Some(b'x') => {
                self.bump();
                16
            }
            Some(b'0'..=b'7') => 8,
            Some(byte) if byte.is_ascii() => {
                self.bump();
                return Ok(simple_escape(byte));
            }
            _ => return self.expected("an escape such as `\\n`, `\\0` or `\\x41`"),
        };
        let longest = if radix == 16 { 2 } else { 3 };
        let digits = self.rest().bytes().take(longest);
        let length = digits
            .take_while(|b| char::from(*b).is_digit(radix))
            .count();
        let digits = &self.rest()[..length];
        self.at += length;
        u8::from_str_radix(digits, radix).or_else(|_| {
            let message =
                "found an escape that is no byte, expected `\\0` to `\\377` or `\\x0` to `\\xff`";
            self.error(self.since(start), message)
        })
    }
}

/// The byte for the letter after a backslash; any other letter stands for itself.
fn simple_escape(letter: u8) -> u8 {
    match letter {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        other => other,
    }
}

/// Letters of node and property names, and of numbers and labels.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b",._+-?#@".contains(&byte)
}
