//! `man`: manual pages of relay-build and of relays, made from the descriptions of their command lines.

use super::{output, program::Program};
use anyhow::Context as _;
use clap::{Args, ValueEnum as _};
use clap_mangen::Man;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Print a manual page, or write all of them into a directory
///
/// For example: `relay-build man | man -l -`, or `relay-build man --out /usr/local/share/man/man1`
#[derive(Args)]
pub(crate) struct Arguments {
    /// The program whose page is printed
    #[arg(long, value_name = "PROGRAM", default_value = "relay-build", conflicts_with = "out")]
    program: Program,
    /// Write the pages of both programs, and of each of their commands, into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.out {
        None => {
            let mut page = Vec::new();
            Man::new(arguments.program.command()).render(&mut page)?;
            output::answered(io::stdout().lock().write_all(&page))?;
        }
        Some(directory) => {
            write_all(directory).with_context(|| format!("cannot write into {}", directory.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_all(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for program in Program::value_variants() {
        clap_mangen::generate_to(program.command(), directory)?;
    }
    Ok(())
}
