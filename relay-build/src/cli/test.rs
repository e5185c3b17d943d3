//! `test`: what becomes of lines, against what must.

use super::{
    input::{Format, Input, Purpose},
    output, style,
};
use anyhow::Context as _;
use clap::Args;
use relay_build::{
    config::{Checked, TestFile},
    testing::{self, Report},
};
use relay_runtime::counted;
use std::{path::PathBuf, process::ExitCode};

/// Run the tests of a configuration
///
/// Tests are `[[test]]` tables in the configuration, in the file `relay.test.toml` beside `relay.toml`, and in files given
/// with --tests. `--format junit` prints XML as `JUnit` does. Exits with 1 when one fails or too few rules were reached.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    /// Files with more tests; `*`, `?` and `**` stand for what they do in a shell (may be repeated)
    #[arg(long = "tests", value_name = "GLOB")]
    tests: Vec<String>,
    /// Fail when the tests reach a smaller share of the rules
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some((checked, files)) = load(&arguments.input, &arguments.tests)? else {
        return Ok(ExitCode::FAILURE);
    };
    let report = testing::run(&checked, &files)?;
    match arguments.input.format {
        Format::Json => output::answer_line(serde_json::to_string_pretty(&testing::json(&report))?)?,
        Format::Junit => output::answer(junit(&report, &checked))?,
        Format::Text | Format::Markdown => output::answer(testing::text(&report))?,
    }
    let coverage = report.coverage.percent();
    let is_covered = arguments.min_coverage.is_none_or(|least| coverage + 1e-9 >= least);
    if !is_covered {
        let least = arguments.min_coverage.unwrap_or_default();
        output::remark(format_args!(
            "{}error{}: the tests reach {coverage:.1}% of the rules, at least {least}% wanted",
            style::ERROR,
            style::RESET
        ));
    }
    Ok(if report.failed() == 0 && is_covered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads a configuration with its tests. `None` when one of them is refused; the problems are printed.
fn load(input: &Input, globs: &[String]) -> anyhow::Result<Option<(Checked, Vec<TestFile>)>> {
    let mut checked = input.check(Purpose::Ask)?;
    let mut paths = Vec::new();
    let beside = testing::test_file_of(&input.config);
    if beside.is_file() {
        paths.push(beside);
    }
    for pattern in globs {
        let found = testing::glob(pattern).with_context(|| format!("cannot look for {pattern}"))?;
        paths.extend(found.into_iter().filter(|path| !paths.contains(path)).collect::<Vec<PathBuf>>());
    }
    let options = input.options()?;
    let files = testing::read_files(&mut checked, &paths, &options).context("cannot read the tests")?;
    if input.refuses(&checked) {
        input.print(&checked)?;
        return Ok(None);
    }
    if checked.all_diagnostics().next().is_some() {
        input.print_to_stderr(&checked);
    }
    Ok(Some((checked, files)))
}

/// Runs the tests before something is made of a configuration. Prints failures; whether all passed.
pub(super) fn pass(input: &Input, checked: &Checked) -> anyhow::Result<bool> {
    let beside = testing::test_file_of(&input.config);
    if checked.tests.is_empty() && !beside.is_file() {
        return Ok(true);
    }
    let mut with_files = checked.clone();
    let paths: Vec<PathBuf> = Some(beside).into_iter().filter(|path| path.is_file()).collect();
    let files =
        testing::read_files(&mut with_files, &paths, &input.options()?).context("cannot read the tests")?;
    if with_files.has_errors() {
        input.print_to_stderr(&with_files);
        return Ok(false);
    }
    let report = testing::run(checked, &files)?;
    let failed = report.failed();
    if failed > 0 {
        output::remark(testing::text(&report).trim_end());
        output::remark(format_args!(
            "{}error{}: {} failed; nothing was built",
            style::ERROR,
            style::RESET,
            counted(failed, "test")
        ));
    }
    Ok(failed == 0)
}

fn junit(report: &Report, checked: &Checked) -> String {
    testing::junit(report, &checked.source.path.display().to_string())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    number.filter(|number| (0.0..=100.0).contains(number)).ok_or_else(|| "expected 0 to 100".to_owned())
}
