//! The command line of relay-build. Each command is a file under `cli/`.

mod cli;

use clap::Parser;
use relay_build::driver::{self, BuildError};
use signal_hook::low_level::emulate_default_handler;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    if let Err(error) = driver::end_on_signals() {
        cli::print_error(&anyhow::Error::from(error).context("cannot catch signals"));
    }
    cli::run(arguments).unwrap_or_else(|error| {
        cli::print_error(&error);
        if let Some(BuildError::Ended { signal }) = error.downcast_ref() {
            // Whoever sent it sees that it was this signal, as of a program that does not catch it.
            drop(emulate_default_handler(*signal));
        }
        ExitCode::FAILURE
    })
}
