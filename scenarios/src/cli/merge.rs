//! `probe-litmus merge`

use clap::Args;
use miette::{IntoDiagnostic, WrapErr};
use scenarios::shards;
use std::path::PathBuf;
use std::process::ExitCode;

/// Puts together what the shards of a `check` have printed
///
/// The output and the exit code are those of the whole run. Example:
///
///     probe-litmus check scenarios/basics --shard 1/2 > 1.txt
///     probe-litmus check scenarios/basics --shard 2/2 > 2.txt
///     probe-litmus merge 1.txt 2.txt
#[derive(Debug, Args)]
#[command(after_long_help = super::EXIT_CODES)]
pub(crate) struct Merge {
    /// The outputs of all shards, in any order
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Merge {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let read = |path: &PathBuf| {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .into_diagnostic()
                .wrap_err_with(|| format!("{name}: cannot read"))?;
            Ok((name, text))
        };
        let files: Vec<_> = self.files.iter().map(read).collect::<miette::Result<_>>()?;
        let whole = shards::merge(&files).into_diagnostic()?;
        print!("{}", whole.text);
        Ok(ExitCode::from(whole.exit))
    }
}
