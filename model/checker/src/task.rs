//! What a task can do besides touching sync objects: call, create tasks, note, die.

use crate::backend::current;
use crate::event::What;
use crate::guard;
use crate::model::Entry;

/// A value that a kernel function returns, as it stands in a trace.
pub trait Return {
    /// As text; empty for void.
    fn show(&self) -> String;
}

impl Return for () {
    fn show(&self) -> String {
        String::new()
    }
}

impl Return for bool {
    fn show(&self) -> String {
        i32::from(*self).to_string()
    }
}

impl Return for i32 {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl<T, E: Return> Return for Result<T, E> {
    fn show(&self) -> String {
        match self {
            Ok(_) => "0".to_owned(),
            Err(e) => e.show(),
        }
    }
}

impl<T> Return for Option<T> {
    fn show(&self) -> String {
        if self.is_some() {
            "set".to_owned()
        } else {
            "NULL".to_owned()
        }
    }
}

/// Runs `body` as the kernel function `function` working on object number `object`, which is
/// called `name()` in traces.
pub fn call<R: Return>(
    function: &'static str,
    object: u64,
    name: impl FnOnce() -> String,
    body: impl FnOnce() -> R,
) -> R {
    current().enter(function, object);
    if current().records() {
        let object = name();
        current().record(What::Enter { function, object });
    }
    let ret = guard::function(function, body);
    current().exit();
    if current().records() {
        let ret = ret.show();
        current().record(What::Exit { function, ret });
    }
    ret
}

/// Runs `body` as a part of the task that has a number, for checkpoints: traces do not show it.
pub fn part<R>(name: &'static str, number: u64, body: impl FnOnce() -> R) -> R {
    current().enter_part(name, number);
    let ret = guard::function(name, body);
    current().exit();
    ret
}

/// Creates a task.
pub fn spawn(entry: Entry) {
    current().spawn(entry);
}

/// Leaves a note in the trace; costs nothing unless one is recorded.
pub fn note(kind: &'static str, text: impl FnOnce() -> String) {
    let backend = current();
    if backend.records() {
        backend.record(What::Note { kind, text: text() });
    }
}

/// The task dies in an oops, with its locks held.
pub fn oops(text: &str) -> ! {
    current().oops(text);
    unreachable!("an engine never resumes a task that died")
}

/// A limit of the model is hit: the exploration ends as not complete, with this text.
pub fn limit(text: &str) -> ! {
    current().limit(text);
    unreachable!("an engine never resumes a task that hit a limit")
}

/// From here on the task depends on its past only through `live` and the calls that it is in,
/// each with the object that it works on.
///
/// A live local of this function or of a caller that is neither in `live` nor determined by those
/// calls makes the search unsound: see where it is called for why there is none.
pub fn checkpoint(label: &'static str, live: &[u64]) {
    current().checkpoint(label, live);
}
