//! Whether a test means anything: its words, devices, drivers and kernels, and the arguments between them.

use super::ast::{
    Atom, Call, Comparison, Condition, Config, Driver, DriverOption, Litmus, Name, Op, Span,
    Spanned, Value, same_revision,
};
use super::error::{Error, Problem};
use super::vocabulary::{ArgKind, Gives, Signature, Vocabulary};
use crate::suggest::nearest;

/// How many names an error message lists before it only counts the rest.
const LISTED: usize = 8;

/// What there is on the test's board and in the kernel table. The lists are also what error messages offer.
pub trait Names {
    /// Device names, in the board's order.
    fn devices(&self) -> Vec<String>;

    /// Names of the drivers that the model has.
    fn drivers(&self) -> Vec<String>;

    /// Names of the board's IOMMU instances.
    fn instances(&self) -> Vec<String>;

    /// Whether the revision can be resolved; if not, why, in one line.
    fn kernel(&self, revision: &str) -> Result<(), String>;

    /// Whether the board has this device.
    fn has_device(&self, name: &str) -> bool {
        self.devices().iter().any(|device| device == name)
    }

    /// Whether the model has this driver.
    fn has_driver(&self, name: &str) -> bool {
        self.drivers().iter().any(|driver| driver == name)
    }

    /// Whether the board has this IOMMU instance.
    fn has_instance(&self, name: &str) -> bool {
        self.instances().iter().any(|instance| instance == name)
    }
}

/// Everything that is wrong with a well-formed test, in the order of the file. Nothing: it can be run.
#[must_use]
pub fn validate(litmus: &Litmus, vocabulary: &Vocabulary, names: &dyn Names) -> Vec<Error> {
    let mut checker = Checker {
        litmus,
        vocabulary,
        names,
        errors: Vec::new(),
    };
    checker.kernels();
    litmus
        .config
        .iter()
        .for_each(|line| checker.config(&line.value));
    litmus
        .allow
        .iter()
        .for_each(|device| checker.device(&device.value, device.span));
    litmus
        .drivers
        .iter()
        .for_each(|line| checker.driver(&line.value));
    litmus.initial.iter().for_each(|call| checker.verb(call));
    litmus
        .tasks
        .iter()
        .flat_map(|task| &task.value.body)
        .for_each(|call| checker.verb(call));
    checker.properties();
    let Condition { expr, .. } = &litmus.condition.value;
    expr.value.for_each_atom(&mut |atom| checker.atom(atom));
    checker
        .errors
        .sort_by_key(|error| (error.span().start, error.span().end));
    checker.errors
}

struct Checker<'a> {
    litmus: &'a Litmus,
    vocabulary: &'a Vocabulary,
    names: &'a dyn Names,
    errors: Vec<Error>,
}

