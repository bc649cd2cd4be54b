//! Propositions and calls: the part of the grammar that nests.

use super::ast::{Atom, Call, Comparison, Expr, Spanned};
use super::cursor::{Parser, Result};
use super::error::Problem;
use super::lexer::{Kind, MAX_DEPTH};

impl Parser<'_> {
    pub(super) fn disjunction(&mut self) -> Result<Spanned<Expr>> {
        self.chain(&Kind::Or, Expr::Or, Parser::conjunction)
    }

    fn conjunction(&mut self) -> Result<Spanned<Expr>> {
        self.chain(&Kind::And, Expr::And, Parser::negation)
    }

    /// `part sign part sign ...`, as one node with many children: a long chain is no deep tree.
    fn chain(
        &mut self,
        sign: &Kind,
        join: fn(Vec<Spanned<Expr>>) -> Expr,
        part: fn(&mut Self) -> Result<Spanned<Expr>>,
    ) -> Result<Spanned<Expr>> {
        let first = part(self)?;
        if self.kind() != sign {
            return Ok(first);
        }
        let start = first.span;
        let mut parts = vec![first];
        while self.kind() == sign {
            self.bump();
            parts.push(part(self)?);
        }
        Ok(Spanned::new(join(parts), start.to(self.previous())))
    }

    fn negation(&mut self) -> Result<Spanned<Expr>> {
        let start = self.span();
        if self.kind() == &Kind::Not || self.word() == Some("not") {
            self.bump();
            let inner = self.nested(Parser::negation)?;
            let span = start.to(inner.span);
            return Ok(Spanned::new(Expr::Not(Box::new(inner)), span));
        }
        if self.kind() == &Kind::LParen {
            self.bump();
            let inner = self.nested(Parser::disjunction)?;
            self.expect(&Kind::RParen, "`/\\`, `\\/` or `)`")?;
            return Ok(Spanned::new(inner.value, start.to(self.previous())));
        }
        self.atom()
    }

    fn nested<T>(&mut self, inner: fn(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(self.previous(), Problem::TooDeep { limit: MAX_DEPTH }));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn atom(&mut self) -> Result<Spanned<Expr>> {
        let call = self.call("a predicate, `~` or `(`")?;
        let mut atom = Atom {
            call,
            comparison: None,
        };
        if let Kind::Compare(op) = *self.kind() {
            let op = Spanned::new(op, self.span());
            self.bump();
            atom.comparison = Some(Comparison {
                op,
                value: self.value("a number, word, error or string")?,
            });
        }
        let span = atom.call.span.to(self.previous());
        Ok(Spanned::new(Expr::Atom(atom), span))
    }

    /// `name` or `name(value, ...)`. The parenthesis has to be on the line of the name.
    pub(super) fn call(&mut self, expected: &str) -> Result<Spanned<Call>> {
        if self.kind() != &Kind::Word {
            return self.unexpected(expected);
        }
        let start = self.span();
        let name = Spanned::new(self.text(start).to_owned(), start);
        self.bump();
        let mut call = Call {
            name,
            args: Vec::new(),
        };
        if self.kind() == &Kind::LParen && !self.first_on_line() {
            self.bump();
            if self.kind() != &Kind::RParen {
                call.args.push(self.value("an argument or `)`")?);
                while self.kind() == &Kind::Comma {
                    self.bump();
                    call.args.push(self.value("an argument")?);
                }
            }
            self.expect(&Kind::RParen, "`,` or `)`")?;
        }
        Ok(Spanned::new(call, start.to(self.previous())))
    }
}
