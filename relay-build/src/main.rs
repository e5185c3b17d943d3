//! The command line of relay-build. Each command is a file under `cli/`.

mod cli;

use clap::Parser;
use relay_build::driver;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    if let Err(error) = driver::end_on_signals() {
        cli::print_error(&anyhow::Error::from(error).context("cannot catch signals"));
    }
    cli::run(arguments)
}
