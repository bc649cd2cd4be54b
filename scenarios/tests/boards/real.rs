//! All real blobs at hand: `shared/boards` beside the checkout.

use super::wide;
use kernel::revision::Revision;
use scenarios::boot::survey::survey;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder beside the checkout, or beside the main checkout if this is a linked worktree.
fn blobs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let main_checkout = |root: &Path| {
        let link = std::fs::read_to_string(root.join(".git")).ok()?;
        let git_dir = Path::new(link.strip_prefix("gitdir:")?.trim());
        Some(git_dir.ancestors().nth(3)?.to_owned())
    };
    let checkouts = root
        .into_iter()
        .flat_map(|r| [Some(r.to_owned()), main_checkout(r)]);
    let folders = checkouts.filter_map(|c| Some(c?.parent()?.join("shared/boards")));
    let files = folders.filter_map(|f| std::fs::read_dir(f).ok()).flatten();
    let mut files: Vec<PathBuf> = files.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "dtb"));
    files.sort();
    if files.is_empty() {
        let _ = writeln!(
            std::io::stderr(),
            "NOT RUN: survey of real blobs: shared/boards absent"
        );
    }
    files
}

#[test]
fn real_blobs_boot_to_the_end_on_old_and_new_kernels() {
    for file in blobs() {
        for kernel in ["v6.12", "bcb81ac6ae3c", "v6.16", "v7.3-rc7"] {
            let revision = Revision::parse(kernel).unwrap_or_else(|e| panic!("{e}"));
            let name = file.display();
            let row = survey(&file, revision, wide()).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(row.cut_short, None, "{name} on {kernel}");
            assert!(
                row.iommus > 0 && row.devices > 20,
                "{name} on {kernel}: {row:?}"
            );
            assert!(
                row.bound <= row.clients && row.driverless < row.devices,
                "{name}: {row:?}"
            );
        }
    }
}
