//! Tree to text, in the one layout that `parse` reads back as the same tree.

use std::fmt::{self, Display, Formatter};

use super::ast::{Call, Condition, Driver, Expr, Litmus, Name, Property, Spanned, Value};
use super::header::{Tag, tag_of};
use super::lexer::is_bare;

/// Lines are broken so that they fit into a mail.
const WIDTH: usize = 80;

impl Display for Litmus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "LITMUS {}", Bare(&self.name))?;
        self.fmt_comment(f)?;
        self.fmt_directives(f)?;
        writeln!(f)?;
        for (n, task) in self.tasks.iter().enumerate() {
            fmt_block(f, &format!("P{n}"), &task.value.body)?;
        }
        if !self.properties.is_empty() {
            writeln!(f)?;
        }
        for property in &self.properties {
            writeln!(f, "{}", property.value)?;
        }
        writeln!(f, "\n{}", self.condition.value)
    }
}

impl Litmus {
    fn fmt_comment(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "(*\n * Result: {}", self.result.value)?;
        for paragraph in &self.question.paragraphs {
            writeln!(f, " *")?;
            for line in wrap(&paragraph.value, WIDTH - 3) {
                writeln!(f, " * {line}")?;
            }
        }
        if !(self.links.is_empty() && self.fixes.is_empty()) {
            writeln!(f, " *")?;
        }
        for link in &self.links {
            writeln!(f, " * Link: {}", link.value)?;
        }
        for fixes in &self.fixes {
            writeln!(
                f,
                " * Fixes: {} (\"{}\")",
                fixes.value.commit, fixes.value.subject
            )?;
        }
        writeln!(f, " *)")
    }

    fn fmt_directives(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "board   {}", Bare(&self.board))?;
        fmt_names(f, "kernels", &self.kernels)?;
        for line in &self.results {
            writeln!(
                f,
                "result  {} {}",
                Bare(&line.value.kernel),
                line.value.verdict.value
            )?;
        }
        for line in &self.config {
            writeln!(
                f,
                "config  {} {}",
                Bare(&line.value.key),
                line.value.value.value
            )?;
        }
        fmt_names(f, "allow", &self.allow)?;
        for line in &self.drivers {
            writeln!(f, "{}", line.value)?;
        }
        if !self.initial.is_empty() {
            writeln!(f)?;
            fmt_block(f, "initial", &self.initial)?;
        }
        Ok(())
    }
}

/// `keyword name name ...`, on as many lines as it takes.
fn fmt_names(f: &mut Formatter<'_>, keyword: &str, names: &[Name]) -> fmt::Result {
    let text: Vec<String> = names.iter().map(|name| Bare(name).to_string()).collect();
    let mut column = 0;
    for name in &text {
        if column > 0 && column + 1 + name.chars().count() <= WIDTH {
            write!(f, " {name}")?;
        } else {
            write!(
                f,
                "{}{keyword:7} {name}",
                if column > 0 { "\n" } else { "" }
            )?;
            column = 7;
        }
        column += 1 + name.chars().count();
    }
    if names.is_empty() {
        Ok(())
    } else {
        writeln!(f)
    }
}

fn fmt_block(f: &mut Formatter<'_>, owner: &str, body: &[Spanned<Call>]) -> fmt::Result {
    if let [call] = body {
        return writeln!(f, "{owner} {{ {} }}", call.value);
    }
    writeln!(f, "{owner} {{")?;
    for call in body {
        writeln!(f, "    {}", call.value)?;
    }
    writeln!(f, "}}")
}

/// `text` in lines of `width` characters. No line starts with a word that would be read as a tag of the comment.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if line.chars().count() + 1 + word.chars().count() <= width
                    || tag_of(word) != Tag::None =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A name, in quotes if it would not be one word without them.
struct Bare<'a>(&'a Name);

impl Display for Bare<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_bare(&self.0.value) {
            f.write_str(&self.0.value)
        } else {
            fmt_text(f, &self.0.value)
        }
    }
}

fn fmt_text(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Display for Driver {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "driver  {}", Bare(&self.name))?;
        if !self.devices.is_empty() {
            write!(f, " on")?;
        }
        for device in &self.devices {
            write!(f, " {}", Bare(device))?;
        }
        if !self.options.is_empty() {
            write!(f, " :")?;
        }
        for option in &self.options {
            write!(f, " {}", Bare(&option.value.name))?;
            if let Some(value) = &option.value.value {
                write!(f, "={}", value.value)?;
            }
        }
        Ok(())
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Word(text) | Value::Errno(text) => f.write_str(text),
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => fmt_text(f, text),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.value)?;
        for (n, arg) in self.args.iter().enumerate() {
            write!(f, "{}{}", if n == 0 { "(" } else { ", " }, arg.value)?;
        }
        f.write_str(if self.args.is_empty() { "" } else { ")" })
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), Bare(&self.name))?;
        self.expr
            .as_ref()
            .map_or(Ok(()), |expr| write!(f, ": {}", expr.value))
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.quantifier.word(), self.expr.value)
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (sign, parts) = match self {
            Expr::And(parts) => (" /\\ ", parts),
            Expr::Or(parts) => (" \\/ ", parts),
            Expr::Not(inner) => {
                write!(f, "~")?;
                return fmt_part(f, self, &inner.value);
            }
            Expr::Atom(atom) => {
                write!(f, "{}", atom.call.value)?;
                let Some(comparison) = &atom.comparison else {
                    return Ok(());
                };
                return write!(
                    f,
                    " {} {}",
                    comparison.op.value.sign(),
                    comparison.value.value
                );
            }
        };
        for (n, part) in parts.iter().enumerate() {
            write!(f, "{}", if n == 0 { "" } else { sign })?;
            fmt_part(f, self, &part.value)?;
        }
        Ok(())
    }
}

/// `part` of `whole`, in parentheses unless it binds more tightly.
fn fmt_part(f: &mut Formatter<'_>, whole: &Expr, part: &Expr) -> fmt::Result {
    let strength = |expr: &Expr| match expr {
        Expr::Or(_) => 0,
        Expr::And(_) => 1,
        Expr::Not(_) => 2,
        Expr::Atom(_) => 3,
    };
    let both_not = matches!((whole, part), (Expr::Not(_), Expr::Not(_)));
    if strength(part) > strength(whole) || both_not {
        write!(f, "{part}")
    } else {
        write!(f, "({part})")
    }
}
