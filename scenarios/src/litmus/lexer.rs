//! Text to tokens.
//!
//! Line ends are not tokens: each token knows whether it is the first of its line. The token list always ends in
//! one `End`, or in one `Bad` if the text cannot be read on; comments are collected beside it.

use super::ast::{Op, Span};
use super::error::Problem;

/// How deep comments, parentheses and negations may nest.
pub(super) const MAX_DEPTH: usize = 64;

/// How long a file may be, in bytes.
pub(super) const MAX_BYTES: usize = 64 << 10;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Word,
    Number(i64),
    Errno,
    Text(String),
    LParen,
    RParen,
    LBrace,
    RBrace,
    Comma,
    Semicolon,
    Colon,
    Not,
    And,
    Or,
    Compare(Op),
    End,
    Bad(Box<Problem>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) first_on_line: bool,
}

pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    /// Each `(* ... *)`, delimiters included, that is not inside another.
    pub(super) comments: Vec<Span>,
}

/// Whether `text` is one token of its own that needs no quotes to be read back as a name.
pub(super) fn is_bare(text: &str) -> bool {
    let tokens = lex(text).tokens;
    let whole = Span::new(0, text.len());
    tokens.len() == 2
        && tokens[0].span == whole
        && matches!(tokens[0].kind, Kind::Word | Kind::Number(_))
}

pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        at: 0,
        fresh_line: true,
        out: Lexed {
            tokens: Vec::new(),
            comments: Vec::new(),
        },
    };
    let (kind, span) = match lexer.run() {
        Ok(()) => (Kind::End, Span::new(text.len(), text.len())),
        Err((span, problem)) => (Kind::Bad(Box::new(problem)), span),
    };
    lexer.push(kind, span);
    lexer.out
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    fresh_line: bool,
    out: Lexed,
}

type Result<T> = std::result::Result<T, (Span, Problem)>;

