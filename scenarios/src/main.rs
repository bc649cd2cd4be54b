//! probe-litmus.
fn main() {}
