//! Where the logs are, and how the kernels that made them were configured.

use checker::engine::conform::{Answer, Bounds, Found};
use kernel::config::Config;
use kernel::outcome::Outcome;
use kernel::revision::Revision;
use scenarios::board::{self, Board};
use scenarios::conform::Case;
use scenarios::conform::events::Probes;
use scenarios::trace::Log;
use std::path::{Path, PathBuf};

/// One recorded boot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boot {
    /// Folder in `tests/traces`, and in `shared/traces` if it is another.
    pub(crate) folder: &'static str,
    /// Its device tree, from `tests/traces`.
    pub(crate) board: &'static str,
    /// The kernel.
    pub(crate) kernel: &'static str,
    /// What differs from the default configuration.
    pub(crate) configure: fn(&mut Config),
}

pub(crate) fn plain(_: &mut Config) {}

pub(crate) fn no_link(config: &mut Config) {
    config.fw_devlink = false;
}

pub(crate) fn strict(config: &mut Config) {
    config.fw_devlink_strict = true;
}

/// With asynchronous probing no thread tells that a driver was a module.
pub(crate) fn asynchronous(config: &mut Config) {
    config.async_probe.insert("*".to_owned());
    config.loaded_modules.push("virtio-mmio".to_owned());
}

/// Nothing in a log tells that a driver was never there.
pub(crate) fn without_virtio(config: &mut Config) {
    config.absent.insert("virtio-mmio".to_owned());
}

pub(crate) fn renesas(config: &mut Config) {
    config.absent.insert("sata_rcar".to_owned());
    config.absent.insert("rcar-fcp".to_owned());
}

pub(crate) const fn boot(
    folder: &'static str,
    board: &'static str,
    kernel: &'static str,
    configure: fn(&mut Config),
) -> Boot {
    Boot {
        folder,
        board,
        kernel,
        configure,
    }
}

/// The boots whose logs are here.
pub(crate) const BOOTS: &[Boot] = &[
    boot(
        "smmu-last/6.12.107+deb13",
        "smmu-last/smmu-last.dts",
        "6.12.107",
        plain,
    ),
    boot(
        "smmu-last/6.16.12+deb13",
        "smmu-last/smmu-last.dts",
        "6.16.12",
        plain,
    ),
    boot(
        "smmu-last/7.2.13+deb14",
        "smmu-last/smmu-last.dts",
        "7.2.13",
        plain,
    ),
    boot(
        "smmu-last-strict/7.2.13+deb14",
        "smmu-last-strict/smmu-last.dts",
        "7.2.13",
        strict,
    ),
    boot(
        "smmu-last-nolink/6.12.107+deb13",
        "smmu-last-nolink/smmu-last.dts",
        "6.12.107",
        no_link,
    ),
    boot(
        "smmu-deferred/6.12.107+deb13",
        "smmu-deferred/smmu-deferred.dts",
        "6.12.107",
        plain,
    ),
    boot(
        "smmu-deferred/7.2.13+deb14",
        "smmu-deferred/smmu-deferred.dts",
        "7.2.13",
        plain,
    ),
    boot(
        "client-supplier/7.2.13+deb14",
        "client-supplier/client-supplier.dts",
        "7.2.13",
        plain,
    ),
    boot(
        "rk-multi/6.12.107+deb13",
        "rk-multi/rk-multi.dts",
        "6.12.107",
        plain,
    ),
    boot(
        "rk-multi/6.16.12+deb13",
        "rk-multi/rk-multi.dts",
        "6.16.12",
        plain,
    ),
    boot(
        "rk-multi/7.2.13+deb14",
        "rk-multi/rk-multi.dts",
        "7.2.13",
        plain,
    ),
    boot(
        "rcar-gen3/6.12.107-ipmmu",
        "rcar-gen3/rcar-gen3.dts",
        "6.12.107",
        renesas,
    ),
    boot(
        "repeat/smmu-async/single/6.12.107+deb13",
        ASYNC,
        "6.12.107",
        asynchronous,
    ),
    boot(
        "repeat/smmu-async/single/6.16.12+deb13",
        ASYNC,
        "6.16.12",
        asynchronous,
    ),
    boot(
        "repeat/smmu-async/single/7.2.13+deb14",
        ASYNC,
        "7.2.13",
        asynchronous,
    ),
    boot(
        "repeat/smmu-async/7.2.13+deb14/outcome-1",
        ASYNC,
        "7.2.13",
        asynchronous,
    ),
    boot(
        "repeat/smmu-async/7.2.13+deb14/outcome-2",
        ASYNC,
        "7.2.13",
        asynchronous,
    ),
    boot(
        "repeat/smmu-async/7.2.13+deb14/outcome-3",
        ASYNC,
        "7.2.13",
        asynchronous,
    ),
    boot("virt/6.12.107", VIRT, "6.12.107", plain),
    boot(
        "virt/6.12.107-without-module",
        VIRT,
        "6.12.107",
        without_virtio,
    ),
    boot("virt/6.12.107-async", VIRT, "6.12.107", asynchronous),
    boot("virt/7.2.13", VIRT, "7.2.13", plain),
    boot("forced/f1-b", "forced/confirm.dts", "7.2.13", plain),
    boot(
        "forced/f2-platform-a",
        "forced/confirm.dts",
        "7.2.13",
        plain,
    ),
];

/// Recorded as `docs/conform.md` says, with nothing trimmed.
pub(crate) const VIRT: &str = "virt/virt-clients.dts";

pub(crate) const ASYNC: &str = "repeat/smmu-async/smmu-last.dts";

pub(crate) fn traces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces")
}

impl Boot {
    /// The text of its log.
    pub(crate) fn text(&self) -> String {
        let path = traces().join(self.folder).join("trace.txt");
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Its device tree.
    pub(crate) fn board(&self) -> Board {
        board::load(&traces().join(self.board)).unwrap_or_else(|e| panic!("{e}"))
    }

    /// A log of it, ready to be explained by a kernel.
    pub(crate) fn case(&self, log: &Log, kernel: &str) -> Case {
        let (revision, config) = self.configuration(kernel);
        Case::new(&self.board(), revision, config, log, &Probes::default())
            .unwrap_or_else(|e| panic!("{e}"))
    }

    fn configuration(&self, kernel: &str) -> (Revision, Config) {
        let revision = Revision::parse(kernel).unwrap_or_else(|e| panic!("{e}"));
        let mut config = Config::default();
        (self.configure)(&mut config);
        (revision, config)
    }

    /// What comes of a log of it on a kernel.
    pub(crate) fn validate(&self, text: &str, kernel: &str, bounds: Bounds) -> Found<Outcome> {
        let log = Log::of_text("trace.txt", text);
        let (revision, config) = self.configuration(kernel);
        let of = (&self.board(), revision, config);
        let case = self.case(&log, kernel);
        let (_, verdict) = case
            .validate_or_late(of, (&log, &Probes::default()), bounds)
            .unwrap_or_else(|e| panic!("{e}"));
        verdict.found
    }
}

/// The answer in a word, and how far it came.
pub(crate) fn verdict(found: &Found<Outcome>) -> (&'static str, usize) {
    match &found.answer {
        Answer::Accepted(_) => ("accepted", 0),
        Answer::Rejected(dead) => ("rejected", dead.position),
        Answer::Undecided { farthest, .. } => ("not decided", farthest.position),
    }
}
