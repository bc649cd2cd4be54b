//! A place in the token list, and how the parser moves on from it.

use super::ast::{Name, Source, Span, Spanned, Value};
use super::error::{Error, Problem};
use super::lexer::{Kind, Token};

pub(super) type Result<T> = std::result::Result<T, Error>;

/// The parser's state. Lines are read in `parser.rs`, propositions in `proposition.rs`.
pub(super) struct Parser<'a> {
    pub(super) source: &'a Source,
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Span>,
    pub(super) at: usize,
    pub(super) depth: usize,
}

/// Tokens and errors.
impl Parser<'_> {
    pub(super) fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.token().kind
    }

    pub(super) fn span(&self) -> Span {
        self.token().span
    }

    pub(super) fn text(&self, span: Span) -> &str {
        &self.source.text[span.start..span.end]
    }

    pub(super) fn word(&self) -> Option<&str> {
        (self.kind() == &Kind::Word).then(|| self.text(self.span()))
    }

    /// Whether the next token is on a line of its own; the end of the file is.
    pub(super) fn first_on_line(&self) -> bool {
        self.token().first_on_line || self.kind() == &Kind::End
    }

    /// Steps on, but never past the last token.
    pub(super) fn bump(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// The last token that was consumed.
    pub(super) fn previous(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    pub(super) fn expect(&mut self, kind: &Kind, expected: &str) -> Result<()> {
        if self.kind() != kind {
            return self.unexpected(expected);
        }
        self.bump();
        Ok(())
    }

    pub(super) fn once(&self, double: bool, what: &str, span: Span) -> Result<()> {
        if !double {
            return Ok(());
        }
        Err(self.error(
            span,
            Problem::Duplicate {
                what: format!("`{what}`"),
            },
        ))
    }

    pub(super) fn error(&self, span: Span, problem: Problem) -> Error {
        Error::new(self.source, span, problem)
    }

    /// An error at the end of the line, if the line ends here.
    pub(super) fn on_this_line(&self, expected: &str) -> Result<()> {
        if !self.first_on_line() {
            return Ok(());
        }
        let end = self.previous().end;
        let found = if self.kind() == &Kind::End {
            "end of file"
        } else {
            "end of line"
        };
        Err(self.error(Span::new(end, end), Problem::unexpected(found, expected)))
    }

    pub(super) fn unexpected<T>(&self, expected: &str) -> Result<T> {
        let span = self.span();
        let found = match self.kind() {
            Kind::Bad(problem) => return Err(self.error(span, problem.as_ref().clone())),
            Kind::End => "end of file".to_owned(),
            Kind::Text(_) => "a string".to_owned(),
            _ => format!("`{}`", self.text(span)),
        };
        Err(self.error(span, Problem::unexpected(found, expected)))
    }
}

/// Names and values.
impl Parser<'_> {
    pub(super) fn value(&mut self, expected: &str) -> Result<Spanned<Value>> {
        let span = self.span();
        let value = match self.kind() {
            Kind::Word => Value::Word(self.text(span).to_owned()),
            Kind::Number(number) => Value::Number(*number),
            Kind::Errno => Value::Errno(self.text(span).to_owned()),
            Kind::Text(text) => Value::Text(text.clone()),
            _ => return self.unexpected(expected),
        };
        self.bump();
        Ok(Spanned::new(value, span))
    }

    pub(super) fn value_on_line(&mut self, expected: &str) -> Result<Spanned<Value>> {
        self.on_this_line(expected)?;
        self.value(expected)
    }

    /// A name, on the line that is being read: a word, or anything in quotes.
    pub(super) fn name(&mut self, expected: &str) -> Result<Name> {
        self.on_this_line(expected)?;
        let span = self.span();
        let name = match self.kind() {
            // A name of digits only, as a commit may have, is kept as it was written.
            Kind::Word | Kind::Number(_) => self.text(span).to_owned(),
            Kind::Text(text) if !text.is_empty() => text.clone(),
            _ => return self.unexpected(expected),
        };
        self.bump();
        Ok(Spanned::new(name, span))
    }

    /// One name or more, up to the end of the line or a sign.
    pub(super) fn names(&mut self, expected: &str) -> Result<Vec<Name>> {
        let mut names = vec![self.name(expected)?];
        while !self.first_on_line()
            && matches!(self.kind(), Kind::Word | Kind::Number(_) | Kind::Text(_))
        {
            let name = self.name(expected)?;
            self.once(names.contains(&name), &name.value, name.span)?;
            names.push(name);
        }
        Ok(names)
    }
}
