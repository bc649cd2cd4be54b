//! What can be wrong with a board file, and how it is said.

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// Any reason why a board cannot be had.
#[derive(Debug, Error, Diagnostic)]
pub enum BoardError {
    /// The file cannot be read.
    #[error("{file_name}: cannot read the file: {reason}")]
    Read {
        /// The file.
        file_name: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The text is wrong somewhere.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Text(#[from] Box<TextError>),
    /// The blob is wrong somewhere.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Blob(#[from] Box<BlobError>),
}

/// An error at a place of a text file. One line of it reads `FILE:LINE:COL: message`.
#[derive(Debug, Error, Diagnostic)]
#[error("{}:{line}:{column}: {message}", source_code.name())]
pub struct TextError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("here")]
    span: SourceSpan,
    #[help]
    help: Option<String>,
}

impl TextError {
    /// An error about `span` (in bytes) of `text`.
    pub fn new(file_name: &str, text: &str, span: SourceSpan, message: impl Into<String>) -> Self {
        let mut at = span.offset().min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
            source_code: NamedSource::new(file_name, text.to_owned()),
            span,
            help: None,
        }
    }

    /// The same error with a hint at the remedy.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// An error in a blob.
#[derive(Debug, Error, Diagnostic)]
#[error("{file_name}: {}{message}", offset.map(|o| format!("byte {o:#x}: ")).unwrap_or_default())]
pub struct BlobError {
    /// The file.
    pub file_name: String,
    /// Offset of the fault in the file, where it is known.
    pub offset: Option<usize>,
    /// What is wrong.
    pub message: String,
}
