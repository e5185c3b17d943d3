//! `trace`: what would become of lines.

use super::{
    input::{Input, Purpose},
    progress,
};
use anyhow::Context as _;
use clap::Args;
use relay_build::driver::{self, BuildOptions};
use relay_runtime::{admission::Admission, engine::seconds_now, interpret::Interpreter, trace};
use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

/// Tell what becomes of each line on stdin, as one JSON object per line
///
/// Nothing is sent. A line that is too long is refused, and the next one is taken; a relay also closes the connection. Each object has: line, accepted, reason, name, value, timestamp, blocked_by, rewritten, aggregators,
/// dropped_raw, and routes, each with its key and its destinations in the order of sending.
#[expect(clippy::doc_markdown, reason = "printed by --help as it stands")]
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    /// Ask the generated code instead of the interpreter
    #[arg(long)]
    compiled: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(checked) = arguments.input.load(Purpose::Ask)? else { return Ok(ExitCode::FAILURE) };
    if arguments.compiled {
        let options = BuildOptions::new(driver::default_out(&checked));
        let artifact = progress::build(false, &checked, &options)?;
        return Err(Command::new(&artifact.path).arg("trace").exec()).context("cannot run the relay");
    }
    let interpreter = Interpreter::new(&checked.plan.table)?;
    match trace::trace_lines(
        &checked.plan.table,
        &interpreter,
        Admission::of(&checked.plan, |name| std::env::var(name).ok()),
        &seconds_now,
        &mut io::stdin().lock(),
        &mut io::BufWriter::new(io::stdout().lock()),
    ) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        result => result.map(|()| ExitCode::SUCCESS).context("cannot trace"),
    }
}
