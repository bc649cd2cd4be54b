//! probe-litmus.
