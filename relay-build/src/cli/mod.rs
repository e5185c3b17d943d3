//! Commands: read arguments, load the configuration, call the library, print.
//!
//! Exit codes: 0 fine, 1 the configuration or the run has a problem, 2 the command line is wrong.

mod bench;
mod build;
mod check;
mod compiling;
mod corpus;
mod diff;
mod explain;
mod explain_code;
mod input;
mod package;
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

use clap::{ColorChoice, Parser, Subcommand};
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
    #[command(hide = true)]
    ShowLines(show_lines::Arguments),
}

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Diff(arguments) => Ok(diff::run(&arguments)),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Vendor(arguments) => vendor::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::ExplainCode(arguments) => explain_code::run(&arguments),
        Command::Schema(schema::Arguments {}) => schema::run(),
        Command::ShowLines(arguments) => show_lines::run(&arguments),
    }
}

/// Prints why a command did not work.
pub(crate) fn print_error(error: &anyhow::Error) {
    anstream::eprintln!("{}error{}: {error:#}", style::ERROR, style::RESET);
}
