//! The tests of this folder that hand models to engines themselves: engines are generic, and are
//! compiled here once for all of them.

mod random;

mod engines;
mod fuzzed;
mod peers;
mod weak_memory;
