//! The tree that a litmus file is parsed into.
//!
//! Every node knows its bytes in the file. Two trees are equal when they say the same thing: spans
//! and the file name do not take part, so that a test that was reprinted is equal to the test that
//! was read.

use std::fmt;
use std::sync::Arc;

/// The bytes `start..end` of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The bytes from the start of `self` to the end of `last`.
    #[must_use]
    pub fn to(self, last: Span) -> Span {
        Span::new(self.start, last.end.max(self.start))
    }
}

/// A value, and where in the file it stands. Equality and `Debug` look at the value only.
#[derive(Clone)]
pub struct Spanned<T> {
    /// What was said.
    pub value: T,
    /// Where it was said.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, said at `span`.
    pub fn new(value: T, span: Span) -> Spanned<T> {
        Spanned { value, span }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Spanned<T>) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A name as written: of a device, a driver, a kernel, a file.
pub type Name = Spanned<String>;

/// The file that a test was read from. All sources are equal: see the module text.
#[derive(Clone, Debug)]
pub struct Source {
    /// File name, as error messages give it.
    pub file: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

impl PartialEq for Source {
    fn eq(&self, _: &Source) -> bool {
        true
    }
}

impl Eq for Source {}

/// One litmus test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Litmus {
    /// Where it was read from.
    pub source: Source,
    /// The word after `LITMUS`: what the file is called, without `.litmus`.
    pub name: Name,
    /// `Result:`, the verdict expected on every kernel that has no `result` line of its own.
    pub result: Spanned<Verdict>,
    /// The free text of the comment.
    pub question: Question,
    /// `Link:` lines.
    pub links: Vec<Name>,
    /// `Fixes:` lines.
    pub fixes: Vec<Spanned<Fixes>>,
    /// `board`: a file name.
    pub board: Name,
    /// `kernels`: revisions, as written.
    pub kernels: Vec<Name>,
    /// `result` lines.
    pub results: Vec<Spanned<KernelResult>>,
    /// `config` lines.
    pub config: Vec<Spanned<Config>>,
    /// `allow`: devices added to the allow list of their IOMMU driver.
    pub allow: Vec<Name>,
    /// `driver` lines.
    pub drivers: Vec<Spanned<Driver>>,
    /// `initial`: what runs, in order, before the tasks start. Empty if there is no such block.
    pub initial: Vec<Spanned<Call>>,
    /// P0, P1, ...: never empty, and `tasks[n]` is P*n*.
    pub tasks: Vec<Spanned<Task>>,
    /// `always` and `sometimes` lines.
    pub properties: Vec<Spanned<Property>>,
    /// The last line.
    pub condition: Spanned<Condition>,
}

impl Litmus {
    /// The verdict expected on `kernel`: that of its `result` line, else that of `Result:`.
    pub fn expected(&self, kernel: &str) -> Verdict {
        let own = self
            .results
            .iter()
            .find(|line| same_revision(&line.value.kernel.value, kernel));
        own.map_or(self.result.value, |line| line.value.verdict.value)
    }
}

/// Whether two revisions are written alike; blanks do not count.
pub fn same_revision(a: &str, b: &str) -> bool {
    let significant = |c: &char| !c.is_whitespace();
    a.chars()
        .filter(significant)
        .eq(b.chars().filter(significant))
}

/// How often the condition's proposition holds, over all outcomes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Verdict {
    /// In no outcome.
    Never,
    /// In some outcomes, but not in all.
    Sometimes,
    /// In every outcome.
    Always,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Verdict; 3] = [Verdict::Never, Verdict::Sometimes, Verdict::Always];

    /// The word for it, as files and reports have it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Never => "Never",
            Verdict::Sometimes => "Sometimes",
            Verdict::Always => "Always",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The free text of the comment: background first, the question last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Paragraphs with their line breaks taken out. Never empty; the last one ends in `?`.
    pub paragraphs: Vec<Spanned<String>>,
}

impl Question {
    /// The last paragraph: the question itself, as an index of scenarios wants it.
    pub fn last(&self) -> &str {
        self.paragraphs
            .last()
            .map_or("", |paragraph| &paragraph.value)
    }
}

/// A `Fixes:` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixes {
    /// The commit: 12 hex digits or more.
    pub commit: String,
    /// Its subject, without the quotes.
    pub subject: String,
}

/// `result KERNEL VERDICT`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelResult {
    /// One of the kernels of the `kernels` line.
    pub kernel: Name,
    /// What is expected there.
    pub verdict: Spanned<Verdict>,
}

/// `config KEY VALUE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What is configured.
    pub key: Name,
    /// To what.
    pub value: Spanned<Value>,
}

