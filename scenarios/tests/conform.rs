//! The model against logs of real boots, call by call: `docs/conform.md`.

#[path = "conform/cases.rs"]
mod cases;
#[path = "conform/command.rs"]
mod command;
#[path = "conform/lines.rs"]
mod lines;
#[path = "conform/mutants.rs"]
mod mutants;
#[path = "conform/recorded.rs"]
mod recorded;
#[path = "conform/table.rs"]
mod table;
