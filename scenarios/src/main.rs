//! The command line of probe-litmus. See `probe-litmus --help`.

mod cli;

use clap::Parser;
use miette::{MietteHandlerOpts, ReportHandler};
use std::process::ExitCode;

fn main() -> ExitCode {
    // `FILE:LINE:COLUMN: what is wrong` stays on one line, as compilers have it.
    let handler = |_: &_| -> Box<dyn ReportHandler> {
        Box::new(MietteHandlerOpts::new().wrap_lines(false).build())
    };
    miette::set_hook(Box::new(handler)).expect("this is the first hook");
    match cli::run(&cli::Arguments::parse()) {
        Ok(code) => code,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(cli::BAD_INPUT)
        }
    }
}