/// `driver NAME on DEVICE... : OPTION...`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// The driver: one that the model has.
    pub name: Name,
    /// The devices that the options are for. Empty: all that it matches.
    pub devices: Vec<Name>,
    /// How it differs from a plain driver.
    pub options: Vec<Spanned<DriverOption>>,
}

/// `async`, `probe=-EPROBE_DEFER`, ...
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverOption {
    /// The word before `=`.
    pub name: Name,
    /// What comes after it.
    pub value: Option<Spanned<Value>>,
}

/// `P0 { ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What it does, in order. Never empty.
    pub body: Vec<Spanned<Call>>,
}

/// `name` or `name(arg, ...)`: a verb in a task, a predicate in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The kernel function or the predicate.
    pub name: Name,
    /// What it is applied to.
    pub args: Vec<Spanned<Value>>,
}

/// A word, number, error or string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `client0`, `ee300000.sata`, `none`
    Word(String),
    /// `1`, `-1`, `0x10`
    Number(i64),
    /// `-EPROBE_DEFER`, with the sign
    Errno(String),
    /// `"late IOMMU probe"`, without the quotes
    Text(String),
}

/// An `always` or `sometimes` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Which of the two.
    pub kind: PropertyKind,
    /// What reports call it.
    pub name: Name,
    /// What is to hold. `None`: the property of that name that the checker brings with it.
    pub expr: Option<Spanned<Expr>>,
}

/// What is asked of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// It holds in every state: an invariant.
    Always,
    /// It holds in one state at least: the code in question was reached.
    Sometimes,
}

impl PropertyKind {
    /// The keyword.
    pub fn word(self) -> &'static str {
        match self {
            PropertyKind::Always => "always",
            PropertyKind::Sometimes => "sometimes",
        }
    }
}

/// The last line of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `exists`, `~exists` or `forall`.
    pub quantifier: Quantifier,
    /// The proposition, asked of every outcome.
    pub expr: Spanned<Expr>,
}

/// Which outcomes the author hopes for. The verdict is about the proposition alone, as in herd7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// One outcome at least.
    Exists,
    /// None.
    NotExists,
    /// All.
    Forall,
}

impl Quantifier {
    /// The keyword.
    pub fn word(self) -> &'static str {
        match self {
            Quantifier::Exists => "exists",
            Quantifier::NotExists => "~exists",
            Quantifier::Forall => "forall",
        }
    }
}

/// A proposition about one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// `~a`
    Not(Box<Spanned<Expr>>),
    /// `a /\ b /\ ...`: two or more.
    And(Vec<Spanned<Expr>>),
    /// `a \/ b \/ ...`: two or more.
    Or(Vec<Spanned<Expr>>),
    /// A predicate.
    Atom(Atom),
}

impl Expr {
    /// Whether the proposition holds, given what holds of its atoms. Stops as soon as that is
    /// known.
    pub fn holds(&self, atom: &mut dyn FnMut(&Atom) -> bool) -> bool {
        match self {
            Expr::Not(inner) => !inner.value.holds(atom),
            Expr::And(parts) => parts.iter().all(|part| part.value.holds(atom)),
            Expr::Or(parts) => parts.iter().any(|part| part.value.holds(atom)),
            Expr::Atom(it) => atom(it),
        }
    }

    /// Visits every atom, from left to right.
    pub fn for_each_atom<'a>(&'a self, visit: &mut dyn FnMut(&'a Atom)) {
        match self {
            Expr::Not(inner) => inner.value.for_each_atom(visit),
            Expr::And(parts) | Expr::Or(parts) => {
                for part in parts {
                    part.value.for_each_atom(visit);
                }
            }
            Expr::Atom(it) => visit(it),
        }
    }
}

/// `bound(client0)` or `of_xlate(client0) = 1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// The predicate.
    pub call: Spanned<Call>,
    /// What its value is compared with.
    pub comparison: Option<Comparison>,
}

/// `= 1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How.
    pub op: Spanned<Op>,
    /// With what.
    pub value: Spanned<Value>,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Op {
    /// Whether `left OP right`.
    pub fn holds<T: Ord + ?Sized>(self, left: &T, right: &T) -> bool {
        let order = left.cmp(right);
        match self {
            Op::Eq => order.is_eq(),
            Op::Ne => order.is_ne(),
            Op::Lt => order.is_lt(),
            Op::Le => order.is_le(),
            Op::Gt => order.is_gt(),
            Op::Ge => order.is_ge(),
        }
    }

    /// How it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Op::Eq => "=",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
        }
    }
}
