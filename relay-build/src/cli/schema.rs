//! `schema`: the JSON Schema of configurations.

use clap::Args;
use relay_build::config;
use std::process::ExitCode;

/// Print the JSON Schema of configurations, for completion and checks in editors
#[derive(Args)]
pub(crate) struct Arguments {}

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&config::schema())?);
    Ok(ExitCode::SUCCESS)
}
