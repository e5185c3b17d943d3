//! `diff`: what two configurations do differently.

use super::input::{Format, Input, Purpose};
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
    input: Input,
    /// The configuration to compare with
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Metrics in use, one at the start of each line: counted and listed where they are treated differently
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
}

/// What cannot be compared is no difference.
const CANNOT: u8 = 2;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match compare(arguments) {
        Ok(Some(report)) => {
            print(arguments, &report);
            if report.equal { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(None) => ExitCode::from(CANNOT),
        Err(error) => {
            super::print_error(&error);
            ExitCode::from(CANNOT)
        }
    }
}

fn compare(arguments: &Arguments) -> anyhow::Result<Option<diff::Report>> {
    let mut plans = Vec::new();
    for input in [arguments.input.clone(), arguments.input.of(&arguments.new)] {
        let checked = input.check(Purpose::Report)?;
        if input.refuses(&checked) {
            input.print_to_stderr(&checked);
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

fn print(arguments: &Arguments, report: &diff::Report) {
    match arguments.input.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(report).unwrap_or_default()),
        Format::Markdown => print!("{}", diff::markdown(report)),
        Format::Text | Format::Junit => print!("{}", diff::text(report)),
    }
}
