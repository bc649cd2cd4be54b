//! The stacks that tasks run on, and copies of them.
//!
//! A search goes back to a state in one of two ways: it replays the schedule, or it puts back a
//! copy of the world and of the used part of each stack. This module does the latter, and all
//! that is unsafe about it.
//!
//! # Why this is sound
//!
//! * Every task has a stack of its own, at one address for as long as the machine lives. A copy
//!   goes back to the address that it was taken from, so pointers from a stack into itself hold.
//!   A coroutine keeps a pointer to the machine too. Nobody outside of this crate can have a
//!   machine, and `exhaustive` neither moves one while tasks run on it nor takes a snapshot to
//!   another one.
//! * A stack holds nothing that owns anything: model functions keep no heap memory (their state
//!   is in the cells), borrow only from the machine and the model, and are suspended only inside
//!   `Machine::suspend`, whose own frames own nothing either. So to forget the frames, or to have
//!   them twice, frees nothing twice and leaks nothing.
//! * A coroutine's handle is plain data (a stack pointer, the bounds of the stack, a function
//!   that is never called since the handle is never dropped). Its copy goes back together with
//!   the stack that it belongs to.
//! * What is copied begins [`BELOW`] bytes below a local of `Machine::suspend`. Everything that
//!   is live lies above: what the switch itself pushes below that local is a few registers.
//!   Builds with debug assertions, those of the tests among them, look whether the stack pointer
//!   that the coroutine keeps lies above it too.
//! * A panic in a task unwinds its own stack alone, and goes on in `Machine::step`, which nobody
//!   calls again after it.

#![allow(unsafe_code)]

use super::memcheck;
use corosensei::Coroutine;
use corosensei::stack::{DefaultStack, Stack, StackPointer};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr;

/// Bytes of a task's stack. Model functions hold no arrays, and `MAX_CALLS` bounds how deep they
/// call each other: unbinding recurses along the chain of consumers.
const STACK_BYTES: usize = 256 * 1024;

/// At least the bytes of the guard page at the low end of a stack, which cannot be read.
const GUARD_BYTES: usize = 64 * 1024;

/// Bytes below the local of `suspend` that may be in use: the frames of the switch.
const BELOW: usize = 1024;

/// The bounds of a stack whose memory belongs to a [`Slot`].
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    base: StackPointer,
    limit: StackPointer,
}

// SAFETY: the bounds are those of a `DefaultStack`, which is kept in the same slot for longer
// than any coroutine on it runs.
unsafe impl Stack for Bounds {
    fn base(&self) -> StackPointer {
        self.base
    }

    fn limit(&self) -> StackPointer {
        self.limit
    }
}

/// A task's coroutine. Never dropped: to abandon one is to forget it.
pub(super) type TaskCoroutine = ManuallyDrop<Coroutine<(), (), (), Bounds>>;

struct Slot {
    memory: DefaultStack,
    coroutine: Option<TaskCoroutine>,
}

/// A stack for each task of a run, by number.
#[derive(Default)]
pub(super) struct Stacks {
    slots: Vec<Slot>,
}

/// Copy of a task's coroutine and of the used part of its stack.
pub(super) struct Saved {
    coroutine: TaskCoroutine,
    low: usize,
    /// Not all are initialised: there is padding on a stack.
    bytes: Vec<MaybeUninit<u8>>,
}

impl Stacks {
    /// The coroutine of a task, or a new one made on the task's stack.
    pub(super) fn take(
        &mut self,
        task: usize,
        make: impl FnOnce(Bounds) -> TaskCoroutine,
    ) -> TaskCoroutine {
        while self.slots.len() <= task {
            let memory =
                DefaultStack::new(STACK_BYTES).expect("the system gives a stack to each task");
            memcheck::register_stack(memory.limit().get(), memory.base().get());
            self.slots.push(Slot {
                memory,
                coroutine: None,
            });
        }
        let slot = &mut self.slots[task];
        let bounds = Bounds {
            base: slot.memory.base(),
            limit: slot.memory.limit(),
        };
        slot.coroutine.take().unwrap_or_else(|| make(bounds))
    }

    /// Gives a suspended coroutine back.
    pub(super) fn put(&mut self, task: usize, coroutine: TaskCoroutine) {
        self.slots[task].coroutine = Some(coroutine);
    }

    /// Forgets all coroutines.
    pub(super) fn abandon(&mut self) {
        for slot in &mut self.slots {
            slot.coroutine = None;
        }
    }

    /// Copies a task's coroutine, if it has one, into the memory of an old copy. `local` is the
    /// address of a local of `suspend`.
    pub(super) fn save(&self, task: usize, local: usize, old: Option<Saved>) -> Option<Saved> {
        let slot = self.slots.get(task)?;
        let coroutine = slot.coroutine.as_ref()?;
        let low = local - BELOW;
        assert!(
            low >= slot.memory.limit().get() + GUARD_BYTES,
            "a task needs more than {STACK_BYTES} bytes of stack"
        );
        debug_assert!(
            stack_pointers(coroutine, &slot.memory).all(|p| p >= low),
            "a suspended task needs more than {BELOW} bytes below the local"
        );
        let length = slot.memory.base().get() - low;
        let mut bytes = old.map_or(vec![], |o| o.bytes);
        bytes.clear();
        bytes.reserve(length);
        memcheck::is_good(low, length);
        // SAFETY: [low, base) lies within the slot's memory, above its guard page, and nobody
        // runs on it: the caller is on the engine's own stack. See the module's text for the
        // copy of the handle.
        unsafe {
            ptr::copy_nonoverlapping(low as *const MaybeUninit<u8>, bytes.as_mut_ptr(), length);
            bytes.set_len(length);
            Some(Saved {
                coroutine: ptr::read(coroutine),
                low,
                bytes,
            })
        }
    }

    /// Puts a copy back, or forgets the task's coroutine if there was none.
    pub(super) fn restore(&mut self, task: usize, saved: Option<&Saved>) {
        let Some(slot) = self.slots.get_mut(task) else {
            return;
        };
        let Some(saved) = saved else {
            slot.coroutine = None;
            return;
        };
        memcheck::is_good(saved.low, saved.bytes.len());
        // SAFETY: the bytes go back to where they came from, which is still this slot's memory,
        // since slots are never removed. See the module's text for the copy of the handle.
        unsafe {
            ptr::copy_nonoverlapping(
                saved.bytes.as_ptr(),
                saved.low as *mut MaybeUninit<u8>,
                saved.bytes.len(),
            );
            slot.coroutine = Some(ptr::read(&raw const saved.coroutine));
        }
    }
}

/// The words of a coroutine's handle that point into its stack: the stack pointer that it keeps
/// is one of them.
fn stack_pointers(
    coroutine: &TaskCoroutine,
    memory: &DefaultStack,
) -> impl Iterator<Item = usize> + use<> {
    const WORDS: usize = size_of::<TaskCoroutine>() / size_of::<usize>();
    const { assert!(size_of::<TaskCoroutine>() == WORDS * size_of::<usize>()) };
    // SAFETY: a handle is made of pointers and numbers of the size of a word, without padding.
    let words: [usize; WORDS] = unsafe { ptr::read(ptr::from_ref(coroutine).cast()) };
    let (limit, base) = (memory.limit().get(), memory.base().get());
    words.into_iter().filter(move |w| limit < *w && *w < base)
}
