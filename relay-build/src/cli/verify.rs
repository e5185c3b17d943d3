//! `verify`: is this artifact what its configuration gives?

use super::{output, style};
use clap::Args;
use relay_build::driver::{self, BuildOptions};
use std::{path::PathBuf, process::ExitCode};

/// Build an artifact once more and compare the bytes
///
/// Takes the configuration and the values from DIR/inputs.json. Exits with 0 when DIR/relay is exactly what they give with
/// this version and compiler.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The directory that `build --out` left
    #[arg(value_name = "DIR", default_value = "dist")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let again = tempfile::tempdir()?;
    let verdict = driver::verify(&arguments.directory, &BuildOptions::new(again.path()))?;
    for difference in &verdict.differences {
        output::remark(format_args!("{}differs{}: {difference}", style::ERROR, style::RESET));
    }
    if !verdict.differences.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    output::remark(format_args!("{}verified{} {}", style::GOOD, style::RESET, verdict.binary_sha256));
    Ok(ExitCode::SUCCESS)
}