impl Lexer<'_> {
    fn run(&mut self) -> Result<()> {
        if self.text.len() > MAX_BYTES {
            return Err((Span::new(0, 0), Problem::TooLong { limit: MAX_BYTES }));
        }
        while let Some(c) = self.peek(0) {
            if c == '\n' {
                self.fresh_line = true;
                self.at += 1;
            } else if c.is_whitespace() {
                self.at += c.len_utf8();
            } else if self.rest().starts_with("//") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("(*") {
                self.comment()?;
            } else {
                let start = self.at;
                let kind = self.token(c)?;
                self.push(kind, Span::new(start, self.at));
            }
        }
        Ok(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    fn push(&mut self, kind: Kind, span: Span) {
        self.out.tokens.push(Token {
            kind,
            span,
            first_on_line: self.fresh_line,
        });
        self.fresh_line = false;
    }

    fn comment(&mut self) -> Result<()> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("(*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*)") {
                depth -= 1;
                self.at += 2;
            } else if let Some(c) = rest.chars().next() {
                self.fresh_line |= c == '\n';
                self.at += c.len_utf8();
            } else {
                return Err((Span::new(start, start + 2), Problem::UnterminatedComment));
            }
            if depth > MAX_DEPTH {
                return Err((
                    Span::new(self.at - 2, self.at),
                    Problem::TooDeep { limit: MAX_DEPTH },
                ));
            }
            if depth == 0 {
                self.out.comments.push(Span::new(start, self.at));
                return Ok(());
            }
        }
    }

    fn token(&mut self, c: char) -> Result<Kind> {
        if is_letter(c) {
            return Ok(self.word());
        }
        match c {
            '"' => self.string(),
            '-' => self.signed(),
            _ => self.sign(c),
        }
    }

    /// A word; one that is nothing but digits is a number.
    fn word(&mut self) -> Kind {
        let start = self.at;
        self.at += word_length(self.rest());
        let text = &self.text[start..self.at];
        let number = match text.strip_prefix("0x") {
            Some(digits) if digits.starts_with(|c: char| c.is_ascii_hexdigit()) => {
                i64::from_str_radix(digits, 16)
            }
            _ => text.parse(),
        };
        number.map_or(Kind::Word, Kind::Number)
    }

    /// `-1` or `-EPROBE_DEFER`
    fn signed(&mut self) -> Result<Kind> {
        let start = self.at;
        self.at += 1;
        self.at += word_length(self.rest());
        let text = &self.text[start..self.at];
        if text.starts_with("-E") && text[1..].chars().all(is_letter) {
            return Ok(Kind::Errno);
        }
        let problem = Problem::unexpected(
            format!("`{text}`"),
            "a number or an error such as `-EPROBE_DEFER`",
        );
        text.parse()
            .map(Kind::Number)
            .map_err(|_| (Span::new(start, self.at), problem))
    }

    fn string(&mut self) -> Result<Kind> {
        let start = self.at;
        let mut value = String::new();
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some('\n' | '\r') => {
                    return Err((Span::new(start, self.at), Problem::UnterminatedText));
                }
                Some('"') => {
                    self.at += 1;
                    return Ok(Kind::Text(value));
                }
                Some('\\') => {
                    let escaped = self.peek(1).unwrap_or('\n');
                    if !matches!(escaped, '"' | '\\') {
                        let span = Span::new(self.at, self.at + 1);
                        return Err((span, Problem::BadEscape));
                    }
                    value.push(escaped);
                    self.at += 2;
                }
                Some(c) => {
                    value.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn sign(&mut self, c: char) -> Result<Kind> {
        let start = self.at;
        if let Some((found, expected)) = FOREIGN
            .iter()
            .find(|(sign, _)| self.rest().starts_with(sign))
        {
            let problem = Problem::unexpected(format!("`{found}`"), format!("`{expected}`"));
            return Err((Span::new(start, start + 2), problem));
        }
        if let Some((sign, kind)) = SIGNS.iter().find(|(sign, _)| self.rest().starts_with(sign)) {
            self.at += sign.len();
            return Ok(kind.clone());
        }
        let expected = if c == '!' {
            "`~` or `!=`"
        } else {
            "a word, number, string or sign"
        };
        let span = Span::new(start, start + c.len_utf8());
        Err((
            span,
            Problem::unexpected(format!("`{}`", c.escape_debug()), expected),
        ))
    }
}

/// Signs of other languages, and what they are here.
const FOREIGN: [(&str, &str); 4] = [("==", "="), ("&&", "/\\"), ("||", "\\/"), ("=>", ">=")];

/// All signs; of two that begin alike, the longer one first.
const SIGNS: [(&str, Kind); 16] = [
    ("/\\", Kind::And),
    ("\\/", Kind::Or),
    ("!=", Kind::Compare(Op::Ne)),
    ("<=", Kind::Compare(Op::Le)),
    (">=", Kind::Compare(Op::Ge)),
    ("=", Kind::Compare(Op::Eq)),
    ("<", Kind::Compare(Op::Lt)),
    (">", Kind::Compare(Op::Gt)),
    ("(", Kind::LParen),
    (")", Kind::RParen),
    ("{", Kind::LBrace),
    ("}", Kind::RBrace),
    (",", Kind::Comma),
    (";", Kind::Semicolon),
    (":", Kind::Colon),
    ("~", Kind::Not),
];

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// How many bytes at the start of `text` are one word. `.`, `-`, `+`, `@`, `:` and `/` belong to a word if a letter
/// or digit comes after them, and `^` does if one comes before it: `ee300000.sata`, `soc@0:gpu`,
/// `v7.3-rc7+ambarus-ready-always`, `bcb81ac6ae3c^`.
fn word_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(|&b| is_letter(char::from(b)));
    let mut at = 0;
    while letter(at)
        || (at > 0 && bytes.get(at) == Some(&b'^'))
        || (at > 0 && bytes.get(at).is_some_and(|b| b".-+@:/".contains(b)) && letter(at + 1))
    {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{is_bare, lex};

    fn words(text: &str) -> Vec<&str> {
        lex(text)
            .tokens
            .iter()
            .map(|token| &text[token.span.start..token.span.end])
            .collect()
    }

    #[test]
    fn names_of_devices_drivers_and_kernels_are_single_words() {
        for word in [
            "ee300000.sata",
            "0000:00:01.0",
            "soc@0:gpu",
            "arm-smmu-v3",
            "v7.3-rc7+ambarus-ready-always",
            "bcb81ac6ae3c^",
            "v6.16-da33e87bd2bf",
            "boards/one-client.dts",
            "123456789012",
        ] {
            assert!(is_bare(word), "{word}");
        }
        for other in [
            "",
            "a b",
            "a:",
            "^",
            "a //",
            "-EINVAL",
            "a,b",
            "v7.3 + name",
            "\"a\"",
            "a\n",
        ] {
            assert!(!is_bare(other), "{other}");
        }
    }

    #[test]
    fn signs_need_no_blanks_around_them() {
        assert_eq!(
            words("~a(b)/\\c(d)>=-1"),
            [
                "~", "a", "(", "b", ")", "/\\", "c", "(", "d", ")", ">=", "-1", ""
            ]
        );
        assert_eq!(
            words("a: b // c\nd (* (* *) *) e"),
            ["a", ":", "b", "d", "e", ""]
        );
    }
}
