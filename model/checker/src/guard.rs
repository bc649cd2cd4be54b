//! A probe for tests: where a task is in code of the model, and where in that of its engine.
//!
//! No suspended task may own heap memory: its stack is copied, and abandoned without running
//! destructors, so the memory would leak or be freed twice. A task is suspended only inside of an
//! operation, and an engine allocates for itself there. So a test counts what the code of the
//! model allocates, between operations, and asks at the beginning of each operation whether
//! anything of it is left. Without a probe this costs two accesses of a thread-local variable for
//! each operation.

use std::cell::Cell;

/// Called with the innermost modelled function when a task begins an operation, or ends.
pub type Probe = fn(&'static str);

thread_local! {
    /// In a task's own code. By itself: a pair is copied with the bytes between its parts, for
    /// which the processor waits.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    /// The innermost modelled function.
    static FUNCTION: Cell<&'static str> = const { Cell::new("") };
    static PROBE: Cell<Option<Probe>> = const { Cell::new(None) };
}

/// Whether this thread is in a task's own code. Also where thread-local variables are gone.
pub fn in_task() -> bool {
    IN_TASK.try_with(Cell::get).unwrap_or(false)
}

/// Runs a task's own code with a probe: the body of [`crate::model::Model::run`].
pub fn task(probe: Probe, body: impl FnOnce()) {
    PROBE.set(Some(probe));
    let (in_task, function) = (IN_TASK.replace(true), FUNCTION.replace(""));
    body();
    drop(Outside::enter());
    IN_TASK.set(in_task);
    FUNCTION.set(function);
}

/// The task's code has called its engine; when this is dropped, the engine returns. If the task
/// is suspended in between, others run meanwhile, each from a place of its own.
pub(crate) struct Outside {
    in_task: bool,
    function: &'static str,
}

impl Outside {
    /// An operation begins.
    #[inline]
    pub(crate) fn enter() -> Self {
        let (in_task, function) = (IN_TASK.replace(false), FUNCTION.get());
        if in_task && let Some(probe) = PROBE.get() {
            probe(function);
        }
        Self { in_task, function }
    }
}

impl Drop for Outside {
    #[inline]
    fn drop(&mut self) {
        IN_TASK.set(self.in_task);
        FUNCTION.set(self.function);
    }
}

/// Runs the code of a modelled function.
pub(crate) fn function<R>(name: &'static str, body: impl FnOnce() -> R) -> R {
    let caller = FUNCTION.replace(name);
    let result = body();
    FUNCTION.set(caller);
    result
}
