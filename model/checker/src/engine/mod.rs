//! The engines: whoever owns the world's cells and decides who runs next.

mod automaton;
pub mod conform;
mod cycle;
pub mod deadlock;
pub mod dpor;
mod effects;
pub mod exhaustive;
mod footprints;
pub mod lock_order;
pub mod loom;
pub(crate) mod machine;
pub mod marks;
pub mod named;
mod numbered;
mod plain;
pub mod replay;
pub mod schedule;
pub mod shuttle;
pub mod state_graph;
mod threads;
mod walk;
pub mod weak;
