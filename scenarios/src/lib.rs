//! probe-litmus.

pub mod board;
