//! `probe-litmus kernels`

use clap::Args;
use kernel::commit::{self, Status};
use std::process::ExitCode;

/// Lists the commits that the model knows: what `--kernel` can name
///
/// A revision is a tag (v6.16), a commit (bcb81ac6ae3c), the one before it (bcb81ac6ae3c^), a
/// revision with a commit or proposed patch more or less ("v7.3-rc7 + ambarus-ready-always",
/// "v6.16 - da33e87bd2bf"), a kernel before v6.12 by its commits (a2e7e59a9426^,
/// "v6.12 - 58b116bce136"), or what `uname -r` prints (6.12.107+deb13-arm64).
///
/// Example, what became of a commit:
///
///     probe-litmus kernels | grep -A1 bcb81ac6ae3c
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct Kernels {}

impl Kernels {
    #[expect(
        clippy::unused_self,
        reason = "every command runs on its options, and this one has none"
    )]
    pub(crate) fn run(&self) -> ExitCode {
        for c in commit::table() {
            let status = match c.status {
                Status::Merged => String::new(),
                Status::Reverted { by } => format!("  reverted by {by}"),
                Status::Proposed => "  proposed".to_owned(),
            };
            println!(
                "{:<22} {:<10} {}{status}",
                c.id,
                c.version.to_string(),
                c.subject
            );
            println!("{:34}{}", "", c.effect);
        }
        ExitCode::SUCCESS
    }
}
