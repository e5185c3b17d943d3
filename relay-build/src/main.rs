//! The command line of relay-build. Each command is a file under `cli/`.

mod cli;

use clap::Parser;
use relay_build::driver;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    driver::end_on_signals();
    cli::run(arguments)
}
