//! Tokens to tree, line by line. The grammar is in the module text of [`super`].

use std::sync::Arc;

use super::ast::{
    Call, Condition, Config, Driver, DriverOption, KernelResult, Litmus, Name, Op, Property,
    PropertyKind, Quantifier, Source, Span, Spanned, Task, same_revision,
};
use super::cursor::{Parser, Result};
use super::error::{Error, Problem};
use super::header;
use super::lexer::{Kind, Lexed, lex};
use crate::suggest::nearest;

/// Reads a litmus test. `file` is the name that error messages give.
///
/// Only the form is checked here: [`super::validate`] knows verbs, devices and kernels.
pub fn parse(file: &str, text: &str) -> Result<Litmus> {
    let source = Source {
        file: Arc::from(file),
        text: Arc::from(text),
    };
    let Lexed { tokens, comments } = lex(text);
    Parser {
        source: &source,
        tokens,
        comments,
        at: 0,
        depth: 0,
    }
    .litmus()
}

/// The words that a line may start with, beside those of the condition.
const KEYWORDS: [&str; 9] = [
    "board",
    "kernels",
    "result",
    "config",
    "allow",
    "driver",
    "initial",
    "always",
    "sometimes",
];

/// The parts of a file, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    #[default]
    Directives,
    Tasks,
    Properties,
    Condition,
}

/// What has been read so far.
#[derive(Default)]
struct Draft {
    part: Part,
    board: Option<Name>,
    kernels: Vec<Name>,
    results: Vec<Spanned<KernelResult>>,
    config: Vec<Spanned<Config>>,
    allow: Vec<Name>,
    drivers: Vec<Spanned<Driver>>,
    initial: Vec<Spanned<Call>>,
    tasks: Vec<Spanned<Task>>,
    properties: Vec<Spanned<Property>>,
    condition: Option<Spanned<Condition>>,
}

