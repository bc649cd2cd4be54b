//! Model checker.
