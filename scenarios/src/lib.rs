//! probe-litmus.

pub mod litmus;
