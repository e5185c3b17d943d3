//! `vendor`: everything that building relays needs beside Rust, in a directory.

use super::{output, style};
use clap::Args;
use relay_build::driver;
use relay_runtime::counted;
use std::{path::PathBuf, process::ExitCode};

/// Fetch every crate that relays consist of, so that they can be built without a network
///
/// Then `relay-build build --vendor DIR`, or `RELAY_BUILD_VENDOR=DIR` for every command, takes them from there. The bytes of
/// a relay are the same either way.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Where to put them
    #[arg(value_name = "DIR", default_value = "relay-vendor")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let crates = driver::vendor(&arguments.directory)?;
    let directory = arguments.directory.display();
    output::remark(format_args!(
        "{}vendored{} {} in {directory}",
        style::GOOD,
        style::RESET,
        counted(crates, "crate")
    ));
    Ok(ExitCode::SUCCESS)
}