/// The lines of the file.
impl Checker<'_> {
    fn kernels(&mut self) {
        let kernels = &self.litmus.kernels;
        for kernel in kernels {
            if let Err(why) = self.names.kernel(&kernel.value) {
                self.error(
                    kernel.span,
                    Problem::UnknownKernel {
                        found: kernel.value.clone(),
                        why,
                    },
                );
            }
        }
        for line in &self.litmus.results {
            let kernel = &line.value.kernel;
            if !kernels
                .iter()
                .any(|listed| same_revision(&listed.value, &kernel.value))
            {
                let kernels: Vec<&str> =
                    kernels.iter().map(|kernel| kernel.value.as_str()).collect();
                let problem = Problem::NotListed {
                    found: kernel.value.clone(),
                    kernels: listing(&kernels),
                };
                self.error(kernel.span, problem);
            }
        }
    }

    fn config(&mut self, config: &Config) {
        let table = self.vocabulary.config;
        if let Some(key) = self.look_up("config", &config.key, table.iter()) {
            self.single_value(key, Some(&config.value), config.key.span);
        }
    }

    fn driver(&mut self, driver: &Driver) {
        if driver.devices.is_empty() && !self.names.has_driver(&driver.name.value) {
            self.unknown_driver(&driver.name.value, driver.name.span);
        }
        for device in &driver.devices {
            self.device(&device.value, device.span);
        }
        for Spanned {
            value: DriverOption { name, value },
            ..
        } in &driver.options
        {
            let table = self.vocabulary.driver_options;
            if let Some(option) = self.look_up("driver option", name, table.iter()) {
                self.single_value(option, value.as_ref(), name.span);
            }
        }
    }

    fn verb(&mut self, call: &Spanned<Call>) {
        let table = self.vocabulary.verbs;
        if let Some(verb) = self.look_up("verb", &call.value.name, table.iter()) {
            self.arguments(verb, call);
        }
    }

    fn properties(&mut self) {
        for Spanned {
            value: property, ..
        } in &self.litmus.properties
        {
            if let Some(expr) = &property.expr {
                expr.value.for_each_atom(&mut |atom| self.atom(atom));
            } else if !self
                .vocabulary
                .properties
                .contains(&property.name.value.as_str())
            {
                let known = self.vocabulary.properties;
                let expected = format!("`NAME: proposition` or one of {}", listing(known));
                self.unknown(
                    "property",
                    &property.name.value,
                    property.name.span,
                    known,
                    expected,
                );
            }
        }
    }

    fn atom(&mut self, atom: &Atom) {
        let table = self.vocabulary.predicates;
        let name = &atom.call.value.name;
        let Some(signature) = self.look_up(
            "predicate",
            name,
            table.iter().map(|predicate| &predicate.signature),
        ) else {
            return;
        };
        self.arguments(signature, &atom.call);
        let gives = table
            .iter()
            .find(|predicate| predicate.signature.name == signature.name);
        let gives = gives.map_or(Gives::Truth, |predicate| predicate.gives);
        match &atom.comparison {
            None if gives != Gives::Truth => {
                let problem = Problem::NotCompared {
                    name: atom.call.value.to_string(),
                    example: signature.example,
                };
                self.error(atom.call.span, problem);
            }
            None => {}
            Some(comparison) if gives == Gives::Truth => {
                let problem = Problem::Compared {
                    name: atom.call.value.to_string(),
                };
                self.error(comparison.op.span.to(comparison.value.span), problem);
            }
            Some(comparison) => self.comparison(signature, gives, comparison),
        }
    }

    fn comparison(&mut self, signature: &Signature, gives: Gives, comparison: &Comparison) {
        let Comparison { op, value } = comparison;
        if gives != Gives::Number && !matches!(op.value, Op::Eq | Op::Ne) {
            let problem = Problem::NotOrdered {
                name: signature.name.to_owned(),
                op: op.value.sign(),
            };
            return self.error(op.span, problem);
        }
        let kind = match gives {
            Gives::Truth => return,
            Gives::Number => ArgKind::Number,
            Gives::OneOf(words) => ArgKind::OneOf(words),
            Gives::DeviceOrNone if value.value == Value::Word("none".to_owned()) => return,
            Gives::DeviceOrNone => ArgKind::Device,
            Gives::Errno if value.value == Value::Number(0) => return,
            Gives::Errno => ArgKind::Errno,
        };
        self.value(signature, kind, value);
    }
}

