//! A probe for tests: where a task is in code of the model, and where in that of its engine.
//!
//! No suspended task may own heap memory: its stack is copied, and abandoned without running
//! destructors, so the memory would leak or be freed twice. A task is suspended only inside of an
//! operation, and an engine allocates for itself there. So a test counts what the code of the
//! model allocates, between operations, and asks at the beginning of each operation whether
//! anything of it is left. Without a probe this costs two accesses of a thread-local variable for
//! each operation.

use std::cell::Cell;

/// Where a thread is.
#[derive(Clone, Copy)]
struct Place {
    /// In a task's own code.
    in_task: bool,
    /// The innermost modelled function.
    function: &'static str,
}

/// Called with the innermost modelled function when a task begins an operation, or ends.
pub type Probe = fn(&'static str);

thread_local! {
    static PLACE: Cell<Place> = const {
        Cell::new(Place { in_task: false, function: "" })
    };
    static PROBE: Cell<Option<Probe>> = const { Cell::new(None) };
}

/// Whether this thread is in a task's own code. Also where thread-local variables are gone.
pub fn in_task() -> bool {
    PLACE.try_with(|p| p.get().in_task).unwrap_or(false)
}

/// Runs a task's own code with a probe: the body of [`crate::model::Model::run`].
pub fn task(probe: Probe, body: impl FnOnce()) {
    PROBE.set(Some(probe));
    let before = PLACE.replace(Place {
        in_task: true,
        function: "",
    });
    body();
    drop(Outside::enter());
    PLACE.set(before);
}

/// The task's code has called its engine; when this is dropped, the engine returns. If the task
/// is suspended in between, others run meanwhile, each from a place of its own.
pub(crate) struct Outside {
    place: Place,
}

impl Outside {
    /// An operation begins.
    #[inline]
    pub(crate) fn enter() -> Self {
        let place = PLACE.get();
        PLACE.set(Place {
            in_task: false,
            ..place
        });
        if place.in_task
            && let Some(probe) = PROBE.get()
        {
            probe(place.function);
        }
        Self { place }
    }
}

impl Drop for Outside {
    #[inline]
    fn drop(&mut self) {
        PLACE.set(self.place);
    }
}

/// Runs the code of a modelled function.
pub(crate) fn function<R>(name: &'static str, body: impl FnOnce() -> R) -> R {
    let rename = |function| {
        let place = PLACE.get();
        PLACE.set(Place { function, ..place });
        place.function
    };
    let caller = rename(name);
    let result = body();
    rename(caller);
    result
}
