//! From a combination to a litmus test, as a tree and as the text that it is printed as.

use super::board::Iommu;
use super::space::{Combination, Flavour};
use super::step::Step;
use crate::litmus::{
    self, Atom, Call, Condition, Driver, DriverOption, Expr, Litmus, Quantifier, Question, Source,
    Span, Spanned, Task, Value, Verdict,
};
use crate::runner::{LitmusErrors, Test, TestError};
use std::sync::Arc;

/// The clients' driver.
const CLIENT_DRIVER: &str = "client-drv";

/// That of a client which has its own.
const OWN_DRIVER: &str = "sata_rcar";

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

pub(super) fn here<T>(value: T) -> Spanned<T> {
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
        let line = |driver: &str, option: &str| {
            here(Driver {
                name: name(driver),
                devices: vec![],
                options: vec![here(DriverOption {
                    name: name(option),
                    value: None,
                })],
            })
        };
        let mut lines = vec![];
        if self.flavour != Flavour::Plain {
            lines.push(line(CLIENT_DRIVER, self.flavour.word()));
        }
        if self.has_own_drivers() {
            lines.push(line(OWN_DRIVER, Flavour::Vfio.word()));
        }
        lines
    }

    fn has_own_drivers(&self) -> bool {
        (0..self.layout.clients()).any(|c| self.layout.has_own_driver(c))
    }

    /// The drivers that no task registers, the IOMMU's first.
    fn initial(&self) -> Vec<Spanned<Call>> {
        let register = |driver: &str| here(call("driver_register", &[driver]));
        let mut calls = vec![];
        if !self.has(Step::RegisterIommu) {
            calls.push(register(self.layout.driver()));
        }
        if self.has_own_drivers() {
            calls.push(register(OWN_DRIVER));
        }
        if !self.has(Step::RegisterClients) {
            calls.push(register(CLIENT_DRIVER));
        }
        calls
    }

    fn task(&self, step: Step) -> Task {
        let calls = match step {
            Step::RegisterIommu => vec![call("driver_register", &[self.layout.driver()])],
            Step::AddIommu(i) => vec![call("device_add", &[&iommu(i)])],
            Step::UnbindIommu(i) => vec![unbind(&iommu(i))],
            Step::RegisterClients => vec![call("driver_register", &[CLIENT_DRIVER])],
            Step::AddClient(c) => vec![call("device_add", &[&client(c)])],
            Step::RemoveClient(c) => vec![call("device_del", &[&client(c)])],
            Step::Attach(c) => vec![call("device_attach", &[&client(c)])],
            Step::Bind(c) => vec![self.bind(c)],
            Step::Unbind(c) => vec![unbind(&client(c))],
            Step::Retry => vec![call("deferred_probe_work_func", &[])],
            Step::Timeout => vec![call("deferred_probe_timeout_work_func", &[])],
            Step::AllocDomain(c) => vec![alloc(c)],
            Step::Open(c) => vec![open(c)],
            Step::RebindIommu(i) => {
                let bind = call("device_driver_attach", &[self.layout.driver(), &iommu(i)]);
                vec![unbind(&iommu(i)), bind]
            }
            Step::Rebind(c) => vec![unbind(&client(c)), self.bind(c)],
            Step::BindAlloc(c) => vec![self.bind(c), alloc(c)],
            Step::BindOpen(c) => vec![self.bind(c), open(c)],
            Step::OpenClose(c) => vec![open(c), call("vfio_close", &[&client(c)])],
        };
        Task {
            body: calls.into_iter().map(here).collect(),
        }
    }

    fn bind(&self, number: u8) -> Call {
        let driver = if self.layout.has_own_driver(number) {
            OWN_DRIVER
        } else {
            CLIENT_DRIVER
        };
        call("device_driver_attach", &[driver, &client(number)])
    }
}

fn unbind(dev: &str) -> Call {
    call("device_release_driver", &[dev])
}

fn alloc(number: u8) -> Call {
    call("iommu_domain_alloc", &[&client(number), "bound"])
}

fn open(number: u8) -> Call {
    call("vfio_open", &[&client(number)])
}

/// What tests call an instance.
fn iommu(number: u8) -> String {
    format!("iommu{number}")
}

/// What tests call a client.
fn client(number: u8) -> String {
    format!("client{number}")
}
