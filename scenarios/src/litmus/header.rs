//! The comment after `LITMUS`: result, question, links, fixes.

use super::ast::{Fixes, Name, Question, Source, Span, Spanned, Verdict};
use super::error::{Error, Problem};
use crate::suggest::nearest;

type Result<T> = std::result::Result<T, Error>;

pub(super) struct Header {
    pub(super) result: Spanned<Verdict>,
    pub(super) question: Question,
    pub(super) links: Vec<Name>,
    pub(super) fixes: Vec<Spanned<Fixes>>,
}

const TAGS: [&str; 3] = ["Result", "Link", "Fixes"];

/// What a line of the comment starts with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// No tag: text.
    None,
    /// One of the tags.
    Known(&'static str),
    /// Nearly the tag that is given.
    Near(&'static str),
}

/// The tag that `line` starts with: a word that is followed by a colon at once.
pub(super) fn tag_of(line: &str) -> Tag {
    let first = line.split_whitespace().next().unwrap_or("");
    let Some((word, _)) = first.split_once(':') else {
        return Tag::None;
    };
    if let Some(tag) = TAGS.into_iter().find(|tag| *tag == word) {
        return Tag::Known(tag);
    }
    nearest(word, TAGS).map_or(Tag::None, Tag::Near)
}

/// Reads the comment at `span`, delimiters included.
pub(super) fn parse(source: &Source, span: Span) -> Result<Header> {
    if let Some(at) = source.text[span.start + 2..span.end].find("(*") {
        let start = span.start + 2 + at;
        let problem = Problem::unexpected(
            "`(*`",
            "no comment within the comment that holds the question",
        );
        return Err(Error::new(source, Span::new(start, start + 2), problem));
    }
    let mut draft = Draft {
        source,
        result: None,
        paragraphs: Vec::new(),
        open: false,
        links: vec![],
        fixes: vec![],
    };
    for line in lines(&source.text, span) {
        draft.line(&line)?;
    }
    draft.finish(span)
}

/// The lines between the delimiters, each without blanks at its ends and the `*` at its start.
fn lines(text: &str, span: Span) -> Vec<Spanned<&str>> {
    let body = Span::new(span.start + 2, span.end - 2);
    let mut at = body.start;
    let mut lines = Vec::new();
    for line in text[body.start..body.end].split('\n') {
        let undented = line.trim_start();
        let inner = undented.strip_prefix('*').unwrap_or(undented).trim_start();
        let start = at + line.len() - inner.len();
        let inner = inner.trim_end();
        lines.push(Spanned::new(inner, Span::new(start, start + inner.len())));
        at += line.len() + 1;
    }
    lines
}

struct Draft<'a> {
    source: &'a Source,
    result: Option<Spanned<Verdict>>,
    paragraphs: Vec<Spanned<String>>,
    /// Whether the next line of text continues the last paragraph.
    open: bool,
    links: Vec<Name>,
    fixes: Vec<Spanned<Fixes>>,
}

impl Draft<'_> {
    fn line(&mut self, line: &Spanned<&str>) -> Result<()> {
        match tag_of(line.value) {
            Tag::None => {
                self.text(line);
                return Ok(());
            }
            Tag::Known(tag) => {
                let rest = line.value[tag.len() + 1..].trim_start();
                let start = line.span.end - rest.len();
                self.tag(
                    tag,
                    &Spanned::new(rest, Span::new(start, line.span.end)),
                    line.span,
                )?;
            }
            Tag::Near(tag) => {
                let found = line.value.split(':').next().unwrap_or("");
                let span = Span::new(line.span.start, line.span.start + found.len());
                let problem = Problem::Unknown {
                    what: "tag",
                    found: format!("{found}:"),
                    suggestion: Some(format!("{tag}:")),
                    expected: "`Result:`, `Link:` or `Fixes:`".to_owned(),
                };
                return Err(Error::new(self.source, span, problem));
            }
        }
        self.open = false;
        Ok(())
    }

    fn text(&mut self, line: &Spanned<&str>) {
        let words: Vec<&str> = line.value.split_whitespace().collect();
        match self.paragraphs.last_mut() {
            _ if words.is_empty() => self.open = false,
            Some(last) if self.open => {
                last.value.push(' ');
                last.value.push_str(&words.join(" "));
                last.span = last.span.to(line.span);
            }
            _ => {
                self.paragraphs
                    .push(Spanned::new(words.join(" "), line.span));
                self.open = true;
            }
        }
    }

    fn tag(&mut self, tag: &'static str, rest: &Spanned<&str>, line: Span) -> Result<()> {
        match tag {
            "Result" if self.result.is_some() => Err(Error::new(
                self.source,
                line,
                Problem::Duplicate {
                    what: "`Result:`".to_owned(),
                },
            )),
            "Result" if !rest.value.is_empty() => {
                self.result = Some(verdict(self.source, rest.value, rest.span)?);
                Ok(())
            }
            "Link" if !rest.value.is_empty() => {
                self.links
                    .push(Spanned::new(rest.value.to_owned(), rest.span));
                Ok(())
            }
            "Fixes" if fixes(rest.value).is_some() => {
                self.fixes
                    .extend(fixes(rest.value).map(|fixes| Spanned::new(fixes, rest.span)));
                Ok(())
            }
            _ => {
                let expected = match tag {
                    "Result" => "`Never`, `Sometimes` or `Always`",
                    "Link" => "a message id",
                    _ => "`123456789abc (\"subject\")`",
                };
                let found = rest.value.to_owned();
                Err(Error::new(
                    self.source,
                    rest.span,
                    Problem::BadTag {
                        tag,
                        found,
                        expected,
                    },
                ))
            }
        }
    }

    fn finish(self, span: Span) -> Result<Header> {
        let fail = |problem| Err(Error::new(self.source, span, problem));
        let Some(result) = self.result else {
            return fail(Problem::NoResult);
        };
        let Some(last) = self.paragraphs.last() else {
            return fail(Problem::NoQuestion);
        };
        if !last.value.ends_with('?') {
            let found = last.value.split(' ').next_back().unwrap_or("").to_owned();
            let start = last.span.end - found.len();
            let at = Span::new(start, last.span.end);
            return Err(Error::new(self.source, at, Problem::NotAQuestion { found }));
        }
        let question = Question {
            paragraphs: self.paragraphs,
        };
        Ok(Header {
            result,
            question,
            links: self.links,
            fixes: self.fixes,
        })
    }
}

/// `Never`, `Sometimes` or `Always`.
pub(super) fn verdict(source: &Source, word: &str, span: Span) -> Result<Spanned<Verdict>> {
    if let Some(verdict) = Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.word() == word)
    {
        return Ok(Spanned::new(verdict, span));
    }
    let suggestion = nearest(word, Verdict::ALL.map(Verdict::word)).map(str::to_owned);
    let expected = "`Never`, `Sometimes` or `Always`".to_owned();
    Err(Error::new(
        source,
        span,
        Problem::Unknown {
            what: "result",
            found: word.to_owned(),
            suggestion,
            expected,
        },
    ))
}

/// `bcb81ac6ae3c ("subject")`
fn fixes(text: &str) -> Option<Fixes> {
    let (commit, rest) = text.split_once(' ')?;
    let subject = rest.trim_start().strip_prefix("(\"")?.strip_suffix("\")")?;
    let is_hash =
        (12..=40).contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    (is_hash && !subject.is_empty()).then(|| Fixes {
        commit: commit.to_owned(),
        subject: subject.to_owned(),
    })
}
