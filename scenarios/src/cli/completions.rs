//! `probe-litmus completions` and `probe-litmus man`

use super::Arguments;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use miette::{IntoDiagnostic, WrapErr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Prints a script that completes commands in a shell
///
/// Example, for bash:
///
///     probe-litmus completions bash > ~/.local/share/bash-completion/completions/probe-litmus
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> ExitCode {
        let mut script = vec![];
        clap_complete::generate(
            self.shell,
            &mut Arguments::command(),
            "probe-litmus",
            &mut script,
        );
        print!("{}", String::from_utf8_lossy(&script));
        ExitCode::SUCCESS
    }
}

/// Prints the manual page, or writes those of all commands
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Writes `probe-litmus.1`, `probe-litmus-check.1`, ... to this folder
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let command = Arguments::command();
        if let Some(folder) = &self.output {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder))
                .into_diagnostic()
                .wrap_err_with(|| format!("{}: cannot write", folder.display()))?;
        } else {
            let mut page = vec![];
            clap_mangen::Man::new(command)
                .render(&mut page)
                .into_diagnostic()?;
            print!("{}", String::from_utf8_lossy(&page));
        }
        Ok(ExitCode::SUCCESS)
    }
}