/// Words and values.
impl Checker<'_> {
    fn error(&mut self, span: Span, problem: Problem) {
        self.errors
            .push(Error::new(&self.litmus.source, span, problem));
    }

    fn unknown<S: AsRef<str>>(
        &mut self,
        what: &'static str,
        found: &str,
        span: Span,
        candidates: &[S],
        expected: String,
    ) {
        let suggestion = nearest(found, candidates.iter().map(AsRef::as_ref)).map(str::to_owned);
        self.error(
            span,
            Problem::Unknown {
                what,
                found: found.to_owned(),
                suggestion,
                expected,
            },
        );
    }

    fn look_up<'v>(
        &mut self,
        what: &'static str,
        name: &Name,
        table: impl Iterator<Item = &'v Signature> + Clone,
    ) -> Option<&'v Signature> {
        let found = table.clone().find(|signature| signature.name == name.value);
        if found.is_none() {
            let known: Vec<&str> = table.map(|signature| signature.name).collect();
            let expected = format!("one of {}", known.join(", "));
            self.unknown(what, &name.value, name.span, &known, expected);
        }
        found
    }

    fn arguments(&mut self, signature: &Signature, call: &Spanned<Call>) {
        let args = &call.value.args;
        let (least, most) = arity(signature.args);
        if args.len() < least || most.is_some_and(|most| args.len() > most) {
            let problem = Problem::ArgumentCount {
                name: signature.name.to_owned(),
                found: arguments_in_words(args.len(), Some(args.len())),
                expected: arguments_in_words(least, most),
                example: signature.example,
            };
            return self.error(call.span, problem);
        }
        let last = signature.args.last();
        for (n, arg) in args.iter().enumerate() {
            if let Some(&kind) = signature.args.get(n).or(last) {
                self.value(signature, kind, arg);
            }
        }
    }

    /// The value of a `config` line or driver option.
    fn single_value(&mut self, signature: &Signature, value: Option<&Spanned<Value>>, name: Span) {
        match (signature.args.first(), value) {
            (None | Some(ArgKind::Optional(_)), None) => {}
            (Some(&kind), Some(value)) => self.value(signature, kind, value),
            (expected, value) => {
                let problem = Problem::WrongValue {
                    name: signature.name.to_owned(),
                    found: value.map_or("no value".to_owned(), |value| describe(&value.value)),
                    expected: expected.map_or("none".to_owned(), |&kind| in_words(kind)),
                    example: signature.example,
                };
                self.error(value.map_or(name, |value| value.span), problem);
            }
        }
    }

    fn value(&mut self, signature: &Signature, kind: ArgKind, value: &Spanned<Value>) {
        match (kind, &value.value) {
            (ArgKind::Optional(&kind) | ArgKind::Repeated(&kind), _) => {
                self.value(signature, kind, value);
            }
            (ArgKind::Device, Value::Word(name) | Value::Text(name)) => {
                self.device(name, value.span);
            }
            (ArgKind::Driver, Value::Word(name) | Value::Text(name)) => {
                let declared = self
                    .litmus
                    .drivers
                    .iter()
                    .any(|line| line.value.name.value == *name);
                if !declared && !self.names.has_driver(name) {
                    self.unknown_driver(name, value.span);
                }
            }
            (ArgKind::Instance, Value::Word(name) | Value::Text(name)) => {
                self.instance(name, value.span);
            }
            (ArgKind::OneOf(words), Value::Word(word)) if words.contains(&word.as_str()) => {}
            (ArgKind::Number, Value::Number(_))
            | (ArgKind::Text, Value::Text(_))
            | (ArgKind::Word, Value::Word(_))
            | (ArgKind::Errno, Value::Errno(_)) => {}
            (kind, found) => {
                let problem = Problem::WrongValue {
                    name: signature.name.to_owned(),
                    found: describe(found),
                    expected: in_words(kind),
                    example: signature.example,
                };
                self.error(value.span, problem);
            }
        }
    }

    fn device(&mut self, name: &str, span: Span) {
        if !self.names.has_device(name) {
            let devices = self.names.devices();
            let expected = format!(
                "one of the devices of {}: {}",
                self.litmus.board.value,
                listing(&devices)
            );
            self.unknown("device", name, span, &devices, expected);
        }
    }

    fn instance(&mut self, name: &str, span: Span) {
        if !self.names.has_instance(name) {
            let known = self.names.instances();
            let expected = format!(
                "one of the IOMMU instances of {}: {}",
                self.litmus.board.value,
                listing(&known)
            );
            self.unknown("IOMMU instance", name, span, &known, expected);
        }
    }

    fn unknown_driver(&mut self, name: &str, span: Span) {
        let mut known = self.names.drivers();
        let declared = self
            .litmus
            .drivers
            .iter()
            .filter(|line| !line.value.devices.is_empty());
        known.extend(declared.map(|line| line.value.name.value.clone()));
        let expected = format!(
            "`driver {name} on DEVICE` above, or one of {}",
            listing(&known)
        );
        self.unknown("driver", name, span, &known, expected);
    }
}

/// Names for an error message: the first few, and how many more there are.
fn listing<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    match names.len().checked_sub(LISTED) {
        _ if names.is_empty() => "(there are none)".to_owned(),
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The least and the largest number of arguments; no largest if the last is repeated.
fn arity(args: &[ArgKind]) -> (usize, Option<usize>) {
    let needed = |kind: &&ArgKind| !matches!(kind, ArgKind::Optional(_) | ArgKind::Repeated(_));
    let repeated = matches!(args.last(), Some(ArgKind::Repeated(_)));
    (
        args.iter().filter(needed).count(),
        (!repeated).then_some(args.len()),
    )
}

fn arguments_in_words(least: usize, most: Option<usize>) -> String {
    match most {
        None => format!("{least} arguments or more"),
        Some(most) if most > least => format!("{least} to {most} arguments"),
        Some(0) => "no arguments".to_owned(),
        Some(1) => "1 argument".to_owned(),
        Some(most) => format!("{most} arguments"),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Word(_) => format!("the word `{value}`"),
        Value::Number(_) => format!("the number `{value}`"),
        Value::Errno(_) => format!("the error `{value}`"),
        Value::Text(_) => format!("the string `{value}`"),
    }
}

fn in_words(kind: ArgKind) -> String {
    match kind {
        ArgKind::Device => "a device".to_owned(),
        ArgKind::Driver => "a driver".to_owned(),
        ArgKind::Instance => "an IOMMU instance".to_owned(),
        ArgKind::Number => "a number".to_owned(),
        ArgKind::Text => "a string".to_owned(),
        ArgKind::Word => "a word".to_owned(),
        ArgKind::Errno => "an error".to_owned(),
        ArgKind::OneOf(words) => words.join(" or "),
        ArgKind::Optional(&kind) | ArgKind::Repeated(&kind) => in_words(kind),
    }
}
