//! `check`: every problem of a configuration, without building anything.

use super::{
    input::{Format, Input, Purpose},
    output, style,
};
use anyhow::Context as _;
use clap::Args;
use relay_build::{config::Checked, testing};
use relay_runtime::{counted, serve};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Find every problem in a configuration
///
/// Exits with 0 when a relay can be built, 1 when not.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    /// Lines that really came: aggregations that take none of them are a warning
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let input = &arguments.input;
    let mut checked = input.check(Purpose::Serve)?;
    if let Some(path) = &arguments.sample
        && !checked.has_errors()
    {
        hold_against(&mut checked, path)?;
    }
    let refused = input.refuses(&checked);
    if input.format == Format::Json || checked.all_diagnostics().next().is_some() {
        input.print(&checked)?;
    }
    if !refused && input.format == Format::Text {
        let table = &checked.plan.table;
        output::remark(format_args!(
            "{}{}: ok{}, {} to {}, {}, {}, {}",
            style::GOOD,
            checked.source.path.display(),
            style::RESET,
            counted(table.routes.len(), "route"),
            counted(table.destinations.len(), "destination"),
            counted(table.rewriters.len(), "rewriter"),
            counted(table.aggregators.len(), "aggregator"),
            counted(table.blocklist.len(), "blocklist entry")
        ));
        // Where it does not depend on what is open, anything will do for that.
        let memory = serve::memory(&checked.plan)
            .or_else(|_| serve::memory_with(&checked.plan, |_| Some("open".to_owned())));
        match memory {
            Ok(memory) => {
                output::remark(format_args!("memory: {memory}"));
                if let Some(part) = memory.largest_part() {
                    output::remark(format_args!("        {part}"));
                }
            }
            Err(error) => output::remark(format_args!("memory: known when the relay starts: {error}")),
        }
    }
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn hold_against(checked: &mut Checked, path: &Path) -> anyhow::Result<()> {
    let found = testing::check_sample(checked, &mut super::corpus::read(path)?.text.as_slice())
        .with_context(|| format!("cannot use the sample {}", path.display()))?;
    checked.diagnostics.extend(found);
    Ok(())
}
