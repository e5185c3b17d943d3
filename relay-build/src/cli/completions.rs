//! `completions`: what a shell needs to complete a command line of relay-build or of a relay.

use super::{output, program::Program};
use clap::Args;
use clap_complete::Shell;
use std::{io, process::ExitCode};

/// Print a shell's completions for relay-build, or for the relays that it builds
///
/// For example: `relay-build completions bash > /etc/bash_completion.d/relay-build`
#[derive(Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
    /// The program to complete
    #[arg(long, value_name = "PROGRAM", default_value = "relay-build")]
    program: Program,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut command = arguments.program.command();
    let name = command.get_name().to_owned();
    // The generator ends the process if it cannot write, so it writes to memory.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut text);
    output::answered(io::Write::write_all(&mut io::stdout().lock(), &text))?;
    Ok(ExitCode::SUCCESS)
}
