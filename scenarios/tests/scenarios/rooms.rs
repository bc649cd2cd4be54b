//! Each scenario on each kernel that it names, explored once for all that is claimed of it.

use crate::files::{crate_folder, scenario_files};
use checker::engine::exhaustive::{Go, Options};
use libtest_mimic::Failed;
use scenarios::runner::{Answer, Test};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A scenario, with a room for each of its kernels in the order of the file.
pub(crate) struct Scenario {
    pub(crate) file: PathBuf,
    /// Or why it cannot be read.
    pub(crate) rooms: Result<Vec<Room>, String>,
}

/// A scenario on one kernel.
pub(crate) struct Room {
    pub(crate) test: Arc<Test>,
    pub(crate) kernel: String,
    answer: OnceLock<Result<Answer, String>>,
}

impl Room {
    /// `late-probe-at-bind::v6.16`
    pub(crate) fn name(&self) -> String {
        format!("{}::{}", self.test.litmus.name.value, self.kernel)
    }

    /// The search with the default options, made when it is first asked for.
    pub(crate) fn answer(&self) -> Result<&Answer, Failed> {
        let explore = || {
            let options = Options::default();
            let answer = self.test.run(&self.kernel, &options, &mut |_| Go::On);
            answer.map_err(|e| e.to_string())
        };
        let answer = self.answer.get_or_init(explore).as_ref();
        answer.map_err(Failed::from)
    }
}

/// All scenarios of this crate.
pub(crate) fn scenarios() -> &'static [Scenario] {
    static ALL: OnceLock<Vec<Scenario>> = OnceLock::new();
    ALL.get_or_init(|| scenario_files().into_iter().map(read).collect())
}

fn read(file: PathBuf) -> Scenario {
    let rooms = load(&file).map(|test| {
        let test = Arc::new(test);
        let room = |kernel: &str| Room {
            test: test.clone(),
            kernel: kernel.to_owned(),
            answer: OnceLock::new(),
        };
        test.kernels().map(room).collect()
    });
    Scenario { file, rooms }
}

/// A scenario on the boards of this crate.
pub(crate) fn load(file: &Path) -> Result<Test, String> {
    Test::load(file, &crate_folder().join("boards")).map_err(|e| e.to_string())
}
