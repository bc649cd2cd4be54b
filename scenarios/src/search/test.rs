//! From a combination to a litmus test, as a tree and as the text that it is printed as.

use super::board::Iommu;
use super::space::{Combination, Flavour, Step};
use crate::litmus::{
    self, Atom, Call, Condition, Driver, DriverOption, Expr, Litmus, Quantifier, Question, Source,
    Span, Spanned, Task, Value, Verdict,
};
use crate::runner::{LitmusErrors, Test, TestError};
use std::sync::Arc;

/// The clients' driver.
const CLIENT_DRIVER: &str = "client-drv";

/// What is asked of a combination.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The test's name.
    pub(super) name: String,
    /// Paragraphs of its comment; the last is the question.
    pub(super) paragraphs: Vec<String>,
    /// The proposition.
    pub(super) expr: Expr,
    /// The kernels, each with the verdict.
    pub(super) kernels: Vec<(String, Verdict)>,
}

impl Asked {
    /// Of a combination that is only explored: its outcomes are what counts.
    pub(super) fn nothing(revision: &str) -> Self {
        Self {
            name: String::from("combination"),
            paragraphs: vec![String::from("What can come out?")],
            expr: truth("deadlock", &[]),
            kernels: vec![(revision.to_owned(), Verdict::Never)],
        }
    }
}

fn here<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::new(0, 0))
}

fn name(text: &str) -> Spanned<String> {
    here(text.to_owned())
}

/// A predicate or a verb on words.
pub(super) fn call(verb: &str, args: &[&str]) -> Call {
    let word = |a: &&str| here(Value::Word((*a).to_owned()));
    Call {
        name: name(verb),
        args: args.iter().map(word).collect(),
    }
}

/// A predicate that holds or does not.
pub(super) fn truth(predicate: &str, args: &[&str]) -> Expr {
    Expr::Atom(Atom {
        call: here(call(predicate, args)),
        comparison: None,
    })
}

/// A predicate on a device and a text.
pub(super) fn says(predicate: &str, dev: &str, text: &str) -> Expr {
    let mut call = call(predicate, &[dev]);
    call.args.push(here(Value::Text(text.to_owned())));
    Expr::Atom(Atom {
        call: here(call),
        comparison: None,
    })
}

/// All of them.
pub(super) fn all(mut parts: Vec<Expr>) -> Expr {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    Expr::And(parts.into_iter().map(here).collect())
}

impl Combination {
    /// The test: made as a tree, printed, and read again, so that errors have a place.
    pub(super) fn test(&self, asked: &Asked) -> Result<Test, TestError> {
        let text = self.litmus(asked).to_string();
        let litmus = litmus::parse(&format!("{}.litmus", asked.name), &text);
        let litmus = litmus.map_err(LitmusErrors::from)?;
        let board = self.layout.board()?;
        Ok(Test { litmus, board })
    }

    fn litmus(&self, asked: &Asked) -> Litmus {
        let result = asked.kernels.first().map_or(Verdict::Never, |(_, v)| *v);
        let differs = asked.kernels.iter().filter(|(_, v)| *v != result);
        Litmus {
            source: Source {
                file: Arc::from(""),
                text: Arc::from(""),
            },
            name: name(&asked.name),
            result: here(result),
            question: Question {
                paragraphs: asked.paragraphs.iter().map(|p| name(p)).collect(),
            },
            links: vec![],
            fixes: vec![],
            board: name(&self.layout.file()),
            kernels: asked.kernels.iter().map(|(k, _)| name(k)).collect(),
            results: differs
                .map(|(kernel, verdict)| {
                    here(litmus::KernelResult {
                        kernel: name(kernel),
                        verdict: here(*verdict),
                    })
                })
                .collect(),
            config: vec![],
            allow: self.allowed(),
            drivers: self.driver_lines(),
            initial: self.initial(),
            tasks: self.steps.iter().map(|s| here(self.task(*s))).collect(),
            properties: vec![],
            condition: here(Condition {
                quantifier: Quantifier::Exists,
                expr: here(asked.expr.clone()),
            }),
        }
    }

    /// ipmmu-vmsa wants devices of its list alone.
    fn allowed(&self) -> Vec<Spanned<String>> {
        let clients = (0..self.layout.clients()).map(|c| name(&client(c)));
        match self.layout.iommu {
            Iommu::Ipmmu => clients.collect(),
            _ => vec![],
        }
    }

    fn driver_lines(&self) -> Vec<Spanned<Driver>> {
        if self.flavour == Flavour::Plain {
            return vec![];
        }
        vec![here(Driver {
            name: name(CLIENT_DRIVER),
            devices: vec![],
            options: vec![here(DriverOption {
                name: name(self.flavour.word()),
                value: None,
            })],
        })]
    }

    /// The drivers that no task registers, the IOMMU's first.
    fn initial(&self) -> Vec<Spanned<Call>> {
        let register = |driver: &str| here(call("driver_register", &[driver]));
        let mut calls = vec![];
        if !self.has(Step::RegisterIommu) {
            calls.push(register(self.layout.driver()));
        }
        if !self.has(Step::RegisterClients) {
            calls.push(register(CLIENT_DRIVER));
        }
        calls
    }

    fn task(&self, step: Step) -> Task {
        let iommu = |i: u8| format!("iommu{i}");
        let call = match step {
            Step::RegisterIommu => call("driver_register", &[self.layout.driver()]),
            Step::AddIommu(i) => call("device_add", &[&iommu(i)]),
            Step::UnbindIommu(i) => call("device_release_driver", &[&iommu(i)]),
            Step::RegisterClients => call("driver_register", &[CLIENT_DRIVER]),
            Step::AddClient(c) => call("device_add", &[&client(c)]),
            Step::RemoveClient(c) => call("device_del", &[&client(c)]),
            Step::Bind(c) => call("device_driver_attach", &[CLIENT_DRIVER, &client(c)]),
            Step::Unbind(c) => call("device_release_driver", &[&client(c)]),
            Step::Retry => call("deferred_probe_work_func", &[]),
            Step::Timeout => call("deferred_probe_timeout_work_func", &[]),
            Step::AllocDomain(c) => call("iommu_domain_alloc", &[&client(c)]),
        };
        Task {
            body: vec![here(call)],
        }
    }
}

/// What tests call a client.
fn client(number: u8) -> String {
    format!("client{number}")
}
