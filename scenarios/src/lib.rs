//! Boards, litmus scenarios, runner and reports of probe-litmus.

pub mod board;
pub mod litmus;
