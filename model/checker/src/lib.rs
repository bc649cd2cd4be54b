//! A model checker for concurrent kernel code.
//!
//! A model is straight-line Rust over the objects of [`sync`]: locks that own no data, fields
//! that can be touched with or without their lock, lists, work items, wait queues. The same
//! model code runs under five engines, chosen at run time:
//!
//! | engine | what it is for |
//! |---|---|
//! | [`engine::exhaustive`] | every interleaving under sequential consistency, states merged; the only engine whose "complete yes" is a claim |
//! | [`engine::weak`] | every interleaving under weak memory, and whatever a task may read |
//! | [`engine::loom`] | the same model as loom threads: an independent check |
//! | [`engine::dpor`] | one execution for each class of equivalent ones, no states: an independent check |
//! | [`engine::shuttle`] | random, PCT and depth-first sampling of what is too large |
//!
//! How it fits together: a [`model::Model`] lays out its world once as a flat array of 64-bit
//! cells ([`layout::Layout`]); the sync objects are small `Copy` handles into it; an engine is
//! whoever owns the array. A task is a plain function. It suspends before each operation that
//! another task could tell apart from its neighbours, and nowhere else.
//!
//! This crate knows nothing of devices, drivers or IOMMUs.

pub mod backend;
pub mod engine;
pub mod event;
pub mod guard;
pub mod hash;
pub mod heap;
pub mod layout;
pub mod list;
pub mod model;
pub mod outcome;
pub mod sync;
pub mod task;
pub mod word;
