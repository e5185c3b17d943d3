//! `bench`: what a line costs with this configuration.

use super::{
    input::{Format, Input, Purpose},
    output, style,
};
use anyhow::{Context as _, bail};
use clap::Args;
use relay_build::{
    bench::{self, BenchError, Judgement, Limits, Report, Request},
    config::Checked,
    corpus::Corpus,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Lines that are made when no corpus is given.
const LINES: usize = 10_000;

/// Measure what a line costs in memory, compiled and interpreted
///
/// Builds the relay, compiles its table into a program that measures, and takes the corpus through framing, validation,
/// dispatch and gathering. With valgrind installed, instructions are counted too: they are the same on every run. Exits
/// with 1 when a limit is not met.
#[expect(clippy::option_option, reason = "an option whose value is optional")]
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    /// Lines to measure, one datapoint (or only a name) each [default: made from the rules, hits and near misses of each]
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Also measure the table as `build --corpus` would compile it for these lines
    #[arg(long, requires = "corpus")]
    steered: bool,
    /// Another configuration, measured over the same lines in the same rounds
    #[arg(long, value_name = "CONFIG")]
    against: Option<PathBuf>,
    /// How many rounds of time
    #[arg(long, value_name = "N", default_value_t = 9)]
    rounds: usize,
    /// What lines are made from when no corpus is given
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Do not count instructions
    #[arg(long)]
    without_valgrind: bool,
    /// Also measure the table without each rule; neighbours go together when there are more than 16
    #[arg(long)]
    rules: bool,
    /// Also measure growing beginnings of the table, shown as bars or, with FILE, as SVG
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    plot: Option<Option<PathBuf>>,
    /// Fail when the best round takes more nanoseconds per line
    #[arg(long, value_name = "NS")]
    max_ns: Option<f64>,
    /// Keep the report for a later --baseline
    #[arg(long, value_name = "FILE")]
    save_baseline: Option<PathBuf>,
    /// Compare with a report that was kept
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Fail when a line costs this much more than in the baseline, in instructions where both have them
    #[arg(long, value_name = "PERCENT", value_parser = percent, requires = "baseline")]
    max_regression: Option<f64>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(checked) = arguments.input.load(Purpose::Ask)? else { return Ok(ExitCode::FAILURE) };
    let other = match &arguments.against {
        None => None,
        Some(path) => match arguments.input.of(path).load(Purpose::Ask)? {
            None => return Ok(ExitCode::FAILURE),
            some => some,
        },
    };
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let corpus = corpus(arguments, &checked)?;
    let instructions = !arguments.without_valgrind && bench::has_valgrind();
    let request = Request {
        checked: &checked,
        against: other.as_ref(),
        corpus: &corpus,
        steered: arguments.steered,
        rounds: arguments.rounds,
        instructions,
        rules: arguments.rules,
        growth: arguments.plot.is_some(),
    };
    let report = match bench::run(&request, |stage| {
        output::remark(format_args!("{}{stage}{}", style::FAINT, style::RESET));
    }) {
        Err(BenchError::Build(error)) => return Err(error.into()),
        other => other?,
    };
    if let Some(path) = &arguments.save_baseline {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(Some(path)) = &arguments.plot {
        fs::write(path, bench::svg(&report.growth))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let limits = Limits { ns_max: arguments.max_ns, regression_max: arguments.max_regression };
    let judgements = bench::judge(&report, baseline.as_ref(), limits);
    print(arguments, &report, &judgements)?;
    let is_met = judgements.iter().all(|one| one.is_met);
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn corpus(arguments: &Arguments, checked: &Checked) -> anyhow::Result<Corpus> {
    let corpus = match &arguments.corpus {
        None => Corpus::generated(&checked.plan.table, LINES, arguments.seed),
        Some(path) => super::corpus::read(path)?,
    };
    if corpus.is_empty() {
        bail!("there is no line to measure; give some with --corpus FILE");
    }
    Ok(corpus)
}

fn read_baseline(path: &Path) -> anyhow::Result<Report> {
    let name = path.display();
    let text = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{name} is not a report of `bench --save-baseline`"))
}

fn print(arguments: &Arguments, report: &Report, judgements: &[Judgement]) -> anyhow::Result<()> {
    if arguments.input.format == Format::Json {
        let mut value = serde_json::to_value(report)?;
        value["judgements"] = serde_json::to_value(judgements)?;
        output::answer_line(serde_json::to_string_pretty(&value)?)?;
        return Ok(());
    }
    output::answer(bench::text(report))?;
    if arguments.plot.is_some() {
        output::answer(format_args!("\n{}", bench::terminal(&report.growth)))?;
    }
    for one in judgements {
        let (style, word) = if one.is_met { (style::GOOD, "met") } else { (style::ERROR, "not met") };
        output::answer_line(format_args!("{style}{word}{}: {}", style::RESET, one.said))?;
    }
    Ok(())
}

/// `5%` or `5`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(|number| number / 100.0).ok_or_else(|| "expected a percentage such as 5%".to_owned())
}
