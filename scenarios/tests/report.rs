//! The site that `report` writes: what is in it, that it is sound, and that a browser shows it.
//!
//! A handful of scenarios stand for all: with one, two and three tasks, with a proposed patch, with
//! verdicts that move both ways and one that never does, with an inversion of locks.

#[path = "report/browser.rs"]
mod browser;
#[path = "report/command.rs"]
mod command;
#[path = "report/devtools.rs"]
mod devtools;
#[path = "report/drawing.rs"]
mod drawing;
#[path = "report/site.rs"]
mod site;

use crate::files;
use checker::engine::exhaustive::{Go, Options};
use scenarios::report::{File, Room, Site};
use scenarios::runner::Test;
use std::path::Path;
use std::sync::OnceLock;

const SCENARIOS: [&str; 7] = [
    "basics/driverless-client",
    "basics/late-probe-at-bind",
    "basics/rebind-by-hand",
    "findings/walk-skips-a-binding-client",
    "museum/driver-read-twice",
    "museum/walk-locks-its-own-iommu",
    "seeds/late-probe-behind-the-last-leaf",
];

fn rooms() -> Vec<Room> {
    let explored = SCENARIOS.iter().map(|name| {
        let file = files::crate_folder().join(format!("{name}.litmus"));
        let boards = files::crate_folder().join("boards");
        let test = Test::load(&file, &boards).unwrap_or_else(|e| panic!("{e}"));
        let mut room = Room::new(&test, &file);
        for kernel in test.kernels() {
            let answer = test.run(kernel, &Options::default(), &mut |_| Go::On);
            room.add(&test, &answer.unwrap_or_else(|e| panic!("{e}")));
        }
        room
    });
    explored.collect()
}

/// The files of the site, explored once for all tests of this program.
fn site() -> &'static [File] {
    static SITE: OnceLock<Vec<File>> = OnceLock::new();
    SITE.get_or_init(|| Site::new(rooms()).files())
}

fn content(path: &str) -> &'static str {
    let file = site().iter().find(|f| f.path == path);
    &file.unwrap_or_else(|| panic!("no {path}")).content
}

/// The pages.
fn pages() -> impl Iterator<Item = &'static File> {
    let is_page = |f: &&File| Path::new(&f.path).extension().is_some_and(|e| e == "html");
    site().iter().filter(is_page)
}
