//! `check`: every problem of a configuration, without building anything.

use super::{
    input::{Format, Input, Purpose},
    style,
};
use clap::Args;
use std::process::ExitCode;

/// Find every problem in a configuration
///
/// Exits with 0 when a relay can be built, 1 when not.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: Input,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let input = &arguments.input;
    let checked = input.check(Purpose::Serve)?;
    let refused = input.refuses(&checked);
    if input.format == Format::Json || !checked.diagnostics.is_empty() {
        input.print(&checked);
    }
    if !refused && input.format == Format::Text {
        let table = &checked.plan.table;
        anstream::eprintln!(
            "{}{}: ok{}, {} routes to {} destinations, {} rewriters, {} aggregators, {} blocklist entries",
            style::GOOD,
            checked.source.path.display(),
            style::RESET,
            table.routes.len(),
            table.destinations.len(),
            table.rewriters.len(),
            table.aggregators.len(),
            table.blocklist.len()
        );
    }
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
