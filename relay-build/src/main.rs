//! The command line of relay-build: reads the arguments and runs one command. Each command is a file under
//! `cli/`.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    cli::run(arguments).unwrap_or_else(|error| {
        cli::print_error(&error);
        ExitCode::FAILURE
    })
}
