//! What can be wrong with a litmus file, in words.
//!
//! Every message is one line: what was found, then what was expected. `Display` of an [`Error`] puts
//! `FILE:LINE:COLUMN: ` before it; miette's reporters show the line itself as well.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

use super::ast::{Source, Span};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}:{line}:{column}: {problem}", file.name())]
pub struct Error {
    file: NamedSource<Arc<str>>,
    line: usize,
    column: usize,
    span: Span,
    problem: Box<Problem>,
}

impl Error {
    /// `problem`, found at `span` of `source`. Public so that whoever loads a test's board can report at its name.
    pub fn new(source: &Source, span: Span, problem: Problem) -> Error {
        let before = source.text.get(..span.start).unwrap_or(&source.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Error {
            file: NamedSource::new(&source.file, Arc::clone(&source.text)),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            problem: Box::new(problem),
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where it is wrong.
    pub fn span(&self) -> Span {
        self.span
    }
}

impl Diagnostic for Error {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem
            .help()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = SourceSpan::from(self.span.start..self.span.end);
        let label = self.problem.label().to_owned();
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            Some(label),
            span,
        ))))
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A token that has no place here.
    #[error("found {found}, expected {expected}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What could.
        expected: String,
    },
    /// A `(*` without its `*)`.
    #[error("found end of file inside this comment, expected `*)`")]
    UnterminatedComment,
    /// A `"` without its partner on the same line.
    #[error("found end of line inside a string, expected `\"`")]
    UnterminatedText,
    /// A backslash before anything but `"` and `\`.
    #[error("found `\\` in a string, expected `\\\"` or `\\\\`")]
    BadEscape,
    /// Too many parentheses, negations or comments within one another.
    #[error("found more than {limit} levels within one another, expected no more")]
    TooDeep {
        /// How many there may be.
        limit: usize,
    },
    /// A file that nobody wrote by hand.
    #[error("found a file of more than {limit} bytes, expected a litmus test")]
    TooLong {
        /// How long it may be.
        limit: usize,
    },
    /// A comment that does not say what comes out.
    #[error(
        "found no `Result:` in the comment, expected `Result: Never`, `Result: Sometimes` or `Result: Always`"
    )]
    NoResult,
    /// A comment that does not say what is asked.
    #[error("found no question in the comment, expected one that ends in `?`")]
    NoQuestion,
    /// Free text that is no question.
    #[error("found `{found}` at the end of the question, expected `?`")]
    NotAQuestion {
        /// Its last word.
        found: String,
    },
    /// A tag of the comment with nothing after it, or not in its form.
    #[error("found {} after `{tag}:`, expected {expected}", quoted(found))]
    BadTag {
        /// The tag, without its colon.
        tag: &'static str,
        /// The rest of the line.
        found: String,
        /// Its form.
        expected: &'static str,
    },
    /// What may stand once only.
    #[error("found {what} a second time, expected it once")]
    Duplicate {
        /// The thing.
        what: String,
    },
    /// What has to be there and is not.
    #[error("found no {what}, expected {expected}")]
    Missing {
        /// The thing.
        what: &'static str,
        /// An example of it.
        expected: &'static str,
    },
    /// A line in the wrong part of the file.
    #[error(
        "found `{found}` after {after}, expected directives, tasks, properties and condition in this order"
    )]
    OutOfOrder {
        /// The line's keyword.
        found: String,
        /// The part that it comes too late for.
        after: &'static str,
    },
    /// A task that is not the next one.
    #[error("found `{found}`, expected `{expected}`: tasks are numbered in order")]
    TaskOrder {
        /// Its name.
        found: String,
        /// The next one's name.
        expected: String,
    },
    /// `{ }`
    #[error("found nothing in `{found} {{ }}`, expected at least one verb")]
    EmptyBlock {
        /// What the braces belong to.
        found: String,
    },
    /// A name that nothing has.
    #[error("unknown {what} `{found}`; {}expected {expected}", did_you_mean(suggestion.as_ref()))]
    Unknown {
        /// What it should be the name of.
        what: &'static str,
        /// The name.
        found: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
        /// What the names are, and of what.
        expected: String,
    },
    /// A revision that the kernel table does not have.
    #[error("unknown kernel `{found}`: {why}")]
    UnknownKernel {
        /// The revision.
        found: String,
        /// What the caller's table says about it.
        why: String,
    },
    /// A `result` line for a kernel that is not run.
    #[error("found a result for `{found}`, expected one of the kernels of this test: {kernels}")]
    NotListed {
        /// The revision.
        found: String,
        /// Those that are run.
        kernels: String,
    },
    /// Too many or too few arguments.
    #[error("found {found} for `{name}`, expected {expected}, as in `{example}`")]
    ArgumentCount {
        /// The verb or predicate.
        name: String,
        /// How many there are, in words.
        found: String,
        /// How many there should be, in words.
        expected: String,
        /// A correct one.
        example: &'static str,
    },
    /// A value of the wrong kind.
    #[error("found {found} for `{name}`, expected {expected}, as in `{example}`")]
    WrongValue {
        /// What it was given to.
        name: String,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
        /// A correct line.
        example: &'static str,
    },
    /// A predicate that is no proposition by itself.
    #[error("found `{name}` by itself, expected a comparison, as in `{example}`")]
    NotCompared {
        /// The predicate.
        name: String,
        /// A correct one.
        example: &'static str,
    },
    /// A predicate that is a proposition by itself.
    #[error(
        "found a comparison of `{name}`, which holds or does not, expected `{name}` or `~{name}` alone"
    )]
    Compared {
        /// The predicate.
        name: String,
    },
    /// `<` and its like between words.
    #[error("found `{op}` after `{name}`, which is not a number, expected `=` or `!=`")]
    NotOrdered {
        /// The predicate.
        name: String,
        /// The operator.
        op: &'static str,
    },
    /// What a caller has to say about a name of the test, such as a board that cannot be read.
    #[error("{0}")]
    Other(String),
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        "nothing".to_owned()
    } else {
        format!("`{text}`")
    }
}

fn did_you_mean(suggestion: Option<&String>) -> String {
    suggestion.map_or_else(String::new, |name| format!("did you mean `{name}`? "))
}

impl Problem {
    pub(super) fn unexpected(found: impl Into<String>, expected: impl Into<String>) -> Problem {
        Problem::Unexpected {
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// A few words to stand under the place itself.
    fn label(&self) -> &'static str {
        match self {
            Problem::Unknown { .. } | Problem::UnknownKernel { .. } => "unknown",
            Problem::UnterminatedComment | Problem::UnterminatedText => "starts here",
            Problem::Duplicate { .. } => "again",
            Problem::Missing { .. } | Problem::NoResult | Problem::NoQuestion => "missing here",
            Problem::OutOfOrder { .. } | Problem::TaskOrder { .. } => "out of order",
            _ => "here",
        }
    }

    fn help(&self) -> Option<&'static str> {
        match self {
            Problem::NoResult | Problem::NoQuestion | Problem::NotAQuestion { .. } => Some(
                "the comment after LITMUS holds a `Result:` line, the question in English, and, if there are any, \
                 `Link:` and `Fixes:` lines",
            ),
            Problem::NotListed { .. } => {
                Some("add the kernel to the `kernels` line, or drop the `result` line")
            }
            _ => None,
        }
    }
}
