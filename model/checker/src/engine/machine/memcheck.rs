//! What Valgrind's memcheck must be told of the stacks of tasks, to look at everything else.
//!
//! memcheck takes whatever lies below the stack pointer for memory that nobody may touch, and a jump
//! from one stack to another for a very large frame, unless it knows both. So each stack is made
//! known, and before a copy of one is made or put back its bytes are said to be good: a mistake in
//! there is not seen, one in the heap is.
//!
//! A client request is a row of instructions that does nothing on a real processor (the manual of
//! Valgrind, "The Client Request mechanism"; the numbers and the instructions are those of valgrind.h
//! and memcheck.h). There are some for x86-64 only; elsewhere nothing is said.

#![allow(unsafe_code)]

/// VALGRIND_STACK_REGISTER
const STACK_REGISTER: usize = 0x1501;

/// VALGRIND_MAKE_MEM_DEFINED
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;

/// A stack has its memory from `low` up to `high`.
pub(super) fn register_stack(low: usize, high: usize) {
    request(STACK_REGISTER, low, high);
}

/// So many bytes from `low` on may be read and written.
pub(super) fn is_good(low: usize, bytes: usize) {
    request(MAKE_MEM_DEFINED, low, bytes);
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn request(request: usize, first: usize, second: usize) {
    let words = [request, first, second, 0, 0, 0];
    // SAFETY: rdi is turned by 128 bits in all, and rbx changed with itself: no register is another
    // afterwards but rdx, which is an output, and no memory. Under Valgrind the six words are read.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") 0usize => _,
            options(nostack, readonly),
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn request(_: usize, _: usize, _: usize) {}
