//! What scenarios say on their kernels, as a folder of pages to read in a browser: no server, no
//! network, nothing but files.
//!
//! [`Room`]s are collected first, an exploration at a time, so that no more than one is in memory.
//! [`Site`] puts them side by side and draws the pages; [`Folder`] writes them. The bytes depend on
//! the scenarios, the kernels and the options alone.
//!
//! | file | what |
//! |---|---|
//! | `index.html` | scenarios times kernels, and which commit moved which verdict |
//! | `timeline.html` | the commits of the model and of the museum, by version |
//! | `scenario/NAME.html` | a page for each scenario |
//! | `style.css`, `script.js` | how it looks, and stepping through runs |

mod bars;
mod folder;
mod history;
mod index;
mod kernels;
mod lanes;
mod layered;
mod layout;
mod locks;
mod page;
mod room;
mod runs;
mod svg;
mod timeline;

pub use folder::{Folder, FolderError};
pub use lanes::{Handover, Lanes, Sort, Step};
pub use locks::{LockEdge, LockOrder};
pub use room::{Calls, Room, Run};

/// All scenarios on all their kernels.
#[derive(Debug)]
pub struct Site {
    rooms: Vec<Room>,
}

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it goes, in the folder of the site, with `/`.
    pub path: String,
    /// What is in it.
    pub content: String,
}

impl Site {
    /// Puts scenarios side by side: by folder, and there by name.
    pub fn new(mut rooms: Vec<Room>) -> Self {
        rooms.sort_by(|a, b| room::order(a).cmp(&room::order(b)));
        Self { rooms }
    }

    /// Every file, in the order of their paths.
    pub fn files(&self) -> Vec<File> {
        let file = |path: &str, content: String| File {
            path: path.to_owned(),
            content,
        };
        let mut files = vec![
            file("index.html", index::page(&self.rooms)),
            file("script.js", include_str!("script.js").to_owned()),
            file("style.css", include_str!("style.css").to_owned()),
            file("timeline.html", timeline::page(&self.rooms)),
        ];
        for room in &self.rooms {
            files.push(file(&room.href(), page::page(room)));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }
}
