//! Boards, litmus scenarios, runner and reports of probe-litmus.

pub mod board;
pub mod boot;
pub mod conform;
pub mod coverage;
pub mod format;
pub mod functions;
pub mod in_order;
pub mod litmus;
pub mod report;
pub mod review;
pub mod runner;
pub mod schedule;
pub mod search;
pub mod setup;
pub mod shards;
pub mod suggest;
pub mod trace;
pub mod witness;
pub mod wrap;
