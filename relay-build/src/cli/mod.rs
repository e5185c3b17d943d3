//! Commands: read arguments, load the configuration, call the library, print.
//!
//! Exit codes: 0 fine, 1 the configuration or the run has a problem, 2 the command line is wrong.

mod bench;
mod build;
mod check;
mod compiling;
mod completions;
mod corpus;
mod diff;
mod explain;
mod explain_code;
mod input;
mod man;
mod output;
mod package;
mod program;
mod progress;
mod replay;
mod run;
mod schema;
mod show_lines;
pub(crate) mod style;
mod test;
mod trace;
mod vendor;
mod verify;

use anyhow::anyhow;
use clap::{ColorChoice, Parser, Subcommand};
use input::{Format, Input};
use relay_build::driver::BuildError;
use signal_hook::low_level::emulate_default_handler;
use std::process::ExitCode;

/// Compile a Graphite relay configuration into a relay.
///
/// The configuration is carbon-relay-ng's TOML. `run` is the place to start: it builds the relay and runs it.
#[derive(Parser)]
#[command(name = "relay-build", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Build(build::Arguments),
    Check(check::Arguments),
    Test(test::Arguments),
    Diff(diff::Arguments),
    Bench(bench::Arguments),
    Verify(verify::Arguments),
    Vendor(vendor::Arguments),
    Trace(trace::Arguments),
    Replay(replay::Arguments),
    Explain(explain::Arguments),
    ExplainCode(explain_code::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    #[command(hide = true)]
    ShowLines(show_lines::Arguments),
}

/// Runs the command that was asked for. Problems are printed: text on stderr, and where JSON was asked for, on stdout too.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match arguments.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let command = arguments.command;
    let (input, formats) = command.input();
    let as_json = input.is_some_and(|input| input.format == Format::Json);
    let config = input.map(|input| input.config.clone()).unwrap_or_default();
    if let Some(input) = input.filter(|input| !formats.contains(&input.format)) {
        print_error(&anyhow!("this command does not print {}", input.format.name()));
        return ExitCode::from(USAGE);
    }
    let failure = if matches!(command, Command::Diff(_)) { diff::CANNOT } else { FAILURE };
    run_command(command).unwrap_or_else(|error| {
        print_error(&error);
        if as_json {
            // If stdout does not take it either, the text on stderr has to do.
            let _ = output::answer_line(input::to_json(&error, &config));
        }
        if let Some(BuildError::Ended { signal }) = error.downcast_ref() {
            // Whoever sent it sees that it was this signal, as of a program that does not catch it.
            drop(emulate_default_handler(*signal));
        }
        ExitCode::from(failure)
    })
}

fn run_command(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Vendor(arguments) => vendor::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::ExplainCode(arguments) => explain_code::run(&arguments),
        Command::Schema(schema::Arguments {}) => schema::run(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
        Command::ShowLines(arguments) => show_lines::run(&arguments),
    }
}

impl Command {
    /// The configuration that the command reads, and the formats that it prints.
    fn input(&self) -> (Option<&Input>, &'static [Format]) {
        const BOTH: &[Format] = &[Format::Text, Format::Json];
        match self {
            Self::Run(arguments) => (Some(&arguments.input), BOTH),
            Self::Build(arguments) => (Some(&arguments.input), BOTH),
            Self::Check(arguments) => (Some(&arguments.input), BOTH),
            Self::Test(arguments) => (Some(&arguments.input), &[Format::Text, Format::Json, Format::Junit]),
            Self::Diff(arguments) => {
                (Some(&arguments.input), &[Format::Text, Format::Json, Format::Markdown])
            }
            Self::Bench(arguments) => (Some(&arguments.input), BOTH),
            Self::Trace(arguments) => (Some(&arguments.input), BOTH),
            Self::Replay(arguments) => (Some(&arguments.input), BOTH),
            Self::Explain(arguments) => (Some(&arguments.input), BOTH),
            Self::Verify(_)
            | Self::Vendor(_)
            | Self::ExplainCode(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::ShowLines(_) => (None, &[]),
        }
    }
}

/// Prints why a command did not work.
pub(crate) fn print_error(error: &anyhow::Error) {
    output::remark(format_args!("{}error{}: {error:#}", style::ERROR, style::RESET));
}
