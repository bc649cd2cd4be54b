//! All that is wrong with a litmus file, as one error.

use crate::litmus;
use miette::{Diagnostic, LabeledSpan, SourceCode};
use std::fmt;

/// One or more errors of a file, in its order. Shown as the first, with the others below it.
#[derive(Debug)]
pub struct LitmusErrors(Vec<litmus::Error>);

impl LitmusErrors {
    /// Of these errors; `None` if there are none.
    pub fn all(errors: Vec<litmus::Error>) -> Option<Self> {
        (!errors.is_empty()).then_some(Self(errors))
    }

    fn first(&self) -> &litmus::Error {
        &self.0[0]
    }
}

impl From<litmus::Error> for LitmusErrors {
    fn from(error: litmus::Error) -> Self {
        Self(vec![error])
    }
}

impl std::error::Error for LitmusErrors {}

impl fmt::Display for LitmusErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)
    }
}

impl Diagnostic for LitmusErrors {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.first().help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.first().source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.first().labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let others = self.0[1..].iter();
        Some(Box::new(others.map(|e| e as &dyn Diagnostic)))
    }
}
