//! Many boards at once: what `probe-litmus boards` does with each, and the sums over all.

use super::boot;
use crate::board::{self, Board, BoardError};
use crate::setup::SetupError;
use kernel::acpi::machine::Machine;
use kernel::board::unmodelled::{Binding, is_available_with_ancestors};
use kernel::config::Config;
use kernel::of::tree::Tree;
use kernel::revision::Revision;
use miette::Diagnostic;
use std::collections::BTreeMap;
use std::path::Path;
use thiserror::Error;

/// Why a board gave no row.
#[derive(Debug, Error, Diagnostic)]
pub enum SurveyError {
    /// The file is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Board(#[from] BoardError),
    /// The board cannot be laid out.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setup(#[from] SetupError),
}

/// One board, loaded and booted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Nodes of the tree, or fwnodes of an ACPI machine.
    pub nodes: usize,
    /// Devices that of_platform or ACPI makes.
    pub devices: usize,
    /// Devices that no driver of the catalogue matches.
    pub driverless: usize,
    /// Available nodes with `#iommu-cells`, and IOMMUs of ACPI, that a driver makes an instance of.
    pub iommus: usize,
    /// Those of them that are registered at the end.
    pub registered: usize,
    /// Those that no driver of the catalogue matches.
    pub without_driver: usize,
    /// Nodes with `#iommu-cells` that are disabled.
    pub disabled: usize,
    /// Devices with `iommus`, or with an id in a table of ACPI.
    pub clients: usize,
    /// Clients that have a driver at the end.
    pub bound: usize,
    /// Clients that are in a group at the end.
    pub grouped: usize,
    /// Devices that are deferred at the end.
    pub deferred: usize,
    /// WARNs, oopses and BUGs of the log.
    pub splats: usize,
    /// The boot did not come to its end: an oops, a deadlock or a limit of the model, in words.
    pub cut_short: Option<String>,
    /// What is not modelled, with how often it is there.
    pub unmodelled: BTreeMap<Binding, usize>,
}

impl Row {
    /// Adds the numbers of another board.
    pub fn add(&mut self, other: &Row) {
        self.nodes += other.nodes;
        self.devices += other.devices;
        self.driverless += other.driverless;
        self.iommus += other.iommus;
        self.registered += other.registered;
        self.without_driver += other.without_driver;
        self.disabled += other.disabled;
        self.clients += other.clients;
        self.bound += other.bound;
        self.grouped += other.grouped;
        self.deferred += other.deferred;
        self.splats += other.splats;
    }
}

/// Loads and boots one board under the default schedule.
pub fn survey(path: &Path, revision: Revision, config: Config) -> Result<Row, SurveyError> {
    let board = board::load(path)?;
    Ok(row(&board, revision, config)?)
}

/// The row of a board.
pub fn row(board: &Board, revision: Revision, config: Config) -> Result<Row, SetupError> {
    let booted = boot(board, revision, config)?;
    let laid_out = booted.kernel.board();
    let outcome = &booted.trace.end.outcome;
    let mut row = Row {
        nodes: board.tree.nodes.len(),
        devices: laid_out.devices.len(),
        driverless: laid_out
            .devices
            .iter()
            .filter(|d| d.drivers.is_empty())
            .count(),
        registered: outcome.registered.len(),
        clients: outcome.clients.len(),
        bound: outcome
            .clients
            .iter()
            .filter(|d| d.driver.is_some())
            .count(),
        grouped: outcome.clients.iter().filter(|d| d.grouped).count(),
        deferred: outcome
            .clients
            .iter()
            .chain(&outcome.others)
            .filter(|d| d.deferred)
            .count(),
        splats: ["WARN", "Oops", "BUG"]
            .map(|kind| booted.notes(kind).count())
            .iter()
            .sum(),
        cut_short: cut_short(&booted),
        ..Row::default()
    };
    if let Some(machine) = &board.acpi {
        row.nodes = machine.nodes.len();
        row.iommus = laid_out.instances.len();
        row.without_driver = laid_out.iommus_without_driver.len();
    }
    count_iommus(&mut row, &board.tree, laid_out);
    let of_tree = laid_out.unmodelled(&board.tree).into_iter().map(|(b, _)| b);
    let of_acpi = board.acpi.iter().flat_map(Machine::unmodelled);
    for binding in of_tree.chain(of_acpi) {
        *row.unmodelled.entry(binding).or_default() += 1;
    }
    Ok(row)
}

fn count_iommus(row: &mut Row, tree: &Tree, board: &kernel::board::Board) {
    for node in tree.ids() {
        if tree.property(node, "#iommu-cells").is_none() {
            continue;
        }
        let device = board.device_of_node(node);
        let drivers = device.map_or(0, |d| board.devices[d.index()].drivers.len());
        if !is_available_with_ancestors(tree, node) {
            row.disabled += 1;
        } else if drivers == 0 {
            row.without_driver += 1;
        } else {
            row.iommus += 1;
        }
    }
}

/// A task that died comes first: whoever waits for its locks is the consequence.
fn cut_short(booted: &super::Boot) -> Option<String> {
    let end = &booted.trace.end;
    let oops = booted.notes("Oops").next().map(|o| format!("oops: {o}"));
    let deadlock = || {
        let waits = end.deadlock.as_ref().map(|d| d.waits.join("; "));
        waits.map(|w| format!("deadlock: {w}"))
    };
    oops.or_else(deadlock)
        .or_else(|| booted.trace.limit.clone())
}
