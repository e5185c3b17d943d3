//! `explain-code`: the page of a diagnostic.

use super::output;
use anyhow::bail;
use clap::Args;
use relay_build::diagnostics::{self, Code};
use std::process::ExitCode;

/// Tell what a diagnostic code means, with a wrong and a right configuration
#[derive(Args)]
pub(crate) struct Arguments {
    /// A code such as R0203; without one, all codes are listed
    code: Option<Code>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match arguments.code {
        Some(code) => match diagnostics::page(code) {
            Some(page) => output::answer(page)?,
            None => bail!("there is no code {code}; `relay-build explain-code` lists them"),
        },
        None => {
            for (_, page) in diagnostics::codes::ALL {
                output::answer_line(page.lines().next().unwrap_or_default().trim_start_matches("# "))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
