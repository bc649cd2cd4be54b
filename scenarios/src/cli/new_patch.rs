//! `probe-litmus new-patch`

use clap::Args;
use miette::IntoDiagnostic;
use scenarios::review::new_patch::NewPatch;
use std::process::ExitCode;

/// Lays out the row of the commit table for a patch that is to be reviewed
///
/// Prints the row and says where it goes; changes no file. docs/review.md leads from the mail with
/// the patch to the verdict. Example:
///
///     probe-litmus new-patch my-patch --subject "iommu: Do this" --effect "It does that."
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 there is a row; 2 the input is wrong.",
    verbatim_doc_comment
)]
#[command(name = "new-patch")]
pub(crate) struct New {
    /// What revisions are to call it: lower-case letters, digits and `-`
    name: String,
    /// The subject of its mail, without what stands in brackets before it
    #[arg(long, value_name = "TEXT")]
    subject: String,
    /// What it changes in the model, in a sentence or two
    #[arg(long, value_name = "TEXT")]
    effect: String,
    /// The message id of its mail, or a link to it
    #[arg(long, value_name = "ID")]
    link: Option<String>,
    /// The newest tag of the day on which it was posted [default: the newest that is known]
    #[arg(long, value_name = "TAG")]
    posted: Option<String>,
}

impl New {
    pub(crate) fn run(&self) -> miette::Result<ExitCode> {
        let patch = NewPatch {
            name: self.name.clone(),
            subject: self.subject.clone(),
            effect: self.effect.clone(),
            link: self.link.clone(),
            posted: self.posted.clone(),
        };
        let row = patch.row().into_diagnostic()?;
        println!("1. In model/kernel/src/commit.rs, below the last row of `commits!`:\n");
        println!("{}", row.source);
        println!("2. In model/kernel/src, in the function that the patch changes:\n");
        println!("    if self.has(commit::{}) {{", row.constant);
        println!("        // what it does with the patch");
        println!("    }}\n");
        println!("3. What it changes:\n");
        println!("    cargo run -- review --patch {}", self.name);
        Ok(ExitCode::SUCCESS)
    }
}
