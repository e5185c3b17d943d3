//! `replay`: what a configuration would have done with recorded traffic, in virtual time.

use super::{
    input::{Input, Purpose},
    output, progress,
};
use anyhow::Context as _;
use clap::Args;
use relay_build::driver::{self, BuildOptions};
use relay_runtime::{
    admission::Admission,
    interpret::Interpreter,
    replay::{ReplayError, replay_lines},
};
use std::{
    io::{self, IsTerminal as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

/// Run lines on stdin through the configuration in virtual time, as fast as it can
///
/// Each line of stdin is the seconds of a line's arrival, a TAB, and the line. Each line of stdout is the seconds of
/// sending, a TAB, the route's key, a TAB, the destination, a TAB, and the line, in order of sending. Aggregated lines are
/// sent at their ticks. Nothing is really sent, and no time passes. The books are printed on stderr as one line of JSON.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    /// Use the generated code instead of the interpreter
    #[arg(long)]
    compiled: bool,
    /// When to stop [default: after the last arrival, when every open bucket was emitted at its own time]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    until: Option<f64>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let checked = arguments.input.check(Purpose::Ask)?;
    // Standard error is for the books; `check` shows what there is to say.
    if arguments.input.refuses(&checked) {
        arguments.input.print(&checked)?;
        return Ok(ExitCode::FAILURE);
    }
    if arguments.compiled {
        let options = BuildOptions::new(driver::default_out(&checked));
        let artifact = progress::build(!io::stderr().is_terminal(), &checked, &options)?;
        let mut relay = Command::new(&artifact.path);
        relay.arg("replay");
        if let Some(until) = arguments.until {
            relay.arg(until.to_string());
        }
        return Err(relay.exec()).context("cannot run the relay");
    }
    let interpreter = Interpreter::new(&checked.plan.table)?;
    let mut output = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let replayed = replay_lines(
        &checked.plan.table,
        &interpreter,
        Admission::of(&checked.plan, |name| std::env::var(name).ok()),
        arguments.until,
        &mut io::stdin().lock(),
        &mut output,
    );
    match replayed {
        // Whoever reads has seen enough.
        Err(ReplayError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("cannot replay"),
        Ok(ledger) => {
            output::remark(ledger.to_json());
            Ok(ExitCode::SUCCESS)
        }
    }
}
