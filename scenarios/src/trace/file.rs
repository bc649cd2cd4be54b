//! Files of a trace, line by line, and errors that say where.

use miette::Diagnostic;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file of a trace that cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ParseError {
    /// It is not there, or no text.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line means nothing to the reader.
    #[error("{}:{line}: {what}: `{text}`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
        /// The line itself.
        text: String,
    },
    /// Something is missing.
    #[error("{}: {what}", path.display())]
    Whole {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// The bytes of a file.
pub fn bytes(path: &Path) -> Result<Vec<u8>, ParseError> {
    std::fs::read(path).map_err(|source| ParseError::Read {
        path: path.to_owned(),
        source,
    })
}

/// A file that has been read.
pub struct File {
    path: PathBuf,
    text: String,
}

/// One line of it.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    path: &'a Path,
    number: usize,
    /// The line without its end.
    pub text: &'a str,
}

impl File {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ParseError> {
        let path = path.to_owned();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(source) => Err(ParseError::Read { path, source }),
        }
    }

    /// A text that was never in a file.
    pub fn of_text(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.to_owned(),
        }
    }

    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.text.lines().zip(1..).map(|(text, number)| Line {
            path: &self.path,
            number,
            text,
        })
    }

    /// An error that no single line has.
    pub fn error(&self, what: String) -> ParseError {
        ParseError::Whole {
            path: self.path.clone(),
            what,
        }
    }
}

impl Line<'_> {
    /// An error in this line.
    pub fn error(&self, what: &'static str) -> ParseError {
        ParseError::Line {
            path: self.path.to_owned(),
            line: self.number,
            what,
            text: self.text.to_owned(),
        }
    }
}
