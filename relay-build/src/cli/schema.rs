//! `schema`: the JSON Schema of configurations.

use super::output;
use clap::Args;
use relay_build::config;
use std::process::ExitCode;

/// Print the JSON Schema of configurations, for completion and checks in editors
#[derive(Args)]
pub(crate) struct Arguments {}

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    output::answer_line(serde_json::to_string_pretty(&config::schema())?)?;
    Ok(ExitCode::SUCCESS)
}
