//! `diff`: what two configurations do differently.

use super::{
    input::{Format, Input, Purpose},
    output,
};
use clap::Args;
use relay_build::diff;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Compare what two configurations do, whatever they look like
///
/// For each kind of difference a shortest metric that shows it is found, or it is said that there is none. `--format
/// markdown` is for the comment of a merge request. Exits with 0 when they are equal, 1 when not, 2 when they cannot be
/// compared.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    /// The configuration to compare with
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Metrics in use, one at the start of each line: counted and listed where they are treated differently
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
}

/// The exit code if the configurations cannot be compared.
pub(super) const CANNOT: u8 = 2;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(report) = compare(arguments)? else { return Ok(ExitCode::from(CANNOT)) };
    print(arguments, &report)?;
    Ok(if report.equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(arguments: &Arguments) -> anyhow::Result<Option<diff::Report>> {
    let mut plans = Vec::new();
    for input in [arguments.input.clone(), arguments.input.of(&arguments.new)] {
        let checked = input.check(Purpose::Ask)?;
        if input.refuses(&checked) {
            input.print(&checked)?;
            return Ok(None);
        }
        plans.push(checked.plan);
    }
    let names = arguments.corpus.as_deref().map(read_names).transpose()?;
    Ok(Some(diff::diff(&plans[0], &plans[1], names.as_deref())?))
}

/// The first word of each line, once.
fn read_names(path: &Path) -> anyhow::Result<Vec<String>> {
    let corpus = super::corpus::read(path)?;
    let text = String::from_utf8_lossy(&corpus.text);
    let mut names: Vec<String> =
        text.lines().filter_map(|line| line.split_ascii_whitespace().next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn print(arguments: &Arguments, report: &diff::Report) -> anyhow::Result<()> {
    match arguments.input.format {
        Format::Json => output::answer_line(serde_json::to_string_pretty(report)?),
        Format::Markdown => output::answer(diff::markdown(report)),
        Format::Text | Format::Junit => output::answer(diff::text(report)),
    }
}