impl Parser<'_> {
    fn litmus(mut self) -> Result<Litmus> {
        if self.word() != Some("LITMUS") {
            return self.unexpected("`LITMUS` and the name of the test");
        }
        self.bump();
        let name = self.name("the name of the test")?;
        let header = self.header(name.span)?;
        let mut draft = Draft::default();
        while self.kind() != &Kind::End {
            self.item(&mut draft)?;
        }
        let end = self.span();
        let fail =
            |what, expected| Error::new(self.source, end, Problem::Missing { what, expected });
        if draft.kernels.is_empty() {
            return Err(fail("kernels", "a line such as `kernels v6.14 v7.3-rc7`"));
        }
        if draft.tasks.is_empty() {
            return Err(fail("task", "`P0 { ... }`"));
        }
        Ok(Litmus {
            source: self.source.clone(),
            name,
            result: header.result,
            question: header.question,
            links: header.links,
            fixes: header.fixes,
            board: draft
                .board
                .ok_or_else(|| fail("board", "a line such as `board one-client.dts`"))?,
            kernels: draft.kernels,
            results: draft.results,
            config: draft.config,
            allow: draft.allow,
            drivers: draft.drivers,
            initial: draft.initial,
            tasks: draft.tasks,
            properties: draft.properties,
            condition: draft
                .condition
                .ok_or_else(|| fail("condition", "`exists (...)`, `~exists` or `forall`"))?,
        })
    }

    /// The comment between the name of the test and whatever comes next.
    fn header(&self, name: Span) -> Result<header::Header> {
        let between =
            |comment: &&Span| comment.start >= name.end && comment.end <= self.span().start;
        match self.comments.iter().find(between) {
            Some(&comment) => header::parse(self.source, comment),
            None => self.unexpected("the comment `(* ... *)` with `Result:` and the question"),
        }
    }

    fn item(&mut self, draft: &mut Draft) -> Result<()> {
        const EXPECTED: &str = "a directive, task, property or condition";
        let Some(keyword) = self.keyword() else {
            return self.unexpected(EXPECTED);
        };
        let part = match keyword.as_str() {
            "exists" | "~exists" | "forall" => Part::Condition,
            "always" | "sometimes" => Part::Properties,
            word if is_task(word) => Part::Tasks,
            word if KEYWORDS.contains(&word) => Part::Directives,
            _ => return Err(self.unknown_directive(keyword)),
        };
        if part < draft.part {
            let after = [
                "the directives",
                "the tasks",
                "the properties",
                "the condition",
            ][draft.part as usize];
            return Err(self.error(
                self.span(),
                Problem::OutOfOrder {
                    found: keyword,
                    after,
                },
            ));
        }
        draft.part = part;
        let start = self.span();
        self.bump();
        match part {
            Part::Directives => self.directive(draft, &keyword, start)?,
            Part::Tasks => self.task(draft, &keyword, start)?,
            Part::Properties => self.property(draft, &keyword, start)?,
            Part::Condition => self.condition(draft, &keyword, start)?,
        }
        if self.first_on_line() || matches!(part, Part::Tasks) || keyword == "initial" {
            return Ok(());
        }
        self.unexpected("end of line")
    }

    /// The word that starts the next line; `~` counts, if `exists` comes after it.
    fn keyword(&self) -> Option<String> {
        if let Some(word) = self.word() {
            return Some(word.to_owned());
        }
        let next = self.tokens.get(self.at + 1)?;
        let is_not_exists = self.kind() == &Kind::Not && self.text(next.span) == "exists";
        is_not_exists.then(|| "~exists".to_owned())
    }

    fn unknown_directive(&self, found: String) -> Error {
        let words = KEYWORDS.into_iter().chain(["exists", "forall"]);
        let suggestion = nearest(&found, words).map(str::to_owned);
        let expected = format!(
            "one of {}, a task such as `P0`, `exists`, `~exists` or `forall`",
            KEYWORDS.join(", ")
        );
        self.error(
            self.span(),
            Problem::Unknown {
                what: "directive",
                found,
                suggestion,
                expected,
            },
        )
    }

    fn directive(&mut self, draft: &mut Draft, keyword: &str, start: Span) -> Result<()> {
        match keyword {
            "board" => {
                self.once(draft.board.is_some(), keyword, start)?;
                draft.board = Some(self.name("a file name")?);
            }
            "kernels" => self.kernels(&mut draft.kernels)?,
            "result" => {
                let kernel = self.name("a kernel")?;
                let double = draft.results.iter().any(|line| {
                    let listed: &KernelResult = &line.value;
                    same_revision(&listed.kernel.value, &kernel.value)
                });
                self.once(double, &format!("result {}", kernel.value), kernel.span)?;
                let word = self.name("`Never`, `Sometimes` or `Always`")?;
                let verdict = header::verdict(self.source, &word.value, word.span)?;
                draft.results.push(Spanned::new(
                    KernelResult { kernel, verdict },
                    start.to(word.span),
                ));
            }
            "config" => {
                let key = self.name("what to configure")?;
                let double = draft.config.iter().any(|line| line.value.key == key);
                self.once(double, &format!("config {}", key.value), key.span)?;
                let value = self.value_on_line("its value")?;
                let span = start.to(value.span);
                draft.config.push(Spanned::new(Config { key, value }, span));
            }
            "allow" => {
                for device in self.names("a device")? {
                    self.once(draft.allow.contains(&device), &device.value, device.span)?;
                    draft.allow.push(device);
                }
            }
            "driver" => self.driver(draft, start)?,
            _ => {
                self.once(!draft.initial.is_empty(), keyword, start)?;
                draft.initial = self.block("initial", start)?.value;
            }
        }
        Ok(())
    }

    fn kernels(&mut self, kernels: &mut Vec<Name>) -> Result<()> {
        for kernel in self.names("a kernel such as `v6.14`")? {
            let double = kernels
                .iter()
                .any(|listed| same_revision(&listed.value, &kernel.value));
            self.once(double, &kernel.value, kernel.span)?;
            kernels.push(kernel);
        }
        Ok(())
    }

    fn driver(&mut self, draft: &mut Draft, start: Span) -> Result<()> {
        let name = self.name("a driver")?;
        let double = draft.drivers.iter().any(|line| line.value.name == name);
        self.once(double, &format!("driver {}", name.value), name.span)?;
        let mut driver = Driver {
            name,
            devices: Vec::new(),
            options: Vec::new(),
        };
        if !self.first_on_line() && self.word() == Some("on") {
            self.bump();
            driver.devices = self.names("a device")?;
        }
        if !self.first_on_line() && self.kind() == &Kind::Colon {
            self.bump();
            driver.options = self.driver_options()?;
        }
        if driver.devices.is_empty() && driver.options.is_empty() {
            self.on_this_line("`on` and devices, or `:` and options")?;
            return self.unexpected("`on` and devices, or `:` and options");
        }
        let span = start.to(self.previous());
        draft.drivers.push(Spanned::new(driver, span));
        Ok(())
    }

    fn driver_options(&mut self) -> Result<Vec<Spanned<DriverOption>>> {
        let mut options: Vec<Spanned<DriverOption>> = Vec::new();
        while options.is_empty() || (!self.first_on_line() && self.word().is_some()) {
            let option = self.driver_option()?;
            let double = options
                .iter()
                .any(|other| other.value.name == option.value.name);
            self.once(double, &option.value.name.value, option.span)?;
            options.push(option);
        }
        Ok(options)
    }

    fn driver_option(&mut self) -> Result<Spanned<DriverOption>> {
        let name = self.name("an option such as `async`")?;
        let mut option = DriverOption { name, value: None };
        if !self.first_on_line() && self.kind() == &Kind::Compare(Op::Eq) {
            self.bump();
            option.value = Some(self.value_on_line("a value")?);
        }
        let span = option.name.span.to(self.previous());
        Ok(Spanned::new(option, span))
    }

    fn task(&mut self, draft: &mut Draft, keyword: &str, start: Span) -> Result<()> {
        let next = draft.tasks.len();
        self.once(
            keyword[1..].parse().is_ok_and(|n: usize| n < next),
            keyword,
            start,
        )?;
        if keyword != format!("P{next}") {
            let problem = Problem::TaskOrder {
                found: keyword.to_owned(),
                expected: format!("P{next}"),
            };
            return Err(self.error(start, problem));
        }
        let Spanned { value: body, span } = self.block(keyword, start)?;
        draft.tasks.push(Spanned::new(Task { body }, span));
        Ok(())
    }

    /// `{ verb; verb }`, with `;` or a line end between two verbs.
    fn block(&mut self, owner: &str, start: Span) -> Result<Spanned<Vec<Spanned<Call>>>> {
        self.expect(&Kind::LBrace, "`{`")?;
        let mut body = Vec::new();
        loop {
            while self.kind() == &Kind::Semicolon {
                self.bump();
            }
            if self.kind() == &Kind::RBrace {
                break;
            }
            body.push(self.call("a verb or `}`")?);
            if !matches!(self.kind(), Kind::Semicolon | Kind::RBrace) && !self.first_on_line() {
                return self.unexpected("`;`, `}` or end of line");
            }
        }
        let span = start.to(self.span());
        self.bump();
        if body.is_empty() {
            return Err(self.error(
                span,
                Problem::EmptyBlock {
                    found: owner.to_owned(),
                },
            ));
        }
        Ok(Spanned::new(body, span))
    }

    fn property(&mut self, draft: &mut Draft, keyword: &str, start: Span) -> Result<()> {
        let kind = if keyword == "always" {
            PropertyKind::Always
        } else {
            PropertyKind::Sometimes
        };
        let names = self.names("the name of a property")?;
        for name in &names {
            let double = draft.properties.iter().any(|line| line.value.name == *name);
            self.once(double, &format!("property {}", name.value), name.span)?;
        }
        if names.len() == 1 && !self.first_on_line() && self.kind() == &Kind::Colon {
            self.bump();
            let expr = Some(self.disjunction()?);
            let span = start.to(self.previous());
            let property = |name| Spanned::new(Property { kind, name, expr }, span);
            draft
                .properties
                .extend(names.into_iter().next().map(property));
            return Ok(());
        }
        if kind == PropertyKind::Sometimes {
            self.on_this_line("`: ` and what is to be reached")?;
            return self.unexpected("`: ` and what is to be reached");
        }
        for name in names {
            let span = name.span;
            draft.properties.push(Spanned::new(
                Property {
                    kind,
                    name,
                    expr: None,
                },
                span,
            ));
        }
        Ok(())
    }

    fn condition(&mut self, draft: &mut Draft, keyword: &str, start: Span) -> Result<()> {
        self.once(draft.condition.is_some(), "condition", start)?;
        let quantifier = match keyword {
            "exists" => Quantifier::Exists,
            "forall" => Quantifier::Forall,
            _ => {
                self.bump();
                Quantifier::NotExists
            }
        };
        let expr = self.disjunction()?;
        let span = start.to(self.previous());
        draft.condition = Some(Spanned::new(Condition { quantifier, expr }, span));
        if self.first_on_line() {
            return Ok(());
        }
        self.unexpected("`/\\`, `\\/` or end of line")
    }
}

fn is_task(word: &str) -> bool {
    word.strip_prefix('P')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
